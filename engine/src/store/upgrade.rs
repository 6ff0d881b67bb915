//! Rows of earlier versions, written anew in today's while the engine runs.
//!
//! A row is upgraded whenever it is read; here those are found that nobody reads. Each lane remembers in the default
//! tree up to which format it has gone through all of its rows.

use std::ops::Bound;

use linesman_domain::TABLES;
use linesman_domain::state::Writes;

use super::{Error, FORMAT, Lane};

impl Lane {
    /// Whether rows of an earlier version may be among the lane's.
    ///
    /// # Errors
    /// sled failed.
    pub fn is_behind(&self) -> Result<bool, Error> {
        Ok(self.formats.get(&self.name)?.is_none_or(|format| format != FORMAT))
    }

    /// Writes rows of earlier versions anew, looking at so many behind the key `after`; the key of the last one, or none
    /// behind the last of all. A row that is of no table, or cannot be read, is told and left as it is.
    ///
    /// The lane alone may call this: what is read here must not change before it is written.
    ///
    /// # Errors
    /// sled failed.
    pub fn upgrade(&self, after: &[u8], most: usize) -> Result<Option<Vec<u8>>, Error> {
        let mut writes = Writes::default();
        let mut last = None;
        let rows = self.tree.range::<&[u8], _>((Bound::Excluded(after), Bound::Unbounded));
        for row in rows.take(most) {
            let (key, bytes) = row?;
            let table = TABLES.iter().find(|table| key.first() == Some(&table.letter()));
            match table.map(|table| table.upgraded(&key, &bytes)) {
                Some(Ok(None)) => {}
                Some(Ok(Some(upgraded))) => writes.rows.push((key.to_vec(), Some(upgraded))),
                Some(Err(error)) => {
                    let error = crate::logging::full(&error);
                    tracing::error!(error, "a row of an earlier version cannot be upgraded");
                }
                None => tracing::error!(key = %key.escape_ascii(), "a row of no table is left as it is"),
            }
            last = Some(key.to_vec());
        }
        self.apply(&writes)?;
        metrics::counter!("linesman_rows_upgraded_total").increment(writes.rows.len() as u64);
        if last.is_none() {
            self.formats.insert(&self.name, FORMAT)?;
            tracing::debug!(lane = self.name, "every row is of today's version");
        }
        Ok(last)
    }
}
