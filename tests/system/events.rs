//! Committed triggers are told as they happen; whoever comes back misses none and hears none twice.

use linesman_tests::{Engine, World, event};
use serde_json::json;

async fn publish(engine: &Engine, org: &str, numbers: std::ops::RangeInclusive<u64>) {
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    for number in numbers {
        let bundle = event("edge-01", number, "TOLD", "Low");
        log.publish(format!("in.{org}.jmb.test"), bundle.into()).await.unwrap().await.unwrap();
    }
}

#[tokio::test]
async fn events_go_on_behind_the_last_one_heard() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let mut all = api.events("", None).await.unwrap();
    let mut bolts = api.events("?organization=bolt&trigger=incident.detected", None).await.unwrap();
    publish(&engine, "acme", 1..=20).await;
    publish(&engine, "bolt", 1..=1).await;
    let mut heard = Vec::new();
    for _ in 0..7 {
        heard.push(all.next().await.unwrap());
    }
    let bolt = bolts.next().await.unwrap();
    assert_eq!(bolt.data["data"]["id"], "bolt-1", "nobody else's");
    assert_eq!((heard[0].event.as_str(), &heard[0].data["specversion"]), ("incident.detected", &json!("1.0")));
    drop(all);
    // What happens while nobody listens, in another life of the engine too.
    publish(&engine, "acme", 21..=30).await;
    engine.kill().unwrap();
    let mut engine = world.start(None).await.unwrap();
    publish(&engine, "acme", 31..=40).await;
    let api = engine.api().unwrap();
    let last = heard.last().unwrap().id.clone();
    let mut rest = api.events("", Some(&last)).await.unwrap();
    while heard.len() < 41 {
        heard.push(rest.next().await.unwrap());
    }
    let mut ids: Vec<String> = heard.iter().map(|told| told.data["data"]["id"].as_str().unwrap().to_owned()).collect();
    assert!(heard.iter().all(|told| told.event == "incident.detected"), "{heard:?}");
    ids.sort_by_key(|id| id.rsplit_once('-').map(|(org, number)| (org.to_owned(), number.parse::<u64>().unwrap())));
    let mut expected: Vec<String> = (1..=40).map(|number| format!("acme-{number}")).collect();
    expected.push("bolt-1".to_owned());
    assert_eq!(ids, expected);
    let same = api.events(&format!("?last_event_id={last}"), None).await.unwrap().next().await.unwrap();
    assert_eq!(same, heard[7], "the query does for those who cannot set a header");
    assert!(engine.stop().await.unwrap().success());
    rest.ended().await.unwrap();
}

#[tokio::test]
async fn what_is_lost_is_told() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let mut listening = api.events("", None).await.unwrap();
    publish(&engine, "acme", 1..=3).await;
    let first = listening.next().await.unwrap();
    // None of them comes behind what is lost.
    for _ in 2..=3 {
        listening.next().await.unwrap();
    }
    let log = async_nats::jetstream::new(engine.nats_as_engine().await.unwrap());
    let out = log.get_stream("OUT").await.unwrap();
    out.purge().filter("out.acme.>").await.unwrap();
    publish(&engine, "acme", 4..=4).await;
    let mut behind = api.events("", Some(&first.id)).await.unwrap();
    let gap = behind.next().await.unwrap();
    assert_eq!((gap.event.as_str(), &gap.data["last"]), ("gap", &json!(first.id)));
    assert_eq!(behind.next().await.unwrap().data["data"]["id"], "acme-4");
    for wrong in ["999999-0", "nonsense", "0-1"] {
        assert!(api.events("", Some(wrong)).await.is_err(), "{wrong}");
    }
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn whoever_heard_nothing_comes_back_too() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let mut listening = api.events("", None).await.unwrap();
    let before = listening.id().await.unwrap();
    assert_eq!(before, "0-0", "nothing has happened yet");
    drop(listening);
    publish(&engine, "acme", 1..=2).await;
    let mut back = api.events("", Some(&before)).await.unwrap();
    let first = back.next().await.unwrap();
    assert_eq!((first.event.as_str(), &first.data["data"]["id"]), ("incident.detected", &json!("acme-1")));
    let second = back.next().await.unwrap();
    assert_eq!(api.events("", None).await.unwrap().id().await.unwrap(), second.id, "from now on");
    for (query, detail) in [
        ("?trigger=incident.detect", "`trigger`: `incident.detect` is not known: did you mean `incident.detected`?"),
        ("?last_event_id=x", "`last_event_id` is no event's id"),
    ] {
        let refused = api.ask(reqwest::Method::GET, &format!("/api/v1/events{query}"), None, None).await.unwrap();
        assert_eq!((refused.status, &refused.body["detail"]), (400, &json!(detail)));
    }
    assert!(api.events("?trigger=policy.refused", None).await.is_ok());
    assert!(engine.stop().await.unwrap().success());
}
