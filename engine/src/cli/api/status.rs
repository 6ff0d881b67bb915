//! `linesman status`

use std::process::ExitCode;

use serde_json::Value;

use super::show::{self, Column, column};
use super::{Access, ask};
use crate::cli::Failure;

const LANES: [Column; 6] = [
    column("LANE", "/lane"),
    column("STATE", "/state"),
    column("POSITION", "/position"),
    column("END", "/end"),
    column("LAG", "/lag_sequences"),
    column("BEHIND S", "/lag_seconds"),
];
const DESTINATIONS: [Column; 5] = [
    column("DESTINATION", "/destination"),
    column("PENDING", "/pending"),
    column("CIRCUIT", "/circuit"),
    column("FAILURES", "/failures"),
    column("UNTIL", "/open_until"),
];

/// How the engine is: lanes, lag, pending reactions, circuits
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman status --data-dir D
  linesman status --json --data-dir D")]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    access: Access,
}

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| {
        let status = api.get("/api/v1/status", &()).await?;
        if api.is_json {
            anstream::println!("{status}");
            return Ok(());
        }
        let width = show::width();
        let rows = |name: &str| status.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        anstream::println!("{}", if status.get("ready") == Some(&Value::Bool(true)) { "ready" } else { "not ready" });
        anstream::print!("\n{}", show::table(&rows("lanes"), &LANES, width));
        let destinations = rows("destinations");
        if !destinations.is_empty() {
            anstream::print!("\n{}", show::table(&destinations, &DESTINATIONS, width));
        }
        Ok(())
    })
}
