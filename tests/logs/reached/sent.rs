//! What is sent of the provider's messages once it is approved: asked for by people and by a policy, approved, rejected, changed
//! meanwhile, and left to its time-out.

use linesman_schemas::approval::{ApprovalRule, ApprovalRules, ApprovalSettings, OnTimeout};
use linesman_schemas::control::{RuleBook, Settings};
use serde_json::{Value, json};

use crate::listeners::admin;
use crate::policies::source;
use crate::scribe::Scribe;

/// How long there is to decide, in hours.
const TIMEOUT_H: u64 = 2;
const ORGANIZATIONS: [&str; 2] = ["acme", "cobalt"];
/// A policy that asks for approval, and two that hear of it: the second is one organization's own, and hears nothing.
const POLICIES: [(&str, &str); 3] = [
    (
        "forwards",
        "policy(#{ on: \"bug-notice.arrived\" });\n\
         fn react(message, org) { require_approval(\"one-person\"); forward_intelligence(message, #{ title: org.name }); }",
    ),
    (
        "hears",
        "policy(#{ on: \"approval.required\" });\n\
         fn react(approval, org) { publish(\"approval\", #{ id: approval.id, of: org.name }); }",
    ),
    (
        "acme/hears",
        "policy(#{ on: \"approval.required\" });\n\
         fn react(approval, org) { publish(\"own\", #{ id: approval.id }); }",
    ),
];

/// Everything that becomes of it; the messages have the numbers from `first` on.
pub(super) fn make(scribe: &mut Scribe, book: &RuleBook, first: u64) -> anyhow::Result<()> {
    let policies = POLICIES.iter().map(|(name, text)| source(name, text)).collect::<anyhow::Result<Vec<_>>>()?;
    scribe.rules_in_sections(&RuleBook { policies: policies.clone(), ..book.clone() })?;
    scribe.provided(&admin(), first, "W1", &message("W1", "bug-notice", "by a policy"))?;
    scribe.work()?;
    for (org, verb) in ORGANIZATIONS.into_iter().zip(["approve_approval", "reject_approval"]) {
        scribe.ask(&admin(), org, &decide(verb, &format!("{org}-p1")))?;
    }
    scribe.provided(&admin(), first + 1, "W2", &message("W2", "alert", "by hand"))?;
    scribe.work()?;
    for (number, on_timeout) in (first + 2..).zip([OnTimeout::Reject, OnTimeout::Approve]) {
        let rules = ApprovalRules { send_intelligence: ApprovalRule::OnePerson, ..ApprovalRules::default() };
        let approvals = ApprovalSettings { rules, timeout_h: TIMEOUT_H, on_timeout, ..ApprovalSettings::default() };
        let settings = Settings { approvals, ..book.settings.clone() };
        scribe.rules_in_sections(&RuleBook { settings, policies: policies.clone(), refused: Vec::new() })?;
        let id = format!("W{number}");
        scribe.provided(&admin(), number, &id, &message(&id, "alert", "left alone"))?;
        scribe.work()?;
        let front = if on_timeout == OnTimeout::Reject { 2 } else { 5 };
        for org in ORGANIZATIONS {
            by_hand(scribe, org, front)?;
            scribe.ask(&admin(), org, &send(&id))?;
            scribe.work()?;
        }
        scribe.wait(3_600 * i64::try_from(TIMEOUT_H)?)?;
        for _ in 0..2 * ORGANIZATIONS.len() {
            scribe.tick()?;
        }
    }
    scribe.rules_in_sections(book)?;
    scribe.work()
}

fn message(id: &str, kind: &str, title: &str) -> Value {
    json!({"id": id, "kind": kind, "title": title, "text": "text", "issued": "2026-11-21T10:00:00Z"})
}

fn decide(verb: &str, id: &str) -> Value {
    json!({verb: {"approval": id, "comment": "as agreed"}})
}

fn send(id: &str) -> Value {
    json!({"send_intelligence": {"id": id}})
}

/// Asked for twice, worded anew, asked for anew, approved; what it has by then needs none. Taken back and asked for again.
fn by_hand(scribe: &mut Scribe, org: &str, front: u64) -> anyhow::Result<()> {
    let worded = json!({"associate_intelligence": {"id": "W2", "title": format!("{front} for {org}")}});
    let id = |number: u64| format!("{org}-p{}", front + number);
    for _ in 0..2 {
        scribe.ask(&admin(), org, &send("W2"))?;
    }
    scribe.ask(&admin(), org, &worded)?;
    for number in 0..=1 {
        scribe.ask(&admin(), org, &decide("approve_approval", &id(number)))?;
    }
    scribe.ask(&admin(), org, &send("W2"))?;
    scribe.ask(&admin(), org, &json!({"recall_intelligence": {"id": "W2"}}))?;
    // Of others, and of what there is not.
    scribe.ask(
        &json!({"kind": "manager", "organization": org, "name": "ann"}),
        org,
        &decide("approve_approval", &id(0)),
    )?;
    scribe.ask(&admin(), org, &decide("reject_approval", &format!("{org}-p99")))
}
