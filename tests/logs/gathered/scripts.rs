//! Scripts on devices: bundles and profiles kept and refused, installed on a device group, how they stand there, removed.

use serde_json::{Value, json};

use crate::listeners::admin;
use crate::scribe::Scribe;

const DEVICE: &str = "edge-81";

pub(super) fn make(scribe: &mut Scribe) -> anyhow::Result<()> {
    let file = |kind: &str, name: &str, content: &str| json!({"kind": kind, "name": name, "content": content});
    let bundle = |version: &str, files: Value| json!({"set_script_bundle": {"name": "health", "version": version, "files": files}});
    let profile = |priority: u8| json!({"set_event_profile": {"name": "chassis", "events": [{"event": "FAN_FAILURE", "priority": priority}]}});
    let scripts = |version: &str| json!({"bundle": "health", "version": version, "event_profile": "chassis"});
    let overwritten = json!([{"device": DEVICE, "kind": "op", "name": "look.slax", "sha256": "0".repeat(64)}]);
    let of = |verb: &str, name: &str, version: &str| json!({verb: {"name": name, "version": version}});
    for verb in [
        json!({"set_device": {
            "name": DEVICE, "is_new": true, "address": "192.0.2.81", "user": "linesman", "credentials": "key",
        }}),
        bundle("1", json!([file("op", "look.slax", "look 1"), file("event", "collect.py", "collect 1")])),
        bundle("1", json!([file("op", "look.slax", "look otherwise")])),
        bundle("2", json!([file("commit", "check.xsl", "check 2")])),
        bundle("3", json!([file("op", "../look.slax", "look 3")])),
        profile(2),
        profile(1),
        json!({"plan_scripts": {"device_group": "edge", "scripts": scripts("1")}}),
        json!({"install_scripts": {"device_group": "edge", "scripts": scripts("9")}}),
        json!({"install_scripts": {"device_group": "edge", "scripts": scripts("1"), "overwrites": overwritten}}),
    ] {
        scribe.ask(&admin(), "acme", &verb)?;
    }
    stand(scribe, 1, "waiting", 0, "refused", None)?;
    stand(scribe, 1, "uploading", 1, "", None)?;
    stand(scribe, 1, "rolling-back", 0, "the connection broke off", None)?;
    stand(scribe, 1, "configured", 2, "", Some("1"))?;
    stand(scribe, 1, "done", 2, "", Some("1"))?;
    for verb in [
        of("remove_script_bundle", "health", "1"),
        profile(3),
        json!({"remove_event_profile": {"name": "chassis"}}),
        json!({"install_scripts": {"device_group": "edge", "scripts": scripts("2")}}),
    ] {
        scribe.ask(&admin(), "acme", &verb)?;
    }
    stand(scribe, 2, "rolled-back", 0, "the device has no room", Some("1"))?;
    stand(scribe, 2, "failed", 0, "nothing is changed", Some("1"))?;
    scribe.ask(&admin(), "acme", &json!({"remove_scripts": {"device_group": "edge"}}))?;
    stand(scribe, 3, "done", 0, "", None)?;
    for verb in [
        of("remove_script_bundle", "health", "1"),
        of("remove_script_bundle", "health", "9"),
        json!({"remove_event_profile": {"name": "chassis"}}),
        json!({"remove_scripts": {"device_group": "other"}}),
        json!({"remove_device": {"name": DEVICE}}),
    ] {
        scribe.ask(&admin(), "acme", &verb)?;
    }
    stand(scribe, 3, "done", 0, "", None)?;
    scribe.work()
}

/// The collector says how scripts stand.
fn stand(
    scribe: &mut Scribe,
    order: u64,
    state: &str,
    done: u32,
    detail: &str,
    version: Option<&str>,
) -> anyhow::Result<()> {
    let has = version.map(|version| json!({"bundle": "health", "version": version, "event_profile": "chassis"}));
    let standing = json!({
        "device": DEVICE, "device_group": "edge", "order": order, "state": state, "done": done, "of": 2,
        "detail": detail, "has": has,
    });
    scribe.send("acme", "result", json!({ "scripts_stand": standing }).to_string())
}
