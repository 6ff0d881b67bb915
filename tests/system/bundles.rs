//! Bundles through the real server: each type, each kind of broken one to its dead letter, and the
//! broken never stops the good.

use std::collections::BTreeMap;

use linesman_schemas::bundle::corpus::specimens;
use linesman_schemas::bundle::decode;
use linesman_tests::{Out, World, event, until};

#[tokio::test]
async fn good_ones_become_incidents_and_broken_ones_dead_letters() {
    let world = World::new().unwrap();
    let engine = world.start(None).await.unwrap();
    let client = engine.nats().await.unwrap();
    let jetstream = async_nats::jetstream::new(client.clone());
    let (mut incidents, mut faults, mut kinds) =
        (0_u64, BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
    let mut seen = std::collections::BTreeSet::new();
    for specimen in specimens() {
        match (specimen.fault, decode(&specimen.bytes)) {
            (Some(fault), _) => *faults.entry(fault.to_owned()).or_default() += 1,
            (None, Ok(bundle)) if bundle.is_problem() => {
                if seen.insert(bundle.manifest.host_event_id.to_string()) {
                    incidents += 1;
                    *kinds.entry(bundle.incident_kind().unwrap().to_owned()).or_default() += 1;
                }
            }
            (None, decoded) => drop(decoded.unwrap()),
        }
        jetstream.publish("in.acme.jmb.test", specimen.bytes.into()).await.unwrap().await.unwrap();
    }
    let last = event("last-01", 1, "LAST", "Low");
    jetstream.publish("in.acme.jmb.test", last.into()).await.unwrap().await.unwrap();
    jetstream.publish("in.nobody.jmb.test", "<jmb/>".into()).await.unwrap().await.unwrap();

    until("the last bundle is an incident", async || {
        (engine.incidents("acme").await.unwrap() == incidents + 1).then_some(())
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
        assert!(letter.data["bytes"].is_string());
    }
    assert_eq!(found, faults);
    let mut detected = BTreeMap::<String, usize>::new();
    for trigger in out.on("out.acme.trigger.incident.detected") {
        *detected.entry(trigger.data["kind"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    *kinds.entry("event".to_owned()).or_default() += 1;
    assert_eq!(detected, kinds);
}
