//! `linesman config`

use std::process::ExitCode;

use super::Failure;
use super::flags::Flags;
use crate::config;

/// Print the configuration that applies, secrets masked
///
/// Takes what `linesman serve` takes, from the file, the environment and flags, and tells every mistake
/// with its place.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman config --config linesman.toml
  LINESMAN_NATS_URL=nats://host:4222 linesman config --config linesman.toml")]
pub(super) struct Args {
    #[command(flatten)]
    flags: Flags,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let text = config::effective(&args.flags.sources()).map_err(Failure::Mistakes)?;
    anstream::print!("{text}");
    Ok(ExitCode::SUCCESS)
}
