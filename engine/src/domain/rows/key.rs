//! Keys of all tables: a letter for the table, texts that end with a zero byte, then bytes as they are.

use jiff::Timestamp;
use linesman_schemas::OrgName;

/// The lane's position.
pub const POSITION: &[u8] = b"a";
/// The rule book.
pub const BOOK: &[u8] = b"b";

/// A table's letter, texts that end with zero, then bytes as they are.
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

/// An organization.
pub fn org(org: &OrgName) -> Vec<u8> {
    of(b'o', &[], org.as_str().as_bytes())
}

/// A device.
pub fn device(org: &OrgName, serial: &str) -> Vec<u8> {
    of(b'd', &[org.as_str()], serial.as_bytes())
}

/// A page of incidents.
pub fn incidents(org: &OrgName, page: u64) -> Vec<u8> {
    of(b'i', &[org.as_str()], &page.to_be_bytes())
}

/// A page of sightings.
pub fn sightings(page: u64) -> Vec<u8> {
    of(b'h', &[], &page.to_be_bytes())
}

/// An incident's case.
pub fn case(org: &OrgName, number: u64) -> Vec<u8> {
    of(b'c', &[org.as_str()], &number.to_be_bytes())
}

/// An intelligence message.
pub fn intelligence(org: &OrgName, id: &str) -> Vec<u8> {
    of(b'n', &[org.as_str()], id.as_bytes())
}

/// A device's snapshots.
pub fn snapshots(org: &OrgName, serial: &str) -> Vec<u8> {
    of(b's', &[org.as_str()], serial.as_bytes())
}

/// A command's outcome.
pub fn command(org: &OrgName, id: &str) -> Vec<u8> {
    of(b'k', &[org.as_str()], id.as_bytes())
}

/// A pending reaction.
pub fn pending(id: &str) -> Vec<u8> {
    of(b'r', &[], id.as_bytes())
}

/// All of an organization's places in a destination's queue.
pub fn queue(destination: &str, org: &str) -> Vec<u8> {
    of(b'q', &[destination, org], &[])
}

/// A pending reaction's place in its destination's queue.
pub fn place(destination: &str, org: &str, not_before: Timestamp, id: &str) -> Vec<u8> {
    let mut key = queue(destination, org);
    key.extend_from_slice(&time(not_before));
    key.extend_from_slice(id.as_bytes());
    key
}

/// A destination's circuit.
pub fn circuit(destination: &str) -> Vec<u8> {
    of(b'x', &[], destination.as_bytes())
}

/// A destination's requests.
pub fn requests(destination: &str) -> Vec<u8> {
    of(b'u', &[], destination.as_bytes())
}
