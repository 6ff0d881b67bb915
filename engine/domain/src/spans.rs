//! What a lane has decided on, by which its log is known again: one hash over each 1,000 inputs in a row.
//!
//! A hash covers of each input where and when it entered IN, by which subject, and the SHA-256 of its bytes; it is chained from
//! input to input, so that it does not depend on where batches end. No decision depends on it, and it is in no digest. A
//! state of before it goes on with it: its hashes begin with the next input.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Error;
use super::desk::Desk;
use super::input::Input;
use super::position::Position;
use super::state::{Base, State};
use super::table::{self, Key, Row, Table};

/// How many inputs of a lane a hash covers.
pub const SPAN: u32 = 1_000;

/// Inputs of a lane that follow each other, and their hash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Sequence in IN of the first; 0 where there is none yet.
    pub first: u64,
    /// Of the last.
    pub last: u64,
    /// How many there are.
    pub count: u32,
    /// Their hash.
    pub hash: [u8; 32],
}

impl Row for Span {}

impl Span {
    /// The same with one more input.
    pub fn add(&mut self, at: (u64, Timestamp), (org, kind): (&str, &str), sha256: &[u8; 32]) {
        let (sequence, time) = at;
        let mut hasher = Sha256::new();
        hasher.update(self.hash);
        hasher.update(sequence.to_be_bytes());
        hasher.update(time.as_nanosecond().to_be_bytes());
        hasher.update(sha256);
        // No organization's name contains it.
        for part in [org, ".", kind] {
            hasher.update(part);
        }
        self.hash = hasher.finalize().into();
        if self.count == 0 {
            self.first = sequence;
        }
        self.last = sequence;
        self.count += 1;
    }
}

/// The table of spans.
pub const SPANS: Table<Span> = Table::new(b'\'');

/// The key of a span that is over.
fn key(first: u64) -> Key<Span> {
    SPANS.key(&[], &first.to_be_bytes())
}

/// The key of the one that inputs are added to. No input has that sequence.
fn open_key() -> Key<Span> {
    key(0)
}

/// The span that inputs are added to, as it is applied; none where there never was one.
///
/// # Errors
/// The store cannot be read.
pub fn open(base: &(impl Base + ?Sized)) -> Result<Option<Span>, Error> {
    Table::read(base, &open_key())
}

/// The first span that is over and begins behind a sequence.
///
/// # Errors
/// The store cannot be read.
pub fn next(base: &(impl Base + ?Sized), after: u64) -> Result<Option<Span>, Error> {
    let from = key(after);
    let found = base.first(std::ops::Bound::Excluded(from.as_bytes()), &SPANS.prefix(&[], &[]))?;
    found.map(|(key, row)| table::decode(&key, &row)).transpose()
}

/// The spans of a lane at work.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    open: Span,
    /// One that a program has left that knew of none: inputs followed that nobody added.
    left: Option<Span>,
    is_changed: bool,
}

impl Spans {
    /// Takes up where a state stands.
    pub(crate) fn open(state: &State, position: &Position) -> Result<Self, Error> {
        let open = state.read(&open_key())?.unwrap_or_default();
        if open.count == 0 || open.last == position.sequence {
            return Ok(Self { open, ..Self::default() });
        }
        Ok(Self { left: Some(open), ..Self::default() })
    }

    /// Adds an input that was decided.
    pub(crate) fn add(&mut self, desk: &mut Desk, input: &Input<'_>) -> Result<(), Error> {
        if let Some(left) = self.left.take() {
            desk.write_covered(key(left.first), &left)?;
        }
        self.open.add((input.sequence, input.time), (input.org, input.kind), &input.sha256);
        self.is_changed = true;
        if self.open.count >= SPAN {
            let over = std::mem::take(&mut self.open);
            desk.write_covered(key(over.first), &over)?;
        }
        Ok(())
    }

    /// Puts the one that is open into the batch in the making.
    pub(crate) fn write(&mut self, desk: &mut Desk) -> Result<(), Error> {
        if std::mem::take(&mut self.is_changed) {
            desk.write_covered(open_key(), &self.open)?;
        }
        Ok(())
    }
}
