//! The log `uploads`: raised level by level, and then what level 7 knows. What goes upward with cases, from here and from end
//! customers; what runs out.

use std::path::Path;

use serde_json::{Value, json};

use crate::cascade::{below, of, raised, report, settings};
use crate::listeners::admin;
use crate::scribe::Scribe;
use crate::system::incident;

/// The level that bytes go upward from.
const LEVEL: u32 = 7;

/// What devices detect becomes a case; what runs out is told on.
const POLICIES: [(&str, &str); 2] = [
    (
        "open",
        "policy(#{ on: \"incident.detected\", where: #{ event_type: \"OPENS\" } });\n\
         fn react(incident, org) { submit_case(#{ comments: \"from 192.0.2.7\" }); }",
    ),
    ("runs-out", "policy(#{ on: \"licence.expiring\" });\nfn react(ends, org) { log(\"runs out\", #{}); }"),
];

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let (mut scribe, _) = raised(dir, LEVEL, &POLICIES)?;
    for org in ["acme", "bolt", "cobalt"] {
        detected(&mut scribe, org)?;
    }
    for org in ["acme", "cobalt"] {
        brought(&mut scribe, org)?;
    }
    runs_out(&mut scribe)?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

fn accepted(transaction_id: &str) -> Value {
    json!({"done": {"case_accepted": {"transaction_id": transaction_id, "case": null}}})
}

fn standing(incident: &str, status: &str, minute: u32) -> String {
    json!({"case_changed": {
        "incident": incident, "case_id": "C-1", "status": status, "link": "https://jss.example/C-1",
        "updated": format!("2026-11-21T10:{minute:02}:00Z"),
    }})
    .to_string()
}

/// Cases of what devices detect, at each filter level, with the bundle behind them as far as it leaves.
fn detected(scribe: &mut Scribe, org: &str) -> anyhow::Result<()> {
    for (number, level) in [
        "Send all information",
        "Send all information except configuration",
        "Send all information with IP addresses overwritten",
        "Only send list of features used",
    ]
    .into_iter()
    .enumerate()
    {
        scribe.ask(&admin(), org, &settings(org, &json!({"filter_level": level, "upload": true})))?;
        scribe.work()?;
        let id = incident(scribe, org, "OPENS", "High")?;
        let pending = scribe.pending_for(&id, "jss")?;
        scribe.report(&pending, &accepted(&format!("T-{number}")))?;
        scribe.send(org, "result", standing(&id, "created", 1))?;
        let upload = scribe.pending_for(&id, "jss")?;
        let busy = json!({"failed": {"class": "overloaded", "message": "later", "retry_after_s": 60}});
        scribe.report(&upload, &busy)?;
        let left = json!({"done": {"uploaded": {"sha256": "ab".repeat(32), "size": 4_711}}});
        let upload = scribe.pending_for(&id, "jss")?;
        scribe.report(&upload, &left)?;
        scribe.send(org, "result", standing(&id, "closed", 2))?;
    }
    // What may not leave stays: by the level, and where nothing of the kind goes.
    scribe.ask(&admin(), org, &settings(org, &json!({"upload": false})))?;
    let id = incident(scribe, org, "OPENS", "Low")?;
    let pending = scribe.pending_for(&id, "jss")?;
    scribe.report(&pending, &accepted("T-9"))?;
    scribe.send(org, "result", standing(&id, "created", 3))
}

fn kept(incident: &str, receipt: &str, name: &str, sha256: &str) -> Value {
    json!({"keep_upload": {"stored": format!("s-{}", name.replace('.', "-")), "incident": incident, "upload": {
        "kind": "attachment", "receipt": receipt, "name": name, "size": 7, "sha256": sha256,
        "device": {"serial_number": "SNa", "host_name": "ip-192-0-2-7"},
    }}})
}

/// What an end customer brings with its case, and what becomes of it as levels change.
fn brought(scribe: &mut Scribe, org: &str) -> anyhow::Result<()> {
    scribe.ask(&admin(), org, &settings(org, &json!({"upload": true})))?;
    scribe.work()?;
    let id = report(scribe, org, "k-1", "High", true)?;
    let receipt = format!("T-{id}");
    let (one, other) = ("1".repeat(64), "2".repeat(64));
    for (name, sha256) in [("one.txt", &one), ("one.txt", &one), ("again.txt", &one), ("other.tgz", &other)] {
        below(scribe, org, &kept(&id, &receipt, name, sha256))?;
    }
    scribe.ask(&admin(), org, &kept(&id, &receipt, "mine.txt", &one))?;
    below(scribe, org, &kept(&format!("{org}-999999"), &receipt, "nobodys.txt", &one))?;
    let snapshot = json!({"keep_upload": {"stored": "s-snapshot", "incident": null, "upload": {
        "kind": "snapshot", "receipt": null, "name": "a.xml", "size": 7, "sha256": other,
        "device": {"serial_number": "SNa", "host_name": "a"},
    }}});
    below(scribe, org, &snapshot)?;
    let pending = scribe.pending_for(&id, "jss")?;
    scribe.report(&pending, &accepted("T-1"))?;
    scribe.send(org, "result", standing(&id, "created", 1))?;
    let left = json!({"done": {"uploaded": {"sha256": "cd".repeat(32), "size": 5}}});
    let upload = scribe.pending_for(&id, "jss")?;
    scribe.report(&upload, &left)?;
    for level in ["Do not send", "Only send list of features used", "Send all information"] {
        scribe.ask(&admin(), org, &settings(org, &json!({"filter_level": level})))?;
        scribe.work()?;
    }
    below(scribe, org, &of("close_case", &id, &json!({"text": "works"})))?;
    below(scribe, org, &of("close_case", &id, &json!({"text": "still"})))
}

/// A licence and a certificate run out, each said once.
fn runs_out(scribe: &mut Scribe) -> anyhow::Result<()> {
    for (kind, id, has_ended) in [
        ("licence", "l-1", false),
        ("licence", "l-1", false),
        ("licence", "l-1", true),
        ("licence", "l-2", false),
        ("upstream", "sha256:ab", false),
        ("listener", "sha256:cd", true),
    ] {
        let expiry = json!({"kind": kind, "id": id, "ends": "2026-12-01T00:00:00Z", "has_ended": has_ended});
        scribe.control(0, json!({"expiry": expiry}).to_string())?;
    }
    scribe.tick()
}
