//! An upgrade decides a log as it was decided, until somebody raises its level; a rolled-back engine is refused.

use std::path::Path;

use async_nats::{Client, HeaderMap};
use linesman::log::mark;
use linesman::log::streams::{self, Layout};
use linesman::record::reader::Reader;
use linesman_domain::level::NEWEST;
use linesman_tests::{Ended, Engine, LANES, Launch, OPEN_CASE, Out, World, event, root, run, until};
use serde_json::{Value, json};

/// So many inputs of the recorded log are enough for organizations, incidents and dead letters.
const INPUTS: usize = 300;

/// Makes the streams anew, and writes the beginning of a log that says nothing of levels.
async fn write_log_of_level_1(client: &Client) {
    let jetstream = async_nats::jetstream::new(client.clone());
    for stream in ["IN", "OUT"] {
        jetstream.delete_stream(stream).await.unwrap();
    }
    let layout = Layout { lanes: LANES, out_age_s: 86_400, replicas: 1, consumers: Default::default() };
    streams::ensure(client, &layout).await.unwrap();
    streams::open(client, &layout).await.unwrap();
    for entry in Reader::open(&root().join("tests/fixtures/logs/system")).unwrap().take(INPUTS) {
        let entry = entry.unwrap();
        let subject = match entry.message.subject.as_str() {
            // Rule books are in the object store, which is another's.
            "ctl" if entry.message.payload.starts_with(b"{\"rule_book\"") => continue,
            "ctl" => format!("p.{}.ctl", entry.lane),
            subject => format!("in.{subject}.test"),
        };
        jetstream.publish(subject, entry.message.payload).await.unwrap().await.unwrap();
    }
}

/// The level of each lane's last mark.
async fn marks(client: &Client) -> Vec<u32> {
    let mut levels = Vec::new();
    for lane in 0..LANES {
        levels.push(mark::last(client, lane).await.unwrap().stored.unwrap().mark.level);
    }
    levels
}

async fn level(data: &Path, args: &[&str]) -> Ended {
    run(&[&["level"], args, &["--data-dir", data.to_str().unwrap()]].concat()).await.unwrap()
}

/// The level of each lane, as the API has it.
async fn lanes(engine: &Engine) -> Vec<u64> {
    let levels = engine.get("/api/v1/level").await.unwrap();
    levels["lanes"].as_array().unwrap().iter().map(|lane| lane["level"].as_u64().unwrap()).collect()
}

async fn suspend_nobody(client: &Client, id: &str) {
    let command = json!({"id": id, "actor": "admin", "node": "n", "verb": "suspend_organization"});
    let log = async_nats::jetstream::new(client.clone());
    log.publish("in.nobody.cmd.test", command.to_string().into()).await.unwrap().await.unwrap();
}

#[tokio::test]
async fn an_old_log_is_decided_as_ever_until_it_is_raised() {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    let url = world.server().await.unwrap();
    world.delete_state().unwrap();
    let client = linesman::log::connect(&url, "test").await.unwrap();
    write_log_of_level_1(&client).await;
    let launch = Launch { flags: &["--nats", &url], ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    let data = world.data();
    assert_eq!(lanes(&engine).await, [1; LANES as usize]);
    assert_eq!(marks(&client).await, [1; LANES as usize], "whoever knows level 1 may go on");
    let shown = level(&data, &["show"]).await;
    let expected = format!("level 1; this engine knows 1 to {NEWEST}\n");
    assert!(shown.code == Some(0) && shown.stdout.starts_with(&expected), "{shown:?}");
    suspend_nobody(&client, "at-1").await;
    let unknown = level(&data, &["raise", &(NEWEST + 1).to_string()]).await;
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert!(unknown.stderr.contains("does not know level"), "{unknown:?}");
    assert_eq!(lanes(&engine).await, [1; LANES as usize]);

    let raised = level(&data, &["raise"]).await;
    assert_eq!(raised.code, Some(0), "{raised:?}");
    let newest = [NEWEST; LANES as usize];
    until("all lanes follow", async || (lanes(&engine).await == newest.map(u64::from)).then_some(())).await;
    assert_eq!(marks(&client).await, newest);
    suspend_nobody(&client, "at-2").await;
    let out = until("level 2 tells what level 1 did not", async || {
        let out = Out::read(&client).await.unwrap();
        (out.on("out._provider.audit.suspend-organization").count() > 0).then_some(out)
    })
    .await;
    let told: Vec<_> = out.on("out._provider.audit.suspend-organization").map(|event| &event.data["command"]).collect();
    assert_eq!(told, ["at-2"]);
    let audits: Vec<_> = out.on("out._provider.audit.raise-level").map(|event| &event.data).collect();
    assert_eq!(audits.len(), 1);
    assert_eq!((&audits[0]["verdict"], &audits[0]["old"]), (&json!("done"), &json!({"level": 1})));
    assert_eq!((&audits[0]["new"], &audits[0]["principal"]["kind"]), (&json!({"level": NEWEST}), &json!("provider")));
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    // Once more, and with nothing but the log.
    for is_deleted in [false, true] {
        if is_deleted {
            world.delete_state().unwrap();
        }
        let mut engine = world.start_with(None, launch).await.unwrap();
        assert_eq!(lanes(&engine).await, newest.map(u64::from), "a raise is for good");
        assert_eq!(marks(&client).await, newest);
        let again = level(&data, &["raise"]).await;
        assert!(again.code == Some(1) && again.stderr.contains(&format!("the level is {NEWEST} already")), "{again:?}");
        assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    }
}

#[tokio::test]
async fn a_log_of_a_later_level_is_refused_by_what_it_needs() {
    let world = World::new().unwrap();
    let url = world.server().await.unwrap();
    let client = linesman::log::connect(&url, "test").await.unwrap();
    let launch = Launch { flags: &["--nats", &url], ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    let log = async_nats::jetstream::new(client.clone());
    log.publish("in.acme.jmb.test", event("edge-01", 1, "LATER", "Low").into()).await.unwrap().await.unwrap();
    until("it is an incident", async || (engine.incidents("acme").await.unwrap() > 0).then_some(())).await;
    assert_eq!(marks(&client).await, [NEWEST; LANES as usize], "a new log begins with the newest");
    assert!(engine.stop().await.unwrap().success());

    // As a later release has left it, which was then rolled back.
    let mut mark = mark::last(&client, 1).await.unwrap().stored.unwrap().mark;
    mark.level = NEWEST + 1;
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Rollup", "sub");
    let payload = serde_json::to_vec(&mark).unwrap();
    log.publish_with_headers("w._mark.1", headers, payload.into()).await.unwrap().await.unwrap();
    let mut engine = world.spawn(None, launch).unwrap();
    assert_eq!(engine.ended().await.code(), Some(1));
    let expected = format!("so it takes a linesman that knows level {}", NEWEST + 1);
    assert!(engine.log().contains("lane 1 is refused") && engine.log().contains(&expected), "{}", engine.log_tail());
    let found = mark::last(&client, 1).await.unwrap().stored.unwrap().mark;
    assert_eq!(found, mark, "nothing was decided");
}

#[tokio::test]
async fn the_level_is_shown_as_json_too() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let shown = level(&world.data(), &["show", "--json"]).await;
    let levels: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!((&levels["level"], &levels["newest"]), (&json!(NEWEST), &json!(NEWEST)));
    assert_eq!(levels["lanes"].as_array().unwrap().len(), LANES as usize);
    assert!(engine.stop().await.unwrap().success());
}
