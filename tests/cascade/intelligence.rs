//! Intelligence messages on their way down.

use std::collections::BTreeMap;

use async_nats::jetstream;
use linesman_tests::{Controller, Out, until};
use reqwest::Method;
use serde_json::{Value, json};

use super::support;

const ORGANIZATIONS: [&str; 4] = ["acme", "bolt", "cern", "dart"];

fn message(id: &str, title: &str) -> Value {
    json!({"id": id, "kind": "bug-notice", "title": title, "issued": "2026-11-21T10:00:00Z"})
}

/// How many messages of the provider's there are.
async fn count(partner: &Controller) -> Option<usize> {
    let list = partner.engine.get("/api/v1/intelligence?limit=200").await.ok()?;
    Some(list.get("items")?.as_array()?.len())
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

/// Whether any of these words stands in what was said somewhere.
fn tells(said: &str, words: &[&str]) -> bool {
    words.iter().any(|word| said.contains(word))
}

/// All that stands in IN and OUT under subjects that begin so.
async fn published(controller: &Controller, subjects: &[&str]) -> anyhow::Result<String> {
    let context = jetstream::new(controller.engine.nats_as_engine().await?);
    let mut said = String::new();
    for name in ["IN", "OUT"] {
        let stream = context.get_stream(name).await?;
        let (first, last) = (stream.cached_info().state.first_sequence, stream.cached_info().state.last_sequence);
        for sequence in first..=last {
            let Ok(message) = stream.get_raw_message(sequence).await else { continue };
            if subjects.iter().any(|subject| message.subject.starts_with(subject)) {
                said.push_str(&String::from_utf8_lossy(&message.payload));
            }
        }
    }
    Ok(said)
}

/// The titles of the messages that an end customer has.
async fn titles(customer: &Controller) -> Option<Vec<String>> {
    let list = customer.engine.get("/api/v1/intelligence?organization=own").await.ok()?;
    Some(
        list.get("items")?.as_array()?.iter().filter_map(|one| one.get("title")?.as_str().map(str::to_owned)).collect(),
    )
}

async fn has(customer: &Controller, wanted: &[&str]) {
    until("the end customer has its messages", async || (titles(customer).await? == wanted).then_some(())).await;
}

/// Whether an end customer has asked its partner since: its source has a cursor.
async fn has_asked(customer: &Controller) {
    let asked = |status: &Value| status.pointer("/sources/0/cursor")?.as_str().map(drop);
    customer.until("it has asked", "/api/v1/status", asked).await;
}

#[tokio::test]
async fn a_message_is_reworded_for_one_sent_to_two_of_four_and_recalled_while_the_partner_dies_at_each_step() {
    let (_dir, mut support) = support().await.unwrap();
    support.intelligence_poll_s = 1;
    support.control(&json!({"intelligence": [message("TSB-canary-1", "canary-as-it-came")]})).await.unwrap();
    let mut partner = Controller::partner(&support, &ORGANIZATIONS, "").await.unwrap();
    for org in ORGANIZATIONS {
        partner.hears(org, "edge-1", 1).await.unwrap();
    }
    until("it has come", async || (count(&partner).await? == 1).then_some(())).await;
    partner.kill_and_start().await.unwrap();
    let [acme, bolt, cern] = ["acme", "bolt", "cern"].map(|name| Controller::end_customer(&partner, name));
    let (acme, bolt, cern) = (acme.await.unwrap(), bolt.await.unwrap(), cern.await.unwrap());
    let path = "/api/v1/intelligence/TSB-canary-1";
    partner
        .until("it concerns all four", &format!("{path}/impact"), |impact| {
            (impact["organizations"].as_array()?.len() == ORGANIZATIONS.len()).then_some(())
        })
        .await;

    let wording = json!({"title": "canary-for-acme", "text": "yours alone"});
    let put = partner.engine.api().unwrap();
    let put = put.ask(Method::PUT, &format!("{path}/associations/acme"), None, Some(wording)).await.unwrap();
    assert!((200..300).contains(&put.status), "{put:?}");
    partner.kill_and_start().await.unwrap();
    for customer in [&acme, &bolt, &cern] {
        has_asked(customer).await;
        assert_eq!(titles(customer).await.unwrap(), [""; 0], "nothing is sent by being worded");
    }
    // Sent twice: as one would who has not heard the answer.
    for _ in 0..2 {
        let sent = partner.does(&format!("{path}/send"), json!({"organizations": ["acme", "bolt"]})).await.unwrap();
        assert!((200..300).contains(&sent.status), "{sent:?}");
        partner.kill_and_start().await.unwrap();
    }
    has(&acme, &["canary-for-acme"]).await;
    has(&bolt, &["canary-as-it-came"]).await;
    partner.kill_and_start().await.unwrap();

    let recalled = partner.does(&format!("{path}/recall"), json!({"organizations": ["acme"]})).await.unwrap();
    assert!((200..300).contains(&recalled.status), "{recalled:?}");
    partner.kill_and_start().await.unwrap();
    has(&acme, &[]).await;
    assert_eq!(titles(&bolt).await.unwrap(), ["canary-as-it-came"]);

    // Each has its own wording once, and the others have nothing.
    for (customer, heard) in [(&acme, 1), (&bolt, 1), (&cern, 0)] {
        let out = Out::read(&customer.engine.nats_as_engine().await.unwrap()).await.unwrap();
        assert_eq!(out.on("out.own.trigger.intelligence.received").count(), heard);
    }
    for (customer, others) in [
        (&acme, &["canary-as-it-came"][..]),
        (&bolt, &["canary-for-acme", "yours alone"]),
        (&cern, &["canary-", "yours alone"]),
    ] {
        let api = customer.engine.api().unwrap();
        for path in
            ["/api/v1/intelligence", "/api/v1/devices", "/api/v1/audit", "/api/v1/status", "/api/v1/organizations"]
        {
            let said = api.text(path).await.unwrap();
            assert!(!tells(&said, others), "{path}: {said}");
        }
        let said = published(customer, &["in.", "out.", "p."]).await.unwrap();
        assert!(!tells(&said, others), "{said}");
    }
    let said = published(&partner, &["in.cern.", "out.cern.", "in.dart.", "out.dart."]).await.unwrap();
    assert!(!tells(&said, &["canary", "yours alone"]), "{said}");
}
