//! No name that the interpreter gives a function of a policy gets into what is decided: such names are random, and another process
//! would decide otherwise.

use std::collections::BTreeSet;

use linesman_domain::level;
use linesman_tests::{Out, World, event, until};

use super::stopped::{is_ready, publish, said, wait_for_incidents};

/// What policies do with a function, by their names.
const BODIES: [(&str, &str); 8] = [
    ("json", "publish(\"json\", #{ t: #{ a: |x| x }.to_json() });"),
    (
        "json-caught",
        "try { #{ a: [#{ b: |x| x }] }.to_json() } catch (e) { publish(\"json-caught\", #{ t: `${e}` }); }",
    ),
    ("interpolated", "publish(\"interpolated\", #{ t: `${|x| x}` });"),
    ("text", "let f = |x| x; publish(\"text\", #{ t: f.to_string(), d: f.to_debug(), l: [f].to_string() });"),
    ("value", "publish(\"value\", #{ f: |x| x });"),
    ("arguments", "publish(\"arguments\", #{ t: [\"a\"].map(|a, b, c| a) });"),
    ("thrown", "throw |x| x;"),
    ("caught", "try { throw |x| x; } catch (e) { publish(\"caught\", #{ t: `${e}` }); }"),
];
const BUNDLES: u64 = 3;

#[tokio::test]
async fn what_is_decided_of_functions_is_so_in_every_process() {
    let world = World::new().unwrap();
    for (name, body) in BODIES {
        let text = format!("policy(#{{ on: \"incident.detected\" }});\nfn react(incident, org) {{\n{body}\n}}\n");
        world.policy(name, &text).unwrap();
    }
    let mut engine = world.start(None).await.unwrap();
    let client = engine.nats().await.unwrap();
    for number in 1..=BUNDLES {
        publish(&client, "acme", event("edge", number, "FUNCTIONS", "Low")).await;
    }
    wait_for_incidents(&engine, "acme", BUNDLES).await;
    let own = engine.nats_as_engine().await.unwrap();
    // Each has said something, or has failed, of each.
    let out = until("each policy was asked", async || {
        let out = Out::read(&own).await.unwrap();
        let failed = out.on("out.acme.dead.policy-failed");
        let failed: BTreeSet<_> =
            failed.filter_map(|letter| letter.data["policy"]["name"].as_str().map(str::to_owned)).collect();
        let has_said = |name: &str| out.on(&format!("out.acme.reaction.{name}")).next().is_some();
        let is_done = BODIES.iter().all(|(name, _)| failed.contains(*name) || has_said(name));
        is_done.then_some(out)
    })
    .await;
    for event in &out.0 {
        let text = event.event.data.to_string();
        assert!(!text.contains("anon$"), "{}: {text}", event.subject);
    }
    assert_eq!(engine.get("/api/v1/level").await.unwrap()["level"], level::NEWEST);
    let before = said(&own).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    world.delete_state().unwrap();
    let mut engine = world.start(None).await.unwrap();
    is_ready(&engine).await;
    assert_eq!(said(&engine.nats_as_engine().await.unwrap()).await, before);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}
