//! Policies that listen to the audit hear what people do, once, and stop nobody: not by failing, not over a restart.

use linesman_tests::{Out, World, event, run, until};
use serde_json::json;

/// Tells subscribers of what was done with incidents, and fails where somebody says so.
const TELLS: &str = r#"
policy(#{ on: ["audit.close-incident", "audit.annotate-incident"], where: #{ outcome: "done" } });
fn react(record, org) {
    publish("heard", #{ what: record.operation, about: record.about, who: record.actor, now: record.after.status });
    if record.operation == "close-incident" { throw "nobody closes this"; }
}
"#;
const REFUSED: &str = r#"
policy(#{ on: "audit.*", where: #{ outcome: #{ not: "done" }, operation: "*-incident" } });
fn react(record, org) { publish("refused", #{ what: record.operation, why: record.outcome }); }
"#;

#[tokio::test]
async fn listeners_hear_and_stop_nobody() {
    let world = World::new().unwrap();
    for (name, text) in [("acme/tells", TELLS), ("refused", REFUSED)] {
        world.policy(name, text).unwrap();
    }
    assert_eq!(run(&["check", world.rules().to_str().unwrap()]).await.unwrap().code, Some(0));
    let mut engine = world.start(None).await.unwrap();
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    for org in ["acme", "bolt"] {
        let bundle = event("edge-01", 1, "WORK", "Low");
        log.publish(format!("in.{org}.jmb.test"), bundle.into()).await.unwrap().await.unwrap();
        until("the incident is there", async || engine.get(&format!("/api/v1/incidents/{org}-1")).await.ok()).await;
    }
    let api = engine.api().unwrap();
    for org in ["acme", "bolt"] {
        for (action, body, status) in [
            ("annotate", json!({"note": "seen"}), 200),
            ("close", json!({"note": "done"}), 200),
            ("assign", json!({"owner": "ann"}), 409),
        ] {
            let answer = api.post(&format!("/api/v1/incidents/{org}-1/{action}"), body).await.unwrap();
            assert_eq!(answer.status, status, "{org} {action}: {:?}", answer.body);
        }
        let incident = engine.get(&format!("/api/v1/incidents/{org}-1")).await.unwrap();
        assert_eq!(incident["status"], "completed", "a listener that fails stops nobody");
    }

    let told = async |engine: &linesman_tests::Engine| {
        let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
        let of = |subject: &str| out.on(subject).map(|event| event.data.clone()).collect::<Vec<_>>();
        let actions = |subject: &str| of(subject).iter().map(|data| data["action"].clone()).collect::<Vec<_>>();
        let heard = json!({"what": "annotate-incident", "about": "acme-1", "who": "admin", "now": "unassigned"});
        assert_eq!(actions("out.acme.reaction.heard"), [heard], "what it wanted when it failed is dropped");
        let refused = json!({"what": "assign-incident", "why": "conflict"});
        for org in ["acme", "bolt"] {
            assert_eq!(actions(&format!("out.{org}.reaction.refused")), std::slice::from_ref(&refused), "{org}");
        }
        assert!(actions("out.bolt.reaction.heard").is_empty(), "an organization's own hears nothing of others");
        let letters = of("out.acme.dead.policy-failed");
        assert_eq!(letters.len(), 1);
        let failed = (&letters[0]["policy"]["name"], &letters[0]["policy"]["on"]);
        assert_eq!(failed, (&json!("acme/tells"), &json!("audit.close-incident")));
    };
    told(&engine).await;
    // The lanes are decided anew: nothing is heard a second time.
    assert!(engine.stop().await.unwrap().success());
    world.delete_state().unwrap();
    let mut engine = world.start(None).await.unwrap();
    told(&engine).await;
    assert!(engine.stop().await.unwrap().success());
}
