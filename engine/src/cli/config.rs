//! `linesman config`

use std::process::ExitCode;

use super::Failure;
use super::flags::Flags;
use crate::config;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    flags: Flags,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let text = config::effective(&args.flags.sources()).map_err(Failure::Mistakes)?;
    anstream::print!("{text}");
    Ok(ExitCode::SUCCESS)
}
