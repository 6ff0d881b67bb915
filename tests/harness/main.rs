//! The `linesman` command with crash points.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    linesman::cli::run(linesman::cli::Cli::parse())
}
