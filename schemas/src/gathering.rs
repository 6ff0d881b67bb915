//! Data that is gathered from devices without scripts: what kinds of bundles it becomes, and how far it is.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many commands a group has at most.
pub const COMMANDS_MOST: usize = 64;
/// The longest command, in characters.
pub const COMMAND_MOST: usize = 255;
/// How many commands that were not carried out are named.
pub const FAILURES_MOST: usize = 8;
/// The longest synopsis, in characters.
pub const SYNOPSIS_MOST: usize = 255;

/// What kind of bundle is made of what was gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GatheringKind {
    /// As scripts make one when something happens: it becomes an incident.
    Event,
    /// What the device is: it becomes a snapshot.
    Information,
    /// As scripts make one when a component failed: it becomes an incident.
    Rma,
}

impl GatheringKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Event, Self::Information, Self::Rma];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Information => "information",
            Self::Rma => "rma",
        }
    }
}

impl fmt::Display for GatheringKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far it is with data that is gathered from a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GatheringStands {
    /// The device, by the name it was given.
    pub device: String,
    /// What kind of bundle it becomes.
    pub kind: GatheringKind,
    /// Which time it is that data is gathered from this device.
    pub number: u64,
    /// How far it is.
    pub how: GatheringState,
}

/// How far it is with data that is gathered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GatheringState {
    /// The commands are run.
    Running {
        /// How many were run.
        done: u32,
        /// How many there are.
        of: u32,
        /// The host-event-ID of the bundle that is made of it.
        host_event_id: String,
    },
    /// The log has the bundle.
    Done {
        /// Its host-event-ID.
        host_event_id: String,
        /// How many commands the device has not carried out: the bundle tells why.
        #[serde(default)]
        failed: u32,
        /// The first of these, each with why, in words.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        failures: Vec<String>,
    },
    /// There is no bundle.
    Failed {
        /// Why, in words.
        error: String,
    },
    /// There is no need of one any more.
    Skipped {
        /// Why, in words.
        why: String,
    },
}
