//! Scripts on devices: a device group has them wholly or not at all, what is somebody else's is overwritten by whoever confirmed
//! it and by nobody else, and what breaks off leaves what was there.

use std::fs;
use std::path::PathBuf;

use linesman_connectors::device::standin::server::{Account, Fault, FileFault, FileOperation, Proof, Server, Setup};
use linesman_tests::{Api, World, run, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::activations::put;

const PASSWORD: &str = "correct horse battery";
const BY_HAND: &str = "system {\n    host-name pe-1;\n}\n";
const REFUSED: &str = "<rpc-error><error-type>application</error-type><error-tag>invalid-value</error-tag>\
                       <error-severity>error</error-severity><error-message>no such script</error-message></rpc-error>";

pub(crate) struct Device {
    pub(crate) server: Server,
    scripts: PathBuf,
}

impl Device {
    pub(crate) async fn start(world: &World, folder: &str) -> Self {
        let root = world.path(folder);
        let scripts = root.join("var/db/scripts");
        for directory in ["op", "event", "commit"] {
            fs::create_dir_all(scripts.join(directory)).unwrap();
        }
        fs::create_dir_all(root.join("var/tmp")).unwrap();
        let account = Account { user: "linesman".to_owned(), proof: Proof::Password(PASSWORD.to_owned()) };
        let mut setup = Setup::new(&root, vec![account]);
        // What it calls itself puts it into no group, nor out of one.
        setup.facts.host_name = "edge-1".to_owned();
        let server = Server::start(setup).await.unwrap();
        server.change_by_hand(BY_HAND, true).unwrap();
        Self { server, scripts }
    }

    pub(crate) async fn add(&self, api: &Api, org: &str, name: &str) {
        let port = self.server.address().port();
        let body = json!({
            "address": "127.0.0.1", "port": port, "netconf_port": port, "user": "linesman", "password": PASSWORD,
            "host_key": self.server.host_key().unwrap().to_string(),
        });
        put(api, &format!("devices/{org}/{name}?new=true"), body).await;
    }

    /// All files in the directories of scripts, with what they say.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let mut files = Vec::new();
        for directory in ["commit", "event", "op"] {
            for entry in fs::read_dir(self.scripts.join(directory)).unwrap() {
                let entry = entry.unwrap();
                let name = format!("{directory}/{}", entry.file_name().into_string().unwrap());
                files.push((name, fs::read_to_string(entry.path()).unwrap()));
            }
        }
        files.sort();
        files
    }

    fn has(&self, name: &str, text: &str) {
        fs::write(self.scripts.join(name), text).unwrap();
    }

    fn running(&self) -> String {
        self.server.running().split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn told(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// An organization's group `core` of all devices whose names begin with `r`, two versions of a bundle, and a profile.
pub(crate) async fn kept(api: &Api, org: &str) {
    let core = json!({"name": "core", "devices": ["r*"]});
    put(api, &format!("organizations/{org}"), json!({"proxy": false, "device_groups": [core]})).await;
    let file = |kind: &str, name: &str, content: &str| json!({"kind": kind, "name": name, "content": content});
    let one = json!({"files": [file("op", "look.slax", "look 1"), file("event", "collect.slax", "collect 1")]});
    let two = json!({"files": [file("event", "collect.slax", "collect 2"), file("commit", "check.slax", "check 2")]});
    put(api, &format!("organizations/{org}/script-bundles/health/1"), one).await;
    put(api, &format!("organizations/{org}/script-bundles/health/2"), two).await;
    let events = json!({"events": [{"event": "FAN_FAILURE", "priority": 2}, {"event": "CORE_DUMP", "priority": 1}]});
    put(api, &format!("organizations/{org}/event-profiles/chassis"), events).await;
}

pub(crate) async fn install(api: &Api, org: &str, version: &str, overwrites: Value) {
    let body = json!({"bundle": "health", "version": version, "event_profile": "chassis", "overwrites": overwrites});
    put(api, &format!("organizations/{org}/scripts/core"), body).await;
}

/// Waits until a device stands so; how.
pub(crate) async fn stands(api: &Api, org: &str, device: &str, state: &str) -> Value {
    until(&format!("{device} is {state}"), async || {
        let text = api.text(&format!("/api/v1/organizations/{org}/scripts")).await.ok()?;
        let found: Value = serde_json::from_str(&text).ok()?;
        let devices = found["devices"].as_array()?;
        devices.iter().find(|found| found["device"] == device && found["state"] == state).cloned()
    })
    .await
}

async fn plan(api: &Api, version: &str) -> Value {
    let body = json!({"bundle": "health", "version": version, "event_profile": "chassis"});
    let answer = api.post("/api/v1/organizations/acme/scripts/core/plan", body).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

#[tokio::test]
async fn scripts_are_installed_upgraded_and_removed() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let device = Device::start(&world, "r1").await;
    let other = Device::start(&world, "bolt-r1").await;
    kept(&api, "acme").await;
    kept(&api, "bolt").await;
    device.add(&api, "acme", "r1").await;
    other.add(&api, "bolt", "r1").await;
    install(&api, "acme", "1", json!([])).await;
    let done = stands(&api, "acme", "r1", "done").await;
    assert_eq!((&done["done"], &done["of"], &done["has"]["version"]), (&json!(2), &json!(2), &json!("1")));
    assert_eq!(device.files(), told(&[("event/collect.slax", "collect 1"), ("op/look.slax", "look 1")]));
    let running = device.running();
    for part in [
        "op { file look.slax; }",
        "event-script { file collect.slax; }",
        "policy linesman-scripts-1 { events CORE_DUMP;",
        "policy linesman-scripts-2 { events FAN_FAILURE;",
        "arguments { priority 2; }",
        "apply-groups linesman-scripts;",
    ] {
        assert!(running.contains(part), "{part} in {running}");
    }
    assert!(!device.server.is_pending());

    // Before it is upgraded, what would change is said, by the device itself too.
    let planned = plan(&api, "2").await;
    let files = planned["devices"][0]["files"].as_array().unwrap();
    let changes: Vec<(&str, &str)> =
        files.iter().map(|file| (file["name"].as_str().unwrap(), file["change"].as_str().unwrap())).collect();
    assert_eq!(changes, [("collect.slax", "replaced"), ("check.slax", "new"), ("look.slax", "removed")]);
    let difference = planned["devices"][0]["configuration"].as_str().unwrap();
    assert!(difference.contains("check.slax"), "{planned}");
    assert_eq!(planned["overwrites"], json!([]));
    assert_eq!(device.running(), running, "a plan changes nothing");

    install(&api, "acme", "2", json!([])).await;
    until("it is upgraded", async || {
        let done = stands(&api, "acme", "r1", "done").await;
        (done["has"]["version"] == "2").then_some(())
    })
    .await;
    assert_eq!(device.files(), told(&[("commit/check.slax", "check 2"), ("event/collect.slax", "collect 2")]));
    assert!(!device.running().contains("look.slax"), "{}", device.running());

    // What is in use stays; what is not goes.
    let of = |what: &str| format!("/api/v1/organizations/acme/{what}");
    let used = api.ask(Method::DELETE, &of("script-bundles/health/2"), None, None).await.unwrap();
    assert_eq!(used.status, 409, "{used:?}");
    assert!(used.body["detail"].as_str().unwrap().contains("the device group `core` is to have"), "{used:?}");
    let events = json!({"events": [{"event": "FAN_FAILURE", "priority": 3}]});
    let used = api.ask(Method::PUT, &of("event-profiles/chassis"), None, Some(events)).await.unwrap();
    assert_eq!(used.status, 409, "{used:?}");
    let gone = api.ask(Method::DELETE, &of("script-bundles/health/1"), None, None).await.unwrap();
    assert_eq!(gone.status, 200, "{gone:?}");

    let removed = api.ask(Method::DELETE, &of("scripts/core"), None, None).await.unwrap();
    assert_eq!(removed.status, 200, "{removed:?}");
    until("they are removed", async || {
        let done = stands(&api, "acme", "r1", "done").await;
        done.get("has").is_none().then_some(())
    })
    .await;
    assert_eq!(device.files(), []);
    assert_eq!(device.server.running(), BY_HAND);
    assert_eq!((other.files(), other.server.running()), (vec![], BY_HAND.to_owned()), "another's is not touched");
    let records = until("all are on record", async || {
        let list = engine.get("/api/v1/audit?organization=acme&operation=change-scripts").await.ok()?;
        list["items"].as_array().filter(|records| records.len() == 3).cloned()
    })
    .await;
    let changes = [
        (("+", "look.slax"), vec![("collect.slax", "new"), ("look.slax", "new")]),
        (("+", "check.slax"), vec![("check.slax", "new"), ("collect.slax", "replaced"), ("look.slax", "removed")]),
        (("-", "check.slax"), vec![("check.slax", "removed"), ("collect.slax", "removed")]),
    ];
    for (record, ((sign, name), expected)) in records.iter().zip(changes) {
        let new = &record["new"];
        assert_eq!((&record["about"], &new["outcome"]), (&json!("r1"), &json!("applied")), "{record}");
        assert_eq!(new["by"], json!(["admin"]), "{record}");
        assert!(record["node"].as_str().is_some_and(|node| !node.is_empty()), "{record}");
        let file =
            |file: &Value| (file["name"].as_str().unwrap().to_owned(), file["change"].as_str().unwrap().to_owned());
        let mut files: Vec<_> = new["files"].as_array().unwrap().iter().map(file).collect();
        files.sort();
        let expected: Vec<_> =
            expected.iter().map(|(name, change)| ((*name).to_owned(), (*change).to_owned())).collect();
        assert_eq!(files, expected, "{record}");
        let lines = new["difference"]["text"].as_str().unwrap().lines();
        assert!(lines.clone().any(|line| line.starts_with(sign) && line.contains(name)), "{record}");
    }
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn what_is_somebody_elses_is_overwritten_only_where_that_is_confirmed() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let device = Device::start(&world, "r1").await;
    device.has("op/look.slax", "by hand");
    kept(&api, "acme").await;
    device.add(&api, "acme", "r1").await;
    install(&api, "acme", "1", json!([])).await;
    let failed = stands(&api, "acme", "r1", "failed").await;
    let detail = failed["detail"].as_str().unwrap();
    assert!(detail.contains("nothing is changed") && detail.contains("/var/db/scripts/op/look.slax"), "{failed}");
    assert_eq!(device.files(), told(&[("op/look.slax", "by hand")]));
    assert_eq!(device.server.running(), BY_HAND);

    let data = world.data();
    let command = |confirm: Option<&str>| {
        let mut words = vec!["scripts", "install", "acme", "core", "health", "1", "--event-profile", "chassis"];
        words.extend(confirm.into_iter().flat_map(|hash| ["--confirm", hash]));
        words.extend(["--wait", "--data-dir", data.to_str().unwrap()]);
        words.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let refused = run(&command(None).iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
    let hash = plan(&api, "1").await["hash"].as_str().unwrap().to_owned();
    assert!(refused.stderr.contains(&format!("confirm that by `--confirm {hash}`")), "{refused:?}");
    assert!(refused.stdout.contains("overwritten"), "{refused:?}");
    let difference: Vec<&str> = refused.stdout.lines().filter(|line| line.starts_with("r1: ")).collect();
    assert!(difference.len() > 3 && difference.iter().any(|line| line.ends_with(" {")), "{refused:?}");
    // It becomes another after that was looked at.
    device.has("op/look.slax", "by another hand");
    let refused = run(&command(Some(&hash)).iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
    assert!(refused.stderr.contains("is not what was confirmed"), "{refused:?}");
    assert_eq!(device.files(), told(&[("op/look.slax", "by another hand")]));
    // What was confirmed of another text is not of this.
    let planned = plan(&api, "1").await;
    device.has("op/look.slax", "by a third hand");
    install(&api, "acme", "1", planned["overwrites"].clone()).await;
    until("that is refused on the device", async || {
        (stands(&api, "acme", "r1", "failed").await["order"] == 2).then_some(())
    })
    .await;
    assert_eq!(device.files(), told(&[("op/look.slax", "by a third hand")]));
    let hash = plan(&api, "1").await["hash"].as_str().unwrap().to_owned();
    let done = run(&command(Some(&hash)).iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(device.files(), told(&[("event/collect.slax", "collect 1"), ("op/look.slax", "look 1")]));

    // What somebody has changed stays, and it is said.
    device.has("op/look.slax", "by hand again");
    let answer = api.ask(Method::DELETE, "/api/v1/organizations/acme/scripts/core", None, None).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let removed = until("they are removed", async || {
        let device = stands(&api, "acme", "r1", "done").await;
        device["has"].is_null().then_some(device)
    })
    .await;
    assert!(removed["detail"].as_str().unwrap().contains("`/var/db/scripts/op/look.slax` stays"), "{removed}");
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_plan_says_that_a_directory_is_not_there() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let device = Device::start(&world, "r1").await;
    kept(&api, "acme").await;
    device.add(&api, "acme", "r1").await;
    fs::remove_dir(device.scripts.join("op")).unwrap();
    let planned = plan(&api, "1").await;
    assert_eq!(planned["devices"][0]["error"], "`/var/db/scripts/op` is not there", "{planned}");
    let data = world.data().display().to_string();
    let status = ["scripts", "status", "acme", "--device-group", "cor", "--data-dir", &data];
    let ended = run(&status).await.unwrap();
    assert!(ended.code == Some(1) && ended.stderr.contains("device group `cor`"), "{ended:?}");
    let args = ["scripts", "install", "acme", "core", "health", "1", "--wait", "--data-dir", &data];
    let ended = run(&args).await.unwrap();
    assert!(ended.code == Some(1) && ended.stdout.contains("rolled-back"), "{ended:?}");
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn what_somebody_writes_meanwhile_stays_and_nothing_is_changed() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let device = Device::start(&world, "r1").await;
    kept(&api, "acme").await;
    device.add(&api, "acme", "r1").await;
    // Amid the laying of scripts, where nothing was when it was looked at, and then where ours was.
    let mut ours = Vec::new();
    for (version, file) in [("1", "op/look.slax"), ("2", "event/collect.slax")] {
        let path = device.scripts.join(file);
        device.server.script().add(Fault::Rewrite { after: 0, path, bytes: b"by hand".to_vec() });
        let before = device.running();
        install(&api, "acme", version, json!([])).await;
        let failed = stands(&api, "acme", "r1", "failed").await;
        let detail = failed["detail"].as_str().unwrap();
        assert!(detail.contains("nothing is changed") && detail.contains(file), "{failed}");
        ours.retain(|(name, _)| name != file);
        let mut expected = ours.clone();
        expected.push((file.to_owned(), "by hand".to_owned()));
        expected.sort();
        assert_eq!((device.files(), device.running()), (expected, before), "{version}");
        fs::remove_file(device.scripts.join(file)).unwrap();
        install(&api, "acme", "1", json!([])).await;
        stands(&api, "acme", "r1", "done").await;
        ours = device.files();
    }
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn what_fails_amid_it_leaves_what_was_there() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let device = Device::start(&world, "r1").await;
    kept(&api, "acme").await;
    device.add(&api, "acme", "r1").await;
    install(&api, "acme", "1", json!([])).await;
    stands(&api, "acme", "r1", "done").await;
    let (files, running) = (device.files(), device.server.running());
    let faults = [
        // A script cannot be written, one cannot be put, the configuration is refused, an old script cannot be taken away.
        (vec![Fault::File(FileOperation::Write, FileFault::NoSpace)], "no room"),
        (vec![Fault::File(FileOperation::Move, FileFault::Denied)], "permission denied"),
        (vec![Fault::Refuse("load-configuration", REFUSED.to_owned())], "no such script"),
    ];
    for (fault, words) in faults {
        fault.into_iter().for_each(|fault| device.server.script().add(fault));
        install(&api, "acme", "2", json!([])).await;
        let back = stands(&api, "acme", "r1", "rolled-back").await;
        assert!(back["detail"].as_str().unwrap().contains(words), "{back}");
        assert_eq!(back["has"]["version"], "1", "{back}");
        assert_eq!(device.files(), files, "{words}");
        assert_eq!(device.server.running(), running, "{words}");
        assert_eq!(device.server.script().left(), 0, "{words}");
        // It is not tried again of itself, and done once it is asked for again.
        install(&api, "acme", "1", json!([])).await;
        stands(&api, "acme", "r1", "done").await;
    }
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn an_engine_that_is_killed_amid_it_puts_it_right_when_it_is_back() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let device = Device::start(&world, "r1").await;
    device.has("commit/check.slax", "by hand");
    kept(&api, "acme").await;
    device.add(&api, "acme", "r1").await;
    until("it was asked what it is", async || {
        device.server.done().iter().any(|done| done == "get-system-information").then_some(())
    })
    .await;
    // The files are there, and the commit waits to be confirmed.
    device.server.script().add(Fault::Silent("get-system-information"));
    let planned = plan(&api, "2").await;
    install(&api, "acme", "2", planned["overwrites"].clone()).await;
    until("the commit waits", async || device.server.is_pending().then_some(())).await;
    let names: Vec<String> = device.files().into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"commit/.linesman-old-check.slax".to_owned()), "{names:?}");
    engine.kill().unwrap();
    // The kill may have come before the device was to be silent.
    device.server.script().clear();
    device.server.restart();
    assert_eq!(device.server.running(), BY_HAND);
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    stands(&api, "acme", "r1", "done").await;
    assert_eq!(device.files(), told(&[("commit/check.slax", "check 2"), ("event/collect.slax", "collect 2")]));
    assert!(device.running().contains("apply-groups linesman-scripts;"));
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_configuration_group_of_the_name_that_is_somebody_elses_stays_as_it_is() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let device = Device::start(&world, "r1").await;
    let theirs =
        "groups {\n    linesman-scripts {\n        system {\n            host-name theirs;\n        }\n    }\n}\n";
    let before = format!("{BY_HAND}{theirs}apply-groups linesman-scripts;\n");
    device.server.change_by_hand(&before, true).unwrap();
    let before = device.server.running();
    kept(&api, "acme").await;
    device.add(&api, "acme", "r1").await;
    let planned = plan(&api, "1").await.to_string();
    assert!(planned.contains("configuration group `linesman-scripts` that is not ours"), "{planned}");
    install(&api, "acme", "1", json!([])).await;
    let failed = stands(&api, "acme", "r1", "failed").await;
    assert!(failed["detail"].as_str().unwrap().contains("to be deleted there first"), "{failed}");
    assert_eq!((device.files(), device.server.running()), (Vec::new(), before));
    // It is taken away there.
    device.server.change_by_hand(BY_HAND, true).unwrap();
    install(&api, "acme", "1", json!([])).await;
    stands(&api, "acme", "r1", "done").await;
    // Ours is ours, also on a device that is reached anew.
    let (files, running) = (device.files(), device.server.running());
    let gone = api.ask(Method::DELETE, "/api/v1/devices/acme/r1", None, None).await.unwrap();
    assert!((200..300).contains(&gone.status), "{gone:?}");
    device.add(&api, "acme", "r1").await;
    stands(&api, "acme", "r1", "done").await;
    assert_eq!((device.files(), device.server.running()), (files, running));
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_group_of_which_is_not_known_whether_it_counts_goes_back_with_the_files() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let device = Device::start(&world, "r1").await;
    kept(&api, "acme").await;
    device.add(&api, "acme", "r1").await;
    install(&api, "acme", "1", json!([])).await;
    stands(&api, "acme", "r1", "done").await;
    let (files, running) = (device.files(), device.server.running());
    // It is confirmed, and the answer to that is lost.
    device.server.script().add(Fault::CutAfter("commit"));
    install(&api, "acme", "2", json!([])).await;
    until("it is tried again", async || {
        let waits = stands(&api, "acme", "r1", "waiting").await;
        waits["detail"].as_str()?.contains("not known").then_some(())
    })
    .await;
    assert_eq!(device.files(), files);
    assert_ne!(device.server.running(), running, "the fault came too early");
    device.server.script().add(Fault::File(FileOperation::Write, FileFault::NoSpace));
    stands(&api, "acme", "r1", "rolled-back").await;
    assert_eq!((device.files(), device.server.running()), (files, running));
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_group_that_an_attempt_left_which_nobody_knows_the_end_of_is_ours_for_whatever_is_installed_next() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let device = Device::start(&world, "r1").await;
    kept(&api, "acme").await;
    device.add(&api, "acme", "r1").await;
    // It is confirmed, and the answer to that is lost.
    device.server.script().add(Fault::CutAfter("commit"));
    install(&api, "acme", "1", json!([])).await;
    until("it is tried again", async || {
        let waits = stands(&api, "acme", "r1", "waiting").await;
        waits["detail"].as_str()?.contains("not known").then_some(())
    })
    .await;
    assert!(device.running().contains("file look.slax;"), "{}", device.running());
    // Killed before the next attempt, or amid it: it is all the same.
    engine.kill().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    assert!(!plan(&api, "2").await.to_string().contains("is not ours"));
    install(&api, "acme", "2", json!([])).await;
    let done = until("it has ended", async || {
        let text = api.text("/api/v1/organizations/acme/scripts").await.ok()?;
        let found: Value = serde_json::from_str(&text).ok()?;
        let device = found["devices"][0].clone();
        let is_over = device["order"] == 2 && (device["state"] == "done" || device["state"] == "failed");
        is_over.then_some(device)
    })
    .await;
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(device.files(), told(&[("commit/check.slax", "check 2"), ("event/collect.slax", "collect 2")]));
    let running = device.running();
    assert!(running.contains("file check.slax;") && !running.contains("look.slax"), "{running}");
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn an_installation_that_awaits_approval_is_waited_for_until_the_devices_have_it() {
    let mut world = World::new().unwrap();
    world.configure("\n[approvals]\nconfigure-device = \"one-person\"\n");
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let device = Device::start(&world, "r1").await;
    kept(&api, "acme").await;
    device.add(&api, "acme", "r1").await;
    until("its host key is known", async || {
        let found = engine.get("/api/v1/devices/acme/r1").await.ok()?;
        (found["state"] == "reachable").then_some(())
    })
    .await;
    let data = world.data().display().to_string();
    let approve = async |id: String, how: &str| {
        let path = format!("/api/v1/approvals/{id}");
        until(&format!("`{id}` is asked for"), async || {
            (engine.get(&path).await.ok()?["state"] == "pending").then_some(())
        })
        .await;
        let answer = api.ask(Method::POST, &format!("{path}/{how}"), None, Some(json!({}))).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    for (number, version, how) in [(1, "1", "approve"), (2, "2", "approve"), (3, "1", "reject")] {
        let args = ["scripts", "install", "acme", "core", "health", version, "--wait=60s", "--data-dir", &data];
        let (ended, ()) = tokio::join!(run(&args), approve(format!("acme-a{number}"), how));
        let ended = ended.unwrap();
        assert_eq!(ended.code, Some(i32::from(how == "reject")), "{} {}", ended.stdout, ended.stderr);
        let has = if how == "reject" { "2" } else { version };
        assert!(device.files().contains(&("event/collect.slax".to_owned(), format!("collect {has}"))), "{version}");
        assert!(how == "approve" || ended.stderr.contains("`acme-a3` is rejected"), "{}", ended.stderr);
    }
    let args = ["scripts", "install", "acme", "core", "health", "1", "--wait=1s", "--data-dir", &data];
    let ended = run(&args).await.unwrap();
    assert!(ended.code == Some(1) && ended.stderr.contains("before `acme-a4` is approved"), "{}", ended.stderr);
    let args = ["scripts", "remove", "acme", "core", "--wait=60s", "--data-dir", &data];
    let ended = run(&args).await.unwrap();
    assert_eq!(ended.code, Some(0), "{} {}", ended.stdout, ended.stderr);
    assert!(!device.files().iter().any(|(name, _)| name == "event/collect.slax"), "{:?}", device.files());
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}
