//! Data that is gathered from devices without scripts: who asks for what, how far it is, and whose snapshots are made so.

use jiff::ToSpan as _;
use linesman_schemas::audit::Verdict;
use linesman_schemas::gathering::GatheringKind;

use super::*;
use crate::reached::{self, GatheredRow, RunState};
use crate::snapshots::{self, SnapshotsRow};

const WATCH: (&str, &str) = (
    "watch",
    "policy(#{ on: \"collection.switched\" });\nfn react(device, org) { publish(\"switched\", #{ of: device.name, last: device.last_snapshot, model: device.product }); }",
);
const COLLECT: (&str, &str) = (
    "collect",
    "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { collect(#{ kind: \"event\", synopsis: `more of ${incident.device.host_name}` }); }",
);

impl Lane {
    /// A device `r1` with the serial number of host `a`, which names a group of commands.
    fn gathers(&mut self, org: &str) {
        let group = json!({"name": "mx", "commands": ["show version", "show alarms"]});
        assert_eq!(self.asked_of(org, &json!({"set_directives_group": group})).0, Verdict::Done);
        let device = json!({
            "name": "r1", "address": "192.0.2.1", "user": "u", "credentials": "key", "serial_number": "SNa", "directives": ["mx"],
        });
        assert_eq!(self.asked_of(org, &json!({"set_device": device})).0, Verdict::Done);
    }

    fn gather(&mut self, org: &str, kind: &str) -> (Verdict, String) {
        self.asked_of(org, &json!({"collect_device": {"name": "r1", "kind": kind}}))
    }

    /// The engine asks for a snapshot, unless the device has made one within a week.
    fn is_due(&mut self) {
        let id = format!("m{}", self.sequence);
        let since = self.now.checked_sub((7 * 24).hours()).unwrap();
        let verb = json!({"collect_device": {"name": "r1", "kind": "information", "unless_since": since}});
        let command = json!({"id": id, "principal": {"kind": "machine"}, "node": "test", "verb": verb});
        self.take("acme", "cmd", command.to_string().as_bytes());
    }

    fn is_gathered(&mut self, kind: &str, number: u64, how: Value) {
        let report = json!({"gathering_stands": {"device": "r1", "kind": kind, "number": number, "how": how}});
        self.take("acme", "result", report.to_string().as_bytes());
    }

    fn gathered(&self) -> GatheredRow {
        self.row(&reached::gathered_key(&"acme".parse().unwrap(), "r1")).unwrap_or_default()
    }

    fn run_state(&self, kind: GatheringKind) -> RunState {
        self.gathered().run(kind).unwrap().state.clone()
    }

    /// A snapshot enters the log.
    fn information_comes(&mut self, host_event_id: &str, origin: &str) {
        let now = self.now;
        let text = format!(
            "<jmb version=\"1.0\" type=\"information\"{origin}><manifest><host-event-ID>{host_event_id}</host-event-ID>\
             <time-occurred>{now}</time-occurred><device><host-name>a</host-name><serial-number>SNa</serial-number>\
             <product>MX240</product><os-version>21.4R3</os-version></device></manifest></jmb>"
        );
        self.take("acme", "jmb", text.as_bytes());
    }

    /// Which device has left the snapshot that has just come.
    fn was_left_by(&mut self, device: &str) {
        let kept: SnapshotsRow = self.row(&snapshots::key(&"acme".parse().unwrap(), "SNa")).unwrap();
        let last = kept.snapshots.iter().max_by_key(|snapshot| snapshot.received).unwrap();
        let named = json!({"device": device, "host_event_id": last.host_event_id, "serial_number": "SNa",
            "sha256": hex::encode(last.bundle.sha256), "files": []});
        self.take("acme", "result", json!({ "files_named": named }).to_string().as_bytes());
    }

    fn days_pass(&mut self, days: i64) {
        self.now = self.now.checked_add((24 * days).hours()).unwrap();
    }
}

fn running_as(host_event_id: &str) -> Value {
    json!({"running": {"done": 1, "of": 2, "host_event_id": host_event_id}})
}

#[test]
fn groups_of_commands_are_kept_and_stay_while_a_device_names_them() {
    let mut lane = Lane::with(&[]);
    lane.gathers("acme");
    assert_eq!(lane.asked_of("acme", &json!({"remove_directives_group": {"name": "mx"}})).0, Verdict::Conflict);
    let other = json!({"set_directives_group": {"name": "mx", "commands": ["show version"]}});
    assert_eq!(lane.asked_of("acme", &other), (Verdict::Done, "changed".to_owned()));
    assert_eq!(lane.asked_of("acme", &other).1, "unchanged");
    assert_eq!(lane.asked_of("bolt", &json!({"remove_directives_group": {"name": "mx"}})).0, Verdict::NotFound);
    lane.asked_of("acme", &json!({"set_device": {"name": "r1", "directives": []}}));
    assert_eq!(lane.gather("acme", "event").0, Verdict::Conflict, "there are no commands");
    assert_eq!(lane.asked_of("acme", &json!({"remove_directives_group": {"name": "mx"}})).0, Verdict::Done);
    let acme = "acme".parse().unwrap();
    assert_eq!(reached::directives(&lane.base, &acme).count(), 0);
}

#[test]
fn one_thing_of_a_kind_is_gathered_at_a_time_and_what_is_late_counts_for_nothing() {
    let mut lane = Lane::with(&[]);
    lane.gathers("acme");
    assert_eq!(lane.gather("bolt", "event").0, Verdict::NotFound);
    assert_eq!(lane.gather("acme", "event").0, Verdict::Done);
    assert_eq!(lane.gather("acme", "event").0, Verdict::Conflict);
    assert_eq!(lane.gather("acme", "rma").0, Verdict::Done, "another kind is another thing");
    lane.is_gathered("event", 1, running_as("a-SNa-20261121-100000-1"));
    assert_eq!(lane.run_state(GatheringKind::Event), RunState::Running { done: 1, of: 2 });
    assert_eq!(lane.gather("acme", "event").0, Verdict::Conflict);
    lane.is_gathered("event", 9, json!({"failed": {"error": "of another"}}));
    let how = json!({"host_event_id": "a-SNa-20261121-100000-1", "failed": 9, "failures": vec!["`show x`: no"; 9]});
    lane.is_gathered("event", 1, json!({ "done": how }));
    let failures = vec!["`show x`: no".to_owned(); 8];
    let done = RunState::Done { host_event_id: "a-SNa-20261121-100000-1".to_owned(), failed: 9, failures };
    assert_eq!(lane.run_state(GatheringKind::Event), done);
    lane.is_gathered("event", 1, json!({"failed": {"error": "said late"}}));
    assert_eq!(lane.run_state(GatheringKind::Event), done);
    assert_eq!(lane.run_state(GatheringKind::Rma), RunState::Asked);
    assert_eq!(lane.gather("acme", "event").0, Verdict::Done);
    assert_eq!(lane.gathered().run(GatheringKind::Event).unwrap().number, 3);
    lane.asked_of("acme", &json!({"remove_device": {"name": "r1"}}));
    assert_eq!(lane.gathered(), GatheredRow::default());
    let scheduled =
        json!({"collect_device": {"name": "r1", "kind": "information", "unless_since": "2026-11-21T10:00:00Z"}});
    lane.gathers("acme");
    assert_eq!(lane.asked_of("acme", &scheduled).0, Verdict::Invalid, "people do not say what is due");
}

#[test]
fn a_device_whose_own_snapshots_stay_out_is_switched_once_and_back_when_they_come() {
    let mut lane = Lane::with(&[WATCH]);
    lane.gathers("acme");
    lane.information_comes("a-SNa-20261121-100000-1", "");
    lane.days_pass(3);
    lane.is_due();
    assert!(matches!(lane.run_state(GatheringKind::Information), RunState::Skipped(_)), "its own is there");
    assert!(!lane.gathered().is_off_box && lane.published("acme", "switched").is_empty());

    lane.days_pass(6);
    lane.is_due();
    assert_eq!(lane.run_state(GatheringKind::Information), RunState::Asked);
    let told = lane.published("acme", "switched");
    let data = told[0].pointer("/publish/data").unwrap_or(&told[0]);
    assert_eq!(
        (&data["of"], &data["last"], &data["model"]),
        (&json!("r1"), &json!("2026-11-21T10:00:00Z"), &json!("MX240"))
    );
    let event = &lane.on("acme.trigger.collection.switched")[0].data;
    assert_eq!((&event["last_snapshot"], &event["device"]["serial_number"]), (&data["last"], &json!("SNa")));

    // What is gathered is none of its own.
    lane.is_gathered("information", 2, running_as("a-SNa-20261130-100000-2"));
    lane.information_comes("a-SNa-20261130-100000-2", " origin=\"off-box\"");
    lane.is_gathered("information", 2, json!({"done": {"host_event_id": "a-SNa-20261130-100000-2"}}));
    lane.days_pass(8);
    lane.is_due();
    assert_eq!(lane.run_state(GatheringKind::Information), RunState::Asked);
    assert!(lane.gathered().is_off_box);
    assert_eq!(lane.published("acme", "switched").len(), 1, "it is told once");
    lane.is_gathered("information", 3, json!({"failed": {"error": "unreachable"}}));

    lane.information_comes("a-SNa-20261208-100000-2", "");
    lane.is_due();
    assert!(matches!(lane.run_state(GatheringKind::Information), RunState::Skipped(_)));
    assert!(!lane.gathered().is_off_box, "its scripts are preferred");
    lane.days_pass(9);
    lane.is_due();
    assert_eq!(lane.published("acme", "switched").len(), 2);
}

#[test]
fn what_another_device_leaves_of_its_serial_number_is_no_snapshot_of_a_devices_own() {
    let mut lane = Lane::with(&[]);
    lane.gathers("acme");
    let evil = json!({"name": "r2", "address": "192.0.2.2", "user": "u", "credentials": "key"});
    assert_eq!(lane.asked_of("acme", &json!({"set_device": evil})).0, Verdict::Done);
    lane.information_comes("a-SNa-20261121-100000-1", "");
    lane.was_left_by("r2");
    lane.is_due();
    assert_eq!(lane.run_state(GatheringKind::Information), RunState::Asked, "it is no snapshot of its own");
    lane.is_gathered("information", 1, json!({"failed": {"error": "unreachable"}}));
    lane.days_pass(1);
    lane.information_comes("a-SNa-20261122-100000-1", "");
    lane.was_left_by("r1");
    lane.is_due();
    assert!(matches!(lane.run_state(GatheringKind::Information), RunState::Skipped(_)), "it has made one itself");
}

#[test]
fn what_was_gathered_from_other_hardware_counts_for_none_that_stands_for_it() {
    let mut lane = Lane::with(&[]);
    lane.gathers("acme");
    let is_found = |lane: &mut Lane, serial_number: &str| {
        let facts = json!({"serial_number": serial_number, "host_name": "a", "product": "MX240", "os_version": "21"});
        let standing = json!({"device": "r1", "state": "reachable", "facts": facts});
        lane.take("acme", "result", json!({ "device_stands": standing }).to_string().as_bytes());
    };
    is_found(&mut lane, "SNa");
    lane.is_due();
    lane.is_gathered("information", 1, running_as("a-SNa-20261121-100000-1"));
    lane.is_gathered("information", 1, json!({"done": {"host_event_id": "a-SNa-20261121-100000-1"}}));
    assert_eq!(lane.gather("acme", "event").0, Verdict::Done);
    is_found(&mut lane, "SNb");
    let gathered = lane.gathered();
    assert!(gathered.run(GatheringKind::Information).is_none() && !gathered.is_off_box, "{gathered:?}");
    assert_eq!((gathered.run(GatheringKind::Event).unwrap().state.is_open(), gathered.count), (true, 2));
}

#[test]
fn a_policy_has_data_gathered_once_and_never_because_of_what_was_gathered() {
    let mut lane = Lane::with(&[COLLECT]);
    lane.gathers("acme");
    lane.bundle("acme", "a", 1, "Low");
    lane.bundle("acme", "a", 2, "Low");
    assert_eq!(lane.gathered().count, 1, "it is under way");
    assert_eq!(lane.gathered().run(GatheringKind::Event).unwrap().synopsis.as_deref(), Some("more of a"));
    let dead = |lane: &Lane| lane.subjects().iter().filter(|subject| subject.starts_with("acme.dead")).count();
    assert_eq!(dead(&lane), 0, "{:?}", lane.subjects());
    let audited = lane.on("acme.audit.collect-device");
    assert_eq!(audited.len(), 1);
    assert_eq!(audited[0].data["actor"], "collect");
    lane.is_gathered("event", 1, json!({"done": {"host_event_id": "a-SNa-20261121-100000-1"}}));
    let made =
        bundle("a", 3, "Low").replace("type=\"event\"", "type=\"on-demand\" variant=\"event\" origin=\"off-box\"");
    lane.take("acme", "jmb", made.as_bytes());
    assert_eq!(lane.gathered().count, 1, "an incident that was gathered leads to no other");
    assert_eq!(dead(&lane), 1);
    lane.bundle("acme", "elsewhere", 4, "Low");
    assert_eq!(dead(&lane), 2, "it is reached by nobody");
    let letters = lane.on("acme.dead.policy-failed");
    let detail = letters.last().unwrap().data["detail"].as_str().unwrap();
    assert!(detail.starts_with("refused: `collect` alone, and all else that the run asked for is done: "), "{detail}");
}

#[test]
fn below_its_level_nothing_is_gathered() {
    let mut lane = Lane::with_at(12, &[COLLECT]);
    let group = json!({"set_directives_group": {"name": "mx", "commands": ["show version"]}});
    lane.command("acme", &group);
    lane.is_gathered("event", 1, running_as("x"));
    lane.bundle("acme", "a", 1, "Low");
    let dead: Vec<_> = lane.events.iter().filter(|(subject, _)| subject.starts_with("acme.dead")).collect();
    assert_eq!(dead.len(), 3, "{dead:?}");
    assert_eq!(reached::directives(&lane.base, &"acme".parse().unwrap()).count(), 0);
    assert_eq!(lane.gathered(), GatheredRow::default());
}
