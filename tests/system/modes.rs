//! The mode of configuration and log are one, it is changed on purpose, and each has what belongs to it.

use linesman_tests::{Launch, OPEN_CASE, Upstream, World, event, run_script, scripts, until};
use reqwest::Method;
use serde_json::{Value, json};

const DOCUMENT: &str = "docs/modes.md";

/// A world of another mode, with one organization that is no proxy.
fn of_mode(mode: &'static str) -> World {
    let mut world = World::new().unwrap();
    world.is_licensed = false;
    world.mode = mode;
    for name in ["bolt", "cobalt", "dory"] {
        world.without_organization(name);
    }
    world
}

#[tokio::test]
async fn the_commands_of_the_document_are_done() {
    let mut world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    std::os::unix::fs::symlink(world.data(), world.path("D")).unwrap();
    let mut said = String::new();
    for script in scripts(DOCUMENT).unwrap() {
        let ended = run_script(world.root(), &script).await.unwrap();
        assert_eq!(ended.code, Some(0), "{script}\n{}{}", ended.stdout, ended.stderr);
        said.push_str(&ended.stdout);
    }
    let plan = "4 proxy organizations stay and are processed; they can be changed only to be none, or be suspended\n\
                take `proxy = true` out of the configuration: mode `direct` does not start with it\n\
                end customers are answered no more: the listener for them is there in mode `partner` alone\n\
                `[upstream]` is to name the support system: mode `direct` has no other\n\
                the engine is to be started again with `mode = \"direct\"` in its configuration; until then it works as \
                before\n\nproxy organizations\nacme bolt cobalt dory\n";
    let shown =
        "direct\nthe engine runs with `partner`: start it again with `mode = \"direct\"` in its configuration\n";
    assert_eq!(said, format!("partner\n{plan}{plan}loaded\n{shown}"));
    let status = engine.get("/api/v1/status").await.unwrap();
    let notice =
        "the mode of the log is `direct`: start the engine again with `mode = \"direct\"` in its configuration";
    assert_eq!(status["notices"], json!([notice]));
    // Decisions follow at once.
    until("the lanes judge by it", async || {
        let body = Some(json!({"proxy": true}));
        let answer = engine.api().ok()?.ask(Method::PUT, "/api/v1/organizations/acme", None, body).await.ok()?;
        (answer.status == 409).then_some(())
    })
    .await;
    assert!(engine.stop().await.unwrap().success());
    let mut refused = world.spawn(None, Launch::default()).unwrap();
    let said = refused.wait_ready().await.unwrap_err().to_string();
    assert!(said.contains("the log is of mode `direct`, and `mode` is `partner`"), "{said}");
    world.mode = "direct";
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(
        engine.get("/api/v1/mode").await.unwrap(),
        json!({"mode": "direct", "configured": "direct", "restart": false})
    );
    let api = engine.api().unwrap();
    let to_demo = Some(json!({"mode": "demo"}));
    let answer = api.ask(Method::PUT, "/api/v1/mode", None, to_demo).await.unwrap();
    let expected = "mode `demo` has exactly one organization, and 4 take part: suspend the others first";
    assert_eq!((answer.status, answer.body["detail"].as_str()), (409, Some(expected)));
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_demo_has_one_organization_five_devices_and_an_upstream_of_its_own() {
    let world = of_mode("demo");
    world.policy("open", OPEN_CASE).unwrap();
    let mut engine = world.start(None).await.unwrap();
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    for device in 1..=6 {
        let bundle = event(&format!("edge-0{device}"), 1, "WORK", "High");
        log.publish("in.acme.jmb.test", bundle.into()).await.unwrap().await.unwrap();
    }
    until("five are processed and one is set aside", async || {
        let dead = engine.get("/api/v1/dead-letters?organization=acme").await.ok()?;
        let is_named = dead["items"][0]["reason"] == "device-limit";
        (is_named && engine.incidents("acme").await.ok()? == 5).then_some(())
    })
    .await;
    until("the stand-in has all cases", async || {
        let cases = engine.get("/api/v1/cases?organization=acme").await.ok()?;
        let is_there = |case: &Value| case["state"] == "submitted" || case["state"] == "created";
        (cases["items"].as_array()?.iter().filter(|case| is_there(case)).count() == 5).then_some(())
    })
    .await;
    let body = Some(json!({"proxy": false}));
    let answer = engine.api().unwrap().ask(Method::PUT, "/api/v1/organizations/bolt", None, body).await.unwrap();
    let expected = "the organization `bolt` cannot be added: mode `demo` has exactly one organization; several take mode \
                    `direct` or `partner`";
    assert_eq!((answer.status, answer.body["detail"].as_str()), (409, Some(expected)));
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn offline_nothing_leaves() {
    let mut world = of_mode("offline");
    world.is_licensed = true;
    world.policy("open", OPEN_CASE).unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    let bundle = event("edge-01", 1, "WORK", "High");
    log.publish("in.acme.jmb.test", bundle.into()).await.unwrap().await.unwrap();
    let status = until("the case waits", async || {
        let status = engine.get("/api/v1/status").await.ok()?;
        let found = status["destinations"].as_array()?.iter().find(|row| row["destination"] == "jss")?.clone();
        (found["served"] == false && found["reactions"] == 1).then_some(status)
    })
    .await;
    assert_eq!(status["notices"], json!(["mode `offline` sends nothing: no connector but `log` works"]));
    assert!(upstream.requests().await.unwrap().is_empty());
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_another_mode_has_is_refused_by_its_name() {
    let world = of_mode("direct");
    let mut engine = world.start(None).await.unwrap();
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    let bundle = event("edge-01", 1, "WORK", "Low");
    log.publish("in.acme.jmb.test", bundle.into()).await.unwrap().await.unwrap();
    until("there is an incident", async || (engine.incidents("acme").await.ok()? == 1).then_some(())).await;
    let api = engine.api().unwrap();
    for (operation, path, body) in [
        ("forward-case", "forward", json!({})),
        ("handle-case", "handle", json!({})),
        ("override-case", "override", json!({"case_status": "Fixed"})),
    ] {
        let answer =
            api.ask(Method::POST, &format!("/api/v1/incidents/acme-1/case/{path}"), None, Some(body)).await.unwrap();
        let expected = format!("`{operation}` needs mode `partner`; the mode is `direct`");
        assert_eq!((answer.status, answer.body["detail"].as_str()), (409, Some(&*expected)));
    }
    // There is no upstream: the test says so, and does nothing behind that.
    let answer = api.ask(Method::POST, "/api/v1/organizations/acme/test", None, None).await.unwrap();
    assert_eq!((answer.status, &answer.body["ok"], &answer.body["upstream"]), (200, &json!(false), &Value::Null));
    let steps = answer.body["steps"].as_array().unwrap();
    let outcomes: Vec<_> = steps.iter().map(|step| (step["step"].as_str().unwrap(), &step["outcome"])).collect();
    assert_eq!(outcomes[0], ("organization-here", &json!("ok")));
    assert_eq!(outcomes[1], ("upstream", &json!("failed")));
    assert_eq!(steps[1]["detail"], "there is no upstream: cases wait");
    assert!(outcomes.len() == 10 && outcomes[2..].iter().all(|(_, outcome)| **outcome == "not-done"), "{outcomes:?}");
    assert!(engine.stop().await.unwrap().success());
}
