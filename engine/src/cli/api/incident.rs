//! `linesman incident`

use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use serde_json::json;

use super::show::{Column, column};
use super::{Args, List, ask, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::Incidents;

pub(in crate::cli) const COLUMNS: [Column; 9] = [
    column("ID", "/id"),
    column("DETECTED", "/detected").whole(),
    column("PRIORITY", "/priority").whole(),
    column("STATUS", "/status").whole(),
    column("OWNER", "/owner").spare(),
    column("HOST", "/device/host_name"),
    column("EVENT", "/event_type").spare(),
    column("CASE", "/case/state"),
    column("SYNOPSIS", "/synopsis"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman incident list --organization acme --priority Critical --data-dir D
  linesman incident assign acme-17 ann@partner.example --data-dir D
  linesman incident close acme-17 --note 'line card changed' --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List incidents
    List(List<Incidents>),
    /// Show one, with its notes and its history
    Show {
        /// Its id, such as acme-17
        id: String,
    },
    /// Give it to somebody, or to nobody
    Assign {
        /// Its id
        id: String,
        /// Whose it becomes; without one nobody's
        #[arg(default_value = "")]
        owner: String,
        /// Its owner has begun to work on it
        #[arg(long)]
        in_progress: bool,
    },
    /// Change how urgent it is
    Prioritise {
        /// Its id
        id: String,
        /// Critical, High, Medium or Low
        priority: String,
    },
    /// It is completed
    Close {
        /// Its id
        id: String,
        /// What is to be noted
        #[arg(long, default_value = "")]
        note: String,
    },
    /// It is not completed after all
    Reopen {
        /// Its id
        id: String,
        /// What is to be noted
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Add a note
    Annotate {
        /// Its id
        id: String,
        /// What is to be noted
        note: String,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/incidents", list, &COLUMNS).await,
        Action::Show { id } => api.show(&format!("/api/v1/incidents/{}", segment(id)), &()).await,
        Action::Assign { id, owner, in_progress } => {
            let body = json!({ "owner": owner, "in_progress": in_progress });
            api.write(Method::POST, &path(id, "assign"), Some(body)).await
        }
        Action::Prioritise { id, priority } => {
            api.write(Method::POST, &path(id, "prioritise"), Some(json!({ "priority": priority }))).await
        }
        Action::Close { id, note } => api.write(Method::POST, &path(id, "close"), Some(json!({ "note": note }))).await,
        Action::Reopen { id, note } => {
            api.write(Method::POST, &path(id, "reopen"), Some(json!({ "note": note }))).await
        }
        Action::Annotate { id, note } => {
            api.write(Method::POST, &path(id, "annotate"), Some(json!({ "note": note }))).await
        }
    })
}

fn path(id: &str, what: &str) -> String {
    format!("/api/v1/incidents/{}/{what}", segment(id))
}
