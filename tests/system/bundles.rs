//! Bundles through the real server: each type, each kind of broken one to its dead letter, and the
//! broken never stops the good.

use std::collections::{BTreeMap, BTreeSet};

use linesman_schemas::bundle::corpus::specimens;
use linesman_schemas::bundle::{bounds, decode};
use linesman_schemas::dead_letter::INLINE_MOST;
use linesman_tests::{Out, World, event, until};

/// All kinds of faults that the decoder names.
const FAULTS: usize = 24;
/// A good bundle nearly as large as a message may be.
const HUGE: usize = 7 << 20;

/// Bundles that are broken in ways the corpus does not have, each with its fault.
fn more_broken() -> Vec<(&'static str, Vec<u8>)> {
    let good = event("broken-01", 1, "BROKEN", "Low");
    let beside = "</manifest>";
    let attachment = format!("{beside}<attachments><attachment name=\"a\">text<x/></attachment></attachments>");
    let long = format!("<problem-description>{}", "x".repeat(bounds::FIELD));
    let changes = [
        ("wrong-encoding", "UTF-8", "UTF-16"),
        ("trailing-content", "</jmb>", "</jmb><jmb/>"),
        ("bound-exceeded", "<problem-description>", &long),
        ("wrong-root", "jmb", "bundle"),
        ("unknown-version", " version=\"1.0\" type", " version=\"2.0\" type"),
        ("wrong-type", "type=\"event\"", "type=\"alarm\""),
        ("wrong-variant", "type=\"event\"", "type=\"event\" variant=\"information\""),
        ("wrong-origin", "type=\"event\"", "type=\"event\" origin=\"moon\""),
        ("duplicate-field", "<priority>", "<priority>4 - Low</priority><priority>"),
        ("duplicate-section", beside, "</manifest><logs/><logs/>"),
        ("missing-attribute", " type=\"event\"", ""),
        ("malformed-attribute", "<priority>", "<core-file path=\"/var/tmp/core\" size=\"large\"/><priority>"),
        ("malformed-part", beside, &attachment),
    ];
    let mut broken: Vec<(&str, Vec<u8>)> =
        changes.into_iter().map(|(fault, old, new)| (fault, good.replace(old, new).into_bytes())).collect();
    broken.push(("empty", Vec::new()));
    broken
        .push(("bad-utf8", good.replace("secret", "\u{fc}").into_bytes().into_iter().filter(|b| *b != 0xC3).collect()));
    let ascii = good.replace("UTF-8", "us-ascii").replace("secret", "s\u{e9}cret");
    broken.push(("bad-byte", ascii.into_bytes()));
    for (fault, bytes) in &broken {
        assert_eq!(decode(bytes).unwrap_err().fault.name(), *fault);
    }
    broken
}

fn huge() -> String {
    let attachment =
        format!("<attachments><attachment name=\"rsi\">{}</attachment></attachments></jmb>", "x".repeat(HUGE));
    event("huge-01", 1, "HUGE", "Low").replace("</jmb>", &attachment)
}

#[tokio::test]
async fn good_ones_become_incidents_and_broken_ones_dead_letters() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let client = engine.nats().await.unwrap();
    let jetstream = async_nats::jetstream::new(client.clone());
    let publish = async |bytes: Vec<u8>| {
        jetstream.publish("in.acme.jmb.test", bytes.into()).await.unwrap().await.unwrap();
    };
    let (mut faults, mut kinds) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
    let mut seen = BTreeSet::new();
    let mut broken = more_broken().into_iter();
    for specimen in specimens() {
        match (specimen.fault, decode(&specimen.bytes)) {
            (Some(fault), _) => *faults.entry(fault.to_owned()).or_default() += 1,
            (None, Ok(bundle)) if bundle.is_problem() => {
                if seen.insert(bundle.manifest.host_event_id.to_string()) {
                    *kinds.entry(bundle.incident_kind().unwrap().to_owned()).or_default() += 1;
                }
            }
            (None, decoded) => drop(decoded.unwrap()),
        }
        publish(specimen.bytes).await;
        // Between the good ones, so that each has good ones behind it.
        if let Some((fault, bytes)) = broken.next() {
            *faults.entry(fault.to_owned()).or_default() += 1;
            publish(bytes).await;
        }
    }
    assert_eq!(faults.len(), FAULTS, "{faults:?}");
    for last in [huge(), event("last-01", 1, "LAST", "Low")] {
        *kinds.entry("event".to_owned()).or_default() += 1;
        publish(last.into_bytes()).await;
    }
    jetstream.publish("in.nobody.jmb.test", "<jmb/>".into()).await.unwrap().await.unwrap();

    let incidents: usize = kinds.values().sum();
    until("the last bundle is an incident", async || {
        (engine.incidents("acme").await.unwrap() == incidents as u64).then_some(())
    })
    .await;
    let as_engine = engine.nats_as_engine().await.unwrap();
    let out = until("the unknown organization's letter", async || {
        let out = Out::read(&as_engine).await.unwrap();
        let found = out.on("out._unknown.dead.unknown-organization").count() == 1;
        found.then_some(out)
    })
    .await;
    let mut found = BTreeMap::<String, usize>::new();
    for letter in out.on("out.acme.dead.bundle-undecodable") {
        let detail = letter.data["detail"].as_str().unwrap();
        *found.entry(detail.split(':').next().unwrap().to_owned()).or_default() += 1;
        assert!(letter.data["place"]["line"].as_u64().unwrap() >= 1);
        let is_small = letter.data["length"].as_u64().unwrap() <= INLINE_MOST as u64;
        assert_eq!(letter.data["bytes"].is_string(), is_small, "{detail}");
        assert!(letter.data["sequence"].as_u64().unwrap() > 0);
    }
    assert_eq!(found, faults);
    let mut detected = BTreeMap::<String, usize>::new();
    for trigger in out.on("out.acme.trigger.incident.detected") {
        *detected.entry(trigger.data["kind"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(detected, kinds);
    out.events_are_contiguous("acme").unwrap();
    assert!(engine.stop().await.unwrap().success());
}

/// As much as the server takes of one message harms nobody: it is kept or set aside, and the lane goes on.
#[tokio::test]
async fn the_largest_messages_stop_nothing() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let client = engine.nats().await.unwrap();
    let most = client.max_payload() - 2_000;
    let jetstream = async_nats::jetstream::new(client);
    let message = |id: &str, text: usize, serial: usize| {
        serde_json::json!({
            "id": id, "kind": "alert", "title": "t", "issued": "2026-11-21T10:00:00Z", "text": "x".repeat(text),
            "relevance": {"serial_numbers": ["x".repeat(serial)]},
        })
    };
    let bundle = event("edge-01", 1, "LARGE", "Low").replace("</jmb>", &format!("<!--{}--></jmb>", "x".repeat(most)));
    for (kind, payload) in [
        ("intel", message("text", most, 0).to_string()),
        ("intel", message("relevance", 0, most).to_string()),
        ("jmb", bundle.get(..most).unwrap().to_owned()),
        ("jmb", event("edge-01", 2, "SMALL", "Low")),
    ] {
        jetstream.publish(format!("in.acme.{kind}.test"), payload.into()).await.unwrap().await.unwrap();
    }
    until("the small one is an incident", async || (engine.incidents("acme").await.unwrap() == 1).then_some(())).await;
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    let count = |subject: &str| out.on(subject).count();
    assert_eq!(count("out.acme.trigger.intelligence.received"), 1);
    assert_eq!(count("out.acme.dead.intelligence-undecodable"), 1);
    assert_eq!(count("out.acme.dead.bundle-undecodable"), 1);
    let kept = engine.get("/api/v1/intelligence?organization=acme").await.unwrap();
    assert_eq!(kept["items"][0]["text"].as_str().unwrap().len(), most);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}
