//! A NATS server's clock that jumps ahead is not believed unless the engine's confirms it, and nothing stands still for it.

use async_nats::Client;
use linesman::log::streams::lane_of;
use linesman_tests::{Engine, LANES, Launch, Out, World, event, run, until};
use serde_json::Value;

use super::policies::metric;
use super::stopped::{is_ready, publish, said, wait_for_incidents};

/// At its end a bundle says that the server's clock is ahead while it comes.
const AHEAD: &str = "<!-- ahead -->\n";
const NOT_BELIEVED: &str = "the NATS server's clock is not the lane's, which goes on without it";

/// How many readings of the clocks a lane has in the log.
async fn readings(client: &Client, org: &str) -> usize {
    let subject = format!("p.{}.ctl", lane_of(org, LANES));
    let mut count = 0;
    let stream = async_nats::jetstream::new(client.clone()).get_stream("IN").await.unwrap();
    for sequence in 1..=stream.cached_info().state.last_sequence {
        let message = stream.get_raw_message(sequence).await.unwrap();
        count += usize::from(message.subject.as_str() == subject && message.payload.starts_with(b"{\"clock\""));
    }
    count
}

async fn notices(engine: &Engine) -> Vec<Value> {
    engine.get("/api/v1/status").await.unwrap()["notices"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_message_a_year_ahead_makes_no_second_incident_of_a_repetition() {
    let world = World::new().unwrap();
    let launch = || Launch { crash_points: "decode::time=return(31536000)", unwinds: true, ..Launch::default() };
    let mut engine = world.start_with(None, launch()).await.unwrap();
    let client = engine.nats().await.unwrap();
    publish(&client, "acme", event("edge", 1, "FIRST", "Low")).await;
    wait_for_incidents(&engine, "acme", 1).await;
    publish(&client, "acme", event("edge", 1, "FIRST", "Low") + AHEAD).await;
    engine.tells(NOT_BELIEVED).await;
    for _ in 0..10 {
        publish(&client, "acme", event("edge", 1, "FIRST", "Low")).await;
    }
    publish(&client, "acme", event("edge", 2, "SECOND", "Low")).await;
    wait_for_incidents(&engine, "acme", 2).await;
    let own = engine.nats_as_engine().await.unwrap();
    let lane = lane_of("acme", LANES);
    until("the server's clock is believed again", async || {
        let ahead = metric(&engine, &format!("linesman_lane_clock_ahead_seconds{{lane=\"{lane}\"}}")).await;
        (ahead == "0").then_some(())
    })
    .await;
    assert_eq!(readings(&own, "acme").await, 1, "one is enough");
    let incidents = engine.get("/api/v1/incidents?organization=acme").await.unwrap();
    let incidents = incidents["items"].as_array().unwrap();
    let today = jiff::Timestamp::now().to_string();
    assert!(
        incidents.iter().all(|incident| incident["detected"].as_str().unwrap()[..4] == today[..4]),
        "{incidents:?}"
    );
    let before = said(&own).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    // Decided again, it is as it was: what the clocks said is found in the log.
    world.delete_state().unwrap();
    let mut engine = world.start_with(None, launch()).await.unwrap();
    is_ready(&engine).await;
    let own = engine.nats_as_engine().await.unwrap();
    assert_eq!(said(&own).await, before);
    assert_eq!((readings(&own, "acme").await, engine.incidents("acme").await.unwrap()), (1, 2));
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_server_an_hour_ahead_for_good_is_told_and_cured_once_it_is_right() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    publish(&engine.nats().await.unwrap(), "acme", event("edge", 1, "FIRST", "Low")).await;
    wait_for_incidents(&engine, "acme", 1).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    let skewed = Launch { crash_points: "decode::skew=return(3600)", unwinds: true, ..Launch::default() };
    let mut engine = world.start_with(None, skewed).await.unwrap();
    let client = engine.nats().await.unwrap();
    publish(&client, "acme", event("edge", 2, "SECOND", "Low")).await;
    wait_for_incidents(&engine, "acme", 2).await;
    let told = until("it is told", async || {
        notices(&engine).await.into_iter().find(|notice| notice.to_string().contains("is not believed"))
    })
    .await;
    assert!(told.to_string().contains("set that clock right, or this engine's"), "{told}");
    assert!(engine.log().contains(NOT_BELIEVED));
    is_ready(&engine).await;
    publish(&client, "acme", event("edge", 3, "THIRD", "Low")).await;
    wait_for_incidents(&engine, "acme", 3).await;
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    let soon = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_mins(10)).unwrap();
    let detected = |event: &Value| event["detected"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(out.on("out.acme.trigger.incident.detected").all(|event| detected(&event.data) < soon));
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    // Set right.
    let mut engine = world.start(None).await.unwrap();
    publish(&engine.nats().await.unwrap(), "acme", event("edge", 4, "FOURTH", "Low")).await;
    wait_for_incidents(&engine, "acme", 4).await;
    until("nothing is said of it", async || {
        (!notices(&engine).await.iter().any(|notice| notice.to_string().contains("NATS server's clock"))).then_some(())
    })
    .await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn two_clocks_a_year_ahead_wait_until_somebody_confirms_them() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    publish(&engine.nats().await.unwrap(), "acme", event("edge", 1, "FIRST", "Low")).await;
    wait_for_incidents(&engine, "acme", 1).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    // A machine that comes up in another year.
    let launch = Launch {
        crash_points: "decode::skew=return(31536000);clock::skew=return(31536000)",
        unwinds: true,
        ..Launch::default()
    };
    let mut engine = world.start_with(None, launch).await.unwrap();
    let client = engine.nats().await.unwrap();
    publish(&client, "acme", event("edge", 1, "FIRST", "Low")).await;
    publish(&client, "acme", event("edge", 2, "SECOND", "Low")).await;
    wait_for_incidents(&engine, "acme", 2).await;
    engine.tells("that is not believed until somebody confirms it").await;
    is_ready(&engine).await;
    let lane = lane_of("acme", LANES) as usize;
    let clocks = until("it is shown that all lanes wait", async || {
        let clocks = engine.get("/api/v1/clock").await.ok()?;
        clocks["lanes"].as_array()?.iter().all(|lane| lane["waits"] == true).then_some(clocks)
    })
    .await;
    let (own, today) = (&clocks["lanes"][lane], jiff::Timestamp::now().to_string());
    assert!(own["time"].as_str().unwrap()[..4] == today[..4] && own["since"].is_string(), "{own}");
    assert!((31_500_000..31_600_000).contains(&own["ahead_s"].as_i64().unwrap()), "{own}");
    for clock in ["server", "engine"] {
        assert!(clocks[clock].as_str().unwrap()[..4] > today[..4], "{clocks}");
    }
    assert!(notices(&engine).await.iter().any(|notice| notice.to_string().contains("`linesman clock confirm`")));
    let data = world.data();
    let data = data.to_str().unwrap();
    let shown = run(&["clock", "show", "--data-dir", data]).await.unwrap();
    assert!(shown.code == Some(0) && shown.stdout.contains("  linesman clock confirm"), "{shown:?}");
    let other = run(&["clock", "confirm", "--lane", "99", "--data-dir", data]).await.unwrap();
    assert!(other.code != Some(0) && other.stderr.contains("there is no such lane"), "{other:?}");
    let confirmed = run(&["clock", "confirm", "--data-dir", data]).await.unwrap();
    assert!(confirmed.code == Some(0) && confirmed.stdout.contains("it is confirmed that it is"), "{confirmed:?}");
    until("all lanes go by it", async || {
        let clocks = engine.get("/api/v1/clock").await.ok()?;
        clocks["lanes"].as_array()?.iter().all(|lane| lane["ahead_s"] == 0).then_some(())
    })
    .await;
    let again = run(&["clock", "confirm", "--data-dir", data]).await.unwrap();
    assert!(again.code != Some(0) && again.stderr.contains("is ahead of no lane"), "{again:?}");
    assert!(again.code == Some(1) && again.stderr.contains("nothing waits to be confirmed"), "{again:?}");
    let records = engine.get("/api/v1/audit?operation=confirm-clock").await.unwrap();
    assert!(records["items"].as_array().is_some_and(|items| !items.is_empty()), "{records}");
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_clock_that_the_engines_does_not_agree_with_is_confirmed_by_force_alone() {
    let world = World::new().unwrap();
    let skewed = Launch { crash_points: "decode::skew=return(2592000)", unwinds: true, ..Launch::default() };
    let mut engine = world.start(None).await.unwrap();
    publish(&engine.nats().await.unwrap(), "acme", event("edge", 1, "FIRST", "Low")).await;
    wait_for_incidents(&engine, "acme", 1).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    let mut engine = world.start_with(None, skewed).await.unwrap();
    publish(&engine.nats().await.unwrap(), "acme", event("edge", 2, "SECOND", "Low")).await;
    wait_for_incidents(&engine, "acme", 2).await;
    let lane = lane_of("acme", LANES) as usize;
    let ahead = async || {
        let clocks = engine.get("/api/v1/clock").await.ok()?;
        clocks["lanes"][lane]["ahead_s"].as_i64()
    };
    until("the server's clock is a month ahead", async || ahead().await.filter(|ahead| *ahead > 2_500_000)).await;
    let data = world.data();
    let data = data.to_str().unwrap();
    let refused = run(&["clock", "confirm", "--data-dir", data]).await.unwrap();
    let words = ["by the NATS server's clock it is", "by this engine's", "`--force`"];
    assert!(refused.code == Some(1) && words.iter().all(|word| refused.stderr.contains(word)), "{refused:?}");
    assert!(ahead().await.is_some_and(|ahead| ahead > 2_500_000), "nothing was written");
    let forced = run(&["clock", "confirm", "--force", "--json", "--data-dir", data]).await.unwrap();
    assert!(forced.code == Some(0) && forced.stdout.starts_with("{\"lanes\":["), "{forced:?}");
    let later = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(25 * 24)).unwrap();
    until("the lane goes by it", async || {
        let clocks = engine.get("/api/v1/clock").await.ok()?;
        let time: jiff::Timestamp = clocks["lanes"][lane]["time"].as_str()?.parse().ok()?;
        (time > later).then_some(())
    })
    .await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}
