//! What was begun with a device ends where the device is reached otherwise, or no more, or its organization is suspended: nothing of
//! it is believed, and it is begun anew once that may be.

use std::fs;
use std::time::Duration;

use linesman_connectors::device::standin::server::Fault;
use linesman_tests::{Api, Engine, World, until};
use reqwest::Method;
use serde_json::json;

use crate::collecting::{Device, add, stands};
use crate::device_scripts;
use crate::larger::{self, kept, large, objects};

/// How many bytes a large file has.
const SIZE: usize = 6_000_000;
/// How many of them come at a time, and how long the next ones take: until one is read, and then, when its end does not come by
/// itself.
const PIECE: usize = 64 * 1024;
const SLOW: Duration = Duration::from_millis(250);
const HELD: Duration = Duration::from_secs(5);

/// Begins to read a large file of a device, and leaves that in the midst.
async fn begun(world: &World, engine: &Engine, name: &str, number: u64) -> Device {
    let device = Device::start(world, name).await;
    add(&engine.api().unwrap(), name, device.body()).await;
    stands(engine, name, "reachable").await;
    let before = read(world);
    device.server.script().add(Fault::Slow { bytes: PIECE, pause: SLOW });
    device.leaves("a.xml", &large(number, SIZE));
    until("it is read", async || (read(world) > before).then_some(())).await;
    device.server.script().clear();
    device.server.script().add(Fault::Slow { bytes: PIECE, pause: HELD });
    device
}

/// How many large files there are of which something is read.
fn read(world: &World) -> usize {
    let Ok(entries) = fs::read_dir(world.data().join("collecting")) else { return 0 };
    entries.filter_map(|entry| entry.ok()?.metadata().ok()).filter(|metadata| metadata.len() > 0).count()
}

async fn pin(api: &Api, name: &str, key: &str) {
    let path = format!("/api/v1/devices/acme/{name}/host-key");
    let answer = api.ask(Method::PUT, &path, None, Some(json!({"host_key": key}))).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn remove(api: &Api, name: &str) {
    let gone = api.ask(Method::DELETE, &format!("/api/v1/devices/acme/{name}"), None, None).await.unwrap();
    assert_eq!(gone.status, 200, "{}", gone.body);
}

async fn asked(api: &Api, path: &str) {
    let answer = api.post(path, json!({})).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_large_file_of_whom_is_not_to_be_asked_any_more_is_read_no_further_and_not_brought() {
    let world = larger::world("");
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let turned = begun(&world, &engine, "r1", 1).await;
    let gone = begun(&world, &engine, "r2", 2).await;
    let suspended = begun(&world, &engine, "r3", 3).await;
    let other = Device::start(&world, "other").await;

    pin(&api, "r1", &other.server.host_key().unwrap().to_string()).await;
    // It could be read to its end at once.
    turned.server.script().clear();
    engine.tells("it is reached otherwise since that was begun").await;
    stands(&engine, "r1", "host-key-changed").await;

    remove(&api, "r2").await;
    gone.server.script().clear();
    engine.tells("it is reached no more").await;

    asked(&api, "/api/v1/organizations/acme/suspend").await;
    suspended.server.script().clear();
    until("nobody looks at any", async || {
        let metrics = engine.get_text("/metrics").await.ok()?;
        metrics.lines().any(|line| line == "linesman_devices_reached 0").then_some(())
    })
    .await;
    assert_eq!((kept(&engine).await.len(), objects(&engine).await), (0, 0));
    for device in [&turned, &gone, &suspended] {
        assert_eq!(device.has(), ["a.xml"]);
    }

    // Who is to be asked again is, from the beginning where it may be another.
    asked(&api, "/api/v1/organizations/acme/activate").await;
    pin(&api, "r1", &turned.server.host_key().unwrap().to_string()).await;
    until("both are incidents", async || (engine.incidents("acme").await.ok()? == 2).then_some(())).await;
    until("they are gone", async || (turned.has().is_empty() && suspended.has().is_empty()).then_some(())).await;
    assert_eq!((kept(&engine).await.len(), gone.has()), (2, vec!["a.xml".to_owned()]));
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn what_one_device_has_begun_to_tell_no_other_goes_on_with() {
    let world = larger::world("");
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = begun(&world, &engine, "r1", 1).await;
    // It has the same file by its name, its size and its time.
    let other = Device::start(&world, "other").await;
    let text = large(1, SIZE).replace("edge-01", "edge-02");
    other.leaves("a.xml", &text);
    let modified = fs::metadata(one.folder.join("a.xml")).unwrap().modified().unwrap();
    fs::File::options().write(true).open(other.folder.join("a.xml")).unwrap().set_modified(modified).unwrap();
    let moved = api.ask(Method::PUT, "/api/v1/devices/acme/r1", None, Some(other.body())).await.unwrap();
    assert_eq!(moved.status, 200, "{}", moved.body);
    one.server.script().clear();
    until("it is an incident", async || (engine.incidents("acme").await.ok()? == 1).then_some(())).await;
    let found = engine.get("/api/v1/incidents/acme-1").await.unwrap();
    assert_eq!((&found["device"]["host_name"], &found["bundle"]["length"]), (&json!("edge-02"), &json!(text.len())));
    assert_eq!((one.has().len(), kept(&engine).await.len()), (1, 1));
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn scripts_are_put_no_further_on_whom_is_not_to_be_asked_any_more() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    device_scripts::kept(&api, "acme").await;
    let mut devices = Vec::new();
    for name in ["r1", "r2", "r3"] {
        let device = device_scripts::Device::start(&world, name).await;
        device.add(&api, "acme", name).await;
        until("it was asked what it is", async || {
            device.server.done().iter().any(|done| done == "get-system-information").then_some(())
        })
        .await;
        device.server.script().add(Fault::Silent("get-system-information"));
        devices.push(device);
    }
    device_scripts::install(&api, "acme", "1", json!([])).await;
    for device in &devices {
        until("the commit waits", async || device.server.is_pending().then_some(())).await;
    }
    let [turned, gone, suspended] = &devices[..] else { panic!("three") };
    let other = Device::start(&world, "other").await;
    let (path, commits) = ("/api/v1/organizations/acme", |device: &device_scripts::Device| {
        device.server.done().iter().filter(|done| done.starts_with("commit")).count()
    });
    let before: Vec<usize> = devices.iter().map(commits).collect();

    pin(&api, "r1", &other.server.host_key().unwrap().to_string()).await;
    engine.tells("it is reached otherwise since that was begun").await;
    device_scripts::stands(&api, "acme", "r1", "rolling-back").await;
    remove(&api, "r2").await;
    engine.tells("it is reached no more").await;
    asked(&api, &format!("{path}/suspend")).await;
    until("r3 says why", async || {
        let stands = device_scripts::stands(&api, "acme", "r3", "rolling-back").await;
        stands["detail"].as_str()?.contains("its organization is suspended").then_some(())
    })
    .await;
    assert_eq!(devices.iter().map(commits).collect::<Vec<_>>(), before, "somebody is asked still");
    assert!(gone.files().iter().any(|(name, _)| name == "op/look.slax"), "it is left as it is");

    // Who is to be asked again is put right, and has them in the end.
    for device in [turned, suspended] {
        device.server.restart();
    }
    asked(&api, &format!("{path}/activate")).await;
    pin(&api, "r1", &turned.server.host_key().unwrap().to_string()).await;
    for (name, device) in [("r1", turned), ("r3", suspended)] {
        device_scripts::stands(&api, "acme", name, "done").await;
        let names: Vec<String> = device.files().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["event/collect.slax", "op/look.slax"]);
    }
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}
