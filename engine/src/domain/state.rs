//! A lane's state as decisions see it: what is stored, under what this lane has decided since.
//!
//! Writes gather in an overlay and leave it as a [`Writes`] per batch; a batch that has been applied
//! to the base leaves the overlay. So deciding goes on while earlier batches are still on their way.
//! Nothing here knows sled: the base is whatever answers [`Base`].

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;

use super::Error;

/// One row to write; none deletes.
pub type Write = (Vec<u8>, Option<Vec<u8>>);
/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// What one batch changes, in key order.
#[derive(Debug, Default)]
pub struct Writes {
    /// Which batch of this lane.
    pub batch: u64,
    /// The rows.
    pub rows: Vec<Write>,
}

/// Where the applied state is read from.
pub trait Base {
    /// The value under `key`.
    ///
    /// # Errors
    /// The store cannot be read.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// The first row whose key is `>= from` and begins with `prefix`.
    ///
    /// # Errors
    /// The store cannot be read.
    fn first(&self, from: Bound<&[u8]>, prefix: &[u8]) -> Result<Option<Row>, Error>;
}

struct Slot {
    batch: u64,
    value: Option<Vec<u8>>,
}

/// Applied rows below, undecided-yet-unapplied ones above.
pub struct State {
    base: Box<dyn Base>,
    overlay: BTreeMap<Vec<u8>, Slot>,
    batch: u64,
    touched: Vec<Vec<u8>>,
}

impl State {
    /// A state on `base`, nothing decided yet.
    pub fn new(base: Box<dyn Base>) -> Self {
        Self { base, overlay: BTreeMap::new(), batch: 1, touched: Vec::new() }
    }

    /// The value under `key`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match self.overlay.get(key) {
            Some(slot) => Ok(slot.value.clone()),
            None => self.base.get(key),
        }
    }

    /// Puts `value` under `key`.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.set(key, Some(value));
    }

    /// Removes `key`.
    pub fn delete(&mut self, key: Vec<u8>) {
        self.set(key, None);
    }

    fn set(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        match self.overlay.entry(key) {
            Entry::Occupied(mut entry) => {
                if entry.get().batch != self.batch {
                    self.touched.push(entry.key().clone());
                }
                entry.insert(Slot { batch: self.batch, value });
            }
            Entry::Vacant(entry) => {
                self.touched.push(entry.key().clone());
                entry.insert(Slot { batch: self.batch, value });
            }
        }
    }

    /// Changes the value under `key` in place; an absent one begins empty.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn update(&mut self, key: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Result<(), Error> {
        if let Some(slot) = self.overlay.get_mut(key) {
            if slot.batch != self.batch {
                slot.batch = self.batch;
                self.touched.push(key.to_vec());
            }
            change(slot.value.get_or_insert_default());
            return Ok(());
        }
        let mut value = self.base.get(key)?.unwrap_or_default();
        change(&mut value);
        self.put(key.to_vec(), value);
        Ok(())
    }

    /// The first row from `from` on whose key begins with `prefix`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn first(&self, from: Bound<&[u8]>, prefix: &[u8]) -> Result<Option<Row>, Error> {
        let mut from = from.map(<[u8]>::to_vec);
        loop {
            let after = from.as_ref().map(Vec::as_slice);
            let stored = self.base.first(after, prefix)?;
            let decided = self
                .overlay
                .range::<[u8], _>((after, Bound::Unbounded))
                .take_while(|(key, _)| key.starts_with(prefix))
                .find(|(key, slot)| slot.value.is_some() || stored.as_ref().is_some_and(|(stored, _)| stored <= *key));
            match (stored, decided) {
                (Some((key, _)), Some((decided_key, slot))) if *decided_key <= key => match &slot.value {
                    Some(value) => return Ok(Some((decided_key.clone(), value.clone()))),
                    // Deleted above what is stored: look behind it.
                    None => from = Bound::Excluded(decided_key.clone()),
                },
                (Some(row), _) => return Ok(Some(row)),
                (None, Some((key, slot))) => return Ok(slot.value.clone().map(|value| (key.clone(), value))),
                (None, None) => return Ok(None),
            }
        }
    }

    /// All rows whose keys begin with `prefix`, in key order, one at a time.
    pub fn scan<'a>(&'a self, prefix: &'a [u8]) -> impl Iterator<Item = Result<Row, Error>> + 'a {
        let mut from = Bound::Included(prefix.to_vec());
        std::iter::from_fn(move || {
            let row = self.first(from.as_ref().map(Vec::as_slice), prefix).transpose()?;
            if let Ok((key, _)) = &row {
                from = Bound::Excluded(key.clone());
            }
            Some(row)
        })
    }

    /// Takes what changed since the last call, as the next batch.
    pub fn take_writes(&mut self) -> Writes {
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        let rows = touched
            .into_iter()
            .filter_map(|key| {
                let value = self.overlay.get(&key)?.value.clone();
                Some((key, value))
            })
            .collect();
        let batch = self.batch;
        self.batch += 1;
        Writes { batch, rows }
    }

    /// Forgets what the base now holds itself.
    ///
    /// INVARIANT (batches are applied in order): a slot of batch `n` or earlier is in the base.
    pub fn applied(&mut self, writes: &Writes) {
        for (key, _) in &writes.rows {
            if self.overlay.get(key).is_some_and(|slot| slot.batch <= writes.batch) {
                self.overlay.remove(key);
            }
        }
    }
}

/// A base in memory: for tests, replays and dry runs.
#[derive(Default)]
pub struct Memory(std::rc::Rc<std::cell::RefCell<BTreeMap<Vec<u8>, Vec<u8>>>>);

impl Memory {
    /// Another handle on the same rows.
    pub fn handle(&self) -> Self {
        Self(self.0.clone())
    }

    /// Applies a batch.
    pub fn apply(&self, writes: &Writes) {
        let mut rows = self.0.borrow_mut();
        for (key, value) in &writes.rows {
            match value {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
    }

    /// All rows.
    pub fn rows(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.0.borrow().clone()
    }
}

impl Base for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.borrow().get(key).cloned())
    }

    fn first(&self, from: Bound<&[u8]>, prefix: &[u8]) -> Result<Option<Row>, Error> {
        let rows = self.0.borrow();
        let row = rows.range::<[u8], _>((from, Bound::Unbounded)).next();
        Ok(row.filter(|(key, _)| key.starts_with(prefix)).map(|(key, value)| (key.clone(), value.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(state: &State, prefix: &[u8]) -> Vec<Vec<u8>> {
        state.scan(prefix).map(|row| row.unwrap().0).collect()
    }

    #[test]
    fn a_batch_stays_visible_from_decision_through_application() {
        let base = Memory::default();
        let mut state = State::new(Box::new(base.handle()));
        state.put(b"a1".to_vec(), b"x".to_vec());
        let first = state.take_writes();
        state.update(b"a1", |value| value.push(b'y')).unwrap();
        let second = state.take_writes();
        base.apply(&first);
        state.applied(&first);
        assert_eq!(state.get(b"a1").unwrap().unwrap(), b"xy");
        base.apply(&second);
        state.applied(&second);
        assert_eq!(state.get(b"a1").unwrap().unwrap(), b"xy");
        assert!(state.overlay.is_empty());
    }

    #[test]
    fn scans_merge_what_is_stored_and_what_is_decided() {
        let base = Memory::default();
        let mut state = State::new(Box::new(base.handle()));
        for key in [b"a1", b"a2", b"a3", b"b1"] {
            state.put(key.to_vec(), Vec::new());
        }
        let writes = state.take_writes();
        base.apply(&writes);
        state.applied(&writes);
        state.delete(b"a1".to_vec());
        state.delete(b"a3".to_vec());
        state.put(b"a4".to_vec(), Vec::new());
        assert_eq!(keys(&state, b"a"), [b"a2", b"a4"]);
        state.delete(b"a2".to_vec());
        state.delete(b"a4".to_vec());
        assert!(keys(&state, b"a").is_empty());
        assert_eq!(keys(&state, b"b"), [b"b1"]);
    }
}
