//! What services activate is configuration of the devices that are reached, once and wholly, whatever breaks off.

use std::fs;

use async_nats::jetstream;
use futures_util::StreamExt as _;
use linesman_connectors::device::standin::server::{Account, Fault, Proof, Server, Setup};
use linesman_tests::{Api, Engine, Launch, World, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::activations::{LINE_1, ask, put, service, subscription};

const PASSWORD: &str = "correct horse battery";
const BY_HAND: &str = "system {\n    host-name pe-1;\n}\n";

/// A device that is set up by hand so far.
async fn device(world: &World) -> Server {
    let root = world.path("r1");
    fs::create_dir_all(root.join("var/tmp")).unwrap();
    let account = Account { user: "linesman".to_owned(), proof: Proof::Password(PASSWORD.to_owned()) };
    let server = Server::start(Setup::new(&root, vec![account])).await.unwrap();
    server.change_by_hand(BY_HAND, true).unwrap();
    server
}

async fn add(api: &Api, name: &str, server: &Server, serial_number: &str) {
    let port = server.address().port();
    let body = json!({
        "address": "127.0.0.1", "port": port, "netconf_port": port, "user": "linesman", "password": PASSWORD,
        "host_key": server.host_key().unwrap().to_string(), "serial_number": serial_number,
    });
    let answer =
        api.ask(Method::PUT, &format!("/api/v1/devices/acme/{name}?new=true"), None, Some(body)).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.body);
}

/// Activates the service for a line of a device.
async fn activate(api: &Api, device: &str) {
    put(api, "places/acme/berlin", json!({})).await;
    put(api, "places/acme/berlin/line-1", json!({"device": device})).await;
    put(api, "subscriptions/acme/cap", subscription()).await;
}

fn running(server: &Server) -> String {
    server.running().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Waits until the device has it, for good, and the activation says so.
async fn until_active(engine: &Engine, server: &Server) {
    until("the activation is active", async || {
        let list: Value = engine.get("/api/v1/activations?under=acme/berlin").await.ok()?;
        (list["items"][0]["state"] == "active").then_some(())
    })
    .await;
    let running = running(server);
    assert!(running.contains(LINE_1) && running.contains("apply-groups linesman-"), "{running}");
    assert!(!server.is_pending());
}

/// How often something was committed, confirmed or not.
fn commits(server: &Server) -> usize {
    server.done().iter().filter(|done| done.starts_with("commit")).count()
}

#[tokio::test]
async fn an_activation_is_on_the_device_that_is_reached_and_goes_with_it() {
    let world = World::new().unwrap();
    service(&world);
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let server = device(&world).await;
    // It is found by its serial number.
    add(&api, "r1", &server, "pe-1").await;
    activate(&api, "pe-1").await;
    until_active(&engine, &server).await;
    assert!(running(&server).contains("host-name pe-1;"));
    assert_eq!(commits(&server), 2);
    let end = json!({"deactivate_subscription": {"place": "acme", "name": "cap"}});
    ask(&engine.nats_as_engine().await.unwrap(), "acme", end).await;
    until("the group is gone", async || (server.running() == BY_HAND && !server.is_pending()).then_some(())).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn what_is_for_a_device_that_is_not_reached_waits_until_it_is() {
    let world = World::new().unwrap();
    service(&world);
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let server = device(&world).await;
    activate(&api, "r1").await;
    let log = jetstream::new(engine.nats_as_engine().await.unwrap()).get_stream("IN").await.unwrap();
    let told = until("an attempt is reported", async || {
        let (subject, _) = log.info_with_subjects("p.*.*.result").await.ok()?.next().await?.ok()?;
        log.get_last_raw_message_by_subject(&subject).await.ok()
    })
    .await;
    let told = String::from_utf8(told.payload.to_vec()).unwrap();
    assert!(told.contains("unavailable") && told.contains("reaches no such device"), "{told}");
    add(&api, "r1", &server, "").await;
    until_active(&engine, &server).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn an_engine_that_is_killed_amid_a_change_makes_it_once() {
    let world = World::new().unwrap();
    service(&world);
    // Between commit and report.
    let launch = Launch { crash_points: "dispatch::before-report=panic", ..Launch::default() };
    let mut engine = world.spawn(None, launch).unwrap();
    engine.wait_ready().await.unwrap();
    let api = engine.api().unwrap();
    let server = device(&world).await;
    add(&api, "pe-1", &server, "").await;
    activate(&api, "pe-1").await;
    engine.ended().await;
    assert!(running(&server).contains(LINE_1), "the kill came too early");
    let mut engine = world.start(None).await.unwrap();
    until_active(&engine, &server).await;
    assert_eq!(commits(&server), 2, "it was changed twice");

    // Between the commit and its confirmation.
    server.script().add(Fault::Silent("get-system-information"));
    put(&engine.api().unwrap(), "values/acme/berlin", json!({"substitutions": ["rate=20m"]})).await;
    until("the commit waits", async || server.is_pending().then_some(())).await;
    engine.kill().unwrap();
    server.restart();
    assert!(running(&server).contains(LINE_1), "it was not taken back");
    let mut engine = world.start(None).await.unwrap();
    until("the device has it", async || {
        (running(&server).contains("rate 20000000;") && !server.is_pending()).then_some(())
    })
    .await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}
