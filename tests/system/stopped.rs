//! A lane that cannot go on stands still, says so, and has ways out; the others go on. What was decided outside its order is
//! decided so again.

use async_nats::{Client, HeaderMap};
use linesman::log::mark::{self, Mark};
use linesman::log::streams::lane_of;
use linesman::store::Store;
use linesman_domain::state::Writes;
use linesman_domain::{quotas, remembered, timers};
use linesman_tests::{Engine, LANES, Launch, OPEN_CASE, Out, World, event, run, until};
use reqwest::Method;
use serde_json::{Value, json};

/// Publishes a bundle; its place in IN.
pub(super) async fn publish(client: &Client, org: &str, text: String) -> u64 {
    let jetstream = async_nats::jetstream::new(client.clone());
    jetstream.publish(format!("in.{org}.jmb.test"), text.into()).await.unwrap().await.unwrap().sequence
}

pub(super) async fn wait_for_incidents(engine: &Engine, org: &str, count: u64) {
    until(&format!("{org} has {count} incidents"), async || {
        (engine.incidents(org).await.is_ok_and(|found| found == count)).then_some(())
    })
    .await;
}

/// How ready it says it is.
pub(super) async fn readiness(engine: &Engine) -> (u16, Value) {
    let answer = engine.api().unwrap().ask(Method::GET, "/readyz", None, None).await.unwrap();
    (answer.status, answer.body)
}

/// Where a lane stands still.
pub(super) async fn stopped(engine: &Engine, lane: u32) -> Value {
    until("the lane stands still", async || {
        let lanes = engine.get("/api/v1/lanes").await.ok()?;
        Some(lanes["items"][lane as usize]["stopped"].clone()).filter(|stopped| stopped.is_object())
    })
    .await
}

async fn lane(world: &World, args: &[&str]) -> linesman_tests::Ended {
    let data = world.data();
    run(&[&["lane"], args, &["--data-dir", data.to_str().unwrap()]].concat()).await.unwrap()
}

pub(super) async fn is_ready(engine: &Engine) {
    until("the engine is ready again", async || (readiness(engine).await.0 == 200).then_some(())).await;
}

/// The subjects and ids of all that was said, in order; but not that something was refused, which comes when it comes.
pub(super) async fn said(client: &Client) -> Vec<(String, String)> {
    let all = Out::read(client).await.unwrap().0.into_iter().map(|event| (event.subject, event.event.id));
    all.filter(|(subject, _)| subject != "out._provider.audit.record-refusals").collect()
}

#[tokio::test]
async fn an_input_that_cannot_be_decided_is_skipped_and_all_else_goes_on() {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    let launch = Launch { crash_points: "decide::input=1*panic", unwinds: true, ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    let client = engine.nats().await.unwrap();
    let acme = lane_of("acme", LANES);
    publish(&client, "acme", event("edge", 1, "BEFORE", "Low")).await;
    let sick = publish(&client, "acme", event("edge", 2, "SICK", "Low") + "<!-- undecidable -->\n").await;
    publish(&client, "acme", event("edge", 3, "BEHIND", "Low")).await;
    publish(&client, "bolt", event("edge", 1, "OTHER", "Low")).await;

    let found = stopped(&engine, acme).await;
    assert_eq!((&found["position"], &found["subject"]), (&json!(sick), &json!("in.acme.jmb")));
    assert_eq!(found["diverged"], Value::Null);
    wait_for_incidents(&engine, "bolt", 1).await;
    wait_for_incidents(&engine, "acme", 1).await;
    let (status, told) = readiness(&engine).await;
    assert_eq!(status, 503);
    let why = told["lanes"][acme as usize]["stopped"].as_str().unwrap();
    assert!(why.contains(&format!("cannot decide the message {sick} of IN")), "{why}");
    engine.tells("the lane stands still").await;
    let printed = run(&["status", "--data-dir", world.data().to_str().unwrap()]).await.unwrap().stdout;
    assert!(
        printed.starts_with("not ready\n") && printed.contains(why) && printed.contains("linesman lane show"),
        "{printed}"
    );

    let (number, place) = (acme.to_string(), sick.to_string());
    let shown = lane(&world, &["show", &number]).await;
    assert!(shown.stdout.contains(&format!("linesman lane skip {acme} {sick} --why TEXT")), "{shown:?}");
    let elsewhere = lane(&world, &["skip", &number, &(sick + 1).to_string(), "--why", "x"]).await;
    assert!(
        elsewhere.code == Some(1) && elsewhere.stderr.contains(&format!("stands still at {sick}")),
        "{elsewhere:?}"
    );
    let nothing = lane(&world, &["rejudge", &number, &place, "--why", "x"]).await;
    assert_eq!(nothing.code, Some(1), "{nothing:?}");
    // Asked for twice at once it is written once.
    let skip = ["skip", &number, &place, "--why", "no release reads it"];
    let (one, other) = tokio::join!(lane(&world, &skip), lane(&world, &skip));
    assert_eq!(one.code.max(other.code), Some(1), "{one:?} {other:?}");
    assert_eq!(one.code.min(other.code), Some(0), "{one:?} {other:?}");
    is_ready(&engine).await;
    wait_for_incidents(&engine, "acme", 2).await;

    let own = engine.nats_as_engine().await.unwrap();
    let out = Out::read(&own).await.unwrap();
    let letters: Vec<_> = out.on("out.acme.dead.input-skipped").collect();
    assert_eq!((letters.len(), &letters[0].data["sequence"]), (1, &json!(sick)));
    let audits: Vec<_> = out.on("out._provider.audit.skip-input").collect();
    assert_eq!((audits.len(), &audits[0].data["outcome"]), (1, &json!("no release reads it")));
    assert_eq!(audits[0].data["actor"], "admin");
    let again = lane(&world, &["skip", &number, &place, "--why", "x"]).await;
    assert!(again.code == Some(1) && again.stderr.contains("does not stand still"), "{again:?}");
    let before = said(&own).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    // Decided again from the beginning it is skipped again, and nothing is said twice.
    world.delete_state().unwrap();
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(readiness(&engine).await.0, 200, "{}", engine.log_tail());
    assert_eq!(engine.incidents("acme").await.unwrap(), 2);
    assert_eq!(said(&engine.nats_as_engine().await.unwrap()).await, before);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// Writes another digest where a lane's mark stands; the mark of before.
pub(super) async fn tamper(client: &Client, lane: u32) -> Mark {
    let known = mark::last(client, lane).await.unwrap().stored.unwrap().mark;
    let mark = Mark { digest: "ab".repeat(32), ..known.clone() };
    let mut headers = HeaderMap::new();
    for (name, value) in [("Nats-Rollup", "sub"), ("Nats-TTL", "never")] {
        headers.insert(name, value);
    }
    let log = async_nats::jetstream::new(client.clone());
    let payload = serde_json::to_vec(&mark).unwrap();
    log.publish_with_headers(format!("w._mark.{lane}"), headers, payload.into()).await.unwrap().await.unwrap();
    known
}

#[tokio::test]
async fn a_lane_that_decides_otherwise_than_was_committed_stands_still_alone_and_has_ways_out() {
    let (host, world) = (World::new().unwrap(), World::new().unwrap());
    for world in [&host, &world] {
        world.policy("open-case", OPEN_CASE).unwrap();
    }
    let url = host.server().await.unwrap();
    let launch = Launch { flags: &["--nats", &url], ..Launch::default() };
    let client = linesman::log::connect(&url, "test").await.unwrap();
    let (acme, number) = (lane_of("acme", LANES), lane_of("acme", LANES).to_string());
    let mut engine = world.start_with(None, launch).await.unwrap();
    let mut sick = 0;
    for count in 1..=3 {
        sick = publish(&client, "acme", event("edge", count, "ONE", "Low")).await;
    }
    wait_for_incidents(&engine, "acme", 3).await;
    // What was carried out behind it: somebody may have been sent something.
    let log = async_nats::jetstream::new(client.clone());
    log.publish("in.acme.result.test", "{}".into()).await.unwrap().await.unwrap();
    let mut bolts = 0;

    for way in ["rejudge", "skip"] {
        assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
        let known = tamper(&client, acme).await;
        // A row of the state that nothing in the log leads to.
        let ghost = vec![(remembered::key(&"ghost".parse().unwrap()).into_bytes(), Some(vec![0, 0]))];
        let store = Store::open(&world.data().join("state")).unwrap();
        store.lane(acme).unwrap().apply(&Writes { batch: 1, rows: ghost }).unwrap();
        store.close().unwrap();
        drop(store);
        engine = world.start_with(None, launch).await.unwrap();
        let found = stopped(&engine, acme).await;
        let diverged = &found["diverged"];
        assert_eq!((&diverged["expected"], &diverged["found"]), (&json!("ab".repeat(32)), &json!(known.digest)));
        assert_eq!(diverged["position"], json!(known.position));
        assert_eq!(diverged["rows"], json!({"rows": [{"key": "`ghost", "how": "gone"}], "more": 0}));
        bolts += 1;
        publish(&client, "bolt", event("edge", bolts, "OTHER", "Low")).await;
        wait_for_incidents(&engine, "bolt", bolts).await;
        let (status, told) = readiness(&engine).await;
        assert_eq!(status, 503, "{told}");
        let why = told["lanes"][acme as usize]["stopped"].as_str().unwrap();
        assert!(why.contains("decides otherwise than was committed"), "{why}");
        assert!(why.contains("no event differs that OUT still has: rows of its state do"), "{why}");
        let shown = lane(&world, &["show", &number]).await;
        assert!(shown.stdout.contains("  differs  row `ghost (gone)"), "{shown:?}");
        for told in [&known.digest, &"ab".repeat(32), &format!("lane rejudge {acme} {}", known.position)] {
            assert!(shown.stdout.contains(told.as_str()), "{shown:?}");
        }

        let place = if way == "skip" { sick } else { known.position }.to_string();
        let mut asked = vec![way, &number, &place, "--why", "compared by hand"];
        if way == "skip" {
            let refused = lane(&world, &asked).await;
            let told = format!("lane {acme} has 1 report of what was carried out");
            assert!(refused.code == Some(1) && refused.stderr.contains(&told), "{refused:?}");
            asked.push("--force");
        }
        let done = lane(&world, &asked).await;
        assert_eq!(done.code, Some(0), "{done:?}");
        is_ready(&engine).await;
        let out = Out::read(&client).await.unwrap();
        let operation = if way == "skip" { "skip-input" } else { "rejudge-lane" };
        let subject = format!("out._provider.audit.{operation}");
        let audits: Vec<_> = out.on(&subject).collect();
        assert_eq!((audits.len(), &audits[0].data["outcome"]), (1, &json!("compared by hand")), "{way}");
        publish(&client, "acme", event("edge", 10 + bolts, "AFTER", "Low")).await;
        // The skipped one is no incident any more.
        wait_for_incidents(&engine, "acme", 4).await;

        // A rebuild decides the same.
        assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
        let before = said(&client).await;
        world.delete_state().unwrap();
        engine = world.start_with(None, launch).await.unwrap();
        assert_eq!(readiness(&engine).await.0, 200, "{way}: {}", engine.log_tail());
        assert_eq!(said(&client).await, before, "{way}");
    }
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// A job sends itself slice by slice: the lane would stand still at each.
#[tokio::test]
async fn a_job_that_cannot_go_on_is_dropped_with_its_slice() {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    let launch = Launch { crash_points: "decide::slice=1*panic", unwinds: true, ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    let client = engine.nats().await.unwrap();
    // Its case waits for an upstream that there is not.
    publish(&client, "acme", event("edge", 1, "ZERO", "High")).await;
    wait_for_incidents(&engine, "acme", 1).await;
    let args = ["org", "set", "acme", "--filter-level", "Only send list of features used"];
    let changed = run(&[&args[..], &["--data-dir", world.data().to_str().unwrap()]].concat()).await.unwrap();
    assert_eq!(changed.code, Some(0), "{changed:?}");
    publish(&client, "bolt", event("edge", 1, "OTHER", "Low")).await;
    let acme = lane_of("acme", LANES);
    let found = stopped(&engine, acme).await;
    let job = found["job"].as_str().unwrap();
    assert!(job.starts_with("review-pending of acme begun at "), "{found}");
    wait_for_incidents(&engine, "bolt", 1).await;

    let (number, place) = (acme.to_string(), found["position"].to_string());
    let shown = lane(&world, &["show", &number]).await;
    let told = format!("of the job {job}; it is what is left of it that is skipped");
    assert!(shown.stdout.contains(&told), "{shown:?}");
    let done = lane(&world, &["skip", &number, &place, "--why", "no release can do it"]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    is_ready(&engine).await;
    publish(&client, "acme", event("edge", 2, "ONE", "Low")).await;
    wait_for_incidents(&engine, "acme", 2).await;
    assert_eq!(readiness(&engine).await.0, 200, "no further slice comes");
    let own = engine.nats_as_engine().await.unwrap();
    let out = Out::read(&own).await.unwrap();
    let audits: Vec<_> = out.on("out._provider.audit.skip-input").collect();
    assert_eq!((audits.len(), &audits[0].data["new"]["job"]), (1, &json!(job)));
    let letters: Vec<_> = out.on("out._provider.dead.input-skipped").collect();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].data["detail"].as_str().unwrap().ends_with(&format!("dropped is the job {job}")));
    let before = said(&own).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    // Decided again from the beginning it is dropped again.
    world.delete_state().unwrap();
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(readiness(&engine).await.0, 200, "{}", engine.log_tail());
    assert_eq!(said(&engine.nats_as_engine().await.unwrap()).await, before);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// What falls due is no input: a lane that cannot do it would stand still at each that comes.
#[tokio::test]
async fn what_fell_due_and_cannot_be_done_is_skipped_and_the_input_is_decided() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    assert!(engine.stop().await.unwrap().success());
    let acme = lane_of("acme", LANES);
    {
        let store = Store::open(&world.data().join("state")).unwrap();
        let mut timer = timers::pruning(jiff::Timestamp::now()).into_bytes();
        timer.pop();
        timer.extend(b"qghost");
        // It is cut off: nobody can read it.
        let broken = (quotas::key(&"ghost".parse().unwrap()).into_bytes(), Some(vec![1]));
        let rows = vec![(timer, Some(Vec::new())), broken];
        store.lane(acme).unwrap().apply(&Writes { batch: 1, rows }).unwrap();
    }
    let mut engine = world.start(None).await.unwrap();
    let client = engine.nats().await.unwrap();
    publish(&client, "acme", event("edge", 1, "ONE", "Low")).await;
    publish(&client, "bolt", event("edge", 1, "OTHER", "Low")).await;
    let found = stopped(&engine, acme).await;
    let (timer, why) = (found["timer"].as_str().unwrap(), found["why"].as_str().unwrap());
    assert!(timer.starts_with("quota ghost due "), "{found}");
    assert!(why.contains(&format!("what fell due with it cannot be done: {timer}")), "{why}");
    wait_for_incidents(&engine, "bolt", 1).await;

    let (number, place) = (acme.to_string(), found["position"].to_string());
    let shown = lane(&world, &["show", &number]).await;
    assert!(shown.stdout.contains(&format!("fell due {timer}; it is this that is skipped")), "{shown:?}");
    let done = lane(&world, &["skip", &number, &place, "--why", "no release can do it"]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    is_ready(&engine).await;
    publish(&client, "acme", event("edge", 2, "TWO", "Low")).await;
    wait_for_incidents(&engine, "acme", 2).await;
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    assert_eq!(out.on("out.acme.dead.input-skipped").count(), 0);
    let audits: Vec<_> = out.on("out._provider.audit.skip-timer").collect();
    assert_eq!((audits.len(), &audits[0].data["outcome"]), (1, &json!("no release can do it")));
    assert_eq!(audits[0].data["new"]["timer"], json!(timer));
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}
