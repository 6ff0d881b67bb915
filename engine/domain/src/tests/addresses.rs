//! Where spare parts go, what covers devices, and who is silent: each told of its own, and once.

use super::*;
use crate::commands::{self, CommandRow};
use linesman_schemas::audit::Verdict;

const WATCHES: &[(&str, &str)] = &[
    ("open", OPEN_CASE),
    (
        "silent",
        "policy(#{ on: \"device.silent\" });\nfn react(device, org) { publish(\"silent\", #{ of: device.serial_number, group: device.group }); }",
    ),
    (
        "ends",
        "policy(#{ on: \"contract.expiring\" });\nfn react(contract, org) { publish(\"ends\", #{ of: contract.agreement_number, over: contract.has_ended }); }",
    ),
    (
        "lacks",
        "policy(#{ on: \"incident.without-address\" });\nfn react(incident, org) { publish(\"lacks\", #{ of: incident.device.serial_number }); }",
    ),
];

impl Lane {
    pub(super) fn asked_of(&mut self, org: &str, verb: &Value) -> (Verdict, String) {
        let id = format!("c{}", self.sequence);
        self.command(org, verb);
        let row: CommandRow = self.row(&commands::key(Some(&org.parse().unwrap()), &id)).unwrap();
        (row.verdict, row.detail)
    }

    fn groups(&mut self, org: &str, groups: &[(&str, &str)]) {
        let groups: Vec<_> =
            groups.iter().map(|(name, address)| json!({"name": name, "address": address, "contact": "Ann"})).collect();
        assert_eq!(self.asked_of(org, &json!({"set_addresses": {"groups": groups}})).0, Verdict::Done);
    }

    fn ship_to(&mut self, org: &str, serial_number: &str, name: &str) -> (Verdict, String) {
        let device = json!({"serial_number": serial_number, "ship_to": name, "location": ""});
        self.asked_of(org, &json!({"set_addresses": {"devices": [device]}}))
    }

    fn sent_address(&self, org: &str) -> Value {
        let said = self.on(&format!("{org}.reaction.jss"));
        said.last().unwrap().data["action"]["submit_case"]["address"].clone()
    }

    /// Days pass, one by one, and what is to be looked for is.
    fn days(&mut self, days: usize) {
        for _ in 0..days {
            self.now = self.now.checked_add(24.hours()).unwrap();
            self.decide("", "ctl", b"", Content::Tick);
            self.commit();
            self.work();
        }
    }

    pub(super) fn published(&self, org: &str, name: &str) -> Vec<Value> {
        self.on(&format!("{org}.reaction.{name}")).iter().map(|event| event.data["action"].clone()).collect()
    }
}

fn contract(agreement: &str, serial_number: &str, end: &str) -> Value {
    json!({"agreement_number": agreement, "sku": "SVC-1", "serial_number": serial_number, "end": end})
}

#[test]
fn a_case_is_sent_with_the_address_of_its_own_device_and_organization() {
    let mut lane = Lane::with(WATCHES);
    lane.groups("acme", &[("berlin", "Gate 3\n10115 Berlin"), ("paris", "Rue 1")]);
    lane.groups("bolt", &[("berlin", "Secret 9"), ("oslo", "Vei 2")]);
    assert_eq!(lane.ship_to("acme", "SNa", "berlin").0, Verdict::Done);
    assert_eq!(lane.ship_to("acme", "SNb", "paris").0, Verdict::Done);
    assert_eq!(lane.ship_to("bolt", "SNa", "oslo").0, Verdict::Done);
    for (org, host, address) in [
        ("acme", "a", json!("Gate 3\n10115 Berlin\nAnn")),
        ("acme", "b", json!("Rue 1\nAnn")),
        ("bolt", "a", json!("Vei 2\nAnn")),
        ("bolt", "c", Value::Null),
    ] {
        lane.bundle(org, host, 1, "High");
        assert_eq!(lane.sent_address(org), address, "{org} {host}");
    }
    let of_acme = lane.events.iter().filter(|(subject, _)| subject.starts_with("acme."));
    assert!(
        of_acme.clone().count() > 0 && of_acme.clone().all(|(_, event)| !event.data.to_string().contains("Secret"))
    );
}

#[test]
fn addresses_leave_as_far_as_the_filter_level_lets_them() {
    let mut lane = Lane::with(WATCHES);
    lane.groups("acme", &[("berlin", "rack of 192.0.2.7")]);
    lane.ship_to("acme", "SNa", "berlin");
    lane.organization("acme", "Send all information with IP addresses overwritten");
    lane.bundle("acme", "a", 1, "High");
    let sent = lane.sent_address("acme");
    assert!(sent.as_str().unwrap().starts_with("rack of ") && !sent.to_string().contains("192.0.2.7"), "{sent}");
    lane.organization("acme", "Only send list of features used");
    lane.bundle("acme", "a", 2, "High");
    assert_eq!(lane.sent_address("acme"), Value::Null);
}

#[test]
fn all_of_a_change_is_done_or_nothing_of_it() {
    let mut lane = Lane::with(&[]);
    lane.groups("acme", &[("berlin", "Gate 3")]);
    lane.groups("bolt", &[("oslo", "Vei 2")]);
    let given = json!({"set_addresses": {
        "groups": [{"name": "new", "address": "x"}],
        "devices": [{"serial_number": "S1", "ship_to": "new"}, {"serial_number": "S2", "ship_to": "oslo"}],
    }});
    let (verdict, detail) = lane.asked_of("acme", &given);
    assert_eq!(
        (verdict, detail.as_str()),
        (Verdict::Conflict, "device `S2` names `oslo`, and there is no such address group")
    );
    let acme = "acme".parse().unwrap();
    assert_eq!(lane.row(&crate::addresses::key(&acme, "new")), None);
    assert_eq!(lane.row(&crate::addresses::device_key(&acme, "S1")), None);
    assert_eq!(lane.ship_to("acme", "S1", "berlin").0, Verdict::Done);
    let gone = json!({"set_addresses": {"removed": ["berlin"]}});
    assert_eq!(lane.asked_of("acme", &gone).0, Verdict::Conflict, "a device names it");
    assert_eq!(lane.ship_to("acme", "S1", "").0, Verdict::Done);
    assert_eq!(lane.asked_of("acme", &gone).0, Verdict::Done);
    assert_eq!(lane.asked_of("acme", &gone), (Verdict::Conflict, "there is no address group `berlin`".to_owned()));
}

#[test]
fn whoever_keeps_addresses_hears_of_incidents_without_one() {
    let mut lane = Lane::with(WATCHES);
    lane.bundle("acme", "a", 1, "High");
    assert!(lane.on("acme.trigger.incident.without-address").is_empty(), "nobody keeps any");
    lane.groups("acme", &[("berlin", "Gate 3")]);
    lane.bundle("bolt", "a", 2, "High");
    lane.bundle("acme", "a", 2, "High");
    lane.bundle("acme", "a", 2, "High");
    assert_eq!(lane.on("acme.trigger.incident.without-address").len(), 1, "once of each incident");
    assert!(lane.on("bolt.trigger.incident.without-address").is_empty());
    assert_eq!(lane.published("acme", "lacks").len(), 1);
    lane.ship_to("acme", "SNa", "berlin");
    lane.bundle("acme", "a", 3, "High");
    assert_eq!(lane.on("acme.trigger.incident.without-address").len(), 1);
}

#[test]
fn a_silent_device_is_told_of_once_until_it_has_spoken() {
    for reopens in [false, true] {
        let mut lane = Lane::with(WATCHES);
        lane.reopens = reopens;
        lane.bundle("acme", "a", 1, "High");
        lane.bundle("bolt", "b", 1, "High");
        lane.days(13);
        lane.bundle("bolt", "b", 2, "High");
        assert!(lane.on("acme.trigger.device.silent").is_empty());
        lane.days(10);
        let told = lane.on("acme.trigger.device.silent");
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].data["device"]["serial_number"], "SNa");
        assert_eq!(told[0].data["last_seen"], "2026-11-21T10:00:00Z");
        assert!(lane.on("bolt.trigger.device.silent").is_empty(), "it has spoken meanwhile");
        assert_eq!(lane.published("acme", "silent").len(), 1);
        lane.bundle("acme", "a", 3, "High");
        lane.days(40);
        assert_eq!(lane.on("acme.trigger.device.silent").len(), 2, "it has spoken and fallen silent again");
        assert_eq!(lane.on("bolt.trigger.device.silent").len(), 1);
    }
}

#[test]
fn a_contract_is_told_of_once_before_its_end_and_once_then() {
    for reopens in [false, true] {
        let mut lane = Lane::with(WATCHES);
        lane.reopens = reopens;
        let far = contract("A-1", "SNa", "2026-12-31");
        let given = json!({"set_contracts": {"contracts": [far, contract("A-2", "SNa", "2026-12-10"), contract("A-0", "SNa", "2026-11-20")]}});
        assert_eq!(lane.asked_of("acme", &given).0, Verdict::Done);
        let told = |lane: &Lane| {
            let told = lane.on("acme.trigger.contract.expiring");
            told.iter()
                .map(|event| (event.data["agreement_number"].clone(), event.data["has_ended"].clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(&lane), [(json!("A-2"), json!(false))], "near its end when it came; what had ended is known");
        assert_eq!(lane.asked_of("acme", &given).0, Verdict::Done);
        lane.days(9);
        assert_eq!(told(&lane).len(), 1, "imported again it is told of no more");
        lane.days(3);
        assert_eq!(told(&lane)[1..], [(json!("A-1"), json!(false))]);
        lane.days(40);
        assert_eq!(told(&lane)[2..], [(json!("A-2"), json!(true)), (json!("A-1"), json!(true))]);
        assert_eq!(lane.published("acme", "ends").len(), 4);
        lane.asked_of("acme", &json!({"set_contracts": {"contracts": [contract("A-1", "SNa", "2027-01-20")]}}));
        assert_eq!(told(&lane).len(), 5, "of another end it is told anew");
        assert!(lane.on("bolt.trigger.contract.expiring").is_empty());
        let said = lane.on("acme.audit.set-contracts");
        assert_eq!(
            said.last().unwrap().data["old"]["contracts"][0]["end"],
            "2026-12-31",
            "what stood before is on record"
        );
        let gone = json!({"set_contracts": {"removed": ["A-1"]}});
        assert_eq!(lane.asked_of("bolt", &gone).0, Verdict::NotFound);
        assert_eq!(lane.asked_of("acme", &gone).0, Verdict::Done);
        lane.days(60);
        assert_eq!(told(&lane).len(), 5);
    }
}

#[test]
fn before_level_11_there_is_none_of_it() {
    let mut lane = Lane::at(10);
    lane.organization("acme", "Send all information");
    let before = lane.events.len();
    lane.command("acme", &json!({"set_contracts": {"contracts": [contract("A-2", "SNa", "2026-12-10")]}}));
    lane.bundle("acme", "a", 1, "High");
    lane.days(20);
    let subjects: Vec<_> = lane.subjects().split_off(before);
    assert_eq!(subjects, ["acme.dead.command-undecodable", "acme.trigger.incident.detected"]);
    lane.decide("", "ctl", b"", Content::Level(11));
    lane.commit();
    lane.days(1);
    assert_eq!(lane.on("acme.trigger.device.silent").len(), 1, "it was silent before");
}

#[test]
fn a_policy_closes_an_incident_with_a_note() {
    let closes = "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { close_incident(\"known\"); }";
    let mut lane = Lane::with(&[("acme/close", closes)]);
    lane.bundle("acme", "a", 1, "High");
    lane.bundle("bolt", "a", 1, "High");
    let incident = |id: &str| lane.domain.incident(&id.parse().unwrap()).unwrap().unwrap().row.status;
    assert_eq!(incident("acme-1"), crate::incidents::Status::Completed);
    assert_eq!(incident("bolt-1"), crate::incidents::Status::Unassigned);
    let notes = lane.row(&crate::incidents::notes::key(&"acme".parse().unwrap(), 1)).unwrap().notes;
    assert_eq!((notes[0].actor.as_str(), notes[0].text.as_str()), ("policy acme/close", "known"));
}
