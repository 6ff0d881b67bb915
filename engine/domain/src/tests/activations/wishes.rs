//! What policies wish of services.

use super::*;

/// Policies that have a service activated while a device is attacked.
const DEFENCE: [(&str, &str); 2] = [
    (
        "begin",
        "policy(#{ on: \"incident.detected\", where: #{ priority: \"High\" } });\n\
         fn react(incident, org) { service(\"limit\").activate(#{ rate: 5000, burst: 3000 }); }",
    ),
    (
        "end",
        "policy(#{ on: \"incident.detected\", where: #{ priority: \"Low\" } });\n\
         fn react(incident, org) { service(\"limit\").deactivate(#{ rate: 5000, burst: 3000 }); }",
    ),
];

#[test]
fn a_policy_activates_a_service_for_the_line_that_the_device_serves_and_ends_it() {
    let mut network = Network::new();
    network.lane.rules(2, &DEFENCE, Settings::default());
    network.does(&json!({"set_place": {"place": "acme/berlin/line-1", "device": "edge"}}));
    network.lane.bundle("acme", "edge", 1, "High");
    let dead = |network: &Network| {
        let letters = network.lane.on("acme.dead.policy-failed");
        letters.iter().map(|letter| letter.data["detail"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(dead(&network), ["refused: nobody is subscribed to `limit` at `acme/berlin/line-1`, nor above it"]);
    network.does(&subscribe("acme", "guard", "limit", &[], false));
    network.lane.bundle("acme", "edge", 2, "High");
    network.settle();
    assert_eq!(network.texts("SNedge"), ["firewall { policer line-1 { rate 5000; burst 3000; } }"]);
    let (subject, event) = network.lane.events.iter().rfind(|(subject, _)| subject.contains(".audit.")).unwrap();
    assert_eq!((subject.as_str(), &event.data["actor"]), ("acme.audit.activate-subscription", &json!("begin")));
    network.told.clear();
    network.lane.bundle("acme", "edge", 3, "High");
    network.settle();
    assert!(network.told.is_empty(), "it is active already");
    network.lane.bundle("acme", "edge", 4, "Low");
    network.settle();
    assert!(network.devices.is_empty());
    network.does(&json!({"set_place": {"place": "acme/berlin/line-2", "device": "SNedge"}}));
    network.lane.bundle("acme", "edge", 5, "High");
    assert_eq!(
        dead(&network)[1],
        "refused: the device `SNedge` is tied to several places (`acme/berlin/line-1`, `acme/berlin/line-2`); \
         name one with `.at(...)`"
    );
    network.does(&values("acme", &["!rate=1k"]));
    network.does(&json!({"set_place": {"place": "acme/berlin/line-2", "device": ""}}));
    network.lane.bundle("acme", "edge", 6, "High");
    assert_eq!(dead(&network)[2], "refused: `rate` is fixed by `acme`, and nobody below substitutes it");
    assert!(network.devices.is_empty());
}

#[test]
fn policies_of_one_organization_activate_nothing_of_another() {
    let mut network = Network::new();
    network.lane.organization("bolt", "Send all information");
    let steals = "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { service(\"limit\").at(\"acme/berlin\").activate(#{ burst: 1 }); }";
    network.lane.rules(2, &[("bolt/steals", steals), ("all", steals)], Settings::default());
    network.does(&subscribe("acme", "limit", "limit", &[], false));
    network.lane.bundle("bolt", "edge", 1, "High");
    network.lane.work();
    assert!(network.lane.pending().is_empty() && network.parts().is_empty());
    assert_eq!(network.lane.on("bolt.dead.policy-failed").len(), 2);
}
