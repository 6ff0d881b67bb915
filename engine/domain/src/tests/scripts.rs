//! Scripts on devices: what is kept of them, who uses it, and whose that is.

use linesman_schemas::OrgName;
use linesman_schemas::approval::{ApprovalKind, ApprovalRule, ApprovalSettings};
use linesman_schemas::audit::{Record, Verdict};
use linesman_schemas::scripts::ScriptsState;
use linesman_schemas::{IncidentStep, Right, Rights};

use super::*;
use crate::approvals;
use crate::scripts::{self, DeviceScriptsRow, GroupScriptsRow};

fn org(name: &str) -> OrgName {
    name.parse().unwrap()
}

impl Lane {
    /// An organization with a device group and a device of it, a bundle and a profile.
    fn kept(&mut self, org: &str) {
        for verb in [
            json!({"set_organization": {
                "display_name": org, "is_proxy": false, "filter_level": "Send all information",
                "device_groups": [{"name": "core", "devices": ["r*"]}],
            }}),
            json!({"set_device": {
                "name": "r1", "is_new": true, "address": "192.0.2.1", "user": "linesman", "credentials": "key",
            }}),
            bundle("1", "look 1"),
            bundle("2", "look 2"),
            json!({"set_event_profile": {"name": "chassis", "events": [{"event": "FAN_FAILURE", "priority": 1}]}}),
        ] {
            let done = self.asked_of(org, &verb);
            assert_eq!(done.0, Verdict::Done, "{verb}: {done:?}");
        }
    }

    fn group_scripts(&self, of: &str) -> Option<GroupScriptsRow> {
        self.row(&scripts::group_key(&org(of), "core"))
    }

    fn device_scripts(&self, of: &str) -> Option<DeviceScriptsRow> {
        self.row(&scripts::device_key(&org(of), "r1"))
    }

    fn scripts_stand(&mut self, org: &str, standing: &Value) {
        self.take(org, "result", json!({ "scripts_stand": standing }).to_string().as_bytes());
        self.work();
    }
}

fn bundle(version: &str, content: &str) -> Value {
    let file = json!({"kind": "op", "name": "look.slax", "content": content});
    json!({"set_script_bundle": {"name": "health", "version": version, "files": [file]}})
}

fn install(version: &str) -> Value {
    let scripts = json!({"bundle": "health", "version": version, "event_profile": "chassis"});
    json!({"install_scripts": {"device_group": "core", "scripts": scripts}})
}

fn done(order: u64, version: Option<&str>) -> Value {
    let has = version.map(|version| json!({"bundle": "health", "version": version, "event_profile": "chassis"}));
    json!({
        "device": "r1", "device_group": "core", "order": order, "state": "done", "done": 1, "of": 1, "has": has,
    })
}

#[test]
fn a_version_is_what_it_is_and_stays_while_somebody_has_it() {
    let mut lane = Lane::with(&[]);
    lane.kept("acme");
    lane.kept("bolt");
    let other = lane.asked_of("acme", &bundle("1", "look otherwise"));
    assert_eq!(other.0, Verdict::Conflict, "{other:?}");
    assert!(other.1.contains("what a version is does not change"), "{other:?}");
    assert_eq!(lane.asked_of("acme", &bundle("1", "look 1")), (Verdict::Done, "unchanged".to_owned()));
    let asked = lane.asked_of("acme", &install("1"));
    assert_eq!(asked.0, Verdict::Done, "{asked:?}");
    assert_eq!(lane.group_scripts("acme").unwrap().order, 1);
    assert_eq!(lane.group_scripts("bolt"), None);
    lane.scripts_stand("acme", &done(1, Some("1")));
    assert_eq!(lane.device_scripts("acme").unwrap().state, ScriptsState::Done);
    assert_eq!(lane.device_scripts("bolt"), None);
    // The group is to have another, and the device has this one still.
    assert_eq!(lane.asked_of("acme", &install("2")).0, Verdict::Done);
    assert_eq!(lane.group_scripts("acme").unwrap().order, 2);
    let remove = |version: &str| json!({"remove_script_bundle": {"name": "health", "version": version}});
    let used = lane.asked_of("acme", &remove("1"));
    assert_eq!(
        used,
        (Verdict::Conflict, "version `1` of `health` is not removed while the device `r1` has it".to_owned())
    );
    let used = lane.asked_of("acme", &remove("2"));
    assert!(used.1.contains("the device group `core` is to have it"), "{used:?}");
    let profile =
        json!({"set_event_profile": {"name": "chassis", "events": [{"event": "FAN_FAILURE", "priority": 2}]}});
    assert_eq!(lane.asked_of("acme", &profile).0, Verdict::Conflict);
    assert_eq!(lane.asked_of("bolt", &profile).0, Verdict::Done, "another's is another");
    assert_eq!(lane.asked_of("acme", &json!({"remove_event_profile": {"name": "chassis"}})).0, Verdict::Conflict);
    lane.scripts_stand("acme", &done(2, Some("2")));
    assert_eq!(lane.asked_of("acme", &remove("1")).0, Verdict::Done);
    assert_eq!(lane.asked_of("acme", &json!({"remove_scripts": {"device_group": "core"}})).0, Verdict::Done);
    lane.scripts_stand("acme", &done(3, None));
    assert_eq!(lane.asked_of("acme", &remove("2")).0, Verdict::Done);
    assert_eq!(lane.asked_of("acme", &json!({"remove_event_profile": {"name": "chassis"}})).0, Verdict::Done);
}

#[test]
fn other_hardware_under_a_name_has_nothing_of_the_one_before() {
    let mut lane = Lane::with(&[]);
    lane.kept("acme");
    lane.asked_of("acme", &install("1"));
    let says = |lane: &mut Lane, serial_number: &str, product: &str| {
        let facts = json!({"serial_number": serial_number, "host_name": "r1", "product": product, "os_version": "21"});
        let standing = json!({"device": "r1", "state": "reachable", "facts": facts});
        lane.take("acme", "result", json!({ "device_stands": standing }).to_string().as_bytes());
    };
    let is_found = |lane: &mut Lane, serial_number: &str| says(lane, serial_number, "MX240");
    is_found(&mut lane, "JN1");
    lane.scripts_stand("acme", &done(1, Some("1")));
    let standing = lane.device_scripts("acme").unwrap();
    for serial_number in ["JN1", "", "JN1"] {
        is_found(&mut lane, serial_number);
    }
    assert_eq!(lane.device_scripts("acme"), Some(standing.clone()), "it is the same");
    // Of another host key nobody knows whose it is: it is looked at, and what is ours stays so.
    let pin = json!({"pin_host_key": {"name": "r1", "host_key": "ssh-ed25519 AAAAb"}});
    assert_eq!(lane.asked_of("acme", &pin).0, Verdict::Done);
    let row = lane.device_scripts("acme").unwrap();
    assert_eq!((row.state, row.done, row.has), (ScriptsState::Waiting, 0, standing.has));
    lane.scripts_stand("acme", &done(1, Some("1")));
    // Another serial number is another device, also where it is said late; another model is one that says none.
    is_found(&mut lane, "");
    is_found(&mut lane, "JN2");
    assert_eq!(lane.device_scripts("acme"), None, "what the one before has stands as done");
    lane.scripts_stand("acme", &done(1, Some("1")));
    says(&mut lane, "", "MX960");
    assert_eq!(lane.device_scripts("acme"), None, "what the one before has stands as done");
    lane.scripts_stand("acme", &done(1, Some("1")));
    for (serial_number, is_known) in [("JN2", true), ("JN3", false)] {
        let set = json!({"set_device": {"name": "r1", "serial_number": serial_number}});
        assert_eq!(lane.asked_of("acme", &set).0, Verdict::Done);
        assert_eq!(lane.device_scripts("acme").is_some(), is_known, "{serial_number}");
    }
}

#[test]
fn what_is_not_there_is_not_installed() {
    let mut lane = Lane::with(&[]);
    lane.kept("acme");
    let of = |group: &str, bundle: &str, profile: &str| {
        json!({"install_scripts": {"device_group": group, "scripts": {
            "bundle": bundle, "version": "1", "event_profile": profile,
        }}})
    };
    for (verb, words) in [
        (of("edge", "health", ""), "`acme` has no device group `edge`"),
        (of("core", "other", ""), "`acme` has no version `1` of a bundle of scripts `other`"),
        (of("core", "health", "none"), "`acme` has no event profile `none`"),
        (json!({"remove_scripts": {"device_group": "core"}}), "no scripts are installed on the device group `core`"),
    ] {
        assert_eq!(lane.asked_of("acme", &verb), (Verdict::NotFound, words.to_owned()));
    }
    assert_eq!(lane.group_scripts("acme"), None);
}

#[test]
fn of_a_device_that_is_reached_no_more_nothing_is_kept() {
    let mut lane = Lane::with(&[]);
    lane.kept("acme");
    lane.asked_of("acme", &install("1"));
    lane.scripts_stand("acme", &done(1, Some("1")));
    assert!(lane.device_scripts("acme").is_some());
    assert_eq!(lane.asked_of("acme", &json!({"remove_device": {"name": "r1"}})).0, Verdict::Done);
    assert_eq!(lane.device_scripts("acme"), None);
    lane.scripts_stand("acme", &done(1, Some("1")));
    assert_eq!(lane.device_scripts("acme"), None);
}

#[test]
fn what_is_beyond_its_bounds_is_refused() {
    let mut lane = Lane::with(&[]);
    lane.kept("acme");
    let file = |name: &str, content: &str| {
        let file = json!({"kind": "op", "name": name, "content": content});
        json!({"set_script_bundle": {"name": "other", "version": "1", "files": [file]}})
    };
    let long = "x".repeat(256 * 1024 + 1);
    for verb in [
        file("../look.slax", "x"),
        file(".look.slax", "x"),
        file("look.sh", "x"),
        file("look.slax", ""),
        file("look.slax", "\u{0}"),
        file("look.slax", &long),
        json!({"set_event_profile": {"name": "p", "events": [{"event": "A", "priority": 5}]}}),
        json!({"set_event_profile": {"name": "p", "events": [{"event": "A B", "priority": 1}]}}),
        json!({"set_event_profile": {"name": "p", "events": []}}),
    ] {
        let given = lane.asked_of("acme", &verb);
        assert_eq!(given.0, Verdict::Invalid, "{given:?}");
    }
    assert_eq!(lane.asked_of("acme", &file("look.slax", "x")).0, Verdict::Done);
}

#[test]
fn scripts_that_change_the_configuration_of_devices_wait_for_who_approves_that() {
    let mut lane = Lane::with(&[]);
    lane.kept("acme");
    lane.kept("bolt");
    let approvals = ApprovalSettings { configure_device: ApprovalRule::TwoPerson, ..ApprovalSettings::default() };
    lane.rules(2, &[], Settings { approvals, ..Settings::default() });
    lane.person("bob", "acme", Rights::of([Right::Approvals], IncidentStep::None));
    let asked = lane.asked_of("acme", &install("1"));
    assert_eq!(asked, (Verdict::AwaitingApproval, "acme-a1".to_owned()));
    assert_eq!(lane.group_scripts("acme"), None, "devices get them before anybody approves it");
    let row = lane.row(&approvals::key(&"acme-a1".parse().unwrap())).unwrap();
    assert_eq!(row.kind, ApprovalKind::ConfigureDevice);
    let content: Value = serde_json::from_str(&row.content).unwrap();
    assert!(content["text"].as_str().unwrap().contains("file look.slax;"), "{content}");
    let decided = lane.of_person("bob", &json!({"approve_approval": {"approval": "acme-a1"}}));
    assert_eq!(decided, (Verdict::Done, "approved".to_owned()));
    assert_eq!(lane.group_scripts("acme").unwrap().order, 1);
    // What devices are to have already changes nothing of them; another version does; what takes away needs nobody.
    assert_eq!(lane.asked_of("acme", &install("1")).0, Verdict::Done);
    assert_eq!(lane.asked_of("acme", &install("2")), (Verdict::AwaitingApproval, "acme-a2".to_owned()));
    let rejected = lane.of_person("bob", &json!({"reject_approval": {"approval": "acme-a2"}}));
    assert_eq!(rejected, (Verdict::Done, "rejected".to_owned()));
    assert_eq!(lane.group_scripts("acme").unwrap().order, 2);
    assert_eq!(lane.asked_of("acme", &json!({"remove_scripts": {"device_group": "core"}})).0, Verdict::Done);
    assert_eq!(lane.group_scripts("bolt"), None);
}

#[test]
fn where_changes_of_devices_need_approval_nobody_brings_them_about_by_what_is_gathered() {
    let mut lane = Lane::with(&[]);
    lane.kept("acme");
    let group = |name: &str, command: &str| json!({"set_directives_group": {"name": name, "commands": ["show version", command]}});
    assert_eq!(lane.asked_of("acme", &group("before", "request system reboot")).0, Verdict::Done);
    let approvals = ApprovalSettings { configure_device: ApprovalRule::OnePerson, ..ApprovalSettings::default() };
    lane.rules(2, &[], Settings { approvals, ..Settings::default() });
    let refused = lane.asked_of("acme", &group("other", "request system reboot"));
    let words = "what changes devices needs approval here, and `request system reboot` may: data is gathered by `show` and \
                 `request support information` alone";
    assert_eq!(refused, (Verdict::Forbidden, words.to_owned()));
    let named = |group: &str| json!({"set_device": {"name": "r1", "directives": [group]}});
    assert_eq!(lane.asked_of("acme", &named("before")).0, Verdict::Forbidden);
    assert_eq!(lane.asked_of("acme", &group("mx", "request support information")).0, Verdict::Done);
    assert_eq!(lane.asked_of("acme", &named("mx")).0, Verdict::Done);
}

/// What became of scripts, as it is on record.
fn records(lane: &Lane) -> Vec<Record> {
    let log = crate::audit::Log::open(&lane.base, &"acme".parse().unwrap()).unwrap();
    let records = (0..log.head().size()).map(|index| log.record(index).unwrap().unwrap().0);
    records.filter(|record| record.operation == scripts::CHANGE).collect()
}

/// The same of a device: what its report says, beside how it stands.
fn ends(lane: &mut Lane, order: u64, version: Option<&str>, state: &str, more: &Value) {
    let mut standing = done(order, version);
    standing["state"] = json!(state);
    standing["change"] = json!({"node": "bf23ba22636b1932"});
    standing["change"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    lane.scripts_stand("acme", &standing);
}

#[test]
fn what_came_of_scripts_is_on_record_with_who_which_node_and_what_changed() {
    let mut lane = Lane::with(&[]);
    lane.kept("acme");
    for name in ["ann", "bob"] {
        lane.person(name, "acme", Rights::of([Right::Devices], IncidentStep::None));
    }
    let scripts = |version: &str| json!({"bundle": "health", "version": version, "event_profile": "chassis"});
    assert_eq!(lane.of_person("ann", &install("1")).0, Verdict::Done);
    lane.scripts_stand("acme", &json!({"device": "r1", "device_group": "core", "order": 1, "state": "waiting"}));
    // Another order has come before the device has come to an end.
    assert_eq!(lane.of_person("bob", &install("2")).0, Verdict::Done);
    assert_eq!(records(&lane).len(), 0);
    let difference = json!({"text": "[edit]\n+  a;\n", "added": 1, "removed": 0, "sha256": "11"});
    let file = json!({"kind": "op", "name": "look.slax", "change": "new"});
    let change = json!({"wanted": scripts("1"), "files": [file], "difference": difference});
    ends(&mut lane, 1, Some("1"), "configured", &change);
    ends(&mut lane, 1, Some("1"), "done", &change);
    let record = records(&lane).pop().unwrap();
    let expected = json!({
        "outcome": "applied", "device_group": "core", "order": 1, "by": ["ann"], "scripts": scripts("1"), "had": null,
        "files": [{"kind": "op", "name": "look.slax", "change": "new", "found": null}],
        "difference": {"text": "[edit]\n+  a;\n", "cut": false, "added": 1, "removed": 0, "sha256": "11"},
    });
    assert_eq!((records(&lane).len(), &record.new), (1, &expected), "once it has them it is on record");
    assert_eq!((&*record.actor, &*record.node, &*record.place), ("machine", "bf23ba22636b1932", "acme"));
    assert_eq!((record.about.as_deref(), record.outcome), (Some("r1"), Verdict::Done));
    let said = &lane.on("acme.audit.change-scripts")[0].data;
    assert_eq!((&said["new"], &said["index"]), (&expected, &json!(record.index)));

    let outcome = |lane: &Lane| {
        let record = records(lane).pop().unwrap();
        (record.new["outcome"].as_str().unwrap().to_owned(), record.new["by"].clone(), record.outcome)
    };
    ends(&mut lane, 2, Some("1"), "waiting", &json!({}));
    ends(&mut lane, 2, Some("1"), "rolled-back", &json!({"wanted": scripts("2")}));
    ends(&mut lane, 2, Some("1"), "rolled-back", &json!({"wanted": scripts("2")}));
    assert_eq!(outcome(&lane), ("rolled-back".to_owned(), json!(["bob"]), Verdict::Conflict));
    let new = records(&lane).pop().unwrap().new;
    assert_eq!((&new["scripts"]["version"], &new["had"]["version"]), (&json!("2"), &json!("1")));
    assert_eq!(lane.of_person("ann", &install("2")).0, Verdict::Done);
    ends(&mut lane, 3, Some("1"), "failed", &json!({"wanted": scripts("2")}));
    assert_eq!(outcome(&lane), ("failed".to_owned(), json!(["ann"]), Verdict::Conflict));
    assert_eq!(lane.of_person("bob", &json!({"remove_scripts": {"device_group": "core"}})).0, Verdict::Done);
    ends(&mut lane, 4, None, "done", &json!({}));
    assert_eq!(outcome(&lane), ("unchanged".to_owned(), json!(["bob"]), Verdict::Done));
    assert_eq!(records(&lane).len(), 4, "what is said twice is one record");
}
