//! Reading ahead: rows that are asked for place by place, in the order of their keys, are read some at a time; what is
//! known not to be there is not looked for.
//!
//! What has been read is not read again: it is of use only while nothing of it changes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Bound;

use super::Error;
use super::state::{Base, Row, Stretch};

/// How many rows are read at first, and where somebody goes back: those of a slice of lines, and what follows them.
const ROWS_LEAST: usize = 6;
/// How many are read at once at the most: twice as many each time, while somebody goes on.
const ROWS_MOST: usize = 32;

/// What has been read: of each table, by its letter, one stretch.
#[derive(Debug, Default)]
pub(crate) struct Ahead(RefCell<BTreeMap<u8, Window>>);

#[derive(Debug)]
struct Window {
    from: Bound<Vec<u8>>,
    stretch: Stretch,
    /// How many rows were asked for.
    most: usize,
}

/// A base of which rows are read ahead.
pub(crate) struct ReadAhead<'a, B: ?Sized> {
    base: &'a B,
    ahead: &'a Ahead,
}

impl Ahead {
    /// A base, with what has been read of it.
    pub(crate) fn of<'a, B: Base + ?Sized>(&'a self, base: &'a B) -> ReadAhead<'a, B> {
        ReadAhead { base, ahead: self }
    }
}

impl Window {
    /// Whether all rows from `from` on are known, up to the first of them at least.
    fn has(&self, from: Bound<&[u8]>) -> bool {
        let begins = match (&self.from, from) {
            (Bound::Excluded(known), Bound::Included(from)) => known.as_slice() < from,
            (Bound::Included(known) | Bound::Excluded(known), Bound::Included(from) | Bound::Excluded(from)) => {
                known.as_slice() <= from
            }
            (Bound::Unbounded, _) => true,
            (_, Bound::Unbounded) => false,
        };
        begins && !self.is_behind(from)
    }

    /// Whether what is asked for lies behind all that is known.
    fn is_behind(&self, from: Bound<&[u8]>) -> bool {
        let Some((end, _)) = self.stretch.rows.last().filter(|_| !self.stretch.is_all) else { return false };
        match from {
            Bound::Included(from) => from > end.as_slice(),
            Bound::Excluded(from) => from >= end.as_slice(),
            Bound::Unbounded => false,
        }
    }

    fn first(&self, from: Bound<&[u8]>) -> Option<&Row> {
        let at = self.stretch.rows.partition_point(|(key, _)| match from {
            Bound::Included(from) => key.as_slice() < from,
            Bound::Excluded(from) => key.as_slice() <= from,
            Bound::Unbounded => false,
        });
        self.stretch.rows.get(at)
    }
}

impl<B: Base + ?Sized> ReadAhead<'_, B> {
    /// Shows the first row of a table from a key on.
    fn see<T>(&self, letter: u8, from: Bound<&[u8]>, see: impl FnOnce(Option<&Row>) -> T) -> Result<T, Error> {
        let mut windows = self.ahead.0.borrow_mut();
        let known = windows.get(&letter);
        if let Some(known) = known.filter(|known| known.has(from)) {
            return Ok(see(known.first(from)));
        }
        let goes_on = known.filter(|known| known.is_behind(from));
        let most = goes_on.map_or(ROWS_LEAST, |known| (known.most * 2).min(ROWS_MOST));
        let stretch = self.base.stretch(from, &[letter], most)?;
        let window = Window { from: from.map(<[u8]>::to_vec), stretch, most };
        let seen = see(window.first(from));
        windows.insert(letter, window);
        Ok(seen)
    }
}

impl<B: Base + ?Sized> Base for ReadAhead<'_, B> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let Some(letter) = key.first() else { return self.base.get(key) };
        self.see(*letter, Bound::Included(key), |row| {
            row.filter(|(found, _)| found == key).map(|(_, value)| value.clone())
        })
    }

    fn first(&self, from: Bound<&[u8]>, prefix: &[u8]) -> Result<Option<Row>, Error> {
        let Some(letter) = prefix.first() else { return self.base.first(from, prefix) };
        self.see(*letter, from, |row| row.filter(|(key, _)| key.starts_with(prefix)).cloned())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::state::{Memory, Writes};

    /// A base that counts how often it is read.
    struct Counted(Memory, Cell<usize>);

    impl Base for Counted {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
            self.1.set(self.1.get() + 1);
            self.0.get(key)
        }

        fn first(&self, from: Bound<&[u8]>, prefix: &[u8]) -> Result<Option<Row>, Error> {
            self.0.first(from, prefix)
        }

        fn stretch(&self, from: Bound<&[u8]>, prefix: &[u8], most: usize) -> Result<Stretch, Error> {
            self.1.set(self.1.get() + 1);
            self.0.stretch(from, prefix, most)
        }
    }

    fn counted(keys: impl IntoIterator<Item = String>) -> Counted {
        let base = Memory::default();
        let rows = keys.into_iter().map(|key| (key.clone().into_bytes(), Some(key.into_bytes()))).collect();
        base.apply(&Writes { batch: 1, rows });
        Counted(base, Cell::new(0))
    }

    #[test]
    fn what_is_read_ahead_is_what_is_there() {
        let base = counted(["a1", "b10", "b11", "b3", "b5", "b50", "b7", "c"].map(str::to_owned));
        let asked: Vec<String> = ["a", "b", "c", "d"]
            .into_iter()
            .flat_map(|letter| (0..60).map(move |number| format!("{letter}{number}")))
            .collect();
        // Forwards, backwards, and to and fro.
        let orders: [Vec<&String>; 3] = [
            asked.iter().collect(),
            asked.iter().rev().collect(),
            (0..asked.len()).map(|number| &asked[number * 37 % asked.len()]).collect(),
        ];
        for order in orders {
            let ahead = Ahead::default();
            for key in order.into_iter().map(|key| key.as_bytes()) {
                let read = ahead.of(&base);
                assert_eq!(read.get(key).unwrap(), base.0.get(key).unwrap());
                for from in [Bound::Included(key), Bound::Excluded(key)] {
                    for prefix in [&key[..1], key] {
                        assert_eq!(read.first(from, prefix).unwrap(), base.0.first(from, prefix).unwrap());
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_asked_for_in_order_is_read_some_at_a_time() {
        let base = counted((0..1_000).map(|number| format!("b{number:04}")));
        let ahead = Ahead::default();
        for number in 0..1_000 {
            assert!(ahead.of(&base).get(format!("b{number:04}").as_bytes()).unwrap().is_some());
            assert!(ahead.of(&base).get(format!("c{number:04}").as_bytes()).unwrap().is_none());
        }
        assert!(base.1.get() < 40, "{}", base.1.get());
    }
}
