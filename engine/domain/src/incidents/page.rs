//! Incidents as they lie in the store: sixteen to a row, in order of arrival, so that what a batch adds is written as a
//! few rows side by side.
//!
//! ```text
//! i <org> 0 <page>      up to 16 times: length (3 bytes, little-endian), version less one (1 byte), row in postcard
//! ```

use linesman_schemas::{IncidentId, OrgName, Priority};
use serde::Deserialize;

use super::{IncidentRow, Status};
use crate::Error;
use crate::coded;
use crate::state::Base;
use crate::table::{self, Key, Row as _, Table, Upgradable};

/// How many incidents share a row.
pub const PER_PAGE: u64 = 16;
/// The longest row, in bytes.
const ROW_MOST: usize = (1 << 24) - 1;

/// A page of incidents.
#[derive(Debug)]
pub enum IncidentsPage {}

/// The table of pages.
pub const INCIDENTS: Table<IncidentsPage> = Table::new(b'i');

/// A page's key.
pub fn key(org: &OrgName, page: u64) -> Key<IncidentsPage> {
    INCIDENTS.key(&[org.as_str()], &page.to_be_bytes())
}

/// The front of the keys of an organization's pages, or of those from a row's own key on.
pub fn within(organization: &str, own: &[u8]) -> Vec<u8> {
    INCIDENTS.prefix(&[organization], own)
}

/// The front of the keys of all pages.
pub fn all() -> Vec<u8> {
    INCIDENTS.prefix(&[], &[])
}

/// The incidents of the page under `key`.
pub fn rows<'a>(key: &'a [u8], bytes: &'a [u8]) -> impl Iterator<Item = Result<IncidentRow, Error>> + 'a {
    entries(bytes).map(move |entry| entry.read(key))
}

/// What is read of an incident to know how it stands. The texts are not copied.
#[derive(Deserialize)]
struct Glance<'a> {
    #[serde(borrow)]
    _texts: (&'a str, &'a str, bool, &'a str, &'a str, &'a str, &'a str, &'a str, &'a str),
    #[serde(with = "coded::priority")]
    priority: Priority,
    _severity: Option<u8>,
    _times: (i128, i128),
    status: Status,
}

/// The version of rows that a [`Glance`] reads.
const GLANCED: u8 = 1;

/// How urgent the incidents of a page are, and who works on each; those that cannot be read are passed over.
pub fn standings(bytes: &[u8]) -> impl Iterator<Item = (Priority, Status)> + '_ {
    entries(bytes).filter_map(|entry| match entry.version {
        GLANCED => postcard::take_from_bytes::<Glance<'_>>(entry.row).ok().map(|(row, _)| (row.priority, row.status)),
        _ => entry.read(&[]).ok().map(|row| (row.priority, row.status)),
    })
}

/// How many incidents a page holds.
pub fn count(bytes: &[u8]) -> usize {
    entries(bytes).count()
}

/// An incident of a base.
///
/// # Errors
/// The base cannot be read, or the page.
pub fn find(base: &(impl Base + ?Sized), id: &IncidentId) -> Result<Option<IncidentRow>, Error> {
    let (page, at) = place(id.number);
    let key = key(&id.org, page).into_bytes();
    let Some(bytes) = base.get(&key)? else { return Ok(None) };
    read(&key, &bytes, at)
}

/// Where an incident lies: its page, and its place on it.
pub(super) fn place(number: u64) -> (u64, usize) {
    let index = number.saturating_sub(1);
    // Below 16: fits.
    (index / PER_PAGE, (index % PER_PAGE) as usize)
}

/// An incident of a page.
#[derive(Debug, PartialEq, Eq)]
struct Entry<'a> {
    version: u8,
    row: &'a [u8],
}

impl Entry<'_> {
    fn read(&self, key: &[u8]) -> Result<IncidentRow, Error> {
        table::decode_version(key, self.version, self.row)
    }
}

fn entries(mut bytes: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    std::iter::from_fn(move || {
        let ([low, middle, high, version], rest) = bytes.split_first_chunk::<4>()?;
        let (row, rest) = rest.split_at_checked(u32::from_le_bytes([*low, *middle, *high, 0]) as usize)?;
        bytes = rest;
        Some(Entry { version: version.saturating_add(1), row })
    })
}

/// The incident at a place of the page under `key`.
pub(super) fn read(key: &[u8], bytes: &[u8], at: usize) -> Result<Option<IncidentRow>, Error> {
    entries(bytes).nth(at).map(|entry| entry.read(key)).transpose()
}

/// Puts a row of today's version at a place of a page: a new last one, or instead of the one that stands there.
pub(crate) fn put(bytes: &mut Vec<u8>, at: usize, row: &[u8]) {
    let start: usize = entries(bytes).take(at).map(|entry| entry.row.len() + 4).sum();
    let behind = bytes.split_off(start);
    bytes.reserve(4 + row.len() + behind.len());
    push(bytes, row);
    let replaced = entries(&behind).next().map_or(0, |old| old.row.len() + 4);
    bytes.extend_from_slice(behind.get(replaced..).unwrap_or_default());
}

/// INVARIANT (rows of a page are below 16 MiB): an incident has a few texts of a bundle, which are bounded by far less.
fn push(bytes: &mut Vec<u8>, row: &[u8]) {
    let length = u32::try_from(row.len().min(ROW_MOST)).unwrap_or_default();
    let [low, middle, high, _] = length.to_le_bytes();
    bytes.extend_from_slice(&[low, middle, high, IncidentRow::VERSION - 1]);
    bytes.extend_from_slice(row);
}

impl Upgradable for Table<IncidentsPage> {
    fn letter(&self) -> u8 {
        Self::letter(self)
    }

    fn upgraded(&self, key: &[u8], bytes: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let mut page = Vec::with_capacity(bytes.len());
        for entry in entries(bytes) {
            push(&mut page, &table::encode_bare(&entry.read(key)?)?);
        }
        Ok((page != bytes).then_some(page))
    }

    fn form(&self, level: u32, key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let mut page = Vec::with_capacity(bytes.len());
        for entry in entries(bytes) {
            let row = entry.read(key)?;
            push(&mut page, &row.form(level, &table::encode_bare(&row)?)?);
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_page_are_added_and_replaced() {
        let mut bytes = Vec::new();
        for (at, row) in [(0, "one"), (1, "two"), (2, "three")] {
            put(&mut bytes, at, row.as_bytes());
        }
        put(&mut bytes, 1, b"another");
        let rows: Vec<_> = entries(&bytes).map(|entry| entry.row).collect();
        assert_eq!(rows, [&b"one"[..], b"another", b"three"]);
        assert_eq!(place(1), (0, 0));
        assert_eq!(place(16), (0, 15));
        assert_eq!(place(17), (1, 0));
    }
}
