//! What a device has otherwise than it was told is told of, told again or accepted, as the templates say.

use jiff::ToSpan as _;

use super::*;
use crate::activations::drift::{self, DriftRow, State};

const WATCH: (&str, &str) = (
    "watch",
    "policy(#{ on: \"configuration.drifted\" });\nfn react(device, org) { publish(\"drift\", #{ of: device.name, why: device.error }); }",
);
const LINE: &str = "acme/berlin/line-1";

/// A service of two templates, of which it says what is done about drift.
fn two(drift: &str) -> ServiceSource {
    let definition = format!("title = \"Two\"\n{drift}");
    let one = "firewall {\n    policer {{ line }} {\n        rate 1;\n    }\n}\n";
    let other = "system {\n    login {\n        message hello;\n    }\n}\n";
    service("two", &[("service.toml", &definition), ("10-policer.j2", one), ("20-banner.j2", other)])
}

/// A network with the service on a line, and its device.
fn network(level: u32, drift: &str) -> Network {
    let mut network = Network::at(level, vec![two(drift)]);
    network.lane.rules(2, &[WATCH], Settings::default());
    for (org, name) in [("acme", "pe-berlin"), ("bolt", "pe-berlin")] {
        let new = json!({"name": name, "is_new": true, "address": "192.0.2.1", "user": "u", "credentials": "key"});
        network.lane.asked_of(org, &json!({"set_device": new}));
    }
    network.does(&subscribe(LINE, "both", "two", &[], true));
    network.told.clear();
    network.lane.events.clear();
    network
}

fn part(network: &Network) -> PartRow {
    network.parts().into_values().next().unwrap()
}

fn found(network: &Network) -> Option<DriftRow> {
    let part = part(network);
    network.lane.row(&drift::key(&"acme".parse().unwrap(), &part.device, &part.group))
}

/// The device is found to lack a line of each template.
fn reads(network: &mut Network, org: &str, templates: &[&str]) {
    let part = part(network);
    let missing: Vec<Value> = templates.iter().map(|t| json!({"text": format!("a of {t}"), "template": t})).collect();
    let report = json!({"group_read": {
        "device": "pe-berlin", "serial_number": part.device, "group": part.group,
        "sha256": drift::digest(&part.text), "missing": missing, "templates": templates,
    }});
    network.lane.take(org, "result", report.to_string().as_bytes());
    network.lane.work();
}

fn told(network: &Network) -> usize {
    network.lane.published("acme", "drift").len()
}

#[test]
fn drift_is_reported_once_until_it_is_another_and_gone_with_what_is_told_anew() {
    let mut network = network(level::NEWEST, "");
    reads(&mut network, "acme", &[]);
    assert_eq!((found(&network), told(&network)), (None, 0), "it was in sync");
    reads(&mut network, "acme", &["10-policer.j2"]);
    reads(&mut network, "acme", &["10-policer.j2"]);
    let row = found(&network).unwrap();
    assert_eq!((row.state, row.missing.len(), row.restores, told(&network)), (State::Drifted, 1, 0, 1));
    let event = &network.lane.published("acme", "drift")[0];
    assert!(event.to_string().contains("lacks 1 lines and has 0 besides"), "{event}");
    reads(&mut network, "acme", &["10-policer.j2", "20-banner.j2"]);
    assert_eq!(told(&network), 2);
    assert!(network.lane.pending().is_empty() && network.told.is_empty(), "a device was told something");
    reads(&mut network, "acme", &[]);
    assert_eq!(found(&network).unwrap().state, State::InSync);
    reads(&mut network, "acme", &["10-policer.j2"]);
    assert_eq!(told(&network), 3);
    network.does(&json!({"redeploy_subscription": {"place": LINE, "name": "both"}}));
    assert_eq!((found(&network), network.told.len()), (None, 1));
    reads(&mut network, "acme", &["10-policer.j2"]);
    network.does(&deactivate(LINE, "both"));
    let rows = Table::<DriftRow>::scan(&network.lane.base, drift::within("acme", &[])).count();
    assert_eq!(rows, 0, "the group is gone");
}

#[test]
fn what_is_to_be_restored_is_told_again_at_most_once_an_hour_and_said_each_time() {
    let mut network =
        network(level::NEWEST, "[drift]\n\"20-banner.j2\" = \"restore\"\n\"10-policer.j2\" = \"accept\"\n");
    let text = part(&network).text;
    reads(&mut network, "acme", &["10-policer.j2", "20-banner.j2"]);
    assert_eq!((part(&network).state.as_str(), network.lane.pending().len()), ("pending", 1));
    let row = found(&network).unwrap();
    assert_eq!((row.restores, row.restored), (0, None), "the device has not got it yet");
    // While it is told, what is found of before means nothing.
    reads(&mut network, "acme", &["20-banner.j2"]);
    network.settle();
    assert_eq!((network.told.len(), told(&network)), (1, 1));
    assert_eq!((part(&network).state.as_str(), part(&network).text), ("active", text));
    let row = found(&network).unwrap();
    assert_eq!((row.state, row.restores), (State::InSync, 1));
    reads(&mut network, "acme", &["20-banner.j2"]);
    network.settle();
    assert_eq!((network.told.len(), told(&network), found(&network).unwrap().state), (1, 2, State::Drifted));
    network.lane.now += 59.minutes();
    reads(&mut network, "acme", &["20-banner.j2"]);
    assert_eq!(network.lane.pending().len(), 0);
    network.lane.now += 2.minutes();
    reads(&mut network, "acme", &["20-banner.j2"]);
    network.settle();
    assert_eq!((network.told.len(), told(&network), found(&network).unwrap().restores), (2, 3, 2));
}

#[test]
fn what_is_accepted_counts_as_it_is_and_no_device_is_told() {
    let mut network = network(level::NEWEST, "[drift]\n\"10-policer.j2\" = \"accept\"\n");
    reads(&mut network, "acme", &["10-policer.j2"]);
    assert_eq!((found(&network).unwrap().state, told(&network)), (State::Accepted, 0));
    // Where one of the templates says nothing it is reported.
    reads(&mut network, "acme", &["10-policer.j2", "20-banner.j2"]);
    assert_eq!((found(&network).unwrap().state, told(&network)), (State::Drifted, 1));
    // Nor is anything known of a line that is of no template.
    reads(&mut network, "acme", &["10-policer.j2", ""]);
    assert_eq!(found(&network).unwrap().state, State::Drifted);
    assert!(network.lane.pending().is_empty());
}

#[test]
fn nothing_is_kept_of_what_is_anothers_is_told_otherwise_or_was_held_against_something_else() {
    let mut network = network(level::NEWEST, "[drift]\n\"20-banner.j2\" = \"restore\"\n");
    let part = part(&network);
    reads(&mut network, "bolt", &["20-banner.j2"]);
    for (device, group, text) in [
        ("pe-other", part.group.as_str(), part.text.as_str()),
        ("pe-berlin", "theirs", &part.text),
        ("pe-berlin", &part.group, "other"),
    ] {
        let report = json!({"group_read": {"device": device, "serial_number": part.device, "group": group,
            "sha256": drift::digest(text), "missing": [{"text": "a"}], "templates": ["20-banner.j2"]}});
        network.lane.take("acme", "result", report.to_string().as_bytes());
    }
    assert!(network.lane.pending().is_empty());
    assert_eq!((found(&network), told(&network)), (None, 0));
    reads(&mut network, "acme", &["20-banner.j2"]);
    assert!(found(&network).is_some());
    network.settle();
    network.lane.asked_of("acme", &json!({"remove_device": {"name": "pe-berlin"}}));
    assert_eq!(found(&network), None, "it is reached no more");
}

#[test]
fn a_device_is_told_all_its_groups_again_and_no_other_is() {
    let mut network = network(level::NEWEST, "");
    network.does(&subscribe("acme/paris/line-1", "there", "two", &[], true));
    network.told.clear();
    let used = network.lane.asked_of("acme", &json!({"use_device": {"name": "pe-berlin", "what": "apply"}}));
    assert_eq!(used.0, Verdict::Done, "{used:?}");
    network.settle();
    assert_eq!(network.told, [(part(&network).group, true)]);
    network.lane.asked_of("bolt", &json!({"use_device": {"name": "pe-berlin", "what": "apply"}}));
    network.lane.asked_of("acme", &json!({"use_device": {"name": "pe-berlin", "what": "diff"}}));
    assert!(network.lane.pending().is_empty());
}

#[test]
fn below_its_level_nothing_is_read_back_and_nothing_told_again() {
    let mut network = network(12, "");
    reads(&mut network, "acme", &["20-banner.j2"]);
    network.lane.asked_of("acme", &json!({"use_device": {"name": "pe-berlin", "what": "apply"}}));
    assert!(network.lane.pending().is_empty());
    assert_eq!(found(&network), None);
    assert!(network.lane.events.iter().any(|(subject, _)| subject.contains("dead")), "{:?}", network.lane.events);
}
