//! Groups that devices have otherwise than they were told: reported, restored, accepted, told again.

use anyhow::Context as _;
use linesman_domain::activations::drift::digest;
use linesman_schemas::control::RuleBook;
use linesman_schemas::service::{ServiceSource, ServicesSection};
use serde_json::{Value, json};

use crate::listeners::admin;
use crate::scribe::{Scribe, text};

/// A policy that hears of it.
pub(super) const POLICIES: [(&str, &str); 1] = [(
    "drifted",
    "policy(#{ on: \"configuration.drifted\" });\n\
     fn react(device, org) { publish(\"drifted\", #{ of: device.name, why: device.error }); }",
)];
const DEVICE: &str = "edge-93";
const LINE: &str = "acme/oslo/line-93";

fn guard() -> anyhow::Result<ServiceSource> {
    let files = [
        (
            "service.toml",
            "title = \"Guard\"\n[drift]\n\"20-message.j2\" = \"restore\"\n\"30-location.j2\" = \"accept\"\n",
        ),
        ("10-policer.j2", "firewall {\n    policer {{ line }} {\n        rate 1;\n    }\n}\n"),
        ("20-message.j2", "system {\n    login {\n        message ours;\n    }\n}\n"),
        ("30-location.j2", "snmp {\n    location here;\n}\n"),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    Ok(ServiceSource { name: "guard".parse()?, files })
}

/// What a device was found to have of its group.
fn read(group: &str, held: &str, templates: &[&str]) -> Value {
    let missing: Vec<Value> = templates.iter().map(|of| json!({"text": format!("of {of}"), "template": of})).collect();
    json!({"group_read": {"device": DEVICE, "serial_number": DEVICE, "group": group, "sha256": digest(held),
        "missing": missing, "more_missing": templates.len(), "extra": [], "templates": templates}})
}

pub(super) fn make(scribe: &mut Scribe, book: &RuleBook) -> anyhow::Result<()> {
    let services = ServicesSection { services: vec![guard()?], parameters: None, refused: Vec::new() };
    scribe.rules_with_services(book, &services)?;
    let new = json!({"name": DEVICE, "is_new": true, "address": "192.0.2.93", "user": "u", "credentials": "key"});
    for verb in [
        json!({"set_device": new}),
        json!({"set_place": {"place": "acme/oslo"}}),
        json!({"set_place": {"place": LINE, "device": DEVICE}}),
        json!({"set_subscription": {"place": LINE, "name": "guard", "service": "guard", "active": true}}),
    ] {
        scribe.ask(&admin(), "acme", &verb)?;
    }
    let is_its = |data: &Value| text(data, "/action/configure/device/serial_number") == DEVICE;
    let mut told = scribe.said.iter().filter(|(subject, _)| subject.ends_with(".reaction.device"));
    let told = told.find(|(_, event)| is_its(&event.data));
    let data = told.map(|(_, event)| event.data.clone()).context("no device was told anything")?;
    let (group, held) = (text(&data, "/action/configure/group"), text(&data, "/action/configure/change/put/text"));
    scribe.answer(&json!({"done": "configured"}), usize::MAX)?;
    let (report, restore, accept) = ("10-policer.j2", "20-message.j2", "30-location.j2");
    for (held, templates) in [
        (held.as_str(), &[][..]),
        (&held, &[accept]),
        (&held, &[report]),
        (&held, &[report]),
        (&held, &[]),
        ("something else", &[report]),
        (&held, &[restore, accept]),
    ] {
        scribe.send("acme", "result", read(&group, held, templates).to_string())?;
    }
    scribe.answer(&json!({"done": "configured"}), usize::MAX)?;
    for wait in [60, 3_600] {
        scribe.wait(wait)?;
        scribe.send("acme", "result", read(&group, &held, &[restore]).to_string())?;
        scribe.answer(&json!({"done": "configured"}), usize::MAX)?;
    }
    scribe.send("acme", "result", read(&group, &held, &[""]).to_string())?;
    for what in ["diff", "check-sync", "apply"] {
        let counts = if what == "apply" { json!({"added": 3, "removed": 1}) } else { json!({}) };
        let mut using = json!({"name": DEVICE, "what": what, "sha256": digest(&held)});
        if let (Some(using), Some(counts)) = (using.as_object_mut(), counts.as_object()) {
            using.extend(counts.clone());
        }
        scribe.ask(&admin(), "acme", &json!({"use_device": using}))?;
        scribe.answer(&json!({"done": "configured"}), usize::MAX)?;
    }
    scribe.send("acme", "result", read(&group, &held, &[report]).to_string())?;
    scribe.ask(&admin(), "acme", &json!({"remove_device": {"name": DEVICE}}))?;
    scribe.ask(&admin(), "acme", &json!({"remove_place": {"place": "acme/oslo", "cascade": true}}))?;
    scribe.answer(&json!({"done": "configured"}), usize::MAX)?;
    scribe.work()
}
