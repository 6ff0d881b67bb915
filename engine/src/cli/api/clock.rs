//! `linesman clock`

use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use super::show::{self, Column, column};
use super::{Args, ask};
use crate::cli::Failure;

const PATH: &str = "/api/v1/clock";
pub(in crate::cli) const COLUMNS: [Column; 5] = [
    column("LANE", "/lane"),
    column("TIME", "/time"),
    column("SERVER AHEAD S", "/ahead_s"),
    column("SINCE", "/since"),
    column("WAITS", "/waits"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman clock show --data-dir D
  linesman clock show --lane 3 --data-dir D
  linesman clock confirm --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// Show what time it is in each lane's log, by the NATS server and by the engine, and what waits to be confirmed
    Show {
        /// Which lane; without one, all of them
        #[arg(long, value_name = "N")]
        lane: Option<u32>,
    },
    /// Confirm that the NATS server's clock is right, where the log's is behind it
    ///
    /// Lanes that wait for it go by that clock from there on. It cannot be taken back. Where the engine's own clock says
    /// something else it is refused, unless it is forced.
    Confirm {
        /// In which lane; without one, in all that wait for it
        #[arg(long, value_name = "N")]
        lane: Option<u32>,
        /// Also where the engine's own clock says something else, and in lanes that do not wait for it
        #[arg(long)]
        force: bool,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| {
        let mut clocks = api.answer(api.request(Method::GET, PATH)).await?;
        match &args.action {
            Action::Show { lane } => {
                if let Some(lanes) = clocks.get_mut("lanes").and_then(Value::as_array_mut) {
                    lanes.retain(|one| lane.is_none_or(|lane| one.get("lane") == Some(&json!(lane))));
                    anyhow::ensure!(lane.is_none() || !lanes.is_empty(), "there is no lane {}", lane.unwrap_or(0));
                }
                if api.is_json {
                    outln!("{clocks}");
                } else {
                    print(&clocks, api.room());
                }
            }
            Action::Confirm { lane, force } => {
                let server = clocks.get("server").filter(|server| server.is_string());
                let Some(server) = server else { anyhow::bail!("the NATS server does not say what time it is") };
                let body = json!({"time": server, "lane": lane, "force": force});
                let confirmed = api.answer(api.request(Method::POST, &format!("{PATH}/confirm")).json(&body)).await?;
                let lanes = confirmed.get("lanes").and_then(Value::as_array).cloned().unwrap_or_default();
                let lanes: Vec<_> = lanes.iter().map(show::plain).collect();
                if api.is_json {
                    outln!("{confirmed}");
                    return Ok(());
                }
                outln!("it is confirmed that it is {}; told: lane {}", show::plain(server), lanes.join(", "));
            }
        }
        Ok(())
    })
}

fn print(clocks: &Value, room: show::Room) {
    let text = |name: &str| clocks.get(name).filter(|text| !text.is_null()).map_or_else(|| "-".to_owned(), show::plain);
    outln!("the NATS server  {}", text("server"));
    outln!("this engine      {}\n", text("engine"));
    let lanes = clocks.get("lanes").and_then(Value::as_array).cloned().unwrap_or_default();
    out!("{}", show::table(&lanes, &COLUMNS, room));
    if lanes.iter().any(|lane| lane.get("waits") == Some(&Value::Bool(true))) {
        outln!("\nserver and engine say that it is more than a week later than in the log. If that is so:");
        outln!("  linesman clock confirm");
        outln!("and if it is not, set both clocks right.");
    }
}
