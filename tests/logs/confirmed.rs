//! The log `confirmed`: raised level by level, and then what level 16 knows. Two clocks agree on another year, and on more than a week
//! of silence; somebody confirms it, and something else; an organization has more problems than may be remembered of it; dead letters
//! are replayed; old devices send what they have.

use std::path::Path;

use jiff::Timestamp;
use linesman_schemas::Principal;
use linesman_schemas::control::{ClockConfirmed, ClockReading, Control};
use serde_json::json;

use crate::cascade::{raised, settings};
use crate::listeners::admin;
use crate::scribe::{LANES, Scribe};

/// The level that all this is from.
const LEVEL: u32 = 16;
/// Whose devices these are.
const ORG: &str = "cobalt";
const DAY_S: i64 = 24 * 3_600;

const HEARS: (&str, &str) = (
    "hears",
    "policy(#{ on: [\"quota.nearing\", \"quota.exhausted\"], where: #{ kind: \"remembered-ids\" } });\n\
    fn react(quota, org) { publish(\"full\", #{ used: quota.used, most: quota.most }); }",
);

const FAILS: (&str, &str) = (
    "fails",
    "policy(#{ on: \"incident.detected\", where: #{ event_type: \"F\" } });\n\
    fn react(incident, org) { throw \"no\"; }",
);

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let (mut scribe, _) = raised(dir, LEVEL, &[HEARS, FAILS])?;
    bundle(&mut scribe, 1)?;
    // A week but an hour is believed, and a year is not.
    for silence in [7 * DAY_S - 3_600, 365 * DAY_S] {
        scribe.wait(silence)?;
        says(&mut scribe);
        bundle(&mut scribe, 1)?;
        bundle(&mut scribe, 2)?;
    }
    let now = scribe.now;
    confirm(&mut scribe, now.checked_sub(jiff::SignedDuration::from_hours(2))?)?;
    bundle(&mut scribe, 3)?;
    let now = scribe.now;
    confirm(&mut scribe, now)?;
    bundle(&mut scribe, 3)?;
    scribe.ask(&admin(), ORG, &settings(ORG, &json!({"quotas": {"remembered_ids": 5}})))?;
    for number in 3..=10 {
        bundle(&mut scribe, number)?;
    }
    // The day ends, and it is full still, until all of them are forgotten.
    for days in [1, 91] {
        scribe.wait(days * DAY_S)?;
        says(&mut scribe);
        let now = scribe.now;
        confirm(&mut scribe, now)?;
        bundle(&mut scribe, 11)?;
        bundle(&mut scribe, 12)?;
    }
    replayed(&mut scribe)?;
    encoded(&mut scribe)?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

/// Dead letters of a policy and of an input are replayed, once and again, and those of what is not there.
fn replayed(scribe: &mut Scribe) -> anyhow::Result<()> {
    scribe.ask(&admin(), ORG, &settings(ORG, &json!({"quotas": {}})))?;
    scribe.send(ORG, "jmb", problem("f-1", "F"))?;
    scribe.send(ORG, "jmb", "<jmb version=\"1.0\"")?;
    let letter = |event: &str, reason: &str, now: Timestamp| json!({"event": event, "time": now, "reason": reason});
    for (event, about) in [("f-a", format!("{ORG}-1")), ("f-a", format!("{ORG}-1")), ("f-b", format!("{ORG}-999"))] {
        let run = json!({"policy": "fails", "trigger": "incident.detected", "event": "e", "about": about,
            "letter": letter(event, "policy-failed", scribe.now)});
        scribe.command(ORG, &json!({"run_policy": run}))?;
    }
    let replay = json!({"event": "i-a", "sequence": 1, "letter": letter("i-a", "bundle-undecodable", scribe.now)});
    (0..2).try_for_each(|_| scribe.command(ORG, &json!({"replay_input": replay})))
}

/// What old devices send: labels, times, and logs that are damaged.
fn encoded(scribe: &mut Scribe) -> anyhow::Result<()> {
    let mut number = 0;
    let mut send = |label: &str, time: &str, synopsis: &[u8], log: &[u8]| {
        number += 1;
        let whole = problem(&format!("e-{number}"), "T")
            .replace("2026-11-21T10:15:02Z", time)
            .replace("<problem-synopsis>s<", "<problem-synopsis>SYNOPSIS<")
            .replace("</jmb>", "<logs><log name=\"messages\">LOG</log></logs></jmb>");
        let (front, rest) = whole.split_once("SYNOPSIS").unwrap_or_default();
        let (middle, end) = rest.split_once("LOG").unwrap_or_default();
        let declared = format!("<?xml version=\"1.0\" encoding=\"{label}\"?>{front}");
        scribe.send(ORG, "jmb", [declared.as_bytes(), synopsis, middle.as_bytes(), log, end.as_bytes()].concat())
    };
    let now = "2026-11-21T10:15:02Z";
    for (label, synopsis) in [
        ("us-ascii", &b"FPC 2 offline"[..]),
        ("us-ascii", b"gr\xF6\xDFer"),
        ("iso-8859-1", b"gr\xF6\xDFer"),
        ("Windows-1252", b"\x80 5"),
        ("Windows-1252", b"\x81"),
        ("utf8", "gr\u{f6}\u{df}er".as_bytes()),
        ("UTF-16", b"s"),
    ] {
        send(label, now, synopsis, b"lines")?;
    }
    for log in [&b"\xFF"[..], b"a\x07", b"&#7;"] {
        send("UTF-8", now, b"s", log)?;
    }
    for time in ["1970-01-01T00:00:30+01:00", "1601-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
        send("UTF-8", time, b"s", b"lines")?;
    }
    Ok(())
}

/// What the engine's clocks say from here on: the time of day is the server's, and the steady one has seen nothing pass.
fn says(scribe: &mut Scribe) {
    scribe.clocks = Some(ClockReading { at: scribe.now, lane: Timestamp::UNIX_EPOCH });
}

/// Somebody confirms a time, in all lanes.
fn confirm(scribe: &mut Scribe, time: Timestamp) -> anyhow::Result<()> {
    let confirmed = ClockConfirmed { time, by: Principal::admin(), node: "n1".to_owned() };
    let payload = serde_json::to_vec(&Control::ClockConfirmed(confirmed))?;
    (0..LANES).try_for_each(|lane| scribe.control(lane, payload.clone()))
}

/// A problem.
fn bundle(scribe: &mut Scribe, number: u64) -> anyhow::Result<()> {
    scribe.send(ORG, "jmb", problem(&format!("r-{number}"), "T"))
}

fn problem(id: &str, event_type: &str) -> String {
    format!(
        "<jmb version=\"1.0\" type=\"event\"><manifest><host-event-ID>{id}</host-event-ID>\
         <time-occurred>2026-11-21T10:15:02Z</time-occurred><event-type>{event_type}</event-type>\
         <problem-synopsis>s</problem-synopsis><priority>Low</priority><device><host-name>c</host-name>\
         <serial-number>SNC</serial-number><product>MX240</product><os-version>21.4R3</os-version></device>\
         </manifest></jmb>"
    )
}
