//! Work over many rows goes in slices: it is seen, a crash in the middle goes on, others are decided in between, and
//! nothing leaves as it was before.

use async_nats::jetstream;
use linesman::log::streams::lane_of;
use linesman_tests::{Engine, LANES, Launch, OPEN_CASE, Out, Upstream, World, event, until};
use reqwest::Method;
use serde_json::{Value, json};

/// Reactions that wait when the filter level sinks: fifteen slices, of which some are left when the engine is ready again.
const PENDING: u64 = 3_000;
/// Names of which one is decided on the same lane as acme.
const NAMES: [&str; 8] = ["erle", "fern", "gale", "hart", "iris", "jade", "kelp", "lime"];
/// Deciding takes its time, so that a slice can be seen and be interrupted.
const SLOWLY: &str = "decide=sleep(300)";
/// The messages for slices: beside others, and while nobody else is there.
const CONTINUE: [&[u8]; 2] = [b"\"continue\"", b"\"continue_alone\""];

async fn publish(engine: &Engine, org: &str, numbers: std::ops::Range<u64>) {
    let log = jetstream::new(engine.nats().await.unwrap());
    let mut acknowledgements = Vec::new();
    for number in numbers {
        let bundle = event(&format!("{org}-rtr"), number, "PENDING", "1 - Critical");
        acknowledgements.push(log.publish(format!("in.{org}.jmb.test"), bundle.into()).await.unwrap().into_future());
    }
    for acknowledgement in futures_util::future::join_all(acknowledgements).await {
        acknowledgement.unwrap();
    }
}

/// The work that there is, as the status tells.
async fn jobs(engine: &Engine) -> Vec<Value> {
    engine.get("/api/v1/status").await.unwrap()["jobs"].as_array().unwrap().clone()
}

/// How far the review of acme is, once it is beyond `rows`.
async fn beyond(engine: &Engine, rows: u64) -> u64 {
    until("a slice is done", async || {
        let jobs = jobs(engine).await;
        assert!(!jobs.is_empty(), "the review has ended: {}", engine.log_tail());
        let job = &jobs[0];
        assert_eq!((&job["work"], &job["organization"]), (&json!("review-pending"), &json!("acme")));
        job["rows"].as_u64().filter(|found| *found > rows)
    })
    .await
}

/// The sequences in IN of the messages for slices of a lane, and of an organization's bundles.
async fn sequences(engine: &Engine, lane: u32, org: &str) -> (Vec<u64>, Vec<u64>) {
    let log = jetstream::new(engine.nats_as_engine().await.unwrap());
    let mut stream = log.get_stream("IN").await.unwrap();
    let last = stream.info().await.unwrap().state.last_sequence;
    let (mut slices, mut bundles) = (Vec::new(), Vec::new());
    for sequence in PENDING..=last {
        let message = stream.get_raw_message(sequence).await.unwrap();
        if message.subject.as_str() == format!("p.{lane}.ctl") && CONTINUE.contains(&&*message.payload) {
            slices.push(sequence);
        } else if message.subject.as_str() == format!("p.{lane}.{org}.jmb") {
            bundles.push(sequence);
        }
    }
    (slices, bundles)
}

#[tokio::test]
async fn a_review_of_thousands_goes_on_through_a_crash_and_lets_nothing_out() {
    let lane = lane_of("acme", LANES);
    let neighbour = NAMES.into_iter().find(|name| lane_of(name, LANES) == lane).unwrap();
    let mut world = World::new().unwrap();
    world.organization(neighbour, "Send all information");
    world.policy("open-case", OPEN_CASE).unwrap();
    world.configure("\n[settings]\ncase_poll_s = 86400\n");
    // Without an upstream all of it waits.
    let mut engine = world.start(None).await.unwrap();
    publish(&engine, "acme", 0..PENDING).await;
    until("all are incidents", async || (engine.incidents("acme").await.unwrap() == PENDING).then_some(())).await;
    assert!(jobs(&engine).await.is_empty());
    assert!(engine.stop().await.unwrap().success());

    let slowly = Launch { crash_points: SLOWLY, ..Launch::default() };
    let mut engine = world.start_with(None, slowly).await.unwrap();
    let settings = json!({"display_name": "acme", "proxy": true, "filter_level": "Only send list of features used"});
    let api = engine.api().unwrap();
    let set = api.ask(Method::PUT, "/api/v1/organizations/acme", None, Some(settings)).await.unwrap();
    assert_eq!((set.status, &set.body["detail"]), (200, &json!("changed")));
    let seen = beyond(&engine, 0).await;
    // It stands still in the middle: what comes now comes between two slices.
    engine.hold(true).unwrap();
    assert!(seen + 400 <= PENDING, "{seen} rows at once");
    publish(&engine, neighbour, 0..3).await;
    engine.kill().unwrap();

    // Now there is an upstream, and most of what waits is still as it was.
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    upstream.control(&json!({"assign_after_ms": 0})).await.unwrap();
    let mut engine = world.start_with(Some(&upstream), slowly).await.unwrap();
    let left = jobs(&engine).await;
    assert!(left.iter().all(|job| job["rows"].as_u64() >= Some(seen)), "it began anew: {left:?} after {seen}");
    until("the review has ended", async || jobs(&engine).await.is_empty().then_some(())).await;
    let client = engine.nats_as_engine().await.unwrap();
    let detected = format!("out.{neighbour}.trigger.incident.detected");
    until("the neighbour's are incidents", async || {
        (Out::read(&client).await.unwrap().on(&detected).count() == 3).then_some(())
    })
    .await;
    let (slices, bundles) = sequences(&engine, lane, neighbour).await;
    assert!(slices.len() >= 15, "{slices:?}");
    assert!(bundles[0] > slices[0] && bundles[0] < *slices.last().unwrap(), "{bundles:?} among {slices:?}");
    engine.kill().unwrap();

    let mut engine = world.start(Some(&upstream)).await.unwrap();
    until("all cases are there", async || (upstream.cases().await.unwrap() == PENDING + 3).then_some(())).await;
    let requests = upstream.requests().await.unwrap();
    let is_acmes = |request: &&Value| request["customerTrackingNumber"].as_str().unwrap().starts_with("acme-");
    let acmes: Vec<_> = requests.iter().filter(is_acmes).collect();
    assert_eq!(acmes.len() as u64, PENDING);
    for request in acmes {
        assert_eq!(request["synopsis"], "withheld by filter level");
        assert!(!request.to_string().contains("acme-rtr"), "{request}");
    }
    assert!(engine.stop().await.unwrap().success());
}
