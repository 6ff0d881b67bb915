//! Commands about an incident.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, NOTE_MOST, OWNER_MOST, label, text};
use crate::{IncidentId, Priority};

/// What is asked for of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incident {
    /// Give it to somebody, or to nobody.
    Assign(Assignment),
    /// Change how urgent it is.
    Prioritise(Prioritisation),
    /// It is completed.
    Close(Note),
    /// It is completed and is not to be.
    Reopen(Note),
    /// Add a note to it.
    Annotate(Note),
}

impl Incident {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Assign(_) => "assign-incident",
            Self::Prioritise(_) => "prioritise-incident",
            Self::Close(_) => "close-incident",
            Self::Reopen(_) => "reopen-incident",
            Self::Annotate(_) => "annotate-incident",
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Assign(assignment) => label("/owner", &assignment.owner, OWNER_MOST),
            Self::Annotate(note) if note.note.trim_ascii().is_empty() => Err(Fault::new("/note", "is empty")),
            Self::Close(note) | Self::Reopen(note) | Self::Annotate(note) => text("/note", &note.note, NOTE_MOST),
            Self::Prioritise(_) => Ok(()),
        }
    }

    /// Which incident.
    pub const fn incident(&self) -> &IncidentId {
        match self {
            Self::Assign(assignment) => &assignment.incident,
            Self::Prioritise(prioritisation) => &prioritisation.incident,
            Self::Close(note) | Self::Reopen(note) | Self::Annotate(note) => &note.incident,
        }
    }
}

/// Whose an incident becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assignment {
    /// The incident.
    pub incident: IncidentId,
    /// Whose; empty for nobody's.
    #[serde(default)]
    pub owner: String,
    /// Whether its owner has begun to work on it.
    #[serde(default)]
    pub in_progress: bool,
}

/// How urgent an incident becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Prioritisation {
    /// The incident.
    pub incident: IncidentId,
    /// How urgent.
    pub priority: Priority,
}

/// What somebody says of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// The incident.
    pub incident: IncidentId,
    /// What is said; may be empty where an incident is closed or reopened.
    #[serde(default)]
    pub note: String,
}
