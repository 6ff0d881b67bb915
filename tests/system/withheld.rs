//! What leaves at each filter level, as the support system sees it.

use std::collections::BTreeMap;

use linesman_tests::{Upstream, World, event, until};
use serde_json::Value;

/// A policy that tells all it knows.
const TELL_ALL: &str = r#"
policy(#{ on: "incident.detected" });
fn react(incident, org) {
    submit_case(#{
        synopsis: `${incident.device.host_name} said: ${incident.synopsis}`,
        comments: incident.description,
        cc: ["noc@partner.example"],
    });
}
"#;

const LEVELS: [(&str, &str); 5] = [
    ("acme", "Send all information"),
    ("bolt", "Send all information except configuration"),
    ("cobalt", "Send all information with IP addresses overwritten"),
    ("dory", "Do not send"),
    ("erle", "Only send list of features used"),
];

#[tokio::test]
async fn only_what_the_filter_level_allows_leaves() {
    let mut world = World::new().unwrap();
    for (org, level) in LEVELS {
        world.organization(org, level);
    }
    world.policy("tell-all", TELL_ALL).unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    let jetstream = async_nats::jetstream::new(engine.nats().await.unwrap());
    // The one that sends nothing first, so that it has had its time when the others have arrived.
    for org in ["dory", "acme", "bolt", "cobalt", "erle"] {
        let text = event(&format!("{org}-edge"), 1, "LEVEL", "1 - Critical");
        jetstream.publish(format!("in.{org}.jmb.test"), text.into()).await.unwrap().await.unwrap();
    }
    until("four cases", async || (upstream.cases().await.unwrap() >= 4).then_some(())).await;
    let standing = until("the withheld one is decided", async || {
        let page = engine.get("/api/v1/incidents?organization=dory").await.unwrap();
        page["items"][0]["case"]["state"].as_str().map(str::to_owned)
    })
    .await;
    assert_eq!(standing, "withheld");
    assert!(engine.stop().await.unwrap().success());

    let requests = upstream.requests().await.unwrap();
    let by_org: BTreeMap<&str, &Value> = requests
        .iter()
        .map(|request| (request["customerTrackingNumber"].as_str().unwrap().split('-').next().unwrap(), request))
        .collect();
    assert_eq!(by_org.keys().copied().collect::<Vec<_>>(), ["acme", "bolt", "cobalt", "erle"]);
    assert_eq!(requests.len(), 4);
    let all = by_org["acme"];
    assert_eq!(all["synopsis"], "acme-edge said: synopsis 1 of acme-edge");
    assert_eq!(all["details"]["hostName"], "acme-edge");
    assert_eq!(all["details"]["serialNumber"], "SNacme-edge");
    assert_eq!(all["details"]["customerComments"], "secret-of-acme-edge 192.0.2.77");
    // What it says of itself is no configuration; an address in it is overwritten where addresses are.
    for (org, comments) in [("bolt", "secret-of-bolt-edge 192.0.2.77"), ("cobalt", "secret-of-cobalt-edge x.x.x.x")] {
        let sent = by_org[org];
        assert_eq!(sent["synopsis"], format!("{org}-edge said: synopsis 1 of {org}-edge"));
        assert_eq!(sent["details"]["customerComments"], comments);
        assert_eq!(sent["details"]["hostName"], format!("{org}-edge"));
    }
    assert!(!by_org["cobalt"].to_string().contains("192.0.2.77"), "{}", by_org["cobalt"]);
    let expected = serde_json::json!({
        "siteId": "P-1000",
        "userId": "noc@partner.example",
        "customerTrackingNumber": "erle-1",
        "priority": "1 - Critical",
        "synopsis": "withheld by filter level",
    });
    assert_eq!(by_org["erle"], &expected);
}
