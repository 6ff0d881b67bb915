//! What is damaged of the log on disk is found before anybody needs it: bytes that were flipped in IN or OUT are told, with the
//! lane and the place, and a log that is whole is told to be.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use linesman::log::streams::lane_of;
use linesman_tests::{Engine, Flipped, Load, OPEN_CASE, World, event, run, until};
use serde_json::Value;

use super::stopped::{is_ready, publish, stopped, wait_for_incidents};

/// Flips bytes so far behind a text, where that stands in a stream; whether it does.
fn flip(data: &Path, stream: &str, place: (&str, usize)) -> bool {
    Flipped::in_stream(data, stream, place).unwrap().is_some()
}

/// Has the log read through: with which code that ends, and the round.
pub(super) async fn verify(world: &World, args: &[&str]) -> (Option<i32>, Value) {
    let data = world.data();
    let ended = run(&[&["verify", "--json", "--data-dir", data.to_str().unwrap()], args].concat()).await.unwrap();
    let round: Option<Value> = serde_json::from_str(&ended.stdout).ok();
    assert!(round.is_some(), "{}{}", ended.stdout, ended.stderr);
    (ended.code, round.unwrap())
}

/// The first fault of a round in a stream.
fn fault<'a>(round: &'a Value, stream: &str) -> &'a Value {
    let faults = round["faults"].as_array().unwrap();
    faults.iter().find(|fault| fault["stream"] == stream).unwrap()
}

async fn filled(world: &World) -> (Engine, Load) {
    let engine = world.start(None).await.unwrap();
    let mut load = Load::default();
    load.add("acme", 40);
    load.add("bolt", 40);
    load.publish_all(&engine.nats().await.unwrap()).await;
    load.wait_for_incidents(&engine).await.unwrap();
    (engine, load)
}

#[tokio::test]
async fn flipped_bytes_of_both_streams_are_found_on_request() {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    let (mut engine, load) = filled(&world).await;
    let lane = lane_of("acme", world.lanes);
    let (code, round) = verify(&world, &[]).await;
    assert_eq!((code, round["faults_in_all"].as_u64()), (Some(0), Some(0)), "{round}");
    assert!(round["input"]["proved"].as_u64() >= Some(80) && round["output"]["proved"].as_u64() > Some(0), "{round}");
    assert_eq!(round["input"]["passed_over"], 0, "{round}");

    assert!(engine.stop().await.unwrap().success());
    let states = world.lanes().unwrap();
    assert!(flip(&world.data(), "OUT", ("acme-7-", 0)));
    assert!(flip(&world.data(), "IN", (&format!("p.{lane}.acme.jmb"), 200)));
    let mut engine = world.start(None).await.unwrap();
    assert!(engine.readiness().await.unwrap().0, "what is decided is whole");
    let (code, round) = verify(&world, &[]).await;
    assert_eq!(code, Some(1), "{round}");
    let found = fault(&round, "IN");
    assert_eq!(found["lane"], lane, "{round}");
    let (first, last) = (found["first"].as_u64().unwrap(), found["last"].as_u64().unwrap());
    assert!(first < last && last <= round["input"]["last"].as_u64().unwrap(), "{round}");
    assert!(found["what"].as_str().unwrap().contains("cannot be read"), "{round}");
    let found = fault(&round, "OUT");
    assert_eq!((found["organization"].as_str(), found["lane"].as_u64()), (Some("acme"), Some(lane.into())), "{round}");
    assert!(found["what"].as_str().unwrap().starts_with("the events acme-"), "{round}");

    // Of the lane alone, and of one that is whole.
    let (code, of_lane) = verify(&world, &["--lane", &lane.to_string()]).await;
    assert_eq!((code, &of_lane["lane"]), (Some(1), &Value::from(lane)), "{of_lane}");
    let other = lane_of("bolt", world.lanes);
    let (code, of_other) = verify(&world, &["--lane", &other.to_string()]).await;
    assert_eq!((lane != other, code), (true, Some(0)), "{of_other}");
    let shown = run(&["verify", "--data-dir", world.data().to_str().unwrap()]).await.unwrap();
    assert_eq!(shown.code, Some(1));
    assert!(shown.stdout.contains(&format!("lane {lane} has decided on")), "{}", shown.stdout);
    assert!(engine.log().contains("the log is damaged"), "{}", engine.log_tail());

    // It mends nothing, and changes nothing.
    for (org, count) in load.incidents() {
        assert_eq!(engine.incidents(org).await.unwrap(), count);
    }
    let nobody = run(&["verify", "--lane", "47", "--data-dir", world.data().to_str().unwrap()]).await.unwrap();
    assert!(nobody.code == Some(1) && nobody.stderr.contains("there is no such lane"), "{}", nobody.stderr);
    assert!(engine.stop().await.unwrap().success());
    let now = world.lanes().unwrap();
    assert!(states.iter().zip(&now).all(|(before, now)| before.0 <= now.0));
}

/// What is lost of an input is lost to its lane alone, also once the state is lost too: it stands still until somebody accepts that.
#[tokio::test]
async fn a_lane_whose_input_is_damaged_is_rebuilt_once_that_is_accepted_and_the_others_at_once() {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    let (mut engine, load) = filled(&world).await;
    let lane = lane_of("acme", world.lanes);
    assert!(engine.stop().await.unwrap().success());
    assert!(flip(&world.data(), "IN", (&format!("p.{lane}.acme.jmb"), 200)));
    world.delete_state().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let found = stopped(&engine, lane).await;
    let at = found["diverged"]["position"].as_u64();
    assert!(at.is_some(), "{found}");
    assert_eq!(engine.incidents("bolt").await.unwrap(), load.incidents()["bolt"]);
    let (number, place) = (lane.to_string(), at.unwrap().to_string());
    let data = world.data();
    let accept = ["lane", "rejudge", &number, &place, "--why", "IN is damaged", "--data-dir", data.to_str().unwrap()];
    let done = run(&accept).await.unwrap();
    assert_eq!(done.code, Some(0), "{done:?}");
    is_ready(&engine).await;
    let before = engine.incidents("acme").await.unwrap();
    assert!(before <= load.incidents()["acme"], "{before}");
    publish(&engine.nats().await.unwrap(), "acme", event("behind", 1, "BEHIND", "Low")).await;
    wait_for_incidents(&engine, "acme", before + 1).await;
    // Not all of IN can be read.
    let (status, _) = engine.terminate().await.unwrap();
    assert!(status.success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn bytes_that_are_flipped_while_it_runs_are_told() {
    let mut world = World::new().unwrap();
    world.configure("[nats]\nscrub_bytes_per_s = 1073741824\n");
    world.policy("open-case", OPEN_CASE).unwrap();
    let (mut engine, _) = filled(&world).await;
    let lane = lane_of("acme", world.lanes);
    assert!(flip(&world.data(), "IN", (&format!("p.{lane}.acme.jmb"), 200)));
    // The server forgets what it has in memory once nobody has read it for two seconds.
    let asked = Cell::new(Instant::now());
    let found = until("a round that finds it", async || {
        if asked.get().elapsed() < Duration::from_secs(5) {
            return None;
        }
        let (code, round) = verify(&world, &[]).await;
        asked.set(Instant::now());
        (code == Some(1)).then_some(round)
    })
    .await;
    assert_eq!(fault(&found, "IN")["lane"], lane, "{found}");
    let status = until("a round in the background", async || {
        let status = engine.get("/api/v1/status").await.unwrap();
        (status["verification"]["ended"].is_string() && status["verification"]["faults"] != 0).then_some(status)
    })
    .await;
    assert_eq!((&status["ready"], &status["verification"]["bytes_per_s"]), (&Value::from(true), &Value::from(1 << 30)));
    let metrics = engine.get_text("/metrics").await.unwrap();
    assert!(metrics.contains("linesman_scrub_faults 1"), "{metrics}");
    let shown = run(&["status", "--data-dir", world.data().to_str().unwrap()]).await.unwrap();
    assert!(shown.stdout.contains("the log is damaged on disk, 1 faults (`linesman verify`)"), "{}", shown.stdout);
    // Whoever reads IN in order waits for what is gone.
    assert!(engine.terminate().await.unwrap().0.success());
}
