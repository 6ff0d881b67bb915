//! Where an organization stands with its intelligence messages: said by whoever may, of what it has, and by level 11 alone.

use linesman_schemas::audit::Verdict;
use linesman_schemas::intelligence::State;
use linesman_schemas::{IncidentStep, Right, Rights};

use super::*;
use crate::intelligence::standing::{self, StandingRow};

fn message(title: &str) -> String {
    json!({"id": "TSB1", "kind": "alert", "title": title, "issued": "2026-11-21T10:00:00Z"}).to_string()
}

fn set(state: &str, assignee: Option<&str>) -> Value {
    let mut verb = json!({"set_intelligence_state": {"id": "TSB1", "state": state}});
    if let Some(login) = assignee {
        verb["set_intelligence_state"]["assignee"] = json!(login);
    }
    verb
}

impl Lane {
    fn standing(&self, org: &str) -> Option<StandingRow> {
        self.row(&standing::key(&org.parse().unwrap(), "TSB1"))
    }
}

#[test]
fn a_message_goes_from_hand_to_hand_until_it_is_completed() {
    let mut lane = Lane::with(&[]);
    lane.take("acme", "intel", message("one").as_bytes());
    lane.person("ann", "acme", Rights::of([Right::Intelligence], IncidentStep::None));
    let steps = [
        (set("assigned", Some("acme/eve")), "set", State::Assigned, "acme/eve"),
        (set("assigned", Some("acme/eve")), "unchanged", State::Assigned, "acme/eve"),
        (set("in progress", None), "set", State::InProgress, "acme/eve"),
        (set("in progress", Some("bob")), "set", State::InProgress, "bob"),
        (set("completed", None), "set", State::Completed, "bob"),
        (set("unassigned", None), "set", State::Unassigned, ""),
    ];
    for (verb, detail, state, assignee) in steps {
        assert_eq!(lane.of_person("ann", &verb), (Verdict::Done, detail.to_owned()), "{verb}");
        let row = lane.standing("acme").unwrap();
        assert_eq!((row.state, row.assignee.as_str(), row.by.as_str()), (state, assignee, "ann"));
    }
    let said = &lane.on("acme.audit.set-intelligence-state")[4].data;
    assert_eq!(said["old"], json!({"state": "in progress", "assignee": "bob"}));
    assert_eq!(said["new"], json!({"state": "completed", "assignee": "bob"}));
    // Another text of the message is seen to by the same.
    lane.of_person("ann", &set("assigned", Some("acme/eve")));
    lane.take("acme", "intel", message("two").as_bytes());
    assert_eq!(lane.standing("acme").unwrap().assignee, "acme/eve");
}

#[test]
fn what_is_not_there_or_not_ones_own_to_say_is_refused() {
    let mut lane = Lane::with(&[]);
    lane.take("acme", "intel", message("one").as_bytes());
    for (name, org) in [("ann", "acme"), ("dan", "bolt")] {
        lane.person(name, org, Rights::of([Right::Intelligence], IncidentStep::None));
    }
    lane.person("cid", "acme", Rights::of([], IncidentStep::None));
    let foreign = "`assignee` is nobody of `acme`, nor of the provider: `bolt/eve`".to_owned();
    let nobodys = "`assignee` is missing: what is assigned is somebody's".to_owned();
    let somebodys = "`assignee` is not for what is unassigned".to_owned();
    assert_eq!(lane.of_person("ann", &set("assigned", Some("bolt/eve"))), (Verdict::Invalid, foreign));
    assert_eq!(lane.of_person("ann", &set("assigned", None)), (Verdict::Invalid, nobodys));
    assert_eq!(lane.of_person("ann", &set("unassigned", Some("ann"))), (Verdict::Invalid, somebodys));
    let other = json!({"set_intelligence_state": {"id": "TSB9", "state": "completed"}});
    let nothing = (Verdict::NotFound, "`acme` has no intelligence message `TSB9`".to_owned());
    assert_eq!(lane.of_person("ann", &other), nothing);
    let denied = (Verdict::Forbidden, "`cid` has not the right `intelligence` on `acme`".to_owned());
    let unseen = (Verdict::NotFound, "there is no organization `acme`".to_owned());
    for verb in [&set("completed", None), &other] {
        assert_eq!(lane.of_person("cid", verb), denied);
        assert_eq!(lane.of_person("dan", verb), unseen);
    }
    assert_eq!(lane.standing("acme"), None);
}

#[test]
fn below_level_11_nobody_says_where_an_organization_stands_with_a_message() {
    let mut lane = Lane::at(10);
    lane.organization("acme", "Send all information");
    lane.take("acme", "intel", message("one").as_bytes());
    lane.command("acme", &set("completed", None));
    assert_eq!(lane.standing("acme"), None);
    assert_eq!(lane.on("acme.dead.command-undecodable").len(), 1);
}

#[test]
fn where_it_stood_goes_with_a_message_that_is_recalled_from_level_12_on() {
    for (level, stays) in [(11, true), (12, false)] {
        let mut lane = Lane::with_at(level, &[]);
        lane.person("ann", "acme", Rights::of([Right::Intelligence], IncidentStep::None));
        lane.take("acme", "intel", message("one").as_bytes());
        assert_eq!(lane.of_person("ann", &set("completed", None)).0, Verdict::Done);
        let mut recalled: Value = serde_json::from_str(&message("one")).unwrap();
        recalled["recalled"] = json!(true);
        lane.take("acme", "intel", recalled.to_string().as_bytes());
        assert_eq!(lane.standing("acme").is_some(), stays, "at level {level}");
        lane.take("acme", "intel", message("again").as_bytes());
        assert_eq!(lane.of_person("ann", &set("unassigned", None)).1, if stays { "set" } else { "unchanged" });
    }
}
