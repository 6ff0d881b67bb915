//! Scripts that run on devices: of which kind they are, and how they stand on one.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::outcome::Difference;

/// When a script runs, and so where it lies on its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScriptKind {
    /// Once somebody calls it.
    Op,
    /// Once something has happened that the event profile names.
    Event,
    /// Once somebody commits.
    Commit,
}

impl ScriptKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Op, Self::Event, Self::Commit];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Op => "op",
            Self::Event => "event",
            Self::Commit => "commit",
        }
    }

    /// Where it lies on a device.
    pub const fn directory(self) -> &'static str {
        match self {
            Self::Op => "/var/db/scripts/op",
            Self::Event => "/var/db/scripts/event",
            Self::Commit => "/var/db/scripts/commit",
        }
    }
}

/// How far a device is with what its group is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScriptsState {
    /// It has not begun, or is tried again.
    Waiting,
    /// The scripts are put on it.
    Uploading,
    /// It broke off amid it, and what was there is put back once it answers.
    RollingBack,
    /// The scripts are there and its configuration names them; what was there before is about to go.
    Configured,
    /// It is done.
    Done,
    /// It failed, and the device has what it had before.
    RolledBack,
    /// It was not begun: nothing was changed.
    Failed,
}

impl ScriptsState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Uploading,
        Self::RollingBack,
        Self::Configured,
        Self::Done,
        Self::RolledBack,
        Self::Failed,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Uploading => "uploading",
            Self::RollingBack => "rolling-back",
            Self::Configured => "configured",
            Self::Done => "done",
            Self::RolledBack => "rolled-back",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing more is done of itself.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::RolledBack | Self::Failed)
    }
}

impl fmt::Display for ScriptsState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A bundle of scripts with the event profile it is installed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstalledScripts {
    /// The bundle.
    pub bundle: String,
    /// Its version.
    pub version: String,
    /// The event profile; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub event_profile: String,
}

/// How scripts stand on a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScriptsStanding {
    /// The device, by the name it was given.
    pub device: String,
    /// The device group for which it is done.
    pub device_group: String,
    /// Which of the group's installations and removals it is.
    pub order: u64,
    /// How far it is.
    pub state: ScriptsState,
    /// How many scripts are put there already.
    #[serde(default)]
    pub done: u32,
    /// Of how many.
    #[serde(default)]
    pub of: u32,
    /// What is wrong, in words; empty for nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What the device has of ours, for sure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has: Option<InstalledScripts>,
    /// Whether its configuration group may be another of ours, since something was begun that has not come to an end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_begun: bool,
    /// What was changed, or was to be; where it comes to an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ScriptsChange>,
}

/// What is changed on a device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScriptsChange {
    /// The node that does it.
    pub node: String,
    /// What the device is to have; none for nothing of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<InstalledScripts>,
    /// What becomes of its scripts, as far as anything does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ChangedScript>,
    /// What the device said that its configuration differs by; none where it was not asked, or did not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
}

/// A script's place, and what becomes of what is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedScript {
    /// Where it lies.
    pub kind: ScriptKind,
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub change: ScriptChange,
    /// The SHA-256 of what was there, in lower-case hexadecimal; none for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

/// What becomes of what lies at a script's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScriptChange {
    /// Nothing was there.
    New,
    /// What was there is ours, of another version.
    Replaced,
    /// What was there is somebody else's, and goes.
    Overwritten,
    /// It is ours, and goes.
    Removed,
    /// It was ours, somebody has changed it, and it stays.
    Left,
}
