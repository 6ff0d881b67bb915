//! What could not be handled: `out.<org>.dead.<reason>`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::PolicyName;
use crate::trigger::Trigger;

/// Why an input or a reaction was set aside, as in the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The bundle cannot be decoded.
    BundleUndecodable,
    /// The intelligence message cannot be decoded.
    IntelligenceUndecodable,
    /// The command cannot be decoded.
    CommandUndecodable,
    /// The result cannot be decoded, or speaks of what is not there.
    ResultUndecodable,
    /// The organization does not exist.
    UnknownOrganization,
    /// The organization is suspended.
    OrganizationSuspended,
    /// The subject's kind is none that is known.
    UnknownKind,
    /// The subject as it was published has a wildcard where a name belongs: it leads to no lane.
    UnknownSubject,
    /// The case or incident a result speaks of does not exist.
    UnknownCase,
    /// There are as many devices as the mode has.
    DeviceLimit,
    /// The organization has sent more than its quota of the day.
    OverQuota,
    /// Somebody has set the input aside, since its lane could not pass it.
    InputSkipped,
    /// A policy failed.
    PolicyFailed,
    /// A reaction was refused, or its deadline passed.
    ReactionFailed,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 14] = [
        Self::BundleUndecodable,
        Self::IntelligenceUndecodable,
        Self::CommandUndecodable,
        Self::ResultUndecodable,
        Self::UnknownOrganization,
        Self::OrganizationSuspended,
        Self::UnknownKind,
        Self::UnknownSubject,
        Self::UnknownCase,
        Self::DeviceLimit,
        Self::OverQuota,
        Self::InputSkipped,
        Self::PolicyFailed,
        Self::ReactionFailed,
    ];

    /// The token in the subject.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BundleUndecodable => "bundle-undecodable",
            Self::IntelligenceUndecodable => "intelligence-undecodable",
            Self::CommandUndecodable => "command-undecodable",
            Self::ResultUndecodable => "result-undecodable",
            Self::UnknownOrganization => "unknown-organization",
            Self::OrganizationSuspended => "organization-suspended",
            Self::UnknownKind => "unknown-kind",
            Self::UnknownSubject => "unknown-subject",
            Self::UnknownCase => "unknown-case",
            Self::DeviceLimit => "device-limit",
            Self::OverQuota => "over-quota",
            Self::InputSkipped => "input-skipped",
            Self::PolicyFailed => "policy-failed",
            Self::ReactionFailed => "reaction-failed",
        }
    }
}

/// A dead letter's data. It names its input's place in IN and, where the input is small, holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetter {
    /// Why.
    pub reason: Reason,
    /// What exactly, for people.
    pub detail: String,
    /// Where in the text, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<LineColumn>,
    /// The input's sequence in the stream IN.
    pub sequence: u64,
    /// The subject it came by, without the lane.
    pub subject: String,
    /// The failed policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<FailedPolicy>,
    /// The failed reaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaction: Option<String>,
    /// The input's length in bytes.
    pub length: usize,
    /// The input's bytes in base64, up to 64 KiB of them; a larger one stands in IN at `sequence`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<String>,
    /// How many inputs it stands for, where it counts them: then `sequence` is that of the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
}

/// What a dead letter counts: inputs of an organization that were left undecided on a day. They stand in IN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    /// The day by the log's clock and UTC: `YYYY-MM-DD`.
    pub day: String,
    /// How many they were.
    pub messages: u64,
    /// How many bytes.
    pub bytes: u64,
    /// The sequence of the last of them in the stream IN.
    pub last: u64,
}

/// The largest input, in bytes, that a dead letter holds itself.
pub const INLINE_MOST: usize = 64 * 1024;

/// A place in a text, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineColumn {
    /// Line.
    pub line: u32,
    /// Column, in characters.
    pub column: u32,
}

/// Which policy failed, on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedPolicy {
    /// Its name.
    pub name: PolicyName,
    /// SHA-256 of its source, in hexadecimal.
    pub version: String,
    /// The trigger it was run on.
    pub on: Trigger,
    /// Id of the trigger's event.
    pub trigger: String,
    /// What that event was about: an incident, an intelligence message's id, or the index of a record of the audit.
    pub about: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_spelled_alike_everywhere() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }
}
