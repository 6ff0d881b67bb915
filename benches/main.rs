//! The benches that need a server: `end-to-end` and `policies`, and `serve`, by which they start the
//! engine as a process of its own.

mod end_to_end;
mod policies;

use std::process::ExitCode;

use clap::Parser;

/// How many bundles are carried in a turn.
const BUNDLES: usize = 200_000;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let bench = arguments.next().unwrap_or_default();
    if bench == "serve" {
        return linesman::cli::run(linesman::cli::Cli::parse());
    }
    let bundles = arguments.next().map_or(Some(BUNDLES), |text| text.parse().ok());
    match measure(&bench, bundles) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(bench: &str, bundles: Option<usize>) -> anyhow::Result<()> {
    let usage = "usage: linesman-bench end-to-end|policies [BUNDLES]";
    let Some(bundles) = bundles else { anyhow::bail!(usage) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match bench {
        "end-to-end" => runtime.block_on(end_to_end::run(bundles)),
        "policies" => runtime.block_on(policies::run(bundles)),
        _ => anyhow::bail!(usage),
    }
}
