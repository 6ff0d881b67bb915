//! Commands about a policy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LetterRef;
use crate::PolicyName;
use crate::trigger::Trigger;

/// What is asked for of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// Let it judge again what it failed on.
    Run(PolicyRun),
}

impl Policy {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Run(_) => "run-policy",
        }
    }
}

/// Which policy is to judge again, and what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyRun {
    /// The policy; its present text runs.
    pub policy: PolicyName,
    /// The trigger it failed on.
    pub trigger: Trigger,
    /// Id of the trigger's event.
    pub event: String,
    /// What the event was about: an incident, an intelligence message's id, or the index of a record of the audit.
    pub about: String,
    /// The dead letter that told of it. From engine level 16 on; it is kept that it was replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<LetterRef>,
}
