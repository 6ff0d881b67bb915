//! The log `approvals`: raised level by level, and then what level 10 knows. What needs approval is asked for, approved,
//! rejected, changed meanwhile, and left to its time-out.

use std::path::Path;

use linesman_schemas::approval::{ApprovalRule, ApprovalRules, ApprovalSettings, OnTimeout};
use linesman_schemas::control::{RuleBook, Settings};
use serde_json::{Value, json};

use crate::cascade::{of, raised, report, settings};
use crate::listeners::admin;
use crate::scribe::Scribe;

/// The level that all this is from.
const LEVEL: u32 = 10;
/// How long there is to decide, in hours.
const TIMEOUT_H: u64 = 2;

/// A policy that asks for approval, and one that hears of it.
const POLICIES: [(&str, &str); 2] = [
    (
        "asks",
        "policy(#{ on: \"incident.reported-by-end-customer\", where: #{ priority: \"Critical\" } });\n\
         fn react(incident, org) { require_approval(\"one-person\"); forward_case(); }",
    ),
    (
        "hears",
        "policy(#{ on: \"approval.required\" });\n\
         fn react(approval, org) { publish(\"approval\", #{ id: approval.id, due: approval.due }); }",
    ),
];

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let (mut scribe, book) = raised(dir, LEVEL, &POLICIES)?;
    for org in ["acme", "cobalt"] {
        by_policy(&mut scribe, org)?;
    }
    for on_timeout in [OnTimeout::Reject, OnTimeout::Approve] {
        let rules = ApprovalRules { forward_case: ApprovalRule::OnePerson, ..ApprovalRules::default() };
        let approvals = ApprovalSettings { rules, timeout_h: TIMEOUT_H, on_timeout, ..ApprovalSettings::default() };
        let settings = Settings { approvals, ..book.settings.clone() };
        scribe.rules_in_sections(&RuleBook { settings, ..book.clone() })?;
        for org in ["acme", "cobalt"] {
            decided(&mut scribe, org, on_timeout.as_str())?;
        }
        scribe.wait(3_600 * i64::try_from(TIMEOUT_H)?)?;
        scribe.tick()?;
    }
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

fn decide(verb: &str, org: &str, number: u32) -> Value {
    json!({verb: {"approval": format!("{org}-a{number}"), "comment": "as agreed"}})
}

/// A policy asks for approval, which is given; a setting of the organization does, and it is asked for anew.
fn by_policy(scribe: &mut Scribe, org: &str) -> anyhow::Result<()> {
    scribe.ask(&admin(), org, &settings(org, &json!({"handling": "own"})))?;
    report(scribe, org, "approved", "Critical", true)?;
    scribe.ask(&admin(), org, &decide("approve_approval", org, 1))?;
    let wanted = json!({"handling": "own", "approvals": {"forward-case": "two-person"}});
    scribe.ask(&admin(), org, &settings(org, &wanted))?;
    let id = report(scribe, org, "changed", "Low", true)?;
    scribe.ask(&json!({"kind": "configuration"}), org, &of("forward_case", &id, &json!({})))?;
    let other = json!({"handling": "own", "approvals": {"forward-case": "two-person"}, "filter_level": "Do not send"});
    scribe.ask(&admin(), org, &settings(org, &other))?;
    scribe.work()?;
    scribe.ask(&admin(), org, &decide("approve_approval", org, 2))?;
    scribe.ask(&admin(), org, &decide("reject_approval", org, 3))?;
    scribe.ask(&admin(), org, &settings(org, &json!({})))?;
    scribe.work()
}

/// What is forwarded by itself awaits approval: it is given, refused, and left to its time-out.
fn decided(scribe: &mut Scribe, org: &str, round: &str) -> anyhow::Result<()> {
    for key in ["one", "two", "three"] {
        report(scribe, org, &format!("{round}-{key}"), "High", false)?;
    }
    let first = if round == "reject" { 4 } else { 7 };
    scribe.ask(&admin(), org, &decide("approve_approval", org, first))?;
    scribe.ask(&admin(), org, &decide("reject_approval", org, first + 1))?;
    scribe.ask(&admin(), org, &decide("approve_approval", org, 99))
}
