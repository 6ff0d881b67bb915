//! A sick support system: two hundred cases under each of its faults, each opened once in the end, and
//! nobody else is kept waiting.

use linesman_tests::{Engine, Load, Out, Upstream, World, event, until};
use serde_json::{Value, json};

const CASES: usize = 200;

const OPEN_CASE: &str = r#"
policy(#{ on: "incident.detected", where: #{ organization: "acme" } });
fn react(incident, org) { submit_case(#{ synopsis: incident.synopsis }); }
"#;
const SAY: &str = r#"
policy(#{ on: "incident.detected", where: #{ organization: "bolt" } });
fn react(incident, org) { log(`swift ${incident.id}`); publish("swift", #{ id: incident.id }); }
"#;

/// How often a case was asked for so far.
async fn asked(upstream: &Upstream) -> u64 {
    upstream.count().await.unwrap()["requests"]["createSR"].as_u64().unwrap()
}

async fn submitted(engine: &Engine) -> u64 {
    // Seen from outside the log: reading OUT again and again would take longer than the cases.
    let metrics = engine.get_text("/metrics").await.unwrap();
    let line = metrics.lines().find(|line| line.starts_with("linesman_triggers_total{trigger=\"incident.submitted\"}"));
    line.and_then(|line| line.rsplit(' ').next()).map_or(0, |count| count.parse().unwrap())
}

struct Ward {
    upstream: Upstream,
    engine: Engine,
    load: Load,
    bundles: u64,
}

impl Ward {
    async fn suffer(&mut self, fault: &Value) {
        let client = self.engine.nats().await.unwrap();
        let before = asked(&self.upstream).await;
        self.upstream.control(fault).await.unwrap();
        self.load.add("acme", CASES);
        self.load.publish_all(&client).await;
        let wanted = self.load.incidents()["acme"];
        until("the support system is asked, and is sick", async || {
            (asked(&self.upstream).await >= before + 10).then_some(())
        })
        .await;

        self.bundles += 1;
        let text = event("swift-01", self.bundles, "SWIFT", "Low");
        let jetstream = async_nats::jetstream::new(client);
        jetstream.publish("in.bolt.jmb.test", text.into()).await.unwrap().await.unwrap();
        let line = format!("swift bolt-{}\"", self.bundles);
        until("another's reaction is carried out", async || self.engine.log().contains(&line).then_some(())).await;
        assert_eq!(self.engine.incidents("bolt").await.unwrap(), self.bundles);
        assert!(submitted(&self.engine).await < wanted, "{fault}: it was not sick");

        self.upstream.control(&json!({})).await.unwrap();
        until("it is well again and every case submitted", async || {
            (submitted(&self.engine).await >= wanted).then_some(())
        })
        .await;
        let count = self.upstream.count().await.unwrap();
        assert_eq!(count["cases"], wanted, "{fault}");
        assert!(count["cases_by_tracking"].as_object().unwrap().values().all(|count| count == 1), "{fault}: {count}");
    }
}

#[tokio::test]
async fn each_case_is_opened_once_whatever_it_suffers_from() {
    let mut world = World::new().unwrap();
    world.configure(
        "\n[settings]\nretry_base_s = 1\nretry_most_s = 1\ncircuit_rest_s = 1\ncircuit_rest_most_s = 1\ncase_poll_s = 1\n",
    );
    world.policy("open-case", OPEN_CASE).unwrap();
    world.policy("say", SAY).unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let engine = world.start(Some(&upstream)).await.unwrap();
    let mut ward = Ward { upstream, engine, load: Load::default(), bundles: 0 };
    for fault in [
        json!({"status": 500, "only": "createSR"}),
        json!({"status": 503, "only": "createSR"}),
        json!({"status": 429, "retry_after_s": 1, "only": "createSR"}),
        // Longer than the engine waits.
        json!({"delay_ms": 1_500, "only": "createSR"}),
        json!({"drop_after_accept": true, "only": "createSR"}),
        json!({"garbage": true, "only": "createSR"}),
    ] {
        ward.suffer(&fault).await;
    }
    let duplicates = ward.upstream.count().await.unwrap()["duplicates_prevented"].as_u64().unwrap();
    assert!(duplicates >= 3, "some were opened and asked for again: {duplicates}");
    let out = Out::read(&ward.engine.nats().await.unwrap()).await.unwrap();
    ward.load.check(&out).unwrap();
    assert_eq!(out.on("out.acme.trigger.incident.submitted").count(), 6 * CASES);
    assert_eq!(out.on("out.bolt.reaction.swift").count(), 6);
    assert!(ward.engine.stop().await.unwrap().success());
}

/// What an upstream bears in an hour is never passed, and a restart does not begin the hour anew.
#[tokio::test]
async fn an_hour_has_only_so_many_requests() {
    const MOST: u64 = 20;
    const BUNDLES: usize = 40;
    let mut world = World::new().unwrap();
    world.configure("\n[settings]\ncase_poll_s = 3600\n");
    world.policy("open-case", OPEN_CASE).unwrap();
    world.policy("say", SAY).unwrap();
    let mut upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    upstream.requests_per_hour = u32::try_from(MOST).unwrap();
    let requests = async || {
        let count = upstream.count().await.unwrap();
        count["requests"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum::<u64>()
    };
    let mut before = 0;
    for round in 1..=2 {
        let mut engine = world.start(Some(&upstream)).await.unwrap();
        let client = engine.nats().await.unwrap();
        let mut load = Load::behind(round * 1_000);
        load.add("acme", BUNDLES);
        load.publish_all(&client).await;
        let text = event("swift-01", round, "SWIFT", "Low");
        async_nats::jetstream::new(client).publish("in.bolt.jmb.test", text.into()).await.unwrap().await.unwrap();
        let line = format!("swift bolt-{round}\"");
        until("another destination has its reaction", async || engine.log().contains(&line).then_some(())).await;
        until("the upstream has what it bears", async || (requests().await > MOST / 4).then_some(())).await;
        assert!(engine.stop().await.unwrap().success());
        let now = requests().await;
        assert!(now <= MOST, "round {round}: {now} requests");
        assert!(round == 1 || now == before, "round {round}: {now} requests, {before} before");
        before = now;
    }
}
