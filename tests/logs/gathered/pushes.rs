//! Changes of devices: of many a few first, with what devices say of them; and as they are approved, or not.

use anyhow::Context as _;
use linesman_schemas::approval::{ApprovalRule, ApprovalSettings};
use linesman_schemas::control::{RuleBook, Settings};
use linesman_schemas::service::{ServiceSource, ServicesSection};
use serde_json::{Map, Value, json};

use crate::listeners::admin;
use crate::scribe::Scribe;

const ORG: &str = "acme";
/// How many access lines there are, each with a device of its own.
const LINES: usize = 8;

/// All that becomes of them.
pub(super) fn make(scribe: &mut Scribe, book: &RuleBook) -> anyhow::Result<()> {
    let services = ServicesSection { services: vec![limit()?], parameters: None, refused: Vec::new() };
    scribe.rules_with_services(book, &services)?;
    ask(scribe, "set_place", &json!({"place": "acme/rome"}))?;
    for number in 1..=LINES {
        let place = format!("acme/rome/line-{number}");
        ask(scribe, "set_place", &json!({"place": place, "device": format!("pe-rome-{number}")}))?;
    }
    in_waves(scribe)?;
    let approvals = ApprovalSettings { configure_device: ApprovalRule::OnePerson, ..ApprovalSettings::default() };
    let settings = Settings { approvals, ..book.settings.clone() };
    scribe.rules_with_services(&RuleBook { settings, ..book.clone() }, &services)?;
    approved(scribe)?;
    scribe.rules_with_services(book, &services)
}

fn limit() -> anyhow::Result<ServiceSource> {
    let files = [
        ("service.toml", "title = \"Limit\"\n[parameters]\nrate = { type = \"rate\", default = \"10m\" }\n"),
        ("main.j2", "firewall {\n    policer {{ line }} {\n        rate {{ rate }};\n    }\n}\n"),
    ];
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    Ok(ServiceSource { name: "limit".parse()?, files })
}

fn ask(scribe: &mut Scribe, verb: &str, asked: &Value) -> anyhow::Result<()> {
    scribe.ask(&admin(), ORG, &json!({verb: asked}))?;
    scribe.work()
}

/// The device that has waited longest answers, with more that it says.
fn answer(scribe: &mut Scribe, outcome: &Value, more: &Value) -> anyhow::Result<()> {
    let waiting = scribe.pending.iter().find(|pending| pending.connector == "device").cloned();
    let pending = waiting.context("no device is told")?;
    let mut attempt = Map::new();
    for part in [&json!({"reaction": pending.id, "attempt": pending.attempt, "requests": 1, "outcome": outcome}), more]
    {
        attempt.extend(part.as_object().cloned().unwrap_or_default());
    }
    scribe.send(ORG, "result", json!({"attempt": attempt}).to_string())?;
    let is_over =
        outcome.get("done").is_some() || outcome.pointer("/failed/class").is_some_and(|class| class == "refused");
    if is_over {
        scribe.pending.retain(|other| other.id != pending.id);
    } else if let Some(other) = scribe.pending.iter_mut().find(|other| other.id == pending.id) {
        other.attempt += 1;
    }
    scribe.work()
}

fn done() -> Value {
    json!({"done": "configured"})
}

fn failed(class: &str) -> Value {
    json!({"failed": {"class": class, "message": "no", "retry_after_s": null}})
}

fn difference(sha256: &str) -> Value {
    let sha256 = sha256.repeat(32);
    json!({"difference": {"text": "[edit groups]\n+  rate 10000000;\n", "added": 1, "removed": 0, "sha256": sha256}})
}

fn taken_back() -> Value {
    marked("aa", "is_taken_back")
}

fn unapproved(sha256: &str) -> Value {
    marked(sha256, "is_unapproved")
}

fn marked(sha256: &str, mark: &str) -> Value {
    let mut more = difference(sha256);
    if let Some(fields) = more.as_object_mut() {
        fields.insert(mark.to_owned(), json!(true));
    }
    more
}

/// The rest is held since one takes its change back, goes on, is held since two refuse, and goes.
fn in_waves(scribe: &mut Scribe) -> anyhow::Result<()> {
    let redeploy = json!({"place": "acme/rome", "name": "cap"});
    let cap = json!({"place": "acme/rome", "name": "cap", "service": "limit", "substitutions": [], "active": true});
    ask(scribe, "set_subscription", &cap)?;
    answer(scribe, &failed("unavailable"), &taken_back())?;
    answer(scribe, &done(), &difference("aa"))?;
    let settled = scribe.pending.len();
    ask(scribe, "redeploy_subscription", &redeploy)?;
    scribe.pending.drain(..settled);
    for _ in 0..LINES {
        answer(scribe, &done(), &difference("aa"))?;
    }
    ask(scribe, "set_values", &json!({"place": "acme/rome", "substitutions": ["rate=20m"]}))?;
    answer(scribe, &failed("unavailable"), &json!({}))?;
    let first = scribe.pending.remove(0);
    answer(scribe, &failed("refused"), &json!({}))?;
    answer(scribe, &failed("refused"), &json!({}))?;
    scribe.pending.clear();
    scribe.pending.push(first);
    answer(scribe, &failed("refused"), &difference("ab"))?;
    ask(scribe, "remove_place", &json!({"place": "acme/rome/line-8"}))?;
    scribe.pending.clear();
    Ok(())
}

/// What a change comes to is approved, and is something else then; it is rejected; another takes its place meanwhile.
fn approved(scribe: &mut Scribe) -> anyhow::Result<()> {
    let values = |rate: &str| json!({"place": "acme/rome/line-1", "substitutions": [format!("rate={rate}")]});
    ask(scribe, "set_values", &values("30m"))?;
    let first = asked(scribe, "ba")?;
    decide(scribe, "approve_approval", &first)?;
    let second = asked(scribe, "bb")?;
    decide(scribe, "approve_approval", &second)?;
    answer(scribe, &done(), &difference("bb"))?;
    ask(scribe, "set_values", &values("40m"))?;
    let third = asked(scribe, "bc")?;
    decide(scribe, "reject_approval", &third)?;
    scribe.pending.clear();
    ask(scribe, "set_values", &values("50m"))?;
    let fourth = asked(scribe, "bd")?;
    scribe.pending.clear();
    ask(scribe, "set_values", &values("60m"))?;
    decide(scribe, "approve_approval", &fourth)?;
    answer(scribe, &done(), &json!({}))
}

/// A device was left as it was; the approval that is asked for.
fn asked(scribe: &mut Scribe, sha256: &str) -> anyhow::Result<String> {
    answer(scribe, &failed("unavailable"), &unapproved(sha256))?;
    let required = scribe.said.iter().find(|(subject, _)| subject.ends_with(".trigger.approval.required"));
    let id = required.and_then(|(_, event)| event.data.get("id")?.as_str()).context("nothing is asked for")?;
    Ok(id.to_owned())
}

fn decide(scribe: &mut Scribe, verb: &str, id: &str) -> anyhow::Result<()> {
    ask(scribe, verb, &json!({"approval": id, "comment": "as agreed"}))
}
