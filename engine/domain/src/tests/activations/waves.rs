//! Many devices are told one after another where it counts: a fault of a service does not reach them all.

use linesman_schemas::control::ActivationSettings;

use super::*;
use crate::activations::pushes::{self, PushRow, SaidRow};
use crate::activations::waves::{self, Held, Turn};

/// How many lines a site has, each with a device of its own.
const LINES: usize = 10;

fn network(lines: usize) -> Network {
    let mut network = Network::new();
    network.does(&json!({"set_place": {"place": "acme/rome"}}));
    for number in 1..=lines {
        let place = format!("acme/rome/line-{number:02}");
        network.does(&json!({"set_place": {"place": place, "device": format!("pe-{number:02}")}}));
    }
    network
}

/// The changes that a connector is handed, by their devices.
fn told(network: &Network) -> BTreeMap<String, (String, PendingRow)> {
    let rows = network.lane.pending().into_iter().filter(|(_, row)| !row.is_held);
    rows.map(|(id, row)| {
        let Action::Configure(configure) = serde_json::from_str(&row.action).unwrap() else { panic!("{row:?}") };
        (configure.device.serial_number, (id, row))
    })
    .collect()
}

fn names(network: &Network) -> Vec<String> {
    told(network).into_keys().collect()
}

/// A device answers, with more that is said of the attempt.
fn answers(network: &mut Network, device: &str, outcome: &Value, more: &Value) {
    let (id, row) = told(network).remove(device).unwrap_or_else(|| panic!("`{device}` is not told"));
    let mut report = json!({"reaction": id, "attempt": row.attempt, "requests": 1, "outcome": outcome});
    report.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    network.lane.take("acme", "result", json!({"attempt": report}).to_string().as_bytes());
    network.lane.work();
}

fn changed() -> Value {
    json!({"difference": {"text": "[edit]\n+  a;\n", "added": 1, "removed": 0, "sha256": "00"}})
}

fn same() -> Value {
    json!({"difference": {"text": "", "added": 0, "removed": 0, "sha256": "00"}})
}

fn does(network: &mut Network, device: &str) {
    answers(network, device, &json!({"done": "configured"}), &changed());
}

fn refuses(network: &mut Network, device: &str) {
    answers(network, device, &failed("refused", None), &json!({}));
}

fn cap(active: bool) -> Value {
    subscribe("acme/rome", "cap", "limit", &["burst=1k"], active)
}

fn redeploy() -> Value {
    json!({"redeploy_subscription": {"place": "acme/rome", "name": "cap"}})
}

fn turns(network: &Network) -> Vec<Turn> {
    let org = "acme".parse().unwrap();
    let reactions = network.parts().into_values().filter_map(|part| part.reaction);
    reactions.map(|reaction| waves::turn(&network.lane.base, &org, &reaction).unwrap()).collect()
}

fn rows(network: &Network) -> Vec<PushRow> {
    pushes::PUSHES.rows(&network.lane.base, &["acme"]).map(|row| row.unwrap().1).collect()
}

fn said(network: &Network, line: &str) -> Option<SaidRow> {
    let ((line, id), _) = network.parts().into_iter().find(|((at, _), _)| at == line).unwrap();
    pushes::said(&network.lane.base, &line.parse().unwrap(), &id).unwrap()
}

#[test]
fn of_many_devices_one_is_told_first_and_the_others_once_it_has_changed() {
    let mut network = network(LINES);
    network.ask(&cap(true));
    assert_eq!(names(&network), ["pe-01"]);
    assert_eq!(network.parts().len(), LINES);
    assert_eq!(turns(&network).iter().filter(|turn| **turn == Turn::Waits).count(), LINES - 1);
    does(&mut network, "pe-01");
    assert_eq!(names(&network).len(), LINES - 1);
    for device in names(&network) {
        does(&mut network, &device);
    }
    assert!(network.parts().values().all(|part| part.state.as_str() == "active"));
    assert!(rows(&network).iter().all(|row| matches!(row, PushRow::Said(_))), "{:?}", rows(&network));
    assert_eq!(rows(&network).len(), LINES);
}

#[test]
fn no_more_than_so_many_are_told_at_a_time() {
    // So many that they are rendered in slices.
    let mut network = network(70);
    network.ask(&cap(true));
    assert_eq!(names(&network), ["pe-01"]);
    does(&mut network, "pe-01");
    assert_eq!(names(&network).len(), 16);
    let mut count = 1;
    while let Some(device) = names(&network).first().cloned() {
        assert!(names(&network).len() <= 16);
        does(&mut network, &device);
        count += 1;
    }
    assert_eq!(count, 70);
    assert!(rows(&network).iter().all(|row| matches!(row, PushRow::Said(_))), "a wave stays");
}

#[test]
fn a_device_of_many_lines_has_them_one_by_one_and_keeps_no_other_waiting() {
    let mut network = network(0);
    for (number, device) in (1..=40).map(|number| (number, if number <= 30 { "pe-a" } else { "pe-b" })) {
        let place = format!("acme/rome/line-{number:02}");
        network.does(&json!({"set_place": {"place": place, "device": device}}));
    }
    network.ask(&cap(true));
    assert_eq!(names(&network), ["pe-a"]);
    does(&mut network, "pe-a");
    assert_eq!(names(&network), ["pe-a", "pe-b"]);
    assert_eq!(network.lane.pending().iter().filter(|(_, row)| !row.is_held).count(), 2);
    network.settle();
    assert!(network.parts().values().all(|part| part.state.as_str() == "active"));
    assert_eq!(rows(&network).len(), 1, "{:?}", rows(&network));
}

#[test]
fn a_device_that_is_not_reached_keeps_nobody_waiting() {
    let mut network = network(LINES);
    network.ask(&cap(true));
    answers(&mut network, "pe-01", &failed("unavailable", None), &json!({}));
    assert_eq!(names(&network), ["pe-01", "pe-02"]);
    answers(&mut network, "pe-02", &failed("unavailable", None), &json!({}));
    does(&mut network, "pe-03");
    assert_eq!(names(&network).len(), LINES - 1);
}

#[test]
fn one_that_had_it_all_is_no_proof_of_the_change() {
    let mut network = network(LINES);
    network.ask(&cap(true));
    answers(&mut network, "pe-01", &json!({"done": "configured"}), &same());
    assert_eq!(names(&network), ["pe-02"]);
}

#[test]
fn the_rest_is_held_where_the_first_fail_and_goes_on_by_redeploy_alone() {
    let mut network = network(LINES);
    network.ask(&cap(true));
    refuses(&mut network, "pe-01");
    assert_eq!(names(&network), ["pe-02"], "one alone may be an odd one");
    refuses(&mut network, "pe-02");
    assert_eq!(names(&network), [""; 0]);
    let held = Turn::Held(Held::Failed { failed: 2, of: 10 });
    assert_eq!(turns(&network), [held; LINES - 2]);
    // Nobody has asked for them: what is rendered anew comes to the same, and the organization's settings change nothing.
    network.ask(&values("acme", &["rate=10m"]));
    network.lane.organization("acme", "Do not send");
    network.lane.work();
    assert_eq!(names(&network), [""; 0]);
    network.ask(&redeploy());
    assert_eq!(names(&network).len(), LINES, "{:?}", turns(&network));
    for device in names(&network) {
        does(&mut network, &device);
    }
    assert!(network.parts().values().all(|part| part.state.as_str() == "active"));
}

#[test]
fn the_rest_is_held_once_too_many_of_all_have_failed() {
    let mut network = network(40);
    network.ask(&cap(true));
    does(&mut network, "pe-01");
    for device in names(&network).into_iter().take(8) {
        refuses(&mut network, &device);
    }
    assert!(turns(&network).iter().all(|turn| !matches!(turn, Turn::Held(_))), "a fifth may fail");
    let mut under_way = told(&network);
    let last = names(&network).remove(0);
    under_way.remove(&last);
    refuses(&mut network, &last);
    let held = Turn::Held(Held::Failed { failed: 9, of: 40 });
    assert_eq!(names(&network), [""; 0]);
    assert_eq!(turns(&network), [held; 30], "of those that were told too none is told any more");
    // What was under way already is heard of still.
    let (_, done) = under_way.pop_first().unwrap();
    let (_, unreached) = under_way.pop_first().unwrap();
    for ((id, row), outcome) in [(done, json!({"done": "configured"})), (unreached, failed("unavailable", None))] {
        let report = json!({"attempt": {"reaction": id, "attempt": row.attempt, "requests": 1, "outcome": outcome}});
        network.lane.take("acme", "result", report.to_string().as_bytes());
        network.lane.work();
    }
    assert_eq!((names(&network), turns(&network)), (Vec::new(), vec![held; 29]));
    network.ask(&redeploy());
    network.settle();
    assert!(network.parts().values().all(|part| part.state.as_str() == "active"));
    assert!(rows(&network).iter().all(|row| matches!(row, PushRow::Said(_))), "{:?}", rows(&network));
}

#[test]
fn the_rest_is_held_where_a_device_takes_its_change_back() {
    let mut network = network(LINES);
    network.ask(&cap(true));
    let mut more = changed();
    more["is_taken_back"] = json!(true);
    // One that is not reached has its change still to come.
    answers(&mut network, "pe-01", &failed("unavailable", None), &json!({}));
    answers(&mut network, "pe-02", &failed("unavailable", None), &more);
    assert_eq!(names(&network), [""; 0], "neither is it told again, nor any other");
    assert_eq!(turns(&network), [Turn::Held(Held::TakenBack); LINES]);
    let said = said(&network, "acme/rome/line-02").unwrap();
    assert_eq!((said.taken_back.as_deref(), said.difference.unwrap().added), (Some("no"), 1));
    // What takes away is the way back, and waits for nobody.
    network.ask(&deactivate("acme/rome", "cap"));
    network.settle();
    assert_eq!((network.devices.len(), rows(&network)), (0, Vec::new()));
}

#[test]
fn what_a_device_said_stays_until_it_has_what_it_is_told() {
    let mut network = network(1);
    network.ask(&cap(true));
    let mut more = changed();
    more["is_taken_back"] = json!(true);
    answers(&mut network, "pe-01", &failed("unavailable", None), &more);
    answers(&mut network, "pe-01", &failed("unavailable", None), &json!({}));
    assert!(said(&network, "acme/rome/line-01").unwrap().taken_back.is_some());
    answers(&mut network, "pe-01", &failed("unavailable", None), &more);
    does(&mut network, "pe-01");
    let said = said(&network, "acme/rome/line-01").unwrap();
    assert_eq!((said.taken_back, said.difference.unwrap().text.as_str()), (None, "[edit]\n+  a;\n"));
}

#[test]
fn a_device_that_takes_a_change_back_again_and_again_is_not_told_it_for_ever() {
    let mut network = network(1);
    network.ask(&cap(true));
    let mut more = changed();
    more["is_taken_back"] = json!(true);
    for _ in 0..3 {
        assert_eq!(names(&network), ["pe-01"]);
        answers(&mut network, "pe-01", &failed("unavailable", None), &more);
    }
    assert_eq!(
        (names(&network), network.states("acme/rome/line-01")),
        (Vec::new(), vec!["failedrefused: no".to_owned()])
    );
    assert_eq!(network.lane.on("acme.dead.reaction-failed").len(), 1);
    // Told by somebody it has three tries again.
    network.ask(&redeploy());
    answers(&mut network, "pe-01", &failed("unavailable", None), &more);
    does(&mut network, "pe-01");
    assert_eq!(network.states("acme/rome/line-01"), ["active"]);
}

#[test]
fn few_are_told_at_once_and_all_where_the_settings_say_so() {
    let mut few = network(4);
    few.ask(&cap(true));
    assert_eq!(names(&few).len(), 4);
    let mut all = network(LINES);
    let activations = ActivationSettings { canary: 0, failure_percent: 0, ..ActivationSettings::default() };
    all.lane.rules(2, &[], Settings { activations, ..Settings::default() });
    all.ask(&cap(true));
    assert_eq!(names(&all).len(), LINES);
    let mut before = network_at(12);
    before.ask(&cap(true));
    assert_eq!((names(&before).len(), rows(&before)), (LINES, Vec::new()));
}

fn network_at(level: u32) -> Network {
    let mut network = Network::at(level, vec![service("limit", &LIMIT)]);
    network.does(&json!({"set_place": {"place": "acme/rome"}}));
    for number in 1..=LINES {
        let place = format!("acme/rome/line-{number:02}");
        network.does(&json!({"set_place": {"place": place, "device": format!("pe-{number:02}")}}));
    }
    network
}

#[test]
fn an_organization_that_is_suspended_has_none_told_until_it_is_not() {
    let mut network = network(LINES);
    network.ask(&cap(true));
    let (device, (id, row)) = told(&network).pop_first().unwrap();
    network.lane.command("acme", &json!("suspend_organization"));
    assert_eq!((device.as_str(), names(&network).len()), ("pe-01", 0));
    // It was under way.
    let done = json!({"done": "configured"});
    let report = json!({"attempt": {"reaction": id, "attempt": row.attempt, "requests": 1, "outcome": done}});
    network.lane.take("acme", "result", report.to_string().as_bytes());
    assert_eq!(names(&network), [""; 0]);
    network.lane.organization("acme", "Send all information");
    network.lane.work();
    assert_eq!(names(&network).len(), LINES - 1);
}

/// What is said of waves whose rest is held: by whose answer, why, how many of how many have failed, how many are held.
fn said_held(network: &Network) -> Vec<Value> {
    let events = network.lane.on("acme.trigger.configuration.held").into_iter().map(|event| event.data.clone());
    let parts = ["device", "why", "failed", "of", "held"];
    events.map(|data| parts.map(|part| data[part].clone()).to_vec().into()).collect()
}

const WATCH: (&str, &str) = (
    "watch",
    "policy(#{ on: \"configuration.held\" });\nfn react(device, org) { publish(\"held\", #{ by: device.name, why: device.error }); }",
);

fn recorded(network: &Network, index: u64) -> linesman_schemas::audit::Record {
    let log = crate::audit::Log::open(&network.lane.base, &"acme".parse().unwrap()).unwrap();
    log.record(index).unwrap().unwrap().0
}

#[test]
fn that_the_rest_is_held_is_told_once_judged_and_on_record() {
    let mut network = network(LINES);
    network.lane.rules(2, &[WATCH], Settings::default());
    network.ask(&cap(true));
    refuses(&mut network, "pe-01");
    assert_eq!(said_held(&network), [] as [Value; 0]);
    refuses(&mut network, "pe-02");
    assert_eq!(said_held(&network), [json!(["pe-02", "failed", 2, 10, 8])]);
    let told = network.lane.on("acme.trigger.configuration.held")[0].data.clone();
    assert_eq!((&told["place"], told["activation"].is_string()), (&json!("acme/rome/line-02"), true));
    let published = &network.lane.published("acme", "held")[0];
    let expected = json!({"by": "pe-02", "why": "2 of 10 changes have failed; 8 changes are held"});
    assert_eq!(*published, expected);
    let said = network.lane.on("acme.audit.hold-configuration")[0].data.clone();
    let new = json!({"why": "failed", "failed": 2, "of": 10, "held": 8});
    assert_eq!((&said["new"], &said["actor"], &said["place"]), (&new, &json!("machine"), &json!("acme")));
    let index = said["index"].as_u64().unwrap();
    let record = recorded(&network, index);
    assert_eq!((&*record.operation, record.about.as_deref(), &record.new), ("hold-configuration", Some("pe-02"), &new));
    // Told again it is another wave, and what is held of that is told again.
    network.ask(&redeploy());
    for device in names(&network) {
        refuses(&mut network, &device);
    }
    assert_eq!(said_held(&network).len(), 1, "all were told: nothing is left to be held");
}

#[test]
fn that_a_device_takes_its_change_back_holds_the_rest_by_name() {
    let mut network = network(LINES);
    network.ask(&cap(true));
    let mut more = changed();
    more["is_taken_back"] = json!(true);
    answers(&mut network, "pe-01", &failed("unavailable", None), &more);
    assert_eq!(said_held(&network), [json!(["pe-01", "taken-back", 0, 10, 10])]);
    assert_eq!(told(&network).len(), 0, "those that were told are held too");
}
