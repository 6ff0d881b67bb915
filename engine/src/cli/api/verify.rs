//! `linesman verify`

use std::process::ExitCode;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::show;
use super::{Access, Api, ask};
use crate::cli::Failure;

const PATH: &str = "/api/v1/verification";
/// How often it is looked how far it is, and told.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Read log and state of a running engine through, and say what of them is damaged on disk
///
/// The stream IN is held against hashes of what the lanes have decided on, OUT against the numbers of its events, each row of the
/// state against its check. Nothing is changed, but that a lane whose state is damaged decides it anew. Ends with 1 where something is damaged; `docs/operations.md` says what that means.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman verify --data-dir D
  linesman verify --lane 3 --data-dir D
  linesman verify --json --data-dir D")]
pub(in crate::cli) struct Args {
    /// Which lane alone is held against its log; without one, all of them
    #[arg(long, value_name = "N")]
    lane: Option<u32>,
    #[command(flatten)]
    access: Access,
}

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut is_whole = true;
    ask(&args.access, async |api| {
        let round = read(api, args.lane).await?;
        if let Some(why) = round.get("broken_off").filter(|why| why.is_string()) {
            anyhow::bail!("the streams were not read to their end: {}", show::plain(why));
        }
        is_whole = number(&round, "/faults_in_all") == 0;
        if api.is_json {
            outln!("{round}");
        } else {
            print(&round);
        }
        Ok(())
    })?;
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Has the streams read, and waits for it; the round, ended.
async fn read(api: &Api, lane: Option<u32>) -> anyhow::Result<Value> {
    let begun = api.answer(api.request(Method::POST, PATH).json(&json!({"lane": lane}))).await?;
    let wanted = number(&begun, "/asked/round");
    let mut told = Instant::now();
    loop {
        let overview = api.followed(PATH, &(), None).await?;
        let round = overview.get("asked").cloned().unwrap_or_default();
        if number(&round, "/round") != wanted {
            anyhow::bail!("the engine has begun anew, or somebody has asked for another round: ask once more");
        }
        if round.get("ended").is_some_and(Value::is_string) {
            return Ok(round);
        }
        if told.elapsed() > TELL_EVERY {
            told = Instant::now();
            for (stream, name) in [("input", "IN"), ("output", "OUT")] {
                let at = |what: &str| number(&round, &format!("/{stream}/{what}"));
                if at("at") > 0 && at("at") < at("last") {
                    errln!("{name} is read up to {} of {}", at("at"), at("last"));
                }
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn number(of: &Value, pointer: &str) -> u64 {
    of.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

fn print(round: &Value) {
    let of = |pointer: &str| number(round, pointer);
    let rest =
        if round.get("lane").is_some_and(Value::is_null) { "have no hash" } else { "are other lanes' or have no hash" };
    outln!(
        "IN  {} messages, {} bytes: {} are what was decided on, {} {rest}",
        of("/input/messages"),
        of("/input/bytes"),
        of("/input/proved"),
        of("/input/unproved")
    );
    if of("/input/passed_over") > 0 {
        outln!(
            "    {} inputs have gone with the beginning of IN, or stand beside them: passed over",
            of("/input/passed_over")
        );
    }
    outln!(
        "OUT {} messages, {} bytes: {} have numbered events, {} have none",
        of("/output/messages"),
        of("/output/bytes"),
        of("/output/proved"),
        of("/output/unproved")
    );
    outln!("state {} rows, {} bytes: each is what was written", of("/state/rows"), of("/state/bytes"));
    let faults = round.get("faults").and_then(Value::as_array).cloned().unwrap_or_default();
    for fault in &faults {
        let text = |name: &str| fault.get(name).map(show::plain).unwrap_or_default();
        outln!("\n{}\n  {}", text("what"), text("meaning"));
    }
    let more = of("/faults_in_all").saturating_sub(faults.len() as u64);
    match (of("/faults_in_all"), more) {
        (0, _) => outln!("nothing is damaged"),
        (all, 0) => outln!("\n{all} faults"),
        (all, more) => outln!("\n{all} faults, {more} of them are not shown"),
    }
}
