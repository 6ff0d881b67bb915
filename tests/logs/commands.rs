//! What people ask for: each command done, refused, repeated, and beyond its bounds.

use serde_json::{Value, json};

use crate::scribe::{Scribe, text};
use crate::system::{LEVELS, incident, organization};

/// A command of each family that is about an incident.
fn about(incident: &str) -> [Value; 7] {
    [
        json!({"assign_incident": {"incident": incident, "owner": "bob"}}),
        json!({"prioritise_incident": {"incident": incident, "priority": "Medium"}}),
        json!({"annotate_incident": {"incident": incident, "note": "seen \u{2713}"}}),
        json!({"save_case": {"incident": incident, "case": {"comments": "a draft"}}}),
        json!({"submit_case": {"incident": incident}}),
        json!({"close_incident": {"incident": incident, "note": "line card changed"}}),
        json!({"reopen_incident": {"incident": incident}}),
    ]
}

pub(crate) fn incidents(scribe: &mut Scribe) -> anyhow::Result<()> {
    for (org, _) in LEVELS {
        let id = incident(scribe, org, "COMMANDS", "Low")?;
        for verb in about(&id) {
            scribe.command(org, &verb)?;
        }
        // Once more, and in an order that does not fit.
        for verb in about(&id).iter().rev() {
            scribe.command(org, verb)?;
        }
        scribe.command(org, &json!({"assign_incident": {"incident": id, "owner": "ann", "in_progress": true}}))?;
        scribe.command(org, &json!({"assign_incident": {"incident": id, "owner": "", "in_progress": true}}))?;
        scribe.command(org, &json!({"assign_incident": {"incident": id}}))?;
    }
    let annotate = json!({"annotate_incident": {"incident": "acme-1", "note": "once"}});
    for _ in 0..3 {
        scribe.command_as("repeated", "acme", &annotate)?;
    }
    for number in 0..101 {
        let note = json!({"annotate_incident": {"incident": "acme-2", "note": format!("note {number}")}});
        scribe.command("acme", &note)?;
    }
    Ok(())
}

pub(crate) fn cases(scribe: &mut Scribe) -> anyhow::Result<()> {
    for (org, _) in LEVELS {
        for follow_up in ["Email Full Text Update", "Email Secure Web Link", "Phone Call"] {
            let id = incident(scribe, org, "CASES", "Medium")?;
            let words = json!({"synopsis": "fan tray", "comments": "since 192.0.2.1 was replaced", "priority": "Critical",
                "cc": ["noc@example.net", "ann@example.net"], "follow_up": follow_up});
            scribe.command(org, &json!({"save_case": {"incident": id, "case": words}}))?;
            let submit = json!({"submit_case": {"incident": id, "case": {"cc": ["noc@example.net"]}}});
            scribe.command(org, &submit)?;
            scribe.command(org, &submit)?;
        }
    }
    Ok(())
}

pub(crate) fn refused(scribe: &mut Scribe) -> anyhow::Result<()> {
    let long = "x".repeat(5_000);
    for id in ["acme-99999", "bolt-1"] {
        for verb in about(id) {
            scribe.command("acme", &verb)?;
        }
    }
    for verb in about("nobody-1") {
        scribe.command("nobody", &verb)?;
    }
    for verb in [
        json!({"assign_incident": {"incident": "acme-1", "owner": long}}),
        json!({"assign_incident": {"incident": "acme-1", "owner": "a\u{7}"}}),
        json!({"annotate_incident": {"incident": "acme-1", "note": long}}),
        json!({"annotate_incident": {"incident": "acme-1", "note": " "}}),
        json!({"close_incident": {"incident": "acme-1", "note": long}}),
        json!({"submit_case": {"incident": "acme-1", "case": {"cc": ["a", "b\n"]}}}),
        json!({"set_organization": {"display_name": "x".repeat(201), "is_proxy": true, "filter_level": "Do not send"}}),
        json!({"run_policy": {"policy": "throws", "trigger": "incident.detected", "event": "e", "about": "acme-99999"}}),
        json!({"run_policy": {"policy": "none", "trigger": "incident.detected", "event": "e", "about": "acme-1"}}),
        json!({"run_policy": {"policy": "ticket", "trigger": "case.assigned", "event": "e", "about": "acme-3"}}),
        json!({"run_policy": {"policy": "alerts", "trigger": "intelligence.received", "event": "e", "about": "none"}}),
        json!({"no_such_verb": {}}),
    ] {
        scribe.command("acme", &verb)?;
    }
    Ok(())
}

/// Policies that failed judge again, mended or not, and inputs enter the log again.
pub(crate) fn policies(scribe: &mut Scribe) -> anyhow::Result<()> {
    for (kind, policy) in [("THROW", "throws"), ("ENDLESS", "endless"), ("GROWS", "grows")] {
        let about = incident(scribe, "acme", kind, "Medium")?;
        let run = json!({"policy": policy, "trigger": "incident.detected", "event": "acme-e1", "about": about});
        scribe.command("acme", &json!({"run_policy": run}))?;
    }
    for policy in ["alerts", "notices"] {
        let run = json!({"policy": policy, "trigger": "intelligence.received", "event": "acme-e2", "about": "I-0"});
        scribe.command("acme", &json!({"run_policy": run}))?;
    }
    scribe.send("acme", "jmb", "<jmb version=\"1.0\"")?;
    let letter = scribe.said.first().map(|(_, letter)| letter.clone());
    let letter = letter.ok_or_else(|| anyhow::anyhow!("there is no dead letter"))?;
    let sequence = letter.data.pointer("/sequence").cloned().unwrap_or_default();
    scribe.send("acme", "jmb", text(&letter.data, "/detail"))?;
    scribe.command("acme", &json!({"replay_input": {"event": letter.id, "sequence": sequence}}))
}

/// Filter levels change while reactions are pending; organizations rest, go, and come back.
pub(crate) fn organizations(scribe: &mut Scribe) -> anyhow::Result<()> {
    for (org, level) in LEVELS {
        for priority in ["Critical", "High", "Low"] {
            incident(scribe, org, "PENDING", priority)?;
        }
        for (_, other) in LEVELS {
            organization(scribe, org, other)?;
            incident(scribe, org, "PENDING", "High")?;
        }
        organization(scribe, org, level)?;
        for verb in [json!("suspend_organization"), json!("unload_organization")] {
            incident(scribe, org, "PENDING", "Critical")?;
            let submit = scribe.pending.iter().rev().find(|pending| pending.org == org).cloned();
            scribe.command(org, &verb)?;
            scribe.send(org, "jmb", linesman_tests::event("edge-01", 1, "SUSPENDED", "High"))?;
            scribe.send(org, "intel", "{}")?;
            scribe.command(org, &json!({"submit_case": {"incident": format!("{org}-1")}}))?;
            let run = json!({"policy": "p", "trigger": "incident.detected", "event": "e", "about": format!("{org}-1")});
            scribe.command(org, &json!({"run_policy": run}))?;
            if let Some(pending) = submit {
                scribe.report(
                    &pending,
                    &json!({"failed": {"class": "unavailable", "message": "no", "retry_after_s": null}}),
                )?;
            }
            organization(scribe, org, level)?;
        }
    }
    let other = json!({"display_name": "Acme", "is_proxy": false, "filter_level": "Send all information"});
    scribe.command("acme", &json!({"set_organization": other}))
}
