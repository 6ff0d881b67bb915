//! `linesman status`

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::{Map, Value};

use super::attention;
use super::show::{self, Column, column};
use super::{Access, ask};
use crate::cli::Failure;

pub(in crate::cli) const LANES: [Column; 7] = [
    column("LANE", "/lane"),
    column("STATE", "/state"),
    column("POSITION", "/position"),
    column("END", "/end"),
    column("LAG", "/lag"),
    column("SECONDS", "/lag_s"),
    column("RULES", "/rule_book/version"),
];
/// Work over many rows that is under way.
pub(in crate::cli) const JOBS: [Column; 5] = [
    column("LANE", "/lane"),
    column("WORK", "/work"),
    column("ORGANIZATION", "/organization").name(),
    column("ROWS", "/rows"),
    column("STARTED", "/started"),
];
/// What brings inputs by itself.
pub(in crate::cli) const SOURCES: [Column; 4] = [
    column("SOURCE", "/source"),
    column("STATE", "/state"),
    column("REPORTED", "/reported"),
    column("CURSOR", "/cursor"),
];
pub(in crate::cli) const DESTINATIONS: [Column; 5] = [
    column("DESTINATION", "/destination"),
    column("PENDING", "/reactions"),
    column("CIRCUIT", "/circuit"),
    column("FAILURES", "/failures"),
    column("UNTIL", "/open_until"),
];

/// The listener for end customers' controllers.
pub(in crate::cli) const PARTNER: [Column; 4] = [
    column("PARTNER LISTENER", "/listen"),
    column("END CUSTOMERS", "/end_customers"),
    column("HEARD", "/heard"),
    column("CERTIFICATE ENDS", "/certificate_ends"),
];

/// The upstream.
pub(in crate::cli) const UPSTREAM: [Column; 2] =
    [column("UPSTREAM", "/connector"), column("CERTIFICATE ENDS", "/certificate_ends")];

/// What is known of the streams' being whole.
pub(in crate::cli) const STREAMS: [Column; 4] = [
    column("STREAMS READ", "/ended"),
    column("MESSAGES", "/messages"),
    column("BYTES", "/bytes"),
    column("FAULTS", "/faults"),
];

/// How the engine is: lanes, lag, pending reactions, circuits, and what waits for somebody
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman status --data-dir D
  linesman status --json --data-dir D

Destinations: `jss` is the support system, `partner` the partner above in its place, each with its
uploads beside it; `device` what devices are told, `log` the operator's log.

The exit code is 0 where all is well, 1 where the engine does not work or cannot be asked, and 3 where it works and something waits
for somebody: a destination or a source that fails, files that are refused, policies that have failed within 24 hours, cases that
the filter level holds back, dead letters that nobody has replayed, reactions that were given up, streams that are damaged.")]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    access: Access,
}

/// The exit code where the engine works, and something waits for somebody.
const ATTENTION: u8 = 3;

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut code = ExitCode::SUCCESS;
    ask(&args.access, async |api| {
        let status = api.get("/api/v1/status", &()).await?;
        code = code_of(&status);
        if api.is_json {
            outln!("{status}");
            return Ok(());
        }
        let room = api.room();
        let rows = |name: &str| status.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let lanes: Vec<Value> = rows("lanes").into_iter().map(with_state).collect();
        let destinations = destinations(rows("pending"), rows("circuits"), &rows("destinations"));
        outln!("{}", if status.get("ready") == Some(&Value::Bool(true)) { "ready" } else { "not ready" });
        for fault in rows("faults") {
            let told = |name: &str| fault.get(name).map(show::plain).filter(|told| !told.is_empty());
            let detail = told("detail").map(|detail| format!(" ({detail})")).unwrap_or_default();
            outln!("{}{detail}", told("what").unwrap_or_default());
        }
        for lane in &lanes {
            if let Some(why) = lane.get("stopped").filter(|why| why.is_string()) {
                let number = lane.get("lane").map(show::plain).unwrap_or_default();
                outln!("{} (`linesman lane show {number}`)", show::plain(why));
            }
        }
        let streams = status.get("verification");
        if let Some(faults) =
            streams.and_then(|found| found.get("faults")).and_then(Value::as_u64).filter(|faults| *faults > 0)
        {
            outln!("the log is damaged on disk, {faults} faults (`linesman verify`)");
        }
        for line in attention::lines(&status) {
            outln!("{line}");
        }
        for line in failing(&rows("destinations"), &rows("sources")) {
            outln!("{line}");
        }
        for notice in rows("notices") {
            outln!("{}", show::plain(&notice));
        }
        out!("\n{}", show::table(&lanes, &LANES, room));
        if !destinations.is_empty() {
            out!("\n{}", show::table(&destinations, &DESTINATIONS, room));
        }
        let jobs = rows("jobs");
        if !jobs.is_empty() {
            out!("\n{}", show::table(&jobs, &JOBS, room));
        }
        let sources: Vec<Value> = rows("sources").into_iter().map(with_source_state).collect();
        if !sources.is_empty() {
            out!("\n{}", show::table(&sources, &SOURCES, room));
        }
        if let Some(row) = streams.filter(|row| row.get("ended").is_some_and(Value::is_string)) {
            out!("\n{}", show::table(std::slice::from_ref(row), &STREAMS, room));
        }
        for (name, columns) in [("upstream", &UPSTREAM[..]), ("partner", &PARTNER[..])] {
            if let Some(row) = status.get(name).filter(|row| row.is_object()) {
                out!("\n{}", show::table(std::slice::from_ref(row), columns, room));
            }
        }
        Ok(())
    })?;
    Ok(code)
}

/// 0 where all is well, 1 where it does not work, and another where it does and something waits for somebody.
fn code_of(status: &Value) -> ExitCode {
    let rows = |name: &str| status.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    if status.get("ready") != Some(&Value::Bool(true)) {
        return ExitCode::FAILURE;
    }
    let is_damaged = status.pointer("/verification/faults").and_then(Value::as_u64).is_some_and(|faults| faults > 0);
    let waits = is_damaged
        || !attention::lines(status).is_empty()
        || !failing(&rows("destinations"), &rows("sources")).is_empty();
    if waits { ExitCode::from(ATTENTION) } else { ExitCode::SUCCESS }
}

/// A line for each destination and source that fails.
fn failing(destinations: &[Value], sources: &[Value]) -> Vec<String> {
    let named = |name: &'static str| move |row: &Value| (row.get(name).map(show::plain), row.get("failing").cloned());
    let destinations = destinations.iter().map(named("destination"));
    let all = destinations.chain(sources.iter().map(named("source")).map(|(name, failing)| {
        // A connector may be called as its source is.
        (name.map(|name| format!("the source {name}")), failing)
    }));
    let lines = all.filter_map(|(name, failing)| {
        let failing = failing.filter(Value::is_object)?;
        let said = |name: &str| failing.get(name).map(show::plain).unwrap_or_default();
        let (class, since, tries, error) = (said("class"), said("since"), said("tries"), said("error"));
        let tries = if tries == "1" { "1 try".to_owned() } else { format!("{tries} tries") };
        Some(format!("{} fails since {since}, {tries}, {class}: {error}", name?))
    });
    lines.collect()
}

/// A lane with its state in a word.
fn with_state(mut lane: Value) -> Value {
    let is = |name: &str| lane.get(name).is_some_and(|value| *value == Value::Bool(true) || value.is_string());
    let state = match (is("running"), is("sealed")) {
        (false, _) if is("stopped") => "stopped",
        (false, _) => "waiting",
        (true, true) => "sealed",
        (true, false) => "running",
    };
    if let Value::Object(members) = &mut lane {
        members.insert("state".to_owned(), state.into());
    }
    lane
}

/// A source with its state in a word.
fn with_source_state(mut source: Value) -> Value {
    let is = |name: &str| source.get(name) == Some(&Value::Bool(true));
    let state = match (is("served"), is("resting")) {
        (false, _) => "no source",
        (true, true) => "resting",
        (true, false) => "running",
    };
    if let Value::Object(members) = &mut source {
        members.insert("state".to_owned(), state.into());
    }
    source
}

/// What waits for whom, and who is left alone: a row for each destination.
fn destinations(pending: Vec<Value>, circuits: Vec<Value>, all: &[Value]) -> Vec<Value> {
    let mut rows: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for (is_circuit, item) in
        pending.into_iter().map(|item| (false, item)).chain(circuits.into_iter().map(|item| (true, item)))
    {
        let Value::Object(members) = item else { continue };
        let name = members.get("destination").map(show::plain).unwrap_or_default();
        let row = rows.entry(name).or_default();
        row.extend(members);
        if is_circuit {
            row.insert("circuit".to_owned(), "open".into());
        }
    }
    // What waits for a connector that there is not waits for an operator.
    for unserved in all.iter().filter(|row| row.get("served") == Some(&Value::Bool(false))) {
        let name = unserved.get("destination").map(show::plain).unwrap_or_default();
        if let Some(row) = rows.get_mut(&name) {
            row.insert("circuit".to_owned(), "no connector".into());
        }
    }
    rows.into_values().map(Value::Object).collect()
}
