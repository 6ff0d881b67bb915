//! Consumers of others are bounded: whoever makes a thousand of OUT takes nobody's room.

use async_nats::Client;
use linesman_tests::{World, run, until};
use serde_json::{Value, json};

/// How many of others there may be.
const MOST: usize = 20;
/// How many somebody tries to make; OUT takes some hundred at a time.
const MADE: usize = 400;
const WEEK: u64 = 7 * 86_400 * 1_000_000_000;

async fn make(client: &Client, name: &str) -> Value {
    let (subject, durable) = if name.is_empty() {
        ("$JS.API.CONSUMER.CREATE.OUT".to_owned(), json!({}))
    } else {
        (format!("$JS.API.CONSUMER.CREATE.OUT.{name}"), json!({"durable_name": name, "name": name}))
    };
    let mut config = json!({"ack_policy": "explicit"});
    config.as_object_mut().unwrap().extend(durable.as_object().unwrap().clone());
    let body = json!({"stream_name": "OUT", "config": config});
    let answer = client.request(subject, body.to_string().into()).await.unwrap();
    serde_json::from_slice(&answer.payload).unwrap()
}

#[tokio::test]
async fn a_thousand_consumers_of_one_login_take_nobodys_room() {
    let mut world = World::new().unwrap();
    // What reads OUT through in the background has one too.
    world.configure(&format!("\n[nats]\nout_consumers_most = {MOST}\nscrub_bytes_per_s = 0\n"));
    let mut engine = world.start(None).await.unwrap();
    let client = engine.nats().await.unwrap();
    let data = world.data().to_str().unwrap().to_owned();
    let list = async || {
        let ended = run(&["nats", "consumers", "list", "--json", "--data-dir", &data]).await.unwrap();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    // A durable one goes once nobody has asked for a week.
    let mine = make(&client, "mine").await;
    assert_eq!(mine["config"]["inactive_threshold"], WEEK, "{mine}");
    let mut made = 0;
    for _ in 0..MADE {
        made += usize::from(make(&client, "").await["error"].is_null());
    }
    assert!(made > MOST, "{made}");
    // There is room for the engine's own, at once.
    for _ in 0..3 {
        engine.get("/api/v1/dead-letters").await.unwrap();
    }
    until("the others are few", async || (list().await.len() <= MOST).then_some(())).await;
    engine.tells("OUT had more consumers than it may").await;
    let made = make(&client, "yours").await;
    assert!(made["error"].is_null(), "{made}");
    assert!(list().await.iter().any(|consumer| consumer["name"] == "yours" && consumer["durable"] == true));
    let args = ["nats", "consumers", "remove", "yours", "--data-dir", &data];
    let ended = run(&args).await.unwrap();
    assert_eq!((ended.code, &*ended.stdout), (Some(0), "yours removed\n"), "{}", ended.stderr);
    let ended = run(&args).await.unwrap();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("the stream OUT has no consumer `yours`"), "{}", ended.stderr);
    let ended = run(&["nats", "consumers", "remove", "--idle", "--data-dir", &data]).await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(list().await, Vec::<Value>::new());
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// Whoever asks as well is nobody's reason to be left without one.
#[tokio::test]
async fn there_is_room_for_the_engines_own_though_all_others_are_asked() {
    let mut world = World::new().unwrap();
    world.configure(&format!("\n[nats]\nout_consumers_most = {MOST}\nscrub_bytes_per_s = 0\n"));
    let mut engine = world.start(None).await.unwrap();
    let client = engine.nats().await.unwrap();
    let mut made = 0;
    for _ in 0..MADE {
        let answer = make(&client, "").await;
        let Some(name) = answer["name"].as_str() else { continue };
        // All that there is has been delivered: from then on it waits.
        for batch in [10_000, 1] {
            let body = json!({"batch": batch, "expires": 600_000_000_000_u64}).to_string();
            let subject = format!("$JS.API.CONSUMER.MSG.NEXT.OUT.{name}");
            client.publish_with_reply(subject, client.new_inbox(), body.into()).await.unwrap();
        }
        made += 1;
    }
    client.flush().await.unwrap();
    assert!(made > MOST && made < MADE, "{made}: there is no room left");
    for _ in 0..3 {
        engine.get("/api/v1/dead-letters").await.unwrap();
    }
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}
