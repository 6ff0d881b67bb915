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

pub mod proof;
pub mod record;
#[cfg(test)]
mod tests;
pub mod tree;

use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::audit::Record;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::desk::Desk;
use crate::state::Base;
use crate::table::{Key, Row, Table};
pub use record::AuditRow;
pub use tree::{Hash, Head};

/// Whose log holds what concerns no organization.
pub const PROVIDER: &str = "_provider";

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

/// Under which name a log lies.
pub fn name(owner: Option<&OrgName>) -> &str {
    owner.map_or(PROVIDER, OrgName::as_str)
}

fn record_key(owner: &str, index: u64) -> Key<AuditRow> {
    RECORDS.key(&[owner], &index.to_be_bytes())
}

fn head_key(owner: &str) -> Key<Head> {
    HEADS.key(&[owner], &[])
}

fn subtree_key(owner: &str, level: u8, index: u64) -> Key<Hash> {
    let mut tail = [level; 9];
    if let Some(number) = tail.get_mut(1..) {
        number.copy_from_slice(&index.to_be_bytes());
    }
    SUBTREES.key(&[owner], &tail)
}

/// Appends a record to the log of an organization, or the provider's: `record` but for its index, which this gives, and
/// what was done in words.
#[expect(dead_code, reason = "commands go on record from the next level on")]
pub(crate) fn append(
    desk: &mut Desk,
    owner: Option<&OrgName>,
    record: impl FnOnce(u64) -> Record,
    detail: String,
) -> Result<u64, Error> {
    let owner = name(owner);
    let mut head = desk.read(&head_key(owner))?.unwrap_or_default();
    let index = head.size();
    let row = AuditRow::new(record::text(record(index))?, detail);
    for subtree in head.append(row.leaf) {
        desk.write(subtree_key(owner, subtree.level, subtree.index), &subtree.hash)?;
    }
    desk.write(record_key(owner, index), &row)?;
    desk.write(head_key(owner), &head)?;
    Ok(index)
}

/// How far a log has grown; a log that nothing was said in is empty.
///
/// # Errors
/// The base cannot be read, or the row.
pub fn head(base: &(impl Base + ?Sized), owner: &str) -> Result<Head, Error> {
    Ok(Table::read(base, &head_key(owner))?.unwrap_or_default())
}

/// The hash of a complete subtree of a log.
///
/// # Errors
/// The base cannot be read, or has no such subtree.
pub fn subtree(base: &(impl Base + ?Sized), owner: &str, level: u8, index: u64) -> Result<Hash, Error> {
    let found = match level {
        0 => Table::read(base, &record_key(owner, index))?.map(|row| row.leaf),
        _ => Table::read(base, &subtree_key(owner, level, index))?,
    };
    found.ok_or_else(|| Error::Subtree { log: owner.to_owned(), level, index })
}
