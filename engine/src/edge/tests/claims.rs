//! What a device says of itself shows nobody more: whose it is, and which one it is, people say.

use std::collections::BTreeMap;

use linesman_domain::reached::{self, FactsRow, ReachedRow, StandingRow};
use linesman_domain::table;
use linesman_schemas::OrgName;
use serde_json::Value;

use super::fixture::{self, TOKEN};
use super::people::{GIL, SID};
use super::sight::{json_of, world};
use super::viewer::World;

/// Reaches a device of `corp` in Berlin, with a file of it that is no bundle: by which serial number people know it, and
/// which one it claims.
fn reach(world: &World, name: &str, said: &str, claimed: &str) {
    let org: OrgName = "corp".parse().unwrap();
    let rows: BTreeMap<Vec<u8>, Vec<u8>> = fixture::reached("corp").into_iter().collect();
    let row = &rows[&reached::key(&org, "r1").into_bytes()];
    let standing = &rows[&reached::standing_key(&org, "r1").into_bytes()];
    let error = rows[&reached::jmb_error_key(&org, "r1", "f1").into_bytes()].clone();
    let row: ReachedRow = table::decode(&[], row).unwrap();
    let row = ReachedRow { serial_number: said.to_owned(), place: Some("corp/berlin".parse().unwrap()), ..row };
    let standing: StandingRow = table::decode(&[], standing).unwrap();
    let facts = FactsRow { serial_number: claimed.to_owned(), ..FactsRow::default() };
    let standing = StandingRow { facts, ..standing };
    world.edge.write(
        "corp",
        vec![
            (reached::key(&org, name).into_bytes(), table::encode(&row).unwrap()),
            (reached::standing_key(&org, name).into_bytes(), table::encode(&standing).unwrap()),
            (reached::jmb_error_key(&org, name, "f1").into_bytes(), error),
        ],
    );
}

/// The devices that somebody's list has, by name and serial number, and whether they are reached.
async fn listed(world: &World, token: &str) -> Vec<(String, String, bool)> {
    let page = json_of(world, token, "/api/v1/devices?organization=corp").await;
    let text = |item: &Value, field: &str| item[field].as_str().unwrap().to_owned();
    let items = page["items"].as_array().unwrap().iter();
    let mut listed: Vec<_> = items
        .map(|item| (text(item, "name"), text(item, "serial_number"), item["state"].is_string()))
        .filter(|(name, ..)| name != "r1")
        .collect();
    listed.sort();
    listed
}

fn device(name: &str, serial_number: &str, is_reached: bool) -> (String, String, bool) {
    (name.to_owned(), serial_number.to_owned(), is_reached)
}

#[tokio::test]
async fn a_serial_number_that_a_device_claims_joins_nothing_that_is_not_seen_anyway() {
    let world = world().await;
    let before = listed(&world, GIL).await;
    assert_eq!(before, [device("edge-2.example", "SN2", false)]);
    reach(&world, "liar", "", "SN2");
    // Whoever sees all sees both as one, and who sees the one sees that.
    let found = json_of(&world, TOKEN, "/api/v1/devices/corp/SN2").await;
    assert_eq!((&found["name"], found["reached"].is_object()), (&"liar".into(), true));
    assert_eq!(listed(&world, GIL).await, before);
    let found = json_of(&world, GIL, "/api/v1/devices/corp/SN2").await;
    assert!(found["reached"].is_null() && found["state"].is_null() && found["last_seen"].is_string(), "{found}");
    let found = json_of(&world, SID, "/api/v1/devices/corp/liar").await;
    assert!(found["reached"].is_object() && found["last_seen"].is_null(), "{found}");
    assert!(found["snapshots"].as_array().unwrap().is_empty());
    let there = listed(&world, SID).await;
    assert!(there.contains(&device("liar", "SN2", true)), "{there:?}");
    // Nobody learns of a file of it who does not see it.
    for path in ["/api/v1/devices/corp/liar", "/api/v1/jmb-errors/corp/liar/f1", "/api/v1/jmb-errors/corp/SN2/f1"] {
        assert_eq!(world.edge.get_as(GIL, path).await.status(), 404, "{path}");
    }
    assert_eq!(json_of(&world, SID, "/api/v1/jmb-errors/corp/liar/f1").await["device"], "liar");
    world.end().await;
}

#[tokio::test]
async fn a_serial_number_that_people_gave_joins_and_goes_before_what_others_claim() {
    let world = world().await;
    reach(&world, "a-liar", "", "SN3");
    reach(&world, "true", "SN3", "");
    let found = json_of(&world, TOKEN, "/api/v1/devices/corp/SN3").await;
    assert_eq!(found["name"], "true", "{found}");
    // It is in Berlin, as people say: so is what bundles tell of it.
    let found = json_of(&world, SID, "/api/v1/devices/corp/SN3").await;
    assert!(found["name"] == "true" && found["last_seen"].is_string() && found["reached"].is_object(), "{found}");
    let found = json_of(&world, SID, "/api/v1/devices/corp/a-liar").await;
    assert!(found["name"] == "a-liar" && found["last_seen"].is_null(), "{found}");
    world.end().await;
}

#[tokio::test]
async fn a_name_that_others_call_themselves_is_that_of_the_device_that_has_it() {
    let world = world().await;
    world.edge.fleet("corp", &[("SN8", "twin", ""), ("SN9", "twin", "")], &[]);
    reach(&world, "twin", "", "");
    let found = json_of(&world, TOKEN, "/api/v1/devices/corp/twin").await;
    assert!(found["reached"].is_object() && found["last_seen"].is_null(), "{found}");
    world.end().await;
}
