//! Bundles that are larger than a message of the log come home whole, once, whatever breaks off; files that they only name are
//! fetched, and tried again where they are missing.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use linesman_connectors::device::standin::server::Fault;
use linesman_tests::{Api, Engine, Launch, World, event, until};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::collecting::{Device, add, collect, stands};

/// A world whose log takes small messages.
pub(crate) fn world(more: &str) -> World {
    let mut world = World::new().unwrap();
    world.configure(&format!("\n[nats]\nmax_payload_bytes = 1048576\n{more}"));
    world
}

/// An event with an attachment of so many bytes.
pub(crate) fn large(number: u64, size: usize) -> String {
    let line = "show chassis hardware detail | display xml | no-more\n";
    let content: String = line.chars().cycle().take(size).collect();
    let attached =
        format!("<attachments><attachment name=\"a_rsi.txt\"><![CDATA[{content}]]></attachment></attachments>");
    event("edge-01", number, "WORK", "Low").replace("</jmb>", &format!("{attached}</jmb>"))
}

/// What of large bundles stands in IN: by SHA-256, how often.
pub(crate) async fn kept(engine: &Engine) -> Vec<String> {
    let client = engine.nats_as_engine().await.unwrap();
    let stream = async_nats::jetstream::new(client).get_stream("IN").await.unwrap();
    let mut found = Vec::new();
    for sequence in 1..=stream.cached_info().state.last_sequence {
        let Ok(message) = stream.get_raw_message(sequence).await else { continue };
        let said = serde_json::from_slice::<Value>(&message.payload).unwrap_or_default();
        found.extend(said["bundle_kept"]["sha256"].as_str().map(str::to_owned));
    }
    found.sort();
    found
}

/// How many objects there are in the object store.
pub(crate) async fn objects(engine: &Engine) -> usize {
    let client = engine.nats_as_engine().await.unwrap();
    let Ok(stream) = async_nats::jetstream::new(client).get_stream("KV_linesman-objects").await else { return 0 };
    let subjects = stream.info_with_subjects("$KV.linesman-objects.*.*.*").await.unwrap();
    futures_util::TryStreamExt::try_collect::<Vec<_>>(subjects).await.unwrap().len()
}

async fn incident(engine: &Engine, id: &str) -> Option<Value> {
    engine.get(&format!("/api/v1/incidents/{id}")).await.ok()
}

async fn opens_case(api: &Api, id: &str) {
    let answer = api.post(&format!("/api/v1/incidents/{id}/case/submit"), json!({})).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

#[tokio::test]
async fn a_bundle_that_is_larger_than_a_message_comes_home_whole_and_goes_on_where_it_broke_off() {
    let world = world("");
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    let text = large(1, 5_000_000);
    one.leaves("a.xml", &text);
    one.server.script().add(Fault::CutFile(3_000_000));
    add(&api, "r1", one.body()).await;
    until("it breaks off", async || (one.server.script().left() == 0).then_some(())).await;
    let spooled = until("what was read is kept", async || {
        let spooled: Vec<_> = fs::read_dir(world.data().join("collecting")).ok()?.collect();
        let is_kept = |one: &std::io::Result<fs::DirEntry>| one.as_ref().unwrap().metadata().unwrap().len() > 1_000_000;
        spooled.first().is_some_and(is_kept).then_some(spooled.len())
    })
    .await;
    assert_eq!(spooled, 1);
    // What was read is not read again: it is another there by now.
    let path = one.folder.join("a.xml");
    let modified: SystemTime = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, text.replacen("<?xml", "<?xyz", 1)).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    collect(&api, "r1").await;
    until("it is an incident", async || (engine.incidents("acme").await.ok()? == 1).then_some(())).await;
    until("it is gone from the device", async || one.has().is_empty().then_some(())).await;
    let found = incident(&engine, "acme-1").await.unwrap();
    assert_eq!(found["bundle"]["length"], text.len(), "{found}");
    assert_eq!(found["bundle"]["sha256"], sha256(&text));
    opens_case(&api, "acme-1").await;
    assert!(api.text("/api/v1/cases/acme-1/files/0").await.unwrap() == text, "it is another");
    assert_eq!(kept(&engine).await, [sha256(&text)]);
    assert_eq!(fs::read_dir(world.data().join("collecting")).unwrap().count(), 0);
    assert_eq!(engine.incidents("bolt").await.unwrap(), 0);

    // What is no bundle leaves its head and its fault, and nothing else.
    let before = objects(&engine).await;
    one.leaves("junk.xml", &large(2, 2_000_000).replace("</jmb>", "</other>"));
    collect(&api, "r1").await;
    let error = until("it is set aside", async || {
        engine.get("/api/v1/jmb-errors").await.ok()?["items"].as_array()?.first().cloned()
    })
    .await;
    assert_eq!(error["file"], "junk.xml", "{error}");
    assert_eq!((one.has(), objects(&engine).await), (vec!["junk.xml".to_owned()], before));
    assert_eq!(fs::read_dir(world.data().join("collecting")).unwrap().count(), 0);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn an_engine_that_is_killed_at_each_step_brings_a_large_bundle_once() {
    let world = world("");
    let one = Device::start(&world, "r1").await;
    let mut engine = world.start(None).await.unwrap();
    add(&engine.api().unwrap(), "r1", one.body()).await;
    stands(&engine, "r1", "reachable").await;
    assert!(engine.stop().await.unwrap().success());
    let steps = [
        "spooling=20*off->panic",
        "spooled=panic",
        "keeping=1*off->panic",
        "before-publish=panic",
        "before-brought=panic",
        "before-remove=panic",
    ];
    let mut expected = Vec::new();
    for (number, step) in (1..).zip(steps) {
        let text = large(number, 1_500_000);
        one.leaves(&format!("{number}.xml"), &text);
        expected.push(sha256(&text));
        let point = format!("reach::{step}");
        let mut engine = world.spawn(None, Launch { crash_points: &point, ..Launch::default() }).unwrap();
        // It may come to be ready before.
        let _ = engine.wait_ready().await;
        engine.ended().await;
    }
    let mut engine = world.start(None).await.unwrap();
    until("nothing is left", async || one.has().is_empty().then_some(())).await;
    expected.sort();
    assert_eq!(kept(&engine).await, expected);
    let count = expected.len() as u64;
    until("each is an incident", async || (engine.incidents("acme").await.ok()? == count).then_some(())).await;
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_file_that_a_bundle_names_is_fetched_and_one_that_is_missing_is_tried_again() {
    let world = world("[collector]\nmissed_after_s = 1\n");
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    let logs = concat!(
        r#"<logs><log name="there.log" path="/var/tmp/there.log"/><log name="late.log"/>"#,
        r#"<log name="passwd" path="/var/tmp/../../etc/passwd"/><log name="link.log"/></logs></jmb>"#,
    );
    one.leaves("there.log", "said of there");
    std::os::unix::fs::symlink("/etc/passwd", one.folder.join("link.log")).unwrap();
    one.leaves("a.xml", &event("edge-01", 1, "WORK", "Low").replace("</jmb>", logs));
    add(&api, "r1", one.body()).await;
    let files = until("they were tried", async || {
        let found = incident(&engine, "acme-1").await?;
        let files = found["files"].as_array()?.clone();
        (files.len() == 4 && files.iter().all(|file| file["tried"].is_string())).then_some(files)
    })
    .await;
    let states: Vec<_> = files
        .iter()
        .map(|file| (file["name"].as_str().unwrap(), file["state"].as_str().unwrap(), &file["reason"]))
        .collect();
    let (absent, elsewhere) = (json!("absent"), json!("elsewhere"));
    let expected = [
        ("there.log", "there", &Value::Null),
        ("late.log", "missing", &absent),
        ("passwd", "given-up", &elsewhere),
        ("link.log", "missing", &absent),
    ];
    assert_eq!(states, expected);
    opens_case(&api, "acme-1").await;
    one.leaves("late.log", "said late");
    let file = until("it is fetched", async || {
        collect(&api, "r1").await;
        let found = incident(&engine, "acme-1").await?;
        (found["files"][1]["state"] == "there").then(|| found["files"][1].clone())
    })
    .await;
    assert_eq!(file["sha256"], sha256("said late"));
    let path = format!("/api/v1/cases/acme-1/files/{}", file["number"]);
    assert_eq!(api.text(&path).await.unwrap(), "said late");
    assert_eq!(one.has(), ["late.log", "link.log", "there.log"], "nothing but the bundle goes from the device");
    let other = api.ask(Method::GET, "/api/v1/incidents/bolt-1", None, None).await.unwrap();
    assert_eq!(other.status, 404, "{}", other.body);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_file_that_is_written_anew_while_it_is_fetched_is_fetched_again() {
    const SIZE: usize = 3_000_000;
    let world = world("[collector]\nmissed_after_s = 1\n");
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = Device::start(&world, "r1").await;
    let (before, behind) = ("A".repeat(SIZE), "B".repeat(SIZE));
    one.leaves("core.log", &before);
    let path = one.folder.join("core.log");
    let an_hour_ago = SystemTime::from(jiff::Timestamp::now()) - Duration::from_secs(3_600);
    File::options().write(true).open(&path).unwrap().set_modified(an_hour_ago).unwrap();
    one.server.script().add(Fault::Rewrite { after: 1_000_000, path, bytes: behind.clone().into_bytes() });
    let logs = r#"<logs><log name="core.log"/></logs></jmb>"#;
    one.leaves("a.xml", &event("edge-01", 1, "WORK", "Low").replace("</jmb>", logs));
    add(&api, "r1", one.body()).await;
    let file = until("it is fetched", async || {
        let found = incident(&engine, "acme-1").await?;
        (found["files"][0]["state"] == "there").then(|| found["files"][0].clone())
    })
    .await;
    assert_eq!(one.server.script().left(), 0, "it was not written anew");
    assert_eq!(file["sha256"], sha256(&behind), "neither of the two was there");
    assert!(engine.stop().await.unwrap().success());
}
