//! Where sources go on: what brings inputs by itself keeps its cursor here, on lane 0.
//!
//! A cursor is reported behind the inputs that were found before it. Reports are numbered: one that comes again, or that
//! another has overtaken, changes nothing.

use jiff::Timestamp;
use linesman_schemas::SourceName;
use linesman_schemas::control::SourceCursor;
use serde::{Deserialize, Serialize};

use super::Error;
use super::desk::Desk;
use super::state::Base;
use super::table::{Key, Row, Table};

/// Where a source goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorRow {
    /// What its next poll begins from; none: from the beginning.
    pub cursor: Option<String>,
    /// The number of the report that said so, from 1.
    pub number: u64,
    /// When that was, by the log's clock.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub reported: Timestamp,
}

impl Row for CursorRow {}

/// The table of sources' cursors, by the source's name.
pub const CURSORS: Table<CursorRow> = Table::new(b'v');

/// The key of a source's cursor.
pub fn key(source: &SourceName) -> Key<CursorRow> {
    CURSORS.key(&[], source.as_str().as_bytes())
}

/// Where a source goes on; none before its first report.
///
/// # Errors
/// The base cannot be read, or the row.
pub fn read(base: &(impl Base + ?Sized), source: &SourceName) -> Result<Option<CursorRow>, Error> {
    Table::read(base, &key(source))
}

/// The cursors of all sources, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all(base: &(impl Base + ?Sized)) -> impl Iterator<Item = Result<(String, CursorRow), Error>> {
    CURSORS.rows(base, &[]).map(|row| row.map(|(own, row)| (String::from_utf8_lossy(&own).into_owned(), row)))
}

/// Keeps a cursor, unless a later one is known.
pub(crate) fn take(desk: &mut Desk, report: &SourceCursor) -> Result<(), Error> {
    let key = key(&report.source);
    let known = desk.read(&key)?.map_or(0, |row| row.number);
    if report.number <= known {
        desk.tally.input("ctl", "known");
        return Ok(());
    }
    desk.tally.input("ctl", "cursor");
    let row = CursorRow { cursor: report.cursor.clone(), number: report.number, reported: desk.now };
    desk.write(key, &row)
}
