//! Why the support system fails is told at once, and where: status, case, metrics, log.

use std::collections::BTreeMap;

use linesman_connectors::tls::Authority;
use linesman_tests::{Engine, OPEN_CASE, Upstream, World, event, run, until};
use serde_json::{Value, json};

const SETTINGS: &str = "\n[settings]\nretry_base_s = 1\nretry_most_s = 1\ncircuit_rest_s = 1\ncircuit_rest_most_s = 1\n\
                        case_poll_s = 1\n";

/// How the destination `jss` fails; null where it does not.
async fn failing(engine: &Engine) -> Value {
    let status = engine.get("/api/v1/status").await.unwrap();
    let destinations = status["destinations"].as_array().unwrap();
    let jss = destinations.iter().find(|row| row["destination"] == "jss");
    jss.map(|row| row["failing"].clone()).unwrap_or_default()
}

/// Waits until it fails so, and holds metric, case, command and log against that.
async fn fails(world: &World, engine: &Engine, (class, words): (&str, &str)) {
    let failing = until(&format!("it fails: {class}"), async || {
        let failing = failing(engine).await;
        (failing["class"] == class && failing["tries"].as_u64() > Some(3)).then_some(failing)
    })
    .await;
    assert!(failing["error"].as_str().unwrap().contains(words), "{failing}");
    assert!(failing["since"].as_str() < failing["last"].as_str(), "{failing}");
    let metrics = engine.get_text("/metrics").await.unwrap();
    let line = |class: &str| format!("linesman_destinations_failing{{connector=\"jss\",class=\"{class}\"}}");
    let counts: BTreeMap<&str, &str> = metrics.lines().filter_map(|line| line.rsplit_once(' ')).collect();
    assert_eq!((counts[&*line(class)], counts[&*line("timeout")]), ("1", "0"));
    until("the case says why it waits", async || {
        let case = engine.get("/api/v1/cases/acme-1").await.ok()?;
        let failing = &case["failing"];
        (failing["class"] == class && failing["error"].as_str().is_some_and(|error| error.contains(words)))
            .then_some(())
    })
    .await;
    let data = world.data();
    let data = data.to_str().unwrap();
    let said = run(&["status", "--data-dir", data]).await.unwrap();
    assert!(said.stdout.contains("jss fails since ") && said.stdout.contains(words), "{}", said.stdout);
    let said = run(&["case", "show", "acme-1", "--data-dir", data]).await.unwrap();
    assert!(said.stdout.contains(words), "{}", said.stdout);
    // The log is one of all starts.
    let is_told = |line: &&str| line.contains("a destination fails\"") && line.contains(words);
    assert_eq!(engine.log().lines().filter(is_told).count(), 1, "it is told of once, and not at each try");
}

#[tokio::test]
async fn why_the_support_system_fails_and_since_when_is_told_at_once() {
    let mut world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    // Believed is another authority than its own.
    let other = Authority::open(&world.path("other")).unwrap();
    let ca = std::fs::read_to_string(upstream.ca()).unwrap();
    std::fs::write(upstream.ca(), std::fs::read_to_string(other.ca_path()).unwrap()).unwrap();
    world.configure(SETTINGS);
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    let bundle = event("edge-01", 1, "DOWN", "High");
    log.publish("in.acme.jmb.test", bundle.into()).await.unwrap().await.unwrap();
    fails(&world, &engine, ("tls", "its issuer is not among those that are believed")).await;
    assert!(engine.stop().await.unwrap().success());

    std::fs::write(upstream.ca(), ca).unwrap();
    upstream.control(&json!({"status": 503})).await.unwrap();
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    fails(&world, &engine, ("http-5xx", "the token request was answered with HTTP 503")).await;
    upstream.control(&json!({})).await.unwrap();
    engine.tells("a destination answers again").await;
    until("the case is there", async || {
        let case = engine.get("/api/v1/cases/acme-1").await.unwrap();
        (case["state"] != "waiting" && case["failing"].is_null()).then_some(())
    })
    .await;
    assert!(failing(&engine).await.is_null());
    assert!(engine.stop().await.unwrap().success());
}
