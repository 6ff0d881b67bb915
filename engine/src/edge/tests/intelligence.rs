//! `GET /api/v1/intelligence`.

use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::intelligence::{Intelligence, Kind, Relevance};
use serde_json::{Value, json};

use super::fixture::{Fixture, TOKEN_OF_ACME, problem};
use linesman_domain::intelligence::provided::{self, ProvidedRow};
use linesman_domain::intelligence::{self, IntelligenceRow, MessageRow};
use linesman_domain::table;

async fn filled() -> Fixture {
    let edge = Fixture::new().await;
    for (name, ids) in [("acme", &["PSN-1", "PSN-2", "a/b"][..]), ("acme-2", &["PSN-1"]), ("bolt", &[])] {
        edge.organization(name, 1);
        let org: OrgName = name.parse().unwrap();
        let row = |id: &&str| (intelligence::key(&org, id).into_bytes(), table::encode(&message(id, name)).unwrap());
        edge.write(name, ids.iter().map(row).collect());
    }
    edge
}

fn message(id: &str, title: &str) -> IntelligenceRow {
    let message = Intelligence {
        id: id.to_owned(),
        kind: Kind::EndOfLife,
        title: title.to_owned(),
        text: String::new(),
        issued: Timestamp::UNIX_EPOCH,
        relevance: Relevance::default(),
        links: vec!["https://support.example/1".to_owned()],
    };
    IntelligenceRow { message: message.into(), received: Timestamp::UNIX_EPOCH, repeats: 2 }
}

async fn page(edge: &Fixture, query: &str) -> Value {
    let answer = edge.get(&format!("/api/v1/intelligence{query}")).await;
    assert_eq!(answer.status(), 200, "{query}");
    answer.json().await.unwrap()
}

#[tokio::test]
async fn messages_are_shown_as_they_were_kept() {
    let edge = filled().await;
    let page = page(&edge, "?organization=acme-2").await;
    let message = json!({
        "organization": "acme-2", "id": "PSN-1", "kind": "end-of-life", "title": "acme-2", "text": "",
        "issued": "1970-01-01T00:00:00Z", "received": "1970-01-01T00:00:00Z", "repeats": 2,
        "relevance": {"serial_numbers": [], "products": [], "platforms": [], "os_versions": []},
        "links": ["https://support.example/1"], "state": "unassigned",
    });
    assert_eq!(page, json!({"items": [message], "next": null}));
}

#[tokio::test]
async fn pages_show_every_message_once() {
    let edge = filled().await;
    for limit in [1, 2, 3, 4, 100] {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = page(&edge, &format!("?limit={limit}{cursor}")).await;
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= limit);
            ids.extend(items.iter().map(|item| format!("{} {}", item["title"], item["id"]).replace('"', "")));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(ids, ["acme PSN-1", "acme PSN-2", "acme a/b", "acme-2 PSN-1"], "limit {limit}");
    }
}

#[tokio::test]
async fn nobody_reads_without_the_token_or_of_nobody() {
    let edge = filled().await;
    let answer = edge.request(reqwest::Method::GET, "/api/v1/intelligence").send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let answer = edge.get("/api/v1/intelligence?organization=nobody").await;
    assert_eq!(problem(answer).await, (404, "there is no organization `nobody`".to_owned()));
}

/// A message of the provider's, with whom it concerns.
fn provided_row(number: u64, id: &str, relevance: Relevance) -> (Vec<u8>, Vec<u8>) {
    let MessageRow { kind, title, text, issued, links, .. } = message(id, id).message;
    let message = Intelligence { id: id.to_owned(), kind, title, text, issued, relevance, links };
    let row = ProvidedRow { number, sha256: "ab".repeat(32), message: message.into(), received: Timestamp::UNIX_EPOCH };
    (provided::key(id).into_bytes(), table::encode(&row).unwrap())
}

/// `acme` has two devices, `bolt` one; three messages concern everybody, one of `acme`'s devices, and nobody.
async fn with_provided() -> Fixture {
    let edge = filled().await;
    edge.fleet("acme", &[("SN1", "edge-1", ""), ("SN2", "edge-2", "")], &[]);
    edge.fleet("bolt", &[("SN3", "edge-3", "")], &[]);
    let named =
        |serial_number: &str| Relevance { serial_numbers: vec![serial_number.to_owned()], ..Relevance::default() };
    edge.write_provider(vec![
        provided_row(1, "all", Relevance::default()),
        provided_row(2, "one", named("SN2")),
        provided_row(3, "none", named("SN9")),
    ]);
    edge
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| format!("{} {}", item["organization"].as_str().unwrap_or("-"), item["id"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn the_providers_messages_stand_beside_those_of_organizations_and_are_its_own() {
    let edge = with_provided().await;
    let expected = ["- all", "- none", "- one", "acme PSN-1", "acme PSN-2", "acme a/b", "acme-2 PSN-1"];
    assert_eq!(ids(&page(&edge, "").await), expected);
    for sort in ["id", "-id", "received", "-received"] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = page(&edge, &format!("?limit=2&sort={sort}{cursor}")).await;
            found.extend(ids(&page));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        found.sort();
        assert_eq!(found, expected, "{sort}");
    }
    assert_eq!(ids(&page(&edge, "?organization=acme").await), ["acme PSN-1", "acme PSN-2", "acme a/b"]);
    assert_eq!(ids(&page(&edge, "?concerns=acme").await), ["- all", "- one"]);
    assert_eq!(ids(&page(&edge, "?concerns=bolt").await), ["- all"]);
    let answer = edge.get("/api/v1/intelligence?concerns=nobody").await;
    assert_eq!(problem(answer).await, (404, "there is no organization `nobody`".to_owned()));
    let one: Value = edge.get("/api/v1/intelligence/one").await.json().await.unwrap();
    assert_eq!((&one["organization"], &one["relevance"]["serial_numbers"]), (&Value::Null, &json!(["SN2"])));
    for path in ["two", "two/impact"] {
        let answer = edge.get(&format!("/api/v1/intelligence/{path}")).await;
        assert_eq!(problem(answer).await, (404, "there is no intelligence message `two`".to_owned()));
    }
    // A manager of an organization sees nothing of it, be it there or not.
    let theirs: Value = edge.get_as(TOKEN_OF_ACME, "/api/v1/intelligence").await.json().await.unwrap();
    assert_eq!(ids(&theirs), ["acme PSN-1", "acme PSN-2", "acme a/b"]);
    let theirs: Value = edge.get_as(TOKEN_OF_ACME, "/api/v1/intelligence?concerns=acme").await.json().await.unwrap();
    assert_eq!(ids(&theirs), [""; 0]);
    for path in ["one", "two", "one/impact", "two/impact"] {
        let answer = edge.get_as(TOKEN_OF_ACME, &format!("/api/v1/intelligence/{path}")).await;
        assert_eq!(problem(answer).await, (404, "there is nothing under this path".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn the_impact_of_a_message_names_devices_and_says_why() {
    let edge = with_provided().await;
    let impact = async |id: &str| -> Value {
        edge.get(&format!("/api/v1/intelligence/{id}/impact")).await.json().await.unwrap()
    };
    let device = |serial_number: &str, host_name: &str, by: &str, entry: &str| json!({"serial_number": serial_number, "host_name": host_name, "reasons": [{"by": by, "entry": entry}]});
    let named = device("SN2", "edge-2", "serial_number", "SN2");
    let expected = json!({"organizations": [{"organization": "acme", "devices": [named], "count": 1}]});
    assert_eq!(impact("one").await, expected);
    assert_eq!(impact("none").await, json!({"organizations": []}));
    let everybody = impact("all").await;
    let counts: Vec<_> = everybody["organizations"].as_array().unwrap().iter().map(|org| &org["count"]).collect();
    assert_eq!(counts[..1], [2], "{everybody}");
    assert_eq!(everybody["organizations"][0]["devices"][0], device("SN1", "edge-1", "everybody", ""));
    // Of many the first are shown, and all are counted.
    let many: Vec<_> = (0..1_200).map(|number| (format!("SX{number:05}"), format!("host-{number}"))).collect();
    let many: Vec<_> = many.iter().map(|(serial_number, host)| (serial_number.as_str(), host.as_str(), "")).collect();
    edge.fleet("bolt", &many, &[]);
    let everybody = impact("all").await;
    let bolt = everybody["organizations"].as_array().unwrap().iter().find(|org| org["organization"] == "bolt").unwrap();
    assert_eq!((bolt["devices"].as_array().unwrap().len(), &bolt["count"]), (1_000, &json!(1_202)));
}
