//! A message of the provider's is taken in once, reaches every lane, and survives whatever stops in between.

use std::collections::BTreeMap;

use async_nats::jetstream;
use linesman::store::Store;
use linesman_domain::intelligence::provided;
use linesman_domain::table::Table;
use linesman_schemas::control::Control;
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

fn all(title: &str) -> Vec<Option<String>> {
    vec![Some(title.to_owned()); LANES as usize]
}

async fn title(engine: &Engine, wanted: &str) {
    until("the message is shown", async || {
        let shown = engine.get("/api/v1/intelligence/TSB1").await.ok()?;
        (shown["title"] == wanted).then_some(())
    })
    .await;
}

/// Where in IN each lane was handed the message under a number.
async fn handed(engine: &Engine, number: u64) -> BTreeMap<String, u64> {
    let stream = jetstream::new(engine.nats_as_engine().await.unwrap()).get_stream("IN").await.unwrap();
    let mut found = BTreeMap::new();
    for sequence in 1..=stream.cached_info().state.last_sequence {
        let message = stream.get_raw_message(sequence).await.unwrap();
        if let Ok(Control::Intelligence(named)) = serde_json::from_slice(&message.payload)
            && named.number == number
        {
            found.entry(message.subject.to_string()).or_insert(sequence);
        }
    }
    found
}

/// Waits until every lane has decided on the message under a number.
async fn taken(engine: &Engine, number: u64) {
    until("every lane has the message", async || {
        let handed = handed(engine, number).await;
        let status = engine.get("/api/v1/status").await.ok()?;
        let has = |lane: &Value| {
            let subject = format!("p.{}.ctl", lane["lane"]);
            let at = handed.get(&subject);
            at.is_some_and(|at| lane["position"].as_u64().is_some_and(|position| position >= *at))
        };
        let lanes = status["lanes"].as_array()?;
        (lanes.len() == LANES as usize && lanes.iter().all(has)).then_some(())
    })
    .await;
}

async fn stop(mut engine: Engine) {
    assert!(engine.stop().await.unwrap().success());
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
    taken(&engine, 1).await;
    stop(engine).await;
    assert_eq!(titles(&world), all("first"));

    // Killed once the log has the command: whoever comes next hands it to all lanes.
    let mut engine = world.start(None).await.unwrap();
    let file = world.path("message.json");
    std::fs::write(&file, message("second").to_string()).unwrap();
    let added = run(&["intel", "add", file.to_str().unwrap(), "--data-dir", data]).await.unwrap();
    assert_eq!((added.code, added.stdout.trim()), (Some(0), "replaced"), "{}", added.stderr);
    engine.kill().unwrap();
    let engine = world.start(None).await.unwrap();
    title(&engine, "second").await;
    taken(&engine, 2).await;
    stop(engine).await;
    assert_eq!(titles(&world), all("second"));

    // From the log alone it is the same again.
    world.delete_state().unwrap();
    let engine = world.start(None).await.unwrap();
    title(&engine, "second").await;
    let client = engine.nats_as_engine().await.unwrap();
    let out = Out::read(&client).await.unwrap();
    let told: Vec<_> = out.on("out._provider.audit.add-intelligence").map(|event| &event.data).collect();
    let [first, again, second] = told[..] else { panic!("{told:?}") };
    assert!(first["new"]["sha256"].is_string() && second["new"]["sha256"].is_string(), "{told:?}");
    assert_ne!(first["new"], second["new"]);
    assert_eq!([&first["old"], &again["new"], &second["old"]], [&Value::Null, &Value::Null, &first["new"]]);
    taken(&engine, 2).await;
    stop(engine).await;
    assert_eq!(titles(&world), all("second"));
}
