//! The rows of devices that are reached: how, how they stand, and which of their files were set aside.

use jiff::Timestamp;
use linesman_schemas::command::{AfterCollection, CredentialsKind, DeviceSettings};
use linesman_schemas::device::DeviceState;
use linesman_schemas::{OrgName, PlacePath};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::state::Base;
use super::super::table::{Key, Row, Table};
use super::super::{Error, coded};

/// How a device is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachedRow {
    /// Its host name or IP address.
    pub address: String,
    /// The port of SSH.
    pub port: u16,
    /// The port of NETCONF.
    pub netconf_port: u16,
    /// Who logs in.
    pub user: String,
    /// What the user shows.
    #[serde(with = "coded")]
    pub credentials: CredentialsKind,
    /// How often that was given, so that whoever keeps it open sees that it is another.
    pub given: u64,
    /// The directory in which it leaves bundles.
    pub directory: String,
    /// Which of its files are bundles.
    pub pattern: String,
    /// How often it is looked there, in seconds.
    pub poll_s: u32,
    /// What becomes of a file that was collected.
    pub after: AfterRow,
    /// The site or access line where it is.
    pub place: Option<PlacePath>,
    /// Its chassis serial number, as people say it; empty where they do not.
    pub serial_number: String,
    /// The groups of commands by which data is gathered from it.
    pub directives: Vec<String>,
    /// Whether algorithms are allowed that are no longer safe.
    pub is_legacy: bool,
    /// Whether the host key that it shows first is taken for its own.
    pub accepts_first_host_key: bool,
    /// Its host key; none is known.
    pub host_key: Option<String>,
}

impl Row for ReachedRow {}

/// What becomes of a file that was collected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AfterRow {
    /// It is removed.
    Remove,
    /// It is moved to a directory of the device's.
    MoveTo(String),
    /// It stays.
    Leave,
}

/// How a device stands with the collector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingRow {
    /// How.
    #[serde(with = "coded")]
    pub state: DeviceState,
    /// Since when.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub since: Timestamp,
    /// What is wrong, in words; empty for nothing.
    pub error: String,
    /// When a bundle of it was last collected.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub collected: Option<Timestamp>,
    /// The host key that it shows in place of the pinned one.
    pub shown_host_key: Option<String>,
    /// What it says of itself.
    pub facts: FactsRow,
}

impl Row for StandingRow {}

impl StandingRow {
    pub(super) fn new(now: Timestamp) -> Self {
        let (state, facts) = (DeviceState::New, FactsRow::default());
        Self { state, since: now, error: String::new(), collected: None, shown_host_key: None, facts }
    }
}

/// What a device says of itself; empty for what it did not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactsRow {
    /// Its chassis serial number.
    pub serial_number: String,
    /// Its host name.
    pub host_name: String,
    /// Its model.
    pub product: String,
    /// The version of its operating system.
    pub os_version: String,
    /// Its routing engines.
    pub routing_engines: Vec<String>,
    /// The members of its virtual chassis: number, serial number, model.
    pub members: Vec<(u32, String, String)>,
}

/// A file that is no bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JmbErrorRow {
    /// The file's name; what is no printable character is written as `\u001b`, a byte that is no text as `\xff`.
    pub file: String,
    /// How many bytes it has.
    pub size: u64,
    /// When it was changed last, by the device's clock, in seconds of the epoch.
    pub modified: u64,
    /// What is wrong with it, by name.
    pub fault: String,
    /// What is wrong with it, in words.
    pub detail: String,
    /// The line, from 1; 0 where it is not known.
    pub line: u64,
    /// The column, from 1; 0 where it is not known.
    pub column: u64,
    /// Its beginning.
    pub head: String,
    /// When it was set aside.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub found: Timestamp,
    /// What somebody has asked for.
    pub wish: WishRow,
}

impl Row for JmbErrorRow {}

/// What somebody has asked for of a file that was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WishRow {
    /// Nothing.
    None,
    /// That it is removed from the device.
    Delete,
    /// That it is checked once more.
    Recheck,
}

/// The table of devices that are reached, by name.
pub const REACHED: Table<ReachedRow> = Table::new(b'^');
/// The table of how they stand, by name.
pub const STANDINGS: Table<StandingRow> = Table::new(b'*');
/// The table of files that were set aside, by device and id.
pub const JMB_ERRORS: Table<JmbErrorRow> = Table::new(b':');

/// A device's key.
pub fn key(org: &OrgName, name: &str) -> Key<ReachedRow> {
    REACHED.key(&[org.as_str()], name.as_bytes())
}

/// The key of how it stands.
pub fn standing_key(org: &OrgName, name: &str) -> Key<StandingRow> {
    STANDINGS.key(&[org.as_str()], name.as_bytes())
}

/// The key of a file that was set aside.
pub fn jmb_error_key(org: &OrgName, device: &str, id: &str) -> Key<JmbErrorRow> {
    JMB_ERRORS.key(&[org.as_str(), device], id.as_bytes())
}

/// The front of the keys of an organization's devices that are reached, or of those from a row's own key on.
pub fn within(organization: &str, own: &[u8]) -> Vec<u8> {
    REACHED.prefix(&[organization], own)
}

/// The front of the keys of an organization's files that were set aside, or of those from a row's own key on.
pub fn jmb_errors_within(organization: &str, own: &[u8]) -> Vec<u8> {
    JMB_ERRORS.prefix(&[organization], own)
}

/// An organization's devices that are reached, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all(base: &(impl Base + ?Sized), org: &OrgName) -> impl Iterator<Item = Result<(String, ReachedRow), Error>> {
    REACHED.rows(base, &[org.as_str()]).map(|row| row.map(|(own, row)| (name_of(&own), row)))
}

/// The files of a device that were set aside, by id.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn jmb_errors(
    base: &(impl Base + ?Sized),
    org: &OrgName,
    device: &str,
) -> impl Iterator<Item = Result<(String, JmbErrorRow), Error>> {
    JMB_ERRORS.rows(base, &[org.as_str(), device]).map(|row| row.map(|(own, row)| (name_of(&own), row)))
}

/// The chassis serial number of a device that is reached: as people say it, and else as it says itself.
pub fn serial_number<'a>(row: &'a ReachedRow, standing: Option<&'a StandingRow>) -> Option<&'a str> {
    let said = [Some(row.serial_number.as_str()), standing.map(|standing| standing.facts.serial_number.as_str())];
    said.into_iter().flatten().find(|text| !text.is_empty())
}

pub(super) fn name_of(own: &[u8]) -> String {
    String::from_utf8_lossy(own).into_owned()
}

impl From<AfterRow> for AfterCollection {
    fn from(row: AfterRow) -> Self {
        match row {
            AfterRow::Remove => Self::Remove,
            AfterRow::MoveTo(directory) => Self::MoveTo(directory),
            AfterRow::Leave => Self::Leave,
        }
    }
}

impl From<AfterCollection> for AfterRow {
    fn from(after: AfterCollection) -> Self {
        match after {
            AfterCollection::Remove => Self::Remove,
            AfterCollection::MoveTo(directory) => Self::MoveTo(directory),
            AfterCollection::Leave => Self::Leave,
        }
    }
}

impl ReachedRow {
    pub(super) fn new(address: String, user: String, credentials: CredentialsKind) -> Self {
        Self {
            address,
            port: 22,
            netconf_port: 830,
            user,
            credentials,
            given: 0,
            directory: "/var/tmp".to_owned(),
            pattern: "*.xml".to_owned(),
            poll_s: 30,
            after: AfterRow::Remove,
            place: None,
            serial_number: String::new(),
            directives: Vec::new(),
            is_legacy: false,
            accepts_first_host_key: false,
            host_key: None,
        }
    }

    /// The same, with what was said.
    pub(super) fn with(self, settings: &DeviceSettings) -> Self {
        let said = settings.clone();
        let after = said.after.map_or(self.after, AfterRow::from);
        Self {
            address: said.address.unwrap_or(self.address),
            port: said.port.unwrap_or(self.port),
            netconf_port: said.netconf_port.unwrap_or(self.netconf_port),
            user: said.user.unwrap_or(self.user),
            given: self.given + u64::from(said.credentials.is_some()),
            credentials: said.credentials.unwrap_or(self.credentials),
            directory: said.directory.unwrap_or(self.directory),
            pattern: said.pattern.unwrap_or(self.pattern),
            poll_s: said.poll_s.unwrap_or(self.poll_s),
            after,
            place: said.place.or(self.place.filter(|_| !said.is_nowhere)),
            serial_number: said.serial_number.unwrap_or(self.serial_number),
            directives: said.directives.unwrap_or(self.directives),
            is_legacy: said.is_legacy.unwrap_or(self.is_legacy),
            accepts_first_host_key: said.accepts_first_host_key.unwrap_or(self.accepts_first_host_key),
            host_key: said.host_key.or(self.host_key),
        }
    }

    /// To whom credentials are shown: what is at an address, and has a host key.
    pub(super) fn shows_to(&self) -> (&str, u16, u16, Option<&str>, bool) {
        let Self { address, port, netconf_port, host_key, accepts_first_host_key, .. } = self;
        (address, *port, *netconf_port, host_key.as_deref(), *accepts_first_host_key)
    }

    /// Whether the way there is the same.
    pub(super) fn is_reached_as(&self, other: &Self) -> bool {
        let way = |row: &Self| {
            let Self { address, port, netconf_port, user, given, directory, is_legacy, host_key, .. } = row.clone();
            (address, port, netconf_port, user, given, directory, is_legacy, host_key)
        };
        way(self) == way(other)
    }

    /// Whether it may be another device that is reached so: it is elsewhere, and no host key shows that it is the same.
    pub(super) fn may_be_another_than(&self, other: &Self) -> bool {
        let place = |row: &Self| (row.address.clone(), row.port);
        place(self) != place(other) && (other.host_key.is_none() || self.host_key != other.host_key)
    }

    /// Whether files would be moved to where they are.
    pub(super) fn moves_to_itself(&self) -> bool {
        let parts = |path: &str| -> Vec<String> {
            path.split('/').filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect()
        };
        matches!(&self.after, AfterRow::MoveTo(to) if parts(to) == parts(&self.directory))
    }
}

/// What the audit shows of how a device is reached.
pub(super) fn shown(row: &ReachedRow) -> serde_json::Value {
    json!({
        "address": row.address,
        "port": row.port,
        "netconf_port": row.netconf_port,
        "user": row.user,
        "credentials": row.credentials,
        "given": row.given,
        "directory": row.directory,
        "pattern": row.pattern,
        "poll_s": row.poll_s,
        "after": AfterCollection::from(row.after.clone()),
        "place": row.place,
        "serial_number": row.serial_number,
        "directives": row.directives,
        "legacy": row.is_legacy,
        "accepts_first_host_key": row.accepts_first_host_key,
        "host_key": row.host_key,
    })
}
