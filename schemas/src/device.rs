//! Devices that are reached: how the collector finds them, what they say of themselves, bundles of theirs that were set aside.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest words for what is wrong, in characters.
pub const ERROR_MOST: usize = 512;
/// How many bytes are kept of the beginning of a bundle that was set aside.
pub const HEAD_MOST: usize = 1_024;
/// How many routing engines and members a device says it has.
pub const PARTS_MOST: usize = 64;
/// The longest name of a file, in bytes.
pub const FILE_MOST: usize = 255;
/// The longest directory, pattern or other word of a device's settings, in characters.
pub const SETTING_MOST: usize = 255;

/// How many lines are told of what a device has otherwise than it was told, of those that it lacks and of those it has besides.
pub const DRIFT_LINES_MOST: usize = 100;
/// The longest of them, in characters.
pub const DRIFT_LINE_MOST: usize = 200;

/// How a device stands with the collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceState {
    /// It was not tried yet.
    New,
    /// It answers, and its directory can be read.
    Reachable,
    /// It does not answer.
    Unreachable,
    /// It has no key exchange, cipher or host key in common with what is allowed.
    NoCommonAlgorithm,
    /// Nobody has said which host key it has.
    HostKeyUnknown,
    /// It shows another host key than the one that is pinned.
    HostKeyChanged,
    /// It does not accept the user, or what the user shows.
    AuthenticationFailed,
    /// What the user shows is not there, or cannot be opened: it is to be given again.
    CredentialsMissing,
    /// It has no room for another channel or session.
    Busy,
    /// Its directory is not there, or cannot be read as one.
    DirectoryMissing,
    /// It lets us not read or remove what is there.
    PermissionDenied,
    /// It has no room left.
    DeviceFull,
    /// The engine has no room left for what it has.
    EngineFull,
    /// The log does not take what it has.
    LogUnavailable,
    /// A file of it vanished while it was read, again and again.
    Vanishing,
    /// Its clock is ahead: a file of it is from a time that has not come.
    ClockSkewed,
    /// It answers what cannot be understood.
    Garbled,
}

impl DeviceState {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::New,
        Self::Reachable,
        Self::Unreachable,
        Self::NoCommonAlgorithm,
        Self::HostKeyUnknown,
        Self::HostKeyChanged,
        Self::AuthenticationFailed,
        Self::CredentialsMissing,
        Self::Busy,
        Self::DirectoryMissing,
        Self::PermissionDenied,
        Self::DeviceFull,
        Self::EngineFull,
        Self::LogUnavailable,
        Self::Vanishing,
        Self::ClockSkewed,
        Self::Garbled,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reachable => "reachable",
            Self::Unreachable => "unreachable",
            Self::NoCommonAlgorithm => "no-common-algorithm",
            Self::HostKeyUnknown => "host-key-unknown",
            Self::HostKeyChanged => "host-key-changed",
            Self::AuthenticationFailed => "authentication-failed",
            Self::CredentialsMissing => "credentials-missing",
            Self::Busy => "busy",
            Self::DirectoryMissing => "directory-missing",
            Self::PermissionDenied => "permission-denied",
            Self::DeviceFull => "device-full",
            Self::EngineFull => "engine-full",
            Self::LogUnavailable => "log-unavailable",
            Self::Vanishing => "vanishing",
            Self::ClockSkewed => "clock-skewed",
            Self::Garbled => "garbled",
        }
    }
}

impl fmt::Display for DeviceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a device stands, as the collector has found it. What is left out is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceStanding {
    /// The device, by the name it was given.
    pub device: String,
    /// How it stands.
    pub state: DeviceState,
    /// What is wrong, in words; empty for nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// When a bundle of it was last collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected: Option<Timestamp>,
    /// The host key that it shows in place of the pinned one, as `authorized_keys` has such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_host_key: Option<String>,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<DeviceFacts>,
}

/// What a device says of itself; empty for what it did not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceFacts {
    /// Its chassis serial number.
    pub serial_number: String,
    /// Its host name.
    pub host_name: String,
    /// Its model.
    pub product: String,
    /// The version of its operating system.
    pub os_version: String,
    /// Its routing engines, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routing_engines: Vec<String>,
    /// The members of its virtual chassis, each with a serial number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<ChassisMember>,
}

/// A member of a virtual chassis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChassisMember {
    /// Its number.
    pub number: u32,
    /// Its serial number.
    pub serial_number: String,
    /// Its model.
    pub product: String,
}

/// A configuration group of ours as it was read back from its device, held against what that was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupRead {
    /// The device, by the name it was given.
    pub device: String,
    /// The same, as activations name it.
    pub serial_number: String,
    /// The group.
    pub group: String,
    /// What it was held against: SHA-256 of that text, in lower-case hexadecimal.
    pub sha256: String,
    /// What the device lacks; the first lines of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<DriftedLine>,
    /// How many lines more it lacks.
    #[serde(default, skip_serializing_if = "is_none")]
    pub more_missing: u64,
    /// What it has besides; the first lines of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<DriftedLine>,
    /// How many lines more it has besides.
    #[serde(default, skip_serializing_if = "is_none")]
    pub more_extra: u64,
    /// The templates that all of these lines are of; empty for those of which none is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<String>,
    /// The node that read it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub node: String,
}

impl GroupRead {
    /// Whether the device has it as it was told.
    pub const fn is_in_sync(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks it so")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// A line of a configuration, as one would `set` it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DriftedLine {
    /// It, without secrets.
    pub text: String,
    /// The template that it is of, or that what stands around it is of; empty where none is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub template: String,
}

/// A file that cannot be a bundle: it stays on the device, and is not read again until it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JmbError {
    /// The device, by the name it was given.
    pub device: String,
    /// What it is called: of a device and a file always the same.
    pub id: String,
    /// The name of the file; what is no printable character is written as `\u001b`, a byte that is no text as
    /// `\xff`.
    pub file: String,
    /// How many bytes it has.
    pub size: u64,
    /// When it was changed last, by the device's clock, in seconds of the epoch.
    pub modified: u64,
    /// What is wrong with it, by name, as dead letters of bundles have it.
    pub fault: String,
    /// What is wrong with it, in words.
    pub detail: String,
    /// Where: the line, from 1; 0 where it is not known.
    #[serde(default)]
    pub line: u64,
    /// Where: the column, from 1; 0 where it is not known.
    #[serde(default)]
    pub column: u64,
    /// Its beginning as text; what is no UTF-8 is replaced.
    pub head: String,
}

/// A file that was set aside is so no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JmbErrorEnded {
    /// The device, by the name it was given.
    pub device: String,
    /// Which.
    pub id: String,
    /// What became of it.
    pub how: JmbErrorEnd,
}

/// What became of a file that was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JmbErrorEnd {
    /// It was removed from the device, as somebody asked.
    Deleted,
    /// It is no more on the device.
    Vanished,
    /// It was collected.
    Collected,
}
