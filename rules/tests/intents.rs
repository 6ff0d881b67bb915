//! What scripts ask for is handed back exactly, and what they may not ask for is refused by name.

mod support;

use linesman_rules::{Intent, Judge, Limits, SubmitCase};

use serde_json::json;
use support::{incident, load, organization};

fn object(value: serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn the_policy_of_the_documentation() {
    let source = r#"//! Opens a case when a field-replaceable unit goes offline.

policy(#{
    on: "incident.detected",
    where: #{ priority: ["Critical", "High"], event_type: "CHASSISD_FRU_*" },
});

fn react(incident, org) {
    submit_case(#{ synopsis: `${incident.device.host_name}: ${incident.synopsis}` });
    if incident.priority == "Critical" {
        log("unit offline", #{ incident: incident.id });
    }
}
"#;
    let policy = load("unit-offline", source).unwrap();
    assert!(policy.applies_to(&organization().name, &incident()));
    let intents = Judge::new(Limits::default()).react(&policy, incident().shared(), &organization()).unwrap();
    assert_eq!(
        intents,
        [
            Intent::SubmitCase(SubmitCase {
                synopsis: Some("edge-1: FPC 2 offline: hard error".to_owned()),
                ..SubmitCase::default()
            }),
            Intent::Log { message: "unit offline".to_owned(), fields: object(json!({ "incident": "acme-1" })) },
        ]
    );
}
