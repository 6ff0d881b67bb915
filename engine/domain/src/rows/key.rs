//! Keys of all tables: a letter for the table, texts that end with a zero byte, then bytes as they are.
//!
//! A [`Key`] knows what its row holds, so that no row is read or written as another.

use std::marker::PhantomData;

use jiff::Timestamp;
use linesman_schemas::OrgName;

use super::{
    BookRow, CaseRow, CircuitRow, CommandRow, DeviceRow, IntelligenceRow, NotesRow, OrgRow, PendingRow, Position,
    RequestsRow, SnapshotsRow,
};

/// The key of a row that holds a `V`.
#[derive(Debug, PartialEq, Eq)]
pub struct Key<V> {
    bytes: Vec<u8>,
    row: PhantomData<fn() -> V>,
}

/// A row of 16 incidents; see `domain::incidents`.
#[derive(Debug)]
pub enum IncidentsPage {}
/// A row of 256 sightings; see `domain::sightings`.
#[derive(Debug)]
pub enum SightingsPage {}

impl<V> Key<V> {
    fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, row: PhantomData }
    }

    /// The key in the store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key in the store.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A table's letter, texts that end with zero, then bytes as they are: the front of keys that are
/// looked for.
pub fn of(table: u8, texts: &[&str], tail: &[u8]) -> Vec<u8> {
    let length = 1 + texts.iter().map(|t| t.len() + 1).sum::<usize>() + tail.len();
    let mut key = Vec::with_capacity(length);
    key.push(table);
    for text in texts {
        key.extend_from_slice(text.as_bytes());
        key.push(0);
    }
    key.extend_from_slice(tail);
    key
}

/// A time that sorts as bytes; what lies before the epoch counts as the epoch.
pub fn time(at: Timestamp) -> [u8; 8] {
    u64::try_from(at.as_nanosecond()).unwrap_or(0).to_be_bytes()
}

/// The time that [`time`] wrote.
pub fn read_time(bytes: &[u8]) -> Option<Timestamp> {
    let nanos = u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
    Timestamp::from_nanosecond(i128::from(nanos)).ok()
}

/// The lane's position.
pub fn position() -> Key<Position> {
    Key::new(of(b'a', &[], &[]))
}

/// The rule book.
pub fn book() -> Key<BookRow> {
    Key::new(of(b'b', &[], &[]))
}

/// An organization.
pub fn org(org: &OrgName) -> Key<OrgRow> {
    Key::new(of(b'o', &[], org.as_str().as_bytes()))
}

/// The organization whose key this is.
pub fn read_org(key: &[u8]) -> Option<OrgName> {
    std::str::from_utf8(key.get(1..)?).ok()?.parse().ok()
}

/// A device.
pub fn device(org: &OrgName, serial: &str) -> Key<DeviceRow> {
    Key::new(of(b'd', &[org.as_str()], serial.as_bytes()))
}

/// A page of incidents.
pub fn incidents(org: &OrgName, page: u64) -> Key<IncidentsPage> {
    Key::new(of(b'i', &[org.as_str()], &page.to_be_bytes()))
}

/// A page of sightings.
pub fn sightings(page: u64) -> Key<SightingsPage> {
    Key::new(of(b'h', &[], &page.to_be_bytes()))
}

/// An incident's case.
pub fn case(org: &OrgName, number: u64) -> Key<CaseRow> {
    Key::new(of(b'c', &[org.as_str()], &number.to_be_bytes()))
}

/// An intelligence message.
pub fn intelligence(org: &OrgName, id: &str) -> Key<IntelligenceRow> {
    Key::new(of(b'n', &[org.as_str()], id.as_bytes()))
}

/// A device's snapshots.
pub fn snapshots(org: &OrgName, serial: &str) -> Key<SnapshotsRow> {
    Key::new(of(b's', &[org.as_str()], serial.as_bytes()))
}

/// The outcome of a command to an organization, or without one to the provider.
pub fn command(org: Option<&OrgName>, id: &str) -> Key<CommandRow> {
    // No organization's name begins like that.
    let whose = org.map_or("_provider", OrgName::as_str);
    Key::new(of(b'k', &[whose], id.as_bytes()))
}

/// What people have said of an incident.
pub fn notes(org: &OrgName, number: u64) -> Key<NotesRow> {
    Key::new(of(b'm', &[org.as_str()], &number.to_be_bytes()))
}

/// A timer: when it is due, what kind, and what about.
pub fn timer(due: Timestamp, kind: u8, about: &[u8]) -> Key<()> {
    let mut key = of(b't', &[], &time(due));
    key.push(kind);
    key.extend_from_slice(about);
    Key::new(key)
}

/// A pending reaction.
pub fn pending(id: &str) -> Key<PendingRow> {
    Key::new(of(b'r', &[], id.as_bytes()))
}

/// The front of an organization's places in a destination's queue.
pub fn queue(destination: &str, org: &str) -> Vec<u8> {
    of(b'q', &[destination, org], &[])
}

/// A pending reaction's place in its destination's queue.
pub fn place(destination: &str, org: &str, not_before: Timestamp, id: &str) -> Key<()> {
    let mut key = queue(destination, org);
    key.extend_from_slice(&time(not_before));
    key.extend_from_slice(id.as_bytes());
    Key::new(key)
}

/// A destination's circuit.
pub fn circuit(destination: &str) -> Key<CircuitRow> {
    Key::new(of(b'x', &[], destination.as_bytes()))
}

/// A destination's requests.
pub fn requests(destination: &str) -> Key<RequestsRow> {
    Key::new(of(b'u', &[], destination.as_bytes()))
}
