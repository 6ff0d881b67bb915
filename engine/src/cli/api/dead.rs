//! `linesman dead`

use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;

use super::show::{Column, column};
use super::{Args, List, ask, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::DeadLetters;

pub(in crate::cli) const COLUMNS: [Column; 6] = [
    column("ID", "/id"),
    column("TIME", "/time").whole(),
    column("ORGANIZATION", "/organization"),
    column("REASON", "/reason").whole(),
    column("POLICY", "/policy/name").spare(),
    column("DETAIL", "/detail"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman dead list --organization acme --reason policy-failed --data-dir D
  linesman dead show 1234-0 --data-dir D
  linesman dead replay 1234-0 --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List dead letters
    List(List<DeadLetters>),
    /// Show one, with what was set aside in base64
    Show {
        /// Its id, as the list shows it
        id: String,
    },
    /// Put it to work again: an input enters the log anew, a policy that failed judges again
    Replay {
        /// Its id, as the list shows it
        id: String,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/dead-letters", list, &COLUMNS).await,
        Action::Show { id } => api.show(&format!("/api/v1/dead-letters/{}", segment(id)), &()).await,
        Action::Replay { id } => {
            api.write(Method::POST, &format!("/api/v1/dead-letters/{}/replay", segment(id)), None).await
        }
    })
}
