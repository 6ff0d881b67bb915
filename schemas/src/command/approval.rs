//! Commands about approvals.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, NOTE_MOST, text};
use crate::approval::ApprovalId;

/// What is asked for of an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    /// What was asked for is done.
    Approve(ApprovalDecision),
    /// It is not.
    Reject(ApprovalDecision),
}

impl Approval {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Approve(_) => "approve-approval",
            Self::Reject(_) => "reject-approval",
        }
    }

    /// The approval that is decided.
    pub const fn approval(&self) -> &ApprovalId {
        &self.decision().approval
    }

    /// Which, and what is said of it.
    pub const fn decision(&self) -> &ApprovalDecision {
        match self {
            Self::Approve(decision) | Self::Reject(decision) => decision,
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        text("/comment", &self.decision().comment, NOTE_MOST)
    }
}

/// How an approval is decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalDecision {
    /// Which.
    pub approval: ApprovalId,
    /// What is said of it; empty for nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}
