//! `linesman service`, of a running engine.

use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;

use super::show::{Column, column};
use super::{Args, List, ask, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::Services;

const COLUMNS: [Column; 3] = [column("NAME", "/name"), column("VERSION", "/version"), column("SINCE", "/since")];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman service list --data-dir D
  linesman service show nat --data-dir D
  linesman service load --data-dir D    the services of this engine's files, whatever another has loaded";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List services
    List(List<Services>),
    /// Show one, with its definition and its versions
    Show {
        /// Its name
        name: String,
    },
    /// Load the services of this engine's files into the log, whatever another has loaded
    Load,
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/services", list, &COLUMNS).await,
        Action::Show { name } => api.show(&format!("/api/v1/services/{}", segment(name)), &()).await,
        Action::Load => api.write(Method::POST, "/api/v1/policies/load?section=services", None).await,
    })
}
