//! `linesman policy`

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::show::{Column, column};
use super::{Access, Paging, ask, segment};
use crate::cli::Failure;

const COLUMNS: [Column; 4] =
    [column("NAME", "/name"), column("OWNER", "/owner"), column("TRIGGER", "/trigger"), column("HASH", "/hash")];

/// Policies in effect: list and show
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman policy list --trigger incident.detected --data-dir D
  linesman policy show acme/own --data-dir D")]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    access: Access,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List policies
    List {
        #[command(flatten)]
        filters: Box<Filters>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one, with its text
    Show {
        /// Its name: of an organization's own, <organization>/<file>
        name: String,
    },
}

#[derive(Debug, clap::Args, Serialize)]
struct Filters {
    /// Whose own
    #[arg(long, value_name = "ORG")]
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// What it reacts to
    #[arg(long, value_name = "TRIGGER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger: Option<String>,
    /// Its name, `*` for any text
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List { filters, paging } => api.list("/api/v1/policies", filters, paging, &COLUMNS).await,
        Action::Show { name } => api.show(&format!("/api/v1/policies/{}", segment(name)), &()).await,
    })
}
