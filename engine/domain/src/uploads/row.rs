//! What goes upward with cases, and what end customers have uploaded.
//!
//! ```text
//! A <org> 0 <incident> <number>   UploadRow: what goes upward with the incident's case, in the order it came
//! B <org> 0 <sha256>              ObjectRow: bytes in the object store, and how many rows name them
//! I <org> 0 <serial number>       SnapshotRow: the newest snapshot of a device that an end customer has uploaded
//! M <org>                         KeptRow: how much the organization has there
//! 9 <org> 0 <incident>            EndedRow: the incident's case has ended, and what is kept of it goes
//! ```

use jiff::Timestamp;
use linesman_schemas::upload::UploadKind;
use linesman_schemas::{IncidentId, OrgName};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::coded;
use crate::state::Base;
use crate::table::{self, Key, Row, Table};

/// Bytes that belong to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadRow {
    /// What they are.
    #[serde(with = "coded")]
    pub kind: UploadKind,
    /// What they are called.
    pub name: String,
    /// Their media type; none where nobody has said.
    pub media_type: Option<String>,
    /// The serial number of the device they come from; empty where nobody has said.
    pub serial_number: String,
    /// Its host name; empty where nobody has said.
    pub host_name: String,
    /// Where they are.
    pub held: Held,
    /// How many they are.
    pub size: u64,
    /// Where they stand on their way.
    pub state: UploadState,
    /// The reaction that brings them to the upstream; empty before the first.
    pub reaction: String,
    /// When they came.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub came: Timestamp,
    /// How many bytes have left; 0 before.
    pub sent_size: u64,
    /// Their SHA-256 in hexadecimal; empty before.
    pub sent_sha256: String,
}

/// Where bytes are. Stored by its place: a new word is added at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Held {
    /// They are the incident's own bundle, in IN.
    Bundle,
    /// They are an object of this SHA-256.
    Object([u8; 32]),
    /// They were an object of this SHA-256, and are not kept any more.
    Released([u8; 32]),
}

/// Where an upload stands. Stored by its place: a new word is added at the end.
///
/// ```text
/// Kept --the upstream has the case--> Waiting --it has the bytes--> Sent
///   ^  |                               |   \--refused, or deadline passed--> Failed
///   |  +--its case has ended--> Released |                                     |
///   +----- nothing may leave any more ---+                                     |
///   +----- its case is submitted again, from engine level 17 on ---------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UploadState {
    /// It is here.
    Kept,
    /// Its reaction is pending.
    Waiting,
    /// The upstream has it.
    Sent,
    /// The upstream refused it, or it was given up.
    Failed,
    /// Its case has ended before it went anywhere, and it is not kept any more.
    Released,
}

impl UploadState {
    /// All of them with their words.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Kept, "kept"),
        (Self::Waiting, "waiting"),
        (Self::Sent, "sent"),
        (Self::Failed, "failed"),
        (Self::Released, "released"),
    ];

    /// The state as users read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Released => "released",
        }
    }
}

/// Bytes in the object store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRow {
    /// Under what they lie there.
    pub stored: String,
    /// How many they are.
    pub size: u64,
    /// How many rows name them.
    pub names: u32,
    /// When they came first.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub came: Timestamp,
}

/// The newest snapshot of a device that an end customer has uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRow {
    /// What it is called.
    pub name: String,
    /// Its media type; none where nobody has said.
    pub media_type: Option<String>,
    /// The device's host name; empty where nobody has said.
    pub host_name: String,
    /// The object that it is.
    pub sha256: [u8; 32],
    /// How many bytes it has.
    pub size: u64,
    /// When it came.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub came: Timestamp,
}

/// What an organization has in the object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeptRow {
    /// How many objects.
    pub objects: u64,
    /// How many bytes they have.
    pub bytes: u64,
}

/// A case has ended of which objects are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedRow {
    /// When they go.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub due: Timestamp,
}

impl Row for EndedRow {}
impl Row for UploadRow {}
impl Row for ObjectRow {}
impl Row for SnapshotRow {}
impl Row for KeptRow {}

/// The table of what goes upward with cases.
pub const UPLOADS: Table<UploadRow> = Table::new(b'A');
/// The table of objects.
pub const OBJECTS: Table<ObjectRow> = Table::new(b'B');
/// The table of snapshots of devices that were uploaded.
pub const SNAPSHOTS: Table<SnapshotRow> = Table::new(b'I');
/// The table of how much each organization has.
pub const KEPT: Table<KeptRow> = Table::new(b'M');

/// The table of cases that have ended, as long as anything is kept of them.
pub const ENDED: Table<EndedRow> = Table::new(b'9');

/// The key of an incident's case that has ended.
pub fn ended(incident: &IncidentId) -> Key<EndedRow> {
    ENDED.key(&[incident.org.as_str()], &incident.number.to_be_bytes())
}

/// The incident whose key of [`ENDED`] this is.
pub(crate) fn read_ended(key: &[u8]) -> Option<IncidentId> {
    let (front, number) = ENDED.own(key).split_last_chunk()?;
    let org = std::str::from_utf8(front.strip_suffix(&[0])?).ok()?;
    Some(IncidentId { org: org.parse().ok()?, number: u64::from_be_bytes(*number) })
}

/// The front of the keys of what goes upward with an organization's cases.
pub(crate) fn within(org: &OrgName) -> Vec<u8> {
    UPLOADS.prefix(&[org.as_str()], &[])
}

/// The incident whose upload's key this is.
pub(crate) fn incident_of(org: &OrgName, key: &[u8]) -> Option<IncidentId> {
    let number = key.get(within(org).len()..)?.first_chunk()?;
    Some(IncidentId { org: org.clone(), number: u64::from_be_bytes(*number) })
}

/// The key of an upload of an incident's case.
pub fn key(incident: &IncidentId, number: u32) -> Key<UploadRow> {
    let tail = [&incident.number.to_be_bytes()[..], &number.to_be_bytes()].concat();
    UPLOADS.key(&[incident.org.as_str()], &tail)
}

/// The key of an organization's object.
pub fn object(org: &OrgName, sha256: &[u8; 32]) -> Key<ObjectRow> {
    OBJECTS.key(&[org.as_str()], sha256)
}

/// The key of the newest snapshot of a device.
pub fn snapshot(org: &OrgName, serial_number: &str) -> Key<SnapshotRow> {
    SNAPSHOTS.key(&[org.as_str()], serial_number.as_bytes())
}

/// The key of how much an organization has.
pub fn kept(org: &OrgName) -> Key<KeptRow> {
    KEPT.key(&[org.as_str()], &[])
}

/// What goes upward with an incident's case, by number.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn of_case<'a>(
    base: &'a (impl Base + ?Sized),
    incident: &IncidentId,
) -> impl Iterator<Item = Result<(u32, UploadRow), Error>> + 'a {
    let prefix = UPLOADS.prefix(&[incident.org.as_str()], &incident.number.to_be_bytes());
    Table::<UploadRow>::scan(base, prefix).map(|found| {
        let (key, bytes) = found?;
        let number = key.last_chunk().map_or(0, |number| u32::from_be_bytes(*number));
        Ok((number, table::decode(&key, &bytes)?))
    })
}

/// How many rows keep bytes that end customers of an organization have uploaded: of cases, and of devices.
///
/// # Errors
/// The base cannot be read.
pub fn count_kept(base: &impl Base, org: &OrgName) -> Result<u64, Error> {
    let mut count = 0;
    for found in UPLOADS.rows(base, &[org.as_str()]) {
        count += u64::from(matches!(found?.1.held, Held::Object(_)));
    }
    for found in SNAPSHOTS.rows(base, &[org.as_str()]) {
        found?;
        count += 1;
    }
    Ok(count)
}

/// The SHA-256 that a text in hexadecimal is, if it is one.
pub fn sha256(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok().map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org() -> OrgName {
        "acme".parse().unwrap()
    }

    fn upload(held: Held, state: UploadState) -> UploadRow {
        UploadRow {
            kind: UploadKind::Attachment,
            name: "rsi.txt".to_owned(),
            media_type: Some("text/plain".to_owned()),
            serial_number: "SN1".to_owned(),
            host_name: String::new(),
            held,
            size: 300,
            state,
            reaction: "acme-r7-1".to_owned(),
            came: Timestamp::UNIX_EPOCH,
            sent_size: 5,
            sent_sha256: "ab".to_owned(),
        }
    }

    /// A row as it lies in the store, and that it is read from there.
    fn stored<R: Row + PartialEq + std::fmt::Debug>(row: &R) -> String {
        let bytes = table::encode(row).unwrap();
        assert_eq!(&table::decode::<R>(b"A", &bytes).unwrap(), row);
        hex::encode(bytes)
    }

    #[test]
    fn rows_lie_in_the_store_as_they_ever_did() {
        let (hash, came) = ([7; 32], Timestamp::UNIX_EPOCH);
        let front = "02077273692e747874010a746578742f706c61696e03534e3100";
        let back = "0961636d652d72372d310005026162";
        let hashed = "07".repeat(32);
        for (held, at) in [
            (Held::Bundle, "00".to_owned()),
            (Held::Object(hash), format!("01{hashed}")),
            (Held::Released(hash), format!("02{hashed}")),
        ] {
            for (place, (state, _)) in UploadState::ALL.into_iter().enumerate() {
                assert_eq!(stored(&upload(held, state)), format!("{front}{at}ac02{place:02x}{back}"));
            }
        }
        let object = ObjectRow { stored: "s1".to_owned(), size: 300, names: 2, came };
        assert_eq!(stored(&object), "027331ac020200");
        let snapshot = SnapshotRow {
            name: "a.xml".to_owned(),
            media_type: None,
            host_name: "edge".to_owned(),
            sha256: hash,
            size: 300,
            came,
        };
        assert_eq!(stored(&snapshot), format!("05612e786d6c000465646765{hashed}ac0200"));
        assert_eq!(stored(&KeptRow { objects: 2, bytes: 300 }), "02ac02");
        assert_eq!(stored(&EndedRow { due: came }), "00");
    }

    #[test]
    fn keys_lead_back_to_their_incident() {
        let incident = IncidentId { org: org(), number: 9 };
        assert_eq!(read_ended(ended(&incident).as_bytes()), Some(incident.clone()));
        assert_eq!(incident_of(&org(), key(&incident, 3).as_bytes()), Some(incident));
        for bad in [&b"5"[..], b"5acme", b"5acme\x01\0\0\0\0\0\0\0\x01", b"5\xff\0\0\0\0\0\0\0\0\x01"] {
            assert_eq!(read_ended(bad), None);
        }
    }
}
