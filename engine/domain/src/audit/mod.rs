//! The audit logs: one of each organization, and one of the provider's. Each is a Merkle tree of records, so that
//! nobody changes, removes or moves one without it being seen against a checkpoint that somebody has kept.
//!
//! ```text
//! e <owner> 0 <index>          AuditRow: a record, or what is left of it
//! E <owner> 0                  Head: how far the tree has grown
//! H <owner> 0 <level> <index>  Hash: the root of a complete subtree of level 1 and higher
//! K <owner> 0 <size>           KeptRow: a checkpoint that was signed
//! ```
//!
//! A record is appended in the decision that it tells of, and so are the hashes that it completes. Records go by age, the
//! oldest first, and leave their hash; the tree stays whole. Signing, exports and their verification are the engine's.

mod aging;
mod log;
pub(crate) mod machine;
pub mod proof;
pub mod record;
#[cfg(test)]
mod tests;
pub mod tree;

use std::fmt;
use std::ops::Bound;
use std::str::FromStr;

use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::audit::{Record, Verdict};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::desk::Desk;
use crate::state::Base;
use crate::table::{Key, Row, Table};
use crate::timers::{self, Timer};
pub(crate) use aging::age;
pub use log::Log;
pub use record::AuditRow;
pub use tree::{Hash, Head};

/// What is asked for where a dead letter is put to work again.
const REPLAYS: [&str; 2] = ["replay-input", "run-policy"];

/// Whose a log is. As text the organization's name, `_provider`, or `_provider-<lane>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum Owner {
    /// The provider: on lane 0 all that concerns no organization. On the others what was asked of organizations of the
    /// lane that do not exist, for a lane writes no rows of another.
    Provider(u32),
    /// An organization.
    Organization(OrgName),
}

impl Owner {
    /// The organization; none for the provider.
    pub const fn organization(&self) -> Option<&OrgName> {
        match self {
            Self::Organization(org) => Some(org),
            Self::Provider(_) => None,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(org) => org.fmt(f),
            Self::Provider(0) => f.write_str(PROVIDER),
            Self::Provider(lane) => write!(f, "{PROVIDER}-{lane}"),
        }
    }
}

/// What is no name of a log.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a log is named by an organization, or `_provider`")]
pub struct OwnerError;

impl FromStr for Owner {
    type Err = OwnerError;

    fn from_str(text: &str) -> Result<Self, OwnerError> {
        match text.strip_prefix(PROVIDER) {
            Some("") => Ok(Self::Provider(0)),
            Some(rest) => {
                let lane = rest.strip_prefix('-').and_then(|lane| lane.parse().ok()).filter(|lane| *lane > 0);
                // A log has one name.
                let owner = lane.map(Self::Provider).filter(|owner| owner.to_string() == text);
                owner.ok_or(OwnerError)
            }
            None => text.parse().map(Self::Organization).map_err(|_| OwnerError),
        }
    }
}

impl TryFrom<String> for Owner {
    type Error = OwnerError;

    fn try_from(text: String) -> Result<Self, OwnerError> {
        text.parse()
    }
}

/// The provider among owners.
const PROVIDER: &str = "_provider";

/// A checkpoint that was signed and kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRow {
    /// The root of the tree at its size.
    pub root: Hash,
    /// When it was kept.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub kept: Timestamp,
    /// The signed note.
    pub note: String,
}

impl Row for Head {}
impl Row for Hash {}
impl Row for KeptRow {}

/// The table of records, by whose they are and their index.
pub const RECORDS: Table<AuditRow> = Table::new(b'e');
/// The table of heads, by whose they are.
pub const HEADS: Table<Head> = Table::new(b'E');
/// The table of complete subtrees, by whose they are, level and index.
pub const SUBTREES: Table<Hash> = Table::new(b'H');
/// The table of kept checkpoints, by whose they are and size.
pub const CHECKPOINTS: Table<KeptRow> = Table::new(b'K');

/// The key of a record.
pub fn record_key(owner: &str, index: u64) -> Key<AuditRow> {
    RECORDS.key(&[owner], &index.to_be_bytes())
}

/// The key of how far a log has grown.
pub fn head_key(owner: &str) -> Key<Head> {
    HEADS.key(&[owner], &[])
}

/// The key of a complete subtree of a log.
pub fn subtree_key(owner: &str, level: u8, index: u64) -> Key<Hash> {
    SUBTREES.key(&[owner], [&[level][..], &index.to_be_bytes()].concat().as_slice())
}

/// The key of a kept checkpoint.
pub fn kept_key(owner: &str, size: u64) -> Key<KeptRow> {
    CHECKPOINTS.key(&[owner], &size.to_be_bytes())
}

/// The logs of a lane, by name, each with how far it has grown.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all(base: &(impl Base + ?Sized)) -> impl Iterator<Item = Result<(Owner, Head), Error>> {
    HEADS.rows(base, &[]).filter_map(|row| match row {
        // Names of logs are ours.
        Ok((own, head)) => named(&own).map(|owner| Ok((owner, head))),
        Err(error) => Some(Err(error)),
    })
}

/// Whose log a head's own key names.
fn named(own: &[u8]) -> Option<Owner> {
    std::str::from_utf8(own).ok()?.strip_suffix('\0')?.parse().ok()
}

/// Of how many records the checkpoint under a key is.
pub fn kept_size(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|size| u64::from_be_bytes(*size))
}

/// The front of the keys of an owner's kept checkpoints.
pub fn kept_within(owner: &Owner) -> Vec<u8> {
    CHECKPOINTS.prefix(&[&owner.to_string()], &[])
}

/// Appends a record to a log: `record` of the index that it gets, and what was done in words.
pub(crate) fn append(
    desk: &mut Desk,
    owner: &Owner,
    record: impl FnOnce(u64) -> Record,
    detail: String,
) -> Result<u64, Error> {
    let owner = owner.to_string();
    let mut head = desk.read(&head_key(&owner))?.unwrap_or_default();
    let index = head.size();
    if index == 0 {
        let prefix = HEADS.prefix(&[], &[]);
        if desk.first(Bound::Included(&prefix), &prefix)?.is_none() {
            // The first log of the lane: from now on there is something that ages.
            timers::arm(desk, 24, &Timer::AgeAudits)?;
        }
    }
    let record = record(index);
    desk.tally.audited(record.outcome.as_str());
    if record.outcome == Verdict::Done && REPLAYS.contains(&&*record.operation) {
        desk.tally.replayed += 1;
    }
    let row = AuditRow::new(record::text(record)?, detail);
    for subtree in head.append(row.leaf) {
        desk.write(subtree_key(&owner, subtree.level, subtree.index), &subtree.hash)?;
    }
    desk.write(record_key(&owner, index), &row)?;
    desk.write(head_key(&owner), &head)?;
    Ok(index)
}

/// A record of an organization, if its text is still there.
pub(crate) fn find(desk: &Desk, org: &OrgName, index: u64) -> Result<Option<Record>, Error> {
    let found = Log::open(desk.state(), &Owner::Organization(org.clone()))?.record(index)?;
    Ok(found.map(|(record, _)| record))
}

/// Keeps a checkpoint of a log, which was so at that size.
pub(crate) fn keep(desk: &mut Desk, owner: &Owner, size: u64, root: Hash, note: String) -> Result<(), Error> {
    let kept = desk.now;
    desk.write(kept_key(&owner.to_string(), size), &KeptRow { root, kept, note })
}

/// The hash of a complete subtree of a log.
fn subtree(base: &(impl Base + ?Sized), owner: &str, level: u8, index: u64) -> Result<Hash, Error> {
    let found = match level {
        0 => Table::read(base, &record_key(owner, index))?.map(|row| row.leaf),
        _ => Table::read(base, &subtree_key(owner, level, index))?,
    };
    found.ok_or_else(|| Error::Subtree { log: owner.to_owned(), level, index })
}
