//! `linesman activation`

use std::process::ExitCode;

use clap::Subcommand;

use super::show::{Column, column};
use super::{Args, List, ask, path_of, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::Activations;

pub(in crate::cli) const COLUMNS: [Column; 5] = [
    column("LINE", "/line"),
    column("ACTIVATION", "/activation").key(),
    column("STATE", "/state"),
    column("DEVICE", "/device").name(),
    column("REASON", "/reason"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman activation list --under acme/berlin --data-dir D
  linesman activation list --state failed --all --data-dir D
  linesman activation show acme/berlin/line-7 scrubbing-0123456789ab --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List activations, access line by access line
    List(List<Activations>),
    /// Show one at an access line, with what its device was told
    Show {
        /// The access line: <organization>/<site>/<line>
        line: String,
        /// Its id, as the list shows it
        activation: String,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/activations", list, &COLUMNS).await,
        Action::Show { line, activation } => {
            let path = format!("{}/{}", path_of("/api/v1/activations", line), segment(activation));
            api.show(&path, &()).await
        }
    })
}
