//! `linesman case`

use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use serde::Serialize;
use serde_json::{json, to_value};

use super::files::{self, Export, Files};
use super::show::{Column, column};
use super::{Args, List, ask, segment};
use crate::cli::Failure;
use crate::cli::choices::Choices;
use crate::edge::filters::tables::Cases;

pub(in crate::cli) const COLUMNS: [Column; 7] = [
    column("INCIDENT", "/incident"),
    column("STATE", "/state").whole(),
    column("CASE", "/case_id").whole(),
    column("STATUS", "/case_status").spare(),
    column("OPENED", "/opened").whole(),
    column("UPDATED", "/updated").spare(),
    column("SYNOPSIS", "/synopsis"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman case list --organization acme --state failed --data-dir D
  linesman case save acme-17 --comments 'since the upgrade' --data-dir D
  linesman case submit acme-17 --data-dir D
  linesman case submit acme-17 --attachments false --core-files false --data-dir D
  linesman case submit acme-17 --reference CHG-4711 --address berlin --data-dir D
  linesman case override acme-17 --case-id C-7 --status 'with engineering' --data-dir D
  linesman case override acme-17 --clear --data-dir D
  linesman case files acme-17 --data-dir D
  linesman case files acme-17 --get 1 --out rsi.txt --data-dir D
  linesman case export acme --out acme.tar --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List cases
    List(List<Cases>),
    /// Show the case of an incident
    Show {
        /// The incident's id, such as acme-17
        incident: String,
    },
    /// List the files that belong to a case, or fetch one as it came
    Files(Files),
    /// Write what may leave of an organization's cases into an archive, which a person carries to the support system
    Export(Export),
    /// Keep what is to be said of a case, without opening it
    Save {
        /// The incident's id
        incident: String,
        #[command(flatten)]
        words: Words,
    },
    /// Open a case for an incident, as far as the filter level lets it out
    Submit {
        /// The incident's id
        incident: String,
        #[command(flatten)]
        words: Words,
    },
    /// Send a case that an end customer has reported on to the upstream
    Forward {
        /// The incident's id
        incident: String,
    },
    /// Keep a case that an end customer has reported, to be solved here
    Handle {
        /// The incident's id
        incident: String,
    },
    /// Show an end customer another id, link or status of its case than the upstream's
    Override {
        /// The incident's id
        incident: String,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Say something of a case, to the upstream and to the end customer who has reported it
    Note {
        /// The incident's id
        incident: String,
        /// What is said
        text: String,
    },
    /// A case is done
    Close {
        /// The incident's id
        incident: String,
        /// What is noted
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        note: String,
    },
    /// A case is not done after all
    Reopen {
        /// The incident's id
        incident: String,
        /// What is noted
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        note: String,
    },
}

/// What stands in place of the upstream's words; what is not given stays.
#[derive(Debug, clap::Args, Serialize)]
#[group(required = true, multiple = true)]
pub(in crate::cli) struct Wanted {
    /// The case id
    #[arg(long, value_name = "ID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    case_id: Option<String>,
    /// Where people see the case
    #[arg(long, value_name = "URL")]
    #[serde(rename = "case_link", skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// Its status, in whatever words, at most 64 characters
    #[arg(long, value_name = "STATUS")]
    #[serde(rename = "case_status", skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Nothing: all is the upstream's again
    #[arg(long, conflicts_with_all = ["case_id", "link", "status"])]
    #[serde(skip)]
    clear: bool,
}

/// What is said of a case; what is not given is taken from its draft, then from the incident.
#[derive(Debug, clap::Args, Serialize)]
pub(in crate::cli) struct Words {
    /// One line on the problem
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    synopsis: Option<String>,
    /// What the customer adds
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<String>,
    /// `Critical`, `High`, `Medium`, `Low`
    #[arg(long, value_parser = Choices::priority(), hide_possible_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<String>,
    /// Who else hears of it; may be given more than once
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cc: Vec<String>,
    /// `Email Full Text Update`, `Email Secure Web Link`, `Phone Call`
    #[arg(long, value_name = "METHOD", value_parser = Choices::follow_up(), hide_possible_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    follow_up: Option<String>,
    /// Whether the attachments and logs of its bundle go along; they do unless it is said
    #[arg(long, value_name = "true|false")]
    #[serde(skip_serializing_if = "Option::is_none")]
    attachments: Option<bool>,
    /// Whether what its manifest says of core files goes along; it does unless it is said
    #[arg(long, value_name = "true|false")]
    #[serde(skip_serializing_if = "Option::is_none")]
    core_files: Option<bool>,
    /// What your own system calls it, at most 128 characters
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// The address group whose address it carries in place of where spare parts of its device go
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/cases", list, &COLUMNS).await,
        Action::Show { incident } => api.show(&format!("/api/v1/cases/{}", segment(incident)), &()).await,
        Action::Files(wanted) => files::files(api, wanted).await,
        Action::Export(wanted) => files::export(api, wanted).await,
        Action::Save { incident, words } => {
            api.write(Method::POST, &path(incident, "save"), Some(to_value(words)?)).await
        }
        Action::Submit { incident, words } => {
            api.write(Method::POST, &path(incident, "submit"), Some(to_value(words)?)).await
        }
        Action::Forward { incident } => api.write(Method::POST, &path(incident, "forward"), Some(json!({}))).await,
        Action::Handle { incident } => api.write(Method::POST, &path(incident, "handle"), Some(json!({}))).await,
        Action::Override { incident, wanted } => {
            api.write(Method::POST, &path(incident, "override"), Some(to_value(wanted)?)).await
        }
        Action::Note { incident, text } => {
            api.write(Method::POST, &path(incident, "note"), Some(json!({ "note": text }))).await
        }
        Action::Close { incident, note } => {
            api.write(Method::POST, &path(incident, "close"), Some(json!({ "note": note }))).await
        }
        Action::Reopen { incident, note } => {
            api.write(Method::POST, &path(incident, "reopen"), Some(json!({ "note": note }))).await
        }
    })
}

fn path(incident: &str, what: &str) -> String {
    format!("/api/v1/incidents/{}/case/{what}", segment(incident))
}
