//! How far a lane is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Error;
use super::level;
use super::state::Base;
use super::table::{Key, Row, Table};

/// How far a lane is, and by what it knows its log again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Sequence in IN of the last input decided; 0 before the first.
    pub sequence: u64,
    /// SHA-256 of that input's bytes.
    pub message: [u8; 32],
    /// Running digest over every input's productions.
    pub digest: [u8; 32],
    /// The clock: the latest message time seen.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub now: Timestamp,
    /// Which IN this is: its creation time.
    pub stream: String,
    /// The engine level that decided.
    pub level: u32,
}

impl Row for Position {}

impl Position {
    /// Before the first input of an IN, which says nothing of levels.
    pub(crate) fn start(stream: String) -> Self {
        let (message, digest) = ([0; 32], [0; 32]);
        Self { sequence: 0, message, digest, now: Timestamp::UNIX_EPOCH, stream, level: level::OLDEST }
    }
}

/// The table of the one position.
pub const POSITION: Table<Position> = Table::new(b'a');

/// The position's key.
pub fn key() -> Key<Position> {
    POSITION.key(&[], &[])
}

/// Where a lane's applied state stands.
///
/// # Errors
/// The store cannot be read.
pub fn read(base: &(impl Base + ?Sized)) -> Result<Option<Position>, Error> {
    Table::read(base, &key())
}
