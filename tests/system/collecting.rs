//! What devices leave is collected: each bundle once, whatever breaks off; what is none is set aside; a device that is another,
//! or shows nothing of itself, is told of.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use linesman_connectors::device::standin::server::{Account, Fault, FileFault, FileOperation, Proof, Server, Setup};
use linesman_tests::{Api, Engine, Launch, Out, World, event, run, until};
use reqwest::Method;
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";
/// How often the engine is killed, each time at the next step: more by `LINESMAN_COLLECTIONS`.
const ROUNDS: usize = 6;

const ENGINES: &str = "<route-engine-information><route-engine><slot>0</slot></route-engine><route-engine><slot>1</slot>\
                       </route-engine></route-engine-information>";
const MEMBERS: &str = "<virtual-chassis-information><member-list><member><member-id>0</member-id>\
                       <member-serial-number>BP01</member-serial-number><member-model>ex4200-48t</member-model></member>\
                       <member><member-id>1</member-id></member></member-list></virtual-chassis-information>";

pub(crate) struct Device {
    pub(crate) server: Server,
    pub(crate) folder: PathBuf,
}

impl Device {
    pub(crate) async fn start(world: &World, name: &str) -> Self {
        Self::start_so(world, name, |_| ()).await
    }

    /// One that is otherwise.
    pub(crate) async fn start_so(world: &World, name: &str, otherwise: impl FnOnce(&mut Setup)) -> Self {
        let root = world.path(name);
        let folder = root.join("var/tmp");
        fs::create_dir_all(&folder).unwrap();
        let account = Account { user: "linesman".to_owned(), proof: Proof::Password(PASSWORD.to_owned()) };
        let mut setup = Setup::new(&root, vec![account]);
        setup.rpcs = BTreeMap::from([
            ("get-route-engine-information".to_owned(), ENGINES.to_owned()),
            ("get-virtual-chassis-information".to_owned(), MEMBERS.to_owned()),
        ]);
        otherwise(&mut setup);
        let server = Server::start(setup).await.unwrap();
        Self { server, folder }
    }

    fn port(&self) -> u16 {
        self.server.address().port()
    }

    pub(crate) fn leaves(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    pub(crate) fn has(&self) -> Vec<String> {
        files(&self.folder)
    }

    pub(crate) fn body(&self) -> Value {
        json!({
            "address": "127.0.0.1", "port": self.port(), "netconf_port": self.port(), "user": "linesman",
            "password": PASSWORD, "host_key": self.server.host_key().unwrap().to_string(), "poll_s": 5,
        })
    }
}

pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub(crate) async fn add(api: &Api, name: &str, body: Value) {
    let answer =
        api.ask(Method::PUT, &format!("/api/v1/devices/acme/{name}?new=true"), None, Some(body)).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.body);
}

pub(crate) async fn device(engine: &Engine, name: &str) -> Value {
    engine.get(&format!("/api/v1/devices/acme/{name}")).await.unwrap()
}

/// Waits until a device stands so; what is told of it then.
pub(crate) async fn stands(engine: &Engine, name: &str, state: &str) -> Value {
    until(&format!("{name} is {state}"), async || {
        let found = engine.get(&format!("/api/v1/devices/acme/{name}")).await.ok()?;
        (found["state"] == state).then_some(found)
    })
    .await
}

pub(crate) async fn collect(api: &Api, name: &str) -> Value {
    let answer = api.post(&format!("/api/v1/devices/acme/{name}/collect"), json!({})).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// How often each bundle of an organization stands in IN.
pub(crate) async fn bundles(engine: &Engine) -> Vec<String> {
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

/// So many devices stand so, as the metrics have it.
async fn counted(engine: &Engine, expected: &[(&str, u64)]) {
    until("that is how many stand so", async || {
        let text = engine.get_text("/metrics").await.ok()?;
        let line = |(state, count): &(&str, u64)| format!("linesman_devices_standing{{state=\"{state}\"}} {count}");
        let is_there = |line: String| text.lines().any(|found| found == line);
        expected.iter().map(line).all(is_there).then_some(())
    })
    .await;
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
    // What it is, it was asked at its first contact, and is asked by people.
    assert_eq!(found["reached"]["routing_engines"], json!(["re0", "re1"]), "{found}");
    let members = json!([{"number": 0, "serial_number": "BP01", "product": "ex4200-48t"}]);
    assert_eq!(found["reached"]["members"], members);
    let facts = api.post("/api/v1/devices/acme/r1/facts", json!({})).await.unwrap().body;
    assert_eq!((&facts["serial_number"], &facts["members"]), (&json!("JN0001"), &members), "{facts}");
    // What it was shown is told nowhere.
    let audit = engine.get("/api/v1/audit?organization=acme").await.unwrap().to_string();
    assert!(audit.contains("set-device") && !audit.contains(PASSWORD) && !engine.log().contains(PASSWORD));
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_was_given_for_a_device_is_shown_to_no_other_though_nobody_waits_for_the_change() {
    let world = World::new().unwrap();
    let engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let (own, other) = (Device::start(&world, "r1").await, Device::start(&world, "r2").await);
    add(&api, "r1", own.body()).await;
    stands(&engine, "r1", "reachable").await;
    // Somebody says that it is reached elsewhere, by a password that is not the one, and is gone before it is answered.
    let body = json!({
        "port": other.port(), "netconf_port": other.port(), "password": "of nobody",
        "host_key": other.server.host_key().unwrap().to_string(),
    });
    let asking = api.ask(Method::PUT, "/api/v1/devices/acme/r1", Some("k1"), Some(body.clone()));
    drop(tokio::time::timeout(std::time::Duration::from_millis(3), asking).await);
    until("it is reached elsewhere", async || {
        (device(&engine, "r1").await["reached"]["port"] == other.port()).then_some(())
    })
    .await;
    stands(&engine, "r1", "authentication-failed").await;
    assert!(!other.server.done().iter().any(|done| done.contains("list")), "{:?}", other.server.done());
    // Said again it is as it was done; with another password nothing is kept, which is said.
    let again = api.ask(Method::PUT, "/api/v1/devices/acme/r1", Some("k1"), Some(body.clone())).await.unwrap();
    assert_eq!(again.status, 200, "{}", again.body);
    let mut further = body;
    further["password"] = json!(PASSWORD);
    let answer = api.ask(Method::PUT, "/api/v1/devices/acme/r1", Some("k1"), Some(further.clone())).await.unwrap();
    assert_eq!(answer.status, 409, "{}", answer.body);
    let answer = api.ask(Method::PUT, "/api/v1/devices/acme/r1", None, Some(further)).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    stands(&engine, "r1", "reachable").await;
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
    let found = stands(&engine, "r1", "host-key-unknown").await;
    assert!(one.server.done().is_empty(), "nothing is said to whom nobody knows");
    // It can be compared with the one that is known.
    assert_eq!(found["reached"]["shown_host_key"], one.server.host_key().unwrap().to_string(), "{found}");
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
    // A file that cannot be removed keeps none behind it from being collected.
    one.server.script().add(Fault::File(FileOperation::Remove, FileFault::Failure));
    one.leaves("b.xml", &event("edge-01", 2, "WORK", "Low"));
    one.leaves("c.xml", &event("edge-01", 3, "WORK", "Low"));
    until("both are collected", async || (bundles(&engine).await.len() == 3).then_some(())).await;
    until("both are gone", async || one.has().is_empty().then_some(())).await;
    stands(&engine, "r1", "reachable").await;
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
    counted(&engine, &[("authentication-failed", 1), ("reachable", 0)]).await;
    let answer =
        api.ask(Method::PUT, "/api/v1/devices/acme/r1", None, Some(json!({"password": PASSWORD}))).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    collect(&api, "r1").await;
    stands(&engine, "r1", "reachable").await;
    fs::remove_dir_all(world.data().join("keys/devices/acme")).unwrap();
    one.server.cut();
    collect(&api, "r1").await;
    stands(&engine, "r1", "credentials-missing").await;
    counted(&engine, &[("credentials-missing", 1), ("reachable", 0), ("new", 0)]).await;
    let answer = api.ask(Method::DELETE, "/api/v1/devices/acme/r1", None, None).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    counted(&engine, &[("credentials-missing", 0), ("reachable", 0)]).await;
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_a_device_and_its_files_can_be_has_names_too() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    fs::create_dir(one.folder.join("done")).unwrap();
    let mut body = one.body();
    (body["after"], body["move_to"]) = (json!("move"), json!("/var/tmp/done"));
    add(&api, "r1", body).await;
    stands(&engine, "r1", "reachable").await;
    one.server.script().add(Fault::File(FileOperation::Move, FileFault::NoSpace));
    one.leaves("a.xml", &event("edge-01", 1, "WORK", "Low"));
    stands(&engine, "r1", "device-full").await;
    stands(&engine, "r1", "reachable").await;
    one.server.script().add(Fault::File(FileOperation::Open, FileFault::Vanished));
    one.leaves("b.xml", &event("edge-01", 2, "WORK", "Low"));
    stands(&engine, "r1", "vanishing").await;
    stands(&engine, "r1", "reachable").await;
    let ahead = fs::File::create(one.folder.join("c.xml")).unwrap();
    std::io::Write::write_all(&mut &ahead, event("edge-01", 3, "WORK", "Low").as_bytes()).unwrap();
    ahead
        .set_modified(std::time::SystemTime::from(jiff::Timestamp::now()) + std::time::Duration::from_secs(3_600))
        .unwrap();
    let found = stands(&engine, "r1", "clock-skewed").await;
    assert!(found["error"].as_str().unwrap().contains("its clock is ahead"), "{found}");
    // It is collected all the same, and each of them once.
    stands(&engine, "r1", "reachable").await;
    assert_eq!(one.has(), ["done"]);
    assert_eq!((files(&one.folder.join("done")).len(), bundles(&engine).await.len()), (3, 3));
    one.server.script().add(Fault::Names(vec![b"../up.xml".to_vec()]));
    stands(&engine, "r1", "garbled").await;
    one.server.script().clear();
    stands(&engine, "r1", "reachable").await;

    // One that has no room for a channel, and one that knows old algorithms alone.
    let (busy, old) = (Device::start_so(&world, "r2", |setup| setup.sessions_most = 0).await, "r3");
    let old = Device::start_so(&world, old, |setup| setup.is_legacy = true).await;
    add(&api, "r2", busy.body()).await;
    add(&api, "r3", old.body()).await;
    stands(&engine, "r2", "busy").await;
    stands(&engine, "r3", "no-common-algorithm").await;
    let answer = api
        .ask(Method::PUT, "/api/v1/devices/acme/r3", None, Some(json!({"legacy": true, "password": PASSWORD})))
        .await;
    assert_eq!(answer.unwrap().status, 200);
    stands(&engine, "r3", "reachable").await;
    assert!(engine.stop().await.unwrap().success());
}

/// Kills the engine at each step of the collection of a device that is reached with these words too, from a round on and in
/// so many; what the device then has in its directory, and in `/var/old`.
async fn killed_at_each_step(more: Value, (first, rounds): (usize, usize)) -> (Vec<String>, Vec<String>, usize) {
    let rounds = std::env::var("LINESMAN_COLLECTIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(rounds);
    let world = World::new().unwrap();
    let one = Device::start(&world, "r1").await;
    let old = world.path("r1").join("var/old");
    fs::create_dir_all(&old).unwrap();
    let mut engine = world.start(None).await.unwrap();
    let mut body = one.body();
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    add(&engine.api().unwrap(), "r1", body).await;
    stands(&engine, "r1", "reachable").await;
    assert!(engine.stop().await.unwrap().success());
    let steps = ["reach::before-publish", "reach::before-brought", "reach::before-remove"];
    let mut expected = 0;
    // Every one of them, at the first and at the second bundle, in as many rounds as there are of both.
    for round in first..first + rounds {
        let point = format!("{}={}*off->panic", steps[round % steps.len()], round / steps.len() % 2);
        for _ in 0..2 {
            expected += 1;
            let text = event("edge-01", expected, "WORK", "Low");
            one.leaves(&format!("{expected}.xml"), &text);
        }
        let launch = Launch { crash_points: &point, ..Launch::default() };
        let mut engine = world.spawn(None, launch).unwrap();
        // It may come to be ready before.
        let _ = engine.wait_ready().await;
        engine.ended().await;
    }
    let mut engine = world.start(None).await.unwrap();
    let expected = usize::try_from(expected).unwrap();
    until("all are brought", async || (bundles(&engine).await.len() >= expected).then_some(())).await;
    if more["after"] != "leave" {
        until("nothing is left", async || one.has().is_empty().then_some(())).await;
    }
    // Looked at once more nothing is brought again.
    collect(&engine.api().unwrap(), "r1").await;
    let found = bundles(&engine).await;
    let mut once = found.clone();
    once.dedup();
    assert_eq!((found.len(), once.len()), (expected, expected), "{found:?}");
    assert!(engine.stop().await.unwrap().success());
    (one.has(), files(&old), expected)
}

#[tokio::test]
async fn an_engine_that_is_killed_at_each_step_of_collection_brings_each_bundle_once() {
    let (left, moved, _) = killed_at_each_step(json!({}), (0, ROUNDS)).await;
    assert_eq!((left.len(), moved.len()), (0, 0));
}

#[tokio::test]
async fn an_engine_that_is_killed_at_each_step_loses_and_doubles_nothing_that_stays_on_its_device() {
    let (left, moved, brought) = killed_at_each_step(json!({"after": "leave"}), (0, ROUNDS / 2)).await;
    assert_eq!((left.len(), moved.len()), (brought, 0));
}

#[tokio::test]
async fn an_engine_that_is_killed_at_each_step_moves_each_bundle() {
    let words = json!({"after": "move", "move_to": "/var/old"});
    let (left, moved, brought) = killed_at_each_step(words, (ROUNDS / 2, ROUNDS / 2)).await;
    assert_eq!((left.len(), moved.len()), (0, brought), "{moved:?}");
}

/// How `linesman device test` of a device ended, and what it printed.
async fn tried(world: &World, name: &str) -> (Option<i32>, String) {
    let data = world.data().display().to_string();
    let ended = run(&["device", "test", "acme", name, "--data-dir", &data]).await.unwrap();
    (ended.code, ended.stdout)
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named_where_files_are_to_be_moved() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let device = Device::start(&world, "r1").await;
    device.leaves("a.xml", &event("edge-01", 1, "WORK", "Low"));
    let mut body = device.body();
    body["move_to"] = json!("/var/old");
    // It has no NETCONF, and does nothing that takes it.
    body["netconf_port"] = json!(std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    add(&api, "r1", body).await;
    let found = stands(&engine, "r1", "directory-missing").await;
    assert!(
        found["error"].as_str().unwrap().contains("`/var/old`, where files are to be moved, is not there"),
        "{found}"
    );
    let line = |told: &str, step: &str| {
        let line = told.lines().find(|line| line.starts_with(step)).unwrap_or_else(|| panic!("no `{step}`: {told}"));
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    let (code, told) = tried(&world, "r1").await;
    assert_eq!((code, line(&told, "remove"), line(&told, "move")), (Some(1), "ok".into(), "failed".into()), "{told}");
    let old = world.path("r1").join("var/old");
    fs::create_dir_all(&old).unwrap();
    let (code, told) = tried(&world, "r1").await;
    assert_eq!((code, line(&told, "move"), line(&told, "netconf")), (Some(0), "ok".into(), "failed".into()), "{told}");
    stands(&engine, "r1", "reachable").await;
    assert_eq!(files(&old), ["a.xml"]);
    assert!(engine.stop().await.unwrap().success());
}
