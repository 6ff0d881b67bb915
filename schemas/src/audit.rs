//! Who did what: `out.<org>.audit.<operation>`; of the provider, and of organizations that do not exist,
//! `out._provider.audit.<operation>`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{CommandId, Principal};

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It was done.
    Done,
    /// What it is about does not exist.
    NotFound,
    /// It does not fit how things stand.
    Conflict,
    /// It is beyond its bounds.
    Invalid,
    /// Whoever asked has not the right.
    Forbidden,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Done, Self::NotFound, Self::Conflict, Self::Invalid, Self::Forbidden];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Forbidden => "forbidden",
        }
    }
}

/// An audit event's data: a command, and what it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Audit {
    /// The command.
    pub command: CommandId,
    /// Who asked, as people read it.
    pub actor: String,
    /// Who asked; none from before engine level 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
    /// The node that served the request.
    pub node: String,
    /// What became of it.
    pub verdict: Verdict,
    /// What was done, or why not.
    pub outcome: String,
    /// What it changed, as it was before; null for nothing.
    pub old: Value,
    /// As it is now; null for nothing.
    pub new: Value,
}

/// Data of `out._provider.audit.lane-sealed`: the log has lost something that it had acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LaneSealed {
    /// Which lane.
    pub lane: u32,
    /// What was found.
    pub why: String,
    /// Sequence in IN up to which the lane has decided again.
    pub position: u64,
    /// The engine that found it.
    pub owner: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_spelled_alike_everywhere() {
        for verdict in Verdict::ALL {
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.as_str());
        }
    }
}
