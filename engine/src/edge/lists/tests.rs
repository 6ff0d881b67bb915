//! How far a walk goes.

use std::sync::Arc;

use jiff::Timestamp;
use linesman_domain::bundles::BundleRef;
use linesman_domain::incidents::page;
use linesman_domain::incidents::page::PER_PAGE;
use linesman_domain::incidents::{IncidentRow, Status};
use linesman_domain::organizations::{self, OrgRow, Standing};
use linesman_domain::state::Writes;
use linesman_domain::table;
use linesman_schemas::{FilterLevel, OrgName, Priority};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::walk::Walk;
use super::*;
use crate::edge::filters::tables::Incidents;
use crate::edge::viewer::Viewer;
use crate::store::Store;

const INCIDENTS: u64 = 2_000;

fn organization_row() -> OrgRow {
    OrgRow {
        display_name: String::new(),
        is_proxy: false,
        filter_level: FilterLevel::All,
        standing: Standing::Active,
        device_groups: Vec::new(),
        loaded: None,
        incidents: INCIDENTS,
        events: 0,
        reactions: 0,
        alias: String::new(),
        handling: linesman_schemas::command::Handling::Forward,
        submit_case_as: linesman_schemas::command::SubmitCaseAs::Real,
        upload: true,
        snapshot_interval_s: 0,
        approvals: Default::default(),
        quotas: Default::default(),
        address: String::new(),
    }
}

/// Five were detected at each moment.
fn incident_row(number: u64) -> IncidentRow {
    IncidentRow {
        host_event_id: String::new(),
        kind: "event".into(),
        is_off_box: false,
        serial_number: "SN1".into(),
        event_type: String::new(),
        event_type_group: String::new(),
        service_type: String::new(),
        synopsis: String::new(),
        description: String::new(),
        priority: Priority::Low,
        severity: None,
        occurred: Timestamp::UNIX_EPOCH,
        detected: Timestamp::from_second(number as i64 / 5).unwrap(),
        status: Status::Unassigned,
        owner: String::new(),
        repeats: 0,
        bundle: BundleRef { sequence: number, length: 1, sha256: [0; 32], parts: Vec::new() },
    }
}

/// One lane with organizations that have [`INCIDENTS`] each.
fn filled(names: &[&str]) -> (TempDir, Arc<[Lane]>) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("state")).unwrap();
    let lane = store.lane(0).unwrap();
    let mut rows = Vec::new();
    for name in names {
        let org: OrgName = name.parse().unwrap();
        rows.push((organizations::key(&org).into_bytes(), Some(table::encode(&organization_row()).unwrap())));
        for (page, numbers) in (0..).zip((1..=INCIDENTS).collect::<Vec<_>>().chunks(PER_PAGE as usize)) {
            let mut bytes = Vec::new();
            for number in numbers {
                let row = table::encode(&incident_row(*number)).unwrap();
                bytes.extend_from_slice(&u32::try_from(row.len()).unwrap().to_le_bytes());
                bytes.extend_from_slice(&row);
            }
            rows.push((page::key(&org, page).into_bytes(), Some(bytes)));
        }
    }
    lane.apply(&Writes { batch: 1, rows }).unwrap();
    (dir, [lane].into())
}

/// The ids of all pages of an order, and how many rows each page went over.
fn pages(lanes: &Arc<[Lane]>, sort: &str) -> (Vec<String>, Vec<u32>) {
    let (mut ids, mut steps, mut cursor) = (Vec::new(), Vec::new(), Value::Null);
    loop {
        let mut asked = json!({ "limit": "50", "sort": sort });
        if cursor.is_string() {
            asked["cursor"] = cursor;
        }
        let mut list: Incidents = serde_json::from_value(asked).unwrap();
        let paging = Paging::take(&mut list).unwrap();
        let walk = Walk::of(Viewer::of_admin(), Arc::clone(lanes));
        let mut page = serde_json::to_value(page(&walk, &list, &paging).unwrap()).unwrap();
        steps.push(walk.steps());
        ids.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        cursor = page["next"].take();
        if cursor.is_null() {
            return (ids, steps);
        }
    }
}

#[test]
fn a_page_deep_down_goes_no_further_than_the_first() {
    let (_dir, lanes) = filled(&["acme"]);
    for sort in ["id", "-id", "detected", "-detected"] {
        let (ids, steps) = pages(&lanes, sort);
        assert_eq!((ids.len(), steps.len()), (2_000, 40), "{sort}");
        // A page of the store begins up to 16 rows in front of the cursor.
        let most = steps[0] + 16;
        assert!(steps.iter().all(|steps| *steps <= most), "{sort}: {steps:?}");
    }
}

#[test]
fn of_several_organizations_each_is_gone_on_with_where_it_was_left() {
    let names = ["acme", "bolt", "zulu"];
    let (_dir, lanes) = filled(&names);
    let mut expected: Vec<_> =
        names.iter().flat_map(|name| (1..=INCIDENTS).map(move |number| (number / 5, *name, number))).collect();
    expected.sort_unstable();
    for sort in ["detected", "-detected"] {
        let (ids, steps) = pages(&lanes, sort);
        let found = expected.iter().map(|(_, name, number)| format!("{name}-{number}"));
        assert!(ids == found.collect::<Vec<_>>(), "{sort}");
        // Of each the cursor's moment is looked for in 125 pages of the store, and then up to two of them are gone over
        // in front of it.
        let most = steps[0] + 3 * (7 + 32);
        assert!(steps.iter().all(|steps| *steps <= most), "{sort}: {steps:?}");
        expected.reverse();
    }
}
