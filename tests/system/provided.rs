//! A message of the provider's is taken in once, reaches every lane, and survives whatever stops in between.

use linesman::store::Store;
use linesman_domain::intelligence::provided;
use linesman_domain::table::Table;
use linesman_tests::{Engine, LANES, Out, World, event, run, until};
use serde_json::{Value, json};

fn message(title: &str) -> Value {
    json!({
        "id": "TSB1", "kind": "bug-notice", "title": title, "issued": "2026-11-21T10:00:00Z",
        "relevance": {"products": ["MX*"]},
    })
}

/// What each lane has of the message, once the engine is at rest.
fn titles(world: &World) -> Vec<Option<String>> {
    let store = Store::open(&world.data().join("state")).unwrap();
    let title = |lane| {
        let row = Table::read(&store.lane(lane).unwrap(), &provided::key("TSB1")).unwrap();
        row.map(|row: provided::ProvidedRow| row.message.title)
    };
    let found = (0..LANES).map(title).collect();
    store.close().unwrap();
    found
}

async fn title(engine: &Engine, wanted: &str) {
    until("the message is shown", async || {
        let shown = engine.get("/api/v1/intelligence/TSB1").await.ok()?;
        (shown["title"] == wanted).then_some(())
    })
    .await;
}

/// All lanes have been handed what was taken in, by the audit of nothing but their state.
async fn stop(world: &World, mut engine: Engine, wanted: &str) {
    title(&engine, wanted).await;
    assert!(engine.stop().await.unwrap().success());
    let found = titles(world);
    // Lanes are handed it one after the other; who lacks it when the engine stops is handed it by the next.
    assert!(found.iter().flatten().all(|title| title == wanted), "{found:?}");
}

#[tokio::test]
async fn every_lane_has_a_message_that_was_taken_in_whatever_is_lost_in_between() {
    let world = World::new().unwrap();
    let engine = world.start(None).await.unwrap();
    let client = engine.nats().await.unwrap();
    for org in ["acme", "bolt"] {
        let subject = format!("in.{org}.jmb.test");
        client.publish(subject, event("edge-01", 1, "CASE", "Low").into()).await.unwrap();
    }
    client.flush().await.unwrap();
    until("both devices are known", async || {
        let devices = engine.get("/api/v1/devices").await.ok()?;
        (devices["items"].as_array()?.len() == 2).then_some(())
    })
    .await;
    let api = engine.api().unwrap();
    let answer = api.post("/api/v1/intelligence", message("first")).await.unwrap();
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    let again = api.post("/api/v1/intelligence", message("first")).await.unwrap();
    assert_eq!((again.status, &again.body["detail"]), (200, &json!("unchanged")));
    let wrong = json!({"id": "T", "kind": "alert", "title": "t", "issued": "2026-11-21T10:00:00Z", "relevence": {}});
    let refused = api.post("/api/v1/intelligence", wrong).await.unwrap();
    assert_eq!(refused.status, 422, "{:?}", refused.body);
    title(&engine, "first").await;
    let data = world.data();
    let data = data.to_str().unwrap();
    let told = run(&["intel", "impact", "TSB1", "--json", "--data-dir", data]).await.unwrap();
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let organizations: Vec<_> =
        told["organizations"].as_array().unwrap().iter().map(|org| &org["organization"]).collect();
    assert_eq!(organizations, ["acme", "bolt"], "{told}");
    let table = run(&["intel", "impact", "TSB1", "--data-dir", data]).await.unwrap();
    assert!(table.stdout.contains("product MX*"), "{}{}", table.stdout, table.stderr);
    stop(&world, engine, "first").await;

    // Killed once the log has the command: whoever comes next hands it to all lanes.
    let mut engine = world.start(None).await.unwrap();
    let file = world.path("message.json");
    std::fs::write(&file, message("second").to_string()).unwrap();
    let added = run(&["intel", "add", file.to_str().unwrap(), "--data-dir", data]).await.unwrap();
    assert_eq!((added.code, added.stdout.trim()), (Some(0), "replaced"), "{}", added.stderr);
    engine.kill().unwrap();
    let engine = world.start(None).await.unwrap();
    stop(&world, engine, "second").await;

    // From the log alone it is the same again.
    world.delete_state().unwrap();
    let engine = world.start(None).await.unwrap();
    title(&engine, "second").await;
    let client = engine.nats_as_engine().await.unwrap();
    let out = Out::read(&client).await.unwrap();
    let taken: Vec<_> =
        out.on("out._provider.audit.add-intelligence").map(|event| event.data["detail"].clone()).collect();
    assert_eq!(taken, ["created", "unchanged", "replaced"]);
    until("every lane has it", async || {
        let status = engine.get("/api/v1/status").await.ok()?;
        status["lanes"].as_array()?.iter().all(|lane| lane["behind"] == 0 || lane.get("behind").is_none()).then_some(())
    })
    .await;
    stop(&world, engine, "second").await;
    assert_eq!(titles(&world), vec![Some("second".to_owned()); LANES as usize]);
}
