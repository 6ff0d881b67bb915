//! `linesman jmb-error`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use reqwest::Method;

use super::show::{Column, column};
use super::{Api, Args, List, ask, segment};
use crate::cli::{Failure, output};
use crate::edge::filters::tables::JmbErrors;

pub(in crate::cli) const COLUMNS: [Column; 7] = [
    column("ORGANIZATION", "/organization"),
    column("DEVICE", "/device").name(),
    column("ID", "/id"),
    column("FILE", "/file").name(),
    column("FOUND", "/found").whole(),
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
    /// Print it as it lies on its device
    Download {
        #[command(flatten)]
        which: Which,
        /// The file it is written into; `-` is the standard output
        #[arg(short, long, value_name = "FILE", default_value = "-")]
        out: PathBuf,
    },
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
        Action::Download { which, out } => download(api, which, out).await,
        Action::Delete(which) => api.write(Method::DELETE, &which.path(), None).await,
        Action::Recheck(which) => api.write(Method::POST, &format!("{}/recheck", which.path()), None).await,
    })
}

async fn download(api: &Api, which: &Which, out: &Path) -> anyhow::Result<()> {
    let answer = api.received(api.patient(Method::POST, &format!("{}/download", which.path()))).await?;
    let bytes = answer.bytes().await.context("the answer broke off")?;
    if out == Path::new("-") {
        return output::bytes(&bytes);
    }
    std::fs::write(out, &bytes).with_context(|| format!("`{}` cannot be written", out.display()))
}

impl Which {
    fn path(&self) -> String {
        let Self { organization, device, id } = self;
        format!("/api/v1/jmb-errors/{}/{}/{}", segment(organization), segment(device), segment(id))
    }
}
