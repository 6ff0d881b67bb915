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
    let event = network.lane.on("acme.audit.activate-subscription").pop().unwrap();
    assert_eq!(event.data["actor"], "begin");
    let place: linesman_schemas::Place = "acme/berlin/line-1".parse().unwrap();
    let name = "guard".parse().unwrap();
    let (_, row) = crate::activations::at(&network.lane.base, &place, &name).next().unwrap().unwrap();
    let by: BTreeSet<&str> = row.substitutions.iter().map(|given| given.by.as_str()).chain([row.by.as_str()]).collect();
    assert_eq!(by, BTreeSet::from(["policy begin"]), "no person of that name");
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

#[test]
fn of_several_lines_of_a_device_the_one_is_meant_whose_addresses_hold_what_is_given() {
    let hole = [
        (
            "service.toml",
            "title = \"Hole\"\n[parameters]\n\
             victim = { type = \"address\", constraint = \"victim in interface_networks\" }\n",
        ),
        ("main.j2", "routing-options { static { route {{ victim }}/32 discard; } }\n"),
    ];
    let policy = |victim: &str| {
        format!(
            "policy(#{{ on: \"incident.detected\", where: #{{ priority: \"High\" }} }});\n\
             fn react(incident, org) {{ service(\"hole\").activate(#{{ victim: \"{victim}\" }}); }}"
        )
    };
    let mut network = Network::with(vec![service("hole", &hole)]);
    network.does(&subscribe("acme", "hole", "hole", &[], false));
    for (line, addresses) in
        [("line-1", json!(["192.0.2.1/28"])), ("line-2", json!(["198.51.100.1/28", "2001:db8::1/64"]))]
    {
        let place = format!("acme/berlin/{line}");
        network.does(&json!({"set_place": {"place": place, "device": "edge", "addresses": addresses}}));
    }
    for (number, victim, line) in [(1, "192.0.2.7", "line-1"), (2, "198.51.100.7", "line-2")] {
        let text = policy(victim);
        network.lane.rules(number + 1, &[("hole", text.as_str())], Settings::default());
        network.lane.bundle("acme", "edge", number, "High");
        network.settle();
        assert_eq!(network.states(&format!("acme/berlin/{line}")), ["active"], "{victim}");
    }
    let text = policy("203.0.113.7");
    network.lane.rules(4, &[("hole", text.as_str())], Settings::default());
    network.lane.bundle("acme", "edge", 3, "High");
    let letters = network.lane.on("acme.dead.policy-failed");
    assert!(letters[0].data["detail"].as_str().unwrap().contains("is tied to several places"), "{letters:?}");
}

#[test]
fn what_a_policy_activated_it_ends_whatever_lines_and_addresses_the_device_has_by_then() {
    let hole = [
        (
            "service.toml",
            "title = \"Hole\"\n[parameters]\n\
             victim = { type = \"address\", constraint = \"victim in interface_networks\" }\n",
        ),
        ("main.j2", "routing-options { static { route {{ victim }}/32 discard; } }\n"),
    ];
    let policy = |priority: &str, verb: &str| {
        format!(
            "policy(#{{ on: \"incident.detected\", where: #{{ priority: \"{priority}\" }} }});\n\
             fn react(incident, org) {{ service(\"hole\").{verb}(#{{ victim: \"192.0.2.10\" }}); }}"
        )
    };
    let (begin, end) = (policy("High", "activate"), policy("Low", "deactivate"));
    let mut network = Network::with(vec![service("hole", &hole)]);
    network.lane.rules(2, &[("begin", begin.as_str()), ("end", end.as_str())], Settings::default());
    network.does(&subscribe("acme", "hole", "hole", &[], false));
    let set = |line: &str, addresses: Value| json!({"set_place": {"place": format!("acme/berlin/{line}"), "device": "edge", "addresses": addresses}});
    network.does(&set("line-1", json!(["192.0.2.1/24"])));
    network.does(&set("line-2", json!(["198.51.100.1/24"])));
    network.lane.bundle("acme", "edge", 1, "High");
    network.lane.work();
    network.settle();
    assert_eq!(network.texts("SNedge").len(), 1);
    network.does(&set("line-1", json!(["192.0.2.1/29"])));
    assert!(network.states("acme/berlin/line-1")[0].starts_with("failed"));
    network.lane.bundle("acme", "edge", 2, "Low");
    network.lane.work();
    network.settle();
    assert!(network.lane.on("acme.dead.policy-failed").is_empty());
    assert!(network.devices.is_empty(), "{:?}", network.devices);
}
