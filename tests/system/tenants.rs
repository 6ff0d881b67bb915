//! No organization reads, writes or counts another's: not in policies, not in events, not in the API.

use linesman_tests::{Out, World, event, until};
use serde_json::json;

use crate::activations;
use crate::collecting::{Device, add, collect, stands};

const OWN: &str = r#"
policy(#{ on: "incident.detected" });
fn react(incident, org) { publish("own", #{ told: incident.description, org: org.name }); }
"#;
const SHARED: &str = r#"
policy(#{ on: "incident.detected" });
fn react(incident, org) {
    publish("shared", #{ told: incident.description, host: incident.device.host_name, org: org.name });
}
"#;
const BUNDLES: u64 = 4;

#[tokio::test]
async fn nobody_sees_anything_of_another() {
    let world = World::new().unwrap();
    world.policy("acme/own", OWN).unwrap();
    world.policy("shared", SHARED).unwrap();
    let mut engine = world.start(None).await.unwrap();
    let jetstream = async_nats::jetstream::new(engine.nats().await.unwrap());
    for number in 1..=BUNDLES {
        for org in ["acme", "bolt"] {
            let text = event(&format!("{org}-edge"), number, "TENANT", "Low");
            jetstream.publish(format!("in.{org}.jmb.test"), text.into()).await.unwrap().await.unwrap();
        }
        // The same device reports to two: what is a repetition for one is none for the other.
        for org in ["cobalt", "dory"] {
            let text = event("twin", number, "TENANT", "Low");
            jetstream.publish(format!("in.{org}.jmb.test"), text.into()).await.unwrap().await.unwrap();
        }
    }
    let client = engine.nats_as_engine().await.unwrap();
    for org in ["acme", "bolt", "cobalt", "dory"] {
        until("all are incidents", async || (engine.incidents(org).await.unwrap() == BUNDLES).then_some(())).await;
    }
    // A result in one's name about the other's incident.
    let theft = serde_json::json!({"case_changed": {
        "incident": "acme-1", "case_id": "C-1", "status": "closed", "link": null, "updated": "2026-11-21T10:15:02Z",
    }});
    let as_engine = async_nats::jetstream::new(client.clone());
    as_engine.publish("in.bolt.result.jss", theft.to_string().into()).await.unwrap().await.unwrap();
    let out = until("the theft is refused", async || {
        let out = Out::read(&client).await.unwrap();
        let letters = out.0.iter().filter(|event| event.subject.starts_with("out.bolt.dead.")).count();
        (letters == 1).then_some(out)
    })
    .await;

    for (org, other) in [("acme", "bolt"), ("bolt", "acme")] {
        let prefix = format!("out.{org}.");
        let marker = format!("{other}-edge");
        for event in out.0.iter().filter(|event| event.subject.starts_with(&prefix)) {
            let text = serde_json::to_string(&event.event).unwrap();
            assert!(!text.contains(&marker), "{}: {text}", event.subject);
        }
        let shared: Vec<_> = out.on(&format!("out.{org}.reaction.shared")).map(|e| e.data["action"].clone()).collect();
        assert_eq!(shared.len() as u64, BUNDLES);
        assert!(shared.iter().all(|action| action["org"] == org && action["host"] == format!("{org}-edge")));
        let page = engine.get_text(&format!("/api/v1/incidents?organization={org}&limit=1000")).await.unwrap();
        assert!(page.contains(&format!("{org}-edge")) && !page.contains(other), "{page}");
        out.events_are_contiguous(org).unwrap();
    }
    assert_eq!(out.on("out.acme.reaction.own").count() as u64, BUNDLES);
    for org in ["bolt", "cobalt", "dory"] {
        assert_eq!(out.on(&format!("out.{org}.reaction.own")).count(), 0, "a policy of acme's ran for {org}");
    }
    let acme = engine.get("/api/v1/incidents?organization=acme").await.unwrap();
    assert!(acme["items"].as_array().unwrap().iter().all(|incident| incident["case"].is_null()), "{acme}");
    assert!(engine.stop().await.unwrap().success());
}

/// Two organizations have a device of the same serial number: each configures its own, and not the other's.
#[tokio::test]
async fn nobody_configures_a_device_of_another() {
    let world = activations::world();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    for org in ["acme", "bolt"] {
        for place in [format!("{org}/berlin"), format!("{org}/berlin/line-1")] {
            let device = if place.ends_with("line-1") { "twin" } else { "" };
            activations::put(&api, &format!("places/{place}"), json!({"device": device})).await;
        }
    }
    let devices = |world: &World| activations::groups(world).into_keys().map(|(device, _)| device).collect::<Vec<_>>();
    activations::put(&api, "subscriptions/acme/cap", activations::subscription()).await;
    activations::settled(&world, &engine, &[activations::LINE_1]).await;
    assert_eq!(devices(&world), ["acme/twin"]);
    let own = json!({"service": "limit", "substitutions": ["burst=2k"], "active": true});
    activations::put(&api, "subscriptions/bolt/cap", own).await;
    let of_bolt = "firewall { policer line-1 { rate 10000000; burst 2000; } }";
    activations::settled(&world, &engine, &[activations::LINE_1, of_bolt]).await;
    assert_eq!(devices(&world), ["acme/twin", "bolt/twin"]);

    // Nor does one end, or see, what the other has.
    let client = engine.nats_as_engine().await.unwrap();
    for place in ["acme", "acme/berlin/line-1"] {
        let theft = json!({"deactivate_subscription": {"place": place, "name": "cap"}});
        activations::ask(&client, "bolt", theft).await;
    }
    let end = json!({"deactivate_subscription": {"place": "bolt", "name": "cap"}});
    activations::ask(&client, "bolt", end).await;
    activations::settled(&world, &engine, &[activations::LINE_1]).await;
    assert_eq!(devices(&world), ["acme/twin"]);
    let out = Out::read(&client).await.unwrap();
    for event in out.on("out.bolt.reaction.device") {
        assert_eq!(event.data["action"]["configure"]["device"]["organization"], "bolt");
    }
    let refused = out.on("out.bolt.audit.deactivate-subscription").filter(|event| event.data["verdict"] != "done");
    assert_eq!(refused.count(), 2);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// Two organizations reach a device of the same name and serial number: each collects from its own, and sees nothing of the other's.
#[tokio::test]
async fn nobody_reaches_a_device_of_another() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let (own, other) = (Device::start(&world, "acme-r1").await, Device::start(&world, "bolt-r1").await);
    for (org, device) in [("acme", &own), ("bolt", &other)] {
        let mut body = device.body();
        body["serial_number"] = json!("JN1");
        activations::put(&api, &format!("devices/{org}/r1?new=true"), body).await;
        let text = event(&format!("{org}-edge"), 1, "TENANT", "Low");
        device.leaves("a.xml", &text);
        device.leaves("junk.xml", &format!("of {org}"));
    }
    for (org, name) in [("acme", "bolt"), ("bolt", "acme")] {
        until("it is collected", async || (engine.incidents(org).await.ok()? == 1).then_some(())).await;
        let page = engine.get_text(&format!("/api/v1/incidents?organization={org}")).await.unwrap();
        assert!(page.contains(&format!("{org}-edge")) && !page.contains(name), "{page}");
        let error = until("the junk is set aside", async || {
            let list = engine.get(&format!("/api/v1/jmb-errors?organization={org}")).await.ok()?;
            list["items"].as_array().filter(|items| items.len() == 1).map(|items| items[0].clone())
        })
        .await;
        let path = format!("/api/v1/jmb-errors/{org}/r1/{}", error["id"].as_str().unwrap());
        assert_eq!(engine.get(&path).await.unwrap()["head"], format!("of {org}"));
    }
    // What is given, used and removed by one concerns the other's in nothing.
    let body = json!({"password": "another"});
    let answer = api.ask(reqwest::Method::PUT, "/api/v1/devices/acme/JN1", None, Some(body)).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    collect(&api, "r1").await;
    stands(&engine, "r1", "authentication-failed").await;
    let answer = api.ask(reqwest::Method::DELETE, "/api/v1/devices/acme/JN1", None, None).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let before = other.server.done().len();
    let answer = api.post("/api/v1/devices/acme/r1/test", json!({})).await.unwrap();
    assert_eq!((answer.status, other.server.done().len()), (404, before));
    other.leaves("b.xml", &event("bolt-edge", 2, "TENANT", "Low"));
    let answer = api.post("/api/v1/devices/bolt/JN1/collect", json!({})).await.unwrap();
    assert_eq!((answer.status, &answer.body["taken"]), (200, &json!(1)), "{}", answer.body);
    let client = engine.nats_as_engine().await.unwrap();
    for event in Out::read(&client).await.unwrap().0.iter().filter(|event| event.subject.starts_with("out.acme.")) {
        let text = serde_json::to_string(&event.event).unwrap();
        assert!(!text.contains("bolt"), "{}: {text}", event.subject);
    }
    // Nor is there one of another's for whoever has none.
    add(&api, "r2", own.body()).await;
    let answer = api.post("/api/v1/devices/bolt/r2/test", json!({})).await.unwrap();
    assert_eq!(answer.status, 404, "{}", answer.body);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}
