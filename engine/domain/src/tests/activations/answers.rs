//! What devices answer, and which of them is meant.

use super::*;

#[test]
fn a_device_that_calls_itself_as_another_gets_nothing_of_it() {
    let mut network = Network::new();
    network.lane.bundle("acme", "edge", 1, "Low");
    network.does(&json!({"set_place": {"place": "acme/berlin/line-1", "device": "edge"}}));
    network.does(&subscribe("acme/berlin/line-1", "cap", "limit", &["burst=1k"], true));
    let evil = bundle("edge", 2, "Low").replace("SNedge", "AEVIL");
    network.lane.take("acme", "jmb", evil.as_bytes());
    network.does(&json!({"redeploy_subscription": {"place": "acme/berlin/line-1", "name": "cap"}}));
    assert_eq!(network.devices.keys().collect::<Vec<_>>(), ["SNedge"]);
    let told = "failedseveral devices call themselves `edge`; the access line names one by its serial number";
    assert_eq!(network.states("acme/berlin/line-1"), [told]);
    network.does(&json!({"set_place": {"place": "acme/berlin/line-1", "device": "SNedge"}}));
    assert_eq!(network.states("acme/berlin/line-1"), ["active"]);
}

#[test]
fn a_device_that_refuses_is_told_of_and_told_again_on_request() {
    let mut network = Network::new();
    network.ask(&subscribe("acme/berlin/line-1", "cap", "limit", &["burst=1k"], true));
    assert_eq!(network.states("acme/berlin/line-1"), ["pending"]);
    network.answer(&failed("refused", None));
    assert_eq!(network.states("acme/berlin/line-1"), ["failedrefused: no"]);
    network.does(&values("acme", &["rate=10m"]));
    assert_eq!(network.states("acme/berlin/line-1"), ["failedrefused: no"], "nothing has changed for the device");
    network.does(&json!({"redeploy_subscription": {"place": "acme/berlin/line-1", "name": "cap"}}));
    assert_eq!(network.states("acme/berlin/line-1"), ["active"]);
}

#[test]
fn an_answer_to_what_was_overtaken_changes_nothing() {
    let mut network = Network::new();
    network.ask(&subscribe("acme/berlin/line-1", "cap", "limit", &["burst=1k"], true));
    let (id, row) = network.next().unwrap();
    network.ask(&values("acme/berlin/line-1", &["rate=20m"]));
    let done = json!({"done": "configured"});
    let report = json!({"attempt": {"reaction": id, "attempt": row.attempt, "requests": 1, "outcome": done}});
    network.lane.take("acme", "result", report.to_string().as_bytes());
    assert_eq!(network.states("acme/berlin/line-1"), ["pending"]);
    network.settle();
    assert_eq!(network.told.len(), 1, "what is outdated is not told any more");
    assert!(network.texts("pe-berlin")[0].contains("rate 20000000;"));
}

#[test]
fn a_device_that_tells_its_serial_number_is_the_one_that_was_known_by_its_name() {
    let mut network = Network::new();
    for (line, device) in [("line-1", "edge"), ("line-2", "SNedge")] {
        network.does(&json!({"set_place": {"place": format!("acme/berlin/{line}"), "device": device}}));
    }
    network.does(&subscribe("acme/berlin/line-1", "hello", "banner", &["text=\"hello\""], true));
    assert_eq!(network.texts("edge").len(), 1);
    network.told.clear();
    network.lane.bundle("acme", "edge", 1, "High");
    network.lane.work();
    network.settle();
    assert_eq!(network.told.iter().map(|(_, is_put)| *is_put).collect::<Vec<_>>(), [true], "it loses nothing");
    network.devices.remove("edge");
    assert_eq!(network.texts("SNedge"), ["system { login { message hello; } }"]);
    assert_eq!(network.states("acme/berlin/line-1"), ["active"]);
    let detail = network.refuses(&subscribe("acme/berlin/line-2", "bye", "banner", &["text=\"bye\""], true));
    assert!(detail.contains("of `hello` at") && detail.contains("of `bye` at"), "{detail}");
    network.told.clear();
    network.lane.bundle("acme", "edge", 2, "High");
    network.lane.work();
    assert!(network.lane.pending().is_empty(), "nothing new");
    network.does(&deactivate("acme/berlin/line-1", "hello"));
    assert!(network.devices.is_empty());
}
