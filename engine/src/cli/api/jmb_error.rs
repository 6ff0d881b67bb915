//! `linesman jmb-error`

use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;

use super::show::{Column, column};
use super::{Args, List, ask, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::JmbErrors;

const COLUMNS: [Column; 7] = [
    column("ORGANIZATION", "/organization"),
    column("DEVICE", "/device"),
    column("ID", "/id"),
    column("FILE", "/file"),
    column("FOUND", "/found"),
    column("FAULT", "/fault"),
    column("DETAIL", "/detail"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman jmb-error list --organization acme --data-dir D
  linesman jmb-error show acme edge-1 1f3870be274f6c49 --data-dir D
  linesman jmb-error recheck acme edge-1 1f3870be274f6c49 --data-dir D
  linesman jmb-error delete acme edge-1 1f3870be274f6c49 --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List files of devices that are no bundles
    List(List<JmbErrors>),
    /// Show one, with its beginning
    Show(Which),
    /// Remove it from its device
    Delete(Which),
    /// Check it once more
    Recheck(Which),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Which {
    /// Whose device
    organization: String,
    /// The name by which that is reached
    device: String,
    /// What it is called in the list
    id: String,
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/jmb-errors", list, &COLUMNS).await,
        Action::Show(which) => api.show(&which.path(), &()).await,
        Action::Delete(which) => api.write(Method::DELETE, &which.path(), None).await,
        Action::Recheck(which) => api.write(Method::POST, &format!("{}/recheck", which.path()), None).await,
    })
}

impl Which {
    fn path(&self) -> String {
        let Self { organization, device, id } = self;
        format!("/api/v1/jmb-errors/{}/{}/{}", segment(organization), segment(device), segment(id))
    }
}
