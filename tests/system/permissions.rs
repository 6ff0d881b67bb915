//! What the public NATS login may and may not do, and that it hears no bundle, tried on a running engine.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::{self, consumer};
use futures_util::StreamExt;
use linesman_tests::{Engine, Out, Outsider, World, event, refused_publish, refused_subscription, until};
use serde_json::{Value, json};
use tokio::time::timeout;

/// How long anything may take to be heard.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the login may publish on.
const MAY_PUBLISH: [&str; 12] = [
    "in.acme.jmb.edge-01",
    "in.acme.intel.vendor",
    "in.nobody.jmb.edge-01",
    "$JS.API.STREAM.INFO.OUT",
    "$JS.API.CONSUMER.CREATE.OUT",
    "$JS.API.CONSUMER.CREATE.OUT.mine",
    "$JS.API.CONSUMER.CREATE.OUT.mine.out.acme.>",
    "$JS.API.CONSUMER.INFO.OUT.mine",
    "$JS.API.CONSUMER.DELETE.OUT.mine",
    "$JS.API.CONSUMER.MSG.NEXT.OUT.mine",
    "$JS.ACK.OUT.mine.1.1.1.1.0",
    "$JS.FC.OUT.mine.x",
];

/// What it may not.
const MUST_NOT_PUBLISH: [&str; 64] = [
    "in.acme.cmd.organization",
    "in.acme.result.jss",
    "in.acme.tick.x",
    "in.acme.jmb",
    "in.acme.jmb.edge.01",
    "out.acme.trigger.incident.detected",
    "out._mark.0",
    "w.acme.trigger.incident.detected",
    "w._mark.0",
    "p.0.ctl",
    "p.0.acme.jmb",
    "p.0.acme.cmd",
    "_INBOX.other",
    "_LINESMAN.other",
    "_R_.other",
    "_GR_.other",
    "$JS.API.INFO",
    "$JS.API.ACCOUNT.PURGE.ENGINE",
    "$JS.API.SERVER.REMOVE",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.CREATE.MINE",
    "$JS.API.STREAM.CREATE.IN",
    "$JS.API.STREAM.UPDATE.IN",
    "$JS.API.STREAM.UPDATE.OUT",
    "$JS.API.STREAM.INFO.IN",
    "$JS.API.STREAM.DELETE.IN",
    "$JS.API.STREAM.DELETE.OUT",
    "$JS.API.STREAM.PURGE.IN",
    "$JS.API.STREAM.PURGE.OUT",
    "$JS.API.STREAM.MSG.GET.IN",
    "$JS.API.STREAM.MSG.GET.OUT",
    "$JS.API.STREAM.MSG.DELETE.IN",
    "$JS.API.STREAM.MSG.DELETE.OUT",
    "$JS.API.STREAM.SNAPSHOT.IN",
    "$JS.API.STREAM.RESTORE.IN",
    "$JS.API.STREAM.LEADER.STEPDOWN.IN",
    "$JS.API.STREAM.PEER.REMOVE.IN",
    "$JS.API.DIRECT.GET.IN",
    "$JS.API.DIRECT.GET.OUT",
    "$JS.API.DIRECT.GET.IN.p.0.acme.jmb",
    "$JS.API.CONSUMER.CREATE.IN",
    "$JS.API.CONSUMER.CREATE.IN.mine",
    "$JS.API.CONSUMER.CREATE.IN.mine.p.0.>",
    "$JS.API.CONSUMER.DURABLE.CREATE.IN.mine",
    "$JS.API.CONSUMER.DURABLE.CREATE.OUT.mine",
    "$JS.API.CONSUMER.INFO.IN.mine",
    "$JS.API.CONSUMER.DELETE.IN.mine",
    "$JS.API.CONSUMER.MSG.NEXT.IN.mine",
    "$JS.API.CONSUMER.NAMES.IN",
    "$JS.API.CONSUMER.LIST.IN",
    "$JS.API.CONSUMER.NAMES.OUT",
    "$JS.API.CONSUMER.LIST.OUT",
    "$JS.API.CONSUMER.PAUSE.OUT.mine",
    "$JS.API.CONSUMER.RESET.OUT.mine",
    "$JS.ACK.IN.mine.1.1.1.1.0",
    "$JS.FC.IN.mine.x",
    "$KV.bucket.key",
    "$O.linesman-rule-books.C.x",
    "$SRV.PING",
    "$SYS.REQ.SERVER.PING",
    "$SYS.REQ.ACCOUNT.ENGINE.INFO",
    "$SYS.REQ.USER.INFO",
    "anything",
];

/// What it may hear.
const MAY_SUBSCRIBE: [&str; 5] = ["out.>", "out.acme.>", "out.*.trigger.>", "_INBOX.>", "_INBOX.mine.*"];

/// What it may not.
const MUST_NOT_SUBSCRIBE: [&str; 26] = [
    ">",
    "*",
    "*.>",
    "*.*.*.*",
    "in.>",
    "in.acme.jmb.*",
    "in.*.cmd.*",
    "p.>",
    "p.*.acme.jmb",
    "p.0.ctl",
    "w.>",
    "w._mark.*",
    "_LINESMAN.>",
    "_LINESMAN.mine",
    "_R_.>",
    "$JS.>",
    "$JS.API.>",
    "$JS.ACK.>",
    "$JS.ACK.IN.>",
    "$JS.EVENT.>",
    "$JSC.>",
    "$KV.>",
    "$O.>",
    "$SRV.>",
    "$SYS.>",
    "$SYS.ACCOUNT.ENGINE.>",
];

/// What every bundle of these tests holds and nothing else does.
const MARKER: &str = "only-in-the-bundle";

fn bundle(host: &str, number: u64) -> String {
    event(host, number, "RIGHTS", "Low").replace("</jmb>", &format!("<!-- {MARKER} --></jmb>"))
}

fn message(id: &str) -> String {
    json!({"id": id, "kind": "alert", "title": "title", "text": "text", "issued": "2026-11-21T10:15:02Z"}).to_string()
}

async fn outsider(engine: &Engine) -> Outsider {
    Outsider::connect(&engine.ready().unwrap().nats).await.unwrap()
}

/// The messages of IN and of OUT, marks left out of the latter.
async fn held(engine: &Engine) -> (u64, usize) {
    let client = engine.nats_as_engine().await.unwrap();
    let stream = jetstream::new(client.clone()).get_stream("IN").await.unwrap();
    (stream.cached_info().state.messages, Out::read(&client).await.unwrap().0.len())
}

/// Asks the server's JetStream and gives its answer.
async fn ask(client: &async_nats::Client, subject: &str, body: Value) -> Value {
    let answer = client.request(subject.to_owned(), body.to_string().into()).await.unwrap();
    serde_json::from_slice(&answer.payload).unwrap()
}

#[tokio::test]
async fn the_server_knows_what_it_may() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let public = outsider(&engine).await;
    let mut subscriptions = Vec::new();
    for subject in MAY_SUBSCRIBE {
        subscriptions.push(public.client.subscribe(subject).await.unwrap());
    }
    for subject in MAY_PUBLISH {
        public.client.publish(subject, "{}".into()).await.unwrap();
    }
    assert_eq!(public.refusals().await.unwrap(), [""; 0]);

    for subject in MUST_NOT_PUBLISH {
        public.client.publish(subject, "{}".into()).await.unwrap();
    }
    assert_eq!(public.refusals().await.unwrap(), MUST_NOT_PUBLISH.map(refused_publish));
    for subject in MUST_NOT_SUBSCRIBE {
        subscriptions.push(public.client.subscribe(subject).await.unwrap());
    }
    assert_eq!(public.refusals().await.unwrap(), MUST_NOT_SUBSCRIBE.map(refused_subscription));
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn it_publishes_and_hears_what_came_of_it() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let client = outsider(&engine).await.client;
    let jetstream = jetstream::new(client.clone());
    let mut plain = client.subscribe("out.acme.trigger.>").await.unwrap();
    // With an acknowledgement, and without.
    let stored = jetstream.publish("in.acme.jmb.edge-01", bundle("edge-01", 1).into()).await.unwrap().await.unwrap();
    assert_eq!(stored.stream, "IN");
    client.publish("in.acme.jmb.edge-01", bundle("edge-01", 2).into()).await.unwrap();
    jetstream.publish("in.acme.intel.vendor", message("M-1").into()).await.unwrap().await.unwrap();
    client.publish("in.acme.intel.vendor", message("M-2").into()).await.unwrap();
    until("all four are decided", async || {
        let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
        let count = |name: &str| out.on(&format!("out.acme.trigger.{name}")).count();
        (count("incident.detected") == 2 && count("intelligence.received") == 2).then_some(())
    })
    .await;
    assert!(plain.next().await.unwrap().subject.starts_with("out.acme.trigger."));

    let out = jetstream.get_stream("OUT").await.unwrap();
    let config = consumer::pull::Config {
        durable_name: Some("mine".to_owned()),
        filter_subject: "out.acme.trigger.>".to_owned(),
        ..Default::default()
    };
    let mut pull = out.create_consumer(config).await.unwrap();
    let mut messages = pull.messages().await.unwrap();
    let first = messages.next().await.unwrap().unwrap();
    assert!(first.subject.starts_with("out.acme.trigger."));
    first.double_ack().await.unwrap();
    assert_eq!(pull.info().await.unwrap().ack_floor.consumer_sequence, 1);
    drop(messages);
    out.delete_consumer("mine").await.unwrap();
    let config = consumer::push::OrderedConfig { deliver_subject: client.new_inbox(), ..Default::default() };
    let mut ordered = out.create_consumer(config).await.unwrap().messages().await.unwrap();
    assert!(ordered.next().await.unwrap().unwrap().subject.starts_with("out."));
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn it_hears_nothing_of_a_bundle() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let spy = outsider(&engine).await;
    let mut everything = Vec::new();
    for subject in MAY_SUBSCRIBE.into_iter().chain(MUST_NOT_SUBSCRIBE) {
        everything.push(spy.client.subscribe(subject).await.unwrap());
    }
    assert_eq!(spy.refusals().await.unwrap(), MUST_NOT_SUBSCRIBE.map(refused_subscription));

    // The lanes read, one consumer more of the engine's login reads along, one of the public login reads OUT.
    let publisher = jetstream::new(engine.nats().await.unwrap());
    let reader = jetstream::new(linesman_client(&world).await);
    let along = reader.get_stream("IN").await.unwrap();
    let config = consumer::pull::Config { filter_subject: "p.*.*.jmb".to_owned(), ..Default::default() };
    let mut along = along.create_consumer(config).await.unwrap().messages().await.unwrap();
    let other = jetstream::new(engine.nats().await.unwrap()).get_stream("OUT").await.unwrap();
    let config =
        consumer::pull::Config { filter_subject: "out.*.trigger.incident.detected".to_owned(), ..Default::default() };
    let mut other = other.create_consumer(config).await.unwrap().messages().await.unwrap();
    for number in 1..=5 {
        for org in ["acme", "bolt"] {
            let text = bundle(&format!("{org}-edge"), number);
            publisher.publish(format!("in.{org}.jmb.x"), text.into()).await.unwrap().await.unwrap();
            let read = along.next().await.unwrap().unwrap();
            assert!(String::from_utf8_lossy(&read.payload).contains(MARKER));
            read.ack().await.unwrap();
        }
    }
    for org in ["acme", "bolt"] {
        until("all are incidents", async || (engine.incidents(org).await.unwrap() == 5).then_some(())).await;
    }
    other.next().await.unwrap().unwrap().ack().await.unwrap();

    // The answer to the spy's own question is behind all that it could have heard.
    ask(&spy.client, "$JS.API.STREAM.INFO.OUT", json!({})).await;
    let mut heard = Vec::new();
    for mut subscription in everything {
        subscription.unsubscribe().await.unwrap();
        while let Some(message) = subscription.next().await {
            heard.push((message.subject.to_string(), String::from_utf8_lossy(&message.payload).into_owned()));
        }
    }
    assert!(heard.iter().any(|(subject, _)| subject.starts_with("out.bolt.")), "{heard:?}");
    assert!(heard.iter().any(|(subject, _)| subject.starts_with("_INBOX.")), "{heard:?}");
    for (subject, text) in heard {
        assert!(subject.starts_with("out.") || subject.starts_with("_INBOX."), "{subject}: {text}");
        assert!(!text.contains(MARKER) && !text.contains("<jmb"), "{subject}: {text}");
    }
    assert!(engine.stop().await.unwrap().success());
}

/// A client as the engine's own: its login and its inbox.
async fn linesman_client(world: &World) -> async_nats::Client {
    let options = async_nats::ConnectOptions::new().custom_inbox_prefix(linesman::embedded::INBOX_PREFIX);
    linesman::log::connect_with(options, &world.engine_url().unwrap()).await.unwrap()
}

#[tokio::test]
async fn what_it_may_ask_cannot_be_turned() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let public = outsider(&engine).await;
    let client = &public.client;
    let before = held(&engine).await;

    // Another stream in the body than in the subject.
    for subject in ["$JS.API.CONSUMER.CREATE.OUT", "$JS.API.CONSUMER.CREATE.OUT.mine"] {
        let answer = ask(client, subject, json!({"stream_name": "IN", "config": {"name": "mine"}})).await;
        assert_eq!(answer["error"]["err_code"], 10_056, "{answer}");
    }
    // Headers that would remove, hide, delay or count messages.
    let headers: [(&str, &str, u64); 6] = [
        ("Nats-Rollup", "all", 10_111),
        ("Nats-TTL", "1s", 10_166),
        ("Nats-Batch-Id", "x", 10_174),
        ("Nats-Schedule", "@at 2036-01-01T00:00:00Z", 10_188),
        ("Nats-Incr", "1", 10_168),
        ("Nats-Expected-Stream", "OUT", 10_060),
    ];
    for (name, value, code) in headers {
        let mut map = HeaderMap::new();
        map.insert(name, value);
        let answer = client.request_with_headers("in.acme.jmb.x", map, "<jmb/>".into()).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
        assert_eq!(answer["error"]["err_code"], code, "{name}: {answer}");
    }
    assert_eq!(held(&engine).await, before, "the log has what it had");

    // Answers and deliveries to places of the engine's.
    let consumer = json!({"stream_name": "OUT", "config": {"name": "mine", "ack_policy": "explicit"}});
    assert_eq!(ask(client, "$JS.API.CONSUMER.CREATE.OUT.mine", consumer).await["name"], "mine");
    let places = ["in.acme.cmd.x", "in.acme.result.x", "p.0.ctl", "w._mark.0", "w.acme.trigger.x"];
    for place in places.into_iter().chain(["$JS.API.STREAM.DELETE.IN", "$JS.API.STREAM.PURGE.OUT", "_LINESMAN.x"]) {
        let config = json!({"deliver_subject": place, "ack_policy": "none", "inactive_threshold": 600_000_000_000_u64});
        ask(client, "$JS.API.CONSUMER.CREATE.OUT", json!({"stream_name": "OUT", "config": config})).await;
        for question in
            ["$JS.API.STREAM.INFO.OUT", "$JS.API.CONSUMER.INFO.OUT.mine", "$JS.API.CONSUMER.MSG.NEXT.OUT.mine"]
        {
            client.publish_with_reply(question, place, "".into()).await.unwrap();
        }
    }
    assert_eq!(public.refusals().await.unwrap(), [""; 0]);
    let jetstream = jetstream::new(client.clone());
    jetstream.publish("in.acme.jmb.x", bundle("edge-01", 1).into()).await.unwrap().await.unwrap();
    until("the engine goes on", async || (engine.incidents("acme").await.unwrap() == 1).then_some(())).await;
    let after = held(&engine).await;
    assert_eq!(after, (before.0 + 1, before.1 + 1), "one bundle more, and its trigger");
    let metrics = engine.get_text("/metrics").await.unwrap();
    assert!(metrics.contains("\nlinesman_foreign_marks_total 0\n"), "{metrics}");
    assert!(engine.stop().await.unwrap().success());
}

/// What holders of the login can do to each other: the document says so, and that the stream is out of reach.
#[tokio::test]
async fn what_it_makes_plain_subscribers_hear_stands_in_no_stream() {
    const FORGED: &str = "out.bolt.trigger.incident.detected";
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let forger = outsider(&engine).await.client;
    let other = engine.nats().await.unwrap();
    let mut victim = other.subscribe(FORGED).await.unwrap();
    // Answered after the subscription is made.
    ask(&other, "$JS.API.STREAM.INFO.OUT", json!({})).await;
    let before = held(&engine).await;
    let config = json!({"deliver_subject": FORGED, "ack_policy": "none"});
    ask(&forger, "$JS.API.CONSUMER.CREATE.OUT", json!({"stream_name": "OUT", "config": config})).await;
    // A delivery keeps the subject of what is delivered.
    assert_ne!(timeout(PATIENCE, victim.next()).await.unwrap().unwrap().subject.as_str(), FORGED);
    forger.publish_with_reply("$JS.API.STREAM.INFO.OUT", FORGED, "".into()).await.unwrap();
    let is_answer = |payload: &[u8]| String::from_utf8_lossy(payload).contains("stream_info_response");
    while !is_answer(&timeout(PATIENCE, victim.next()).await.unwrap().unwrap().payload) {}

    assert_eq!(held(&engine).await, before);
    let out = jetstream::new(forger).get_stream("OUT").await.unwrap();
    let config = consumer::pull::Config { filter_subject: FORGED.to_owned(), ..Default::default() };
    assert_eq!(out.create_consumer(config).await.unwrap().cached_info().num_pending, 0);
    assert!(engine.stop().await.unwrap().success());
}
