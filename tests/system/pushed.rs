//! What services activate is configuration of the devices that are reached, once and wholly, whatever breaks off.

use std::fs;

use async_nats::jetstream;
use futures_util::StreamExt as _;
use linesman_connectors::device::standin::server::{Account, Fault, Proof, Server, Setup};
use linesman_tests::{Api, Engine, Launch, World, run, until};
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
    let records = until("both are on record", async || {
        let list = engine.get("/api/v1/audit?organization=acme&operation=configure-device").await.ok()?;
        list["items"].as_array().filter(|records| records.len() == 2).cloned()
    })
    .await;
    let changes = ["put", "remove"].into_iter().zip(["+", "-"]);
    for (record, (change, sign)) in records.iter().zip(changes) {
        let told = (&record["about"], &record["place"], &record["new"]["change"], &record["new"]["outcome"]);
        assert_eq!(told, (&json!("pe-1"), &json!("acme/berlin/line-1"), &json!(change), &json!("applied")), "{record}");
        assert_eq!(record["new"]["by"], json!(["admin"]), "{record}");
        assert!(record["node"].as_str().is_some_and(|node| !node.is_empty()), "{record}");
        let lines = record["new"]["difference"]["text"].as_str().unwrap().lines();
        assert!(lines.clone().any(|line| line.starts_with(sign) && line.contains("policer")), "{record}");
    }
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

#[tokio::test]
async fn a_device_that_dies_before_it_is_confirmed_takes_the_change_back_and_the_activation_says_so() {
    let mut world = World::new().unwrap();
    world.configure("\n[settings]\nretry_base_s = 10\n");
    service(&world);
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let server = device(&world).await;
    add(&api, "r1", &server, "pe-1").await;
    server.script().add(Fault::CutBefore("get-system-information"));
    activate(&api, "pe-1").await;
    let list = "/api/v1/activations?under=acme/berlin&state=pending";
    let told = until("the activation says so", async || {
        let list: Value = engine.get(list).await.ok()?;
        let reason = list["items"][0]["reason"].as_str()?.to_owned();
        reason.contains("takes it back").then_some((list["items"][0]["activation"].as_str()?.to_owned(), reason))
    })
    .await;
    let (activation, reason) = told;
    assert!(reason.contains("`pe-1`") && reason.contains("not confirmed"), "{reason}");
    assert!(server.is_pending(), "it was confirmed");
    server.restart();
    assert_eq!(server.running(), BY_HAND, "it was not taken back");
    until_active(&engine, &server).await;
    // What it came to by the device's own words.
    let one: Value = engine.get(&format!("/api/v1/activations/acme/berlin/line-1/{activation}")).await.unwrap();
    let text = one["difference"]["text"].as_str().unwrap_or_default();
    assert!(text.lines().any(|line| line.starts_with('+') && line.contains("policer line-1")), "{one}");
    assert!(one["reason"] == "" && one["difference"]["added"].as_u64() > Some(0), "{one}");
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_device_changes_once_somebody_has_approved_what_it_says_that_it_would() {
    let mut world = World::new().unwrap();
    world.configure("\n[approvals]\nconfigure-device = \"one-person\"\n");
    service(&world);
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let server = device(&world).await;
    add(&api, "r1", &server, "pe-1").await;
    activate(&api, "pe-1").await;
    let pending = async |id: &str| {
        let approval: Value = engine.get(&format!("/api/v1/approvals/{id}")).await.ok()?;
        (approval["state"] == "pending").then_some(approval)
    };
    let approval = until("it is asked for", async || pending("acme-a1").await).await;
    let text = approval["comes_to"]["difference"]["text"].as_str().unwrap_or_default();
    assert!(text.lines().any(|line| line.starts_with('+') && line.contains("policer line-1")), "{approval}");
    assert_eq!((server.running().as_str(), commits(&server)), (BY_HAND, 0));
    let list: Value = engine.get("/api/v1/activations?under=acme/berlin").await.unwrap();
    assert!(list["items"][0]["reason"].as_str().unwrap().contains("awaits approval: `acme-a1`"), "{list}");
    // Another hand makes the group meanwhile: the device would change otherwise than what was approved.
    let group = list["items"][0]["group"].as_str().unwrap();
    let other =
        format!("{BY_HAND}groups {{\n    {group} {{\n        chassis {{\n            alarm;\n        }}\n    }}\n}}\n");
    server.change_by_hand(&other, true).unwrap();
    let before = server.running();
    let approve = async |id: &str| {
        let path = format!("/api/v1/approvals/{id}/approve");
        let answer = api.ask(Method::POST, &path, None, Some(json!({"comment": "agreed"}))).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    approve("acme-a1").await;
    let approval = until("it is asked for anew", async || pending("acme-a2").await).await;
    assert!(approval["comes_to"]["difference"]["text"].as_str().unwrap().contains("alarm"), "{approval}");
    assert_eq!(server.running(), before);
    approve("acme-a2").await;
    until_active(&engine, &server).await;
    // Whoever has the device told again is told that it is changed once that is approved.
    server.change_by_hand(BY_HAND, true).unwrap();
    let data = world.data().display().to_string();
    let apply = async |more: &[&str]| {
        let args = [&["device", "config", "apply", "acme", "r1", "--data-dir", &data][..], more].concat();
        run(&args).await.unwrap()
    };
    let told = apply(&[]).await;
    assert!(told.code == Some(0) && told.stdout.contains("1 of them need approval"), "{told:?}");
    until("it is asked for once more", async || pending("acme-a3").await).await;
    let told = apply(&["--wait=60s"]).await;
    assert!(told.code == Some(1) && told.stdout.contains("pending, awaits approval `acme-a3`"), "{told:?}");
    assert_eq!(server.running(), BY_HAND);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// What a preview of another rate says of the change of the line.
async fn previewed(api: &Api) -> Value {
    let body = json!({"substitutions": ["rate=20m"]});
    let answer = api.ask(Method::PUT, "/api/v1/values/acme/berlin?dry_run=true", None, Some(body)).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["changes"].as_array().map(Vec::len), Some(1), "{}", answer.body);
    answer.body["changes"][0].clone()
}

#[tokio::test]
async fn a_preview_shows_what_the_device_says_itself_changes_nothing_there_and_is_on_record() {
    let world = World::new().unwrap();
    service(&world);
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let server = device(&world).await;
    add(&api, "r1", &server, "pe-1").await;
    activate(&api, "pe-1").await;
    until_active(&engine, &server).await;
    // What somebody has changed there by hand is the device's alone to say.
    let by_hand = server.running().replace("rate 10000000;", "rate 7;");
    server.change_by_hand(&by_hand, true).unwrap();
    let before = (server.running(), commits(&server));
    let change = previewed(&api).await;
    let ours = change["diff"].as_str().unwrap();
    assert!(ours.contains("10000000") && ours.contains("20000000"), "{change}");
    let own = change["on_device"]["diff"].as_str().unwrap();
    let lines: Vec<&str> = own.lines().map(str::trim).filter(|line| line.starts_with(['+', '-'])).collect();
    assert!(lines.iter().any(|line| line.starts_with('-') && line.ends_with("rate 7;")), "{change}");
    assert!(lines.iter().any(|line| line.starts_with('+') && line.ends_with("rate 20000000;")), "{change}");
    assert!(!own.contains("10000000") && change["on_device"]["error"] == "", "{change}");
    assert_eq!((server.running(), commits(&server)), before, "a preview changes nothing");
    let data = world.data();
    let dry = ["value", "set", "acme/berlin", "rate=20m", "--dry-run", "--data-dir", data.to_str().unwrap()];
    let printed = run(&dry).await.unwrap();
    assert!(printed.stdout.contains("as the device says it:\n"), "{}{}", printed.stdout, printed.stderr);
    assert!(printed.stdout.contains("rate 7;"), "{}", printed.stdout);
    let audit = engine.get("/api/v1/audit?organization=acme&operation=use-device").await.unwrap();
    let told: Vec<_> = audit["items"].as_array().unwrap().iter().map(|record| &record["new"]["what"]).collect();
    assert_eq!(told, ["diff", "diff"], "{audit}");

    // One that is not heard is told of in words, and ours is shown all the same.
    server.script().add(Fault::CutBefore("load-configuration"));
    let change = previewed(&api).await;
    assert_eq!(change["on_device"]["diff"], "", "{change}");
    assert!(!change["on_device"]["error"].as_str().unwrap().is_empty(), "{change}");
    assert_eq!(change["diff"], ours);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}
