//! Devices that are reached: added, changed, pinned, used and removed; how they stand, and files of theirs that are no bundles.

use serde_json::{Value, json};

use crate::listeners::admin;
use crate::scribe::Scribe;

/// A policy that hears how devices stand.
pub(super) const POLICIES: [(&str, &str); 1] = [(
    "stands",
    "policy(#{ on: \"device.state-changed\" });\n\
     fn react(device, org) { publish(\"stands\", #{ of: device.name, state: device.state, why: device.error }); }",
)];

const HOST_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS";

fn stands(device: &str, state: &str, error: &str) -> Value {
    json!({"device_stands": {"device": device, "state": state, "error": error}})
}

pub(super) fn make(scribe: &mut Scribe) -> anyhow::Result<()> {
    let new = |name: &str| json!({"name": name, "is_new": true, "address": "192.0.2.9", "user": "linesman", "credentials": "key"});
    for (org, verb) in [
        ("acme", json!({"set_device": new("edge-91")})),
        ("acme", json!({"set_device": new("edge-91")})),
        ("cobalt", json!({"set_device": new("edge-91")})),
        ("acme", json!({"set_device": {"name": "edge-91", "place": "acme/nowhere"}})),
        (
            "acme",
            json!({"set_device": {"name": "edge-91", "address": "192.0.2.10", "after": {"move-to": "/var/done"}}}),
        ),
        (
            "acme",
            json!({"set_device": {"name": "edge-91", "credentials": "password", "accepts_first_host_key": true, "after": {"move-to": "/var/done"}}}),
        ),
        ("acme", json!({"set_device": {"name": "edge-92", "is_new": true, "address": "192.0.2.9"}})),
        ("acme", json!({"pin_host_key": {"name": "edge-91", "host_key": HOST_KEY, "is_first": true}})),
        ("acme", json!({"use_device": {"name": "edge-91", "what": "test"}})),
        ("acme", json!({"use_device": {"name": "edge-99", "what": "test"}})),
    ] {
        scribe.ask(&admin(), org, &verb)?;
    }
    let first = json!({"pin_host_key": {"name": "edge-91", "host_key": HOST_KEY, "is_first": true}});
    scribe.ask(&json!({"kind": "machine"}), "acme", &first)?;
    let facts = json!({"device_stands": {
        "device": "edge-91", "state": "reachable", "collected": "2026-11-21T10:00:00Z",
        "facts": {"serial_number": "JN91", "host_name": "edge-91", "product": "MX240", "os_version": "21.4R3",
            "routing_engines": ["RE-S-X6"], "members": [{"number": 0, "serial_number": "JN91", "product": "MX240"}]},
    }});
    let changed = json!({"device_stands": {
        "device": "edge-91", "state": "host-key-changed", "error": "another", "shown_host_key": HOST_KEY,
    }});
    let aside = |id: &str| {
        json!({"jmb_set_aside": {
            "device": "edge-91", "id": id, "file": "a.xml", "size": 9, "modified": 7, "fault": "not-well-formed",
            "detail": "no", "line": 1, "column": 1, "head": "garbage",
        }})
    };
    for report in [
        facts,
        stands("edge-91", "unreachable", "refused"),
        stands("edge-91", "unreachable", "timed out"),
        changed,
        stands("edge-91", "reachable", ""),
        stands("edge-99", "reachable", ""),
        aside("0011223344556677"),
        aside("8899aabbccddeeff"),
    ] {
        scribe.send("acme", "result", report.to_string())?;
    }
    for (id, is_deleted) in [("0011223344556677", true), ("8899aabbccddeeff", false), ("ffffffffffffffff", true)] {
        let wish = json!({"name": "edge-91", "id": id, "is_deleted": is_deleted});
        scribe.ask(&admin(), "acme", &json!({"settle_jmb_error": wish}))?;
    }
    let ended = json!({"jmb_error_ended": {"device": "edge-91", "id": "0011223344556677", "how": "deleted"}});
    scribe.send("acme", "result", ended.to_string())?;
    scribe.ask(&admin(), "acme", &json!({"remove_device": {"name": "edge-91"}}))?;
    scribe.work()
}
