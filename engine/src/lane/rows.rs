//! The rows of a state that is dropped, held against those of the one that is decided in its place.

use std::collections::BTreeMap;

use linesman_domain::table::Upgradable;
use linesman_domain::{position, sightings};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::store::{self, Lane};

/// How many bytes of keys and hashes are kept at most: of a larger state nothing is told.
const BYTES_MOST: usize = 64 << 20;
/// How many rows that differ are told of.
const TOLD_MOST: usize = 20;
/// How much of a key is told.
const KEY_MOST: usize = 200;

/// What stands for a row's value.
type Print = [u8; 16];

/// The rows of a state: key and hash.
pub(super) struct Rows(BTreeMap<Vec<u8>, Print>);

/// The rows that differ from those of the state that was there before and stood at the same input.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct DifferingRows {
    /// The first of them, by key.
    pub rows: Vec<DifferingRow>,
    /// How many more there are.
    pub more: usize,
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DifferingRow {
    /// Its key, as the map of rows in `ARCHITECTURE.md` has them, with escapes for what is no text.
    pub key: String,
    /// In what it differs.
    pub how: HowRow,
}

/// In what a row differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HowRow {
    /// It says something else now.
    Otherwise,
    /// It was not there.
    New,
    /// It is not there any more.
    Gone,
}

impl Rows {
    /// Those of a state; none where they are too many, or cannot be read.
    pub(super) fn of(state: &Lane) -> Option<Self> {
        let (mut rows, mut bytes) = (BTreeMap::new(), 0);
        for row in state.rows(b"", None) {
            let (key, value) = row.ok()?;
            if !is_compared(&key) {
                continue;
            }
            bytes += key.len() + size_of::<Print>();
            if bytes > BYTES_MOST {
                return None;
            }
            rows.insert(key, print(&value));
        }
        Some(Self(rows))
    }

    /// Which of a state differ from these.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn compare(mut self, state: &Lane) -> Result<DifferingRows, store::Error> {
        let mut differing = BTreeMap::new();
        for row in state.rows(b"", None) {
            let (key, value) = row?;
            let how = match self.0.remove(&key) {
                Some(known) if known == print(&value) => continue,
                Some(_) => HowRow::Otherwise,
                None if is_compared(&key) => HowRow::New,
                None => continue,
            };
            differing.insert(key, how);
        }
        differing.extend(self.0.into_keys().map(|key| (key, HowRow::Gone)));
        let more = differing.len().saturating_sub(TOLD_MOST);
        let rows = differing.into_iter().take(TOLD_MOST).map(|(key, how)| DifferingRow { key: told(&key), how });
        Ok(DifferingRows { rows: rows.collect(), more })
    }
}

/// Whether a row is held against another: where the state stands differs by its digest, and the index is made of other rows.
fn is_compared(key: &[u8]) -> bool {
    let letter = key.first().copied();
    letter != Some(Upgradable::letter(&position::POSITION)) && letter != Some(Upgradable::letter(&sightings::INDEX))
}

fn print(value: &[u8]) -> Print {
    let digest: [u8; 32] = Sha256::digest(value).into();
    let (first, _) = digest.split_at(size_of::<Print>());
    first.try_into().unwrap_or_default()
}

fn told(key: &[u8]) -> String {
    let text = key.escape_ascii().to_string();
    match text.char_indices().nth(KEY_MOST) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use linesman_domain::state::Writes;

    use super::*;
    use crate::store::Store;

    #[test]
    fn the_first_rows_that_differ_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let state = store.lane(0).unwrap();
        let write = |rows: Vec<(Vec<u8>, Option<Vec<u8>>)>| state.apply(&Writes { batch: 1, rows }).unwrap();
        let key = |number: u8| vec![b'd', number];
        write((0..60).map(|number| (key(number), Some(vec![number]))).collect());
        write(vec![(vec![b'a'], Some(vec![1]))]);
        let before = Rows::of(&state).unwrap();
        assert_eq!(Rows::of(&state).unwrap().compare(&state).unwrap(), DifferingRows::default());
        write(vec![(vec![b'a'], Some(vec![2])), (vec![b',', 1], Some(vec![1]))]);
        write(vec![(key(1), None), (key(2), Some(vec![0])), (vec![b'd', 1, 0xff], Some(vec![3]))]);
        write((30..60).map(|number| (key(number), None)).collect());
        let found = before.compare(&state).unwrap();
        let first: Vec<_> = found.rows.iter().take(3).map(|row| (row.key.as_str(), row.how)).collect();
        assert_eq!(first, [("d\\x01", HowRow::Gone), ("d\\x01\\xff", HowRow::New), ("d\\x02", HowRow::Otherwise)]);
        assert_eq!((found.rows.len(), found.more), (20, 13));
    }
}
