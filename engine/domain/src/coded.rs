//! Words of what travels, as rows hold them: by a code of the row's own, so that a word that is added, moved
//! or spelled otherwise in `schemas` never gives a stored row another meaning.
//!
//! A code is given once and for ever; a number where version 1 of the rows had one, a text where it had that.

use std::borrow::Cow;

use linesman_schemas::approval::{ApprovalKind, ApprovalRule, OnTimeout};
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{CredentialsKind, Handling, SubmitCaseAs};
use linesman_schemas::control::Section;
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::device::DeviceState;
use linesman_schemas::gathering::GatheringKind;
use linesman_schemas::intelligence::{Kind, State};
use linesman_schemas::reaction::FollowUp;
use linesman_schemas::scripts::{ScriptKind, ScriptsState};
use linesman_schemas::upload::UploadKind;
use linesman_schemas::{FilterLevel, Priority};
use serde::{Deserialize, Deserializer, Serializer, de};

/// A word that rows hold as a number.
pub(crate) trait Coded: Copy {
    fn code(self) -> u8;
    fn of(code: u8) -> Option<Self>;
}

/// For `#[serde(with = "...")]`.
pub(crate) fn serialize<T: Coded, S: Serializer>(word: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(word.code())
}

/// For `#[serde(with = "...")]`.
pub(crate) fn deserialize<'de, T: Coded, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let code = u8::deserialize(deserializer)?;
    T::of(code).ok_or_else(|| de::Error::custom("a code that is none"))
}

impl Coded for Reason {
    fn code(self) -> u8 {
        match self {
            Self::BundleUndecodable => 0,
            Self::IntelligenceUndecodable => 1,
            Self::CommandUndecodable => 2,
            Self::ResultUndecodable => 3,
            Self::UnknownOrganization => 4,
            Self::OrganizationSuspended => 5,
            Self::UnknownKind => 6,
            Self::UnknownSubject => 7,
            Self::UnknownCase => 8,
            Self::DeviceLimit => 9,
            Self::OverQuota => 10,
            Self::InputSkipped => 11,
            Self::PolicyFailed => 12,
            Self::ReactionFailed => 13,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

impl Coded for FilterLevel {
    fn code(self) -> u8 {
        match self {
            Self::DoNotSend => 0,
            Self::ExceptConfiguration => 1,
            Self::AddressesOverwritten => 2,
            Self::All => 3,
            Self::FeaturesOnly => 4,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::DoNotSend,
            1 => Self::ExceptConfiguration,
            2 => Self::AddressesOverwritten,
            3 => Self::All,
            4 => Self::FeaturesOnly,
            _ => return None,
        })
    }
}

impl Coded for DeviceState {
    fn code(self) -> u8 {
        match self {
            Self::New => 0,
            Self::Reachable => 1,
            Self::Unreachable => 2,
            Self::NoCommonAlgorithm => 3,
            Self::HostKeyUnknown => 4,
            Self::HostKeyChanged => 5,
            Self::AuthenticationFailed => 6,
            Self::CredentialsMissing => 7,
            Self::Busy => 8,
            Self::DirectoryMissing => 9,
            Self::PermissionDenied => 10,
            Self::DeviceFull => 11,
            Self::EngineFull => 12,
            Self::LogUnavailable => 13,
            Self::Vanishing => 14,
            Self::ClockSkewed => 15,
            Self::Garbled => 16,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::New,
            1 => Self::Reachable,
            2 => Self::Unreachable,
            3 => Self::NoCommonAlgorithm,
            4 => Self::HostKeyUnknown,
            5 => Self::HostKeyChanged,
            6 => Self::AuthenticationFailed,
            7 => Self::CredentialsMissing,
            8 => Self::Busy,
            9 => Self::DirectoryMissing,
            10 => Self::PermissionDenied,
            11 => Self::DeviceFull,
            12 => Self::EngineFull,
            13 => Self::LogUnavailable,
            14 => Self::Vanishing,
            15 => Self::ClockSkewed,
            16 => Self::Garbled,
            _ => return None,
        })
    }
}

impl Coded for ScriptKind {
    fn code(self) -> u8 {
        match self {
            Self::Op => 0,
            Self::Event => 1,
            Self::Commit => 2,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Op,
            1 => Self::Event,
            2 => Self::Commit,
            _ => return None,
        })
    }
}

impl Coded for ScriptsState {
    fn code(self) -> u8 {
        match self {
            Self::Waiting => 0,
            Self::Uploading => 1,
            Self::RollingBack => 2,
            Self::Configured => 3,
            Self::Done => 4,
            Self::RolledBack => 5,
            Self::Failed => 6,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Waiting,
            1 => Self::Uploading,
            2 => Self::RollingBack,
            3 => Self::Configured,
            4 => Self::Done,
            5 => Self::RolledBack,
            6 => Self::Failed,
            _ => return None,
        })
    }
}

impl Coded for CredentialsKind {
    fn code(self) -> u8 {
        match self {
            Self::Password => 0,
            Self::Key => 1,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Password,
            1 => Self::Key,
            _ => return None,
        })
    }
}

impl Coded for GatheringKind {
    fn code(self) -> u8 {
        match self {
            Self::Event => 0,
            Self::Information => 1,
            Self::Rma => 2,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Event,
            1 => Self::Information,
            2 => Self::Rma,
            _ => return None,
        })
    }
}

impl Coded for Handling {
    fn code(self) -> u8 {
        match self {
            Self::Forward => 0,
            Self::Own => 1,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Forward,
            1 => Self::Own,
            _ => return None,
        })
    }
}

impl Coded for SubmitCaseAs {
    fn code(self) -> u8 {
        match self {
            Self::Real => 0,
            Self::Test => 1,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Real,
            1 => Self::Test,
            _ => return None,
        })
    }
}

impl Coded for FollowUp {
    fn code(self) -> u8 {
        match self {
            Self::EmailFullText => 0,
            Self::EmailLink => 1,
            Self::Phone => 2,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::EmailFullText,
            1 => Self::EmailLink,
            2 => Self::Phone,
            _ => return None,
        })
    }
}

impl Coded for UploadKind {
    fn code(self) -> u8 {
        match self {
            Self::Bundle => 0,
            Self::Snapshot => 1,
            Self::Attachment => 2,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Bundle,
            1 => Self::Snapshot,
            2 => Self::Attachment,
            _ => return None,
        })
    }
}

impl Coded for Verdict {
    fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::NotFound => 1,
            Self::Conflict => 2,
            Self::Invalid => 3,
            Self::Forbidden => 4,
            Self::AwaitingApproval => 5,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Done,
            1 => Self::NotFound,
            2 => Self::Conflict,
            3 => Self::Invalid,
            4 => Self::Forbidden,
            5 => Self::AwaitingApproval,
            _ => return None,
        })
    }
}

impl Coded for State {
    fn code(self) -> u8 {
        match self {
            Self::Unassigned => 0,
            Self::Assigned => 1,
            Self::InProgress => 2,
            Self::Completed => 3,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

impl Coded for ApprovalKind {
    fn code(self) -> u8 {
        match self {
            Self::SendIntelligence => 0,
            Self::ForwardCase => 1,
            Self::ActivateService => 2,
            Self::ConfigureDevice => 3,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::SendIntelligence,
            1 => Self::ForwardCase,
            2 => Self::ActivateService,
            3 => Self::ConfigureDevice,
            _ => return None,
        })
    }
}

impl Coded for ApprovalRule {
    fn code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::OnePerson => 1,
            Self::TwoPerson => 2,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::None,
            1 => Self::OnePerson,
            2 => Self::TwoPerson,
            _ => return None,
        })
    }
}

impl Coded for OnTimeout {
    fn code(self) -> u8 {
        match self {
            Self::Reject => 0,
            Self::Approve => 1,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Reject,
            1 => Self::Approve,
            _ => return None,
        })
    }
}

impl Coded for Section {
    fn code(self) -> u8 {
        match self {
            Self::Policies => 0,
            Self::Settings => 1,
            Self::Directory => 2,
            Self::Services => 3,
            Self::Installation => 4,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Policies,
            1 => Self::Settings,
            2 => Self::Directory,
            3 => Self::Services,
            4 => Self::Installation,
            _ => return None,
        })
    }
}

impl Coded for Kind {
    fn code(self) -> u8 {
        match self {
            Self::Alert => 0,
            Self::Informational => 1,
            Self::BugNotice => 2,
            Self::EndOfLife => 3,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Alert,
            1 => Self::Informational,
            2 => Self::BugNotice,
            3 => Self::EndOfLife,
            _ => return None,
        })
    }
}

/// A word that may be missing.
pub(crate) mod optional {
    use super::*;

    pub(crate) fn serialize<T: Coded, S: Serializer>(word: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        match word {
            Some(word) => serializer.serialize_some(&word.code()),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T: Coded, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
        let code = Option::<u8>::deserialize(deserializer)?;
        code.map(|code| T::of(code).ok_or_else(|| de::Error::custom("a code that is none"))).transpose()
    }
}

/// A priority, by its word.
pub(crate) mod priority {
    use super::*;

    pub(super) fn code(priority: Priority) -> &'static str {
        match priority {
            Priority::Critical => "Critical",
            Priority::High => "High",
            Priority::Medium => "Medium",
            Priority::Low => "Low",
        }
    }

    pub(super) fn of<E: de::Error>(code: &str) -> Result<Priority, E> {
        let found = Priority::ALL.into_iter().find(|priority| self::code(*priority) == code);
        found.ok_or_else(|| E::custom("a priority that is none"))
    }

    pub(crate) fn serialize<S: Serializer>(priority: &Priority, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(code(*priority))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Priority, D::Error> {
        of(&<Cow<'de, str>>::deserialize(deserializer)?)
    }
}

/// A priority that may be missing.
pub(crate) mod optional_priority {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(priority: &Option<Priority>, serializer: S) -> Result<S::Ok, S::Error> {
        match priority {
            Some(priority) => serializer.serialize_some(super::priority::code(*priority)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Priority>, D::Error> {
        let code = <Option<Cow<'de, str>>>::deserialize(deserializer)?;
        code.map(|code| super::priority::of(&code)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    /// The codes of version 1, which are for ever.
    fn has<T: Coded + PartialEq + Debug>(codes: &[(T, u8)]) {
        for (word, code) in codes {
            assert_eq!((word.code(), T::of(*code)), (*code, Some(*word)));
        }
        assert_eq!(T::of(200), None);
    }

    #[test]
    fn codes_are_what_the_first_version_stored() {
        has(&[
            (FilterLevel::DoNotSend, 0),
            (FilterLevel::ExceptConfiguration, 1),
            (FilterLevel::AddressesOverwritten, 2),
        ]);
        has(&[(FilterLevel::All, 3), (FilterLevel::FeaturesOnly, 4)]);
        has(&[(FollowUp::EmailFullText, 0), (FollowUp::EmailLink, 1), (FollowUp::Phone, 2)]);
        has(&[(Verdict::Done, 0), (Verdict::NotFound, 1), (Verdict::Conflict, 2), (Verdict::Invalid, 3)]);
        has(&[(Kind::Alert, 0), (Kind::Informational, 1), (Kind::BugNotice, 2), (Kind::EndOfLife, 3)]);
        has(&[(Section::Policies, 0), (Section::Settings, 1), (Section::Directory, 2), (Section::Services, 3)]);
        has(&[(Section::Installation, 4)]);
        has(&[(Verdict::Forbidden, 4), (Verdict::AwaitingApproval, 5)]);
        has(&[
            (ApprovalKind::SendIntelligence, 0),
            (ApprovalKind::ForwardCase, 1),
            (ApprovalKind::ActivateService, 2),
            (ApprovalKind::ConfigureDevice, 3),
        ]);
        has(&[(State::Unassigned, 0), (State::Assigned, 1), (State::InProgress, 2), (State::Completed, 3)]);
        has(&[(ApprovalRule::None, 0), (ApprovalRule::OnePerson, 1), (ApprovalRule::TwoPerson, 2)]);
        has(&[(OnTimeout::Reject, 0), (OnTimeout::Approve, 1)]);
        has(&[(UploadKind::Bundle, 0), (UploadKind::Snapshot, 1), (UploadKind::Attachment, 2)]);
        let words = Priority::ALL.map(priority::code);
        assert_eq!(words, ["Critical", "High", "Medium", "Low"]);
        assert_eq!(words.map(|word| priority::of::<de::value::Error>(word).unwrap()), Priority::ALL);
    }
}
