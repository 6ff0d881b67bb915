//! Intelligence messages on their way down.

use std::collections::BTreeMap;

use linesman_tests::{Controller, Out, until};
use serde_json::{Value, json};

use super::support;

const ORGANIZATIONS: [&str; 4] = ["acme", "bolt", "cern", "dart"];

fn message(id: &str, title: &str) -> Value {
    json!({"id": id, "kind": "bug-notice", "title": title, "issued": "2026-11-21T10:00:00Z"})
}

/// How many messages of the provider's there are.
async fn count(partner: &Controller) -> Option<usize> {
    let list = partner.engine.get("/api/v1/intelligence?limit=200").await.ok()?;
    Some(list["items"].as_array()?.len())
}

#[tokio::test]
async fn each_message_comes_down_to_the_partner_once_however_often_it_dies_and_is_scanned() {
    const MESSAGES: usize = 40;
    let (_dir, mut support) = support().await.unwrap();
    support.intelligence_poll_s = 1;
    let told: Vec<_> = (1..=MESSAGES).map(|number| message(&format!("TSB{number}"), "a line card restarts")).collect();
    support
        .control(&json!({"intelligence": told, "page_size": 1, "delay_ms": 50, "only": "intelligence"}))
        .await
        .unwrap();
    let mut partner = Controller::partner(&support, &ORGANIZATIONS, "").await.unwrap();
    for org in ORGANIZATIONS {
        partner.hears(org, "edge-1", 1).await.unwrap();
    }
    let devices = |list: &Value| (list["items"].as_array()?.len() == ORGANIZATIONS.len()).then_some(());
    partner.until("their devices are known", "/api/v1/devices", devices).await;
    for mark in [3, 15, 30] {
        until("some are there", async || (count(&partner).await? >= mark).then_some(())).await;
        partner.kill_and_start().await.unwrap();
    }
    until("all are there", async || (count(&partner).await? >= MESSAGES).then_some(())).await;

    // One is said anew, and the one that was said before is not taken in again.
    support.control(&json!({"intelligence": [message("TSB7", "two line cards restart")]})).await.unwrap();
    let title = |said: &Value| (said["title"] == "two line cards restart").then_some(());
    partner.until("it is replaced", "/api/v1/intelligence/TSB7", title).await;
    let impact = partner.engine.get("/api/v1/intelligence/TSB7/impact").await.unwrap();
    let concerned: Vec<_> =
        impact["organizations"].as_array().unwrap().iter().map(|one| &one["organization"]).collect();
    assert_eq!(concerned, ORGANIZATIONS, "{impact}");

    let out = Out::read(&partner.engine.nats_as_engine().await.unwrap()).await.unwrap();
    let mut done = BTreeMap::new();
    for event in out.on("out._provider.audit.add-intelligence").filter(|event| event.data["new"]["id"].is_string()) {
        *done.entry(event.data["new"]["id"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    let wanted: BTreeMap<_, _> =
        (1..=MESSAGES).map(|number| (format!("TSB{number}"), if number == 7 { 2 } else { 1 })).collect();
    assert_eq!(done, wanted);
}
