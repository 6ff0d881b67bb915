//! The benches that need a server: `end-to-end`, `policies` and `substitution`, and `serve`, by which they start the
//! engine as a process of its own. And `managers`, which needs a store, and `framing`, `redact` and
//! `impact`, which need nothing.

mod end_to_end;
mod framing;
mod impact;
mod managers;
mod neighbour;
mod policies;
mod redact;
mod substitution;

use std::process::ExitCode;

use clap::Parser;

/// How many bundles are carried in a turn.
const BUNDLES: usize = 200_000;
/// How many managers there are.
const MANAGERS: usize = 1_000_000;
/// How many access lines there are.
const LINES: usize = 100_000;
/// How many megabytes of text there are.
const MEGABYTES: usize = 200;
/// How many devices there are.
const DEVICES: usize = 100_000;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let bench = arguments.next().unwrap_or_default();
    if bench == "serve" {
        return linesman::cli::run(linesman::cli::Cli::parse());
    }
    match measure(&bench, arguments.next()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(bench: &str, count: Option<String>) -> anyhow::Result<()> {
    let usage = "usage: linesman-bench end-to-end|policies [BUNDLES], managers [MANAGERS], substitution [LINES], redact or framing [MEGABYTES], or impact [DEVICES]";
    let most = match bench {
        "managers" => MANAGERS,
        "substitution" => LINES,
        "redact" | "framing" => MEGABYTES,
        "impact" => DEVICES,
        _ => BUNDLES,
    };
    let Some(count) = count.map_or(Some(most), |text| text.parse().ok()) else { anyhow::bail!(usage) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match bench {
        "end-to-end" => runtime.block_on(end_to_end::run(count)),
        "policies" => runtime.block_on(policies::run(count)),
        "managers" => runtime.block_on(managers::run(count)),
        "substitution" => runtime.block_on(substitution::run(count)),
        "redact" => redact::run(count),
        "framing" => framing::run(count),
        "impact" => impact::run(count),
        _ => anyhow::bail!(usage),
    }
}
