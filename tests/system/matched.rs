//! Whom messages concern, told on a running engine: of the provider's messages to the provider, of an organization's own to it.

use async_nats::jetstream;
use linesman::log::streams::lane_of;
use linesman::store::Store;
use linesman_domain::reactions;
use linesman_rules::LIBRARY;
use linesman_schemas::control::Control;
use linesman_tests::{Engine, LANES, Out, World, event, until};
use serde_json::{Value, json};

fn message(id: &str, kind: &str) -> Value {
    json!({
        "id": id, "kind": kind, "title": format!("of {id}"), "issued": "2026-11-21T10:00:00Z",
        "relevance": {"products": ["MX*"]},
    })
}

/// The lanes to which ends of attempts were reported that are the provider's.
async fn attempts(engine: &Engine) -> Vec<String> {
    let stream = jetstream::new(engine.nats_as_engine().await.unwrap()).get_stream("IN").await.unwrap();
    let mut found = Vec::new();
    for sequence in 1..=stream.cached_info().state.last_sequence {
        let message = stream.get_raw_message(sequence).await.unwrap();
        if let Ok(Control::Attempt(_)) = serde_json::from_slice(&message.payload) {
            found.push(message.subject.to_string());
        }
    }
    found
}

async fn told(engine: &Engine, subject: &str, organization: &str) -> Value {
    let client = engine.nats().await.unwrap();
    until(subject, async || {
        let out = Out::read(&client).await.ok()?;
        let found = out.on(subject).find(|event| event.data["organization"] == organization);
        found.map(|event| event.data.clone())
    })
    .await
}

#[tokio::test]
async fn each_trigger_is_told_to_whom_it_belongs_and_policies_act_on_it() {
    let mut world = World::new().unwrap();
    // One that is not of lane 0, where the provider's reactions used to be.
    let other = ["corp", "delta", "echo", "fox"].into_iter().find(|org| lane_of(org, LANES) != 0).unwrap();
    world.organization(other, "Send all information");
    for (name, source) in LIBRARY.iter().filter(|(name, _)| ["matches.rhai", "exposures.rhai"].contains(name)) {
        world.policy(name.trim_end_matches(".rhai"), source).unwrap();
    }
    let mut engine = world.start(None).await.unwrap();
    let client = engine.nats().await.unwrap();
    for org in ["acme", other] {
        client.publish(format!("in.{org}.jmb.test"), event("edge-01", 1, "CASE", "Low").into()).await.unwrap();
    }
    client.flush().await.unwrap();
    until("both devices are known", async || {
        let devices = engine.get("/api/v1/devices").await.ok()?;
        (devices["items"].as_array()?.len() == 2).then_some(())
    })
    .await;

    // The provider's: nothing of it on the organizations' subjects.
    let api = engine.api().unwrap();
    for (id, kind) in [("T1", "alert"), ("T2", "end-of-life"), ("T3", "bug-notice")] {
        let answer = api.post("/api/v1/intelligence", message(id, kind)).await.unwrap();
        assert_eq!(answer.status, 201, "{:?}", answer.body);
    }
    for org in ["acme", other] {
        for (trigger, id) in
            [("intelligence.matched", "T1"), ("end-of-life.matched", "T2"), ("bug-notice.matched", "T3")]
        {
            let data = told(&engine, &format!("out._provider.trigger.{trigger}"), org).await;
            assert_eq!((&data["id"], &data["count"]), (&json!(id), &json!(1)), "{data}");
            assert_eq!(data["reasons"], json!(["product MX*"]));
        }
    }
    for org in ["acme", "bolt", other] {
        told(&engine, "out._provider.trigger.bug-notice.arrived", org).await;
    }
    client.publish("in.acme.jmb.test", event("edge-02", 2, "CASE", "Low").into()).await.unwrap();
    let exposed = told(&engine, "out._provider.trigger.exposure.new", "acme").await;
    assert_eq!(exposed["device"]["host_name"], "edge-02", "{exposed}");
    let out = Out::read(&client).await.unwrap();
    let leaked: Vec<_> = out.0.iter().filter(|event| !event.subject.starts_with("out._provider.")).collect();
    let leaked: Vec<_> = leaked.iter().filter(|event| event.event.data.to_string().contains("of T")).collect();
    assert!(leaked.is_empty(), "{leaked:?}");

    // The organization's own.
    for (id, kind) in [("O1", "alert"), ("O2", "end-of-life"), ("O3", "bug-notice")] {
        client.publish("in.acme.intel.test", message(id, kind).to_string().into()).await.unwrap();
    }
    for (trigger, id) in [
        ("intelligence.matched", "O1"),
        ("end-of-life.matched", "O2"),
        ("bug-notice.matched", "O3"),
        ("bug-notice.arrived", "O3"),
    ] {
        let data = told(&engine, &format!("out.acme.trigger.{trigger}"), "acme").await;
        assert_eq!(data["id"], id, "{data}");
    }
    client.publish("in.acme.jmb.test", event("edge-03", 3, "CASE", "Low").into()).await.unwrap();
    told(&engine, "out.acme.trigger.exposure.new", "acme").await;

    // What policies of everyone's log of the provider's messages is done, and settled by the lane that decided it.
    until("all of the provider's is settled", async || {
        let lanes = attempts(&engine).await;
        // Three matches of each, and of each new device of acme's two exposures.
        let of = |org: &str| lanes.iter().filter(|lane| **lane == format!("p.{}.ctl", lane_of(org, LANES))).count();
        (of(other) >= 3 && lanes.len() >= 10).then_some(())
    })
    .await;
    until("every lane has decided what it was sent", async || {
        let status = engine.get("/api/v1/status").await.ok()?;
        status["lanes"].as_array()?.iter().all(|lane| lane["lag"] == 0).then_some(())
    })
    .await;
    assert!(engine.stop().await.unwrap().success());
    let store = Store::open(&world.data().join("state")).unwrap();
    for lane in 0..LANES {
        let lane = store.lane(lane).unwrap();
        let rows = reactions::all(&lane).map(Result::unwrap);
        let left: Vec<_> = rows.filter(|(_, row)| row.destination == "log").collect();
        assert!(left.is_empty(), "{left:?}");
    }
    store.close().unwrap();
}
