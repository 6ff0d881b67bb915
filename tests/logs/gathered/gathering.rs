//! Data that is gathered from devices without scripts: groups of commands, what is asked for, how far it is, and whose snapshots are
//! made so.

use serde_json::{Value, json};

use crate::listeners::admin;
use crate::scribe::Scribe;

/// Policies that have data gathered, and hear of devices that are switched.
pub(super) const POLICIES: [(&str, &str); 2] = [
    (
        "switched",
        "policy(#{ on: \"collection.switched\" });\n\
         fn react(device, org) { publish(\"switched\", #{ of: device.name, last: device.last_snapshot }); }",
    ),
    (
        "collects",
        "policy(#{ on: \"incident.detected\", where: #{ serial_number: \"JN95\" } });\n\
         fn react(incident, org) { collect(#{ kind: \"event\", synopsis: \"more\" }); }",
    ),
];

fn bundle(head: &str, number: u64, problem: &str) -> String {
    format!(
        "<jmb version=\"1.0\" {head}><manifest><host-event-ID>edge-95-JN95-20261121-101500-{number}</host-event-ID>\
         <time-occurred>2026-11-21T10:15:00Z</time-occurred>{problem}<device><host-name>edge-95</host-name>\
         <serial-number>JN95</serial-number><product>MX240</product><os-version>21.4R3</os-version></device>\
         </manifest></jmb>"
    )
}

pub(super) fn make(scribe: &mut Scribe) -> anyhow::Result<()> {
    let problem = "<event-type>T</event-type><problem-synopsis>s</problem-synopsis><priority>Low</priority>";
    let device = json!({
        "name": "edge-95", "address": "192.0.2.95", "user": "u", "credentials": "key", "serial_number": "JN95",
        "place": "acme/berlin",
    });
    let gather = |kind: &str| json!({"collect_device": {"name": "edge-95", "kind": kind}});
    let group = |commands: Value| json!({"set_directives_group": {"name": "mx", "commands": commands}});
    for verb in [
        json!({"set_place": {"place": "acme/berlin"}}),
        json!({ "set_device": device }),
        json!({"set_device": {"name": "edge-95", "is_nowhere": true}}),
        json!({"set_device": {"name": "edge-95", "directives": ["mx"]}}),
        gather("event"),
        group(json!(["show version"])),
        json!({"set_device": {"name": "edge-95", "directives": ["mx"]}}),
        group(json!(["show version", "show alarms"])),
        group(json!(["show version", "show alarms"])),
        json!({"remove_directives_group": {"name": "mx"}}),
        json!({"remove_directives_group": {"name": "none"}}),
        gather("rma"),
        gather("rma"),
    ] {
        scribe.ask(&admin(), "acme", &verb)?;
    }
    // A policy asks for more of it, once; what was gathered leads to no more.
    scribe.send("acme", "jmb", bundle("type=\"event\"", 1, problem))?;
    scribe.send("acme", "jmb", bundle("type=\"event\"", 2, problem))?;
    let made = bundle("type=\"on-demand\" variant=\"event\" origin=\"off-box\"", 3, problem);
    scribe.send("acme", "jmb", made)?;
    let stands = |kind: &str, number: u64, how: Value| {
        json!({"gathering_stands": {"device": "edge-95", "kind": kind, "number": number, "how": how}}).to_string()
    };
    let running = |id: &str| json!({"running": {"done": 1, "of": 2, "host_event_id": id}});
    let id = "edge-95-JN95-20261121-101500-3";
    for report in [
        stands("rma", 1, json!({"failed": {"error": "unreachable"}})),
        stands("event", 2, running(id)),
        stands("event", 2, json!({"done": {"host_event_id": id, "failed": 1}})),
        stands("event", 2, json!({"done": {"host_event_id": id}})),
        json!({"gathering_stands": {"device": "none", "kind": "event", "number": 1, "how": running(id)}}).to_string(),
    ] {
        scribe.send("acme", "result", report)?;
    }
    // Its own snapshot is there; then it is older than what has to be there; then it has sent another.
    scribe.send("acme", "jmb", bundle("type=\"information\"", 4, ""))?;
    let due =
        |since: &str| json!({"collect_device": {"name": "edge-95", "kind": "information", "unless_since": since}});
    let machine = json!({"kind": "machine"});
    scribe.ask(&machine, "acme", &due("2026-11-01T00:00:00Z"))?;
    scribe.ask(&machine, "acme", &due("2099-01-01T00:00:00Z"))?;
    let id = "edge-95-JN95-20261121-101500-5";
    scribe.send("acme", "result", stands("information", 4, running(id)))?;
    scribe.send("acme", "jmb", bundle("type=\"information\" origin=\"off-box\"", 5, ""))?;
    scribe.send("acme", "result", stands("information", 4, json!({"skipped": {"why": "not needed"}})))?;
    scribe.ask(&admin(), "acme", &due("2026-11-01T00:00:00Z"))?;
    scribe.ask(&admin(), "acme", &json!({"remove_device": {"name": "edge-95"}}))?;
    scribe.ask(&admin(), "acme", &json!({"remove_directives_group": {"name": "mx"}}))?;
    scribe.work()
}
