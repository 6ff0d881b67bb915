//! `linesman intel`

use std::process::ExitCode;

use clap::Subcommand;

use super::show::{Column, column};
use super::{Args, List, ask, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::IntelligenceMessages;

const COLUMNS: [Column; 6] = [
    column("ORGANIZATION", "/organization"),
    column("ID", "/id"),
    column("KIND", "/kind"),
    column("ISSUED", "/issued"),
    column("RECEIVED", "/received"),
    column("TITLE", "/title"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman intel list --received-after 2026-11-18T00:00:00Z --sort=-received --data-dir D
  linesman intel show acme TSB17 --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List intelligence messages
    List(List<IntelligenceMessages>),
    /// Show one
    Show {
        /// Whose
        organization: String,
        /// Its id
        id: String,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/intelligence", list, &COLUMNS).await,
        Action::Show { organization, id } => {
            api.show(&format!("/api/v1/intelligence/{}/{}", segment(organization), segment(id)), &()).await
        }
    })
}
