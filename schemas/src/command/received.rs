//! Commands about the intelligence messages that an organization has received.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::Fault;
use crate::Login;
use crate::intelligence::{ID_MOST, State};

/// What is asked for of an intelligence message of an organization's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// Say where the organization stands with it.
    SetState(IntelligenceStanding),
}

impl Received {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::SetState(_) => "set-intelligence-state",
        }
    }

    /// The message's id.
    pub fn id(&self) -> &str {
        let Self::SetState(standing) = self;
        &standing.id
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        let Self::SetState(IntelligenceStanding { id, state, assignee }) = self;
        if id.is_empty() || id.len() > ID_MOST {
            return Err(Fault::new("/id", format!("must have 1 to {ID_MOST} bytes and has {}", id.len())));
        }
        match (state, assignee) {
            (State::Assigned, None) => Err(Fault::new("/assignee", "is missing: what is assigned is somebody's")),
            (State::Unassigned, Some(_)) => Err(Fault::new("/assignee", "is not for what is unassigned")),
            _ => Ok(()),
        }
    }
}

/// Where an organization stands with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IntelligenceStanding {
    /// The message's id.
    pub id: String,
    /// Where it stands.
    pub state: State,
    /// The login whose it is; where it is left out whose it was, and of what is unassigned nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Login>,
}
