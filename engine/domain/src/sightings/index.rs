//! Where in the pages a fingerprint is.
//!
//! The index is rows made of the pages, in no digest. A *run* covers pages that follow each other, and its rows are its
//! *buckets*: the fingerprints that are spread alike, each with its place in the run, in order of arrival. Runs of a level
//! cover four times as many pages as those of the level below and have four times as many buckets, so that a bucket has
//! some 256 fingerprints at every level.
//!
//! ```text
//! level 0   |16|16|16|16|16|..   pages, indexed once the last of them is full
//! level 1   |     64    |        four of those, merged bucket by bucket
//! level 2   ..
//! ```
//!
//! INVARIANT (the pages say it all): how far every merge is follows from how many pages are full: with each one bucket of
//! each level that has four runs goes up. So nothing else is kept of it, no page costs much more than another, and
//! whoever opens the state anew goes on at the same place.

use std::ops::Bound;

use super::{Error, PER_PAGE, Seed, Sighting, State, entries, entry, key};
use crate::table::{Key, Table, Upgradable};

/// How many pages a run of level 0 covers, and how many buckets it has.
const PAGES: u64 = 16;
/// How many runs become one of the level above.
const MERGED: u64 = 4;
/// How many levels there are; runs of the last one stay as they are.
const LEVELS: u32 = 10;
/// What stands in a bucket of a fingerprint: half of how it is spread, and its place in the run.
const POSTING: usize = 8;
/// How many rows of each level, of what is forgotten, are removed with each page.
const REMOVED: usize = 4;

/// A bucket.
#[derive(Debug)]
pub enum Bucket {}

/// The table of buckets.
pub const INDEX: Table<Bucket> = Table::new(b',');

impl Upgradable for Table<Bucket> {
    fn letter(&self) -> u8 {
        Self::letter(self)
    }

    fn upgraded(&self, key: &[u8], bytes: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        if bytes.len().is_multiple_of(POSTING) { Ok(None) } else { Err(Error::Page(key.escape_ascii().to_string())) }
    }

    fn form(&self, _level: u32, _key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(bytes.to_vec())
    }
}

/// A run: its level and its number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    level: u32,
    number: u64,
}

impl Run {
    fn pages(level: u32) -> u64 {
        PAGES * MERGED.pow(level)
    }

    /// The first page behind it.
    fn end(self) -> u64 {
        (self.number + 1) * Self::pages(self.level)
    }

    fn bucket(self, bucket: u64) -> Key<Bucket> {
        let mut tail = vec![self.level as u8];
        tail.extend_from_slice(&self.number.to_be_bytes());
        tail.extend_from_slice(&(bucket as u32).to_be_bytes());
        INDEX.key(&[], &tail)
    }
}

/// In which bucket of a level's runs what is spread so lies.
fn bucket_of(level: u32, word: u32) -> u64 {
    u64::from(word) >> (u32::BITS - Run::pages(level).trailing_zeros())
}

/// The half that stands in buckets.
fn word(spread: u64) -> u32 {
    (spread >> 32) as u32
}

/// With how many full pages the first four runs of a level are there: those of level 0 are as soon as their pages are full,
/// and a merge takes one page for each bucket of the runs that are merged.
fn first_four(level: u32) -> u64 {
    let merges: u64 = (0..level).map(Run::pages).sum();
    MERGED * Run::pages(level) + merges
}

/// How many times four runs of a level have become one, as far as a bucket is concerned, once so many pages are full.
fn merged(level: u32, bucket: u64, pages: u64) -> u64 {
    let first = first_four(level) + 1 + bucket;
    if level + 1 >= LEVELS {
        0
    } else {
        (pages + MERGED * Run::pages(level)).saturating_sub(first) / Run::pages(level + 1)
    }
}

/// How many of the full pages are in the index.
pub(super) fn indexed(pages: u64) -> u64 {
    pages - pages % PAGES
}

/// Whether a state has an index of its pages, of which so many are full and the first is `oldest_page`.
pub(super) fn is_there(state: &State, pages: u64, oldest_page: u64) -> Result<bool, Error> {
    let prefix = INDEX.prefix(&[], &[]);
    Ok(indexed(pages) <= oldest_page || state.first(Bound::Included(&prefix), &prefix)?.is_some())
}

/// Carries the index on once a page is full: now so many are.
pub(super) fn turn_page(state: &mut State, seed: Seed, pages: u64, oldest_page: u64) -> Result<(), Error> {
    if pages.is_multiple_of(PAGES) {
        add_run(state, seed, pages / PAGES - 1)?;
    }
    for level in 0..LEVELS - 1 {
        let Some(since) = pages.checked_sub(first_four(level) + 1) else { break };
        let (group, bucket) = (since / Run::pages(level + 1), since % Run::pages(level + 1));
        if bucket < Run::pages(level) {
            merge(state, Run { level: level + 1, number: group }, bucket, oldest_page)?;
        }
    }
    if oldest_page > 0 { forget(state, oldest_page) } else { Ok(()) }
}

/// Writes the buckets of a run of level 0.
fn add_run(state: &mut State, seed: Seed, number: u64) -> Result<(), Error> {
    let mut buckets: Vec<Vec<u8>> = (0..PAGES).map(|_| Vec::new()).collect();
    for page in 0..PAGES {
        let bytes = state.bytes(&key(number * PAGES + page))?.unwrap_or_default();
        for ((fingerprint, _), at) in entries(&bytes).zip(page * PER_PAGE..) {
            let word = word(seed.spread(fingerprint));
            if let Some(bucket) = buckets.get_mut(bucket_of(0, word) as usize) {
                push(bucket, word, at as u32);
            }
        }
    }
    write(state, Run { level: 0, number }, 0, buckets);
    Ok(())
}

/// Takes a bucket of four runs into four buckets of the one they become.
fn merge(state: &mut State, into: Run, bucket: u64, oldest_page: u64) -> Result<(), Error> {
    let level = into.level - 1;
    let run_ids = Run::pages(level) * PER_PAGE;
    let first = into.number * Run::pages(into.level);
    let mut buckets: Vec<Vec<u8>> = (0..MERGED).map(|_| Vec::new()).collect();
    for part in 0..MERGED {
        let key = Run { level, number: into.number * MERGED + part }.bucket(bucket);
        let Some(bytes) = state.bytes(&key)? else { continue };
        for (word, at) in postings(&bytes) {
            let at = part * run_ids + u64::from(at);
            let to = (bucket_of(into.level, word) % MERGED) as usize;
            if let Some(bucket) = buckets.get_mut(to).filter(|_| first + at / PER_PAGE >= oldest_page) {
                push(bucket, word, at as u32);
            }
        }
        state.set(key.into_bytes(), None);
    }
    write(state, into, bucket * MERGED, buckets);
    Ok(())
}

fn write(state: &mut State, run: Run, from: u64, buckets: Vec<Vec<u8>>) {
    for (bucket, bytes) in (from..).zip(buckets).filter(|(_, bytes)| !bytes.is_empty()) {
        state.set(run.bucket(bucket).into_bytes(), Some(bytes));
    }
}

/// Removes some rows of runs of which every page is forgotten.
fn forget(state: &mut State, oldest_page: u64) -> Result<(), Error> {
    for level in 0..LEVELS {
        let prefix = INDEX.prefix(&[], &[level as u8]);
        for _ in 0..REMOVED {
            let Some((key, _)) = state.first(Bound::Included(&prefix), &prefix)? else { break };
            let number =
                INDEX.own(&key).get(1..9).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes);
            if (Run { level, number }).end() > oldest_page {
                break;
            }
            state.set(key, None);
        }
    }
    Ok(())
}

/// The latest sighting of a fingerprint in the pages that are indexed.
pub(super) fn find(
    state: &State,
    (fingerprint, spread): (u64, u64),
    pages: u64,
    oldest_page: u64,
) -> Result<Option<Sighting>, Error> {
    let word = word(spread);
    let mut runs = pages / PAGES;
    for level in 0..LEVELS {
        let bucket = bucket_of(level, word);
        let merged = merged(level, bucket, pages);
        for number in (merged * MERGED..runs).rev() {
            let run = Run { level, number };
            // What is older is forgotten too.
            if run.end() <= oldest_page {
                return Ok(None);
            }
            if let Some(found) = find_in(state, (run, bucket), (fingerprint, word), oldest_page)? {
                return Ok(Some(found));
            }
        }
        runs = merged;
    }
    Ok(None)
}

fn find_in(
    state: &State,
    (run, bucket): (Run, u64),
    (fingerprint, word): (u64, u32),
    oldest_page: u64,
) -> Result<Option<Sighting>, Error> {
    let Some(bytes) = state.bytes(&run.bucket(bucket))? else { return Ok(None) };
    for (_, at) in postings(&bytes).rev().filter(|(found, _)| *found == word) {
        let (page, at) = (run.number * Run::pages(run.level) + u64::from(at) / PER_PAGE, u64::from(at) % PER_PAGE);
        if page < oldest_page {
            continue;
        }
        let bytes = state.bytes(&key(page))?.unwrap_or_default();
        if let Some((_, sighting)) = entry(&bytes, at as usize).filter(|(found, _)| *found == fingerprint) {
            return Ok(Some(sighting));
        }
    }
    Ok(None)
}

fn push(bucket: &mut Vec<u8>, word: u32, at: u32) {
    bucket.extend_from_slice([word.to_be_bytes(), at.to_be_bytes()].as_flattened());
}

fn postings(bytes: &[u8]) -> impl DoubleEndedIterator<Item = (u32, u32)> + '_ {
    bytes.as_chunks::<POSTING>().0.iter().map(|posting| {
        let posting = u64::from_be_bytes(*posting);
        ((posting >> 32) as u32, posting as u32)
    })
}
