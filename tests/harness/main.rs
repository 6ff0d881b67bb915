//! The `linesman` command with crash points.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    if std::env::var_os("CRASH_POINTS_ABORT").is_some() {
        // A crash point is to be a crash: nothing may be tidied up on the way out.
        std::panic::set_hook(Box::new(|_| std::process::abort()));
    } else {
        std::panic::set_hook(Box::new(linesman::panics::tell));
    }
    linesman::cli::run(linesman::cli::Cli::parse())
}
