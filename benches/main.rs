//! The benches that need a server: `end-to-end`, `policies`, `fairness` and `substitution`, and `serve`, by which they start the
//! engine as a process of its own. `collect` and `poll`, which need a server and devices, and `standins`, by which they
//! start these. And `managers` and `memory`, which need a store, and `framing`, `redact` and `impact`, which need nothing.

mod collect;
mod end_to_end;
mod fairness;
mod framing;
mod impact;
mod managers;
mod memory;
mod neighbour;
mod policies;
mod poll;
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
/// How many bundles lie on devices.
const COLLECTED: usize = 1_000;
/// How many host-event-IDs are remembered.
const REMEMBERED: usize = 10_000_000;
/// How many devices are looked at.
const POLLED: usize = 1_000;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let bench = arguments.next().unwrap_or_default();
    if bench == "serve" {
        return linesman::cli::run(linesman::cli::Cli::parse());
    }
    let done = match bench.as_str() {
        "standins" => stand_in(arguments.next(), arguments.next()),
        "remembered" => remember(arguments.next(), arguments.next()),
        _ => measure(&bench, arguments.next()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(bench: &str, count: Option<String>) -> anyhow::Result<()> {
    let usage = "usage: linesman-bench end-to-end|policies|fairness [BUNDLES], managers [MANAGERS], memory [IDS], substitution [LINES], redact or framing [MEGABYTES], impact or poll [DEVICES], or collect [BUNDLES]";
    let most = match bench {
        "managers" => MANAGERS,
        "substitution" => LINES,
        "redact" | "framing" => MEGABYTES,
        "impact" => DEVICES,
        "collect" => COLLECTED,
        "poll" => POLLED,
        "memory" => REMEMBERED,
        _ => BUNDLES,
    };
    let Some(count) = count.map_or(Some(most), |text| text.parse().ok()) else { anyhow::bail!(usage) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match bench {
        "end-to-end" => runtime.block_on(end_to_end::run(count)),
        "policies" => runtime.block_on(policies::run(count)),
        "managers" => runtime.block_on(managers::run(count)),
        "substitution" => runtime.block_on(substitution::run(count)),
        "memory" => memory::run(count),
        "redact" => redact::run(count),
        "framing" => framing::run(count),
        "impact" => impact::run(count),
        // As many threads as the engine has.
        "collect" => threads()?.block_on(collect::run(count)),
        "fairness" => threads()?.block_on(fairness::run(count)),
        "poll" => threads()?.block_on(poll::run(count)),
        _ => anyhow::bail!(usage),
    }
}

fn threads() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

fn remember(count: Option<String>, folder: Option<String>) -> anyhow::Result<()> {
    let (Some(count), Some(folder)) = (count.and_then(|text| text.parse().ok()), folder) else {
        anyhow::bail!("usage: linesman-bench remembered IDS FOLDER");
    };
    memory::fill(count, folder.as_ref())
}

fn stand_in(count: Option<String>, folder: Option<String>) -> anyhow::Result<()> {
    let (Some(count), Some(folder)) = (count.and_then(|text| text.parse().ok()), folder) else {
        anyhow::bail!("usage: linesman-bench standins DEVICES FOLDER");
    };
    threads()?.block_on(linesman_benches::herd::stand_in(folder.as_ref(), count))
}
