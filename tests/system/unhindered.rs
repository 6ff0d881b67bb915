//! Nothing that is the matter with one file of a device keeps others from being collected, and nothing of what is is lost.

use std::fs;

use linesman_connectors::device::standin::server::Fault;
use linesman_tests::{World, event, until};
use reqwest::Method;
use serde_json::json;

use crate::collecting::{Device, add, collect, stands};

#[tokio::test]
async fn a_file_that_breaks_the_connection_each_time_holds_up_no_other() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    // Whenever it is read, with others or by itself.
    for _ in 0..1_000 {
        one.server.script().add(Fault::CutFile(3_000));
    }
    let short = |number| event("edge-01", number, "WORK", "Low");
    assert!(short(1).len() < 3_000, "it breaks nothing by itself");
    one.leaves("a.xml", &short(1));
    one.leaves("b.xml", &short(2).replace("</jmb>", &format!("{}</jmb>", " ".repeat(3_000))));
    one.leaves("c.xml", &short(3));
    add(&api, "r1", one.body()).await;
    until("the others are collected", async || {
        collect(&api, "r1").await;
        (engine.incidents("acme").await.ok()? == 2).then_some(())
    })
    .await;
    until("they are gone", async || {
        collect(&api, "r1").await;
        (one.has() == ["b.xml"]).then_some(())
    })
    .await;
    // What was told before, that the connection breaks, stands until the log has what is told of the last look.
    until("it is told which file it is", async || {
        collect(&api, "r1").await;
        let found = engine.get("/api/v1/devices/acme/r1").await.ok()?;
        let error = found["error"].as_str()?;
        let is_it = error.contains("`b.xml` has broken the connection") && found["state"] == "garbled";
        is_it.then_some(())
    })
    .await;
    assert!(one.server.script().left() > 0, "it is read again and again");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_is_moved_where_its_name_is_taken_takes_another() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    let done = one.folder.join("done");
    fs::create_dir(&done).unwrap();
    fs::write(done.join("a.xml"), "of before").unwrap();
    let mut body = one.body();
    body.as_object_mut().unwrap().insert("move_to".to_owned(), json!("/var/tmp/done"));
    one.leaves("a.xml", &event("edge-01", 1, "WORK", "Low"));
    add(&api, "r1", body).await;
    until("it is moved", async || (one.has() == ["done"]).then_some(())).await;
    stands(&engine, "r1", "reachable").await;
    let mut names: Vec<_> = fs::read_dir(&done).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!((names.len(), names[0].to_str()), (2, Some("a.xml")), "{names:?}");
    assert!(names[1].to_str().unwrap().starts_with("a.xml."), "{names:?}");
    assert_eq!(fs::read_to_string(done.join("a.xml")).unwrap(), "of before");
    until("it is an incident", async || (engine.incidents("acme").await.ok()? == 1).then_some(())).await;
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn an_empty_file_is_one_that_is_about_to_be_written() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    one.leaves("a.xml", "");
    one.leaves("b.xml", "junk");
    add(&api, "r1", one.body()).await;
    let aside = until("junk is set aside", async || {
        let list = engine.get("/api/v1/jmb-errors?organization=acme").await.ok()?;
        list["items"].as_array().filter(|items| !items.is_empty()).cloned()
    })
    .await;
    assert_eq!((aside.len(), &aside[0]["file"]), (1, &json!("b.xml")), "{aside:?}");
    one.leaves("a.xml", &event("edge-01", 1, "WORK", "Low"));
    until("it is collected", async || (engine.incidents("acme").await.ok()? == 1).then_some(())).await;
    let list = engine.get("/api/v1/jmb-errors?organization=acme").await.unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_device_that_is_removed_and_reached_anew_is_looked_at() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    add(&api, "r1", one.body()).await;
    stands(&engine, "r1", "reachable").await;
    let answer = api.ask(Method::DELETE, "/api/v1/devices/acme/r1", None, None).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    add(&api, "r1", one.body()).await;
    one.leaves("a.xml", &event("edge-01", 1, "WORK", "Low"));
    until("it is collected", async || (engine.incidents("acme").await.ok()? == 1).then_some(())).await;
    assert!(engine.stop().await.unwrap().success());
}
