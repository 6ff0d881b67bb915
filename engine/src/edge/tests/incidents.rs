//! `GET /api/v1/incidents`.

use linesman_schemas::IncidentId;
use serde_json::{Value, json};

use super::fixture::{Fixture, faulty, incident, problem};
use linesman_domain::cases::{self, CaseRow, CaseState, CaseText, Stays};
use linesman_domain::incidents::IncidentRow;
use linesman_domain::incidents::page;
use linesman_domain::table;

/// Organizations in the order of their names, over several lanes; pages hold 16 incidents.
const ORGANIZATIONS: [(&str, u64); 6] =
    [("Zeta", 1), ("acme", 40), ("acme-2", 16), ("empty", 0), ("north-west", 17), ("zulu", 33)];

async fn filled() -> Fixture {
    let edge = Fixture::new().await;
    for (name, incidents) in ORGANIZATIONS {
        edge.organization(name, incidents);
    }
    edge
}

async fn page(edge: &Fixture, query: &str) -> Value {
    let answer = edge.get(&format!("/api/v1/incidents{query}")).await;
    assert_eq!(answer.status(), 200, "{query}");
    assert_eq!(answer.headers()["content-type"], "application/json");
    answer.json().await.unwrap()
}

/// The ids of all pages, and the largest page.
async fn walk(edge: &Fixture, query: &str) -> (Vec<String>, usize) {
    let (mut ids, mut largest, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = page(edge, &format!("{query}{cursor}")).await;
        let items = page["items"].as_array().unwrap();
        largest = largest.max(items.len());
        ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) if ids.len() < 1_000 => cursor = format!("&cursor={next}"),
            Some(next) => panic!("no end in sight at {next}"),
            None => return (ids, largest),
        }
    }
}

#[tokio::test]
async fn pages_show_every_incident_once_in_order() {
    let edge = filled().await;
    let all: Vec<String> = ORGANIZATIONS
        .iter()
        .flat_map(|(name, count)| (1..=*count).map(move |number| format!("{name}-{number}")))
        .collect();
    for limit in [1, 7, 16, 106, 107, 1000] {
        let (ids, largest) = walk(&edge, &format!("?limit={limit}")).await;
        assert_eq!(ids, all, "limit {limit}");
        assert_eq!(largest, limit.min(all.len()));
    }
    let first = page(&edge, "").await;
    assert_eq!((first["items"].as_array().unwrap().len(), &first["total"]), (100, &json!(all.len())));
}

#[tokio::test]
async fn an_organization_shows_only_its_own() {
    let edge = filled().await;
    for (name, count) in ORGANIZATIONS {
        let (ids, _) = walk(&edge, &format!("?limit=5&organization={name}")).await;
        let expected: Vec<String> = (1..=count).map(|number| format!("{name}-{number}")).collect();
        assert_eq!(ids, expected);
        assert_eq!(page(&edge, &format!("?organization={name}")).await["total"], count);
    }
    assert_eq!(page(&edge, "?organization=empty").await, json!({"items": [], "next": null, "total": 0}));
}

#[tokio::test]
async fn incidents_that_arrive_meanwhile_come_behind_the_cursor() {
    let edge = Fixture::new().await;
    edge.organization("acme", 16);
    let first = page(&edge, "?organization=acme&limit=15").await;
    edge.organization("acme", 18);
    let next = first["next"].as_str().unwrap();
    let second = page(&edge, &format!("?organization=acme&cursor={next}")).await;
    let ids: Vec<_> = second["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
    assert_eq!(ids, ["acme-16", "acme-17", "acme-18"]);
}

#[tokio::test]
async fn an_incident_shows_its_device_its_case_and_its_bundle() {
    let edge = Fixture::new().await;
    edge.organization("acme", 2);
    let id: IncidentId = "acme-2".parse().unwrap();
    let case = CaseRow {
        state: CaseState::Created,
        reaction: "acme-r1-0".into(),
        policy: Some("critical".parse().unwrap()),
        request: CaseText::default(),
        transaction_id: "T-1".into(),
        case_id: "2026-0001".into(),
        status: "Open".into(),
        previous_status: String::new(),
        link: String::new(),
        updated: incident(2).detected,
        opened: incident(2).detected,
        is_test: false,
        stays: Stays::default(),
        further: linesman_domain::cases::Further::default(),
    };
    edge.write("acme", vec![(cases::key(&id.org, 2).into_bytes(), table::encode(&case).unwrap())]);
    let page = page(&edge, "?organization=acme").await;
    let expected = json!({
        "id": "acme-1",
        "organization": "acme",
        "host_event_id": "event-1",
        "kind": "event",
        "device": {
            "host_name": "edge-1.example",
            "serial_number": "SN1",
            "product": "MX240",
            "platform": "junos",
            "os_version": "21.4R3",
        },
        "event_type": "CHASSISD_FRU_OFFLINE_NOTICE",
        "priority": "High",
        "severity": 5,
        "synopsis": "FRU offline",
        "status": "unassigned",
        "owner": null,
        "repeats": 2,
        "occurred": "1970-01-01T00:00:00Z",
        "detected": "1970-01-01T00:01:00Z",
        "case": null,
        "transaction_id": null,
        "case_id": null,
        "case_link": null,
        "case_status": null,
        "alias": null,
        "trace_route": [],
        "handling": null,
        "bundle": {"sequence": 101, "length": 2048, "sha256": "ab".repeat(32)},
    });
    assert_eq!(page["items"][0], expected);
    let case = json!({"state": "created", "case_id": "2026-0001", "case_status": "Open", "transaction_id": "T-1"});
    assert_eq!(page["items"][1]["case"], case);
}

#[tokio::test]
async fn a_page_of_long_texts_ends_early_and_loses_nothing() {
    let edge = Fixture::new().await;
    edge.organization("acme", 160);
    let org = "acme".parse().unwrap();
    let long = table::encode(&IncidentRow { description: "x".repeat(64 * 1024), ..incident(1) }).unwrap();
    let mut bytes = u32::try_from(long.len()).unwrap().to_le_bytes().to_vec();
    bytes.extend_from_slice(&long);
    edge.write("acme", (0..10).map(|page| (page::key(&org, page).into_bytes(), bytes.repeat(16))).collect());
    let (ids, largest) = walk(&edge, "?limit=1000").await;
    let expected: Vec<String> = (1..=160).map(|number| format!("acme-{number}")).collect();
    assert_eq!((ids, largest), (expected, 128));
}

#[tokio::test]
async fn wrong_parameters_are_told_apart() {
    let edge = filled().await;
    let whole = page(&edge, "?limit=1").await;
    let cursor = whole["next"].as_str().unwrap();
    let limit = |text: &str| format!("`limit`: `{text}` is not a number from 1 to 1000");
    let foreign = "`cursor` is none that an answer gave as `next`";
    let others = "`cursor` is of another list, of other filters or of another `sort`";
    let name =
        "is not an organization name (letters, digits, `_` and `-`, beginning with a letter or digit, at most 64)";
    for (query, parameter, detail) in [
        ("?limit=0", "limit", limit("0")),
        ("?limit=1001", "limit", limit("1001")),
        ("?limit=-1", "limit", limit("-1")),
        ("?limit=", "limit", limit("")),
        ("?limit=99999999999999999999999", "limit", limit("99999999999999999999999")),
        ("?limit=1&limit=2", "limit", "`limit` is given more than once".to_owned()),
        ("?cursor=", "cursor", foreign.to_owned()),
        ("?cursor=acme-1", "cursor", foreign.to_owned()),
        ("?cursor=%00", "cursor", foreign.to_owned()),
        ("?organization=", "organization", format!("`organization`: `` {name}")),
        ("?organization=_provider", "organization", format!("`organization`: `_provider` {name}")),
        ("?organization=acme%00", "organization", format!("`organization`: `acme\0` {name}")),
        (
            "?organisation=acme",
            "organisation",
            "unknown parameter `organisation`: did you mean `organization`?".to_owned(),
        ),
        ("?sort=detectd", "sort", "`sort`: `detectd` is nothing to sort by: did you mean `detected`?".to_owned()),
        ("?status=assignd", "status", "`status`: `assignd` is not known: did you mean `assigned`?".to_owned()),
        (
            "?priority=urgent",
            "priority",
            "`priority`: not a priority: expected `1 - Critical`, `2 - High`, `3 - Medium`, `4 - Low` or the bare word"
                .to_owned(),
        ),
        (
            "?detected_after=2026-11-21T10:15:02+01:00",
            "detected_after",
            "`detected_after`: `2026-11-21T10:15:02 01:00` is not a time of RFC 3339 such as `2026-11-21T10:15:02Z`; \
             `+` in a query is written `%2B`"
                .to_owned(),
        ),
        (&format!("?organization=acme&cursor={cursor}"), "cursor", others.to_owned()),
        (&format!("?sort=detected&cursor={cursor}"), "cursor", others.to_owned()),
        (&format!("?sort=-id&cursor={cursor}"), "cursor", others.to_owned()),
    ] {
        let answer = edge.get(&format!("/api/v1/incidents{query}")).await;
        assert_eq!(faulty(answer).await, (400, parameter.to_owned(), detail), "{query}");
    }
    let answer = edge.get(&format!("/api/v1/cases?cursor={cursor}")).await;
    assert_eq!(faulty(answer).await, (400, "cursor".to_owned(), others.to_owned()));
    // The order that is used anyway may be named.
    assert_eq!(page(&edge, &format!("?sort=id&cursor={cursor}")).await["items"].as_array().unwrap().len(), 100);
    let answer = edge.get("/api/v1/incidents?organization=nobody").await;
    assert_eq!(problem(answer).await, (404, "there is no organization `nobody`".to_owned()));
}
