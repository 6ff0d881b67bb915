//! What holds for every list: each filter, each sort, each page, each one.

use std::time::Duration;

use jiff::Timestamp;
use linesman_schemas::intelligence::{Intelligence, Kind, Relevance};
use linesman_schemas::{FilterLevel, OrgName, Priority};
use reqwest::Method;
use serde_json::{Value, json};

use super::super::{BOUNDS, WALK_MOST};
use super::fixture::{Fixture, TOKEN, incident, nobody, problem};
use crate::metrics::Metrics;
use linesman_domain::cases::{self, CaseRow, CaseState, CaseText, Stays};
use linesman_domain::devices::{self, DeviceRow};
use linesman_domain::incidents::notes::{self, NoteRow, NotesRow};
use linesman_domain::incidents::page;
use linesman_domain::incidents::page::PER_PAGE;
use linesman_domain::incidents::{IncidentRow, Status};
use linesman_domain::intelligence::{self, IntelligenceRow};
use linesman_domain::organizations::{self, GroupRow, OrgRow, Standing};
use linesman_domain::snapshots::{self, Snapshot, SnapshotsRow};
use linesman_domain::table;

const DAY: i64 = 86_400;
/// Items of each kind in each organization that has some.
const COUNT: u64 = 40;
const ORGANIZATIONS: [&str; 4] = ["Zeta", "acme", "acme-2", "zulu"];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

/// Scattered, and the same each time.
fn scattered(number: u64, most: u64) -> u64 {
    number.wrapping_mul(7_919).wrapping_add(13) % most
}

fn pick<T: Copy>(number: u64, choices: &[T]) -> T {
    choices[scattered(number, choices.len() as u64) as usize]
}

fn incident_row(number: u64) -> IncidentRow {
    IncidentRow {
        serial_number: format!("SN{}", number % 5),
        event_type: pick(number, &["FAN_FAIL", "FAN_OK", "BGP_DOWN"]).to_owned(),
        priority: pick(number / 2, &Priority::ALL),
        kind: pick(number / 3, &["event", "on-demand"]).to_owned(),
        status: pick(number / 4, &[Status::Unassigned, Status::Assigned]),
        owner: pick(number / 5, &["", "ann", "anton", "bert"]).to_owned(),
        occurred: at(scattered(number, 11) as i64 * 60),
        // Several at the same moment, in the order of their numbers.
        detected: at(number as i64 / 3 * 60),
        ..incident(number)
    }
}

fn device_row(number: u64) -> DeviceRow {
    DeviceRow {
        first_seen: at(scattered(number, 7) as i64 * DAY),
        last_seen: at(scattered(number, 17) as i64 * DAY),
        host_name: format!("{}-{}", pick(number, &["edge", "core"]), scattered(number, 9)),
        product: pick(number / 2, &["MX240", "MX480", "EX4300"]).to_owned(),
        platform: pick(number / 3, &["junos", "junos-ex"]).to_owned(),
        os_version: pick(number, &["21.4R3", "22.1R1"]).to_owned(),
        management_address: String::new(),
        // As it was once: shown is what the organization says now.
        group: "once".to_owned(),
    }
}

fn case_row(number: u64) -> CaseRow {
    use CaseState::{Closed, Created, Waiting};
    CaseRow {
        state: pick(number / 3, &[Waiting, Created, Closed]),
        reaction: String::new(),
        policy: None,
        request: CaseText::default(),
        transaction_id: String::new(),
        case_id: format!("2026-{}", scattered(number, 20)),
        status: pick(number / 3, &["Open", "Closed"]).to_owned(),
        previous_status: String::new(),
        link: String::new(),
        updated: at(scattered(number, 13) as i64 * 60),
        opened: at(scattered(number / 2, 13) as i64 * 60),
        is_test: false,
        stays: Stays::default(),
        further: linesman_domain::cases::Further::default(),
    }
}

fn message_row(number: u64) -> IntelligenceRow {
    let message = Intelligence {
        id: format!("TSB-{}", scattered(number, 1_000)),
        kind: pick(number, &[Kind::Alert, Kind::Informational, Kind::BugNotice, Kind::EndOfLife]),
        title: "title".to_owned(),
        text: String::new(),
        issued: at(scattered(number, 9) as i64 * DAY),
        relevance: Relevance {
            products: vec![pick(number, &["MX240", "EX4300"]).to_owned(), "PTX".to_owned()],
            serial_numbers: vec![format!("SN{}", number % 4)],
            ..Relevance::default()
        },
        links: Vec::new(),
        recalled: false,
    };
    IntelligenceRow { message: message.into(), received: at(scattered(number / 2, 9) as i64 * DAY), repeats: 0 }
}

fn group((name, hosts): (&str, &str)) -> GroupRow {
    GroupRow { name: name.to_owned(), devices: vec![hosts.to_owned()] }
}

fn organization_row(number: u64) -> OrgRow {
    OrgRow {
        display_name: format!("Organization {number}"),
        is_proxy: number.is_multiple_of(2),
        filter_level: FilterLevel::All,
        standing: pick(number, &[Standing::Active, Standing::Suspended]),
        device_groups: [("core", "core-*"), ("lab", "*-4")].map(group).into(),
        loaded: (number > 1).then(String::new),
        incidents: COUNT,
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

async fn filled(walk_most: Duration) -> Fixture {
    let (_, metrics) = Metrics::recorder().unwrap();
    let edge = Fixture::walking(walk_most, BOUNDS, nobody().await, metrics).await;
    for (place, name) in (0_u64..).zip(ORGANIZATIONS) {
        let org: OrgName = name.parse().unwrap();
        let mut rows = vec![(organizations::key(&org).into_bytes(), table::encode(&organization_row(place)).unwrap())];
        for number in 1..=COUNT {
            let seed = place * 100 + number;
            let serial = format!("SN{number}");
            rows.push((devices::key(&org, &serial).into_bytes(), table::encode(&device_row(seed)).unwrap()));
            let message = message_row(seed);
            rows.push((intelligence::key(&org, &message.message.id).into_bytes(), table::encode(&message).unwrap()));
            if number % 3 == 0 {
                rows.push((cases::key(&org, number).into_bytes(), table::encode(&case_row(seed)).unwrap()));
            }
        }
        for (page, numbers) in (0..).zip((1..=COUNT).collect::<Vec<_>>().chunks(PER_PAGE as usize)) {
            let mut bytes = Vec::new();
            for number in numbers {
                let row = table::encode(&incident_row(*number)).unwrap();
                bytes.extend_from_slice(&u32::try_from(row.len()).unwrap().to_le_bytes());
                bytes.extend_from_slice(&row);
            }
            rows.push((page::key(&org, page).into_bytes(), bytes));
        }
        edge.write(name, rows);
    }
    edge
}

/// All pages of a list.
pub(super) async fn all(edge: &Fixture, list: &str, query: &str, limit: usize) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = edge.get(&format!("/api/v1/{list}?limit={limit}{query}{cursor}")).await;
        assert_eq!(answer.status(), 200, "{list} {query}{cursor}");
        let mut page: Value = answer.json().await.unwrap();
        let found = std::mem::take(page["items"].as_array_mut().unwrap());
        assert!(found.len() <= limit, "{list} {query}");
        items.extend(found);
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

/// Of each list: what it is sorted by, and where that stands in an item.
pub(super) const LISTS: [(&str, &[&str]); 5] = [
    ("incidents", &["detected", "occurred"]),
    ("devices", &["host_name", "last_seen", "first_seen"]),
    ("cases", &["opened", "updated"]),
    ("intelligence", &["issued", "received"]),
    ("organizations", &[]),
];

#[tokio::test]
async fn small_pages_of_any_order_are_the_whole_in_that_order() {
    let edge = filled(WALK_MOST).await;
    for (list, sorts) in LISTS {
        let natural = all(&edge, list, "", 1_000).await;
        assert!(natural.len() >= ORGANIZATIONS.len(), "{list}");
        let mut orders = vec![(String::new(), natural.clone())];
        for sort in sorts {
            let mut sorted = natural.clone();
            sorted.sort_by(|a, b| a[sort].as_str().unwrap().cmp(b[sort].as_str().unwrap()));
            orders.push((format!("&sort={sort}"), sorted.clone()));
            sorted.reverse();
            orders.push((format!("&sort=-{sort}"), sorted));
        }
        let first = match list {
            "incidents" => "id",
            "devices" => "serial_number",
            "cases" => "incident",
            "intelligence" => "id",
            _ => "name",
        };
        orders.push((format!("&sort=-{first}"), natural.into_iter().rev().collect()));
        for (query, expected) in orders {
            for limit in [3, 17, 1_000] {
                assert_eq!(all(&edge, list, &query, limit).await, expected, "{list} {query} by {limit}");
            }
        }
    }
}

/// Whether an item is what a filter asks for.
type Passes = fn(&Value) -> bool;

const FILTERS: [(&str, &str, Passes); 35] = [
    ("incidents", "organization=acme", |item| item["organization"] == "acme"),
    ("incidents", "status=assigned", |item| item["status"] == "assigned"),
    ("incidents", "owner=an*", |item| item["owner"].as_str().is_some_and(|owner| owner.starts_with("an"))),
    ("incidents", "owner=", |item| item["owner"].is_null()),
    ("incidents", "priority=High", |item| item["priority"] == "High"),
    ("incidents", "kind=on-*", |item| item["kind"] == "on-demand"),
    ("incidents", "event_type=FAN_*", |item| item["event_type"].as_str().unwrap().starts_with("FAN_")),
    ("incidents", "host_name=edge-*", |item| item["device"]["host_name"].as_str().unwrap().starts_with("edge-")),
    ("incidents", "serial_number=SN3", |item| item["device"]["serial_number"] == "SN3"),
    ("incidents", "product=MX*", |item| item["device"]["product"].as_str().unwrap().starts_with("MX")),
    ("incidents", "case_state=waiting", |item| item["case"]["state"] == "waiting"),
    ("incidents", "detected_after=2027-01-15T08:04:00Z", |item| {
        item["detected"].as_str().unwrap() >= "2027-01-15T08:04:00Z"
    }),
    ("incidents", "detected_before=2027-01-15T08:04:00Z", |item| {
        item["detected"].as_str().unwrap() < "2027-01-15T08:04:00Z"
    }),
    ("devices", "organization=zulu", |item| item["organization"] == "zulu"),
    ("devices", "group=", |item| item["group"] == ""),
    ("devices", "group=c*", |item| item["group"] == "core"),
    ("devices", "host_name=core-*", |item| item["host_name"].as_str().unwrap().starts_with("core-")),
    ("devices", "name=core-*", |item| item["name"].as_str().unwrap().starts_with("core-")),
    ("devices", "serial_number=SN1*", |item| item["serial_number"].as_str().unwrap().starts_with("SN1")),
    ("devices", "product=EX4300", |item| item["product"] == "EX4300"),
    ("devices", "platform=junos", |item| item["platform"] == "junos"),
    ("devices", "os_version=22*", |item| item["os_version"] == "22.1R1"),
    ("devices", "last_seen_before=2027-01-20T00:00:00Z", |item| {
        item["last_seen"].as_str().unwrap() < "2027-01-20T00:00:00Z"
    }),
    ("devices", "last_seen_after=2027-01-20T00:00:00Z", |item| {
        item["last_seen"].as_str().unwrap() >= "2027-01-20T00:00:00Z"
    }),
    ("cases", "organization=acme-2&state=created", |item| {
        item["organization"] == "acme-2" && item["state"] == "created"
    }),
    ("cases", "case_id=2026-1*", |item| item["case_id"].as_str().unwrap().starts_with("2026-1")),
    ("cases", "status=Open", |item| item["case_status"] == "Open"),
    ("cases", "opened_after=2027-01-15T08:03:00Z&opened_before=2027-01-15T08:09:00Z", |item| {
        ("2027-01-15T08:03:00Z".."2027-01-15T08:09:00Z").contains(&item["opened"].as_str().unwrap())
    }),
    ("intelligence", "kind=bug-notice", |item| item["kind"] == "bug-notice"),
    ("intelligence", "product=MX*", |item| item["relevance"]["products"][0] == "MX240"),
    ("intelligence", "serial_number=SN2&organization=Zeta", |item| {
        item["relevance"]["serial_numbers"][0] == "SN2" && item["organization"] == "Zeta"
    }),
    ("intelligence", "issued_after=2027-01-18T00:00:00Z&received_before=2027-01-19T00:00:00Z", |item| {
        item["issued"].as_str().unwrap() >= "2027-01-18" && item["received"].as_str().unwrap() < "2027-01-19"
    }),
    ("organizations", "name=acme*", |item| item["name"].as_str().unwrap().starts_with("acme")),
    ("organizations", "standing=suspended", |item| item["standing"] == "suspended"),
    ("organizations", "proxy=true", |item| item["proxy"] == true),
];

#[tokio::test]
async fn a_filter_leaves_what_it_asks_for_in_every_order() {
    let edge = filled(WALK_MOST).await;
    for (list, filter, passes) in FILTERS {
        let sorts = LISTS.iter().find(|(name, _)| *name == list).unwrap().1;
        for order in sorts.iter().map(|sort| format!("&sort=-{sort}")).chain([String::new()]) {
            let mut expected = all(&edge, list, &order, 1_000).await;
            let whole = expected.len();
            expected.retain(passes);
            assert!(!expected.is_empty() && expected.len() < whole, "{list} {filter} tells nothing apart");
            let found = all(&edge, list, &format!("&{filter}{order}"), 7).await;
            assert_eq!(found, expected, "{list} {filter}{order}");
        }
    }
}

#[tokio::test]
async fn each_item_is_there_by_itself() {
    let edge = filled(WALK_MOST).await;
    for (list, path) in [
        ("incidents", "{id}"),
        ("devices", "{organization}/{serial_number}"),
        ("cases", "{incident}"),
        ("intelligence", "{organization}/{id}"),
        ("organizations", "{name}"),
    ] {
        for item in all(&edge, list, "", 1_000).await.into_iter().step_by(7) {
            let mut path = path.to_owned();
            for (name, value) in item.as_object().unwrap() {
                path = path.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default());
            }
            let answer = edge.get(&format!("/api/v1/{list}/{path}")).await;
            assert_eq!(answer.status(), 200, "{list}/{path}");
            let one: Value = answer.json().await.unwrap();
            for (name, value) in item.as_object().unwrap() {
                assert_eq!(&one[name], value, "{list}/{path}: {name}");
            }
        }
    }
    for (path, detail) in [
        ("incidents/acme-41", "there is no incident `acme-41`"),
        ("incidents/nobody-1", "there is no incident `nobody-1`"),
        ("devices/acme/SN0", "`acme` has no device `SN0`"),
        ("cases/acme-1", "there is no case of an incident `acme-1`"),
        ("intelligence/acme/a%2Fb", "`acme` has no intelligence message `a/b`"),
        ("organizations/nobody", "there is no organization `nobody`"),
    ] {
        assert_eq!(problem(edge.get(&format!("/api/v1/{path}")).await).await, (404, detail.to_owned()));
    }
}

#[tokio::test]
async fn an_incident_has_its_notes_and_a_device_its_snapshots() {
    let edge = filled(WALK_MOST).await;
    let org: OrgName = "acme".parse().unwrap();
    let note = NoteRow { at: at(1), actor: "ann".into(), text: "seen".into() };
    let snapshot =
        Snapshot { host_event_id: "info-1".into(), occurred: at(1), received: at(2), bundle: incident(1).bundle };
    edge.write(
        "acme",
        vec![
            (notes::key(&org, 3).into_bytes(), table::encode(&NotesRow { notes: vec![note] }).unwrap()),
            (
                snapshots::key(&org, "SN3").into_bytes(),
                table::encode(&SnapshotsRow { snapshots: vec![snapshot], ..SnapshotsRow::default() }).unwrap(),
            ),
        ],
    );
    let one: Value = edge.get("/api/v1/incidents/acme-3").await.json().await.unwrap();
    assert_eq!(one["notes"], json!([{"at": "2027-01-15T08:00:01Z", "actor": "ann", "text": "seen"}]));
    let one: Value = edge.get("/api/v1/devices/acme/SN3").await.json().await.unwrap();
    let bundle = json!({"sequence": 101, "length": 2048, "sha256": "ab".repeat(32)});
    let (occurred, received) = ("2027-01-15T08:00:01Z", "2027-01-15T08:00:02Z");
    let expected = json!({"host_event_id": "info-1", "occurred": occurred, "received": received, "bundle": bundle});
    assert_eq!(one["snapshots"], json!([expected]));
}

#[tokio::test]
async fn a_walk_has_its_time() {
    let edge = filled(Duration::ZERO).await;
    // What is found at once needs none.
    assert_eq!(edge.get("/api/v1/incidents?limit=10").await.status(), 200);
    let answer = edge.get("/api/v1/incidents?sort=occurred").await;
    assert_eq!(answer.headers()["retry-after"], "1");
    let detail = "this takes more than 0 s; narrow it by an organization or a time, or sort it otherwise";
    assert_eq!(problem(answer).await, (503, detail.to_owned()));
}

#[tokio::test]
async fn a_head_is_an_answer_without_its_body() {
    let edge = filled(WALK_MOST).await;
    let answer = edge.request(Method::HEAD, "/api/v1/devices").bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    assert!(answer.headers()["content-length"].to_str().unwrap().parse::<u64>().unwrap() > 1_000);
    assert_eq!(answer.bytes().await.unwrap().len(), 0);
}
