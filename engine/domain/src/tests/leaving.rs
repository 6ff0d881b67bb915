//! What leaves of a case's texts at each filter level: never what is held back, in no reaction and no row that waits.

use linesman_schemas::FilterLevel;
use linesman_schemas::command::NOTE_MOST;
use linesman_schemas::reaction::Action;

use super::*;
use crate::cases::leaving::without_texts;

const ADDRESS: &str = "10.20.30.40";
const SECRET: &str = "$9$aLUDk5QF3nCmPu1Ec";
const CONFIGURED: &str = "pe-1-uplink";

/// A problem whose every text has something that a level holds back.
fn planted(number: u64) -> String {
    let description = format!(
        "peer {ADDRESS} is down\nset security ike policy p pre-shared-key ascii-text \"{SECRET}\"\n\
         user@edge&gt; show configuration interfaces\nge-0/0/0 {{\n    description {CONFIGURED};\n}}\n"
    );
    bundle("a", number, "High")
        .replace("secret synopsis of a", &format!("peer {ADDRESS} key {SECRET}"))
        .replace("<priority>", &format!("<problem-description>{description}</problem-description><priority>"))
}

const OPEN: &str = "policy(#{ on: \"incident.detected\" });\n\
    fn react(incident, org) { submit_case(#{ comments: `see ${incident.synopsis}` }); }";

fn lane(at: u32, filter_level: &str) -> Lane {
    let mut lane = Lane::at(at);
    lane.organization("acme", filter_level);
    lane.rules(1, &[("open", OPEN)], Settings::default());
    lane.events.clear();
    lane
}

fn action(lane: &Lane) -> Value {
    let (_, row) = lane.pending().pop().unwrap();
    serde_json::from_str(&row.action).unwrap()
}

#[test]
fn every_level_lets_out_what_it_says_and_nothing_else() {
    for (level, name) in FilterLevel::ALL.iter().filter(|(level, _)| *level != FilterLevel::DoNotSend) {
        let mut lane = lane(level::NEWEST, name);
        lane.take("acme", "jmb", planted(1).as_bytes());
        let said = lane.on("acme.reaction.jss")[0].data["action"].clone();
        assert_eq!(said, action(&lane), "{name}");
        let text = said.to_string();
        let (has_address, has_configuration) = match level {
            FilterLevel::All => (true, true),
            FilterLevel::ExceptConfiguration => (true, false),
            FilterLevel::AddressesOverwritten => (false, true),
            FilterLevel::FeaturesOnly | FilterLevel::DoNotSend => (false, false),
        };
        assert_eq!((text.contains(ADDRESS), text.contains(CONFIGURED)), (has_address, has_configuration), "{text}");
        assert!(!text.contains(SECRET), "{text}");
        assert_eq!(said["submit_case"]["details"].is_object(), *level != FilterLevel::FeaturesOnly);
    }
    let mut lane = lane(level::NEWEST, "Send all information with IP addresses overwritten");
    lane.take("acme", "jmb", planted(1).as_bytes());
    let sent = &action(&lane)["submit_case"];
    assert_eq!(sent["synopsis"], "peer x.x.x.x key SECRET-WITHHELD");
    assert_eq!(sent["details"]["comments"], "see peer x.x.x.x key SECRET-WITHHELD");
    assert_eq!((&sent["details"]["host_name"], &sent["details"]["os_version"]), (&json!("a"), &json!("21.4R3")));
}

#[test]
fn before_level_7_nothing_of_it_left() {
    let mut lane = lane(6, "Send all information with IP addresses overwritten");
    lane.take("acme", "jmb", planted(1).as_bytes());
    let expected = json!({"submit_case": {"incident": "acme-1", "priority": "High",
        "synopsis": "withheld by filter level", "details": null}});
    assert_eq!(action(&lane), expected);
    let mut lane = self::lane(6, "Send all information");
    lane.take("acme", "jmb", planted(1).as_bytes());
    assert!(action(&lane).to_string().contains(SECRET), "as it was decided then");
}

#[test]
fn a_note_leaves_as_its_case_does_and_follows_the_level_while_it_waits() {
    let mut lane = lane(level::NEWEST, "Send all information");
    lane.take("acme", "jmb", planted(1).as_bytes());
    lane.report(&accepted());
    let text = format!("seen from {ADDRESS}, \"password {SECRET};\"");
    let principal = json!({"kind": "provider", "name": "admin"});
    let verb = json!({"note_case": {"incident": "acme-1", "text": text}});
    let command = json!({"id": "n", "principal": principal, "node": "n", "verb": verb});
    lane.take("acme", "cmd", command.to_string().as_bytes());
    let note = |lane: &Lane| action(lane)["tell_case"]["step"]["note"].clone();
    assert_eq!(note(&lane)["text"], format!("seen from {ADDRESS}, \"password SECRET-WITHHELD;\""));
    lane.organization("acme", "Send all information with IP addresses overwritten");
    assert_eq!(note(&lane)["text"], "seen from x.x.x.x, \"password SECRET-WITHHELD;\"");
    assert_eq!(note(&lane)["author"], "admin");
    lane.organization("acme", "Only send list of features used");
    assert_eq!((&note(&lane)["text"], &note(&lane)["author"]), (&json!("withheld by filter level"), &json!("")));
}

#[test]
fn what_becomes_longer_stays_within_its_bounds() {
    let mut lane = lane(level::NEWEST, "Send all information with IP addresses overwritten");
    lane.take("acme", "jmb", bundle("a", 1, "High").as_bytes());
    lane.report(&accepted());
    let text = "::2 ".repeat(NOTE_MOST / 4);
    let verb = json!({"note_case": {"incident": "acme-1", "text": text}});
    let principal = json!({"kind": "provider", "name": "admin"});
    let command = json!({"id": "n", "principal": principal, "node": "n", "verb": verb});
    lane.take("acme", "cmd", command.to_string().as_bytes());
    let told = action(&lane)["tell_case"]["step"]["note"]["text"].as_str().unwrap().to_owned();
    assert!(told.starts_with("x:x::x x:x::x "), "{told}");
    assert_eq!(told.chars().count(), NOTE_MOST);
}

#[test]
fn what_texts_come_to_is_in_no_digest() {
    let form = |level: u32, synopsis: &str| {
        let mut lane = lane(level::NEWEST, "Send all information");
        lane.take("acme", "jmb", bundle("a", 1, "High").replace("secret synopsis", synopsis).as_bytes());
        let (_, row) = lane.pending().pop().unwrap();
        let stored = crate::table::encode(&row).unwrap();
        row.form(level, &stored).unwrap().into_owned()
    };
    assert_eq!(form(7, "x.x.x.x"), form(7, "10.0.0.x"));
    assert_ne!(form(6, "x.x.x.x"), form(6, "10.0.0.x"));
    let mut lane = lane(level::NEWEST, "Send all information");
    lane.bundle("acme", "a", 1, "High");
    let action: Action = serde_json::from_value(action(&lane)).unwrap();
    let covered = serde_json::to_value(without_texts(level::NEWEST, &action).unwrap()).unwrap();
    assert_eq!(
        (&covered["submit_case"]["synopsis"], &covered["submit_case"]["priority"]),
        (&json!(""), &json!("High"))
    );
    assert!(!covered.to_string().contains("SNa"), "{covered}");
}
