//! What connectors report: each outcome, each class of failure, cases that change, polls.

use serde_json::{Value, json};

use crate::scribe::{Pending, Scribe};
use crate::system::incident;

const CLASSES: [&str; 4] = ["unavailable", "overloaded", "unauthorized", "garbled"];
const DAY: i64 = 86_400;

fn failed(class: &str, retry_after_s: Option<u32>) -> Value {
    json!({"failed": {"class": class, "message": format!("it was {class}"), "retry_after_s": retry_after_s}})
}

fn standing(incident: &str, status: &str, updated: &str) -> Value {
    json!({"incident": incident, "case_id": format!("C-{incident}"), "status": status,
        "link": format!("https://support.example/{incident}"), "updated": updated})
}

fn accepted(incident: &str, case: Option<Value>) -> Value {
    json!({"done": {"case_accepted": {"transaction_id": format!("T-{incident}"), "case": case}}})
}

fn changed(scribe: &mut Scribe, org: &str, standing: &Value) -> anyhow::Result<()> {
    scribe.send(org, "result", json!({"case_changed": standing}).to_string())
}

/// A case that waits for its answer.
fn waiting(scribe: &mut Scribe, org: &str) -> anyhow::Result<Pending> {
    let id = incident(scribe, org, "REPORTS", "High")?;
    scribe.pending_for(&id, "jss")
}

/// Reactions that are done, in both orders of answer and standing; echoes change nothing.
pub(crate) fn outcomes(scribe: &mut Scribe) -> anyhow::Result<()> {
    for org in ["acme", "bolt", "cobalt", "erbium"] {
        let case = waiting(scribe, org)?;
        scribe.report(&case, &accepted(&case.incident, None))?;
        scribe.report(&case, &accepted(&case.incident, None))?;
        changed(scribe, org, &standing(&case.incident, "created", "2026-11-21T10:05:00Z"))?;
        let at_once = waiting(scribe, org)?;
        let created = standing(&at_once.incident, "created", "2026-11-21T10:05:00Z");
        scribe.report(&at_once, &accepted(&at_once.incident, Some(created)))?;
        let overtaken = waiting(scribe, org)?;
        changed(scribe, org, &standing(&overtaken.incident, "created", "2026-11-21T10:05:00Z"))?;
        scribe.report(&overtaken, &accepted(&overtaken.incident, None))?;
        let foreign = waiting(scribe, org)?;
        let other = standing("acme-1", "created", "2026-11-21T10:05:00Z");
        scribe.report(&foreign, &accepted(&foreign.incident, Some(other)))?;
        let lines = scribe.pending.iter().filter(|pending| pending.org == org && pending.connector == "log");
        for line in lines.take(3).cloned().collect::<Vec<_>>() {
            scribe.report(&line, &json!({"done": "logged"}))?;
        }
    }
    let unknown =
        json!({"attempt": {"reaction": "acme-r9999-1", "attempt": 1, "requests": 1, "outcome": {"done": "logged"}}});
    scribe.send("acme", "result", unknown.to_string())
}

/// Each class of failure; circuits open, are probed and close; what is refused or too late is given up.
pub(crate) fn failures(scribe: &mut Scribe) -> anyhow::Result<()> {
    for org in ["acme", "bolt"] {
        for class in CLASSES {
            let case = waiting(scribe, org)?;
            for retry_after_s in [None, Some(7), None] {
                let again = scribe.pending_for(&case.incident, "jss")?;
                scribe.report(&again, &failed(class, retry_after_s))?;
                scribe.wait(40)?;
            }
            // An echo of the first try.
            scribe.report(&case, &failed(class, None))?;
        }
        let probe = waiting(scribe, org)?;
        scribe.report(&probe, &accepted(&probe.incident, None))?;
        let refused = waiting(scribe, org)?;
        scribe.report(&refused, &failed("refused", None))?;
        scribe.command(org, &json!({"submit_case": {"incident": refused.incident}}))?;
        let late = waiting(scribe, org)?;
        scribe.wait(8 * DAY)?;
        scribe.report(&late, &failed("unavailable", Some(30)))?;
        let lines = scribe.pending.iter().filter(|pending| pending.org == org && pending.connector == "log");
        for line in lines.take(2).cloned().collect::<Vec<_>>() {
            scribe.report(&line, &failed("unavailable", None))?;
            scribe.report(&line, &failed("refused", None))?;
        }
    }
    Ok(())
}

/// Cases that change upstream: news, the same again, older than known, closed, and of nobody.
pub(crate) fn standings(scribe: &mut Scribe) -> anyhow::Result<()> {
    for org in ["acme", "cobalt"] {
        let case = waiting(scribe, org)?;
        scribe.report(&case, &accepted(&case.incident, None))?;
        for (status, updated) in [
            ("created", "2026-11-21T10:05:00Z"),
            ("created", "2026-11-21T10:05:00Z"),
            ("in work", "2026-11-22T10:05:00Z"),
            ("in work", "2026-11-23T10:05:00Z"),
            ("stale", "2026-11-21T09:00:00Z"),
            ("Closed", "2026-11-24T10:05:00Z"),
            ("reopened", "2026-11-25T10:05:00Z"),
        ] {
            changed(scribe, org, &standing(&case.incident, status, updated))?;
        }
        changed(scribe, org, &standing(&format!("{org}-99999"), "created", "2026-11-21T10:05:00Z"))?;
        changed(scribe, org, &standing("dory-1", "created", "2026-11-21T10:05:00Z"))?;
        let plain = incident(scribe, org, "NO_CASE", "Low")?;
        changed(scribe, org, &standing(&plain, "created", "2026-11-21T10:05:00Z"))?;
        // The answer is older than what is known.
        let newer = waiting(scribe, org)?;
        changed(scribe, org, &standing(&newer.incident, "created", "2026-11-25T10:05:00Z"))?;
        let older = standing(&newer.incident, "created", "2026-11-21T10:05:00Z");
        scribe.report(&newer, &accepted(&newer.incident, Some(older)))?;
    }
    let draft = incident(scribe, "acme", "DRAFT", "Low")?;
    scribe.command("acme", &json!({"save_case": {"incident": draft, "case": {"comments": "a draft"}}}))?;
    changed(scribe, "acme", &standing(&draft, "created", "2026-11-21T10:05:00Z"))?;
    let withheld = incident(scribe, "dory", "WITHHELD", "High")?;
    changed(scribe, "dory", &standing(&withheld, "created", "2026-11-21T10:05:00Z"))
}

/// The provider's own reaction: polls that succeed and fail.
pub(crate) fn polls(scribe: &mut Scribe) -> anyhow::Result<()> {
    for cursor in [json!(null), json!("cursor-1"), json!("cursor-2")] {
        scribe.polled(&json!({"done": {"polled": {"cursor": cursor}}}))?;
        for class in CLASSES {
            scribe.wait(125)?;
            scribe.polled(&failed(class, None))?;
        }
        scribe.polled(&failed("refused", None))?;
    }
    scribe.polled(&json!({"done": {"polled": {"cursor": "cursor-3"}}}))
}

/// Ends what is pending: two of three are done.
pub(crate) fn all(scribe: &mut Scribe) -> anyhow::Result<()> {
    for (number, pending) in scribe.pending.clone().into_iter().enumerate() {
        let outcome = match (number % 3, pending.connector.as_str()) {
            (0, _) => continue,
            (_, "log") => json!({"done": "logged"}),
            (1, _) => accepted(&pending.incident, Some(standing(&pending.incident, "created", "2026-12-01T00:00:00Z"))),
            _ => failed("unavailable", None),
        };
        scribe.report(&pending, &outcome)?;
    }
    Ok(())
}
