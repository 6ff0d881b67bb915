//! However the support system fails: what is tried until it is done has happened once.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use linesman_connectors::Connector as _;
use linesman_connectors::jss::Jss;
use linesman_schemas::outcome::Outcome;
use linesman_schemas::reaction::Task;
use serde_json::{Value, json};

use crate::world::{World, submit, transaction};

const CASES: u64 = 200;
/// More tries than any fault here has times.
const TRIES: usize = 100;

/// Tries until it is done, as the engine does over time, and gives the number of tries.
async fn insist(jss: &Jss, task: &Task) -> usize {
    for tries in 1..=TRIES {
        if let Outcome::Done(_) = jss.carry_out(task).await.outcome {
            return tries;
        }
    }
    panic!("not done after {TRIES} tries");
}

async fn each_case_once(fault: Value) {
    let world = World::new().await;
    world.control(fault.clone()).await;
    let jss = Jss::new(world.settings_with(|way| way.timeout = Duration::from_millis(1500))).unwrap();
    let tasks: Vec<Task> = (1..=CASES).map(submit).collect();
    let tries: Vec<usize> = stream::iter(&tasks).map(|task| insist(&jss, task)).buffer_unordered(8).collect().await;
    assert!(tries.iter().any(|tries| *tries > 1), "{fault} made no try fail");
    let count = world.count().await;
    assert_eq!(count["cases"], CASES, "{fault}");
    let by_tracking = count["cases_by_tracking"].as_object().unwrap();
    assert_eq!(by_tracking.len() as u64, CASES);
    assert!(by_tracking.values().all(|cases| cases == 1), "{fault}: {by_tracking:?}");
    assert_eq!(count["by_key"].as_object().unwrap().len() as u64, CASES);
}

#[tokio::test]
async fn under_server_errors() {
    each_case_once(json!({ "status": 500, "times": 60, "only": "createSR" })).await;
    each_case_once(json!({ "status": 503, "retry_after_s": 1, "times": 60 })).await;
}

#[tokio::test]
async fn under_overload() {
    each_case_once(json!({ "status": 429, "retry_after_s": 1, "times": 60 })).await;
}

#[tokio::test]
async fn under_lost_answers() {
    each_case_once(json!({ "drop_after_accept": true, "times": 60, "only": "createSR" })).await;
}

#[tokio::test]
async fn under_nonsense() {
    each_case_once(json!({ "garbage": true, "times": 60, "only": "createSR" })).await;
}

#[tokio::test]
async fn under_slowness() {
    each_case_once(json!({ "delay_ms": 60_000, "times": 16, "only": "createSR" })).await;
}

#[tokio::test]
async fn under_refused_tokens() {
    each_case_once(json!({ "status": 401, "times": 60, "only": "createSR" })).await;
    each_case_once(json!({ "status": 500, "times": 20, "only": "token" })).await;
}

#[tokio::test]
async fn at_the_same_time_under_one_key() {
    let world = World::new().await;
    let jss = world.jss();
    let task = submit(1);
    let ids: BTreeSet<String> = join_all((0..16).map(|_| transaction(&jss, &task))).await.into_iter().collect();
    assert_eq!(ids, BTreeSet::from(["T-00000001".to_owned()]));
    let count = world.count().await;
    assert_eq!((&count["cases"], &count["duplicates_prevented"]), (&json!(1), &json!(15)));
    assert_eq!(count["by_key"], json!({ "acme-r1-18f0": 16 }));
}
