//! Hostile scripts end in a failure with a name and a place; neither the lane nor other policies stop.

use std::collections::BTreeSet;

use linesman_tests::{Out, World, event, until};
use serde_json::Value;

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
/// What the interpreter's own library let run on, or passed over, by how it fails.
const LIBRARY: [(&str, &str, &str); 4] = [
    ("callbacks", "ten(|y| b(y)); log(\"slow done\", #{});", "operations"),
    ("padding", "for i in 0..20000 { let t = \"a\"; t.pad(100000 + i, \"xyz\"); } log(\"padded\", #{});", "operations"),
    ("sort-throws", "let l = [3, 1, 2]; l.sort(|a, b| { throw \"no\"; }); log(\"sorted\", #{});", "thrown"),
    ("order-untyped", "let l = [3, 1, 2]; let o = l.order(|a, b| \"x\"); log(\"ordered\", #{ n: o.len });", "thrown"),
];
/// Whom they call: each further one does ten times as much.
const CALLED: &str = "fn down(n) { down(n + 1) }
fn count() { let n = 0; let k = parse_int(\"12000\"); for i in 0..k { n += 1; } n }
fn ten(f) { [1,2,3,4,5,6,7,8,9,10].map(f); 0 }
fn a(x) { ten(|y| count()) }
fn b(x) { ten(|y| a(y)) }
";
/// A filler that fills nothing is none.
const EMPTY_FILLER: &str = r#"
policy(#{ on: "incident.detected" });
fn react(incident, org) { let s = "a"; s.pad(100, ""); publish("padded", #{ s: s }); }
"#;
const BUNDLES: u64 = 3;

const GOOD: &str = r#"
policy(#{ on: "incident.detected" });
fn react(incident, org) { publish("NAME", #{ id: incident.id }); }
"#;

#[tokio::test]
async fn hostile_scripts_fail_alone() {
    let world = World::new().unwrap();
    let bodies = HOSTILE.map(|(name, body, _)| (name, body)).into_iter();
    for (name, body) in bodies.chain(LIBRARY.map(|(name, body, _)| (name, body))) {
        let text =
            format!("policy(#{{ on: \"incident.detected\" }});\nfn react(incident, org) {{\n{body}\n}}\n{CALLED}");
        world.policy(name, &text).unwrap();
    }
    world.policy("empty-filler", EMPTY_FILLER).unwrap();
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
        assert_eq!(letters.len() as u64, BUNDLES * (HOSTILE.len() + LIBRARY.len()) as u64);
        let failed = |letter: &Value| {
            let text = |path: &str| letter.pointer(path).unwrap().as_str().unwrap().to_owned();
            (text("/policy/name"), text("/detail").split(':').next().unwrap().to_owned())
        };
        let found: BTreeSet<(String, String)> = letters.iter().map(|letter| failed(&letter.data)).collect();
        let wanted = HOSTILE.map(|(name, _, (kind, ..))| (name, kind)).into_iter();
        let wanted = wanted.chain(LIBRARY.map(|(name, _, kind)| (name, kind)));
        assert_eq!(found, wanted.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect());
        for letter in &letters {
            let (name, _) = failed(&letter.data);
            let Some((_, _, (_, line, column))) = HOSTILE.iter().find(|(known, ..)| *known == name) else { continue };
            let number = |path: &str| letter.data.pointer(path).unwrap().as_u64().unwrap();
            assert_eq!((number("/place/line"), number("/place/column")), (*line, *column), "{name}");
        }
        let subject = format!("out.{org}.reaction.padded");
        let padded: Vec<_> = out.on(&subject).collect();
        assert_eq!(padded.len() as u64, BUNDLES);
        assert!(padded.iter().all(|padded| padded.data["action"]["s"] == "a"), "{padded:?}");
        // What a failed script wanted is not done.
        assert_eq!(out.on(&format!("out.{org}.reaction.log")).count(), 0);
        assert_eq!(engine.incidents(org).await.unwrap(), BUNDLES);
    }
    let metrics = engine.get_text("/metrics").await.unwrap();
    for (kind, policies) in [("operations", 4), ("depth", 1), ("size", 3), ("intents", 1), ("thrown", 2)] {
        let line = format!("linesman_policy_failures_total{{kind=\"{kind}\"}} {}\n", policies * 2 * BUNDLES);
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
    assert!(engine.stop().await.unwrap().success());
}
