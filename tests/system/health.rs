//! By what the engine cannot work is told within 15 s, and it goes on by itself when that is over.

mod servers;

use std::time::{Duration, Instant};

use async_nats::Client;
use linesman::log::books::{self, Books};
use linesman::log::streams::lane_of;
use linesman_schemas::control::{
    Control, PoliciesSection, RuleBookRef, Section, SectionRef, Settings, SettingsSection,
};
use linesman_tests::{Engine, LANES, Launch, Load, Outsider, Server, World, event, until};
use serde_json::{Value, json};

use super::stopped::{publish, wait_for_incidents};

/// Within which a fault is told: 15 s where the machine has nothing else to do.
const TOLD: Duration = Duration::from_secs(60);
/// Within which SIGTERM ends the engine: 10 s where the machine has nothing else to do.
const ENDED: Duration = Duration::from_secs(20);

const CONFIG: &str = "listen: \"127.0.0.1:4222\"\nmax_payload: 8388608\n\
                      jetstream { store_dir: \"/var/lib/nats\", sync_interval: \"1s\" }\n\
                      accounts { A { jetstream: {LIMITS}, users: [ { user: \"linesman\", password: \"engine-secret\" } ] } }\n";

fn config(limits: &str) -> String {
    CONFIG.replace("{LIMITS}", limits)
}

/// Waits until it is not ready for that reason, and looks whether log and status say the same, in time.
async fn unready(engine: &Engine, reason: &str) {
    let since = Instant::now();
    until(&format!("it is not ready: {reason}"), async || {
        let (is_ready, told) = engine.readiness().await.unwrap();
        (!is_ready && told.contains(reason)).then_some(())
    })
    .await;
    let took = since.elapsed();
    assert!(took < TOLD, "told after {took:?}");
    engine.tells("not ready: ").await;
    until("status says it", async || {
        let status = engine.get("/api/v1/status").await.unwrap();
        (status["ready"] == false && status["faults"].to_string().contains(reason)).then_some(())
    })
    .await;
}

async fn ready(engine: &Engine) {
    until("it is ready again", async || {
        let (is_ready, told) = engine.readiness().await.unwrap();
        (is_ready && told.is_empty()).then_some(())
    })
    .await;
}

async fn works(engine: &Engine, load: &mut Load, client: &Client) {
    load.add("acme", 3);
    load.publish_all(client).await;
    load.wait_for_incidents(engine).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_frozen_is_told_of_and_hinders_no_end() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let (client, mut load) = (engine.nats().await.unwrap(), Load::default());
    works(&engine, &mut load, &client).await;
    engine.hold_nats(true).unwrap();
    unready(&engine, "has not answered").await;
    engine.hold_nats(false).unwrap();
    ready(&engine).await;
    works(&engine, &mut load, &client).await;
    engine.hold_nats(true).unwrap();
    unready(&engine, "has not answered").await;
    let (_, took) = engine.terminate().await.unwrap();
    assert!(took < ENDED, "ended after {took:?}");
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(engine.incidents("acme").await.unwrap(), 6);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_server_of_ours_that_stays_frozen_is_started_again() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let mut load = Load::default();
    engine.hold_nats(true).unwrap();
    unready(&engine, "has not answered").await;
    ready(&engine).await;
    engine.tells("the embedded NATS server is started again").await;
    works(&engine, &mut load, &engine.nats().await.unwrap()).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// A world on a server of the operator's own.
struct Site {
    world: World,
    server: Server,
    client: Client,
}

impl Site {
    async fn new() -> Self {
        Self::on(&config("enabled")).await
    }

    async fn on(config: &str) -> Self {
        let server = Server::start(config, &[]).await.unwrap();
        let client = Outsider::connect(&server.url("linesman", "engine-secret")).await.unwrap().client;
        Self { world: World::new().unwrap(), server, client }
    }

    fn spawn(&self) -> Engine {
        let url = self.server.url("linesman", "engine-secret");
        self.world.spawn(None, Launch { flags: &["--nats", &url], ..Launch::default() }).unwrap()
    }

    async fn start(&self) -> Engine {
        let mut engine = self.spawn();
        engine.wait_ready().await.unwrap();
        engine
    }

    async fn api(&self, what: &str, body: &Value) -> Value {
        // A server that takes up another configuration answers nobody for a moment.
        let answer =
            until(what, async || self.client.request(format!("$JS.API.{what}"), body.to_string().into()).await.ok())
                .await;
        let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
        assert!(answer["error"].is_null(), "{what}: {answer}");
        answer
    }

    async fn config(&self, stream: &str) -> Value {
        self.api(&format!("STREAM.INFO.{stream}"), &json!({})).await["config"].clone()
    }

    async fn change(&self, stream: &str, field: &str, value: Value) {
        let mut config = self.config(stream).await;
        config[field] = value;
        self.api(&format!("STREAM.UPDATE.{stream}"), &config).await;
    }
}

#[tokio::test]
async fn a_lane_that_makes_no_progress_is_told_of() {
    let site = Site::new().await;
    let mut engine = site.start().await;
    let mut load = Load::default();
    works(&engine, &mut load, &site.client).await;
    // It is told of a rule book before that is there, and waits for it.
    let contents = [
        (Section::Policies, books::pack(&PoliciesSection::default()).unwrap()),
        (
            Section::Settings,
            books::pack(&SettingsSection { settings: Settings { retry_base_s: 7, ..Settings::default() } }).unwrap(),
        ),
    ];
    let sections = contents.iter().map(|(section, (hash, _))| SectionRef { section: *section, hash: hash.clone() });
    let named = RuleBookRef { version: 900, hash: "of this test".to_owned(), sections: sections.collect() };
    let control = serde_json::to_vec(&Control::RuleBook(named)).unwrap();
    let lane = lane_of("acme", LANES);
    site.client.publish(format!("p.{lane}.ctl"), control.into()).await.unwrap();
    unready(&engine, &format!("lane {lane} makes no progress on input that waits for it")).await;
    for (_, (hash, content)) in &contents {
        Books::new(site.client.clone(), 1).put(hash, content).await.unwrap();
    }
    ready(&engine).await;
    works(&engine, &mut load, &site.client).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_stream_that_is_changed_while_the_engine_runs_is_told_of() {
    let site = Site::new().await;
    let mut engine = site.start().await;
    let cases = [
        ("IN", "max_msgs", json!(1_000_000), json!(-1)),
        ("IN", "max_age", json!(3_600_000_000_000_u64), json!(0)),
        ("IN", "discard", json!("old"), json!("new")),
        ("OUT", "max_msgs", json!(1_000_000), json!(-1)),
        ("OUT", "max_bytes", json!(1_000_000_000), json!(-1)),
        ("OUT", "max_msg_size", json!(1_000), json!(-1)),
        ("OUT", "no_ack", json!(true), json!(false)),
    ];
    for (stream, field, wrong, right) in cases {
        site.change(stream, field, wrong).await;
        unready(&engine, &format!("the stream {stream} cannot be relied on: `{field}` ")).await;
        site.change(stream, field, right).await;
        ready(&engine).await;
    }
    let mut load = Load::default();
    works(&engine, &mut load, &site.client).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn an_out_that_is_purged_or_deleted_is_told_of_and_outlived() {
    let site = Site::new().await;
    let mut engine = site.start().await;
    let mut load = Load::default();
    works(&engine, &mut load, &site.client).await;
    site.api("STREAM.PURGE.OUT", &json!({})).await;
    unready(&engine, "the stream OUT has lost marks of lanes").await;
    ready(&engine).await;
    works(&engine, &mut load, &site.client).await;
    site.api("STREAM.DELETE.OUT", &json!({})).await;
    unready(&engine, "the stream OUT").await;
    ready(&engine).await;
    works(&engine, &mut load, &site.client).await;
    // Nothing is taken for lost at the next start.
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    let mut engine = site.start().await;
    let status = engine.get("/api/v1/status").await.unwrap();
    let lanes = status["lanes"].as_array().unwrap();
    assert!(lanes.iter().all(|lane| lane["sealed"].is_null()), "{status}");
    works(&engine, &mut load, &site.client).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn an_in_that_is_purged_or_deleted_is_told_of() {
    let site = Site::new().await;
    let mut engine = site.start().await;
    let mut load = Load::default();
    works(&engine, &mut load, &site.client).await;
    // All of it was decided: it goes on with the state it has.
    site.api("STREAM.PURGE.IN", &json!({})).await;
    engine.tells("all of it was decided, and the engine goes on").await;
    ready(&engine).await;
    works(&engine, &mut load, &site.client).await;

    // A lane waits for a rule book that nobody has, and what comes behind that is lost.
    let named = RuleBookRef { version: 900, hash: "of this test".to_owned(), sections: Vec::new() };
    let control = serde_json::to_vec(&Control::RuleBook(named)).unwrap();
    site.client.publish(format!("p.{}.ctl", lane_of("acme", LANES)), control.into()).await.unwrap();
    load.add("acme", 1);
    load.publish_all(&site.client).await;
    site.api("STREAM.PURGE.IN", &json!({})).await;
    unready(&engine, "the stream IN has lost its beginning").await;
    let (status, _) = engine.terminate().await.unwrap();
    assert!(status.success(), "{}", engine.log_tail());
    let mut engine = site.start().await;
    ready(&engine).await;
    site.api("STREAM.DELETE.IN", &json!({})).await;
    unready(&engine, "the stream IN is gone").await;
    let (_, took) = engine.terminate().await.unwrap();
    assert!(took < ENDED, "ended after {took:?}");
}

#[tokio::test]
async fn an_account_without_room_for_consumers_is_told_of() {
    let site = Site::new().await;
    // Where OUT cannot be made with room for consumers, it says so and ends.
    site.server.reload(&config("{ max_consumers: 1 }")).unwrap();
    let mut engine = site.spawn();
    assert!(!engine.ended().await.success());
    engine.tells("nats.out_consumers_most").await;
    site.server.reload(&config("enabled")).unwrap();
    assert!(site.start().await.stop().await.unwrap().success());
    // At a later start: it waits, and says for what.
    site.server.reload(&config("{ max_consumers: 1 }")).unwrap();
    let mut engine = site.spawn();
    let since = Instant::now();
    engine.tells("maximum consumers limit").await;
    assert!(since.elapsed() < TOLD, "{}", engine.log_tail());
    site.server.reload(&config("enabled")).unwrap();
    engine.wait_ready().await.unwrap();
    let mut load = Load::default();
    works(&engine, &mut load, &site.client).await;
    // While it runs: those that are there go, and no other can be made.
    site.server.reload(&config("{ max_consumers: 1 }")).unwrap();
    let listed = site.api("CONSUMER.NAMES.IN", &json!({})).await;
    for name in listed["consumers"].as_array().unwrap() {
        site.api(&format!("CONSUMER.DELETE.IN.{}", name.as_str().unwrap()), &json!({})).await;
    }
    load.add("acme", 3);
    load.publish_all(&site.client).await;
    unready(&engine, "cannot read the stream IN").await;
    site.server.reload(&config("enabled")).unwrap();
    ready(&engine).await;
    load.wait_for_incidents(&engine).await.unwrap();
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_decision_that_hangs_is_told_of_and_hinders_no_end() {
    let world = World::new().unwrap();
    let launch = Launch { crash_points: "decide::input=sleep(600000)", ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    let client = engine.nats().await.unwrap();
    publish(&client, "acme", event("edge", 1, "BEFORE", "Low")).await;
    wait_for_incidents(&engine, "acme", 1).await;
    // The crash point is met by what ends so.
    publish(&client, "acme", event("edge", 2, "SICK", "Low") + "<!-- undecidable -->\n").await;
    let lane = lane_of("acme", LANES);
    unready(&engine, &format!("lane {lane} makes no progress on input that waits for it")).await;
    let (status, took) = engine.terminate().await.unwrap();
    assert!(took < ENDED, "ended after {took:?}");
    assert_eq!(status.code(), Some(1), "what was under way is given up");
    let mut engine = world.start(None).await.unwrap();
    wait_for_incidents(&engine, "acme", 2).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_log_that_nobody_reads_holds_nothing_up() {
    let mut world = World::new().unwrap();
    world.configure("\n[log]\nlevel = \"debug\"\n");
    let mut engine = world.spawn(None, Launch { is_unread: true, ..Launch::default() }).unwrap();
    engine.wait_ready().await.unwrap();
    let (client, mut load) = (engine.nats().await.unwrap(), Load::default());
    // Far more lines than a pipe has room for.
    for _ in 0..400 {
        works(&engine, &mut load, &client).await;
    }
    assert_eq!(engine.incidents("acme").await.unwrap(), 1_200);
    let (status, took) = engine.terminate().await.unwrap();
    assert!(took < ENDED, "ended after {took:?}");
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn a_disk_that_was_full_is_told_of_and_outlived() {
    let mut world = World::new().unwrap();
    world.mount(128).unwrap();
    let Some(disk) = world.disk() else { return };
    let mut engine = world.start(None).await.unwrap();
    let (client, mut load) = (engine.nats().await.unwrap(), Load::default());
    works(&engine, &mut load, &client).await;
    disk.fill().unwrap();
    load.add("acme", 300);
    load.publish(&client, usize::MAX).await;
    unready(&engine, "the disk of the data directory is full: nothing more can be taken in, or is decided; make room")
        .await;
    engine.tells("the disk of the state is full: nothing is decided until there is room").await;
    disk.make_room().unwrap();
    ready(&engine).await;
    load.publish_all(&client).await;
    load.wait_for_incidents(&engine).await.unwrap();
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}
