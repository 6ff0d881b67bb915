//! `linesman case`

use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use serde::Serialize;
use serde_json::to_value;

use super::show::{Column, column};
use super::{Args, List, ask, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::Cases;

const COLUMNS: [Column; 7] = [
    column("INCIDENT", "/incident"),
    column("STATE", "/state"),
    column("CASE", "/case_id"),
    column("STATUS", "/case_status"),
    column("OPENED", "/opened"),
    column("UPDATED", "/updated"),
    column("SYNOPSIS", "/synopsis"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman case list --organization acme --state failed --data-dir D
  linesman case save acme-17 --comments 'since the upgrade' --data-dir D
  linesman case submit acme-17 --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List cases
    List(List<Cases>),
    /// Show the case of an incident
    Show {
        /// The incident's id, such as acme-17
        incident: String,
    },
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
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<String>,
    /// Who else hears of it; may be given more than once
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cc: Vec<String>,
    /// `Email Full Text Update`, `Email Secure Web Link`, `Phone Call`
    #[arg(long, value_name = "METHOD")]
    #[serde(skip_serializing_if = "Option::is_none")]
    follow_up: Option<String>,
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/cases", list, &COLUMNS).await,
        Action::Show { incident } => api.show(&format!("/api/v1/cases/{}", segment(incident)), &()).await,
        Action::Save { incident, words } => {
            api.write(Method::POST, &path(incident, "save"), Some(to_value(words)?)).await
        }
        Action::Submit { incident, words } => {
            api.write(Method::POST, &path(incident, "submit"), Some(to_value(words)?)).await
        }
    })
}

fn path(incident: &str, what: &str) -> String {
    format!("/api/v1/incidents/{}/case/{what}", segment(incident))
}
