//! A log as it stands in the state, read beside the lane that lets it grow.

use jiff::Timestamp;
use linesman_schemas::audit::Record;
use serde::Deserialize;

use super::record::AuditRow;
use super::tree::{Hash, Head, root_at};
use super::{KeptRow, Owner, head_key, kept_key, proof, record_key, subtree};
use crate::Error;
use crate::state::Base;
use crate::table::Table;

/// A log of one owner, as far as it had grown when it was opened.
pub struct Log<'a, B: ?Sized> {
    base: &'a B,
    owner: String,
    head: Head,
}

/// When a record was decided, which is all that is read of it.
#[derive(Deserialize)]
struct Moment {
    time: Timestamp,
}

impl<'a, B: Base + ?Sized> Log<'a, B> {
    /// The log of an owner; one that nothing was said in is empty.
    ///
    /// # Errors
    /// The base cannot be read, or a row of it; so it is with all methods.
    pub fn open(base: &'a B, owner: &Owner) -> Result<Self, Error> {
        let owner = owner.to_string();
        let head = Table::read(base, &head_key(&owner))?.unwrap_or_default();
        Ok(Self { base, owner, head })
    }

    /// How far it has grown.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The row of a record.
    ///
    /// # Errors
    /// See [`Log::open`].
    pub fn row(&self, index: u64) -> Result<Option<AuditRow>, Error> {
        Table::read(self.base, &record_key(&self.owner, index))
    }

    /// A record and its words; none where its body has gone.
    ///
    /// # Errors
    /// See [`Log::open`].
    pub fn record(&self, index: u64) -> Result<Option<(Record, String)>, Error> {
        let Some(AuditRow { body: Some(body), detail, .. }) = self.row(index)? else { return Ok(None) };
        Ok(Some((serde_json::from_str(&body)?, detail)))
    }

    /// The first record that has its body: bodies go in the order of the records.
    ///
    /// # Errors
    /// See [`Log::open`].
    pub fn oldest(&self) -> Result<u64, Error> {
        self.first(|moment| moment.is_some())
    }

    /// The first record of `time` or later.
    ///
    /// # Errors
    /// See [`Log::open`].
    pub fn since(&self, time: Timestamp) -> Result<u64, Error> {
        self.first(|moment| moment.is_some_and(|moment| moment >= time))
    }

    /// The first record from which on all are such, by their time or that it has gone; the size where none is.
    fn first(&self, is_such: impl Fn(Option<Timestamp>) -> bool) -> Result<u64, Error> {
        let (mut fewest, mut most) = (0, self.head.size());
        while fewest < most {
            let middle = fewest + (most - fewest) / 2;
            let body = self.row(middle)?.and_then(|row| row.body);
            let moment = body.map(|body| serde_json::from_str(&body)).transpose()?.map(|Moment { time }| time);
            if is_such(moment) {
                most = middle;
            } else {
                fewest = middle + 1;
            }
        }
        Ok(fewest)
    }

    /// The root when it was of `size`; none where it has not come so far.
    ///
    /// # Errors
    /// See [`Log::open`].
    pub fn root_at(&self, size: u64) -> Result<Option<Hash>, Error> {
        if size > self.head.size() {
            return Ok(None);
        }
        root_at(size, |level, index| subtree(self.base, &self.owner, level, index)).map(Some)
    }

    /// That a record is in the tree of `size`; none where it cannot be.
    ///
    /// # Errors
    /// See [`Log::open`].
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Option<Vec<Hash>>, Error> {
        if size > self.head.size() {
            return Ok(None);
        }
        proof::inclusion(index, size, |level, index| subtree(self.base, &self.owner, level, index))
    }

    /// That the tree of `size` begins with that of size `old`; none where it cannot.
    ///
    /// # Errors
    /// See [`Log::open`].
    pub fn consistency(&self, old: u64, size: u64) -> Result<Option<Vec<Hash>>, Error> {
        if size > self.head.size() {
            return Ok(None);
        }
        proof::consistency(old, size, |level, index| subtree(self.base, &self.owner, level, index))
    }

    /// The checkpoint that was kept of a size.
    ///
    /// # Errors
    /// See [`Log::open`].
    pub fn kept(&self, size: u64) -> Result<Option<KeptRow>, Error> {
        Table::read(self.base, &kept_key(&self.owner, size))
    }
}
