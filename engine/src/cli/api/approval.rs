//! `linesman approval`

use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use serde_json::json;

use super::show::{Column, column};
use super::{Args, List, ask, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::Approvals;

pub(in crate::cli) const COLUMNS: [Column; 8] = [
    column("ID", "/id"),
    column("STATE", "/state").whole(),
    column("KIND", "/kind").spare(),
    column("ABOUT", "/about").name(),
    column("ACTOR", "/actor"),
    column("TWO-PERSON", "/two_person").spare(),
    column("DUE", "/due").whole(),
    column("DECIDED BY", "/decision/by").spare(),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman approval list --state pending --data-dir D
  linesman approval show acme-a3 --data-dir D
  linesman approval approve acme-a3 --comment 'agreed with the customer' --data-dir D
  linesman approval reject acme-a3 --comment 'solved here' --data-dir D
  linesman approval list --kind send-intelligence --state pending --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List approvals
    List(List<Approvals>),
    /// Show one, with what is carried out once it is approved
    Show {
        /// Its id, such as acme-a3, or acme-p3 where it is the provider's
        id: String,
    },
    /// What was asked for is done, as whoever asked
    Approve {
        /// Its id
        id: String,
        /// What is said of it
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        comment: String,
    },
    /// What was asked for is not done
    Reject {
        /// Its id
        id: String,
        /// What is said of it
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        comment: String,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/approvals", list, &COLUMNS).await,
        Action::Show { id } => api.show(&path(id), &()).await,
        Action::Approve { id, comment } => {
            api.write(Method::POST, &format!("{}/approve", path(id)), Some(json!({ "comment": comment }))).await
        }
        Action::Reject { id, comment } => {
            api.write(Method::POST, &format!("{}/reject", path(id)), Some(json!({ "comment": comment }))).await
        }
    })
}

fn path(id: &str) -> String {
    format!("/api/v1/approvals/{}", segment(id))
}
