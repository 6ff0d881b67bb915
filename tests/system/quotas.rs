//! An organization that sends more than its quota: all of it is accounted for, others notice nothing, and it is told.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use linesman_tests::{Ended, Engine, Out, World, event, gauge, run, until, wait_accounted};
use reqwest::Method;
use serde_json::{Value, json};

/// Runs the command line on an engine's data directory.
async fn cli(data: &Path, args: &[&str]) -> Ended {
    run(&[args, &["--data-dir", data.to_str().unwrap()]].concat()).await.unwrap()
}

fn today() -> String {
    TimeZone::UTC.to_datetime(Timestamp::now()).date().to_string()
}

/// What of `acme` is shown once so many of its messages were left undecided.
async fn left(engine: &Engine, messages: u64) -> Value {
    until("they are left undecided", async || {
        let shown = engine.get("/api/v1/organizations/acme").await.ok()?;
        (shown["sent"]["left_messages"] == messages).then_some(shown)
    })
    .await
}

#[tokio::test]
async fn what_comes_beyond_a_quota_is_left_undecided_and_accounted_for() {
    let day = today();
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let data = world.data();
    let set = cli(&data, &["org", "set", "acme", "--quota", "messages=10", "--quota", "devices=50"]).await;
    assert_eq!(set.code, Some(0), "{}", set.stderr);
    let wrong = cli(&data, &["org", "set", "acme", "--quota", "messages=many"]).await;
    assert!(wrong.stderr.contains("`messages=many` is no quota"), "{}", wrong.stderr);
    let client = engine.nats().await.unwrap();
    let log = async_nats::jetstream::new(client.clone());
    for number in 1..=30 {
        for org in ["acme", "bolt"] {
            let bundle = event("edge-01", number, "MANY", "Low");
            log.publish(format!("in.{org}.jmb.test"), bundle.into()).await.unwrap().await.unwrap();
        }
    }
    until("all of the other one's are incidents", async || (engine.incidents("bolt").await.ok()? == 30).then_some(()))
        .await;
    if today() != day {
        // What was sent on two days is under no quota of one.
        assert!(engine.stop().await.unwrap().success());
        return;
    }
    let shown = left(&engine, 20).await;
    assert_eq!(engine.incidents("acme").await.unwrap(), 10);
    assert_eq!(shown["quotas"], json!({"messages": 10, "devices": 50}));
    assert_eq!((&shown["sent"]["messages"], &shown["sent"]["day"]), (&json!(10), &json!(day)));
    let status = engine.get("/api/v1/status").await.unwrap();
    let notices = status["notices"].as_array().unwrap();
    let is_told =
        |notice: &Value| notice.as_str().unwrap().starts_with("`acme` sends more than its quota: 20 messages of ");
    assert!(notices.iter().any(is_told), "{notices:?}");
    wait_accounted(&engine).await.unwrap();
    let text = engine.get_text("/metrics").await.unwrap();
    assert!(text.contains("linesman_over_quota_messages_total{organization=\"acme\"} 20"), "{text}");
    assert_eq!(gauge(&text, "linesman_in_unaccounted_messages").ok(), Some(0.0));
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    for (trigger, used) in [("nearing", 8), ("exhausted", 10)] {
        let subject = format!("out.acme.trigger.quota.{trigger}");
        let told: Vec<_> = out.on(&subject).map(|event| &event.data).collect();
        let [told] = told[..] else { panic!("{told:?}") };
        assert_eq!((&told["kind"], &told["used"], &told["most"]), (&json!("messages"), &json!(used), &json!(10)));
    }

    // Other settings leave the quota; a greater one lets in what comes from there on.
    let body = Some(json!({"proxy": true, "quotas": {"messages": 15}}));
    let answer = engine.api().unwrap().ask(Method::PUT, "/api/v1/organizations/acme", None, body).await.unwrap();
    assert!(answer.status < 300, "{}", answer.body);
    let kept = cli(&data, &["org", "set", "acme", "--display-name", "Acme"]).await;
    assert_eq!(kept.code, Some(0), "{}", kept.stderr);
    for number in 31..=40 {
        let bundle = event("edge-01", number, "MANY", "Low");
        log.publish("in.acme.jmb.test", bundle.into()).await.unwrap().await.unwrap();
    }
    let shown = left(&engine, 25).await;
    assert_eq!(engine.incidents("acme").await.unwrap(), 15);

    // From the log alone it is the same again.
    assert!(engine.stop().await.unwrap().success());
    world.delete_state().unwrap();
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(engine.get("/api/v1/organizations/acme").await.unwrap(), shown);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_problem_that_would_be_remembered_beyond_the_quota_is_left_undecided_and_accounted_for() {
    let day = today();
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let data = world.data();
    let set = cli(&data, &["org", "set", "acme", "--quota", "remembered-ids=10"]).await;
    assert_eq!(set.code, Some(0), "{}", set.stderr);
    let client = engine.nats().await.unwrap();
    let log = async_nats::jetstream::new(client.clone());
    for number in 1..=15 {
        // Each of them twice: what is known counts on its incident.
        for org in ["acme", "acme", "bolt"] {
            let bundle = event("edge-01", number, "MANY", "Low");
            log.publish(format!("in.{org}.jmb.test"), bundle.into()).await.unwrap().await.unwrap();
        }
    }
    until("all of the other one's are incidents", async || (engine.incidents("bolt").await.ok()? == 15).then_some(()))
        .await;
    until("acme's are", async || (engine.incidents("acme").await.ok()? == 10).then_some(())).await;
    wait_accounted(&engine).await.unwrap();
    let shown = engine.get("/api/v1/organizations/acme").await.unwrap();
    assert_eq!((&shown["quotas"], &shown["remembered_ids"]), (&json!({"remembered_ids": 10}), &json!(10)));
    let shown = cli(&data, &["org", "show", "acme"]).await;
    assert!(shown.stdout.lines().any(|line| line.starts_with("remembered_ids ") && line.ends_with(" 10")), "{shown:?}");
    let status = engine.get("/api/v1/status").await.unwrap()["notices"].to_string();
    if today() == day {
        assert!(status.contains("10 host-event-IDs count") && status.contains("also on another day"), "{status}");
    }
    assert_eq!(engine.incidents("acme").await.unwrap(), 10);
    let text = engine.get_text("/metrics").await.unwrap();
    assert!(text.contains("linesman_over_quota_messages_total{organization=\"acme\"} 10"), "{text}");
    assert_eq!(gauge(&text, "linesman_in_unaccounted_messages").ok(), Some(0.0));
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    for (trigger, used) in [("nearing", 8), ("exhausted", 10)] {
        let subject = format!("out.acme.trigger.quota.{trigger}");
        let told: Vec<_> = out.on(&subject).map(|event| &event.data).collect();
        assert!(!told.is_empty() && told.len() <= 2, "{told:?}");
        assert_eq!((&told[0]["kind"], &told[0]["used"]), (&json!("remembered-ids"), &json!(used)));
    }
    // Whoever says other things of it leaves it.
    let kept = cli(&data, &["org", "set", "acme", "--display-name", "Acme"]).await;
    assert_eq!(kept.code, Some(0), "{}", kept.stderr);
    assert!(engine.stop().await.unwrap().success());

    // From the log alone it is the same again.
    world.delete_state().unwrap();
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(engine.get("/api/v1/organizations/acme").await.unwrap()["quotas"], json!({"remembered_ids": 10}));
    assert_eq!(engine.incidents("acme").await.unwrap(), 10);
    let set = cli(&data, &["org", "set", "acme", "--quota", "remembered-ids=12"]).await;
    assert_eq!(set.code, Some(0), "{}", set.stderr);
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    for number in 21..=25 {
        let bundle = event("edge-01", number, "MANY", "Low");
        log.publish("in.acme.jmb.test", bundle.into()).await.unwrap().await.unwrap();
    }
    until("there is room for two more", async || (engine.incidents("acme").await.ok()? == 12).then_some(())).await;
    wait_accounted(&engine).await.unwrap();
    assert_eq!(engine.incidents("acme").await.unwrap(), 12);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}
