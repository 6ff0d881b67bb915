//! Devices that are reached: who may be reached how, what is told of how they stand, and whose that is.

use super::*;
use crate::reached::{self, JmbErrorRow, ReachedRow, StandingRow, WishRow};
use linesman_schemas::OrgName;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::CredentialsKind;
use linesman_schemas::device::DeviceState;

const WATCH: (&str, &str) = (
    "watch",
    "policy(#{ on: \"device.state-changed\" });\nfn react(device, org) { publish(\"stands\", #{ of: device.name, state: device.state, before: device.previous_state, why: device.error }); }",
);

fn org(name: &str) -> OrgName {
    name.parse().unwrap()
}

impl Lane {
    fn reach(&mut self, org: &str, settings: Value) -> (Verdict, String) {
        self.asked_of(org, &json!({"set_device": settings}))
    }

    fn add(&mut self, org: &str, name: &str) {
        let given = self.reach(org, new(name));
        assert_eq!(given.0, Verdict::Done, "{given:?}");
    }

    fn result_of(&mut self, org: &str, report: &Value) {
        self.take(org, "result", report.to_string().as_bytes());
        self.work();
    }

    fn is_found(&mut self, org: &str, device: &str, state: &str, error: &str) {
        self.result_of(org, &json!({"device_stands": {"device": device, "state": state, "error": error}}));
    }

    fn reached(&self, of: &str, name: &str) -> Option<ReachedRow> {
        self.row(&reached::key(&org(of), name))
    }

    fn found(&self, of: &str, name: &str) -> Option<StandingRow> {
        self.row(&reached::standing_key(&org(of), name))
    }

    fn jmb_error(&self, of: &str, device: &str, id: &str) -> Option<JmbErrorRow> {
        self.row(&reached::jmb_error_key(&org(of), device, id))
    }
}

fn new(name: &str) -> Value {
    json!({"name": name, "is_new": true, "address": "192.0.2.1", "user": "linesman", "credentials": "key"})
}

fn file(device: &str, id: &str) -> Value {
    json!({"jmb_set_aside": {
        "device": device, "id": id, "file": "a.xml", "size": 9, "modified": 7, "fault": "not-xml", "detail": "no",
        "line": 1, "column": 1, "head": "garbage",
    }})
}

#[test]
fn a_device_is_added_once_and_changed_in_what_is_said() {
    let mut lane = Lane::with(&[]);
    let lacking = lane.reach("acme", json!({"name": "r1", "is_new": true, "address": "192.0.2.1"}));
    assert_eq!(lacking.0, Verdict::Invalid, "{lacking:?}");
    lane.add("acme", "r1");
    assert_eq!(lane.reach("acme", new("r1")).0, Verdict::Conflict);
    assert_eq!(lane.reach("bolt", new("r1")).0, Verdict::Done, "another's is another");
    let row = lane.reached("acme", "r1").unwrap();
    assert_eq!((row.port, row.netconf_port, row.poll_s, row.given), (22, 830, 30, 1));
    assert_eq!((row.directory.as_str(), row.pattern.as_str()), ("/var/tmp", "*.xml"));
    assert_eq!(lane.reach("acme", json!({"name": "r1", "poll_s": 60})).0, Verdict::Done);
    let changed = lane.reached("acme", "r1").unwrap();
    assert_eq!(changed, ReachedRow { poll_s: 60, ..row });
    assert_eq!(lane.reach("acme", json!({"name": "r1", "place": "acme/nowhere"})).0, Verdict::Invalid);
    assert_eq!(lane.reach("acme", json!({"name": "r1", "place": "bolt/berlin"})).0, Verdict::Invalid);
    lane.reach("acme", json!({"name": "r1", "credentials": "password"}));
    let row = lane.reached("acme", "r1").unwrap();
    assert_eq!((row.credentials, row.given), (CredentialsKind::Password, 2));
    assert_eq!(lane.asked_of("acme", &json!({"remove_device": {"name": "r1"}})).0, Verdict::Done);
    assert_eq!((lane.reached("acme", "r1"), lane.found("acme", "r1")), (None, None));
    assert!(lane.reached("bolt", "r1").is_some());
    assert_eq!(lane.asked_of("acme", &json!({"remove_device": {"name": "r1"}})).0, Verdict::NotFound);
}

#[test]
fn a_device_stays_where_its_place_is_gone_and_is_nowhere() {
    let mut lane = Lane::with(&[]);
    for place in ["acme/berlin", "acme/berlin/line-7"] {
        lane.command("acme", &json!({"set_place": {"place": place}}));
    }
    lane.add("acme", "r1");
    let there = lane.reach("acme", json!({"name": "r1", "place": "acme/berlin/line-7"}));
    assert_eq!(there.0, Verdict::Done, "{there:?}");
    let gone = lane.asked_of("acme", &json!({"remove_place": {"place": "acme/berlin", "cascade": true}}));
    assert_eq!(gone.0, Verdict::Done, "{gone:?}");
    assert_eq!(lane.reached("acme", "r1").unwrap().place, None);
}

#[test]
fn policies_of_its_own_organization_hear_when_a_device_stands_otherwise() {
    let mut lane = Lane::with(&[WATCH]);
    lane.add("acme", "r1");
    lane.add("bolt", "r1");
    lane.is_found("acme", "r1", "reachable", "");
    assert!(lane.published("acme", "stands").is_empty(), "that it is well is no news");
    lane.is_found("acme", "r1", "unreachable", "refused");
    lane.is_found("acme", "r1", "unreachable", "timed out");
    lane.is_found("acme", "r1", "reachable", "");
    let told = lane.published("acme", "stands");
    let of = |state: &str, before: &str, why: Value| json!({"of": "r1", "state": state, "before": before, "why": why});
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].to_string().contains("refused"), "{told:?}");
    for (told, expected) in
        told.iter().zip([of("unreachable", "reachable", json!("refused")), of("reachable", "unreachable", Value::Null)])
    {
        let data = told.pointer("/publish/data").unwrap_or(told);
        for field in ["of", "state", "before"] {
            assert_eq!(data[field], expected[field], "{told}");
        }
    }
    assert!(lane.events.iter().all(|(subject, _)| !subject.starts_with("bolt.trigger")));
    assert_eq!(lane.found("bolt", "r1").unwrap().state, DeviceState::New);
    // Of what is not reached nothing is kept.
    lane.is_found("acme", "r2", "reachable", "");
    assert_eq!(lane.found("acme", "r2"), None);
}

#[test]
fn another_way_to_a_device_forgets_how_it_stood_and_not_what_it_is() {
    let mut lane = Lane::with(&[]);
    lane.add("acme", "r1");
    lane.result_of(
        "acme",
        &json!({"device_stands": {
            "device": "r1", "state": "host-key-changed", "error": "another", "shown_host_key": "ssh-ed25519 AAAAb",
            "collected": "2026-11-01T00:00:00Z",
            "facts": {"serial_number": "JN1", "host_name": "r1", "product": "MX240", "os_version": "21.4R3"},
        }}),
    );
    let standing = lane.found("acme", "r1").unwrap();
    assert_eq!(standing.facts.serial_number, "JN1");
    lane.reach("acme", json!({"name": "r1", "poll_s": 60}));
    assert_eq!(lane.found("acme", "r1"), Some(standing.clone()));
    let pinned = lane.asked_of("acme", &json!({"pin_host_key": {"name": "r1", "host_key": "ssh-ed25519 AAAAb"}}));
    assert_eq!(pinned.0, Verdict::Done, "{pinned:?}");
    let anew = lane.found("acme", "r1").unwrap();
    assert_eq!((anew.state, anew.shown_host_key.as_deref()), (DeviceState::New, None));
    assert_eq!((anew.facts, anew.collected), (standing.facts, standing.collected));
}

#[test]
fn the_first_host_key_is_taken_by_the_engine_alone_and_only_where_that_is_allowed() {
    let mut lane = Lane::with(&[]);
    lane.add("acme", "r1");
    let first = json!({"pin_host_key": {"name": "r1", "host_key": "ssh-ed25519 AAAAa", "is_first": true}});
    assert_eq!(lane.asked_of("acme", &first).0, Verdict::Conflict);
    let other = lane.reach("acme", json!({"name": "r1", "address": "192.0.2.9"}));
    assert_eq!(other.0, Verdict::Invalid, "what was given for one is shown to no other: {other:?}");
    assert_eq!(lane.reach("acme", json!({"name": "r1", "accepts_first_host_key": true})).0, Verdict::Invalid);
    let any = json!({"pin_host_key": {"name": "r1", "host_key": null}});
    assert_eq!(lane.asked_of("acme", &any).0, Verdict::Done);
    assert_eq!(lane.asked_of("acme", &first).0, Verdict::Conflict, "people pin what they mean");
    let id = format!("m{}", lane.sequence);
    let command = json!({"id": id, "principal": {"kind": "machine"}, "node": "test", "verb": first});
    lane.take("acme", "cmd", command.to_string().as_bytes());
    let row = lane.reached("acme", "r1").unwrap();
    assert_eq!((row.host_key.as_deref(), row.accepts_first_host_key), (Some("ssh-ed25519 AAAAa"), false));
}

#[test]
fn files_that_are_no_bundles_are_kept_until_they_are_settled() {
    let mut lane = Lane::with(&[]);
    lane.add("acme", "r1");
    lane.result_of("acme", &file("r1", "f1"));
    lane.result_of("acme", &file("r2", "f1"));
    assert_eq!(lane.jmb_error("acme", "r2", "f1"), None);
    assert_eq!(lane.jmb_error("acme", "r1", "f1").unwrap().wish, WishRow::None);
    let wish =
        |id: &str, is_deleted: bool| json!({"settle_jmb_error": {"name": "r1", "id": id, "is_deleted": is_deleted}});
    assert_eq!(lane.asked_of("acme", &wish("f9", true)).0, Verdict::NotFound);
    assert_eq!(lane.asked_of("acme", &wish("f1", false)).0, Verdict::Done);
    assert_eq!(lane.jmb_error("acme", "r1", "f1").unwrap().wish, WishRow::Recheck);
    lane.result_of("acme", &file("r1", "f1"));
    assert_eq!(lane.jmb_error("acme", "r1", "f1").unwrap().wish, WishRow::None, "it was checked, and is none still");
    assert_eq!(lane.asked_of("acme", &wish("f1", true)).0, Verdict::Done);
    lane.result_of("acme", &json!({"jmb_error_ended": {"device": "r1", "id": "f1", "how": "deleted"}}));
    assert_eq!(lane.jmb_error("acme", "r1", "f1"), None);
    lane.result_of("acme", &file("r1", "f2"));
    lane.asked_of("acme", &json!({"remove_device": {"name": "r1"}}));
    assert_eq!(lane.jmb_error("acme", "r1", "f2"), None);
}

#[test]
fn below_its_level_nothing_is_reached() {
    let mut lane = Lane::with_at(11, &[]);
    lane.command("acme", &json!({"set_device": new("r1")}));
    lane.result_of("acme", &file("r1", "f1"));
    assert_eq!(lane.reached("acme", "r1"), None);
    let dead: Vec<_> = lane.events.iter().filter(|(subject, _)| subject.starts_with("acme.dead")).collect();
    assert_eq!(dead.len(), 2, "{dead:?}");
}
