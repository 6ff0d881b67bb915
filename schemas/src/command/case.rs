//! Commands about an incident's case at the upstream.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{CASE_TEXT_MOST, Fault, OWNER_MOST, label, list, text};
use crate::reaction::FollowUp;
use crate::{IncidentId, Priority};

/// What is asked for of an incident's case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Case {
    /// Open it at the upstream.
    Submit(CaseWish),
    /// Keep what is to be said of it, without opening it.
    Save(CaseWish),
}

impl Case {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Submit(_) => "submit-case",
            Self::Save(_) => "save-case",
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Submit(wish) | Self::Save(wish) => wish.case.check(),
        }
    }

    /// The incident it is for.
    pub const fn incident(&self) -> &IncidentId {
        match self {
            Self::Submit(wish) | Self::Save(wish) => &wish.incident,
        }
    }
}

/// A case somebody wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseWish {
    /// The incident it is for.
    pub incident: IncidentId,
    /// What is said of it.
    #[serde(default)]
    pub case: CaseWords,
}

/// What is said of a case; what is not given is taken from its draft, then from the incident.
/// Source: DOMAIN, "Incidents and cases".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CaseWords {
    /// One line on the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synopsis: Option<String>,
    /// What the customer adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<String>,
    /// How urgent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Who else hears of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cc: Option<Vec<String>>,
    /// How to keep in touch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<FollowUp>,
}

impl CaseWords {
    fn check(&self) -> Result<(), Fault> {
        label("/case/synopsis", self.synopsis.as_deref().unwrap_or_default(), CASE_TEXT_MOST)?;
        text("/case/comments", self.comments.as_deref().unwrap_or_default(), CASE_TEXT_MOST)?;
        let cc = self.cc.as_deref().unwrap_or_default();
        list("/case/cc", cc)?;
        cc.iter().enumerate().try_for_each(|(at, name)| label(&format!("/case/cc/{at}"), name, OWNER_MOST))
    }
}
