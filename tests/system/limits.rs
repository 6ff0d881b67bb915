//! A log that would lose what it holds, or has lost its beginning, is refused by name; so is an organization that could
//! not be set up.

use async_nats::Client;
use linesman::log::streams::lane_of;
use linesman_tests::{Engine, LANES, Launch, Load, Outsider, Server, World, until};
use serde_json::{Value, json};

use super::stopped::{stopped, tamper};

const CONFIG: &str = "listen: \"127.0.0.1:4222\"\nmax_payload: 8388608\n\
                      jetstream { store_dir: \"/var/lib/nats\", sync_interval: \"1s\" }\n\
                      authorization { user: \"linesman\", password: \"engine-secret\" }\n";

/// A world on a server of the operator's own, which outlives engines.
struct Site {
    world: World,
    server: Server,
    client: Client,
}

impl Site {
    async fn new() -> Self {
        let server = Server::start(CONFIG, &[]).await.unwrap();
        let client = Outsider::connect(&server.url("linesman", "engine-secret")).await.unwrap().client;
        Self { world: World::new().unwrap(), server, client }
    }

    async fn start(&self) -> Engine {
        let mut engine = self.spawn();
        engine.wait_ready().await.unwrap();
        engine
    }

    fn spawn(&self) -> Engine {
        let url = self.server.url("linesman", "engine-secret");
        self.world.spawn(None, Launch { flags: &["--nats", &url], ..Launch::default() }).unwrap()
    }

    /// What an engine says that does not start.
    async fn refused(&self) -> String {
        let before = std::fs::read_to_string(self.world.path("engine.log")).unwrap_or_default().len();
        let mut engine = self.spawn();
        assert_eq!(engine.ended().await.code(), Some(1), "{}", engine.log_tail());
        engine.log()[before..].to_owned()
    }

    async fn api(&self, what: &str, body: &Value) -> Value {
        let answer = self.client.request(format!("$JS.API.{what}"), body.to_string().into()).await.unwrap();
        serde_json::from_slice(&answer.payload).unwrap()
    }

    async fn config(&self, stream: &str) -> Value {
        self.api(&format!("STREAM.INFO.{stream}"), &json!({})).await["config"].clone()
    }

    /// Changes a stream as an operator would.
    async fn change(&self, stream: &str, mut config: Value, changes: &[(&str, Value)]) {
        for (field, value) in changes {
            config[*field] = value.clone();
        }
        let answer = self.api(&format!("STREAM.UPDATE.{stream}"), &config).await;
        assert!(answer["error"].is_null(), "{stream} {changes:?}: {answer}");
    }

    /// For a moment IN has an age.
    async fn lose_beginning(&self) {
        let config = self.config("IN").await;
        self.change("IN", config.clone(), &[("max_age", json!(100_000_000))]).await;
        until("IN has lost its beginning", async || (self.first().await > 1).then_some(())).await;
        self.change("IN", config, &[]).await;
    }

    async fn first(&self) -> u64 {
        self.api("STREAM.INFO.IN", &json!({})).await["state"]["first_seq"].as_u64().unwrap()
    }
}

#[tokio::test]
async fn a_stream_that_would_lose_messages_is_refused_with_the_field() {
    let site = Site::new().await;
    assert!(site.start().await.stop().await.unwrap().success());
    let hour = 3_600_000_000_000_u64;
    let cases = [
        ("IN", "max_age", json!(hour)),
        ("IN", "max_bytes", json!(1_000_000_000)),
        ("IN", "max_msgs", json!(1_000_000)),
        ("IN", "max_msgs_per_subject", json!(1_000_000)),
        ("IN", "max_msg_size", json!(1000)),
        ("IN", "no_ack", json!(true)),
        ("IN", "allow_rollup_hdrs", json!(true)),
        ("IN", "republish", json!({"src": ">", "dest": "said.>"})),
        ("OUT", "max_bytes", json!(1_000_000_000)),
        ("OUT", "max_msgs", json!(1_000_000)),
    ];
    for (stream, field, value) in cases {
        let before = site.config(stream).await;
        site.change(stream, before.clone(), &[(field, value.clone())]).await;
        let said = site.refused().await;
        let expected = format!("the stream {stream} cannot be relied on: `{field}` is {value} and must be ");
        assert!(said.contains(&expected.replace('"', "\\\"")) || said.contains(&expected), "{field}: {said}");
        assert!(said.contains("; change the stream)"), "{said}");
        // What is asked for can be done, and is enough.
        site.change(stream, before, &[]).await;
    }
    // What the operator may.
    let out = site.config("OUT").await;
    site.change("OUT", out, &[("max_age", json!(hour)), ("compression", json!("s2"))]).await;
    let input = site.config("IN").await;
    site.change("IN", input, &[("deny_delete", json!(true)), ("description", json!("ours"))]).await;
    assert!(site.start().await.stop().await.unwrap().success());
    // What the server does not take back.
    let input = site.config("IN").await;
    site.change("IN", input, &[("allow_msg_ttl", json!(true))]).await;
    let said = site.refused().await;
    let expected = "`allow_msg_ttl` is true and must be false (a publisher's header deletes messages; the server does \
                    not take it back";
    assert!(said.contains(expected), "{said}");
}

#[tokio::test]
async fn a_log_without_its_beginning_is_not_rebuilt() {
    let site = Site::new().await;
    let mut engine = site.start().await;
    let mut load = Load::default();
    load.add("acme", 6);
    load.publish_all(&site.client).await;
    load.wait_for_incidents(&engine).await.unwrap();
    assert!(engine.stop().await.unwrap().success());
    site.lose_beginning().await;

    // What is applied is not lost: the engine goes on.
    let mut engine = site.start().await;
    assert_eq!(engine.incidents("acme").await.unwrap(), 6);
    assert!(engine.stop().await.unwrap().success());
    let first = site.first().await;
    let expected = |first: u64| {
        format!(
            " has to be rebuilt and cannot be: IN begins at message {first}, and what stood before it is lost; restore \
             IN, or the folder `state` of the data directory, from a backup"
        )
    };

    // Without its state a lane would have to begin at the beginning.
    let kept = site.world.path("kept");
    std::fs::rename(site.world.data().join("state"), &kept).unwrap();
    let said = site.refused().await;
    assert!(said.contains(&expected(first)), "{said}");
    // Put back, all is as it was.
    std::fs::remove_dir_all(site.world.data().join("state")).unwrap();
    std::fs::rename(&kept, site.world.data().join("state")).unwrap();
    let mut engine = site.start().await;
    assert_eq!(engine.incidents("acme").await.unwrap(), 6);
    assert!(engine.stop().await.unwrap().success());

    // A seal would drop the state and decide what is left, without organizations.
    let before = site.world.lanes().unwrap();
    assert_eq!(site.api("STREAM.DELETE.OUT", &json!({})).await["success"], true);
    let said = site.refused().await;
    assert!(said.contains(&expected(site.first().await)), "{said}");
    assert_eq!(site.world.lanes().unwrap(), before, "nothing is dropped");
}

/// It cannot be rebuilt then, which is no reason for the others not to go on.
#[tokio::test]
async fn a_lane_that_decides_otherwise_stands_still_alone_though_the_log_has_lost_its_beginning() {
    let site = Site::new().await;
    let mut engine = site.start().await;
    let mut load = Load::default();
    for org in ["acme", "bolt"] {
        load.add(org, 3);
    }
    load.publish_all(&site.client).await;
    load.wait_for_incidents(&engine).await.unwrap();
    assert!(engine.stop().await.unwrap().success());
    site.lose_beginning().await;
    let acme = lane_of("acme", LANES);
    tamper(&site.client, acme).await;

    let mut engine = site.start().await;
    let found = stopped(&engine, acme).await;
    let why = found["why"].as_str().unwrap();
    assert!(why.contains("it leads to another digest than was committed; it cannot be rebuilt"), "{found}");
    assert_eq!(engine.incidents("acme").await.unwrap(), load.incidents()["acme"], "nothing is dropped");
    load.add("bolt", 3);
    load.publish_all(&site.client).await;
    load.wait_for_incidents(&engine).await.unwrap();
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_a_command_would_not_take_the_configuration_does_not_take() {
    let mut world = World::new().unwrap();
    let long = "x".repeat(201);
    let devices = vec!["\"a\""; 1001].join(",\n");
    world.configure(&format!(
        "\n[[organizations]]\nname = \"erle\"\ndisplay_name = \"{long}\"\ndevice_groups = [{{ name = \"core\", devices = \
         [\n{devices}] }}]\n"
    ));
    let mut engine = world.spawn(None, Launch::default()).unwrap();
    assert_eq!(engine.ended().await.code(), Some(2), "{}", engine.log_tail());
    let said = engine.log();
    let place = world.path("linesman.toml").display().to_string();
    let name = format!("{place}:7:16: `display_name` must be a text of 1 to 200 printable characters, not `xxx");
    let list = format!("{place}:8:45: `devices` of a device group has 1001 entries; at most 1000 are allowed");
    assert!(said.contains(&name) && said.contains(&list), "{said}");
}
