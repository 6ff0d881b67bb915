//! Many devices: what the first refuse the others are not told.

use std::fs;

use linesman_tests::{Engine, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::activations::{put, subscription, world};

/// How many access lines there are, each with a device of its own.
const LINES: usize = 8;

/// The states of the activations, by line.
async fn states(engine: &Engine) -> Vec<String> {
    let Ok(list) = engine.get("/api/v1/activations?under=acme/berlin&limit=100").await else {
        return Vec::new();
    };
    let items = list["items"].as_array().cloned().unwrap_or_default();
    items.iter().map(|item| item["state"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn what_the_first_devices_refuse_the_others_are_not_told_until_somebody_wants_it() {
    let world = world();
    for number in 1..=2 {
        let folder = world.path("devices").join(format!("acme/pe-{number}"));
        fs::create_dir_all(&folder).unwrap();
        let fault = json!({"class": "refused", "message": "no such thing", "times": 1});
        fs::write(folder.join("fault.json"), fault.to_string()).unwrap();
    }
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    put(&api, "places/acme/berlin", json!({})).await;
    for number in 1..=LINES {
        put(&api, &format!("places/acme/berlin/line-{number}"), json!({"device": format!("pe-{number}")})).await;
    }
    put(&api, "subscriptions/acme/cap", subscription()).await;
    until("the rest is held", async || {
        let states = states(&engine).await;
        let count = |state: &str| states.iter().filter(|at| *at == state).count();
        (count("failed") == 2 && count("held") == LINES - 2).then_some(())
    })
    .await;
    let held: Value = engine.get("/api/v1/activations?state=held").await.unwrap();
    let reason = held["items"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("2 of 8 changes have failed") && reason.contains("redeploy"), "{reason}");
    for number in 3..=LINES {
        assert!(!world.path("devices").join(format!("acme/pe-{number}")).exists(), "pe-{number} was told");
    }
    // A restart changes nothing of it.
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(states(&engine).await.iter().filter(|state| *state == "held").count(), LINES - 2);
    let api = engine.api().unwrap();
    let answer = api.ask(Method::POST, "/api/v1/subscriptions/acme/cap/redeploy", None, None).await.unwrap();
    assert!((200..300).contains(&answer.status), "{answer:?}");
    until("all have it", async || (states(&engine).await == vec!["active"; LINES]).then_some(())).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}
