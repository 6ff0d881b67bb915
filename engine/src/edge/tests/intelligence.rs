//! `GET /api/v1/intelligence`.

use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::intelligence::{Intelligence, Kind, Relevance};
use serde_json::{Value, json};

use super::fixture::{Fixture, problem};
use linesman_domain::intelligence::{self, IntelligenceRow};
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
        "links": ["https://support.example/1"],
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
