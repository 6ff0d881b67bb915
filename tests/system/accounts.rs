//! The examples of `docs/nats.md`: an engine on a server set up so, its publishers and subscribers, and two
//! organizations tried against each other.

use std::time::Duration;

use async_nats::jetstream::{self, consumer};
use async_nats::{Client, HeaderMap};
use futures_util::StreamExt;
use linesman::embedded::{PUBLIC_PUBLISH, PUBLIC_SUBSCRIBE};
use linesman_tests::{
    Engine, Launch, Outsider, Server, World, block, event, refused_publish, refused_subscription, until,
};
use serde_json::{Value, json};

const DOCUMENT: &str = "docs/nats.md";
/// How long a consumer waits for a message.
const PATIENCE: Duration = Duration::from_secs(60);

async fn engine_on(world: &World, server: &Server) -> Engine {
    let url = server.url("linesman", "engine-secret");
    world.start_with(None, Launch { flags: &["--nats", &url], ..Launch::default() }).await.unwrap()
}

/// Publishes a bundle and reads its trigger with a consumer of OUT.
async fn carry(client: &Client, org: &str, number: u64) {
    let jetstream = jetstream::new(client.clone());
    let text = event(&format!("{org}-edge"), number, "ACCOUNTS", "Low");
    let stored = jetstream.publish(format!("in.{org}.jmb.edge-01"), text.into()).await.unwrap().await.unwrap();
    assert_eq!(stored.stream, "IN");
    let config = consumer::pull::Config {
        durable_name: Some("mine".to_owned()),
        filter_subject: format!("out.{org}.trigger.>"),
        ..Default::default()
    };
    let mut consumer = jetstream.get_stream("OUT").await.unwrap().create_consumer(config).await.unwrap();
    let message =
        consumer.batch().max_messages(1).expires(PATIENCE).messages().await.unwrap().next().await.unwrap().unwrap();
    assert_eq!(message.subject.as_str(), format!("out.{org}.trigger.incident.detected"));
    assert!(String::from_utf8_lossy(&message.payload).contains(&format!("{org}-edge-SN{org}-edge-20261121-101502-")));
    message.double_ack().await.unwrap();
    assert_eq!(consumer.info().await.unwrap().ack_floor.consumer_sequence, number);
}

#[tokio::test]
async fn one_login_for_all_is_as_the_embedded_server_has_it() {
    let text = block(DOCUMENT, "nats", "# one-login.conf").unwrap();
    for subject in PUBLIC_PUBLISH.into_iter().chain(PUBLIC_SUBSCRIBE) {
        // In an export, an import and the permissions; what is heard is exported as a stream.
        assert_eq!(text.matches(&format!("\"{subject}\"")).count(), 3, "{subject}");
    }
    let variables = [("LINESMAN_PASSWORD", "engine-secret"), ("PUBLIC_PASSWORD", "public-secret")];
    let server = Server::start(&text, &variables).await.unwrap();
    let world = World::new().unwrap();
    let mut engine = engine_on(&world, &server).await;
    let public = Outsider::connect(&server.url("public", "public-secret")).await.unwrap();
    carry(&public.client, "acme", 1).await;
    let forbidden = ["in.acme.cmd.x", "w._mark.0", "$JS.API.STREAM.DELETE.IN", "$JS.API.STREAM.MSG.GET.IN"];
    for subject in forbidden {
        public.client.publish(subject, "{}".into()).await.unwrap();
    }
    assert_eq!(public.refusals().await.unwrap(), forbidden.map(refused_publish));
    assert!(engine.stop().await.unwrap().success());
}

/// An organization's two logins.
struct Tenant {
    org: &'static str,
    outsider: Outsider,
}

impl Tenant {
    async fn connect(server: &Server, org: &'static str) -> Self {
        let url = server.url(&format!("{org}-admin"), &format!("{org}-admin-secret"));
        let admin = Outsider::connect(&url).await.unwrap().client;
        let copy = block(DOCUMENT, "json", "{\n  \"name\": \"OUT\"").unwrap().replace("acme", org);
        let made = admin.request("$JS.API.STREAM.CREATE.OUT", copy.into()).await.unwrap();
        let made: Value = serde_json::from_slice(&made.payload).unwrap();
        assert_eq!(made["did_create"], true, "{made}");
        let outsider = Outsider::connect(&server.url(org, &format!("{org}-secret"))).await.unwrap();
        Self { org, outsider }
    }

    /// Tries everything that would reach the other.
    async fn attack(&self, other: &str) {
        let client = &self.outsider.client;
        let own = self.org;
        let places = [
            format!("in.{other}.jmb.x"),
            format!("in.{other}.intel.x"),
            format!("out.{other}.trigger.incident.detected"),
            format!("copy.{other}.x"),
            format!("copy.{own}.x"),
            format!("linesman.CONSUMER.CREATE.OUT.x.out.{own}.>"),
            format!("linesman.CONSUMER.CREATE.OUT.x.out.{other}.>"),
            "$JS.API.STREAM.CREATE.X".to_owned(),
            "$JS.API.STREAM.UPDATE.OUT".to_owned(),
            "$JS.API.STREAM.INFO.IN".to_owned(),
            "$JS.API.CONSUMER.CREATE.IN".to_owned(),
            "$JS.API.CONSUMER.LIST.OUT".to_owned(),
            "w._mark.0".to_owned(),
            format!("in.{own}.cmd.x"),
            format!("in.{own}.result.jss"),
            "in.nobody.jmb.x".to_owned(),
            "$SYS.REQ.SERVER.PING".to_owned(),
        ];
        for place in &places {
            client.publish(place.clone(), event("thief", 1, "THEFT", "Low").into()).await.unwrap();
        }
        assert_eq!(self.outsider.refusals().await.unwrap(), places.each_ref().map(|place| refused_publish(place)));
        let ears = [">".to_owned(), "in.>".to_owned(), "p.>".to_owned(), format!("copy.{other}.>"), "$JS.>".to_owned()];
        for ear in &ears {
            client.subscribe(ear.clone()).await.unwrap();
        }
        assert_eq!(self.outsider.refusals().await.unwrap(), ears.each_ref().map(|ear| refused_subscription(ear)));

        // Replies and deliveries that the server would write where the login may not.
        for place in places {
            client.publish_with_reply("$JS.API.STREAM.INFO.OUT", place.clone(), "".into()).await.unwrap();
            client.publish_with_reply(format!("in.{own}.jmb.x"), place.clone(), "no bundle".into()).await.unwrap();
            let config = json!({"deliver_subject": place, "ack_policy": "none"});
            let body = json!({"stream_name": "OUT", "config": config}).to_string();
            client.request("$JS.API.CONSUMER.CREATE.OUT", body.into()).await.unwrap();
        }
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Expected-Stream", "OUT");
        let answer = client.request_with_headers(format!("in.{own}.jmb.x"), headers, "".into()).await.unwrap();
        assert!(String::from_utf8_lossy(&answer.payload).contains("10060"), "{answer:?}");
    }
}

#[tokio::test]
async fn nothing_crosses_from_one_organization_to_another() {
    let text = block(DOCUMENT, "nats", "# accounts.conf").unwrap();
    let variables = [
        ("LINESMAN_PASSWORD", "engine-secret"),
        ("ACME_PASSWORD", "acme-secret"),
        ("ACME_ADMIN_PASSWORD", "acme-admin-secret"),
        ("BOLT_PASSWORD", "bolt-secret"),
        ("BOLT_ADMIN_PASSWORD", "bolt-admin-secret"),
    ];
    let server = Server::start(&text, &variables).await.unwrap();
    let world = World::new().unwrap();
    let mut engine = engine_on(&world, &server).await;
    let acme = Tenant::connect(&server, "acme").await;
    let bolt = Tenant::connect(&server, "bolt").await;
    let mut ears = Vec::new();
    for tenant in [&acme, &bolt] {
        for subject in ["out.>", "_INBOX.>", "out.bolt.trigger.incident.detected", "out.acme.trigger.incident.detected"]
        {
            ears.push((tenant, tenant.outsider.client.subscribe(subject).await.unwrap()));
        }
        assert_eq!(tenant.outsider.refusals().await.unwrap(), [""; 0]);
    }

    carry(&acme.outsider.client, "acme", 1).await;
    carry(&bolt.outsider.client, "bolt", 1).await;
    let before = (engine.incidents("acme").await.unwrap(), engine.incidents("bolt").await.unwrap());
    acme.attack("bolt").await;
    bolt.attack("acme").await;
    carry(&acme.outsider.client, "acme", 2).await;
    carry(&bolt.outsider.client, "bolt", 2).await;
    for (org, before) in [("acme", before.0), ("bolt", before.1)] {
        until("the second is an incident", async || (engine.incidents(org).await.unwrap() == before + 1).then_some(()))
            .await;
    }
    for (tenant, mut subscription) in ears {
        subscription.unsubscribe().await.unwrap();
        let other = if tenant.org == "acme" { "bolt" } else { "acme" };
        while let Some(message) = subscription.next().await {
            let text = String::from_utf8_lossy(&message.payload);
            assert!(!text.contains(&format!("{other}-edge")) && !text.contains("<jmb"), "{message:?}");
        }
        let out = jetstream::new(tenant.outsider.client.clone()).get_stream("OUT").await.unwrap();
        assert!(out.cached_info().state.messages >= 2);
    }
    assert!(engine.stop().await.unwrap().success());
}
