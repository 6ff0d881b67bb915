//! One lane's rows: each is held against its check when it is read.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use linesman_domain::Error as DomainError;
use linesman_domain::census::Census;
use linesman_domain::state::{Base, Row, Stretch, Writes};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::sealed::{OWN, STANDING, Standing, Sum, seal, unseal, value_of};
use super::{Damage, Error, tell};
use crate::panics::caught;

/// One lane's rows. Clones are one.
#[derive(Clone)]
pub struct Lane {
    pub(super) tree: sled::Tree,
    /// The default tree.
    pub(super) formats: sled::Tree,
    /// The name of its tree.
    pub(super) name: Arc<str>,
    pub(super) damage: Damage,
    /// What its rows come to.
    pub(super) census: Arc<Mutex<Census>>,
}

/// What was looked at of a lane's rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// How many rows.
    pub rows: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// The last of them; none where there are no more.
    pub last: Option<Vec<u8>>,
}

impl Lane {
    /// Writes a batch, all or nothing, and what the rows come to with it.
    ///
    /// The lane alone may call this: what the rows come to is read before.
    ///
    /// # Errors
    /// sled failed, or what is there is damaged.
    pub fn apply(&self, writes: &Writes) -> Result<(), Error> {
        let rows: BTreeMap<&[u8], Option<&[u8]>> =
            writes.rows.iter().map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
        let (mut sum, mut census) = (self.sum()?, self.census());
        let mut batch = sled::Batch::default();
        for (key, value) in rows {
            if let Some(before) = self.guard(|| self.tree.get(key))? {
                sum.take_off(&before);
                census.take_off(key, value_of(&before));
            }
            match value {
                Some(value) => {
                    let stored = seal(&self.name, key, value);
                    sum.add(&stored);
                    census.add(key, value);
                    batch.insert(key, stored);
                }
                None => batch.remove(key),
            }
        }
        batch.insert(STANDING, seal(&self.name, STANDING, &Standing::Whole(sum).to_bytes()));
        self.guard(|| self.tree.apply_batch(batch))?;
        self.counted(census);
        Ok(())
    }

    /// How its incidents and cases stand, in numbers.
    pub fn census(&self) -> Census {
        *self.census.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counted(&self, census: Census) {
        *self.census.lock().unwrap_or_else(PoisonError::into_inner) = census;
    }

    /// The sum of the rows' checks.
    fn sum(&self) -> Result<Sum, Error> {
        let Some(stored) = self.guard(|| self.tree.get(STANDING))? else { return Ok(Sum::default()) };
        match unseal(&self.name, STANDING, &stored).and_then(Standing::read) {
            Some(Standing::Whole(sum)) => Ok(sum),
            Some(Standing::SealedUpTo(..) | Standing::Emptied) | None => {
                Err(self.found("the sum of its rows is damaged".to_owned()))
            }
        }
    }

    /// Removes every row, and forgets of damage. One that breaks off is carried on when the store is opened.
    ///
    /// # Errors
    /// sled failed.
    pub fn clear(&self) -> Result<(), Error> {
        self.guard(|| {
            self.formats.remove(&*self.name)?;
            self.tree.insert(STANDING, seal(&self.name, STANDING, &Standing::Emptied.to_bytes()))?;
            // IMPORTANT: in the order of the keys. The standing goes last.
            self.tree.clear()
        })?;
        self.damage.send_replace(None);
        self.counted(Census::default());
        Ok(())
    }

    /// What is damaged, once that was found by whichever handle.
    pub fn damage(&self) -> Option<Arc<str>> {
        self.damage.borrow().clone()
    }

    /// Tells of what is damaged once that is found.
    pub fn damages(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.damage.subscribe()
    }

    /// Rows whose keys begin with `prefix`, from behind `after` on, in key order.
    pub fn rows<'a>(
        &self,
        prefix: &'a [u8],
        after: Option<&[u8]>,
    ) -> impl Iterator<Item = Result<Row, Error>> + use<'a> {
        let from = after.map_or(Bound::Included(prefix), Bound::Excluded);
        self.range((from, Bound::Unbounded))
            .take_while(move |row| row.as_ref().map_or(true, |(key, _)| key.starts_with(prefix)))
    }

    /// Rows whose keys begin with `prefix`, from before `before` back, in reverse key order.
    pub fn rows_back(&self, prefix: &[u8], before: Option<&[u8]>) -> impl Iterator<Item = Result<Row, Error>> + use<> {
        let mut end = prefix.to_vec();
        if let Some(last) = end.last_mut() {
            // No prefix of ours ends with the highest byte.
            *last = last.saturating_add(1);
        }
        let end = before.map_or(end.as_slice(), |before| before);
        self.range((Bound::Included(prefix), Bound::Excluded(end))).rev()
    }

    /// The first row from `from` on whose key begins with `prefix`.
    ///
    /// # Errors
    /// sled failed, or the row is damaged.
    pub fn first_row(&self, from: Bound<&[u8]>, prefix: &[u8]) -> Result<Option<Row>, Error> {
        let row = self.range((from, Bound::Unbounded)).next().transpose()?;
        Ok(row.filter(|(key, _)| key.starts_with(prefix)))
    }

    /// Holds rows from behind `after` on against their checks, until so many bytes are read.
    ///
    /// # Errors
    /// sled failed, or a row is damaged.
    pub fn look_through(&self, after: Option<&[u8]>, bytes: u64) -> Result<Looked, Error> {
        let mut looked = Looked::default();
        for row in self.range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)) {
            let (key, value) = row?;
            looked.rows += 1;
            looked.bytes += (key.len() + value.len()) as u64;
            if looked.bytes >= bytes {
                looked.last = Some(key);
                break;
            }
        }
        Ok(looked)
    }

    /// Writes a row as no engine would.
    #[cfg(test)]
    pub(crate) fn damage_row(&self, key: &[u8]) -> Result<(), Error> {
        self.tree.insert(key, "damaged")?;
        Ok(())
    }

    /// The rows of a range of keys, without what is the store's own.
    pub(super) fn range(&self, (from, to): (Bound<&[u8]>, Bound<&[u8]>)) -> Rows {
        let to = if to == Bound::Unbounded { Bound::Excluded(STANDING) } else { to };
        // Behind all rows there is none; sled takes no range that ends before it begins.
        let is_behind = |from: &[u8]| from.first() == Some(&OWN);
        let rows = match from {
            Bound::Included(from) | Bound::Excluded(from) if is_behind(from) => None,
            from => Some(self.tree.range::<&[u8], _>((from, to))),
        };
        Rows { lane: self.clone(), rows }
    }

    /// SHA-256 over all keys and values, each behind its length.
    ///
    /// # Errors
    /// sled failed, or a row is damaged.
    pub fn digest(&self) -> Result<[u8; 32], Error> {
        let mut hasher = Sha256::new();
        for row in self.rows(b"", None) {
            let (key, value) = row?;
            for bytes in [key, value] {
                hasher.update((bytes.len() as u64).to_be_bytes());
                hasher.update(&bytes);
            }
        }
        Ok(hasher.finalize().into())
    }

    /// A value as it was written.
    fn value(&self, key: &[u8], stored: &[u8]) -> Result<Vec<u8>, Error> {
        let value = unseal(&self.name, key, stored).map(<[u8]>::to_vec);
        value.ok_or_else(|| self.found(format!("the row `{}` is damaged", key.escape_ascii())))
    }

    /// Asks sled, which may find damage itself, and panics on some kinds of it.
    fn guard<T>(&self, ask: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, Error> {
        match caught(ask) {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(sled::Error::Io(error))) => Err(Error::Sled(sled::Error::Io(error))),
            Some(Err(error)) => Err(self.found(error.to_string())),
            None => Err(self.found("it cannot be read".to_owned())),
        }
    }

    /// Notes damage, and tells of it once.
    fn found(&self, what: String) -> Error {
        self.damage.send_if_modified(|damage| {
            let is_new = damage.is_none();
            if is_new {
                tell(&self.name, &what);
                *damage = Some(what.as_str().into());
            }
            is_new
        });
        Error::Damaged { lane: self.name.to_string(), what }
    }
}

/// Rows as they follow each other.
pub(super) struct Rows {
    lane: Lane,
    /// None where there are no rows.
    rows: Option<sled::Iter>,
}

impl Rows {
    fn take(
        &mut self,
        ask: impl FnOnce(&mut sled::Iter) -> Option<sled::Result<(sled::IVec, sled::IVec)>>,
    ) -> Option<Result<Row, Error>> {
        let rows = self.rows.as_mut()?;
        let row = self.lane.guard(|| ask(rows).transpose()).transpose()?;
        Some(row.and_then(|(key, stored)| {
            let value = self.lane.value(&key, &stored)?;
            Ok((key.to_vec(), value))
        }))
    }
}

impl Iterator for Rows {
    type Item = Result<Row, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.take(Iterator::next)
    }
}

impl DoubleEndedIterator for Rows {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.take(DoubleEndedIterator::next_back)
    }
}

impl Base for Lane {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, DomainError> {
        let stored = self.guard(|| self.tree.get(key))?;
        Ok(stored.map(|stored| self.value(key, &stored)).transpose()?)
    }

    fn first(&self, from: Bound<&[u8]>, prefix: &[u8]) -> Result<Option<Row>, DomainError> {
        Ok(self.first_row(from, prefix)?)
    }

    fn stretch(&self, from: Bound<&[u8]>, prefix: &[u8], most: usize) -> Result<Stretch, DomainError> {
        let mut rows = Vec::new();
        for row in self.range((from, Bound::Unbounded)) {
            let (key, value) = row?;
            if !key.starts_with(prefix) {
                break;
            }
            rows.push((key, value));
            if rows.len() >= most {
                return Ok(Stretch { rows, is_all: false });
            }
        }
        Ok(Stretch { rows, is_all: true })
    }
}
