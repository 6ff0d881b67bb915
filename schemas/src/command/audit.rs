//! Commands by which the engine keeps its audit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, OWNER_MOST, hash, label, list, text};
use crate::Principal;
use crate::audit::Verdict;

/// The longest text of a checkpoint, in characters.
const CHECKPOINT_MOST: usize = 4096;

/// What is asked for of an audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audit {
    /// Record what was refused before it became a command.
    Record(Refusals),
    /// Keep a signed checkpoint.
    Keep(CheckpointKept),
}

impl Audit {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Record(_) => "record-refusals",
            Self::Keep(_) => "keep-checkpoint",
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Record(refusals) => refusals.check(),
            Self::Keep(kept) => {
                hash("/root", &kept.root)?;
                text("/note", &kept.note, CHECKPOINT_MOST)
            }
        }
    }
}

/// What was refused before it became a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusals {
    /// One by one, or counted together.
    pub refusals: Vec<Refusal>,
}

impl Refusals {
    fn check(&self) -> Result<(), Fault> {
        list("/refusals", &self.refusals)?;
        for (at, refusal) in self.refusals.iter().enumerate() {
            label(&format!("/refusals/{at}/operation"), &refusal.operation, OWNER_MOST)?;
            label(&format!("/refusals/{at}/place"), &refusal.place, OWNER_MOST * 2)?;
            if let Some(about) = &refusal.about {
                label(&format!("/refusals/{at}/about"), about, OWNER_MOST * 2)?;
            }
        }
        Ok(())
    }
}

/// An attempt that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// Who tried.
    pub principal: Principal,
    /// What; empty where those of several kinds are counted together.
    pub operation: String,
    /// Where, as it was asked for; empty where those of several kinds are counted together.
    pub place: String,
    /// About what, as it was asked for; none where that is the place, or several are counted together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Why not.
    pub verdict: Verdict,
    /// How often.
    pub count: u64,
}

/// A checkpoint that was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckpointKept {
    /// How many records it covers.
    pub size: u64,
    /// The root of the tree of so many, in hexadecimal.
    pub root: String,
    /// The signed note.
    pub note: String,
}
