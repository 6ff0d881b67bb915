//! Commands about scripts on devices: bundles of them, event profiles, and which device group has which.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, LIST_MOST, hash, label};
use super::device::name;
use crate::scripts::{InstalledScripts, ScriptKind};

/// How many scripts a bundle has.
const FILES_MOST: usize = 64;
/// How many bytes the scripts of a bundle have in all.
pub const BUNDLE_MOST: usize = 256 * 1024;
/// How many events a profile has.
const EVENTS_MOST: usize = 200;
/// The longest name of an event, in characters.
const EVENT_MOST: usize = 64;
/// The priorities of events, 1 being the most urgent.
const PRIORITIES: std::ops::RangeInclusive<u8> = 1..=4;
/// The longest name of a device group, in characters.
const GROUP_MOST: usize = 200;
/// What the names of scripts end with.
const ENDINGS: [&str; 3] = [".slax", ".xsl", ".py"];

/// What is asked for of scripts on devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptVerb {
    /// Keep a version of a bundle.
    SetBundle(ScriptBundle),
    /// Forget a version of a bundle.
    RemoveBundle(BundleVersion),
    /// Keep an event profile.
    SetProfile(EventProfile),
    /// Forget an event profile.
    RemoveProfile(ProfileName),
    /// Look at what an installation would change, on the node that was asked; here it goes on record.
    Plan(ScriptsPlan),
    /// A device group is to have a bundle.
    Install(ScriptsInstallation),
    /// A device group is to have none.
    Remove(ScriptsRemoval),
}

impl ScriptVerb {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::SetBundle(_) => "set-script-bundle",
            Self::RemoveBundle(_) => "remove-script-bundle",
            Self::SetProfile(_) => "set-event-profile",
            Self::RemoveProfile(_) => "remove-event-profile",
            Self::Plan(_) => "plan-scripts",
            Self::Install(_) => "install-scripts",
            Self::Remove(_) => "remove-scripts",
        }
    }

    /// What it is about: a bundle, a profile, a device group.
    pub fn about(&self) -> &str {
        match self {
            Self::SetBundle(ScriptBundle { name, .. })
            | Self::RemoveBundle(BundleVersion { name, .. })
            | Self::SetProfile(EventProfile { name, .. })
            | Self::RemoveProfile(ProfileName { name }) => name,
            Self::Plan(ScriptsPlan { device_group, .. })
            | Self::Install(ScriptsInstallation { device_group, .. })
            | Self::Remove(ScriptsRemoval { device_group }) => device_group,
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::SetBundle(bundle) => bundle.check(),
            Self::RemoveBundle(bundle) => {
                name("/name", &bundle.name)?;
                name("/version", &bundle.version)
            }
            Self::SetProfile(profile) => profile.check(),
            Self::RemoveProfile(profile) => name("/name", &profile.name),
            Self::Plan(plan) => {
                label("/device_group", &plan.device_group, GROUP_MOST)?;
                plan.scripts.check()
            }
            Self::Install(installation) => installation.check(),
            Self::Remove(removal) => label("/device_group", &removal.device_group, GROUP_MOST),
        }
    }
}

/// A version of a bundle of scripts. What a version is does not change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScriptBundle {
    /// Its name, `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
    pub name: String,
    /// Its version, spelled as a name is.
    pub version: String,
    /// The scripts.
    pub files: Vec<ScriptFile>,
}

/// A script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScriptFile {
    /// When it runs.
    pub kind: ScriptKind,
    /// Its name on devices, without a path: a name that ends with `.slax`, `.xsl` or `.py`.
    pub name: String,
    /// Its text.
    pub content: String,
}

impl ScriptBundle {
    fn check(&self) -> Result<(), Fault> {
        name("/name", &self.name)?;
        name("/version", &self.version)?;
        if self.files.is_empty() || self.files.len() > FILES_MOST {
            return Err(Fault::new("/files", format!("has 1 to {FILES_MOST} scripts")));
        }
        let mut known = BTreeSet::new();
        for (at, file) in self.files.iter().enumerate() {
            let pointer = |field: &str| format!("/files/{at}/{field}");
            name(&pointer("name"), &file.name)?;
            if !ENDINGS.iter().any(|ending| file.name.len() > ending.len() && file.name.ends_with(ending)) {
                return Err(Fault::new(pointer("name"), "does not end with `.slax`, `.xsl` or `.py`"));
            }
            if !known.insert((file.kind, file.name.as_str())) {
                return Err(Fault::new(pointer("name"), "is given twice"));
            }
            let is_text = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
            if file.content.is_empty() || !file.content.chars().all(is_text) {
                return Err(Fault::new(pointer("content"), "is no text: it is empty, or has control characters"));
            }
        }
        match self.files.iter().map(|file| file.content.len()).sum::<usize>() > BUNDLE_MOST {
            true => Err(Fault::new("/files", format!("has more than {BUNDLE_MOST} bytes in all"))),
            false => Ok(()),
        }
    }
}

/// A version of a bundle, by its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BundleVersion {
    /// The bundle.
    pub name: String,
    /// The version.
    pub version: String,
}

/// Which events the event scripts of a bundle run for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventProfile {
    /// Its name, `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
    pub name: String,
    /// The events.
    pub events: Vec<ProfiledEvent>,
}

/// An event, and how urgent it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfiledEvent {
    /// Its name as devices have it, such as `CHASSISD_FRU_OFFLINE_NOTICE`.
    pub event: String,
    /// How urgent it is, 1 to 4, 1 being the most urgent; scripts get it as `priority`.
    pub priority: u8,
}

impl EventProfile {
    fn check(&self) -> Result<(), Fault> {
        name("/name", &self.name)?;
        if self.events.is_empty() || self.events.len() > EVENTS_MOST {
            return Err(Fault::new("/events", format!("has 1 to {EVENTS_MOST} events")));
        }
        let mut known = BTreeSet::new();
        for (at, ProfiledEvent { event, priority }) in self.events.iter().enumerate() {
            let is_name = event.len() <= EVENT_MOST
                && event.starts_with(|c: char| c.is_ascii_alphanumeric())
                && event.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
            if !is_name {
                let pointer = format!("/events/{at}/event");
                return Err(Fault::new(pointer, "is no event: `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`"));
            }
            if !known.insert(event.as_str()) {
                return Err(Fault::new(format!("/events/{at}/event"), "is given twice"));
            }
            if !PRIORITIES.contains(priority) {
                return Err(Fault::new(format!("/events/{at}/priority"), "is no priority from 1 to 4"));
            }
        }
        Ok(())
    }
}

/// An event profile, by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileName {
    /// It.
    pub name: String,
}

/// What is looked at before it is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScriptsPlan {
    /// The device group.
    pub device_group: String,
    /// What it would have.
    pub scripts: InstalledScripts,
}

/// A device group is to have a bundle, in place of what it has of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScriptsInstallation {
    /// The device group.
    pub device_group: String,
    /// What it is to have.
    pub scripts: InstalledScripts,
    /// What lies on its devices in the place of scripts and is not ours, and whoever asks has confirmed to be overwritten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overwrites: Vec<Overwritten>,
}

/// A file of a device that a script takes the place of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Overwritten {
    /// The device, by the name it was given.
    pub device: String,
    /// When scripts in its place run.
    pub kind: ScriptKind,
    /// Its name.
    pub name: String,
    /// The SHA-256 of what it has, in lower-case hexadecimal.
    pub sha256: String,
}

impl InstalledScripts {
    fn check(&self) -> Result<(), Fault> {
        name("/bundle", &self.bundle)?;
        name("/version", &self.version)?;
        match self.event_profile.as_str() {
            "" => Ok(()),
            profile => name("/event_profile", profile),
        }
    }
}

impl ScriptsInstallation {
    fn check(&self) -> Result<(), Fault> {
        label("/device_group", &self.device_group, GROUP_MOST)?;
        self.scripts.check()?;
        if self.overwrites.len() > LIST_MOST {
            return Err(Fault::new("/overwrites", format!("has more than {LIST_MOST} files")));
        }
        for (at, file) in self.overwrites.iter().enumerate() {
            name(&format!("/overwrites/{at}/device"), &file.device)?;
            name(&format!("/overwrites/{at}/name"), &file.name)?;
            hash(&format!("/overwrites/{at}/sha256"), &file.sha256)?;
        }
        Ok(())
    }
}

/// A device group is to have none of our scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScriptsRemoval {
    /// The device group.
    pub device_group: String,
}
