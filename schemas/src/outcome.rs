//! What became of a reaction: connectors say it as `in.<org>.result.<connector>`.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::{self, EnumAccess, VariantAccess as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::cause::Cause;
use crate::collected::{BundleKept, FileTried, FilesNamed};
use crate::device::{DeviceStanding, GroupRead, JmbError, JmbErrorEnded};
use crate::gathering::GatheringStands;
use crate::scripts::ScriptsStanding;
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
    /// Data is gathered from a device, or was.
    GatheringStands(GatheringStands),
    /// A bundle was collected that is larger than a message.
    BundleKept(Box<BundleKept>),
    /// A bundle that was collected only names some of its attachments and logs.
    FilesNamed(FilesNamed),
    /// A file that a bundle names was fetched, or was not there.
    FileTried(FileTried),
    /// Scripts stand so on a device.
    ScriptsStand(ScriptsStanding),
    /// A configuration group was read back from its device.
    GroupRead(GroupRead),
}

impl Report {
    /// Whose log it belongs in, where that is not the reaction's own organization.
    pub const fn org(&self) -> Option<&OrgName> {
        match self {
            Self::Attempt(_)
            | Self::DeviceStands(_)
            | Self::JmbSetAside(_)
            | Self::JmbErrorEnded(_)
            | Self::GatheringStands(_)
            | Self::ScriptsStand(_)
            | Self::BundleKept(_)
            | Self::FilesNamed(_)
            | Self::FileTried(_)
            | Self::GroupRead(_) => None,
            Self::CaseChanged(standing) => Some(&standing.incident.org),
        }
    }
}

impl<'de> Deserialize<'de> for Report {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const VARIANTS: &[&str] = &[
            "attempt",
            "case_changed",
            "device_stands",
            "jmb_set_aside",
            "jmb_error_ended",
            "gathering_stands",
            "bundle_kept",
            "files_named",
            "file_tried",
            "scripts_stand",
            "group_read",
        ];
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
            Tag::GatheringStands => content.newtype_variant().map(Report::GatheringStands),
            Tag::BundleKept => content.newtype_variant().map(Report::BundleKept),
            Tag::FilesNamed => content.newtype_variant().map(Report::FilesNamed),
            Tag::FileTried => content.newtype_variant().map(Report::FileTried),
            Tag::ScriptsStand => content.newtype_variant().map(Report::ScriptsStand),
            Tag::GroupRead => content.newtype_variant().map(Report::GroupRead),
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
    GatheringStands,
    BundleKept,
    FilesNamed,
    FileTried,
    ScriptsStand,
    GroupRead,
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
            "gathering_stands" => Ok(Self::GatheringStands),
            "bundle_kept" => Ok(Self::BundleKept),
            "files_named" => Ok(Self::FilesNamed),
            "file_tried" => Ok(Self::FileTried),
            "scripts_stand" => Ok(Self::ScriptsStand),
            "group_read" => Ok(Self::GroupRead),
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
    /// Of a change of a device's configuration: what the device said that it comes to. None where it did not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
    /// Whether a device had committed a change and takes it back, since it was not confirmed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_taken_back: bool,
    /// Whether a device was left as it was, since what the change comes to there is not approved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_unapproved: bool,
    /// Of a change of a device's configuration: what it was made on, and by which node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<AttemptedChange>,
}

/// What an attempt at a change of a device's configuration was made on, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptedChange {
    /// The node that made it.
    pub node: String,
    /// The device, as activations name it.
    pub serial_number: String,
    /// The configuration group.
    pub group: String,
}

/// What a change comes to on a device, as the device's own comparison has it; secrets are withheld.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The comparison, of a long one the lines that come first; empty where nothing changes.
    pub text: String,
    /// How many lines come.
    pub added: u64,
    /// How many go.
    pub removed: u64,
    /// The SHA-256 of the whole comparison without its secrets, in lower-case hexadecimal.
    pub sha256: String,
    /// Whether there are more lines than `text` has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

impl Difference {
    /// Whether the change comes to nothing: the device has all of it.
    pub const fn is_none(&self) -> bool {
        self.added == 0 && self.removed == 0
    }
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
    /// What it came of, where whoever met it knows: for people alone, and so it does not travel.
    #[serde(skip)]
    pub cause: Option<Cause>,
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
