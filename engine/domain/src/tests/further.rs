//! What a case says beside its problem: a reference of the customer's own, and whose address it carries.

use super::cascade::report;
use super::*;
use crate::commands::{self, CommandRow};
use linesman_schemas::audit::Verdict;

const WANTS: &str = "policy(#{ on: \"incident.detected\" });\n\
    fn react(incident, org) { submit_case(#{ reference: \"CHG 192.0.2.7\", address: incident.synopsis }); }";

impl Lane {
    fn of_acme(&mut self, verb: &Value) -> (Verdict, String) {
        let id = format!("c{}", self.sequence);
        self.command("acme", verb);
        let row: CommandRow = self.row(&commands::key(Some(&"acme".parse().unwrap()), &id)).unwrap();
        (row.verdict, row.detail)
    }

    fn group(&mut self, org: &str, name: &str, address: &str) {
        let groups = json!([{"name": name, "address": address}]);
        self.command(org, &json!({"set_addresses": {"groups": groups}}));
    }

    fn case_sent(&self) -> Value {
        self.on("acme.reaction.jss").last().map_or(Value::Null, |event| event.data["action"]["submit_case"].clone())
    }
}

/// The synopsis of the bundles of these tests, as what policies take their address from.
const SYNOPSIS: &str = "secret synopsis of a";

#[test]
fn a_policy_gives_a_case_a_reference_and_the_address_of_a_group_by_name() {
    let mut lane = Lane::with(&[("acme/wants", WANTS)]);
    lane.group("acme", SYNOPSIS, "Gate 3");
    lane.group("acme", "paris", "Rue 1");
    lane.command("acme", &json!({"set_addresses": {"devices": [{"serial_number": "SNa", "ship_to": "paris"}]}}));
    lane.bundle("acme", "a", 1, "High");
    let sent = lane.case_sent();
    assert_eq!((&sent["address"], &sent["details"]["reference"]), (&json!("Gate 3"), &json!("CHG 192.0.2.7")));
    let kept = lane.case("acme", 1).further;
    assert_eq!((kept.reference.as_str(), kept.address.as_str()), ("CHG 192.0.2.7", SYNOPSIS));

    // What waits follows the level, and the group as it is by then.
    lane.group("acme", SYNOPSIS, "Gate 4");
    lane.organization("acme", "Send all information with IP addresses overwritten");
    lane.work();
    let waiting: Value = serde_json::from_str(&lane.pending().pop().unwrap().1.action).unwrap();
    let waiting = &waiting["submit_case"];
    assert_eq!(waiting["address"], "Gate 4");
    let reference = waiting["details"]["reference"].as_str().unwrap();
    assert!(reference.starts_with("CHG ") && !reference.contains("192.0.2.7"), "{reference}");
    lane.organization("acme", "Only send list of features used");
    lane.work();
    let waiting = lane.pending().pop().unwrap().1.action;
    assert!(!waiting.contains("CHG") && !waiting.contains("Gate"), "{waiting}");
}

#[test]
fn a_policy_that_names_no_group_of_its_own_organization_fails_in_words_and_opens_nothing() {
    let mut lane = Lane::with(&[("acme/wants", WANTS)]);
    lane.group("bolt", SYNOPSIS, "Secret 9");
    lane.bundle("acme", "a", 1, "High");
    assert_eq!(lane.case_sent(), Value::Null);
    assert!(lane.pending().is_empty());
    let dead = lane.on("acme.dead.policy-failed");
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].data["detail"], format!("refused: there is no address group `{SYNOPSIS}`"));
    assert_eq!(dead[0].data["policy"]["name"], "acme/wants");
    assert!(lane.domain.incident(&"acme-1".parse().unwrap()).unwrap().unwrap().case.is_none());
}

#[test]
fn people_give_both_and_what_a_draft_has_counts_until_they_do() {
    let mut lane = Lane::with(&[]);
    lane.group("acme", "berlin", "Gate 3");
    lane.group("acme", "paris", "Rue 1");
    lane.bundle("acme", "a", 1, "High");
    let wanted = |verb: &str, words: Value| json!({verb: {"incident": "acme-1", "case": words}});
    let refused = lane.of_acme(&wanted("save_case", json!({"address": "rome"})));
    assert_eq!(refused, (Verdict::Conflict, "there is no address group `rome`".to_owned()));
    let draft = json!({"address": "berlin", "reference": "CHG-1"});
    assert_eq!(lane.of_acme(&wanted("save_case", draft)).0, Verdict::Done);
    lane.of_acme(&json!({"set_addresses": {"removed": ["berlin"]}}));
    let refused = lane.of_acme(&wanted("submit_case", json!({})));
    assert_eq!(refused, (Verdict::Conflict, "there is no address group `berlin`".to_owned()), "it is gone meanwhile");
    assert_eq!(lane.of_acme(&wanted("submit_case", json!({"address": "paris"}))).0, Verdict::Done);
    let sent = lane.case_sent();
    assert_eq!((&sent["address"], &sent["details"]["reference"]), (&json!("Rue 1"), &json!("CHG-1")));
}

#[test]
fn before_level_12_a_case_has_neither_and_a_policy_that_asks_for_them_fails() {
    let mut lane = Lane::with_at(11, &[("acme/wants", WANTS)]);
    lane.group("acme", SYNOPSIS, "Gate 3");
    lane.bundle("acme", "a", 1, "High");
    assert_eq!(lane.case_sent(), Value::Null);
    assert_eq!(lane.on("acme.dead.policy-failed").len(), 1);
    let wanted = json!({"submit_case": {"incident": "acme-1", "case": {"reference": "CHG-1"}}});
    let refused = "`reference` and `address` are given from engine level 12 on".to_owned();
    assert_eq!(lane.of_acme(&wanted), (Verdict::Conflict, refused));
}

#[test]
fn the_reference_of_a_case_from_below_goes_on_to_the_upstream() {
    for (level, expected) in [(12, json!("CHG-1")), (11, Value::Null)] {
        let mut lane = Lane::partner_at(level, &json!({}), &[]);
        let mut verb = report("k-1", 3, &["own"]);
        verb["report_case"]["report"]["details"]["reference"] = json!("CHG-1");
        assert_eq!(lane.below(&verb).0, Verdict::Done);
        assert_eq!(lane.action()["submit_case"]["details"]["reference"], expected, "at level {level}");
    }
}
