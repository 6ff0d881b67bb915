//! How much is done with devices at a time: what does not answer holds up neither other organizations, nor anything for ever; and a
//! device is changed by one at a time.

use linesman_connectors::device::standin::server::{Fault, Server};
use linesman_tests::{Api, Engine, World, until};
use serde_json::{Value, json};

use crate::gathered::{PASSWORD, commands, device_at, put};

/// Adds a device from which a snapshot is due.
async fn add(api: &Api, path: &str, server: &Server) {
    let port = server.address().port();
    let body = json!({
        "address": "127.0.0.1", "port": port, "netconf_port": port, "user": "linesman", "password": PASSWORD,
        "host_key": server.host_key().unwrap().to_string(), "directives": ["mx"],
    });
    put(api, &format!("/api/v1/devices/{path}?new=true"), body).await;
}

/// Waits until what is gathered from a device has come to its end; what became of it.
async fn ended(engine: &Engine, path: &str) -> Value {
    until(&format!("{path} is gathered from"), async || {
        let device = engine.get(&format!("/api/v1/devices/{path}")).await.ok()?;
        let run = device["reached"]["gathered"][0].clone();
        (run["state"] == "done" || run["state"] == "failed").then_some(run)
    })
    .await
}

#[tokio::test]
async fn two_organizations_whose_devices_hang_leave_room_for_a_third() {
    let mut world = World::new().unwrap();
    world.configure("\n[collector]\ngatherings = 4\ngatherings_of_one = 3\n");
    for name in ["bolt", "cern"] {
        world.organization(name, "Do not send");
    }
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let told = [("show version", "Hostname: standin\n")];
    let mut hanging = Vec::new();
    for (org, at_a_time) in [("acme", 2), ("bolt", 1)] {
        put(&api, &format!("/api/v1/directives-groups/{org}/mx"), json!({"commands": ["show version"]})).await;
        let mut own = Vec::new();
        for number in 1..=3 {
            let name = format!("{org}-{number}");
            let server = device_at(&world, &name, &told).await;
            server.script().add(Fault::Silent("command"));
            add(&api, &format!("{org}/{name}"), &server).await;
            own.push(server);
        }
        until(&format!("those of {org} hang"), async || {
            (own.iter().map(commands).sum::<usize>() == at_a_time).then_some(())
        })
        .await;
        hanging.extend(own);
    }
    put(&api, "/api/v1/directives-groups/cern/mx", json!({"commands": ["show version"]})).await;
    let server = device_at(&world, "cern-1", &told).await;
    add(&api, "cern/cern-1", &server).await;
    let run = ended(&engine, "cern/cern-1").await;
    assert_eq!(run["state"], "done", "{run}");
    assert_eq!(hanging.iter().map(commands).sum::<usize>(), 3, "they hang still, and the others wait for them");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_a_device_is_gathered_from_for_too_long_says_so() {
    let mut world = World::new().unwrap();
    world.configure("\n[collector]\ngathering_within_s = 1\n");
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let server = device_at(&world, "r1", &[("show version", "Hostname: standin\n")]).await;
    server.script().add(Fault::Silent("command"));
    put(&api, "/api/v1/directives-groups/acme/mx", json!({"commands": ["show version", "show alarms"]})).await;
    add(&api, "acme/r1", &server).await;
    let run = ended(&engine, "acme/r1").await;
    assert_eq!(run["state"], "failed", "{run}");
    let error = run["error"].as_str().unwrap();
    let last = "`show alarms`: it was not carried out: all that is gathered of a device may take 1 s";
    assert!(error.starts_with("no command was carried out: `show version`: ") && error.ends_with(last), "{error}");
    engine.tells("may take 1 s").await;
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn people_change_a_device_one_after_the_other_and_ask_it_at_any_time() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let server = device_at(&world, "r1", &[]).await;
    put(&api, "/api/v1/directives-groups/acme/mx", json!({"commands": ["show version"]})).await;
    add(&api, "acme/r1", &server).await;
    let edits = || server.done().iter().filter(|done| done.starts_with("edit-config")).count();
    server.script().add(Fault::Silent("edit-config"));
    let path = "/api/v1/devices/acme/r1/rpc";
    let mut changes = Vec::new();
    for _ in 0..2 {
        let api = engine.api().unwrap();
        let rpc = json!({"rpc": "<edit-config><target><candidate/></target><config/></edit-config>"});
        changes.push(tokio::spawn(async move { api.post(path, rpc).await }));
        until("one changes it", async || (edits() == 1).then_some(())).await;
    }
    let asked = api.post(path, json!({"rpc": "<get-config><source><running/></source></get-config>"})).await.unwrap();
    assert_eq!((asked.status, edits()), (200, 1), "{}", asked.body);
    for change in changes {
        change.abort();
    }
    assert!(engine.stop().await.unwrap().success());
}
