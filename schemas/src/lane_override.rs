//! What was decided of an input outside the order of its lane, on `out._override.<lane>`.
//!
//! A lane reads it before it decides, and so does every replay.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{PolicyName, Principal};

/// The longest reason, in characters.
pub const WHY_MOST: usize = 1000;

/// What was decided of an input outside the order of its lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Override {
    /// Which lane.
    pub lane: u32,
    /// Sequence in IN of the input.
    pub position: u64,
    /// SHA-256 of that input, in hexadecimal: of another in its place nothing was decided.
    pub message: String,
    /// What was decided.
    pub what: Overridden,
    /// By whom.
    pub by: Principal,
    /// The engine that wrote it.
    pub node: String,
    /// When, by that engine's clock.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// Why, in words.
    pub why: String,
}

/// What is decided of an input outside the order of its lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Overridden {
    /// It is set aside: a dead letter, and nothing else of it is decided.
    SkipInput,
    /// Something that fell due with it is set aside: it does not happen, and all else of the input is decided.
    SkipTimer {
        /// Which, as the lane tells it.
        timer: String,
    },
    /// One policy does not judge it: a dead letter, and all else of it is decided.
    SetPolicyAside {
        /// Which.
        policy: PolicyName,
    },
    /// One policy judges nothing from it on, as long as its text is this one: a dead letter each time, and all else is decided.
    SuspendPolicy {
        /// Which.
        policy: PolicyName,
        /// SHA-256 of its text, in hexadecimal.
        version: String,
    },
    /// What the lane decides up to it and with it counts, although something else was committed.
    AcceptDecision {
        /// The digest that was committed, in hexadecimal.
        expected: String,
        /// The one that was found when it was accepted; empty where it was not known.
        found: String,
    },
}

impl Overridden {
    /// As what the audit has it, and by what name rights are looked up.
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::SkipInput => "skip-input",
            Self::SkipTimer { .. } => "skip-timer",
            Self::SetPolicyAside { .. } => "set-policy-aside",
            Self::SuspendPolicy { .. } => "suspend-policy",
            Self::AcceptDecision { .. } => "rejudge-lane",
        }
    }
}
