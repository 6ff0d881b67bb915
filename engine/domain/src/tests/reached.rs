//! Devices that are reached: who may be reached how, what is told of how they stand, and whose that is.

use super::*;
use crate::desk::Desk;
use crate::reached::{self, JmbErrorRow, ReachedRow, StandingRow, WishRow};
use crate::state::Base;
use linesman_schemas::OrgName;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, CredentialsKind, DeviceName, DeviceSettings, DeviceVerb, Verb};
use linesman_schemas::device::{DeviceFacts, DeviceStanding, DeviceState};

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
fn a_device_elsewhere_is_the_same_by_its_host_key_alone() {
    let key = "ssh-ed25519 AAAAa";
    for (way, is_same) in [
        (json!({"address": "192.0.2.9", "credentials": "key", "host_key": key}), true),
        (json!({"address": "192.0.2.9", "credentials": "key"}), true),
        (json!({"port": 2022, "credentials": "key"}), true),
        (json!({"address": "192.0.2.9", "credentials": "key", "host_key": "ssh-ed25519 AAAAb"}), false),
        (json!({"host_key": "ssh-ed25519 AAAAb", "credentials": "key"}), true),
    ] {
        let mut lane = Lane::with(&[]);
        lane.add("acme", "r1");
        lane.reach("acme", json!({"name": "r1", "host_key": key, "credentials": "key"}));
        let facts = json!({"serial_number": "JN1", "host_name": "r1", "product": "MX240", "os_version": "21.4R3"});
        lane.result_of(
            "acme",
            &json!({"device_stands": {"device": "r1", "state": "reachable", "error": "", "facts": facts}}),
        );
        let mut settings = way.clone();
        settings["name"] = json!("r1");
        let set = lane.reach("acme", settings);
        assert_eq!(set.0, Verdict::Done, "{set:?}");
        let known = lane.found("acme", "r1").unwrap().facts.serial_number;
        assert_eq!(known == "JN1", is_same, "{way}");
    }
}

#[test]
fn files_are_not_moved_to_where_they_are() {
    let mut lane = Lane::with(&[]);
    lane.add("acme", "r1");
    for (to, expected) in
        [("/var/tmp", Verdict::Invalid), ("/var//tmp/./", Verdict::Invalid), ("/var/tmp/done", Verdict::Done)]
    {
        let set = lane.reach("acme", json!({"name": "r1", "after": {"move-to": to}}));
        assert_eq!(set.0, expected, "{to}: {set:?}");
    }
    let set = lane.reach("acme", json!({"name": "r1", "directory": "/var/tmp/done", "credentials": "key"}));
    assert_eq!(set.0, Verdict::Invalid, "{set:?}");
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
fn the_record_of_a_download_names_the_file() {
    let download = json!({"use_device": {"name": "r1", "what": "download", "id": "f1"}});
    let named = json!({"name": "r1", "what": "download", "id": "f1", "file": "a.xml"});
    for (level, new) in [(12, json!({"name": "r1", "what": "download"})), (13, named)] {
        let mut lane = Lane::with_at(level, &[]);
        lane.add("acme", "r1");
        lane.result_of("acme", &file("r1", "f1"));
        assert_eq!(lane.asked_of("acme", &download).0, Verdict::Done);
        let told: Vec<_> = lane.on("acme.audit.use-device").iter().map(|event| event.data["new"].clone()).collect();
        assert_eq!(told, [new], "level {level}");
    }
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

impl Lane {
    fn is_known(&mut self, name: &str, said: &str, claimed: &str) {
        let given = self.reach("acme", json!({"name": name, "serial_number": said}));
        assert_eq!(given.0, Verdict::Done, "{given:?}");
        let facts = DeviceFacts { serial_number: claimed.to_owned(), ..Default::default() };
        self.result_of("acme", &json!({"device_stands": {"device": name, "state": "reachable", "facts": facts}}));
        self.is_indexed();
    }

    /// What finds devices by serial number is what their rows come to.
    fn is_indexed(&self) {
        let kept: Vec<_> = reached::SERIALS.rows(&self.base, &[]).map(|row| row.unwrap().0).collect();
        let mut made: Vec<_> =
            reached::index(&self.base).unwrap().rows.iter().map(|(key, _)| key[1..].to_vec()).collect();
        made.sort();
        assert_eq!(kept, made);
    }

    fn of_serials<const N: usize>(&self, serial_numbers: [&str; N]) -> [Option<String>; N] {
        serial_numbers.map(|serial_number| reached::of_serial(&self.base, &org("acme"), serial_number).unwrap())
    }
}

#[test]
fn a_serial_number_names_whom_people_gave_it_and_nobody_where_two_have_it() {
    let mut lane = Lane::with(&[]);
    for (name, said, claimed) in [
        ("a-liar", "", "SN1"),
        ("b-true", "SN1", ""),
        ("c-liar", "SN2", "SN1"),
        ("d", "", "SN3"),
        ("e", "", "SN4"),
        ("f", "", "SN4"),
        ("g", "SN5", ""),
        ("h", "SN5", ""),
        ("i", "", "SN5"),
        ("j", "", "SN"),
    ] {
        lane.add("acme", name);
        lane.is_known(name, said, claimed);
    }
    let some = |name: &str| Some(name.to_owned());
    let named = lane.of_serials(["SN1", "SN2", "SN3", "SN4", "SN5", "SN6", "SN", "S", ""]);
    let expected = [some("b-true"), some("c-liar"), some("d"), None, None, None, some("j"), None, None];
    assert_eq!(named, expected);
    // Whoever has it no more leaves it to others: people take it back, the device says another, it goes.
    lane.is_known("b-true", "", "");
    lane.is_known("h", "SN6", "SN4");
    lane.is_known("f", "", "SN7");
    let named = lane.of_serials(["SN1", "SN4", "SN5", "SN6", "SN7"]);
    assert_eq!(named, [some("a-liar"), some("e"), some("g"), some("h"), some("f")]);
    for name in ["a-liar", "g", "i"] {
        lane.command("acme", &json!({"remove_device": {"name": name}}));
        lane.is_indexed();
    }
    assert_eq!(lane.of_serials(["SN1", "SN5"]), [None, None]);
}

/// Rows in memory that are counted when they are read.
struct Counted {
    rows: Memory,
    read: std::rc::Rc<std::cell::Cell<usize>>,
}

impl Base for Counted {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, crate::Error> {
        self.read.set(self.read.get() + 1);
        self.rows.get(key)
    }

    fn first(&self, from: std::ops::Bound<&[u8]>, prefix: &[u8]) -> Result<Option<crate::state::Row>, crate::Error> {
        self.read.set(self.read.get() + 1);
        self.rows.first(from, prefix)
    }
}

#[test]
fn whose_a_serial_number_is_costs_as_many_rows_however_many_devices_there_are() {
    let mut lane = Lane::with(&[]);
    let mut costs = Vec::new();
    for count in [3, 60] {
        for number in costs.len() * 3..count {
            let name = format!("r{number}");
            lane.add("acme", &name);
            lane.is_known(&name, if number % 2 == 0 { "" } else { &name }, &format!("SN{number}"));
        }
        let read = std::rc::Rc::default();
        let counted = || Counted { rows: lane.base.handle(), read: std::rc::Rc::clone(&read) };
        let mut desk = Desk::on(Box::new(counted()));
        let mut devices = crate::devices::Devices::new();
        for (serial_number, host_name) in [("SN2", "r2"), ("SN2", "edge"), ("SN9x", "edge")] {
            let found = reached::named(desk.state(), &org("acme"), serial_number, host_name).unwrap();
            assert_eq!(found.as_deref(), (serial_number == "SN2").then_some("r2"));
        }
        let called = reached::called(&desk, &mut devices, &org("acme"), "r2").unwrap();
        assert_eq!(called, ["r2", "SN2"]);
        costs.push(read.get());
        // What was decided and is not stored yet counts.
        let facts = DeviceFacts { serial_number: "SN2".to_owned(), ..Default::default() };
        let stands = DeviceStanding {
            device: "r0".to_owned(),
            state: DeviceState::Reachable,
            error: String::new(),
            collected: None,
            shown_host_key: None,
            facts: Some(facts),
        };
        reached::stands(&mut desk, &org("acme"), &stands).unwrap();
        assert_eq!(reached::named(desk.state(), &org("acme"), "SN2", "edge").unwrap(), None, "two claim it");
        assert_eq!(reached::called(&desk, &mut devices, &org("acme"), "r2").unwrap(), ["r2"]);
    }
    assert!(costs[0] == costs[1], "{costs:?} rows");
}

#[test]
fn one_more_device_costs_as_many_rows_however_many_there_are() {
    let mut lane = Lane::with(&[]);
    let acme = org("acme");
    let asks = |desk: &mut Desk, verb: DeviceVerb| {
        let (id, principal) = ("c-1".parse().unwrap(), linesman_schemas::Principal::admin());
        let command = Command { id, principal, node: String::new(), verb: Verb::Device(verb.clone()) };
        reached::ask(desk, &acme, &command, &verb).unwrap().0
    };
    let set = |name: &str| {
        let settings: DeviceSettings = serde_json::from_value(new(name)).unwrap();
        DeviceVerb::Set(settings.into())
    };
    let mut costs = Vec::new();
    for count in [3, 60] {
        for number in costs.len() * 3..count {
            lane.add("acme", &format!("r{number}"));
        }
        let read = std::rc::Rc::default();
        let rows = Counted { rows: lane.base.handle(), read: std::rc::Rc::clone(&read) };
        let mut desk = Desk::on(Box::new(rows));
        // Those that there are, are counted once.
        asks(&mut desk, set("first"));
        read.set(0);
        for name in ["x", "y", "z"] {
            asks(&mut desk, set(name));
        }
        costs.push(read.get());
        asks(&mut desk, DeviceVerb::Remove(DeviceName { name: "y".to_owned() }));
        assert_eq!(reached::count(&mut desk, &acme).unwrap(), count + 3);
    }
    assert!(costs[0] == costs[1], "{costs:?} rows");
}

#[test]
fn a_device_that_does_not_say_its_serial_number_is_the_one_it_was_unless_it_is_another_model() {
    for (level, is_kept) in [(12, false), (13, true)] {
        let mut lane = Lane::with_at(level, &[]);
        lane.add("acme", "r1");
        let says = |lane: &mut Lane, serial_number: &str, product: &str| {
            let facts =
                json!({"serial_number": serial_number, "host_name": "r1", "product": product, "os_version": "21"});
            lane.result_of("acme", &json!({"device_stands": {"device": "r1", "state": "reachable", "facts": facts}}));
            lane.is_indexed();
            lane.found("acme", "r1").unwrap().facts.serial_number
        };
        says(&mut lane, "JN1", "mx240");
        assert_eq!(says(&mut lane, "", "mx240"), if is_kept { "JN1" } else { "" });
        assert_eq!(says(&mut lane, "", ""), if is_kept { "JN1" } else { "" });
        let [named] = lane.of_serials(["JN1"]);
        assert_eq!(named.is_some(), is_kept);
        assert_eq!(says(&mut lane, "JN1", "mx240"), "JN1");
        assert_eq!(says(&mut lane, "", "mx960"), "", "another model has not that one's number");
    }
}

#[test]
fn a_host_name_names_those_that_call_themselves_so() {
    let mut lane = Lane::with(&[]);
    lane.bundle("acme", "edge", 1, "High");
    lane.bundle("acme", "core", 1, "High");
    lane.is_indexed();
    let called = |base: &dyn Base, name: &str| {
        reached::of_host(base, &org("acme"), name).collect::<Result<Vec<_>, _>>().unwrap()
    };
    assert_eq!([called(&lane.base, "edge"), called(&lane.base, "edg"), called(&lane.base, "")].concat(), ["SNedge"]);
    let mut desk = Desk::on(Box::new(lane.base.handle()));
    reached::keep_host(&mut desk, (&org("acme"), "SNcore"), (Some("core"), "edge")).unwrap();
    assert_eq!(called(desk.state(), "edge"), ["SNcore", "SNedge"]);
    assert!(called(desk.state(), "core").is_empty());
}

#[test]
fn a_device_loses_its_place_and_names_only_directives_that_there_are_from_level_13_on() {
    for (level, is_newer) in [(12, false), (13, true)] {
        let mut lane = Lane::with_at(level, &[]);
        lane.command("acme", &json!({"set_place": {"place": "acme/berlin"}}));
        lane.add("acme", "r1");
        assert_eq!(lane.reach("acme", json!({"name": "r1", "place": "acme/berlin"})).0, Verdict::Done);
        let both = json!({"name": "r1", "place": "acme/berlin", "is_nowhere": true});
        assert_eq!(lane.reach("acme", both).0, Verdict::Invalid);
        lane.reach("acme", json!({"name": "r1", "is_nowhere": true}));
        assert_eq!(lane.reached("acme", "r1").unwrap().place.is_none(), is_newer);
        let (verdict, told) = lane.reach("acme", json!({"name": "r1", "directives": ["none"]}));
        assert_eq!(verdict == Verdict::Invalid, is_newer, "{told}");
        assert_eq!(lane.reached("acme", "r1").unwrap().directives.is_empty(), is_newer);
    }
}
