//! Whom messages concern is told once they come, and once a device changes; of the provider's messages nobody of an
//! organization hears in a mode with proxy organizations.

use linesman_schemas::OrgName;
use linesman_schemas::control::IntelligenceRef;

use super::*;
use crate::intelligence::matching::LEVEL;
use crate::table;

pub(super) fn notice(id: &str, kind: &str, relevance: &Value) -> Value {
    json!({"id": id, "kind": kind, "title": format!("of {id}"), "issued": "2026-11-21T10:00:00Z", "relevance": relevance})
}

pub(super) fn device(host: &str, product: &str, os_version: &str) -> String {
    bundle(host, 1, "Low").replace("MX240", product).replace("21.4R3", os_version)
}

impl Lane {
    pub(super) fn provides(&mut self, number: u64, message: &Value) {
        let id = message["id"].as_str().unwrap().to_owned();
        let named = IntelligenceRef { number, id, sha256: number.to_string(), bytes: 1 };
        self.provide(named, message.to_string().as_bytes());
    }

    /// An organization is published a message.
    fn publishes(&mut self, org: &str, message: &Value) {
        self.events.clear();
        self.take(org, "intel", message.to_string().as_bytes());
        self.work();
    }

    pub(super) fn sees(&mut self, org: &str, bundle: &str) {
        self.events.clear();
        self.take(org, "jmb", bundle.as_bytes());
        self.work();
    }

    fn connected(mode: Mode, policies: &[(&str, &str)]) -> Self {
        let mut lane = Self::with(&[]);
        lane.mode = mode;
        lane.rules(2, policies, Settings::default());
        lane.events.clear();
        lane
    }
}

const ALL: &str = r#"
    policy(#{ on: ["bug-notice.arrived", "bug-notice.matched", "end-of-life.matched", "intelligence.matched", "exposure.new"] });
    fn react(message, org) {
        publish("said", #{ org: org.name, id: message.id, affected: message.affected, count: message.affected_count });
    }
"#;
const LOGS: &str = r#"
    policy(#{ on: "bug-notice.matched" });
    fn react(message, org) { log(`${message.id} concerns ${message.affected_count} of ${org.name}`); }
"#;
const FAILS: &str = r#"
    policy(#{ on: "bug-notice.matched", where: #{ organization: "acme" } });
    fn react(message, org) { throw "no" }
"#;
const OWN: &str = r#"
    policy(#{ on: ["bug-notice.arrived", "bug-notice.matched", "exposure.new"] });
    fn react(message, org) { publish("own", #{ id: message.id }); }
"#;
const POLICIES: [(&str, &str); 4] = [("all", ALL), ("fails", FAILS), ("logs", LOGS), ("acme/own", OWN)];

#[test]
fn of_the_providers_messages_nobody_of_an_organization_hears_in_a_mode_with_proxies() {
    for reopens in [false, true] {
        let mut lane = Lane::connected(Mode::Partner, &POLICIES);
        lane.reopens = reopens;
        lane.sees("acme", &device("a", "MX240", "21.4R3"));
        lane.sees("acme", &device("b", "MX480", "21.4R3"));
        lane.sees("bolt", &device("c", "QFX5100", "21.4R3"));
        lane.provides(
            1,
            &notice("T1", "bug-notice", &json!({"products": ["MX2*", "MX4*"], "os_versions": ["< 22.1"]})),
        );
        let is_told =
            |(subject, event): &(String, Received)| subject.starts_with("_provider.") && event.source == "/provider";
        assert!(lane.events.iter().all(is_told), "{:?}", lane.subjects());
        let arrived: Vec<_> = lane.on("_provider.trigger.bug-notice.arrived");
        let arrived: Vec<_> = arrived.iter().map(|event| &event.data["organization"]).collect();
        assert_eq!(arrived, ["acme", "bolt"], "whoever it concerns");
        let [matched] = lane.on("_provider.trigger.bug-notice.matched")[..] else { panic!("{:?}", lane.subjects()) };
        let expected = json!({
            "organization": "acme", "id": "T1", "kind": "bug-notice", "title": "of T1", "count": 2,
            "devices": ["SNa", "SNb"], "reasons": ["product MX2*", "os_version < 22.1", "product MX4*"],
        });
        assert_eq!(matched.data, expected);
        // Policies of everyone's judge it in the organization, and what they say is told the provider.
        let said: Vec<_> =
            lane.on("_provider.reaction.said").iter().map(|event| event.data["action"].clone()).collect();
        let arrival = |org: &str| json!({"org": org, "id": "T1", "affected": null, "count": null});
        let matched = json!({"org": "acme", "id": "T1", "affected": ["SNa", "SNb"], "count": 2});
        assert_eq!(said, [arrival("acme"), matched, arrival("bolt")]);
        let [letter] = lane.on("_provider.dead.policy-failed")[..] else { panic!("{:?}", lane.subjects()) };
        assert_eq!(letter.data["policy"]["name"], "fails");
        assert!(lane.pending().is_empty(), "no reaction of an organization's tells of it");
        let rows: Vec<_> =
            reactions::all(&lane.base).map(Result::unwrap).filter(|(_, row)| row.destination == "log").collect();
        let [(_, row)] = rows.as_slice() else { panic!("{rows:?}") };
        assert!(row.org.is_none() && row.action.contains("T1 concerns 2 of acme"), "{row:?}");
        // A new device likewise.
        lane.sees("bolt", &device("d", "MX240", "21.4R3"));
        let ours: Vec<_> = lane.subjects().into_iter().filter(|it| !it.starts_with("_provider.")).collect();
        assert_eq!(ours, ["bolt.trigger.incident.detected"]);
        assert_eq!(lane.on("_provider.trigger.exposure.new")[0].data["organization"], "bolt");
    }
}

#[test]
fn in_other_modes_they_are_the_organizations() {
    for mode in [Mode::Direct, Mode::EndCustomer, Mode::Offline] {
        let mut lane = Lane::connected(mode, &POLICIES);
        lane.sees("acme", &device("a", "MX240", "21.4R3"));
        lane.provides(1, &notice("T1", "bug-notice", &json!({"products": ["MX*"]})));
        let mut told = lane.subjects();
        told.sort_unstable();
        let expected = [
            "acme.dead.policy-failed",
            "acme.reaction.log",
            "acme.reaction.own",
            "acme.reaction.own",
            "acme.reaction.said",
            "acme.reaction.said",
            "acme.trigger.bug-notice.arrived",
            "acme.trigger.bug-notice.matched",
            "bolt.reaction.said",
            "bolt.trigger.bug-notice.arrived",
        ];
        assert_eq!(told, expected, "{mode}");
    }
}

#[test]
fn each_kind_has_its_trigger_and_who_is_not_concerned_hears_nothing() {
    let mut lane = Lane::connected(Mode::Direct, &[]);
    lane.sees("acme", &device("a", "MX240", "21.4R3"));
    for (number, kind, expected) in [
        (1, "alert", "intelligence.matched"),
        (2, "informational", "intelligence.matched"),
        (3, "end-of-life", "end-of-life.matched"),
    ] {
        lane.provides(number, &notice("T", kind, &json!({"serial_numbers": ["SNa"]})));
        assert_eq!(lane.subjects(), [format!("acme.trigger.{expected}")]);
        assert_eq!(lane.on(lane.subjects()[0])[0].data["reasons"], json!(["serial_number SNa"]));
    }
    lane.provides(4, &notice("T", "alert", &json!({"products": ["EX*"]})));
    assert!(lane.subjects().is_empty());
    lane.provides(5, &notice("T", "alert", &json!({})));
    assert_eq!(lane.on("acme.trigger.intelligence.matched")[0].data["reasons"], json!(["everybody"]));
    lane.provides(5, &notice("T", "alert", &json!({})));
    assert!(lane.subjects().is_empty(), "what is known is no news");
}

#[test]
fn an_organizations_own_messages_are_matched_with_its_own_devices_in_every_mode() {
    let received = "policy(#{ on: \"intelligence.received\", where: #{ affected: \"SNa\" } });\n\
        fn react(message, org) { publish(\"received\", #{ affected: message.affected }); }";
    for mode in [Mode::Partner, Mode::Direct] {
        let mut lane = Lane::connected(mode, &[("acme/own", OWN), ("acme/received", received)]);
        lane.sees("acme", &device("a", "MX240", "21.4R3"));
        lane.sees("bolt", &device("b", "MX240", "21.4R3"));
        lane.publishes("acme", &notice("T1", "bug-notice", &json!({"products": ["MX*"]})));
        let expected = [
            "acme.trigger.intelligence.received",
            "acme.reaction.received",
            "acme.trigger.bug-notice.arrived",
            "acme.reaction.own",
            "acme.trigger.bug-notice.matched",
            "acme.reaction.own",
        ];
        let mut expected = expected.to_vec();
        let mut told = lane.subjects();
        expected.sort_unstable();
        told.sort_unstable();
        assert_eq!(told, expected, "{mode}");
        assert_eq!(lane.on("acme.reaction.received")[0].data["action"]["affected"], json!(["SNa"]));
        lane.publishes("acme", &notice("T1", "bug-notice", &json!({"products": ["MX*"]})));
        assert!(lane.subjects().is_empty(), "the very same is no news");
        // Its text is another now, and what it concerns.
        lane.publishes("acme", &notice("T1", "bug-notice", &json!({"products": ["EX*"]})));
        assert_eq!(
            lane.subjects(),
            ["acme.trigger.intelligence.received", "acme.trigger.bug-notice.arrived", "acme.reaction.own"]
        );
    }
}

#[test]
fn what_is_looked_at_in_slices_is_told_once_and_whole() {
    for reopens in [false, true] {
        let mut lane = Lane::with(&[]);
        lane.reopens = reopens;
        for number in 0..60 {
            lane.organization(&format!("org-{number:02}"), "Send all information");
            lane.sees(&format!("org-{number:02}"), &device("a", "MX240", "21.4R3"));
        }
        lane.mode = Mode::Direct;
        lane.rules(2, &[], Settings::default());
        let org: OrgName = "acme".parse().unwrap();
        let many = 2 * crate::intelligence::matching::SLICE_DEVICES + 7;
        let mut writes = crate::state::Writes::default();
        let row = devices::DeviceRow { product: "MX240".to_owned(), ..devices::DeviceRow::unknown() };
        for number in 0..many {
            let key = devices::key(&org, &format!("SN{number:05}")).into_bytes();
            writes.rows.push((key, Some(table::encode(&row).unwrap())));
        }
        lane.base.apply(&writes);
        let message = notice("T1", "bug-notice", &json!({"products": ["MX*"]}));
        let before = lane.sequence;
        lane.provides(1, &message);
        let slices = lane.sequence - before - 1;
        assert_eq!(slices, 5, "in slices");
        let told: Vec<_> = lane.events.iter().filter(|(subject, _)| subject.ends_with("bug-notice.matched")).collect();
        assert_eq!(told.len(), 61);
        let [acme] = lane.on("acme.trigger.bug-notice.matched")[..] else { panic!("{:?}", lane.subjects()) };
        assert_eq!(acme.data["count"], many);
        assert_eq!(acme.data["devices"].as_array().unwrap().len(), 100);
        let arrived = lane.subjects().into_iter().filter(|subject| subject.ends_with("bug-notice.arrived")).count();
        assert_eq!(arrived, 62);
    }
}

#[test]
fn a_device_that_is_new_or_has_changed_is_exposed_to_what_did_not_concern_it_before() {
    for reopens in [false, true] {
        let mut lane = Lane::connected(Mode::Direct, &[("all", ALL)]);
        lane.reopens = reopens;
        lane.provides(1, &notice("T1", "alert", &json!({"products": ["MX*"]})));
        lane.provides(2, &notice("T2", "end-of-life", &json!({"os_versions": ["< 21.4R3"]})));
        lane.publishes("bolt", &notice("T3", "alert", &json!({})));
        let told = |lane: &Lane| -> Vec<Value> {
            lane.on("acme.trigger.exposure.new").iter().map(|event| event.data["id"].clone()).collect()
        };
        lane.sees("acme", &device("a", "MX240", "21.4R3"));
        assert_eq!(told(&lane), ["T1"]);
        let event = lane.on("acme.trigger.exposure.new")[0];
        let expected = json!({
            "organization": "acme", "id": "T1", "kind": "alert", "title": "of T1", "reasons": ["product MX*"],
            "device": {"host_name": "a", "serial_number": "SNa", "product": "MX240", "platform": "", "os_version": "21.4R3"},
        });
        assert_eq!(event.data, expected);
        let said = &lane.on("acme.reaction.said")[0].data["action"];
        assert_eq!(said["affected"], json!(["SNa"]));
        lane.sees("acme", &device("a", "MX240", "21.4R3").replace("502-1", "502-2"));
        assert!(told(&lane).is_empty(), "it is as it was");
        lane.sees("acme", &device("a", "MX240", "20.1R1").replace("502-1", "502-3"));
        assert_eq!(told(&lane), ["T2"], "it went back to an older version");
        lane.sees("acme", &device("a", "EX240", "20.1R1").replace("502-1", "502-4"));
        assert!(told(&lane).is_empty());
        lane.sees("acme", &device("a", "MX240", "21.4R3").replace("502-1", "502-5"));
        assert_eq!(told(&lane), ["T1"]);
        // An own message of the same id stands before the provider's, one that comes later is known.
        lane.publishes("acme", &notice("T1", "informational", &json!({"products": ["MX*"]})));
        lane.provides(3, &notice("T4", "alert", &json!({"serial_numbers": ["SNb"]})));
        lane.sees("acme", &device("b", "MX240", "21.4R3"));
        assert_eq!(told(&lane), ["T1", "T4"]);
        assert_eq!(lane.on("acme.trigger.exposure.new")[0].data["kind"], "informational");
    }
}

#[test]
fn beyond_a_hundred_messages_are_counted() {
    let mut lane = Lane::connected(Mode::Direct, &[]);
    for number in 1..=103 {
        lane.provides(number, &notice(&format!("T{number:03}"), "alert", &json!({"products": ["MX*"]})));
    }
    lane.sees("acme", &device("a", "MX240", "21.4R3"));
    let told = lane.on("acme.trigger.exposure.new");
    assert_eq!(told.len(), 100);
    assert_eq!(told[99].data["further"], 3);
    assert!(told[98].data.get("further").is_none());
}

#[test]
fn an_organization_is_told_of_none_of_the_providers_by_counting_its_own() {
    let mut lane = Lane::connected(Mode::Partner, &[]);
    for number in 1..=3 {
        lane.provides(number, &notice(&format!("P{number}"), "alert", &json!({"products": ["MX*"]})));
    }
    for number in 1..=100 {
        lane.publishes("acme", &notice(&format!("T{number:03}"), "alert", &json!({"products": ["MX*"]})));
    }
    lane.sees("acme", &device("a", "MX240", "21.4R3"));
    let told = lane.on("acme.trigger.exposure.new");
    assert_eq!((told.len(), told.iter().find(|event| event.data.get("further").is_some())), (100, None));
    assert_eq!(lane.on("_provider.trigger.exposure.new").len(), 3);
}

#[test]
fn below_level_11_nobody_is_told() {
    let mut lane = Lane::at(LEVEL - 1);
    for org in ["acme", "bolt"] {
        lane.organization(org, "Send all information");
    }
    lane.rules(1, &POLICIES, Settings::default());
    lane.sees("acme", &device("a", "MX240", "21.4R3"));
    lane.provides(1, &notice("T1", "bug-notice", &json!({})));
    assert!(lane.subjects().is_empty());
    lane.publishes("acme", &notice("T1", "bug-notice", &json!({})));
    assert_eq!(lane.subjects(), ["acme.trigger.intelligence.received"]);
    lane.sees("acme", &device("b", "MX240", "21.4R3"));
    assert_eq!(lane.subjects(), ["acme.trigger.incident.detected"]);
}

#[test]
fn policies_ask_for_the_organizations_devices_as_they_are() {
    let asks = "policy(#{ on: \"incident.detected\" });\n\
        fn react(incident, org) { publish(\"older\", #{ of: org.devices(#{ os_version: \"< 21.4R3\" }) }); }";
    for reopens in [false, true] {
        let mut lane = Lane::connected(Mode::Direct, &[("asks", asks)]);
        lane.reopens = reopens;
        lane.sees("bolt", &device("z", "MX240", "20.1R1"));
        for (number, host, os_version, expected) in [
            (1, "a", "21.4R3", json!([])),
            (2, "b", "20.4R1", json!(["SNb"])),
            (3, "a", "21.1R1", json!(["SNa", "SNb"])),
            (4, "b", "22.1R1", json!(["SNa"])),
        ] {
            lane.sees("acme", &device(host, "MX240", os_version).replace("502-1", &format!("502-{number}")));
            assert_eq!(lane.on("acme.reaction.older")[0].data["action"]["of"], expected, "{number}");
        }
    }
    let mut lane = Lane::at(LEVEL - 1);
    lane.organization("acme", "Send all information");
    lane.rules(1, &[("asks", asks)], Settings::default());
    lane.sees("acme", &device("a", "MX240", "21.4R3"));
    let detail = &lane.on("acme.dead.policy-failed")[0].data["detail"];
    assert!(detail.as_str().unwrap().contains("from engine level 11 on"), "{detail}");
}
