//! `GET /api/v1/policies`: from a real object store.

use async_nats::ConnectOptions;
use linesman_schemas::control::{PolicySource, RuleBook, Settings};
use serde_json::{Value, json};

use super::super::BOUNDS;
use super::fixture::{Fixture, nobody, problem};
use crate::embedded;
use crate::log::books::{Books, pack};
use crate::metrics::Metrics;
use linesman_domain::rule_book::{self, BookRow};
use linesman_domain::table;

const DETECTED: &str = r#"policy(#{ on: "incident.detected" }); fn react(incident, org) {}"#;
const LIMITED: &str = r#"policy(#{ on: "case.updated", organizations: ["acme", "bolt"] }); fn react(incident, org) {}"#;

fn source(name: &str, text: &str) -> PolicySource {
    let owner = name.split_once('/').and_then(|(owner, _)| owner.parse().ok());
    PolicySource { name: name.parse().unwrap(), owner, source: text.to_owned(), origin: None }
}

#[tokio::test]
async fn the_rule_book_in_effect_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let server = embedded::start(embedded::Settings::new(dir.path())).await.unwrap();
    let login = server.engine_login();
    let login = ConnectOptions::with_user_and_password(login.user.clone(), login.password.clone());
    let client = login.connect(server.address()).await.unwrap();
    let policies = vec![source("acme/own", DETECTED), source("limited", LIMITED), source("all", DETECTED)];
    let (hash, content) = pack(&RuleBook { settings: Settings::default(), policies, refused: Vec::new() }).unwrap();
    Books::new(client.clone(), 1).put(&hash, &content).await.unwrap();
    let (_, metrics) = Metrics::recorder().unwrap();
    let edge = Fixture::with(BOUNDS, client, metrics).await;
    let names = async |query: &str| {
        let page: Value = edge.get(&format!("/api/v1/policies{query}")).await.json().await.unwrap();
        let names = page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names("").await, [""; 0], "no lane has a rule book");
    let book = table::encode(&BookRow { version: 1, hash, sections: Vec::new() }).unwrap();
    edge.write("acme", vec![(rule_book::key().into_bytes(), book)]);
    assert_eq!(names("").await, ["acme/own", "all", "limited"]);
    assert_eq!(names("?sort=-name").await, ["limited", "all", "acme/own"]);
    assert_eq!(names("?owner=acme").await, ["acme/own"]);
    assert_eq!(names("?owner=&name=a*").await, ["all"]);
    assert_eq!(names("?trigger=case.updated").await, ["limited"]);
    let first: Value = edge.get("/api/v1/policies?limit=2").await.json().await.unwrap();
    assert_eq!(names(&format!("?limit=2&cursor={}", first["next"].as_str().unwrap())).await, ["limited"]);
    let one: Value = edge.get("/api/v1/policies/limited").await.json().await.unwrap();
    let hash = one["hash"].clone();
    assert_eq!(hash.as_str().unwrap().len(), 64);
    let organizations = json!(["acme", "bolt"]);
    let expected = json!({
        "name": "limited", "owner": null, "trigger": "case.updated", "organizations": organizations, "hash": hash,
        "origin": "file limited.rhai", "source": LIMITED, "failures": 0, "failed": null,
    });
    assert_eq!(one, expected);
    let one: Value = edge.get("/api/v1/policies/acme%2Fown").await.json().await.unwrap();
    assert_eq!((&one["owner"], &one["organizations"]), (&json!("acme"), &json!(["acme"])));
    let none = edge.get("/api/v1/policies/none").await;
    assert_eq!(problem(none).await, (404, "there is no policy `none`".to_owned()));
    edge.listening.shutdown().await;
    server.stop().await;
}

#[tokio::test]
async fn a_rule_book_that_cannot_be_had_is_told_as_such() {
    let (_, metrics) = Metrics::recorder().unwrap();
    let edge = Fixture::with(BOUNDS, nobody().await, metrics).await;
    let book = table::encode(&BookRow { version: 1, hash: "ab".repeat(32), sections: Vec::new() }).unwrap();
    edge.write("acme", vec![(rule_book::key().into_bytes(), book)]);
    let answer = edge.get("/api/v1/policies").await;
    assert_eq!(answer.headers()["retry-after"], "5");
    let detail = "the rule book cannot be fetched at the moment; the engine's log says why";
    assert_eq!(problem(answer).await, (503, detail.to_owned()));
}
