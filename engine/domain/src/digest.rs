//! What is proved of a decision: a digest over what each input produced, chained from input to input, so that
//! it does not depend on where batches end.
//!
//! At level 1 it covers the events, as they are written. From level 2 on it covers the rows too, in the form that
//! belongs to the level, and of an event no text for people: a dependency that words an error otherwise, or a row
//! that is stored otherwise, is no other decision.

use sha2::{Digest as _, Sha256};

/// What a record in the digest is about; level 1 had no other than events, and no letter.
const EVENT: u8 = b'e';
const ROW: u8 = b'r';
const COUNTS: u8 = b'c';
/// The length that stands for a row that is removed.
const REMOVED: u64 = u64::MAX;

/// The productions of the input at hand.
#[derive(Default)]
pub(crate) struct Productions {
    level: u32,
    chain: Sha256,
}

impl Productions {
    /// Begins an input at a level: its productions are chained to `digest`.
    pub(crate) fn begin(&mut self, level: u32, digest: &[u8; 32], sequence: u64) {
        self.level = level;
        self.chain = Sha256::new();
        self.chain.update(digest);
        self.chain.update(sequence.to_be_bytes());
    }

    /// Whether rows are of any interest.
    pub(crate) fn has_rows(&self) -> bool {
        self.level >= 2
    }

    /// Adds an event, as the level covers it.
    pub(crate) fn event(&mut self, subject: &str, covered: &[u8]) {
        if self.level >= 2 {
            self.chain.update([EVENT]);
        }
        self.chain.update(subject.as_bytes());
        self.chain.update((covered.len() as u64).to_be_bytes());
        self.chain.update(covered);
    }

    /// Adds a row in the level's form; none where it is removed.
    pub(crate) fn row(&mut self, key: &[u8], form: Option<&[u8]>) {
        if !self.has_rows() {
            return;
        }
        self.chain.update([ROW]);
        self.chain.update((key.len() as u64).to_be_bytes());
        self.chain.update(key);
        self.chain.update(form.map_or(REMOVED, |form| form.len() as u64).to_be_bytes());
        self.chain.update(form.unwrap_or_default());
    }

    /// Adds how many incidents, events and reactions an organization has had.
    pub(crate) fn counts(&mut self, org: &str, counts: [u64; 3]) {
        if !self.has_rows() {
            return;
        }
        self.chain.update([COUNTS]);
        self.chain.update((org.len() as u64).to_be_bytes());
        self.chain.update(org);
        self.chain.update(counts.map(u64::to_be_bytes).as_flattened());
    }

    /// Ends the input; the digest with its productions.
    pub(crate) fn end(&mut self) -> [u8; 32] {
        std::mem::take(&mut self.chain).finalize().into()
    }
}
