//! What is documented is seen: one scenario makes every message of the published documents happen.
//!
//! Whoever documents a new kind of message adds what makes it happen here. Commands need nothing: the example of
//! each is sent.

use async_nats::Client;
use async_nats::jetstream::{self, Context};
use linesman_tests::{Documents, Engine, Out, Upstream, World, event, until};
use serde_json::json;

use crate::activations;

const OPEN_CASE: &str = r#"
policy(#{ on: "incident.detected", where: #{ event_type: "CASE" } });
fn react(incident, org) { submit_case(#{ synopsis: incident.synopsis }); }
"#;
const TICKET: &str = r#"
policy(#{ on: "case.assigned" });
fn react(update, org) { publish("ticket", #{ incident: update.id }); }
"#;
const NOTE: &str = r#"
policy(#{ on: "intelligence.received" });
fn react(message, org) { log(message.title); }
"#;
const BROKEN: &str = r#"
policy(#{ on: "incident.detected", where: #{ event_type: "BROKEN" } });
fn react(incident, org) { throw "broken"; }
"#;

/// What no engine loads.
const REFUSED: &str = "policy(";

/// The scenario's stage: an engine, and a client that may publish everything.
struct Stage {
    engine: Engine,
    upstream: Upstream,
    client: Client,
    log: Context,
}

impl Stage {
    async fn publish(&self, subject: &str, payload: &str) {
        self.log.publish(subject.to_owned(), payload.to_owned().into()).await.unwrap().await.unwrap();
    }

    /// Waits until OUT has so many events on a subject.
    async fn wait(&self, subject: &str, count: usize) {
        let what = format!("{count} events on {subject}");
        until(&what, async || (Out::read(&self.client).await.unwrap().on(subject).count() >= count).then_some(()))
            .await;
    }

    /// A case from bundle to its end, and an intelligence message.
    async fn follow_a_case(&self) {
        self.publish("in.acme.jmb.test", &event("edge-01", 1, "CASE", "2 - High")).await;
        self.wait("out.acme.reaction.ticket", 1).await;
        self.upstream.control(&json!({"update": {"tracking": "acme-1", "status": "Closed"}})).await.unwrap();
        self.wait("out.acme.trigger.case.updated", 1).await;
        for example in Documents::published().unwrap().examples("intel") {
            self.publish("in.acme.intel.test", &example.to_string()).await;
        }
        self.wait("out.acme.reaction.log", 1).await;
    }

    /// Everything that is set aside, each for its reason.
    async fn set_aside(&self) {
        for kind in ["jmb", "intel", "cmd", "result", "weather"] {
            self.publish(&format!("in.bolt.{kind}.test"), "{").await;
        }
        let stranger = json!({"case_changed": {
            "incident": "bolt-99", "case_id": "C-1", "status": "Open", "link": null, "updated": "2026-11-21T10:15:02Z",
        }});
        self.publish("in.bolt.result.jss", &stranger.to_string()).await;
        self.publish("in.nobody.jmb.test", &event("edge-01", 1, "CASE", "Low")).await;
        self.publish("in.bolt.jmb.*", "no lane reads it").await;
        self.publish("p.0.ctl", "{").await;
        self.publish("p.0.ctl", "\"tick\"").await;
        self.publish("in.bolt.jmb.test", &event("edge-02", 1, "BROKEN", "Low")).await;
        self.upstream.control(&json!({"status": 400, "only": "createSR"})).await.unwrap();
        self.publish("in.bolt.jmb.test", &event("edge-02", 2, "CASE", "Low")).await;
        self.wait("out.bolt.dead.reaction-failed", 1).await;
        self.upstream.control(&json!({})).await.unwrap();
        self.wait("out._unknown.dead.unknown-organization", 1).await;
        self.wait("out._unknown.dead.unknown-subject", 1).await;
        self.wait("out._provider.dead.command-undecodable", 1).await;
    }

    /// A line's device is to be configured.
    async fn configure(&self) {
        for verb in [
            json!({"set_place": {"place": "bolt/oslo"}}),
            json!({"set_place": {"place": "bolt/oslo/line-1", "device": "SNpe-1"}}),
            json!({"set_subscription": {"place": "bolt", "name": "cap", "service": "limit", "substitutions": ["burst=1k"],
                "active": true}}),
        ] {
            activations::ask(&self.client, "bolt", verb).await;
        }
        self.wait("out.bolt.reaction.device", 1).await;
    }

    /// Several events of one subject in one commit.
    async fn gather(&self) {
        self.engine.hold(true).unwrap();
        for number in 1..=8 {
            self.publish("in.cobalt.jmb.test", &event("edge-03", number, "MANY", "Low")).await;
        }
        self.engine.hold(false).unwrap();
        self.wait("out.cobalt.trigger.incident.detected", 8).await;
    }

    /// Every command as its example has it; the suspension is told apart by what follows it.
    async fn command(&self) {
        for example in Documents::published().unwrap().examples("cmd") {
            self.publish("in.acme.cmd.test", &example.to_string()).await;
        }
        self.publish("in.acme.jmb.test", &event("edge-01", 2, "LATE", "Low")).await;
        self.wait("out.acme.dead.organization-suspended", 1).await;
    }

    /// The same of an organization that does not exist, beyond its bounds where it would make it; then what the
    /// provider is asked.
    async fn command_nobody(&self) {
        for mut example in Documents::published().unwrap().examples("cmd") {
            if let Some(name) = example.pointer_mut("/verb/set_organization/display_name") {
                *name = json!("x".repeat(201));
            }
            self.publish("in.nobody.cmd.test", &example.to_string()).await;
        }
        for example in Documents::published().unwrap().examples("ctl") {
            if example.get("command").is_some()
                || example.get("cursor").is_some()
                || example == "continue"
                || example == "continue_alone"
            {
                self.publish("p.0.ctl", &example.to_string()).await;
            }
        }
        let verbs = [
            json!({"set_group": {"group": "night"}}),
            json!({"set_log_level": {"old": "info", "new": "debug"}}),
            json!({"pin_upstream": {"url": "https://partner.example", "new": format!("sha256:{}", "ab".repeat(32))}}),
            json!({"clear_place": {"place": "acme/berlin", "rule_book": 1}}),
            json!({"load_section": {"section": "directory", "hash": "ab".repeat(32)}}),
            json!({"remove_group": {"group": "night"}}),
        ];
        for (number, verb) in verbs.into_iter().enumerate() {
            let admin = json!({"kind": "provider", "name": "admin"});
            let command = json!({"id": format!("asked-{number}"), "principal": admin, "node": "n", "verb": verb});
            self.publish("p.0.ctl", &json!({"command": command}).to_string()).await;
        }
        let message = json!({"id": "TSB1", "kind": "alert", "title": "t", "issued": "2026-11-21T10:00:00Z"});
        let answer = self.engine.api().unwrap().post("/api/v1/intelligence", message).await.unwrap();
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        self.wait("out._provider.audit.suspend-organization", 1).await;
        self.wait("out._provider.audit.remove-group", 1).await;
    }
}

#[tokio::test]
async fn every_documented_message_is_seen() {
    let mut world = World::new().unwrap();
    world.configure("\n[settings]\ncase_poll_s = 1\n\n[audit]\ncheckpoint_s = 1\n");
    for (name, text) in [
        ("open-case", OPEN_CASE),
        ("ticket", TICKET),
        ("note", NOTE),
        ("broken", BROKEN),
        ("refused", REFUSED),
        ("acme/refused", REFUSED),
    ] {
        world.policy(name, text).unwrap();
    }
    activations::service(&world);
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let engine = world.start(Some(&upstream)).await.unwrap();
    let client = engine.nats_as_engine().await.unwrap();
    let mut stage = Stage { engine, upstream, log: jetstream::new(client.clone()), client };
    stage.follow_a_case().await;
    stage.set_aside().await;
    stage.configure().await;
    stage.gather().await;
    stage.command().await;
    stage.command_nobody().await;
    for whose in ["acme", "_provider"] {
        stage.wait(&format!("out.{whose}.audit.checkpoint"), 1).await;
    }
    let seen = stage.engine.seen().await.unwrap();
    assert!(seen.batches > 0, "no message had several events");
    assert!(stage.engine.stop().await.unwrap().success());

    // A log that is another than the state's seals its lanes.
    std::fs::remove_dir_all(world.data().join("nats")).unwrap();
    let mut engine = world.start(Some(&stage.upstream)).await.unwrap();
    let again = engine.seen().await.unwrap();
    assert!(engine.stop().await.unwrap().success());

    let documented = Documents::published().unwrap().kinds();
    let is_unseen = |kind: &&String| !seen.kinds.contains(*kind) && !again.kinds.contains(*kind);
    // Logs below level 5 alone say so; `tests/recorded` has them.
    let is_of_before = |kind: &&String| kind.starts_with("out._provider.audit.load-section:");
    // What an engine of another mode says, and one in a cascade: `modes.rs`, `partner.rs` and `tests/cascade` have them.
    let is_of_others = |kind: &&String| {
        [
            "out.{organization}.dead.device-limit:",
            // `stopped.rs` and `set_aside.rs` have them.
            "out.{organization}.dead.input-skipped:",
            "out._unknown.dead.input-skipped:",
            "out._provider.dead.input-skipped:",
            "out._provider.audit.skip-input:",
            "out._provider.audit.skip-timer:",
            "out._provider.audit.set-policy-aside:",
            "out._provider.audit.suspend-policy:",
            "out._provider.audit.rejudge-lane:",
            "out._override.{lane}:",
            "out.{organization}.reaction.partner:",
            "out.{organization}.trigger.incident.reported-by-end-customer:",
            // `quotas.rs` has them, and the domain's own tests.
            "out.{organization}.dead.over-quota:",
            "out.{organization}.trigger.quota.",
            // `changed.rs` has it.
            "out.{organization}.trigger.case.withheld:",
            // `addresses.rs` has them, and the domain's own tests.
            "out.{organization}.trigger.incident.without-address:",
            "out.{organization}.trigger.contract.expiring:",
            "out.{organization}.trigger.device.silent:",
            // `collecting.rs` has them.
            "out.{organization}.trigger.device.state-changed:",
            // `drifted.rs` has them.
            "out.{organization}.trigger.configuration.drifted:",
            // `waves.rs` has them.
            "out.{organization}.trigger.configuration.held:",
            "out.{organization}.audit.hold-configuration:",
            // `pushed.rs` and `drifted.rs` have them.
            "out.{organization}.audit.configure-device:",
            "out.{organization}.audit.accept-drift:",
            "in.{organization}.result.{connector}: result.group-read",
            "in.{organization}.result.{connector}: result.device-stands",
            "in.{organization}.result.{connector}: result.jmb-",
            // `gathered.rs` has it, and the domain's own tests.
            "in.{organization}.result.{connector}: result.gathering-stands",
            "out.{organization}.trigger.collection.switched:",
            // `larger.rs` has them.
            "in.{organization}.result.{connector}: result.bundle-kept",
            "in.{organization}.result.{connector}: result.files-named",
            "in.{organization}.result.{connector}: result.file-tried",
            // `device_scripts.rs` has them.
            "in.{organization}.result.{connector}: result.scripts-stand",
            "out.{organization}.audit.change-scripts:",
            // `matched.rs` has them.
            "out.{organization}.trigger.intelligence.matched:",
            "out.{organization}.trigger.end-of-life.matched:",
            "out.{organization}.trigger.bug-notice.",
            "out.{organization}.trigger.exposure.new:",
            "out._provider.trigger.intelligence.matched:",
            "out._provider.trigger.end-of-life.matched:",
            "out._provider.trigger.bug-notice.",
            "out._provider.trigger.exposure.new:",
            // `sent.rs` has them.
            "out._provider.audit.associate-intelligence:",
            "out._provider.audit.dissociate-intelligence:",
            "out._provider.audit.send-intelligence:",
            "out._provider.audit.recall-intelligence:",
            // `approvals.rs` has it, and `sent/approved.rs`.
            "out.{organization}.trigger.approval.required:",
            "out._provider.trigger.approval.required:",
            "out._provider.audit.load-installation:",
            "out._provider.audit.take-up-installation:",
            // What runs out: `licences.rs`, and the domain's own tests.
            "p.{lane}.ctl: control.expiry",
            // What lanes are handed: `provided.rs`.
            "p.{lane}.ctl: control.intelligence",
            // What clocks say: `clocks.rs`.
            "p.{lane}.ctl: control.clock",
            "out._provider.audit.confirm-clock:",
            "out._provider.trigger.licence.",
            "out._provider.trigger.partner.",
            "out._provider.reaction.",
            "out._provider.dead.policy-failed:",
            "out._provider.dead.reaction-failed:",
        ]
        .iter()
        .any(|front| kind.starts_with(front))
    };
    let missing: Vec<_> =
        documented.iter().filter(is_unseen).filter(|kind| !is_of_before(kind) && !is_of_others(kind)).collect();
    assert!(
        missing.is_empty(),
        "documented, but never seen: {missing:#?}\nlet the scenario in tests/system/documented.rs make it happen, or \
         take it out of schemas/tests/published/catalog.rs and run `make schemas`"
    );
}
