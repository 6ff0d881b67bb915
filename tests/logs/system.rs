//! The log `system`: every kind of input, and everything that decisions do with them.

use std::path::Path;

use linesman_schemas::bundle::corpus::specimens;
use linesman_schemas::control::{RuleBook, Settings};
use linesman_tests::event;
use serde_json::{Value, json};

use crate::scribe::Scribe;
use crate::{commands, policies, reports};

const DAY: i64 = 86_400;
/// The organizations; one for each filter level.
pub(crate) const LEVELS: [(&str, &str); 5] = [
    ("acme", "Send all information"),
    ("bolt", "Send all information except configuration"),
    ("cobalt", "Send all information with IP addresses overwritten"),
    ("dory", "Do not send"),
    ("erbium", "Only send list of features used"),
];

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let mut scribe = Scribe::begin(dir)?;
    let first = rule_book(Settings::default())?;
    for (org, level) in LEVELS {
        organization(&mut scribe, org, level)?;
    }
    scribe.rules(&first)?;
    bundles(&mut scribe)?;
    intelligence(&mut scribe)?;
    what_cannot_be_read(&mut scribe)?;
    failing_policies(&mut scribe)?;
    commands::incidents(&mut scribe)?;
    commands::cases(&mut scribe)?;
    commands::refused(&mut scribe)?;
    reports::outcomes(&mut scribe)?;
    reports::failures(&mut scribe)?;
    reports::standings(&mut scribe)?;
    reports::polls(&mut scribe)?;
    rule_books(&mut scribe, &first)?;
    commands::policies(&mut scribe)?;
    commands::organizations(&mut scribe)?;
    reports::all(&mut scribe)?;
    later(&mut scribe)?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

fn rule_book(settings: Settings) -> anyhow::Result<RuleBook> {
    let refused = vec![
        policies::refused("acme/night-shift.rhai", "01")?,
        policies::refused("nobody/own.rhai", "02")?,
        policies::refused("paging.rhai", "03")?,
    ];
    Ok(RuleBook { settings, policies: policies::all()?, refused })
}

/// What the configuration says of an organization.
pub(crate) fn organization(scribe: &mut Scribe, org: &str, level: &str) -> anyhow::Result<()> {
    scribe.command(org, &set_organization(org, level))
}

/// That an organization is as the logs have it.
pub(crate) fn set_organization(org: &str, level: &str) -> Value {
    let groups = json!([{"name": "edge", "devices": ["edge-*", "*-rtr"]}, {"name": "core", "devices": ["core-01"]}]);
    let settings = json!({"display_name": format!("{org} Ltd"), "is_proxy": org != "dory", "filter_level": level,
        "device_groups": groups, "loaded": format!("hash of {org}")});
    json!({"set_organization": settings})
}

/// An incident of an organization; its id.
pub(crate) fn incident(scribe: &mut Scribe, org: &str, kind: &str, priority: &str) -> anyhow::Result<String> {
    let number = scribe.now.as_nanosecond().unsigned_abs() % 1_000_000_007;
    let number = u64::try_from(number)?;
    scribe.send(org, "jmb", event(&format!("edge-{:02}", number % 7), number, kind, priority))?;
    let detected = scribe.said.iter().find(|(subject, _)| subject.ends_with(".trigger.incident.detected"));
    let id = detected.and_then(|(_, event)| event.data.pointer("/id")).and_then(serde_json::Value::as_str);
    id.map(str::to_owned).ok_or_else(|| anyhow::anyhow!("no incident of {org} was detected"))
}

/// All kinds of bundles, broken ones too, of every organization; some of them again, and other orders.
fn bundles(scribe: &mut Scribe) -> anyhow::Result<()> {
    for (org, _) in LEVELS {
        for specimen in specimens() {
            scribe.wait(61)?;
            scribe.send(org, "jmb", specimen.bytes)?;
        }
    }
    for specimen in specimens().into_iter().rev().step_by(3) {
        scribe.send("acme", "jmb", specimen.bytes)?;
    }
    Ok(())
}

fn intelligence(scribe: &mut Scribe) -> anyhow::Result<()> {
    for (org, _) in LEVELS {
        for (number, kind) in ["alert", "informational", "bug-notice", "end-of-life"].into_iter().enumerate() {
            let mut message = json!({"id": format!("I-{number}"), "kind": kind, "title": format!("about {kind}"),
                "issued": "2026-11-20T08:00:00Z", "text": "read \u{201e}more\u{201c}",
                "relevance": {"products": ["MX240"], "os_versions": ["21.4R3-S5"]},
                "links": ["https://example.net/kb"]});
            scribe.send(org, "intel", message.to_string())?;
            scribe.send(org, "intel", message.to_string())?;
            if let Some(title) = message.get_mut("title") {
                *title = json!("throw");
            }
            scribe.send(org, "intel", message.to_string())?;
        }
    }
    Ok(())
}

/// What is set aside as it comes.
pub(crate) fn what_cannot_be_read(scribe: &mut Scribe) -> anyhow::Result<()> {
    let large = "no bundle ".repeat(7_000);
    for (org, kind) in [("acme", "jmb"), ("acme", "intel"), ("acme", "cmd"), ("acme", "result"), ("nobody", "cmd")] {
        for payload in [&b""[..], b"{}", b"\xff\xfe\x00", b"[1, 2", br#"{"id": "", "kind": "alert"}"#] {
            scribe.send(org, kind, payload)?;
        }
    }
    scribe.send("acme", "jmb", large)?;
    let untitled = json!({"id": "I", "kind": "alert", "title": "", "issued": "2026-11-20T08:00:00Z"});
    scribe.send("acme", "intel", untitled.to_string())?;
    scribe.send("acme", "telemetry", "{}")?;
    for (org, kind) in [("nobody", "jmb"), ("nobody", "intel"), ("nobody", "result"), ("-bad", "jmb"), ("-bad", "cmd")]
    {
        scribe.send(org, kind, event("stray-01", 1, "STRAY", "Low"))?;
    }
    let suspend = json!({"id": "c", "actor": "ann", "node": "n1", "verb": "suspend_organization"}).to_string();
    scribe.send("-bad", "cmd", suspend.clone())?;
    scribe.send("nobody", "cmd", suspend)?;
    for lane in 0..crate::scribe::LANES {
        scribe.control(lane, "{\"tock\"")?;
        scribe.control(lane, b"\xff".to_vec())?;
    }
    let stale = json!({"attempt": {"reaction": "_provider-r1-1", "attempt": 1, "requests": 0,
        "outcome": {"done": {"polled": {"cursor": null}}}}});
    scribe.control(1, stale.to_string())
}

/// Policies that fail in each way, and those that change incidents.
pub(crate) fn failing_policies(scribe: &mut Scribe) -> anyhow::Result<()> {
    for kind in ["THROW", "ENDLESS", "GROWS", "FLOOD", "ASSIGN_1", "CHASSISD_FAN_FAILURE"] {
        for org in ["acme", "dory"] {
            incident(scribe, org, kind, "Medium")?;
        }
        incident(scribe, "acme", kind, "Low")?;
    }
    Ok(())
}

/// Another rule book, the same version again, and files refused for another text.
fn rule_books(scribe: &mut Scribe, first: &RuleBook) -> anyhow::Result<()> {
    scribe.rules_again(first)?;
    let settings = Settings { circuit_failures: 2, retry_base_s: 10, case_poll_s: 600, ..Settings::default() };
    let refused = vec![policies::refused("acme/night-shift.rhai", "04")?, policies::refused("paging.rhai", "03")?];
    scribe.rules(&RuleBook { settings: settings.clone(), policies: policies::mended()?, refused })?;
    scribe.rules(&RuleBook { settings, policies: policies::mended()?, refused: Vec::new() })
}

/// Time passes: outcomes of commands and host-event-IDs are forgotten.
fn later(scribe: &mut Scribe) -> anyhow::Result<()> {
    scribe.wait(DAY + 3_600)?;
    scribe.tick()?;
    let annotate = json!({"annotate_incident": {"incident": "acme-1", "note": "once a day"}});
    scribe.command_as("repeated", "acme", &annotate)?;
    for _ in 0..4 {
        scribe.wait(20 * DAY)?;
        scribe.tick()?;
        for specimen in specimens().into_iter().take(4) {
            scribe.send("acme", "jmb", specimen.bytes)?;
        }
    }
    scribe.wait(11 * DAY)?;
    // Past 90 days they are problems of their own.
    for org in ["acme", "cobalt"] {
        for specimen in specimens().into_iter().take(12) {
            scribe.send(org, "jmb", specimen.bytes)?;
        }
    }
    reports::all(scribe)?;
    scribe.tick()
}
