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
fn lanes_below_level_11_take_it_as_they_did() {
    let mut lane = Lane::at(10);
    lane.organization("acme", "Send all information");
    lane.events.clear();
    lane.take("acme", "intel", MISSPELT);
    assert_eq!(lane.subjects(), ["acme.trigger.intelligence.received"]);
}
