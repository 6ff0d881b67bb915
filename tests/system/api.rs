//! The API on a running engine: a week of intelligence kept and queried, and a stranger that calls every
//! operation at random.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{Timestamp, ToSpan as _};
use linesman_tests::{Engine, OPEN_CASE, World, event, until};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::timeout;

/// The longest that the stranger may take; its own bound is in its settings.
const PATIENCE: Duration = Duration::from_secs(180);
const DAYS: i64 = 7;
const A_DAY: usize = 200;
const ORGANIZATIONS: [&str; 3] = ["acme", "bolt", "cobalt"];
const KINDS: [&str; 4] = ["alert", "informational", "bug-notice", "end-of-life"];
const PRODUCTS: [&str; 3] = ["MX240", "MX480", "EX4300"];

/// The first moment of the week.
fn monday() -> Timestamp {
    "2026-11-16T00:00:00Z".parse().unwrap()
}

/// The messages of a day, over the organizations in turn: whose, and the message.
fn messages(day: i64) -> Vec<(&'static str, Value)> {
    let message = |number: usize| {
        let id = format!("TSB-{day}-{number}");
        let issued = monday() + (day * 24).hours() + (number as i64 * 7).minutes();
        let message = json!({
            "id": id, "kind": KINDS[number % 4], "title": format!("title of {id}"), "text": "text", "issued": issued,
            "relevance": {"products": [PRODUCTS[number / 4 % 3]], "serial_numbers": [format!("SN{}", number % 10)]},
        });
        (ORGANIZATIONS[number % 3], message)
    };
    (0..A_DAY).map(message).collect()
}

/// All ids that a query of the intelligence finds, page by page.
async fn found(engine: &Engine, query: &str) -> BTreeSet<String> {
    let (mut ids, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = engine.get(&format!("/api/v1/intelligence?limit=150&{query}{cursor}")).await.unwrap();
        for item in page["items"].as_array().unwrap() {
            assert!(ids.insert(item["id"].as_str().unwrap().to_owned()), "twice: {item}");
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

/// The ids of the messages of some days that are asked for.
fn ids(days: std::ops::Range<i64>, asked: impl Fn(&str, &Value) -> bool) -> BTreeSet<String> {
    let all = days.flat_map(messages);
    all.filter(|(org, message)| asked(org, message))
        .map(|(_, message)| message["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn publish(engine: &Engine, days: std::ops::Range<i64>) {
    let jetstream = async_nats::jetstream::new(engine.nats().await.unwrap());
    for day in days.clone() {
        let sent = messages(day).into_iter().map(async |(org, message)| {
            jetstream.publish(format!("in.{org}.intel.test"), message.to_string().into()).await.unwrap().await.unwrap();
        });
        join_all(sent).await;
    }
    let wanted = ids(0..days.end, |_, _| true).len();
    until("the messages are kept", async || (found(engine, "sort=id").await.len() == wanted).then_some(())).await;
}

#[tokio::test]
async fn a_week_of_intelligence_is_kept_and_found() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    publish(&engine, 0..4).await;
    let middle = Timestamp::now();
    assert!(engine.stop().await.unwrap().success());
    let mut engine = world.start(None).await.unwrap();
    publish(&engine, 4..DAYS).await;

    for sort in ["id", "-id", "issued", "-issued", "received", "-received"] {
        assert_eq!(found(&engine, &format!("sort={sort}")).await, ids(0..DAYS, |_, _| true), "{sort}");
    }
    for day in 0..DAYS {
        let (begin, end) = (monday() + (day * 24).hours(), monday() + ((day + 1) * 24).hours());
        let window = format!("issued_after={begin}&issued_before={end}");
        assert_eq!(found(&engine, &window).await, ids(day..day + 1, |_, _| true), "{window}");
    }
    assert_eq!(found(&engine, &format!("received_before={middle}")).await, ids(0..4, |_, _| true));
    assert_eq!(found(&engine, &format!("received_after={middle}&sort=-received")).await, ids(4..DAYS, |_, _| true));
    for kind in KINDS {
        assert_eq!(found(&engine, &format!("kind={kind}")).await, ids(0..DAYS, |_, message| message["kind"] == kind));
    }
    let of_acme = ids(2..3, |org, message| org == "acme" && message["relevance"]["products"][0] != "EX4300");
    let window = "issued_after=2026-11-18T00:00:00Z&issued_before=2026-11-19T00:00:00Z";
    assert_eq!(found(&engine, &format!("organization=acme&product=MX*&{window}&sort=-issued")).await, of_acme);
    let of_a_device = ids(0..DAYS, |_, message| message["relevance"]["serial_numbers"][0] == "SN7");
    assert_eq!(found(&engine, "serial_number=SN7").await, of_a_device);
    let one = engine.get("/api/v1/intelligence/bolt/TSB-3-1").await.unwrap();
    assert_eq!((&one["title"], &one["organization"]), (&json!("title of TSB-3-1"), &json!("bolt")));
    assert!(engine.stop().await.unwrap().success());
}

/// Some of everything that lists show, the examples of the description among it.
async fn fill(engine: &Engine) {
    let jetstream = async_nats::jetstream::new(engine.nats().await.unwrap());
    for number in 1..=20 {
        let text = event(&(1_233 + number % 3).to_string(), number, "RANDOM", "High");
        jetstream.publish("in.acme.jmb.test", text.into()).await.unwrap().await.unwrap();
    }
    for (org, message) in messages(0).into_iter().take(30) {
        jetstream.publish(format!("in.{org}.intel.test"), message.to_string().into()).await.unwrap().await.unwrap();
    }
    until("all are incidents", async || (engine.incidents("acme").await.unwrap() == 20).then_some(())).await;
}

#[tokio::test]
async fn schemathesis_finds_no_fault() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    world.policy("acme/own", OPEN_CASE).unwrap();
    let mut engine = world.start(None).await.unwrap();
    fill(&engine).await;
    let ready = engine.ready().unwrap();
    let token = std::fs::read_to_string(world.data().join("token")).unwrap();
    let ended = Command::new(root.join(".tools/venv/bin/schemathesis"))
        .arg("--config-file")
        .arg(root.join("tests/tools/schemathesis.toml"))
        .args(["--no-color", "run", &format!("{}/api/v1/openapi.json", ready.api)])
        .arg("--header")
        .arg(format!("Authorization: Bearer {}", token.trim()))
        .arg("--tls-verify")
        .arg(&ready.ca)
        .current_dir(world.root())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ended = timeout(PATIENCE * 5, ended).await.expect("schemathesis ends").unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(ended.status.success(), "{}:\n{said}\n{}", ended.status, engine.log());
    let metrics = engine.get_text("/metrics").await.unwrap();
    let document = engine.get("/api/v1/openapi.json").await.unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            let was_called = metrics.lines().any(|line| {
                let labels = [format!("route=\"{path}\""), format!("method=\"{method}\"")];
                line.starts_with("linesman_api_requests_total{") && labels.iter().all(|label| line.contains(label))
            });
            assert!(was_called || path == "/api/v1/events", "{method} {path} was not called");
        }
    }
    assert!(engine.is_running());
    assert!(engine.stop().await.unwrap().success());
}
