//! Hostile scripts end in a failure with a name and a place; neither the lane nor other policies stop.

use std::collections::BTreeSet;

use linesman_tests::{Out, World, event, until};

/// Policy, body of its `react`, and the failure it ends in: kind, line and column.
const HOSTILE: [(&str, &str, (&str, u64, u64)); 7] = [
    ("endless-loop", "while org.name != \"\" {}", ("operations", 3, 19)),
    ("endless-catch", "loop { try { loop {} } catch {} }", ("operations", 3, 19)),
    ("deep-recursion", "down(0);", ("depth", 3, 1)),
    ("text-growth", "let s = \"abcdefgh\"; while s != \"\" { s += s; }", ("size", 3, 39)),
    ("list-growth", "let a = [1]; while a.len > 0 { a += a; }", ("size", 3, 20)),
    ("map-growth", "let m = #{}; for i in 0..1000 { m[`k${i}`] = i; }", ("size", 3, 33)),
    ("million-intents", "for i in 0..org.name.len * 100 { log(\"x\"); }", ("intents", 3, 34)),
];
const BUNDLES: u64 = 3;

const GOOD: &str = r#"
policy(#{ on: "incident.detected" });
fn react(incident, org) { publish("NAME", #{ id: incident.id }); }
"#;

#[tokio::test]
async fn hostile_scripts_fail_alone() {
    let world = World::new().unwrap();
    for (name, body, _) in HOSTILE {
        let text = format!(
            "policy(#{{ on: \"incident.detected\" }});\nfn react(incident, org) {{\n{body}\n}}\nfn down(n) {{ down(n + 1) }}\n"
        );
        world.policy(name, &text).unwrap();
    }
    // In order of name one is before them all, and one behind.
    for name in ["a-good", "z-good"] {
        world.policy(name, &GOOD.replace("NAME", name)).unwrap();
    }
    let mut engine = world.start(None).await.unwrap();
    let jetstream = async_nats::jetstream::new(engine.nats().await.unwrap());
    for number in 1..=BUNDLES {
        for org in ["acme", "bolt"] {
            let text = event(&format!("{org}-edge"), number, "HOSTILE", "Low");
            jetstream.publish(format!("in.{org}.jmb.test"), text.into()).await.unwrap().await.unwrap();
        }
    }
    let client = engine.nats_as_engine().await.unwrap();
    for org in ["acme", "bolt"] {
        let subject = format!("out.{org}.reaction.z-good");
        let out = until("the last policy has reacted to the last bundle", async || {
            let out = Out::read(&client).await.unwrap();
            (out.on(&subject).count() as u64 == BUNDLES).then_some(out)
        })
        .await;
        assert_eq!(out.on(&format!("out.{org}.reaction.a-good")).count() as u64, BUNDLES);
        let subject = format!("out.{org}.dead.policy-failed");
        let letters: Vec<_> = out.on(&subject).collect();
        assert_eq!(letters.len() as u64, BUNDLES * HOSTILE.len() as u64);
        let found: BTreeSet<(String, String, u64, u64)> = letters
            .iter()
            .map(|letter| {
                let text = |path: &str| letter.data.pointer(path).unwrap().as_str().unwrap().to_owned();
                let number = |path: &str| letter.data.pointer(path).unwrap().as_u64().unwrap();
                let kind = text("/detail").split(':').next().unwrap().to_owned();
                (text("/policy/name"), kind, number("/place/line"), number("/place/column"))
            })
            .collect();
        let wanted = HOSTILE.map(|(name, _, (kind, line, column))| (name.to_owned(), kind.to_owned(), line, column));
        assert_eq!(found, BTreeSet::from(wanted));
        // What a failed script wanted is not done.
        assert_eq!(out.on(&format!("out.{org}.reaction.log")).count(), 0);
        assert_eq!(engine.incidents(org).await.unwrap(), BUNDLES);
    }
    let metrics = engine.get_text("/metrics").await.unwrap();
    for (kind, policies) in [("operations", 2), ("depth", 1), ("size", 3), ("intents", 1)] {
        let line = format!("linesman_policy_failures_total{{kind=\"{kind}\"}} {}\n", policies * 2 * BUNDLES);
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
    assert!(engine.stop().await.unwrap().success());
}
