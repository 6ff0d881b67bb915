//! A part that breaks off never leaves the engine half alive: a lane takes it down, a connector has
//! failed in one attempt.

use linesman::log::streams::lane_of;
use linesman::panics::TOLD;
use linesman_tests::{Ended, Engine, LANES, Launch, Load, OPEN_CASE, Out, Upstream, World, event, run, until};

use super::policies::metric;
use super::stopped::{is_ready, publish, readiness, said, stopped, wait_for_incidents};

/// At its end a bundle says that a lane breaks off at it.
const BREAKS: &str = "<!-- breaks -->\n";
/// What has a lane break off at such a bundle.
const AT_INPUT: &str = "lane::input=1*panic";

/// Engines that have a lane break off.
fn breaking(crash_points: &str) -> Launch<'_> {
    Launch { crash_points, unwinds: true, ..Launch::default() }
}

/// An engine that a lane ends which breaks off.
async fn ends(world: &World, crash_points: &str) {
    let mut engine = world.spawn(None, breaking(crash_points)).unwrap();
    assert_eq!(engine.ended().await.code(), Some(1), "{}", engine.log_tail());
}

async fn others_go_on(engine: &Engine) {
    publish(&engine.nats().await.unwrap(), "bolt", event("edge", 1, "OTHER", "Low")).await;
    wait_for_incidents(engine, "bolt", 1).await;
}

async fn skip(world: &World, lane: u32, position: u64) -> Ended {
    let (number, place, data) = (lane.to_string(), position.to_string(), world.data());
    let skip = ["lane", "skip", &number, &place, "--why", "it ends engines", "--data-dir", data.to_str().unwrap()];
    run(&skip).await.unwrap()
}

#[tokio::test]
async fn a_lane_that_panics_ends_the_engine() {
    for point in ["receive", "decide", "emit::after-mark"] {
        let world = World::new().unwrap();
        // Late enough for the lanes to be taken up and the engine to be ready.
        let crash_points = format!("{point}=16*off->panic");
        let launch = Launch { crash_points: &crash_points, unwinds: true, ..Launch::default() };
        let mut engine = world.start_with(None, launch).await.unwrap();
        let client = engine.nats().await.unwrap();
        let mut load = Load::default();
        while engine.is_running() {
            load.add("acme", 1);
            load.publish(&client, 1).await;
        }
        assert_eq!(engine.ended().await.code(), Some(1), "{point}");
        assert!(engine.log().contains("error: a lane broke off"), "{point}: {}", engine.log_tail());
    }
}

/// What panics at the same input in each engine ends two of them: the third stands still there with that lane alone.
#[tokio::test]
async fn an_input_at_which_a_lane_breaks_off_each_time_is_found_and_stood_still_at() {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    let mut engine = world.start(None).await.unwrap();
    let client = engine.nats().await.unwrap();
    publish(&client, "acme", event("edge", 1, "BEFORE", "Low")).await;
    wait_for_incidents(&engine, "acme", 1).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    // Nothing panicked until then.
    drop(engine);

    let mut engine = world.start_with(None, breaking(AT_INPUT)).await.unwrap();
    let client = engine.nats().await.unwrap();
    publish(&client, "acme", event("edge", 2, "ONE", "Low")).await;
    let sick = publish(&client, "acme", event("edge", 3, "SICK", "Low") + BREAKS).await;
    // The engine may be gone meanwhile.
    let _ = client.publish("in.acme.jmb.test", event("edge", 4, "BEHIND", "Low").into()).await;
    assert_eq!(engine.ended().await.code(), Some(1));
    ends(&world, AT_INPUT).await;
    assert!(world.data().join("ends.json").exists());

    let mut engine = world.start_with(None, breaking(AT_INPUT)).await.unwrap();
    let acme = lane_of("acme", LANES);
    let found = stopped(&engine, acme).await;
    assert_eq!((found["position"].as_u64(), &found["diverged"]), (Some(sick), &serde_json::Value::Null));
    let why = found["why"].as_str().unwrap();
    assert!(why.contains(&format!("broke off at the message {sick} of IN")) && why.contains("2 times"), "{why}");
    assert_eq!(readiness(&engine).await.0, 503);
    // What came before it counts, and the other lanes go on.
    wait_for_incidents(&engine, "acme", 2).await;
    others_go_on(&engine).await;
    let done = skip(&world, acme, sick).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    is_ready(&engine).await;
    publish(&engine.nats().await.unwrap(), "acme", event("edge", 5, "AFTER", "Low")).await;
    until("what came behind it is decided", async || {
        engine.incidents("acme").await.is_ok_and(|found| found >= 3).then_some(())
    })
    .await;
    assert!(!world.data().join("ends.json").exists());
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    let letters: Vec<_> = out.on("out.acme.dead.input-skipped").collect();
    assert_eq!((letters.len(), letters[0].data["sequence"].as_u64()), (1, Some(sick)));
    let before = said(&engine.nats_as_engine().await.unwrap()).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    // Decided again it is passed again.
    world.delete_state().unwrap();
    let mut engine = world.start_with(None, breaking(AT_INPUT)).await.unwrap();
    is_ready(&engine).await;
    assert_eq!(said(&engine.nats_as_engine().await.unwrap()).await, before);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// Also where what was committed is decided again, of which nothing is said any more.
#[tokio::test]
async fn a_rebuild_that_breaks_off_each_time_stands_still_too() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let client = engine.nats().await.unwrap();
    publish(&client, "acme", event("edge", 1, "BEFORE", "Low")).await;
    let sick = publish(&client, "acme", event("edge", 2, "SICK", "Low") + BREAKS).await;
    publish(&client, "acme", event("edge", 3, "BEHIND", "Low")).await;
    wait_for_incidents(&engine, "acme", 3).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    drop(engine);
    world.delete_state().unwrap();
    for _ in 0..2 {
        ends(&world, AT_INPUT).await;
    }
    let mut engine = world.start_with(None, breaking(AT_INPUT)).await.unwrap();
    let acme = lane_of("acme", LANES);
    assert_eq!(stopped(&engine, acme).await["position"].as_u64(), Some(sick));
    others_go_on(&engine).await;
    let done = skip(&world, acme, sick).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    is_ready(&engine).await;
    wait_for_incidents(&engine, "acme", 2).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// What panics with no input at hand ends two engines: in the third that lane alone stands still. No input is a way out, but
/// another start.
#[tokio::test]
async fn a_lane_that_breaks_off_at_no_input_each_time_stands_still_alone_until_the_next_start() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    publish(&engine.nats().await.unwrap(), "acme", event("edge", 1, "BEFORE", "Low")).await;
    wait_for_incidents(&engine, "acme", 1).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    drop(engine);
    let acme = lane_of("acme", LANES);
    let point = format!("lane::taken-up-{acme}=panic");
    ends(&world, &point).await;
    // The second time it is tried is the first of the next start.
    for _ in 0..2 {
        ends(&world, &point).await;
        let mut engine = world.start_with(None, breaking(&point)).await.unwrap();
        let found = stopped(&engine, acme).await;
        assert_eq!(found["position"], 0);
        let why = found["why"].as_str().unwrap();
        assert!(why.contains("with no input at hand") && why.contains("2 times in a row"), "{why}");
        assert_eq!(readiness(&engine).await.0, 503);
        others_go_on(&engine).await;
        let refused = skip(&world, acme, 0).await;
        assert!(refused.code == Some(1) && refused.stderr.contains("stands still at no input"), "{refused:?}");
        publish(&engine.nats().await.unwrap(), "acme", event("edge", 2, "AFTER", "Low")).await;
        assert_eq!(engine.incidents("acme").await.unwrap(), 1, "what it has come to can be read");
        assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    }
    let mut engine = world.start(None).await.unwrap();
    is_ready(&engine).await;
    wait_for_incidents(&engine, "acme", 2).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_connector_that_panics_has_failed_once() {
    let mut world = World::new().unwrap();
    world.configure("\n[settings]\nretry_base_s = 1\ncircuit_rest_s = 1\n");
    world.policy("open-case", OPEN_CASE).unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let launch = Launch { crash_points: "dispatch::attempt=3*panic->off", unwinds: true, ..Launch::default() };
    let mut engine = world.start_with(Some(&upstream), launch).await.unwrap();
    let client = engine.nats().await.unwrap();
    let mut load = Load::default();
    load.add("acme", 4);
    load.publish_all(&client).await;
    until("the cases are submitted", async || {
        let out = Out::read(&client).await.unwrap();
        (out.on("out.acme.trigger.incident.submitted").count() == 2).then_some(())
    })
    .await;
    assert_eq!(upstream.cases().await.unwrap(), 2);
    engine.tells("a connector broke off").await;
    assert_eq!(metric(&engine, "linesman_panics_total").await, "3");
    let told = async || (engine.log().lines().filter(|line| line.contains(TOLD)).count() == 3).then_some(());
    until("each of them is told", told).await;
    assert!(engine.stop().await.unwrap().success());
}
