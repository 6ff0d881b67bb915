//! Devices as people name them and say how they are reached: by name or serial number, one by one or by a CSV file; and what is
//! said can be taken back.

use std::fs;

use linesman_tests::{Api, Engine, World, event, run, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::collecting::{Device, add, bundles, collect, device, stands};

const LOCKED: &str = include_str!("../fixtures/devices/id_ed25519_locked");

async fn put(api: &Api, path: &str, body: Value) -> u16 {
    api.ask(Method::PUT, &format!("/api/v1/{path}"), None, Some(body)).await.unwrap().status
}

/// What a command of `linesman device` ended with and printed.
async fn asked(world: &World, args: &[&str]) -> (Option<i32>, String) {
    let data = world.data().display().to_string();
    let ended = run(&[&["device"][..], args, &["--data-dir", &data]].concat()).await.unwrap();
    (ended.code, ended.stdout + ended.stderr.as_str())
}

async fn names(engine: &Engine) -> Vec<String> {
    let list = engine.get("/api/v1/devices?organization=acme").await.unwrap();
    let names = list["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[tokio::test]
async fn whatever_is_done_with_a_device_it_is_found_by_its_name_or_its_serial_number() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    let mut body = one.body();
    body["serial_number"] = json!("JN77");
    add(&api, "r1", body).await;
    stands(&engine, "r1", "reachable").await;

    let (code, told) = asked(&world, &["set", "JN77", "--org", "acme", "--poll", "1h"]).await;
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(device(&engine, "r1").await["reached"]["poll_s"], 3_600);
    // What is given anew is kept for it, and for no other of that name.
    let (password, key) = (one.body()["password"].clone(), one.body()["host_key"].clone());
    assert_eq!(put(&api, "devices/acme/JN77", json!({"password": "another"})).await, 200);
    collect(&api, "JN77").await;
    stands(&engine, "r1", "authentication-failed").await;
    assert_eq!(put(&api, "devices/acme/JN77", json!({ "password": password })).await, 200);
    collect(&api, "JN77").await;
    stands(&engine, "r1", "reachable").await;
    let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS";
    let (code, told) = asked(&world, &["hostkey", "acme/JN77", "--host-key", other]).await;
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(device(&engine, "r1").await["reached"]["host_key"], other);
    collect(&api, "r1").await;
    stands(&engine, "r1", "host-key-changed").await;
    assert_eq!(put(&api, "devices/acme/JN77/host-key", json!({ "host_key": key })).await, 200);
    assert_eq!(names(&engine).await, ["r1"], "none is made beside it");

    // A name goes before a serial number, and one that is to be new is new.
    let mut beside = one.body();
    beside["shared_address"] = json!(true);
    add(&api, "JN77", beside).await;
    assert_eq!(put(&api, "devices/acme/JN77", json!({"poll_s": 60})).await, 200);
    assert_eq!(device(&engine, "r1").await["reached"]["poll_s"], 3_600);
    assert_eq!(asked(&world, &["remove", "acme", "JN77"]).await.0, Some(0));
    assert_eq!(names(&engine).await, ["r1"]);

    // By what it calls itself it is shown, and nothing is done with it.
    one.leaves("a.xml", &event("edge-01", 1, "WORK", "Low").replace("SNedge-01", "JN77"));
    collect(&api, "r1").await;
    until("it is collected", async || (engine.incidents("acme").await.ok()? == 1).then_some(())).await;
    assert_eq!(device(&engine, "edge-01").await["name"], "r1");
    let answer = api.post("/api/v1/devices/acme/edge-01/test", json!({})).await.unwrap();
    assert_eq!(answer.status, 404, "{}", answer.body);
    let (code, told) = asked(&world, &["set", "edge-01", "--org", "acme", "--poll", "1m"]).await;
    assert_eq!(code, Some(1));
    assert!(told.contains("`acme` reaches no device `edge-01`"), "{told}");

    let (code, told) = asked(&world, &["remove", "acme", "JN77"]).await;
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = asked(&world, &["remove", "acme", "JN77"]).await;
    assert_eq!((code, told.contains("`acme` reaches no device `JN77`")), (Some(1), true), "{told}");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_was_said_of_a_device_can_be_taken_back() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    assert_eq!(put(&api, "places/acme/berlin", json!({})).await, 201);
    assert_eq!(put(&api, "directives-groups/acme/mx", json!({"commands": ["show version"]})).await, 201);
    add(&api, "r1", one.body()).await;
    let said = json!({"place": "acme/berlin", "serial_number": "JN77", "directives": ["mx"]});
    let way = async || device(&engine, "r1").await["reached"].clone();
    let is_said = |way: &Value| {
        (&way["place"], &way["serial_number"], &way["directives"])
            == (&json!("acme/berlin"), &json!("JN77"), &json!(["mx"]))
    };
    let is_clear =
        |way: &Value| way["place"].is_null() && way["serial_number"].is_null() && way["directives"] == json!([]);
    let null = json!({"place": null, "serial_number": null, "directives": null});
    assert_eq!(put(&api, "devices/acme/r1", said.clone()).await, 200);
    assert!(is_said(&way().await), "{}", way().await);
    assert_eq!(put(&api, "devices/acme/r1", null).await, 200);
    assert!(is_clear(&way().await), "{}", way().await);
    assert_eq!(put(&api, "devices/acme/r1", said).await, 200);
    // Another way to know it by takes what it is shown anew.
    let password = world.path("password");
    fs::write(&password, one.body()["password"].as_str().unwrap()).unwrap();
    let password = ["--password-file", password.to_str().unwrap()];
    let flags = ["--place", "", "--serial-number", "", "--directives", "", "--accept-host-key", "--legacy"];
    let flags = [&flags[..], &password].concat();
    let (code, told) = asked(&world, &[&["set", "r1", "--org", "acme"], &flags[..]].concat()).await;
    assert_eq!(code, Some(0), "{told}");
    let found = way().await;
    assert!(is_clear(&found) && found["accept_host_key"] == true, "{found}");
    let back = [&["set", "r1", "--org", "acme", "--accept-host-key=false"][..], &password].concat();
    let (code, told) = asked(&world, &back).await;
    assert_eq!((code, &way().await["accept_host_key"]), (Some(0), &json!(false)), "{told}");
    assert_eq!(
        asked(&world, &["list", "--organization", "acme"])
            .await
            .1
            .split_whitespace()
            .filter(|word| *word == "yes")
            .count(),
        1
    );
    // A group that no device names goes, and one that is not there is named by none.
    let answer = api.ask(Method::DELETE, "/api/v1/directives-groups/acme/mx", None, None).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let (code, told) = asked(&world, &["set", "r1", "--org", "acme", "--directives", "mx"]).await;
    assert_eq!(code, Some(1));
    assert!(told.contains("`acme` has no directives group `mx`"), "{told}");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn devices_come_out_of_a_file_and_go_into_one() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let one = Device::start(&world, "r1").await;
    let file = |name: &str, text: &str| {
        let path = world.path(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let body = one.body();
    let (key, password) = (body["host_key"].as_str().unwrap(), body["password"].as_str().unwrap());
    let (password, locked) = (file("password", password), file("id", LOCKED));
    let (right, wrong) = (file("right", "open sesame\n"), file("wrong", "open barley\n"));
    let port = body["port"].as_u64().unwrap();
    let head = "name,address,port,netconf_port,user,password_file,key_file,passphrase_file,poll_s,after,move_to,legacy,host_key";
    let sheet = format!(
        "{head}\nr1,127.0.0.1,{port},{port},linesman,{password},,,5,move,/var/tmp/done,true,{key}\n\
         r2,127.0.0.1,{port},{port},linesman,,{locked},{right},5,leave,,,{key}\n\
         r3,127.0.0.1,{port},{port},linesman,,{locked},{wrong},5,,,,{key}\n"
    );
    let sheet = file("devices.csv", &sheet);
    let (code, told) = asked(&world, &["import", "acme", &sheet, "--shared-address", "--dry-run"]).await;
    assert_eq!((code, names(&engine).await), (Some(0), Vec::new()), "{told}");
    let (code, told) = asked(&world, &["import", "acme", &sheet, "--shared-address"]).await;
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("1 of 3 devices are not imported") && told.contains("its passphrase is another"), "{told}");
    assert_eq!(names(&engine).await, ["r1", "r2"]);
    let found = stands(&engine, "r1", "reachable").await;
    assert_eq!((&found["reached"]["after"], &found["legacy"]), (&json!("move"), &json!(true)));
    // It lets in by password alone: what r2 shows is refused there, and not here.
    let found = stands(&engine, "r2", "authentication-failed").await;
    assert_eq!((&found["reached"]["credentials"], &found["reached"]["after"]), (&json!("key"), &json!("leave")));

    let data = world.data().display().to_string();
    let exported = run(&["device", "export", "acme", "--data-dir", &data]).await.unwrap();
    assert_eq!(exported.code, Some(0), "{}", exported.stderr);
    assert!(!exported.stdout.contains("_file") && !exported.stdout.contains("PRIVATE"), "{}", exported.stdout);
    assert!(exported.stdout.lines().next().unwrap().ends_with(",device_group"), "{}", exported.stdout);
    // Read again it changes nothing; what is changed in it is changed.
    let again = file("again.csv", &exported.stdout);
    let (code, told) = asked(&world, &["import", "acme", &again]).await;
    assert_eq!((code, told.matches("unchanged").count()), (Some(0), 2), "{told}");
    let other = file("other.csv", &exported.stdout.replace(",leave,", ",remove,"));
    let (code, told) = asked(&world, &["import", "acme", &other]).await;
    assert_eq!((code, told.matches("unchanged").count()), (Some(0), 1), "{told}");
    assert_eq!(device(&engine, "r2").await["reached"]["after"], "remove");
    // Which device group one is in, the organization says; a file has columns, and no options.
    let grouped = file("grouped.csv", "name,device_group\nr1,core\nr2,\n");
    let (code, told) = asked(&world, &["import", "acme", &grouped]).await;
    assert!(code == Some(1) && told.contains("r1: unchanged; it is in no device group, not in `core`"), "{told}");
    let settings = ["org", "set", "acme", "--device-group", "core=r1", "--data-dir", &data];
    assert_eq!(run(&settings).await.unwrap().code, Some(0));
    let (code, told) = asked(&world, &["import", "acme", &grouped]).await;
    assert_eq!((code, told.matches("unchanged").count()), (Some(0), 2), "{told}");
    let (_, told) = asked(&world, &["import", "acme", &file("often.csv", "name,poll_s\nr1,3\n")]).await;
    assert!(told.contains("r1: `poll_s` is 3"), "{told}");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_was_collected_is_moved_or_stays_as_was_said_and_a_file_is_checked_once_more() {
    let mut world = World::new().unwrap();
    world.configure("\n[collector]\nincomplete_after_s = 1\n");
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    fs::create_dir(one.folder.join("done")).unwrap();
    let mut body = one.body();
    (body["poll_s"], body["after"], body["move_to"]) = (json!(86_400), json!("move"), json!("/var/tmp/done"));
    add(&api, "r1", body).await;
    stands(&engine, "r1", "reachable").await;
    // One question is enough, though whether a file grows takes two looks.
    one.leaves("a.xml", &event("edge-01", 1, "WORK", "Low"));
    let came = collect(&api, "r1").await;
    assert_eq!((&came["taken"], &came["error"]), (&json!(1), &json!("")), "{came}");
    assert_eq!(one.has(), ["done"]);
    assert!(one.folder.join("done/a.xml").exists());

    assert_eq!(put(&api, "devices/acme/r1", json!({"after": "leave"})).await, 200);
    one.leaves("b.xml", &event("edge-01", 2, "WORK", "Low"));
    assert_eq!(collect(&api, "r1").await["taken"], 1);
    assert_eq!(collect(&api, "r1").await["taken"], 0);
    assert_eq!((one.has(), bundles(&engine).await.len()), (vec!["b.xml".to_owned(), "done".to_owned()], 2));
    // Where they are to be moved to a directory that is not there, that is what is missing.
    let nowhere = json!({"after": "move", "move_to": "/var/tmp/nowhere"});
    assert_eq!(put(&api, "devices/acme/r1", nowhere).await, 200);
    collect(&api, "r1").await;
    let found = stands(&engine, "r1", "directory-missing").await;
    assert!(found["error"].as_str().unwrap().contains("`/var/tmp/nowhere`"), "{found}");
    assert_eq!(put(&api, "devices/acme/r1", json!({"after": "leave"})).await, 200);
    collect(&api, "r1").await;
    // Neither is it brought again by whoever begins anew.
    assert!(engine.stop().await.unwrap().success());
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    stands(&engine, "r1", "reachable").await;
    assert_eq!(collect(&api, "r1").await["taken"], 0);

    // What lacks its end is set aside once it has been so for as long as was said.
    let whole = event("edge-01", 3, "WORK", "Low");
    one.leaves("c.xml", &whole[..whole.len() / 2]);
    let error = until("it is set aside", async || {
        collect(&api, "r1").await;
        engine.get("/api/v1/jmb-errors").await.ok()?["items"].as_array()?.first().cloned()
    })
    .await;
    assert_eq!((&error["file"], &error["fault"]), (&json!("c.xml"), &json!("truncated")), "{error}");
    let reads = || one.server.done().iter().filter(|done| done.contains("c.xml")).count();
    let before = reads();
    assert_eq!(collect(&api, "r1").await["set_aside"], 0);
    assert_eq!(reads(), before, "it is not read again as long as it is the same");
    let id = error["id"].as_str().unwrap().to_owned();
    let data = world.data().display().to_string();
    let ended = run(&["jmb-error", "recheck", "acme", "r1", &id, "--data-dir", &data]).await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    until("it is read once more", async || {
        collect(&api, "r1").await;
        (reads() > before).then_some(())
    })
    .await;
    assert_eq!(one.has(), ["b.xml", "c.xml", "done"]);
    assert!(engine.stop().await.unwrap().success());
}
