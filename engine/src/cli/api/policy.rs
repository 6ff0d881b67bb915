//! `linesman policy`

use std::process::ExitCode;

use clap::Subcommand;

use super::show::{Column, column};
use super::{Args, List, ask, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::Policies;

const COLUMNS: [Column; 4] =
    [column("NAME", "/name"), column("OWNER", "/owner"), column("TRIGGER", "/trigger"), column("HASH", "/hash")];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman policy list --trigger incident.detected --data-dir D
  linesman policy show acme/own --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List policies
    List(List<Policies>),
    /// Show one, with its text
    Show {
        /// Its name: of an organization's own, <organization>/<file>
        name: String,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/policies", list, &COLUMNS).await,
        Action::Show { name } => api.show(&format!("/api/v1/policies/{}", segment(name)), &()).await,
    })
}
