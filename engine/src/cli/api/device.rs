//! `linesman device`

use std::process::ExitCode;

use clap::Subcommand;

use super::show::{Column, column};
use super::{Args, List, ask, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::Devices;

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
    List(List<Devices>),
    /// Show one, with its latest information bundles
    Show {
        /// Whose
        organization: String,
        /// Its serial number
        serial_number: String,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/devices", list, &COLUMNS).await,
        Action::Show { organization, serial_number } => {
            api.show(&format!("/api/v1/devices/{}/{}", segment(organization), segment(serial_number)), &()).await
        }
    })
}
