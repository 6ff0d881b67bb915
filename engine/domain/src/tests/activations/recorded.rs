//! What a device made of what it was told is on record: by whose doing, which device, by which node, and what it came to.

use linesman_schemas::audit::Record;
use linesman_schemas::{IncidentStep, Rights};

use super::*;
use crate::activations::recorded::{ACCEPT, CONFIGURE};
use crate::activations::{drift, pushes};

const LINE: &str = "acme/berlin/line-1";
const NODE: &str = "bf23ba22636b1932";

fn network(services: Vec<ServiceSource>) -> Network {
    let mut network = Network::with(services);
    for name in ["ann", "bob"] {
        network.lane.person(name, "acme", Rights::of([], IncidentStep::None));
    }
    network
}

fn limited() -> Network {
    network(vec![service("limit", &LIMIT)])
}

fn does(network: &mut Network, who: &str, verb: &Value) {
    assert_eq!(network.lane.of_person(who, verb).0, Verdict::Done, "{verb}");
    network.lane.work();
}

fn cap() -> Value {
    subscribe(LINE, "cap", "limit", &["burst=1k"], true)
}

fn comes_to(added: u64) -> Value {
    let text = if added > 0 { "[edit]\n+  a;\n" } else { "" };
    json!({"text": text, "added": added, "removed": 0, "sha256": "11"})
}

/// What a node reports of the change that is told first.
fn report(network: &Network, outcome: &Value, more: &Value) -> Value {
    let (id, row) = network.lane.pending().into_iter().next().expect("nothing is told");
    let Action::Configure(configure) = serde_json::from_str(&row.action).unwrap() else { panic!("{row:?}") };
    let change = json!({"node": NODE, "serial_number": configure.device.serial_number, "group": configure.group});
    let mut attempt =
        json!({"reaction": id, "attempt": row.attempt, "requests": 1, "outcome": outcome, "change": change});
    attempt.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"attempt": attempt})
}

fn takes(network: &mut Network, report: &Value) {
    network.lane.take("acme", "result", report.to_string().as_bytes());
    network.lane.work();
}

fn answers(network: &mut Network, outcome: &Value, more: &Value) {
    let report = report(network, outcome, more);
    takes(network, &report);
}

fn changes(network: &mut Network) {
    answers(network, &json!({"done": "configured"}), &json!({"difference": comes_to(1)}));
}

fn records(network: &Network, operation: &str) -> Vec<Record> {
    let log = crate::audit::Log::open(&network.lane.base, &"acme".parse().unwrap()).unwrap();
    let records = (0..log.head().size()).map(|index| log.record(index).unwrap().unwrap().0);
    records.filter(|record| record.operation == operation).collect()
}

/// What became of changes, as it is on record, and by whose doing.
fn outcomes(network: &Network) -> Vec<(String, Value)> {
    let records = records(network, CONFIGURE).into_iter();
    records.map(|record| (record.new["outcome"].as_str().unwrap().to_owned(), record.new["by"].clone())).collect()
}

#[test]
fn that_a_device_has_changed_is_on_record_with_who_which_node_and_what_it_came_to() {
    let mut network = limited();
    does(&mut network, "ann", &cap());
    let (id, part) = network.parts().into_iter().map(|((_, id), part)| (id, part)).next().unwrap();
    changes(&mut network);
    let record = records(&network, CONFIGURE).pop().unwrap();
    let reaction = part.reaction.unwrap();
    let expected = json!({
        "outcome": "applied", "activation": id, "subscription": "cap", "group": part.group, "change": "put",
        "by": ["ann"], "reaction": reaction,
        "difference": {"text": "[edit]\n+  a;\n", "cut": false, "added": 1, "removed": 0, "sha256": "11"},
    });
    assert_eq!(record.new, expected);
    assert_eq!((&*record.actor, &*record.node, &*record.place), ("machine", NODE, LINE));
    assert_eq!((record.about.as_deref(), record.outcome), (Some("pe-berlin"), Verdict::Done));
    assert_eq!(record.command.as_str(), format!("{reaction}~1"));
    let said = &network.lane.on("acme.audit.configure-device")[0].data;
    assert_eq!((&said["new"], &said["index"], &said["node"]), (&expected, &json!(record.index), &json!(NODE)));
    // It is over: what comes next is the doing of whoever does that.
    does(&mut network, "bob", &deactivate(LINE, "cap"));
    changes(&mut network);
    let record = records(&network, CONFIGURE).pop().unwrap();
    assert_eq!((&record.new["change"], &record.new["by"]), (&json!("remove"), &json!(["bob"])));
    does(&mut network, "ann", &json!({"remove_subscription": {"place": LINE, "name": "cap"}}));
    does(&mut network, "bob", &cap());
    changes(&mut network);
    does(&mut network, "ann", &json!({"remove_subscription": {"place": LINE, "name": "cap"}}));
    changes(&mut network);
    let record = records(&network, CONFIGURE).pop().unwrap();
    assert_eq!((&record.new["change"], &record.new["by"]), (&json!("remove"), &json!(["ann"])));
    let rows = pushes::PUSHES.rows(&network.lane.base, &["acme"]).count();
    assert_eq!((network.parts().len(), rows), (0, 0), "nothing is left of what is gone");
}

#[test]
fn what_a_device_refuses_takes_back_or_had_is_on_record_and_what_is_tried_again_is_not() {
    let mut network = limited();
    does(&mut network, "ann", &cap());
    answers(&mut network, &failed("unavailable", None), &json!({"difference": comes_to(1)}));
    assert_eq!(outcomes(&network), []);
    answers(&mut network, &json!({"done": "configured"}), &json!({"difference": comes_to(0)}));
    let record = records(&network, CONFIGURE).pop().unwrap();
    assert_eq!((&record.new["outcome"], &record.new["difference"]["added"]), (&json!("unchanged"), &json!(0)));
    assert_eq!(record.new["difference_before"]["text"], "[edit]\n+  a;\n", "an attempt before may have done it");
    does(&mut network, "bob", &values(LINE, &["rate=20m"]));
    let back = json!({"difference": comes_to(1), "is_taken_back": true});
    answers(&mut network, &failed("unavailable", None), &back);
    answers(&mut network, &failed("refused", None), &json!({}));
    does(&mut network, "ann", &json!({"redeploy_subscription": {"place": LINE, "name": "cap"}}));
    answers(&mut network, &json!({"done": "configured"}), &json!({"difference": comes_to(0)}));
    let told = [("unchanged", json!(["ann"])), ("rolled-back", json!(["bob"])), ("refused", json!(["bob"]))];
    let last = ("unchanged", json!(["ann", "bob"]));
    let told: Vec<_> = told.into_iter().chain([last]).map(|(end, by)| (end.to_owned(), by)).collect();
    assert_eq!(outcomes(&network), told);
    let records = records(&network, CONFIGURE);
    let verdicts: Vec<_> = records.iter().map(|record| record.outcome).collect();
    assert_eq!(verdicts, [Verdict::Done, Verdict::Conflict, Verdict::Conflict, Verdict::Done]);
    assert_eq!(records[3].new.get("difference_before"), None, "what was taken back is nothing that came about");
}

#[test]
fn what_a_device_did_while_something_else_came_to_be_wanted_is_on_record_once() {
    let mut network = limited();
    does(&mut network, "ann", &cap());
    let under_way = report(&network, &json!({"done": "configured"}), &json!({"difference": comes_to(1)}));
    does(&mut network, "bob", &values(LINE, &["rate=20m"]));
    takes(&mut network, &under_way);
    let record = records(&network, CONFIGURE).pop().unwrap();
    assert_eq!((&record.new["outcome"], &record.new["is_overtaken"]), (&json!("applied"), &json!(true)));
    let last = report(&network, &json!({"done": "configured"}), &json!({"difference": comes_to(1)}));
    takes(&mut network, &last);
    takes(&mut network, &last);
    assert_eq!(outcomes(&network).len(), 2, "an echo is on record");
}

#[test]
fn nothing_of_what_is_hidden_is_on_record() {
    let definition = "title = \"Veiled\"\nhide_fixed = true\n";
    let mut network = network(vec![service("veiled", &[("service.toml", definition), BANNER_TEXT])]);
    does(&mut network, "ann", &subscribe(LINE, "cap", "veiled", &[], true));
    let refused = json!({"failed": {"class": "refused", "message": "bad: a", "retry_after_s": null}});
    answers(&mut network, &refused, &json!({"difference": comes_to(1)}));
    let record = records(&network, CONFIGURE).pop().unwrap();
    assert_eq!(record.new["difference"], json!({"added": 1, "removed": 0, "sha256": "11"}));
    let said = network.lane.on("acme.audit.configure-device")[0].data.to_string();
    assert!(!said.contains("bad: a") && !said.contains("+  a"), "{said}");
}

const BANNER_TEXT: (&str, &str) = ("main.j2", "system {\n    login {\n        message hello;\n    }\n}\n");

#[test]
fn what_a_device_has_otherwise_is_on_record_once_it_counts_and_once_it_is_restored() {
    let definition = "title = \"Banner\"\n[drift]\n\"main.j2\" = \"restore\"\n\"other.j2\" = \"accept\"\n";
    let other = ("other.j2", "snmp {\n    location here;\n}\n");
    let mut network = network(vec![service("banner", &[("service.toml", definition), BANNER_TEXT, other])]);
    let new = json!({"name": "pe-berlin", "is_new": true, "address": "192.0.2.1", "user": "u", "credentials": "key"});
    network.lane.asked_of("acme", &json!({"set_device": new}));
    does(&mut network, "ann", &subscribe(LINE, "cap", "banner", &[], true));
    changes(&mut network);
    let part = network.parts().into_values().next().unwrap();
    let reads = |network: &mut Network, template: &str| {
        let report = json!({"group_read": {
            "device": "pe-berlin", "serial_number": part.device, "group": part.group, "node": NODE,
            "sha256": drift::digest(&part.text), "missing": [{"text": "a", "template": template}],
            "templates": [template],
        }});
        takes(network, &report);
    };
    reads(&mut network, "other.j2");
    reads(&mut network, "other.j2");
    let accepted = records(&network, ACCEPT);
    assert_eq!(accepted.len(), 1);
    let told = (&accepted[0].new["missing"], &accepted[0].new["extra"], &accepted[0].new["templates"]);
    assert_eq!(told, (&json!(1), &json!(0), &json!(["other.j2"])));
    assert_eq!((accepted[0].about.as_deref(), &*accepted[0].node), (Some("pe-berlin"), NODE));
    assert_eq!(accepted[0].new["sha256"], drift::digest("- a\n"));
    reads(&mut network, "main.j2");
    changes(&mut network);
    let restored = records(&network, CONFIGURE).pop().unwrap();
    assert_eq!((&restored.new["cause"], &restored.new["by"]), (&json!("drift"), &json!([])));
    assert_eq!(restored.new["outcome"], "applied");
}

#[test]
fn before_this_level_nothing_of_it_is_on_record() {
    let mut network = Network::at(12, vec![service("limit", &LIMIT)]);
    network.ask(&cap());
    changes(&mut network);
    assert_eq!(outcomes(&network), []);
}
