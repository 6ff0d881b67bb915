//! A lane stands still at what names a content that nobody has any more. It goes on once that is there again, or is skipped.

use async_nats::jetstream;
use futures_util::TryStreamExt as _;
use linesman::log::streams::lane_of;
use linesman_tests::{Engine, LANES, Launch, Load, Out, World, run, until};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use super::policies::{judged_by, policy, publish, wait_for_version};
use super::stopped::{is_ready, readiness};

const BUCKET: &str = "linesman-rule-books";

async fn stands(engine: &Engine, lane: u32) -> Value {
    let lanes = engine.get("/api/v1/lanes").await.unwrap_or_default();
    lanes["items"][lane as usize]["stopped"].clone()
}

#[tokio::test]
async fn what_names_a_rule_book_that_is_lost_is_skipped_or_decided_once_it_is_back() {
    let world = World::new().unwrap();
    world.policy("seen", &policy(1)).unwrap();
    let mut engine = world.start(None).await.unwrap();
    let mut load = Load::default();
    publish(&mut load, &engine, "acme").await;
    let bucket = jetstream::new(engine.nats_as_engine().await.unwrap()).get_object_store(BUCKET).await.unwrap();
    let names: Vec<_> = bucket.list().await.unwrap().map_ok(|object| object.name).try_collect().await.unwrap();
    let mut lost = Vec::new();
    for name in names {
        let mut content = Vec::new();
        bucket.get(&*name).await.unwrap().read_to_end(&mut content).await.unwrap();
        if String::from_utf8_lossy(&content).contains("incident.detected") {
            lost.push((name, content));
        }
    }
    assert!(!lost.is_empty());
    world.policy("seen", &policy(2)).unwrap();
    wait_for_version(&engine, 2).await;
    publish(&mut load, &engine, "acme").await;
    for (name, _) in &lost {
        bucket.delete(&**name).await.unwrap();
    }
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    world.delete_state().unwrap();
    let launch = Launch { crash_points: "books::patience=return(0)", ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    for lane in 0..LANES {
        until("the lane stands still", async || {
            stands(&engine, lane).await["why"].as_str()?.contains("that it names is not to be had").then_some(())
        })
        .await;
    }
    let (status, told) = readiness(&engine).await;
    let acme = lane_of("acme", LANES);
    assert_eq!(status, 503);
    assert!(told["lanes"][acme as usize]["stopped"].to_string().contains("is not to be had"), "{told}");

    let position = stands(&engine, acme).await["position"].clone();
    let (number, place) = (acme.to_string(), position.to_string());
    let data = world.data().to_str().unwrap().to_owned();
    let shown = run(&["lane", "show", &number, "--data-dir", &data]).await.unwrap();
    assert!(shown.stdout.contains(&format!("linesman lane skip {acme} {place} --why TEXT")), "{shown:?}");
    let skip = ["lane", "skip", &number, &place, "--force", "--why", "there is no copy", "--data-dir", &data];
    let done = run(&skip).await.unwrap();
    assert_eq!(done.code, Some(0), "{done:?}");
    until("the lane goes on", async || (stands(&engine, acme).await["position"] != position).then_some(())).await;

    // The others go on by themselves once it is there.
    let bucket = jetstream::new(engine.nats_as_engine().await.unwrap()).get_object_store(BUCKET).await.unwrap();
    for (name, content) in &lost {
        bucket.put(&**name, &mut content.as_slice()).await.unwrap();
    }
    is_ready(&engine).await;
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    assert_eq!(out.on("out._provider.audit.skip-input").count(), 1);
    publish(&mut load, &engine, "acme").await;
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    assert_eq!(judged_by(&out, "acme").last(), Some(&2));
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}
