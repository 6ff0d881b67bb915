//! What is kept of scripts on devices.

use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::command::{BundleVersion, Overwritten, ScriptFile};
use linesman_schemas::device::ERROR_MOST;
use linesman_schemas::scripts::{InstalledScripts, ScriptKind, ScriptsStanding, ScriptsState};
use serde::{Deserialize, Serialize};

use crate::state::Base;
use crate::table::{Key, Row, Table};
use crate::{Error, coded};

/// A version of a bundle of scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptBundleRow {
    /// Its scripts, by kind and name.
    pub files: Vec<FileRow>,
    /// Since when it is kept.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub kept: Timestamp,
}

impl Row for ScriptBundleRow {}

/// A script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRow {
    /// When it runs.
    #[serde(with = "coded")]
    pub kind: ScriptKind,
    /// Its name.
    pub name: String,
    /// The SHA-256 of its text, in lower-case hexadecimal.
    pub sha256: String,
    /// Its text.
    pub content: String,
}

/// An event profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileRow {
    /// The events with their priorities, as they were given.
    pub events: Vec<(String, u8)>,
}

impl Row for ProfileRow {}

/// What a device group is to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupScriptsRow {
    /// Which of the organization's installations and removals it is, from 1.
    pub order: u64,
    /// What it is to have; none for nothing of ours.
    pub scripts: Option<InstalledRow>,
    /// What is confirmed to be overwritten.
    pub overwrites: Vec<OverwrittenRow>,
    /// When it was asked for.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub asked: Timestamp,
    /// The logins by whose doing it was, in their order; none where it was the engine's.
    pub by: Vec<String>,
}

impl Row for GroupScriptsRow {}

/// A version of a bundle with an event profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledRow {
    /// The bundle.
    pub bundle: String,
    /// Its version.
    pub version: String,
    /// The event profile; empty for none.
    pub profile: String,
}

/// A file of a device that is confirmed to be overwritten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverwrittenRow {
    /// The device.
    pub device: String,
    /// Where it lies.
    #[serde(with = "coded")]
    pub kind: ScriptKind,
    /// Its name.
    pub name: String,
    /// The SHA-256 of what it has.
    pub sha256: String,
}

/// How scripts stand on a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceScriptsRow {
    /// The device group for which it was done last.
    pub group: String,
    /// Which of its installations and removals it was.
    pub order: u64,
    /// How far it is.
    #[serde(with = "coded")]
    pub state: ScriptsState,
    /// Since when.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub since: Timestamp,
    /// How many scripts are put there already.
    pub done: u32,
    /// Of how many.
    pub of: u32,
    /// What is wrong, in words; empty for nothing.
    pub detail: String,
    /// What the device has of ours.
    pub has: Option<InstalledRow>,
    /// Whether its configuration group may be another of ours.
    pub is_begun: bool,
    /// The logins by whose doing it is, in their order.
    pub by: Vec<String>,
}

impl Row for DeviceScriptsRow {}

impl DeviceScriptsRow {
    /// As a report says it, by whose doing that is, where this was known before.
    pub(super) fn of(report: &ScriptsStanding, by: Vec<String>, before: Option<&Self>, now: Timestamp) -> Self {
        let is_same = before.is_some_and(|row| row.state == report.state && row.order == report.order);
        Self {
            group: report.device_group.clone(),
            order: report.order,
            state: report.state,
            since: before.filter(|_| is_same).map_or(now, |row| row.since),
            done: report.done,
            of: report.of,
            detail: report.detail.chars().take(ERROR_MOST).collect(),
            has: report.has.clone().map(InstalledRow::from),
            is_begun: report.is_begun,
            by,
        }
    }
}

impl From<InstalledScripts> for InstalledRow {
    fn from(InstalledScripts { bundle, version, event_profile }: InstalledScripts) -> Self {
        Self { bundle, version, profile: event_profile }
    }
}

impl From<InstalledRow> for InstalledScripts {
    fn from(InstalledRow { bundle, version, profile }: InstalledRow) -> Self {
        Self { bundle, version, event_profile: profile }
    }
}

impl From<Overwritten> for OverwrittenRow {
    fn from(Overwritten { device, kind, name, sha256 }: Overwritten) -> Self {
        Self { device, kind, name, sha256 }
    }
}

impl From<ScriptFile> for FileRow {
    fn from(ScriptFile { kind, name, content }: ScriptFile) -> Self {
        use sha2::{Digest as _, Sha256};

        Self { kind, name, sha256: hex::encode(Sha256::digest(&content)), content }
    }
}

/// The table of versions of bundles, by name and version.
pub const SCRIPT_BUNDLES: Table<ScriptBundleRow> = Table::new(b'{');
/// The table of event profiles, by name.
pub const EVENT_PROFILES: Table<ProfileRow> = Table::new(b'}');
/// The table of what device groups are to have, by name.
pub const GROUP_SCRIPTS: Table<GroupScriptsRow> = Table::new(b'|');
/// The table of how scripts stand on devices, by the names they were given.
pub const DEVICE_SCRIPTS: Table<DeviceScriptsRow> = Table::new(b'_');

/// The key of a version of a bundle.
pub fn bundle_key(org: &OrgName, name: &str, version: &str) -> Key<ScriptBundleRow> {
    SCRIPT_BUNDLES.key(&[org.as_str(), name], version.as_bytes())
}

/// An event profile's key.
pub fn profile_key(org: &OrgName, name: &str) -> Key<ProfileRow> {
    EVENT_PROFILES.key(&[org.as_str()], name.as_bytes())
}

/// The key of what a device group is to have.
pub fn group_key(org: &OrgName, group: &str) -> Key<GroupScriptsRow> {
    GROUP_SCRIPTS.key(&[org.as_str()], group.as_bytes())
}

/// The key of how scripts stand on a device.
pub fn device_key(org: &OrgName, device: &str) -> Key<DeviceScriptsRow> {
    DEVICE_SCRIPTS.key(&[org.as_str()], device.as_bytes())
}

/// An organization's versions of bundles, by name and version.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn bundles(
    base: &(impl Base + ?Sized),
    org: &OrgName,
) -> impl Iterator<Item = Result<(BundleVersion, ScriptBundleRow), Error>> {
    SCRIPT_BUNDLES.rows(base, &[org.as_str()]).map(|row| {
        row.map(|(own, row)| {
            let mut parts = own.splitn(2, |byte| *byte == 0).map(text);
            let (name, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            (BundleVersion { name, version }, row)
        })
    })
}

/// An organization's event profiles, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn profiles(
    base: &(impl Base + ?Sized),
    org: &OrgName,
) -> impl Iterator<Item = Result<(String, ProfileRow), Error>> {
    EVENT_PROFILES.rows(base, &[org.as_str()]).map(|row| row.map(|(own, row)| (text(&own), row)))
}

/// What an organization's device groups are to have, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn groups(
    base: &(impl Base + ?Sized),
    org: &OrgName,
) -> impl Iterator<Item = Result<(String, GroupScriptsRow), Error>> {
    GROUP_SCRIPTS.rows(base, &[org.as_str()]).map(|row| row.map(|(own, row)| (text(&own), row)))
}

/// How scripts stand on an organization's devices, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn devices(
    base: &(impl Base + ?Sized),
    org: &OrgName,
) -> impl Iterator<Item = Result<(String, DeviceScriptsRow), Error>> {
    DEVICE_SCRIPTS.rows(base, &[org.as_str()]).map(|row| row.map(|(own, row)| (text(&own), row)))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
