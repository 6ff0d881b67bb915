//! Looks at devices are bounded and of whom is meant: a connection ends with the host key that it was made by, what is no bundle
//! costs nothing further, and what people ask of it is done and on record.

use std::fs;

use linesman_connectors::device::standin::server::{Fault, Server};
use linesman_tests::{Engine, Launch, Out, World, event, run, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::collecting::{Device, add, bundles, collect, device, stands};

const REFUSALS: &str = "<rpc-error><error-type>application</error-type><error-tag>bad-element</error-tag>\
                        <error-severity>error</error-severity><error-app-tag>too-odd</error-app-tag>\
                        <error-path>/a/b</error-path><error-message>first thing</error-message></rpc-error>\
                        <rpc-error><error-type>application</error-type><error-tag>data-missing</error-tag>\
                        <error-severity>error</error-severity><error-message>second thing</error-message></rpc-error>";

/// What is set aside of an organization.
async fn set_aside(engine: &Engine) -> Option<Vec<Value>> {
    engine.get("/api/v1/jmb-errors?limit=1000").await.ok()?["items"].as_array().cloned()
}

/// How many reports of files that are no bundles stand in the log.
async fn told(engine: &Engine) -> usize {
    let client = engine.nats_as_engine().await.unwrap();
    let stream = async_nats::jetstream::new(client).get_stream("IN").await.unwrap();
    let (mut count, last) = (0, stream.cached_info().state.last_sequence);
    for sequence in 1..=last {
        let Ok(message) = stream.get_raw_message(sequence).await else { continue };
        count +=
            usize::from(message.subject.ends_with(".result") && message.payload.starts_with(b"{\"jmb_set_aside\""));
    }
    count
}

/// The newest record of an operation.
async fn recorded(engine: &Engine, what: &str) -> Value {
    let audit = engine.get("/api/v1/audit?organization=acme&limit=1000").await.unwrap();
    let is_of = |record: &&Value| record["operation"] == "use-device" && record["new"]["what"] == what;
    let found = audit["items"].as_array().unwrap().iter().find(is_of);
    assert!(found.is_some(), "no `{what}`: {audit}");
    found.unwrap()["new"].clone()
}

async fn pins(world: &World, device: &str, server: &Server) {
    let (data, key) = (world.data().display().to_string(), server.host_key().unwrap().to_string());
    let ended = run(&["device", "hostkey", "acme", device, "--host-key", &key, "--data-dir", &data]).await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[tokio::test]
async fn a_connection_ends_once_people_pin_another_host_key_than_it_showed() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let (between, own) = (Device::start(&world, "r1").await, Device::start(&world, "r2").await);
    let mut body = between.body();
    body.as_object_mut().unwrap().remove("host_key");
    body["accept_host_key"] = json!(true);
    add(&api, "r1", body).await;
    let shown = between.server.host_key().unwrap().to_string();
    until("its first key is pinned", async || {
        let found = engine.get("/api/v1/devices/acme/r1").await.ok()?;
        (found["reached"]["host_key"] == shown && found["state"] == "reachable").then_some(())
    })
    .await;
    collect(&api, "r1").await;
    // Somebody knows the right one.
    pins(&world, "r1", &own.server).await;
    between.leaves("a.xml", &event("edge-01", 1, "WORK", "Low"));
    collect(&api, "r1").await;
    let found = stands(&engine, "r1", "host-key-changed").await;
    assert_eq!(found["reached"]["shown_host_key"], shown, "{found}");
    assert_eq!((between.has(), engine.incidents("acme").await.unwrap()), (vec!["a.xml".to_owned()], 0));
    pins(&world, "r1", &between.server).await;
    until("it is collected", async || (engine.incidents("acme").await.ok()? == 1).then_some(())).await;
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    let states: Vec<_> =
        out.on("out.acme.trigger.device.state-changed").map(|event| event.data["state"].clone()).collect();
    assert_eq!(states, ["host-key-changed"]);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_device_is_asked_what_it_is_again_and_whatever_is_wrong_with_its_files() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    one.leaves("a.xml", &event("edge-01", 1, "WORK", "Low"));
    let ahead = std::time::SystemTime::from(jiff::Timestamp::now()) + std::time::Duration::from_secs(86_400);
    fs::File::options().write(true).open(one.folder.join("a.xml")).unwrap().set_modified(ahead).unwrap();
    // At the first time it does not say it.
    one.server.script().add(Fault::Refuse("get-system-information", REFUSALS.to_owned()));
    let mut body = one.body();
    body["after"] = json!("leave");
    add(&api, "r1", body).await;
    let found = stands(&engine, "r1", "clock-skewed").await;
    let error = found["error"].as_str().unwrap();
    assert!(error.contains("more than 5 minutes ahead"), "it says what is another with each look: {error}");
    let found = until("it is known what it is", async || {
        let found = engine.get("/api/v1/devices/acme/JN0001").await.ok()?;
        found["reached"]["routing_engines"].as_array().is_some_and(|engines| !engines.is_empty()).then_some(found)
    })
    .await;
    assert_eq!((&found["name"], &found["state"]), (&json!("r1"), &json!("clock-skewed")), "{found}");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_people_ask_of_a_file_that_is_no_bundle_is_done_and_on_record() {
    let mut world = World::new().unwrap();
    world.configure("\n[collector]\nincomplete_after_s = 1\n");
    let mut engine = world.start(None).await.unwrap();
    let one = Device::start(&world, "r1").await;
    let whole = event("edge-01", 1, "WORK", "Low");
    one.leaves("zz-last.xml", &whole[..whole.len() / 2]);
    // It lies behind more others than are looked at.
    one.server.script().add(Fault::Names((0..20_001).map(|n| format!("core-{n}.log").into_bytes()).collect()));
    add(&engine.api().unwrap(), "r1", one.body()).await;
    let aside = until("it is set aside", async || set_aside(&engine).await?.first().cloned()).await;
    let (id, data) = (aside["id"].as_str().unwrap().to_owned(), world.data().display().to_string());
    let ended = run(&["jmb-error", "download", "acme", "r1", &id, "--data-dir", &data]).await.unwrap();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), &whole[..whole.len() / 2]), "{}", ended.stderr);
    let record = recorded(&engine, "download").await;
    assert_eq!((&record["id"], &record["file"]), (&json!(id), &json!("zz-last.xml")), "{record}");
    one.server.script().clear();
    assert!(engine.stop().await.unwrap().success());

    // Another engine has seen it just now, and waits for an hour: not where somebody asks.
    world.forget_configuration();
    let mut engine = world.start(None).await.unwrap();
    stands(&engine, "r1", "reachable").await;
    let reads = || one.server.done().iter().filter(|done| done.contains("zz-last.xml")).count();
    let before = reads();
    let ended = run(&["jmb-error", "recheck", "acme", "r1", &id, "--data-dir", &data]).await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    until("it is judged once more", async || {
        collect(&engine.api().ok()?, "r1").await;
        (reads() > before && set_aside(&engine).await?.first()?["found"] != aside["found"]).then_some(())
    })
    .await;
    let reads_then = reads();
    collect(&engine.api().unwrap(), "r1").await;
    collect(&engine.api().unwrap(), "r1").await;
    assert_eq!(reads(), reads_then, "it is read again though it is the same");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn of_files_beyond_those_that_are_kept_the_log_is_told_nothing() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    for number in 0..1_005 {
        one.leaves(&format!("junk-{number:04}.xml"), "no xml at all");
    }
    add(&api, "r1", one.body()).await;
    let found = stands(&engine, "r1", "garbled").await;
    assert!(found["error"].as_str().unwrap().contains("more than 1000 files of it are no bundles"), "{found}");
    until("so many are kept", async || (set_aside(&engine).await?.len() == 1_000).then_some(())).await;
    collect(&api, "r1").await;
    assert_eq!(told(&engine).await, 1_000);
    // What is a bundle comes home all the same.
    one.leaves("z.xml", &event("edge-01", 1, "WORK", "Low"));
    until("it is collected", async || (engine.incidents("acme").await.ok()? == 1).then_some(())).await;
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn all_that_a_device_says_that_refuses_is_told_to_whoever_asked() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    add(&api, "r1", one.body()).await;
    stands(&engine, "r1", "reachable").await;
    let (data, file) = (world.data().display().to_string(), world.path("request.xml"));
    fs::write(&file, "<get/>").unwrap();
    one.server.script().add(Fault::Refuse("get", REFUSALS.to_owned()));
    let ended = run(&["netconf", "acme/r1", "rpc", file.to_str().unwrap(), "--data-dir", &data]).await.unwrap();
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    for part in ["too-odd", "/a/b", "first thing", "data-missing", "second thing", "</rpc-reply>"] {
        assert!(ended.stdout.contains(part), "no `{part}`: {}", ended.stdout);
    }
    assert!(ended.stderr.contains("the device refuses: bad-element: first thing"), "{}", ended.stderr);
    one.server.script().add(Fault::Refuse("get", REFUSALS.to_owned()));
    let answer = api.post("/api/v1/devices/acme/r1/rpc", json!({"rpc": "<get/>"})).await.unwrap();
    assert_eq!(answer.status, 502, "{}", answer.body);
    assert!(answer.body["reply"].as_str().unwrap().contains("second thing"), "{}", answer.body);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_serial_number_of_several_devices_names_none_of_them_and_that_is_said() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    let mut body = one.body();
    body["serial_number"] = json!("JN9");
    body["shared_address"] = json!(true);
    add(&api, "r1", body.clone()).await;
    add(&api, "r2", body).await;
    let key = json!({"host_key": null});
    for (method, path, body) in [
        (Method::GET, "devices/acme/JN9", None),
        (Method::PUT, "devices/acme/JN9", Some(json!({"poll_s": 60}))),
        (Method::PUT, "devices/acme/JN9/host-key", Some(key)),
        (Method::GET, "jmb-errors/acme/JN9/1f3870be274f6c49", None),
        (Method::DELETE, "devices/acme/JN9", None),
    ] {
        let answer = api.ask(method, &format!("/api/v1/{path}"), None, body).await.unwrap();
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("several devices of `acme` have the serial number `JN9`"), "{path}: {}", answer.body);
        assert!(matches!(answer.status, 400 | 409), "{path}: {}", answer.status);
    }
    assert_eq!(device(&engine, "r1").await["reached"]["poll_s"], 5);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_first_host_key_whose_pin_came_to_nothing_is_pinned_with_the_next_look() {
    let world = World::new().unwrap();
    let launch = Launch { crash_points: "reach::accept=1*return->off", ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    let one = Device::start(&world, "r1").await;
    let mut body = one.body();
    body.as_object_mut().unwrap().remove("host_key");
    body["accept_host_key"] = json!(true);
    add(&engine.api().unwrap(), "r1", body).await;
    let shown = one.server.host_key().unwrap().to_string();
    until("it is pinned", async || (device(&engine, "r1").await["reached"]["host_key"] == shown).then_some(())).await;
    stands(&engine, "r1", "reachable").await;
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_is_brought_of_a_device_goes_from_it_though_it_is_reached_no_more() {
    const COUNT: usize = 48;
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    add(&api, "r1", one.body()).await;
    stands(&engine, "r1", "reachable").await;
    for number in 1..=COUNT {
        one.leaves(&format!("{number:02}.xml"), &event("edge-01", u64::try_from(number).unwrap(), "WORK", "Low"));
    }
    until("some are brought", async || (!bundles(&engine).await.is_empty()).then_some(())).await;
    let pause = std::time::Duration::from_millis(20);
    one.server.script().add(Fault::Slow { bytes: 16, pause });
    let answer = api.ask(Method::DELETE, "/api/v1/devices/acme/r1", None, None).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    until("nobody looks at it", async || {
        let metrics = engine.get_text("/metrics").await.ok()?;
        metrics.lines().any(|line| line == "linesman_devices_reached 0").then_some(())
    })
    .await;
    let brought = bundles(&engine).await.len();
    assert_eq!(one.has().len(), COUNT - brought, "{:?}", one.has());
    one.server.script().clear();
    let answer = api.ask(Method::PUT, "/api/v1/devices/bolt/r1?new=true", None, Some(one.body())).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.body);
    until("nothing is left", async || one.has().is_empty().then_some(())).await;
    let found = bundles(&engine).await;
    let once: std::collections::BTreeSet<_> = found.iter().collect();
    assert_eq!((found.len(), once.len()), (COUNT, COUNT));
    assert!(engine.stop().await.unwrap().success());
}
