//! What one asked for binds nobody else, and where organizations stand with messages.

use linesman_schemas::approval::{ApprovalRule, ApprovalRules, ApprovalSettings, OnTimeout};
use linesman_schemas::control::{RuleBook, Settings};
use serde_json::{Value, json};

use crate::cascade::{of, report, settings};
use crate::listeners::admin;
use crate::policies::source;
use crate::scribe::Scribe;

/// How long there is to decide, in hours.
const TIMEOUT_H: u64 = 2;
const ORGANIZATIONS: [&str; 2] = ["acme", "cobalt"];
/// A policy that asks for approval, and one that would ask where it hears that it was given.
const POLICIES: [(&str, &str); 2] = [
    (
        "asks",
        "policy(#{ on: \"incident.reported-by-end-customer\", where: #{ priority: \"Critical\" } });\n\
         fn react(incident, org) { require_approval(\"two-person\"); forward_case(); }",
    ),
    (
        "again",
        "policy(#{ on: \"audit.approve-approval\" });\n\
         fn react(record, org) { require_approval(\"one-person\"); service(\"banner\").at(org.name).activate(); }",
    ),
];

pub(super) fn make(scribe: &mut Scribe, book: &RuleBook) -> anyhow::Result<()> {
    for org in ORGANIZATIONS {
        standing(scribe, org)?;
    }
    let policies = POLICIES.iter().map(|(name, text)| source(name, text)).collect::<anyhow::Result<_>>()?;
    let ruled = |rule| {
        let rules = ApprovalRules { forward_case: rule, ..ApprovalRules::default() };
        let approvals = ApprovalSettings {
            rules,
            timeout_h: TIMEOUT_H,
            on_timeout: OnTimeout::Approve,
            ..ApprovalSettings::default()
        };
        Settings { approvals, ..book.settings.clone() }
    };
    let asking = RuleBook { policies, settings: ruled(ApprovalRule::OnePerson), refused: Vec::new() };
    scribe.rules_in_sections(&asking)?;
    for org in ORGANIZATIONS {
        asked(scribe, org)?;
    }
    let tightened = RuleBook { settings: ruled(ApprovalRule::TwoPerson), policies: Vec::new(), refused: Vec::new() };
    scribe.rules_in_sections(&tightened)?;
    for org in ORGANIZATIONS {
        decided(scribe, org)?;
    }
    scribe.wait(3_600 * i64::try_from(TIMEOUT_H)?)?;
    for _ in 0..2 * ORGANIZATIONS.len() {
        scribe.tick()?;
    }
    for org in ORGANIZATIONS {
        scribe.ask(&admin(), org, &settings(org, &json!({})))?;
    }
    scribe.rules_in_sections(book)?;
    scribe.work()
}

/// Somebody sees to a message, until that is done.
fn standing(scribe: &mut Scribe, org: &str) -> anyhow::Result<()> {
    let message = json!({"id": "TSB-11", "kind": "alert", "title": "t", "issued": "2026-11-21T10:00:00Z"});
    scribe.send(org, "intel", message.to_string())?;
    for (id, state, assignee) in [
        ("TSB-11", "assigned", Some(format!("{org}/ann"))),
        ("TSB-11", "assigned", Some("else/ann".to_owned())),
        ("TSB-11", "in progress", None),
        ("TSB-11", "completed", None),
        ("TSB-11", "completed", None),
        ("TSB-12", "unassigned", None),
    ] {
        let of = json!({"id": id, "state": state, "assignee": assignee});
        scribe.ask(&admin(), org, &json!({"set_intelligence_state": of}))?;
    }
    Ok(())
}

/// Of one case several ask, each for themselves: a policy, the configuration, somebody.
fn asked(scribe: &mut Scribe, org: &str) -> anyhow::Result<()> {
    scribe.ask(&admin(), org, &settings(org, &json!({"handling": "own"})))?;
    for (key, priority) in [("of-several", "Critical"), ("of-one", "Low"), ("left", "Critical")] {
        let id = report(scribe, org, key, priority, true)?;
        let forward = of("forward_case", &id, &json!({}));
        if key != "left" {
            scribe.ask(&admin(), org, &forward)?;
            scribe.ask(&json!({"kind": "configuration"}), org, &forward)?;
            scribe.ask(&admin(), org, &forward)?;
        }
    }
    Ok(())
}

/// The rule is tightened, and the policy is gone: who asked approves none of it, and the engine what is left.
fn decided(scribe: &mut Scribe, org: &str) -> anyhow::Result<()> {
    let decide = |number: u32| -> Value { json!({"approve_approval": {"approval": format!("{org}-a{number}")}}) };
    for number in 1..=6 {
        scribe.ask(&admin(), org, &decide(number))?;
    }
    Ok(())
}
