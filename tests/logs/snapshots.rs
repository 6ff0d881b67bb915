//! The log `snapshots`: raised level by level, and then what level 8 knows. Newest snapshots of devices go upward at an
//! interval; what nodes do of themselves is on record; work in slices goes on alone.

use std::path::Path;

use linesman_schemas::bundle::corpus::specimens;
use linesman_schemas::control::Control;
use serde_json::{Value, json};

use crate::cascade::{raised, settings};
use crate::listeners::admin;
use crate::scribe::{LANES, Scribe};

/// The level that snapshots go upward from.
const LEVEL: u32 = 8;
/// How often they do, in seconds.
const INTERVAL_S: i64 = 3_600;

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let (mut scribe, _) = raised(dir, LEVEL, &[])?;
    of_nodes(&mut scribe)?;
    for org in ["acme", "cobalt"] {
        upward(&mut scribe, org)?;
    }
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

/// What a node was asked and did by itself, of which the lanes keep the record.
fn of_nodes(scribe: &mut Scribe) -> anyhow::Result<()> {
    for verb in [
        json!({"set_credentials": {"user": "acme"}}),
        json!({"set_credentials": {"user": ""}}),
        json!({"test_organization": {}}),
        json!({"test_organization": {"failed": "the certificate"}}),
        json!({"unredact": {"sha256": "ab".repeat(32), "size": 4_711}}),
    ] {
        scribe.ask(&admin(), "acme", &verb)?;
    }
    let pin = format!("sha256:{}", "cd".repeat(32));
    for (old, new) in [("", pin.as_str()), (&pin, "")] {
        scribe.ask(
            &admin(),
            "",
            &json!({"pin_upstream": {"url": "https://127.0.0.1:8444", "old": old, "new": new}}),
        )?;
    }
    Ok(())
}

/// All lanes do their work while nobody else is there.
fn alone(scribe: &mut Scribe) -> anyhow::Result<()> {
    for lane in 0..LANES {
        for _ in 0..3 {
            scribe.control(lane, serde_json::to_vec(&Control::ContinueAlone)?)?;
        }
    }
    scribe.work()
}

/// What became of an upload that gets on, or is broken off here.
fn tried(scribe: &mut Scribe, org: &str, more: &Value) -> anyhow::Result<()> {
    let Some(pending) = scribe.pending.iter_mut().rev().find(|pending| pending.org == org) else { return Ok(()) };
    let failed = json!({"failed": {"class": "unavailable", "message": "it went away"}});
    let mut attempt = json!({"reaction": pending.id, "attempt": pending.attempt, "requests": 3, "outcome": failed});
    if let (Some(attempt), Some(more)) = (attempt.as_object_mut(), more.as_object()) {
        attempt.extend(more.clone());
    }
    pending.attempt += 1;
    scribe.send(org, "result", json!({"attempt": attempt}).to_string())
}

/// Devices send, and what is newest of each goes upward round by round.
fn upward(scribe: &mut Scribe, org: &str) -> anyhow::Result<()> {
    let often = json!({"upload": true, "snapshot_interval_s": INTERVAL_S});
    scribe.ask(&admin(), org, &settings(org, &often))?;
    alone(scribe)?;
    for specimen in specimens() {
        scribe.wait(61)?;
        scribe.send(org, "jmb", specimen.bytes)?;
    }
    for _ in 0..2 {
        scribe.wait(INTERVAL_S)?;
        scribe.tick()?;
        alone(scribe)?;
        tried(scribe, org, &json!({"there": 1_024}))?;
        tried(scribe, org, &json!({"is_withdrawn": true}))?;
        tried(scribe, org, &json!({}))?;
        if let Some(pending) = scribe.pending.iter().rev().find(|pending| pending.org == org).cloned() {
            let left = json!({"done": {"uploaded": {"sha256": "ef".repeat(32), "size": 4_711}}});
            scribe.report(&pending, &left)?;
        }
    }
    for level in ["Do not send", "Send all information with IP addresses overwritten"] {
        let changed = json!({"upload": true, "snapshot_interval_s": INTERVAL_S, "filter_level": level});
        scribe.ask(&admin(), org, &settings(org, &changed))?;
        alone(scribe)?;
        scribe.wait(INTERVAL_S)?;
        scribe.tick()?;
        alone(scribe)?;
    }
    Ok(())
}
