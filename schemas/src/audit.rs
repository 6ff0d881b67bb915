//! Who did what: `out.<org>.audit.<operation>`; of the provider, and of organizations that do not exist,
//! `out._provider.audit.<operation>`.

use jiff::Timestamp;
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
    /// It is done once somebody approves it; from engine level 10 on.
    AwaitingApproval,
}

impl Verdict {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::NotFound, Self::Conflict, Self::Invalid, Self::Forbidden, Self::AwaitingApproval];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Forbidden => "forbidden",
            Self::AwaitingApproval => "awaiting-approval",
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
    /// Which record of the audit's log it is; none of what is not recorded, and from before engine level 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// Where it was asked for; none from before engine level 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Who granted the actor its rights, then who granted those, up to the provider's first manager.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
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

/// A record of an audit log. Its bytes are what the log proves, so the order of its fields stays, a field that is added
/// later stands last, and it holds no words that a release may choose anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// Which of its log, from 0.
    pub index: u64,
    /// The log's clock when it was decided.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub time: Timestamp,
    /// Who asked, as people read it; `_unknown` for a manager of another organization.
    pub actor: String,
    /// Who granted the actor its rights, then who granted those, up to the provider's first manager.
    pub chain: Vec<String>,
    /// Who asked, in parts; none for a manager of another organization.
    pub principal: Option<Principal>,
    /// The node that served the request.
    pub node: String,
    /// What was asked for, by the name under which rights are looked up.
    pub operation: String,
    /// Where it was asked for.
    pub place: String,
    /// What it was about, where that is not the place.
    pub about: Option<String>,
    /// What it changed, as it was before; null for nothing, secrets as `changed`.
    pub old: Value,
    /// As it is now; null for nothing, secrets as `changed`.
    pub new: Value,
    /// What became of it.
    pub outcome: Verdict,
    /// The command.
    pub command: CommandId,
    /// The version of the rule book by which it was decided.
    pub rule_book: u64,
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
