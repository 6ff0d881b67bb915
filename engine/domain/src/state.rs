//! A lane's state as decisions see it: what is stored, under what this lane has decided since.
//!
//! Writes gather in an overlay and leave it as a [`Writes`] per batch; a batch that has been applied
//! to the base leaves the overlay. So deciding goes on while earlier batches are still on their way.
//! Nothing here knows sled: the base is whatever answers [`Base`].

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;

use super::Error;
use super::table::{self, Key, Table};

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

    /// The first rows whose keys are `>= from` and begin with `prefix`, so many at the most, and one at the least where
    /// there is any.
    ///
    /// # Errors
    /// The store cannot be read.
    fn stretch(&self, from: Bound<&[u8]>, prefix: &[u8], most: usize) -> Result<Stretch, Error> {
        let (mut rows, mut from) = (Vec::new(), from.map(<[u8]>::to_vec));
        while let Some(row) = self.first(from.as_ref().map(Vec::as_slice), prefix)? {
            from = Bound::Excluded(row.0.clone());
            rows.push(row);
            if rows.len() >= most {
                return Ok(Stretch { rows, is_all: false });
            }
        }
        Ok(Stretch { rows, is_all: true })
    }
}

/// Rows as they follow each other.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// The rows.
    pub rows: Vec<Row>,
    /// Whether there are no more behind them; never where as many were found as were asked for.
    pub is_all: bool,
}

#[derive(Clone)]
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
    /// What stood in the overlay before each change, since it was asked to be kept.
    journal: Option<Vec<(Vec<u8>, Option<Slot>)>>,
    empty: Empty,
}

/// Tables that have no row, stored or decided: most installations use few of them, and each input asks several.
struct Empty([bool; 256]);

impl Empty {
    /// Those of `base`; one that cannot be read is not known to be.
    fn of(base: &dyn Base) -> Self {
        let mut empty = [false; 256];
        for (table, is_empty) in (0..=u8::MAX).zip(&mut empty) {
            *is_empty = base.first(Bound::Included(&[table]), &[table]).is_ok_and(|row| row.is_none());
        }
        Self(empty)
    }

    /// Whether no key that begins like this one has a row.
    fn has(&self, key: &[u8]) -> bool {
        key.first().and_then(|table| self.0.get(usize::from(*table))).is_some_and(|is_empty| *is_empty)
    }

    /// A row comes under a key.
    fn fill(&mut self, key: &[u8]) {
        if let Some(is_empty) = key.first().and_then(|table| self.0.get_mut(usize::from(*table))) {
            *is_empty = false;
        }
    }
}

impl State {
    /// A state on `base`, nothing decided yet.
    ///
    /// INVARIANT (one writer): a table of `base` that is empty now is filled by this state alone.
    pub fn new(base: Box<dyn Base>) -> Self {
        let empty = Empty::of(&*base);
        Self { base, overlay: BTreeMap::new(), batch: 1, touched: Vec::new(), journal: None, empty }
    }

    /// The row under `key`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn read<R: table::Row>(&self, key: &Key<R>) -> Result<Option<R>, Error> {
        if self.empty.has(key.as_bytes()) {
            return Ok(None);
        }
        match self.overlay.get(key.as_bytes()) {
            Some(slot) => slot.value.as_ref().map(|bytes| table::decode(key.as_bytes(), bytes)).transpose(),
            None => Table::read(&*self.base, key),
        }
    }

    /// The bytes under `key`, of a row that has a form of its own.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn bytes<V>(&self, key: &Key<V>) -> Result<Option<Vec<u8>>, Error> {
        self.get(key.as_bytes())
    }

    /// Puts a value under `key`; none removes it.
    pub(crate) fn set(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.note(&key);
        self.empty.fill(&key);
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

    /// Keeps from here on what changes replace.
    pub(crate) fn begin_trial(&mut self) {
        self.journal = Some(Vec::new());
    }

    /// Ends a trial: with all that was changed, or as if nothing had been.
    pub(crate) fn end_trial(&mut self, stays: bool) {
        for (key, slot) in self.journal.take().into_iter().flatten().rev().filter(|_| !stays) {
            match slot {
                Some(slot) => self.overlay.insert(key, slot),
                None => self.overlay.remove(&key),
            };
        }
    }

    fn note(&mut self, key: &[u8]) {
        if let Some(journal) = &mut self.journal {
            journal.push((key.to_vec(), self.overlay.get(key).cloned()));
        }
    }

    /// Changes the bytes under `key` in place; absent ones begin empty.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn update<V>(&mut self, key: &Key<V>, change: impl FnOnce(&mut Vec<u8>)) -> Result<(), Error> {
        let key = key.as_bytes();
        self.note(key);
        if let Some(slot) = self.overlay.get_mut(key) {
            if slot.batch != self.batch {
                slot.batch = self.batch;
                self.touched.push(key.to_vec());
            }
            change(slot.value.get_or_insert_default());
            return Ok(());
        }
        let mut value = if self.empty.has(key) { Vec::new() } else { self.base.get(key)?.unwrap_or_default() };
        change(&mut value);
        self.set(key.to_vec(), Some(value));
        Ok(())
    }

    /// The first row from `from` on whose key begins with `prefix`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn first(&self, from: Bound<&[u8]>, prefix: &[u8]) -> Result<Option<Row>, Error> {
        if self.empty.has(prefix) {
            return Ok(None);
        }
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

    /// The first rows from `from` on whose keys begin with `prefix`, so many at the most, and one at the least where there
    /// is any.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn stretch(&self, from: Bound<&[u8]>, prefix: &[u8], most: usize) -> Result<Stretch, Error> {
        if self.empty.has(prefix) {
            return Ok(Stretch { rows: Vec::new(), is_all: true });
        }
        let mut from = from.map(<[u8]>::to_vec);
        loop {
            let after = from.as_ref().map(Vec::as_slice);
            let stored = self.base.stretch(after, prefix, most)?;
            let end = stored.rows.last().filter(|_| !stored.is_all).map(|(key, _)| key.clone());
            let rows = self.over(stored.rows, (after, end.as_deref()), prefix, most);
            match end {
                // All of them are deleted above what is stored: look behind them.
                Some(end) if rows.is_empty() => from = Bound::Excluded(end),
                end => {
                    let is_all = end.is_none() && rows.len() < most;
                    return Ok(Stretch { rows, is_all });
                }
            }
        }
    }

    /// Stored rows, with what was decided since from `from` up to `end`: so many of both at the most.
    fn over(
        &self,
        stored: Vec<Row>,
        (from, end): (Bound<&[u8]>, Option<&[u8]>),
        prefix: &[u8],
        most: usize,
    ) -> Vec<Row> {
        let is_known = |key: &[u8]| key.starts_with(prefix) && end.is_none_or(|end| key <= end);
        let decided = self.overlay.range::<[u8], _>((from, Bound::Unbounded));
        let mut decided = decided.take_while(|(key, _)| is_known(key)).peekable();
        let (mut stored, mut rows) = (stored.into_iter().peekable(), Vec::new());
        while rows.len() < most {
            match decided.next_if(|(key, _)| stored.peek().is_none_or(|(stored, _)| *key <= stored)) {
                Some((key, slot)) => {
                    stored.next_if(|(stored, _)| stored == key);
                    rows.extend(slot.value.clone().map(|value| (key.clone(), value)));
                }
                None => match stored.next() {
                    Some(row) => rows.push(row),
                    None => break,
                },
            }
        }
        rows
    }

    /// What is stored, without what was decided since.
    pub(crate) fn base(&self) -> &dyn Base {
        &*self.base
    }

    /// What was decided of rows whose keys begin with `prefix` and is not stored: the keys, in their order, and the values
    /// from here on.
    pub(crate) fn decided<'a>(&'a self, prefix: &'a [u8]) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> {
        let rows = self.overlay.range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded));
        let rows = rows.take_while(move |(key, _)| key.starts_with(prefix));
        rows.map(|(key, slot)| (key.as_slice(), slot.value.as_deref()))
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

impl Base for State {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        if self.empty.has(key) {
            return Ok(None);
        }
        match self.overlay.get(key) {
            Some(slot) => Ok(slot.value.clone()),
            None => self.base.get(key),
        }
    }

    fn first(&self, from: Bound<&[u8]>, prefix: &[u8]) -> Result<Option<Row>, Error> {
        self.first(from, prefix)
    }

    fn stretch(&self, from: Bound<&[u8]>, prefix: &[u8], most: usize) -> Result<Stretch, Error> {
        self.stretch(from, prefix, most)
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

    const TABLE: Table<()> = Table::new(b't');

    fn key(id: &str) -> Key<()> {
        TABLE.key(&[], id.as_bytes())
    }

    fn set(state: &mut State, id: &str, value: Option<&[u8]>) {
        state.set(key(id).into_bytes(), value.map(<[u8]>::to_vec));
    }

    /// The last letters of the keys there are.
    fn ids(state: &State, prefix: &str) -> Vec<String> {
        let last = |key: Vec<u8>| String::from_utf8(key[1..].to_vec()).unwrap();
        state.scan(key(prefix).as_bytes()).map(|row| last(row.unwrap().0)).collect()
    }

    #[test]
    fn a_batch_stays_visible_from_decision_through_application() {
        let base = Memory::default();
        let mut state = State::new(Box::new(base.handle()));
        state.update(&key("a1"), |value| value.push(b'x')).unwrap();
        let first = state.take_writes();
        state.update(&key("a1"), |value| value.push(b'y')).unwrap();
        let second = state.take_writes();
        base.apply(&first);
        state.applied(&first);
        assert_eq!(state.bytes(&key("a1")).unwrap().unwrap(), b"xy");
        base.apply(&second);
        state.applied(&second);
        assert_eq!(state.bytes(&key("a1")).unwrap().unwrap(), b"xy");
        assert!(state.overlay.is_empty());
    }

    /// Counts how often it is asked.
    struct Asked(Memory, std::rc::Rc<std::cell::Cell<usize>>);

    impl Base for Asked {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
            self.1.set(self.1.get() + 1);
            self.0.get(key)
        }

        fn first(&self, from: Bound<&[u8]>, prefix: &[u8]) -> Result<Option<Row>, Error> {
            self.1.set(self.1.get() + 1);
            self.0.first(from, prefix)
        }
    }

    #[test]
    fn a_table_that_is_empty_is_asked_for_nothing_and_one_that_was_filled_since_has_its_rows() {
        let (base, asked) = (Memory::default(), std::rc::Rc::default());
        let mut state = State::new(Box::new(Asked(base.handle(), std::rc::Rc::clone(&asked))));
        asked.set(0);
        let look = |state: &State| {
            let prefix = key("");
            let from = Bound::Included(prefix.as_bytes());
            let stretch = state.stretch(from, prefix.as_bytes(), 9).unwrap();
            (state.bytes(&key("a")).unwrap(), state.first(from, prefix.as_bytes()).unwrap(), stretch.rows)
        };
        assert_eq!((look(&state), asked.get()), ((None, None, Vec::new()), 0));
        set(&mut state, "a", Some(b"a"));
        let writes = state.take_writes();
        base.apply(&writes);
        state.applied(&writes);
        let row = (key("a").into_bytes(), b"a".to_vec());
        assert_eq!(look(&state), (Some(b"a".to_vec()), Some(row.clone()), vec![row.clone()]));
        // It is found by the next one too.
        let next = State::new(Box::new(base.handle()));
        assert_eq!(look(&next), (Some(b"a".to_vec()), Some(row.clone()), vec![row]));
    }

    #[test]
    fn scans_merge_what_is_stored_and_what_is_decided() {
        let base = Memory::default();
        let mut state = State::new(Box::new(base.handle()));
        for id in ["a1", "a2", "a3", "b1"] {
            set(&mut state, id, Some(b""));
        }
        let writes = state.take_writes();
        base.apply(&writes);
        state.applied(&writes);
        set(&mut state, "a1", None);
        set(&mut state, "a3", None);
        set(&mut state, "a4", Some(b""));
        assert_eq!(ids(&state, "a"), ["a2", "a4"]);
        set(&mut state, "a2", None);
        set(&mut state, "a4", None);
        assert!(ids(&state, "a").is_empty());
        assert_eq!(ids(&state, "b"), ["b1"]);
    }

    #[test]
    fn a_stretch_is_what_one_by_one_follows() {
        // Of nine rows some are stored, and some of those and of the others are decided: each either way.
        for pattern in 0..200_u32 {
            let base = Memory::default();
            let mut state = State::new(Box::new(base.handle()));
            let number = |row: u32, salt: u32| pattern * 9 + row + 10_000 * salt;
            let chosen = |row, salt| (number(row, salt).wrapping_mul(2_654_435_761) >> 16) % 3;
            for row in (0..9).filter(|row| chosen(*row, 0) > 0) {
                set(&mut state, &format!("a{row}"), Some(b"stored"));
            }
            set(&mut state, "b", Some(b"behind"));
            let writes = state.take_writes();
            base.apply(&writes);
            state.applied(&writes);
            for row in 0..9 {
                match chosen(row, 1) {
                    0 => set(&mut state, &format!("a{row}"), None),
                    1 => set(&mut state, &format!("a{row}"), Some(b"decided")),
                    _ => {}
                }
            }
            let (front, all) = (key("a"), ids(&state, "a"));
            for (from, most) in (0..10).flat_map(|from| (1..11).map(move |most| (from, most))) {
                let from = key(&format!("a{from}"));
                let rows = state.scan(front.as_bytes()).map(Result::unwrap);
                let left: Vec<Row> = rows.filter(|(key, _)| key.as_slice() > from.as_bytes()).collect();
                let found = state.stretch(Bound::Excluded(from.as_bytes()), front.as_bytes(), most).unwrap();
                assert_eq!(found.rows, left[..found.rows.len()], "{all:?}");
                assert!(found.rows.len() <= most && (left.is_empty() || !found.rows.is_empty()));
                assert!(!found.is_all || found.rows.len() == left.len() && left.len() < most);
                assert!(found.is_all || !found.rows.is_empty());
            }
        }
    }
}
