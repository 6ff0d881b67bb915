//! The `linesman` command.

use std::process::ExitCode;

use clap::Parser;
use linesman::cli::Cli;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(linesman::panics::tell));
    linesman::cli::run(Cli::parse())
}
