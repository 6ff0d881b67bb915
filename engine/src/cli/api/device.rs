//! `linesman device`

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::show::{Column, column};
use super::{Args, List, ask, segment};
use crate::cli::Failure;

const COLUMNS: [Column; 8] = [
    column("ORGANIZATION", "/organization"),
    column("SERIAL", "/serial_number"),
    column("HOST", "/host_name"),
    column("PRODUCT", "/product"),
    column("PLATFORM", "/platform"),
    column("OS", "/os_version"),
    column("GROUP", "/group"),
    column("LAST SEEN", "/last_seen"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman device list --last-seen-before 2026-11-07T00:00:00Z --data-dir D   silent ones
  linesman device show acme JN1234567 --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List devices
    List(List<Filters>),
    /// Show one, with its latest information bundles
    Show {
        /// Whose
        organization: String,
        /// Its serial number
        serial_number: String,
    },
}

#[derive(Debug, clap::Args, Serialize)]
pub(in crate::cli) struct Filters {
    /// Whose; without it, everybody's
    #[arg(long, value_name = "ORG")]
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    /// Its device group
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// Its host name, `*` for any text
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    host_name: Option<String>,
    /// Its serial number, `*` for any text
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
    /// Its model, `*` for any text
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    /// Its system family
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    /// The version of its operating system, `*` for any text
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    os_version: Option<String>,
    /// Last seen at this time or later, such as 2026-11-21T10:00:00Z
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen_after: Option<String>,
    /// Last seen before this time
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen_before: Option<String>,
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/devices", list, &COLUMNS).await,
        Action::Show { organization, serial_number } => {
            api.show(&format!("/api/v1/devices/{}/{}", segment(organization), segment(serial_number)), &()).await
        }
    })
}
