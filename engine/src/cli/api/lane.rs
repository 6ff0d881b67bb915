//! `linesman lane`

use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use super::show::{self, Column, column};
use super::{Args, ask};
use crate::cli::Failure;

const PATH: &str = "/api/v1/lanes";
pub(in crate::cli) const COLUMNS: [Column; 5] = [
    column("LANE", "/lane"),
    column("RUNNING", "/running"),
    column("POSITION", "/position"),
    column("STOPPED AT", "/stopped/position"),
    column("WHY", "/stopped/why"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman lane show --data-dir D
  linesman lane show 3 --data-dir D
  linesman lane skip 3 4711 --why \"no release reads it\" --data-dir D
  linesman lane rejudge 3 4711 --why \"compared by hand\" --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// Show how the lanes are; where one stands still, at which input, why, and the ways out
    Show {
        /// Which lane; without one, all of them
        lane: Option<u32>,
    },
    /// Set an input aside that its lane cannot pass
    ///
    /// It becomes a dead letter, and the lane goes on behind it.
    Skip {
        /// Which lane
        lane: u32,
        /// The input's sequence in IN
        position: u64,
        /// Why, for the audit
        #[arg(long, value_name = "TEXT")]
        why: String,
        /// Also where reports of what was carried out stand behind it: what they are of is sent once more
        #[arg(long)]
        force: bool,
    },
    /// Accept what a lane decides otherwise than was committed
    ///
    /// It counts from there on.
    Rejudge {
        /// Which lane
        lane: u32,
        /// Up to which sequence in IN it was committed
        position: u64,
        /// Why, for the audit
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| {
        match &args.action {
            Action::Show { lane } => {
                let lanes = api.answer(api.request(Method::GET, PATH)).await?;
                let all = lanes.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
                let number = |one: &Value| one.get("lane").and_then(Value::as_u64);
                let shown: Vec<_> =
                    all.into_iter().filter(|one| lane.is_none_or(|lane| number(one) == Some(lane.into()))).collect();
                if let (Some(lane), true) = (lane, shown.is_empty()) {
                    anyhow::bail!("there is no lane {lane}");
                }
                if api.is_json {
                    outln!("{}", json!({"items": shown}));
                } else {
                    out!("{}", show::table(&shown, &COLUMNS, api.room()));
                    shown.iter().for_each(ways_out);
                }
            }
            Action::Skip { lane, position, why, force } => {
                let body = json!({"position": position, "why": why, "force": force});
                let lanes = api.answer(api.request(Method::POST, &format!("{PATH}/{lane}/skip")).json(&body)).await?;
                let told = format!("the input {position} is set aside; the lane {lane} is taken up again");
                outln!("{}", if api.is_json { lanes.to_string() } else { told });
            }
            Action::Rejudge { lane, position, why } => {
                let body = json!({"position": position, "why": why});
                let lanes =
                    api.answer(api.request(Method::POST, &format!("{PATH}/{lane}/rejudge")).json(&body)).await?;
                let told = format!("what the lane {lane} decides up to {position} is accepted; it is taken up again");
                outln!("{}", if api.is_json { lanes.to_string() } else { told });
            }
        }
        Ok(())
    })
}

/// What is known of where a lane stands still, and the ways out of it.
fn ways_out(lane: &Value) {
    let Some(stopped) = lane.get("stopped").filter(|stopped| !stopped.is_null()) else { return };
    let text = |of: &Value, name: &str| of.get(name).map(show::plain).unwrap_or_default();
    let (number, position) = (text(lane, "lane"), text(stopped, "position"));
    outln!("\nlane {number} stands still since {}: {}", text(stopped, "since"), text(stopped, "why"));
    // It is its state that is damaged, and no input.
    if position == "0" {
        return;
    }
    outln!("  input    {position}, {}, {} bytes", text(stopped, "subject"), text(stopped, "length"));
    outln!("  SHA-256  {}", text(stopped, "sha256"));
    if let Some(timer) = stopped.get("timer").filter(|timer| !timer.is_null()) {
        outln!("  fell due {}; it is this that is skipped", show::plain(timer));
    }
    if let Some(job) = stopped.get("job").filter(|job| !job.is_null()) {
        let is_dropped = lane.get("level").and_then(Value::as_u64).is_some_and(|level| level >= 15);
        let what = if is_dropped {
            "it is what is left of it that is skipped"
        } else {
            "it goes on behind its slice, until the log is at engine level 15"
        };
        outln!("  of the job {}; {what}", show::plain(job));
    }
    let diverged = stopped.get("diverged").filter(|diverged| !diverged.is_null());
    if let Some(diverged) = diverged {
        outln!("  expected {}", text(diverged, "expected"));
        outln!("  found    {}", text(diverged, "found"));
        let events = diverged.get("events").and_then(Value::as_array).cloned().unwrap_or_default();
        for event in &events {
            outln!("  differs  {} {} ({})", text(event, "subject"), text(event, "id"), text(event, "how"));
        }
        let rows = |name: &str| diverged.pointer(&format!("/rows/{name}"));
        let told = rows("rows").and_then(Value::as_array).cloned();
        match &told {
            _ if !events.is_empty() => {}
            Some(rows) if rows.is_empty() => {
                outln!(
                    "  differs  no event that OUT still has, and no row of the state that stood there: the mark was changed, or all before it"
                );
            }
            _ => outln!("  differs  no event that OUT still has: rows do, or the mark was changed"),
        }
        for row in told.unwrap_or_default() {
            outln!("  differs  row {} ({})", text(&row, "key"), text(&row, "how"));
        }
        if let Some(more) = rows("more").and_then(Value::as_u64).filter(|more| *more > 0) {
            outln!("  differs  {more} rows more");
        }
    }
    outln!("ways out:");
    outln!("  linesman lane skip {number} {position} --why TEXT");
    if let Some(diverged) = diverged {
        outln!("  linesman lane rejudge {number} {} --why TEXT", text(diverged, "position"));
    }
    outln!("  or a release that decides it, once it is started");
}
