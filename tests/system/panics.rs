//! A part that breaks off never leaves the engine half alive: a lane takes it down, a connector has
//! failed in one attempt.

use linesman::panics::TOLD;
use linesman_tests::{Launch, Load, OPEN_CASE, Out, Upstream, World, until};

use super::policies::metric;

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
