//! Commands about the engine itself; the provider's own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, label, text};

/// The longest address of an upstream, in characters.
const URL_MOST: usize = 2048;
/// The longest fingerprint, in characters: `sha256:` and 64 digits.
const FINGERPRINT_MOST: usize = 71;
/// The longest level of a log, in characters.
const LOG_LEVEL_MOST: usize = 4096;

/// What is asked for of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// Decide at a higher level from here on.
    RaiseLevel(LevelRaise),
    /// Let the log of the program tell more or less, on the node that asks.
    SetLogLevel(LogLevelChange),
    /// Believe one certificate of the upstream and no other, on the node that asks.
    PinUpstream(PinChange),
}

impl Engine {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::RaiseLevel(_) => "raise-level",
            Self::SetLogLevel(_) => "set-log-level",
            Self::PinUpstream(_) => "pin-upstream",
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::RaiseLevel(_) => Ok(()),
            Self::SetLogLevel(change) => {
                text("/old", &change.old, LOG_LEVEL_MOST)?;
                text("/new", &change.new, LOG_LEVEL_MOST)
            }
            Self::PinUpstream(PinChange { url, old, new }) => {
                label("/url", url, URL_MOST)?;
                label("/old", old, FINGERPRINT_MOST)?;
                label("/new", new, FINGERPRINT_MOST)
            }
        }
    }
}

/// The engine level that lanes are to decide at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LevelRaise {
    /// The level; above the present one, and one that the engine knows.
    pub level: u32,
}

/// What the log of a node's program is to tell. It is no state of the lanes: they keep the record of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLevelChange {
    /// The directives of before.
    pub old: String,
    /// The directives that are to count.
    pub new: String,
}

/// Which certificate of the upstream is believed. It is no state of the lanes: they keep the record of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PinChange {
    /// The address of the upstream.
    pub url: String,
    /// The SHA-256 of the certificate of before, as `sha256:` and digits; empty where there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub old: String,
    /// That of the one that is to count; empty for none any more.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub new: String,
}
