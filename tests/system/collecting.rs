//! What devices leave is collected: each bundle once, whatever breaks off; what is none is set aside; a device that is another,
//! or shows nothing of itself, is told of.

use std::fs;
use std::path::{Path, PathBuf};

use linesman_connectors::device::standin::server::{Account, Fault, FileFault, FileOperation, Proof, Server, Setup};
use linesman_tests::{Api, Engine, Launch, Out, World, event, run, until};
use reqwest::Method;
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";
/// How often the engine is killed at a step: more by `LINESMAN_COLLECTIONS`.
const ROUNDS: usize = 3;

struct Device {
    server: Server,
    folder: PathBuf,
}

impl Device {
    async fn start(world: &World, name: &str) -> Self {
        let root = world.path(name);
        let folder = root.join("var/tmp");
        fs::create_dir_all(&folder).unwrap();
        let account = Account { user: "linesman".to_owned(), proof: Proof::Password(PASSWORD.to_owned()) };
        let server = Server::start(Setup::new(&root, vec![account])).await.unwrap();
        Self { server, folder }
    }

    fn port(&self) -> u16 {
        self.server.address().port()
    }

    fn leaves(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    fn has(&self) -> Vec<String> {
        files(&self.folder)
    }

    fn body(&self) -> Value {
        json!({
            "address": "127.0.0.1", "port": self.port(), "netconf_port": self.port(), "user": "linesman",
            "password": PASSWORD, "host_key": self.server.host_key().unwrap().to_string(), "poll_s": 5,
        })
    }
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

async fn add(api: &Api, name: &str, body: Value) {
    let answer =
        api.ask(Method::PUT, &format!("/api/v1/devices/acme/{name}?new=true"), None, Some(body)).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.body);
}

async fn device(engine: &Engine, name: &str) -> Value {
    engine.get(&format!("/api/v1/devices/acme/{name}")).await.unwrap()
}

/// Waits until a device stands so; what is told of it then.
async fn stands(engine: &Engine, name: &str, state: &str) -> Value {
    until(&format!("{name} is {state}"), async || {
        let found = engine.get(&format!("/api/v1/devices/acme/{name}")).await.ok()?;
        (found["state"] == state).then_some(found)
    })
    .await
}

async fn collect(api: &Api, name: &str) -> Value {
    let answer = api.post(&format!("/api/v1/devices/acme/{name}/collect"), json!({})).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// How often each bundle of an organization stands in IN.
async fn bundles(engine: &Engine) -> Vec<String> {
    let client = engine.nats_as_engine().await.unwrap();
    let stream = async_nats::jetstream::new(client).get_stream("IN").await.unwrap();
    let (mut found, mut from) = (Vec::new(), 1);
    let last = stream.cached_info().state.last_sequence;
    while from <= last {
        if let Ok(message) = stream.get_raw_message(from).await
            && message.subject.ends_with(".jmb")
        {
            let text = String::from_utf8(message.payload.to_vec()).unwrap();
            let (_, rest) = text.split_once("<host-event-ID>").or_else(|| text.split_once("host-event-ID>")).unwrap();
            found.push(rest.split('<').next().unwrap().to_owned());
        }
        from += 1;
    }
    found.sort();
    found
}

#[tokio::test]
async fn what_a_device_leaves_is_collected_and_what_is_no_bundle_is_set_aside() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let device_1 = Device::start(&world, "r1").await;
    device_1.leaves("a.xml", &event("edge-01", 1, "WORK", "Low"));
    device_1.leaves("b.xml", &event("edge-02", 2, "WORK", "Low"));
    device_1.leaves("notes.txt", "of somebody else");
    device_1.leaves("junk.xml", "no xml at all");
    let cut = event("edge-03", 3, "WORK", "Low");
    device_1.leaves("cut.xml", &cut[..cut.len() / 2]);
    fs::create_dir(device_1.folder.join("folder.xml")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", device_1.folder.join("link.xml")).unwrap();
    add(&api, "r1", device_1.body()).await;
    until("two are collected", async || (engine.incidents("acme").await.ok()? == 2).then_some(())).await;
    let left = ["cut.xml", "folder.xml", "junk.xml", "link.xml", "notes.txt"];
    until("they are gone from the device", async || (device_1.has() == left).then_some(())).await;

    let errors = until("the junk is set aside", async || {
        let list = engine.get("/api/v1/jmb-errors?organization=acme").await.ok()?;
        list["items"].as_array().filter(|items| items.len() == 1).cloned()
    })
    .await;
    let error = &errors[0];
    assert_eq!((&error["device"], &error["file"]), (&json!("r1"), &json!("junk.xml")), "{error}");
    let path = format!("/api/v1/jmb-errors/acme/r1/{}", error["id"].as_str().unwrap());
    assert_eq!(engine.get(&path).await.unwrap()["head"], "no xml at all");
    let data = world.data();
    let id = error["id"].as_str().unwrap();
    let printed =
        run(&["jmb-error", "download", "acme", "r1", id, "--data-dir", data.to_str().unwrap()]).await.unwrap();
    assert_eq!((printed.code, printed.stdout.as_str()), (Some(0), "no xml at all"), "{}", printed.stderr);

    // It is looked at again once it has changed, and once somebody asks for that.
    device_1.leaves("cut.xml", &cut);
    device_1.leaves("junk.xml", &event("edge-04", 4, "WORK", "Low"));
    until("both are collected", async || (engine.incidents("acme").await.ok()? == 4).then_some(())).await;
    until("nothing is set aside", async || {
        engine.get("/api/v1/jmb-errors").await.ok()?["items"].as_array()?.is_empty().then_some(())
    })
    .await;
    device_1.leaves("again.xml", "junk");
    let error = until("it is set aside", async || {
        engine.get("/api/v1/jmb-errors").await.ok()?["items"].as_array()?.first().cloned()
    })
    .await;
    let path = format!("/api/v1/jmb-errors/acme/r1/{}", error["id"].as_str().unwrap());
    let answer = api.ask(Method::DELETE, &path, None, None).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    collect(&api, "r1").await;
    until("it is removed", async || (!device_1.has().contains(&"again.xml".to_owned())).then_some(())).await;
    assert_eq!(bundles(&engine).await.len(), 4);
    let found = device(&engine, "r1").await;
    assert!(found["last_collected"].is_string() && found["error"].is_null(), "{found}");
    let list = engine.get("/api/v1/devices?organization=acme&name=r1").await.unwrap();
    assert_eq!(list["items"][0]["state"], "reachable");
    // What it was shown is told nowhere.
    let audit = engine.get("/api/v1/audit?organization=acme").await.unwrap().to_string();
    assert!(audit.contains("set-device") && !audit.contains(PASSWORD) && !engine.log().contains(PASSWORD));
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_device_that_shows_another_host_key_is_not_spoken_to_and_that_is_told() {
    let world = World::new().unwrap();
    world
        .policy(
            "watch",
            "policy(#{ on: \"device.state-changed\" });\nfn react(device, org) { publish(\"stands\", #{ of: device.name, state: device.state }); }",
        )
        .unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    let mut unknown = one.body();
    unknown.as_object_mut().unwrap().remove("host_key");
    add(&api, "r1", unknown).await;
    stands(&engine, "r1", "host-key-unknown").await;
    assert!(one.server.done().is_empty(), "nothing is said to whom nobody knows");
    let accepts = json!({"host_key": null});
    let answer = api.ask(Method::PUT, "/api/v1/devices/acme/r1/host-key", None, Some(accepts)).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    collect(&api, "r1").await;
    let found = stands(&engine, "r1", "reachable").await;
    assert_eq!(found["reached"]["host_key"], one.server.host_key().unwrap().to_string());
    assert_eq!(found["reached"]["accept_host_key"], false);
    let audit = engine.get("/api/v1/audit?organization=acme").await.unwrap();
    let pins = audit["items"].as_array().unwrap().iter().filter(|record| record["operation"] == "pin-host-key");
    assert_eq!(pins.count(), 2, "{audit}");

    one.server.change_host_key().unwrap();
    one.server.cut();
    one.leaves("a.xml", &event("edge-01", 1, "WORK", "Low"));
    collect(&api, "r1").await;
    let found = stands(&engine, "r1", "host-key-changed").await;
    assert_eq!(found["reached"]["shown_host_key"], one.server.host_key().unwrap().to_string());
    assert_eq!(one.has(), ["a.xml"]);
    let tried = run(&["device", "test", "acme", "r1", "--data-dir", world.data().to_str().unwrap()]).await.unwrap();
    assert_eq!(tried.code, Some(1), "{}{}", tried.stdout, tried.stderr);
    assert!(tried.stdout.contains("host-key       failed"), "{}", tried.stdout);
    let pinned = json!({"host_key": one.server.host_key().unwrap().to_string()});
    let answer = api.ask(Method::PUT, "/api/v1/devices/acme/r1/host-key", None, Some(pinned)).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    collect(&api, "r1").await;
    stands(&engine, "r1", "reachable").await;
    until("it is collected", async || (engine.incidents("acme").await.ok()? == 1).then_some(())).await;
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    let told: Vec<_> = out.on("out.acme.trigger.device.state-changed").map(|event| &event.data).collect();
    let states: Vec<_> = told.iter().map(|data| data["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["host-key-unknown", "host-key-changed"], "{told:?}");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn each_trouble_has_its_name_and_goes_away_with_its_cause() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    one.leaves("a.xml", &event("edge-01", 1, "WORK", "Low"));
    one.server.script().add(Fault::File(FileOperation::Remove, FileFault::Denied));
    add(&api, "r1", one.body()).await;
    stands(&engine, "r1", "permission-denied").await;
    collect(&api, "r1").await;
    stands(&engine, "r1", "reachable").await;
    assert!(one.has().is_empty());
    assert_eq!(bundles(&engine).await.len(), 1, "it was brought once though it was not removed at once");
    for (fault, state) in [
        (Fault::File(FileOperation::List, FileFault::Denied), "permission-denied"),
        (Fault::File(FileOperation::List, FileFault::Vanished), "directory-missing"),
    ] {
        one.server.script().add(fault);
        collect(&api, "r1").await;
        stands(&engine, "r1", state).await;
        collect(&api, "r1").await;
        stands(&engine, "r1", "reachable").await;
    }
    let answer = api
        .ask(Method::PUT, "/api/v1/devices/acme/r1", None, Some(json!({"password": "another password"})))
        .await
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    collect(&api, "r1").await;
    stands(&engine, "r1", "authentication-failed").await;
    let answer =
        api.ask(Method::PUT, "/api/v1/devices/acme/r1", None, Some(json!({"password": PASSWORD}))).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    collect(&api, "r1").await;
    stands(&engine, "r1", "reachable").await;
    fs::remove_dir_all(world.data().join("keys/devices/acme")).unwrap();
    one.server.cut();
    collect(&api, "r1").await;
    stands(&engine, "r1", "credentials-missing").await;
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn an_engine_that_is_killed_at_each_step_of_collection_brings_each_bundle_once() {
    let rounds = std::env::var("LINESMAN_COLLECTIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    let world = World::new().unwrap();
    let one = Device::start(&world, "r1").await;
    let mut engine = world.start(None).await.unwrap();
    add(&engine.api().unwrap(), "r1", one.body()).await;
    stands(&engine, "r1", "reachable").await;
    assert!(engine.stop().await.unwrap().success());
    let steps = ["reach::before-publish", "reach::before-brought", "reach::before-remove"];
    let (mut number, mut expected) = (0, Vec::new());
    for round in 0..rounds {
        let point = format!("{}={}*off->panic", steps[round % steps.len()], round / steps.len() % 2);
        for _ in 0..2 {
            number += 1;
            let text = event("edge-01", number, "WORK", "Low");
            one.leaves(&format!("{number}.xml"), &text);
            expected.push(number);
        }
        let launch = Launch { crash_points: &point, ..Launch::default() };
        let mut engine = world.spawn(None, launch).unwrap();
        // It may come to be ready before.
        let _ = engine.wait_ready().await;
        engine.ended().await;
    }
    let mut engine = world.start(None).await.unwrap();
    until("nothing is left", async || one.has().is_empty().then_some(())).await;
    let found = bundles(&engine).await;
    let mut once = found.clone();
    once.dedup();
    assert_eq!((found.len(), once.len()), (expected.len(), expected.len()), "{found:?}");
    assert!(engine.stop().await.unwrap().success());
}
