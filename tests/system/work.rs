//! What people ask for is done once, by whatever way and however often they ask.

use linesman_tests::{Api, Engine, Launch, Out, World, event, until};
use reqwest::Method;
use serde_json::{Value, json};

async fn publish(engine: &Engine, org: &str, numbers: std::ops::RangeInclusive<u64>) {
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    for number in numbers.clone() {
        let bundle = event("edge-01", number, "WORK", "Low");
        log.publish(format!("in.{org}.jmb.test"), bundle.into()).await.unwrap().await.unwrap();
    }
    until("the incidents are there", async || (engine.incidents(org).await.unwrap() >= *numbers.end()).then_some(()))
        .await;
}

async fn incident(api: &Api) -> Value {
    api.ask(Method::GET, "/api/v1/incidents/acme-1", None, None).await.unwrap().body
}

#[tokio::test]
async fn a_command_is_done_once_under_its_key() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    publish(&engine, "acme", 1..=1).await;
    let api = engine.api().unwrap();
    let note = json!({"note": "once"});
    let annotate = "/api/v1/incidents/acme-1/annotate";
    let first = api.ask(Method::POST, annotate, Some("key 1"), Some(note.clone())).await.unwrap();
    assert_eq!((first.status, &first.body["verdict"], &first.body["command"]), (200, &json!("done"), &json!("key 1")));
    let again = futures_util::future::join_all(
        (0..8).map(|_| api.ask(Method::POST, annotate, Some("key 1"), Some(note.clone()))),
    )
    .await;
    for answer in again {
        assert_eq!(answer.unwrap().body, first.body);
    }
    let other = api.ask(Method::POST, annotate, Some("key 1"), Some(json!({"note": "twice"}))).await.unwrap();
    assert_eq!(other.status, 409, "{other:?}");
    // Whoever does not know whether it arrived asks again, of the next engine too.
    engine.kill().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let later = api.ask(Method::POST, annotate, Some("key 1"), Some(note)).await.unwrap();
    assert_eq!(later.body, first.body);
    let known = api.ask(Method::GET, "/api/v1/commands/key%201?organization=acme", None, None).await.unwrap();
    assert_eq!((known.status, &known.body), (200, &first.body));
    let strange = api.ask(Method::GET, "/api/v1/commands/key%201?organization=bolt", None, None).await.unwrap();
    assert_eq!(strange.status, 404, "a command is its organization's");
    assert_eq!(incident(&api).await["notes"].as_array().unwrap().len(), 1);
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    assert_eq!(out.on("out.acme.audit.annotate-incident").count(), 1);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_is_not_decided_in_time_is_told_later() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    publish(&engine, "acme", 1..=1).await;
    assert!(engine.stop().await.unwrap().success());
    // The first input decided is the command: it hangs a while.
    let launch = Launch { crash_points: "decide=1*sleep(8000)->off", ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    let api = engine.api().unwrap();
    let slow = api.ask(Method::POST, "/api/v1/incidents/acme-1/close", Some("slow"), Some(json!({}))).await.unwrap();
    assert_eq!((slow.status, &slow.body["verdict"]), (202, &json!("pending")), "{slow:?}");
    let location = slow.location.unwrap();
    assert_eq!(location, "/api/v1/commands/slow?organization=acme");
    let pending = api.ask(Method::GET, &location, None, None).await.unwrap();
    assert_eq!((pending.status, &pending.body["verdict"]), (200, &json!("pending")));
    let done = until("the command is decided", async || {
        let answer = api.ask(Method::GET, &location, None, None).await.unwrap();
        (answer.body["verdict"] != "pending").then_some(answer)
    })
    .await;
    assert_eq!((done.status, &done.body["verdict"], &done.body["detail"]), (200, &json!("done"), &json!("closed")));
    assert_eq!(incident(&api).await["status"], "completed");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_people_change_survives_a_restart() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let body = json!({"display_name": "Acme by hand", "proxy": true, "filter_level": "Do not send"});
    let set = api.ask(Method::PUT, "/api/v1/organizations/acme", None, Some(body)).await.unwrap();
    assert_eq!((set.status, &set.body["detail"]), (200, &json!("changed")));
    assert_eq!(api.ask(Method::POST, "/api/v1/organizations/bolt/suspend", None, None).await.unwrap().status, 200);
    assert!(engine.stop().await.unwrap().success());
    let mut engine = world.start(None).await.unwrap();
    let acme = engine.get("/api/v1/organizations/acme").await.unwrap();
    assert_eq!((&acme["display_name"], &acme["filter_level"]), (&json!("Acme by hand"), &json!("Do not send")));
    assert_eq!(engine.get("/api/v1/organizations/bolt").await.unwrap()["standing"], "suspended");
    assert!(engine.stop().await.unwrap().success());
}

/// Who has not the right, and what the provider is asked: both are told by the API, and audited.
#[tokio::test]
async fn who_asks_and_of_whom_decides_what_becomes_of_it() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    publish(&engine, "acme", 1..=1).await;
    let log = async_nats::jetstream::new(engine.nats_as_engine().await.unwrap());
    let ann = json!({"kind": "manager", "organization": "acme", "name": "ann"});
    let close = json!({"close_incident": {"incident": "acme-1", "note": "mine"}});
    let close = json!({"id": "close", "principal": ann, "node": "n", "verb": close});
    let machine = json!({"kind": "machine"});
    let raise = json!({"id": "raise", "principal": machine, "node": "n", "verb": {"raise_level": {"level": 1}}});
    for (subject, message) in [("in.acme.cmd.close-incident", close), ("p.0.ctl", json!({"command": raise}))] {
        log.publish(subject, message.to_string().into()).await.unwrap().await.unwrap();
    }
    let api = engine.api().unwrap();
    let known = async |path: &str| {
        until("the command is decided", async || {
            let answer = api.ask(Method::GET, path, None, None).await.unwrap();
            (answer.status == 200).then_some(answer.body)
        })
        .await
    };
    let close = known("/api/v1/commands/close?organization=acme").await;
    let reason = "there is no organization `acme`";
    assert_eq!((&close["verdict"], &close["detail"]), (&json!("not-found"), &json!(reason)), "nobody knows her");
    assert_eq!(incident(&api).await["status"], "unassigned");
    let raise = known("/api/v1/commands/raise").await;
    assert_eq!((&raise["verdict"], raise.get("organization")), (&json!("conflict"), None), "{raise}");
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    let audited = |subject| out.on(subject).next().map(|event| event.data["principal"]["kind"].clone());
    assert_eq!(audited("out.acme.audit.close-incident"), Some(json!("manager")));
    assert_eq!(audited("out._provider.audit.raise-level"), Some(json!("machine")));
    assert!(engine.stop().await.unwrap().success());
}
