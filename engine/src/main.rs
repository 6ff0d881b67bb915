//! The `linesman` command.

use std::process::ExitCode;

use clap::Parser;
use linesman::cli::Cli;

fn main() -> ExitCode {
    linesman::cli::run(Cli::parse())
}
