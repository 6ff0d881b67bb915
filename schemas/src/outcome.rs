//! What became of a reaction: connectors say it as `in.<org>.result.<connector>`.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::{self, EnumAccess, VariantAccess as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::device::{DeviceStanding, JmbError, JmbErrorEnded};
use crate::{IncidentId, OrgName, ReactionId};

/// A connector's message to the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// An attempt at a reaction has ended.
    Attempt(Attempt),
    /// A case stands differently upstream.
    CaseChanged(CaseStanding),
    /// A device stands so, or says so of itself.
    DeviceStands(DeviceStanding),
    /// A file of a device is no bundle.
    JmbSetAside(JmbError),
    /// A file that was set aside is so no more.
    JmbErrorEnded(JmbErrorEnded),
}

impl Report {
    /// Whose log it belongs in, where that is not the reaction's own organization.
    pub const fn org(&self) -> Option<&OrgName> {
        match self {
            Self::Attempt(_) | Self::DeviceStands(_) | Self::JmbSetAside(_) | Self::JmbErrorEnded(_) => None,
            Self::CaseChanged(standing) => Some(&standing.incident.org),
        }
    }
}

impl<'de> Deserialize<'de> for Report {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const VARIANTS: &[&str] = &["attempt", "case_changed", "device_stands", "jmb_set_aside", "jmb_error_ended"];
        deserializer.deserialize_enum("Report", VARIANTS, ReportVisitor)
    }
}

struct ReportVisitor;

impl<'de> Visitor<'de> for ReportVisitor {
    type Value = Report;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("enum Report")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Report, A::Error> {
        let (tag, content) = access.variant::<Tag>()?;
        match tag {
            Tag::Attempt => content.newtype_variant().map(Report::Attempt),
            Tag::CaseChanged => content.newtype_variant().map(Report::CaseChanged),
            Tag::DeviceStands => content.newtype_variant().map(Report::DeviceStands),
            Tag::JmbSetAside => content.newtype_variant().map(Report::JmbSetAside),
            Tag::JmbErrorEnded => content.newtype_variant().map(Report::JmbErrorEnded),
        }
    }
}

/// Which kind of report it is.
enum Tag {
    Attempt,
    CaseChanged,
    DeviceStands,
    JmbSetAside,
    JmbErrorEnded,
}

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Dead letters of level 1 have this text in their digest, as it was when these were all.
        const KNOWN: &[&str] = &["attempt", "case_changed"];
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        match &*text {
            "attempt" => Ok(Self::Attempt),
            "case_changed" => Ok(Self::CaseChanged),
            "device_stands" => Ok(Self::DeviceStands),
            "jmb_set_aside" => Ok(Self::JmbSetAside),
            "jmb_error_ended" => Ok(Self::JmbErrorEnded),
            other => Err(de::Error::unknown_variant(other, KNOWN)),
        }
    }
}

/// How one attempt at a reaction ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// The reaction.
    pub reaction: ReactionId,
    /// Which try, from 1. A report on another try than the state's is ignored.
    pub attempt: u32,
    /// How many requests the attempt made of the destination, for its hourly bound.
    pub requests: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Of an upload: how many bytes the destination has of what was sent. None where it did not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub there: Option<u64>,
    /// Whether it was broken off here because what may leave has changed meanwhile: the destination is well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_withdrawn: bool,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is done.
    Done(Done),
    /// It failed.
    Failed(Failure),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// A notification is delivered. It travels as `logged`, as before there were others; `delivered` is read too.
    #[serde(rename = "logged", alias = "delivered")]
    Delivered,
    /// The support system took the case.
    CaseAccepted {
        /// Its receipt, by which the case is asked for until it has an id.
        transaction_id: String,
        /// The case, where it has an id at once.
        case: Option<CaseStanding>,
    },
    /// The changes are reported; the next poll goes on from `cursor`.
    Polled {
        /// Where to go on.
        cursor: Option<String>,
    },
    /// The device has the configuration group as asked for.
    Configured,
    /// The upstream knows what was done with a case.
    CaseTold,
    /// The upstream has the bytes of an upload.
    Uploaded {
        /// The SHA-256 of what left, after filtering, in lower-case hexadecimal.
        sha256: String,
        /// How many bytes left.
        size: u64,
    },
}

/// How a case stands upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseStanding {
    /// The incident it was opened for.
    pub incident: IncidentId,
    /// Its id; empty before it has one.
    pub case_id: String,
    /// The upstream's word for its status; empty before there is one.
    pub status: String,
    /// Where people see it.
    pub link: Option<String>,
    /// When it changed last, by the upstream's clock.
    pub updated: Timestamp,
    /// What is said of it upstream, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<CaseNote>,
}

/// What somebody has said of a case. It keeps its id wherever it goes, so that it is told once everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseNote {
    /// What it is known by again.
    pub id: String,
    /// Who said it.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// What; empty for nothing.
    pub text: String,
}

/// Why an attempt failed; the class decides what happens next, never the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// Whose fault, and whether trying again can help.
    pub class: FailureClass,
    /// What happened, for people.
    pub message: String,
    /// How long the destination asks to be left alone, in seconds.
    pub retry_after_s: Option<u32>,
}

/// Whose fault a failure is, and whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// Not reached, timed out, or answered with a fault of its own: again, later.
    Unavailable,
    /// Reached and too busy: again, when it says.
    Overloaded,
    /// It does not accept our credentials: again, later, since an operator may mend them.
    Unauthorized,
    /// It answered what cannot be understood; the effect may have happened: again, under the same key.
    Garbled,
    /// It understood and refused this very reaction: never again.
    Refused,
}

impl FailureClass {
    /// The class as metrics and dead letters spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Overloaded => "overloaded",
            Self::Unauthorized => "unauthorized",
            Self::Garbled => "garbled",
            Self::Refused => "refused",
        }
    }
}
