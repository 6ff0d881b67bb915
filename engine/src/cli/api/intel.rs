//! `linesman intel`

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::show::{Column, column};
use super::{Args, List, ask, segment};
use crate::cli::Failure;

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
    List(List<Filters>),
    /// Show one
    Show {
        /// Whose
        organization: String,
        /// Its id
        id: String,
    },
}

#[derive(Debug, clap::Args, Serialize)]
pub(in crate::cli) struct Filters {
    /// Whose; without it, everybody's
    #[arg(long, value_name = "ORG")]
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    /// Its kind
    #[arg(long, value_name = "KIND")]
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// Whom it concerns: a model
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    /// Whom it concerns: a device
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
    /// Issued at this time or later, such as 2026-11-21T10:00:00Z
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_after: Option<String>,
    /// Issued before this time
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_before: Option<String>,
    /// Received at this time or later, such as 2026-11-21T10:00:00Z
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    received_after: Option<String>,
    /// Received before this time
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    received_before: Option<String>,
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/intelligence", list, &COLUMNS).await,
        Action::Show { organization, id } => {
            api.show(&format!("/api/v1/intelligence/{}/{}", segment(organization), segment(id)), &()).await
        }
    })
}
