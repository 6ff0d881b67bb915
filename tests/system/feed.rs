//! The support system's intelligence messages become the provider's, each once, whatever stops in between.

use linesman_tests::{Launch, Out, Upstream, World, until};
use serde_json::{Value, json};

use super::policies::metric;

fn message(id: &str, title: &str) -> Value {
    json!({"id": id, "kind": "bug-notice", "title": title, "issued": "2026-11-21T10:00:00Z",
        "relevance": {"products": ["MX*"]}})
}

#[tokio::test]
async fn each_message_of_the_support_system_is_taken_in_once_and_what_cannot_be_read_stops_none() {
    let world = World::new().unwrap();
    let mut upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    upstream.intelligence_poll_s = 1;
    let misspelt = json!({"id": "BAD", "kind": "alert", "title": "t", "issued": "2026-11-21T10:00:00Z",
        "relevance": {"product": ["MX*"]}});
    let told = [message("TSB1", "one"), misspelt, json!("nonsense"), message("TSB2", "two"), message("TSB3", "three")];
    upstream.control(&json!({"intelligence": told, "page_size": 2})).await.unwrap();
    // The second page is in the log, and its cursor is not.
    let launch = Launch { crash_points: "sources::before-cursor=1*off->panic", ..Launch::default() };
    let mut engine = world.spawn(Some(&upstream), launch).unwrap();
    // It may come to be ready before.
    let _ = engine.wait_ready().await;
    engine.ended().await;

    let engine = world.start(Some(&upstream)).await.unwrap();
    let titles = async || {
        let list = engine.get("/api/v1/intelligence").await.ok()?;
        let mut titles: Vec<_> =
            list["items"].as_array()?.iter().filter_map(|one| one["title"].as_str().map(str::to_owned)).collect();
        titles.sort();
        Some(titles)
    };
    until("the three are there", async || (titles().await? == ["one", "three", "two"]).then_some(())).await;
    assert_eq!(metric(&engine, "linesman_source_unreadable_total{source=\"jss\"}").await, "1", "of the second page");

    // Another text of one, which others have meanwhile said as well.
    upstream.control(&json!({"intelligence": [message("TSB1", "four"), message("TSB2", "two")]})).await.unwrap();
    until("it is replaced", async || (titles().await? == ["four", "three", "two"]).then_some(())).await;
    let client = engine.nats_as_engine().await.unwrap();
    until("the cursor is behind all", async || {
        let status = engine.get("/api/v1/status").await.ok()?;
        let cursor = status["sources"][0]["cursor"].as_str()?.to_owned();
        cursor.ends_with("-7").then_some(())
    })
    .await;
    let out = Out::read(&client).await.unwrap();
    let told: Vec<_> = out.on("out._provider.audit.add-intelligence").map(|event| &event.data).collect();
    let done: Vec<_> = told.iter().filter(|data| data["new"]["id"].is_string()).collect();
    let ids: Vec<_> = done.iter().filter_map(|data| data["new"]["id"].as_str()).collect();
    assert_eq!(ids, ["TSB1", "TSB2", "TSB3", "TSB1"], "{told:?}");
}
