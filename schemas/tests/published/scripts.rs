//! Samples of what travels of scripts on devices.

use linesman_schemas::command::{
    BundleVersion, EventProfile, Overwritten, ProfileName, ProfiledEvent, ScriptBundle, ScriptFile, ScriptVerb,
    ScriptsInstallation, ScriptsPlan, ScriptsRemoval, Verb,
};
use linesman_schemas::outcome::{Difference, Report};
use linesman_schemas::scripts::{
    ChangedScript, InstalledScripts, ScriptChange, ScriptKind, ScriptsChange, ScriptsStanding, ScriptsState,
};
use serde_json::Value;

use crate::samples::{HASH, json_of};

fn installed() -> InstalledScripts {
    InstalledScripts { bundle: "health".to_owned(), version: "1.2".to_owned(), event_profile: "chassis".to_owned() }
}

/// A verb of each kind.
pub(crate) fn verbs() -> Vec<Verb> {
    let (name, version, device_group) = (|| "health".to_owned(), || "1.2".to_owned(), || "core".to_owned());
    let file = ScriptFile {
        kind: ScriptKind::Event,
        name: "collect.slax".to_owned(),
        content: "version 1.0;\nmatch / {\n}\n".to_owned(),
    };
    let event = ProfiledEvent { event: "CHASSISD_FRU_OFFLINE_NOTICE".to_owned(), priority: 1 };
    let overwritten = Overwritten {
        device: "edge-1".to_owned(),
        kind: ScriptKind::Event,
        name: "collect.slax".to_owned(),
        sha256: HASH.to_owned(),
    };
    let verbs = [
        ScriptVerb::SetBundle(ScriptBundle { name: name(), version: version(), files: vec![file] }),
        ScriptVerb::RemoveBundle(BundleVersion { name: name(), version: version() }),
        ScriptVerb::SetProfile(EventProfile { name: "chassis".to_owned(), events: vec![event] }),
        ScriptVerb::RemoveProfile(ProfileName { name: "chassis".to_owned() }),
        ScriptVerb::Plan(ScriptsPlan { device_group: device_group(), scripts: installed() }),
        ScriptVerb::Install(ScriptsInstallation {
            device_group: device_group(),
            scripts: installed(),
            overwrites: vec![overwritten],
        }),
        ScriptVerb::Remove(ScriptsRemoval { device_group: device_group() }),
    ];
    verbs.into_iter().map(Verb::Scripts).collect()
}

/// How scripts stand on a device.
pub(crate) fn stand() -> Vec<Value> {
    let standing = ScriptsStanding {
        device: "edge-1".to_owned(),
        device_group: "core".to_owned(),
        order: 7,
        state: ScriptsState::RolledBack,
        done: 1,
        of: 3,
        detail: "the device has no room for `collect.slax`".to_owned(),
        has: Some(installed()),
        is_begun: true,
        change: Some(ScriptsChange {
            node: "bf23ba22636b1932".to_owned(),
            wanted: Some(installed()),
            files: vec![ChangedScript {
                kind: ScriptKind::Op,
                name: "look.slax".to_owned(),
                change: ScriptChange::Replaced,
                found: Some("a3".repeat(32)),
            }],
            difference: Some(Difference {
                text: "[edit]\n+  system;\n".to_owned(),
                added: 1,
                removed: 0,
                sha256: "b4".repeat(32),
                is_cut: false,
            }),
        }),
    };
    vec![json_of(Report::ScriptsStand(standing))]
}
