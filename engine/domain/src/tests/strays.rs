//! Fields that intelligence messages do not have.

use super::*;
use crate::intelligence;

const MISSPELT: &[u8] = br#"{"id": "T1", "kind": "alert", "title": "t", "issued": "2026-11-21T10:00:00Z",
 "relevance": {"product": ["MX*"]}}"#;

#[test]
fn a_misspelt_list_concerns_nobody_instead_of_everybody_and_is_told_with_its_place() {
    let mut lane = Lane::with(&[]);
    lane.events.clear();
    lane.take("acme", "intel", MISSPELT);
    assert_eq!(lane.subjects(), ["acme.dead.intelligence-undecodable"]);
    let letter = &lane.events[0].1.data;
    assert_eq!(letter["detail"], "there is no field `product`: did you mean `products`?");
    assert_eq!(letter["place"], json!({"line": 2, "column": 24}));
    let row: Option<intelligence::IntelligenceRow> = lane.row(&intelligence::key(&"acme".parse().unwrap(), "T1"));
    assert!(row.is_none());
}

#[test]
fn a_message_that_is_taken_back_is_gone_until_it_is_sent_anew() {
    let mut lane = Lane::with(&[]);
    let said = |recalled: bool| {
        let mut said = json!({"id": "T1", "kind": "alert", "title": "t", "issued": "2026-11-21T10:00:00Z"});
        if recalled {
            said["recalled"] = json!(true);
        }
        said.to_string().into_bytes()
    };
    let is_there = |lane: &Lane| {
        let row: Option<intelligence::IntelligenceRow> = lane.row(&intelligence::key(&"acme".parse().unwrap(), "T1"));
        row.is_some()
    };
    for (recalled, there) in [(false, true), (true, false), (true, false), (false, true)] {
        lane.take("acme", "intel", &said(recalled));
        assert_eq!(is_there(&lane), there);
    }
    lane.events.clear();
    lane.take("acme", "intel", &said(false));
    assert!(lane.subjects().is_empty(), "it is there already");
}

#[test]
fn lanes_below_level_11_take_it_as_they_did() {
    let mut lane = Lane::at(10);
    lane.organization("acme", "Send all information");
    lane.events.clear();
    lane.take("acme", "intel", MISSPELT);
    assert_eq!(lane.subjects(), ["acme.trigger.intelligence.received"]);
}
