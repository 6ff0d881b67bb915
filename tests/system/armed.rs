//! What is armed while the NATS server's clock is wrong comes when it is due, not when that clock would have it: neither hours late
//! nor not at all.

use linesman_tests::{Launch, OPEN_CASE, Upstream, World, event, until};
use serde_json::json;

use super::stopped::{publish, wait_for_incidents};

/// A case whose submission fails under a clock that is wrong is tried again as ever; `more` stands behind its bundle.
async fn is_tried_again(crash_points: &str, more: &str) {
    let mut world = World::new().unwrap();
    world.configure("\n[settings]\nretry_base_s = 1\nretry_most_s = 1\ncircuit_rest_s = 1\n");
    world.policy("open-case", OPEN_CASE).unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    publish(&engine.nats().await.unwrap(), "acme", event("edge", 1, "BEFORE", "Low")).await;
    wait_for_incidents(&engine, "acme", 1).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    upstream.control(&json!({"status": 503})).await.unwrap();
    let launch = Launch { crash_points, unwinds: true, ..Launch::default() };
    let mut engine = world.start_with(Some(&upstream), launch).await.unwrap();
    let client = engine.nats().await.unwrap();
    publish(&client, "acme", event("edge", 2, "CASE", "High") + more).await;
    until("its submission has failed", async || {
        let case = engine.get("/api/v1/cases/acme-2").await.ok()?;
        (!case["failing"].is_null()).then_some(())
    })
    .await;
    upstream.control(&json!({})).await.unwrap();
    until("the case is opened", async || (upstream.cases().await.ok()? == 1).then_some(())).await;
    publish(&client, "acme", event("edge", 3, "BEHIND", "High")).await;
    until("the next is too", async || (upstream.cases().await.ok()? == 2).then_some(())).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_retry_does_not_wait_for_a_clock_that_was_three_hours_ahead_for_a_moment() {
    is_tried_again("decode::time=return(10800)", "<!-- ahead -->\n").await;
}

#[tokio::test]
async fn a_retry_does_not_wait_for_a_server_that_is_an_hour_behind() {
    is_tried_again("decode::skew=return(-3600)", "").await;
}

#[tokio::test]
async fn a_retry_does_not_wait_for_a_server_that_is_an_hour_ahead() {
    is_tried_again("decode::skew=return(3600)", "").await;
}
