//! What is said is what happened: a case that is withheld is told as such, and every change of an incident with who made it.

use linesman_tests::{Running, World, event, run, until};
use serde_json::{Value, json};

const OPEN: &str = r#"
policy(#{ on: "incident.detected" });
fn react(incident, org) { submit_case(#{ synopsis: incident.synopsis }); }
"#;
const SORT: &str = r#"
policy(#{ on: "incident.detected" });
fn react(incident, org) { set_priority("High"); submit_case(#{ synopsis: "sorted", comments: "by sort" }); }
"#;
const HEAR: &str = r#"
policy(#{ on: ["case.withheld"] });
fn react(update, org) { publish("held-back", #{ incident: update.id }); }
"#;
const RAISE: &str = r#"
policy(#{ on: "incident.changed", where: #{ changed: "owner" } });
fn react(incident, org) { if incident.after.owner == "ann" { set_priority("Critical"); } }
"#;

/// What `linesman tail` prints of one event.
struct Line(Value);

impl Line {
    fn data(&self) -> &Value {
        &self.0["event"]["data"]
    }
}

#[tokio::test]
async fn what_is_withheld_and_what_was_changed_is_told_by_the_log_and_the_command_line() {
    let mut world = World::new().unwrap();
    world.organization("dory", "Do not send");
    for (name, text) in [("a-open", OPEN), ("b-sort", SORT), ("hear", HEAR), ("raise", RAISE)] {
        world.policy(name, text).unwrap();
    }
    let mut engine = world.start(None).await.unwrap();
    let data = world.data();
    let data = data.to_str().unwrap();
    let mut lines = Running::start(&["tail", "out.dory.>", "--json", "--limit", "7", "--data-dir", data]).unwrap();
    let mut words = Running::start(&["tail", "out.dory.trigger.>", "--limit", "4", "--data-dir", data]).unwrap();
    for tail in [&mut lines, &mut words] {
        assert!(tail.remark().await.unwrap().starts_with("listening on "));
    }
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    let bundle = event("edge-01", 1, "HELD", "4 - Low");
    log.publish("in.dory.jmb.test", bundle.into()).await.unwrap().await.unwrap();
    until("the case is withheld", async || {
        let incident = engine.get("/api/v1/incidents?organization=dory").await.unwrap();
        (incident["items"][0]["case"]["state"] == "withheld").then_some(())
    })
    .await;
    let ended = run(&["incident", "assign", "dory-1", "ann", "--data-dir", data]).await.unwrap();
    assert!(ended.code == Some(0), "{ended:?}");

    let mut heard = Vec::new();
    for _ in 0..7 {
        heard.push(Line(serde_json::from_str(&lines.line().await.unwrap()).unwrap()));
    }
    let subjects: Vec<&str> = heard.iter().map(|line| line.0["subject"].as_str().unwrap()).collect();
    let triggers: Vec<&str> = subjects.iter().filter_map(|subject| subject.strip_prefix("out.dory.trigger.")).collect();
    let expected = ["incident.detected", "incident.changed", "incident.changed", "case.withheld", "incident.changed"];
    assert_eq!(triggers[..5], expected);
    assert!(subjects.contains(&"out.dory.reaction.held-back"), "{subjects:?}");
    let of = |name: &str| {
        heard.iter().filter(|line| line.0["subject"] == format!("out.dory.trigger.{name}")).collect::<Vec<_>>()
    };
    let withheld = of("case.withheld");
    assert_eq!(
        (&withheld[0].data()["filter_level"], &withheld[0].data()["policy"]),
        (&json!("Do not send"), &json!("a-open"))
    );
    assert_eq!(of("incident.changed")[0].data()["new"], json!({"priority": "High"}));

    let mut printed = Vec::new();
    for _ in 0..4 {
        printed.push(words.line().await.unwrap());
    }
    assert!(printed[1].contains("policy b-sort: priority Low -> High"), "{printed:#?}");
    let opened = "policy a-open: case none -> withheld; joined by b-sort, its synopsis not used";
    assert!(printed[2].contains(opened), "{printed:#?}");
    assert!(printed[3].contains("a-open: nothing leaves at filter level `Do not send`: "), "{printed:#?}");

    let shown = run(&["incident", "show", "dory-1", "--json", "--data-dir", data]).await.unwrap();
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    let history: Vec<(&str, &Value, &Value)> = shown["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["actor"].as_str().unwrap(), &line["on"], &line["changes"]))
        .collect();
    let change = |what: &str, old: Option<&str>, new: &str| json!([{"what": what, "old": old, "new": new}]);
    let (detected, changed) = (json!("incident.detected"), json!("incident.changed"));
    assert_eq!(history[0], ("policy b-sort", &detected, &change("priority", Some("Low"), "High")));
    assert_eq!(history[1], ("policy a-open", &detected, &change("case", None, "withheld")));
    assert_eq!((history[2].0, &shown["history"][2]["unused"]), ("policy b-sort", &json!(["synopsis"])));
    assert_eq!((history[3].0, history[3].1), ("admin", &Value::Null));
    assert_eq!(history[4], ("policy raise", &changed, &change("priority", Some("High"), "Critical")));
    let metrics = engine.get_text("/metrics").await.unwrap();
    assert!(metrics.contains("linesman_cases_withheld_total 1"), "{metrics}");
    assert!(engine.stop().await.unwrap().success());
}
