//! Which host-event-IDs were seen: a repeated one is recognised however late, within the retention.
//!
//! The store holds them in order of arrival, 256 to a page, so that a batch writes a few pages rather than a row per
//! bundle at random places, and so that those of a time are found without a look at any other. They are found by what
//! they are in an index that is made of the pages. In memory are the latest few thousand, and a filter that tells of
//! most that were never seen.
//!
//! | room | what |
//! |---|---|
//! | here | what is remembered, and for how long |
//! | `index` | where in the pages one is |
//! | `filter` | which were never seen, in bounded memory |
//! | `room` | how much memory the filters of all lanes have |

mod filter;
mod index;
mod room;
#[cfg(test)]
mod tests;

use std::ops::Bound;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use jiff::Timestamp;
use linesman_schemas::OrgName;
use sha2::{Digest, Sha256};

use super::Error;
use super::desk::Desk;
use super::state::{Base, State, Writes};
use super::table::{Key, Table, Upgradable};
use filter::Filters;
pub use index::INDEX;
pub use room::Room;

const ENTRY: usize = 24;
const PER_PAGE: u64 = 256;
/// How many pages are indexed between two writes where all of them are.
const PAGES_AT_ONCE: u64 = 256;

/// A page of sightings: entries of 24 bytes, so that the length of a page of version 1 is a multiple of that; a later
/// version must not be.
#[derive(Debug)]
pub enum SightingsPage {}

/// The table of pages.
pub const SIGHTINGS: Table<SightingsPage> = Table::new(b'h');

/// A page's key.
pub fn key(page: u64) -> Key<SightingsPage> {
    SIGHTINGS.key(&[], &page.to_be_bytes())
}

impl Upgradable for Table<SightingsPage> {
    fn letter(&self) -> u8 {
        Self::letter(self)
    }

    fn upgraded(&self, key: &[u8], bytes: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        if bytes.len().is_multiple_of(ENTRY) { Ok(None) } else { Err(Error::Page(key.escape_ascii().to_string())) }
    }

    fn form(&self, _level: u32, _key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(bytes.to_vec())
    }
}

/// Where and when a host-event-ID was first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// The incident's number.
    pub(crate) incident: u64,
    /// When it was detected, in seconds.
    pub(crate) at_s: i64,
}

/// The host-event-IDs a lane remembers.
#[derive(Default)]
pub(crate) struct Sightings {
    /// Those that the index has not yet.
    recent: HashMap<u64, Sighting>,
    filters: Filters,
    seed: Seed,
    /// The first page that is kept.
    oldest_page: u64,
    /// How many there ever were.
    next: u64,
}

/// By what fingerprints are spread, so that nobody who sends bundles can choose where theirs lie.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seed(u64);

impl Seed {
    /// The seed of a log.
    pub(crate) fn of(stream: &str) -> Self {
        Self(first_word(Sha256::digest(stream.as_bytes()).into()))
    }

    /// A fingerprint, spread.
    fn spread(self, fingerprint: u64) -> u64 {
        let mut word = fingerprint ^ self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

/// What stands for an organization's host-event-ID: the first 8 bytes of a SHA-256. A hit is
/// compared with the incident itself, so a collision costs a look, not an incident.
pub(crate) fn fingerprint(org: &OrgName, host_event_id: &str) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(org.as_str().as_bytes());
    hasher.update([0]);
    hasher.update(host_event_id.as_bytes());
    first_word(hasher.finalize().into())
}

fn first_word(digest: [u8; 32]) -> u64 {
    digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

impl Sightings {
    /// Takes up what is remembered in a state; `room` is what the filters of all lanes may take.
    pub(crate) fn open(state: &State, seed: Seed, room: &Arc<Room>) -> Result<Self, Error> {
        let (oldest_page, next) = extent(state)?;
        let mut recent = HashMap::new();
        for page in index::indexed(next / PER_PAGE).max(oldest_page)..next.div_ceil(PER_PAGE) {
            recent.extend(entries(&state.bytes(&key(page))?.unwrap_or_default()));
        }
        let filters = Filters::open(state, seed, room, (oldest_page, next))?;
        Ok(Self { recent, filters, seed, oldest_page, next })
    }

    /// What is remembered under a fingerprint: the latest of it.
    pub(crate) fn get(&self, state: &State, fingerprint: u64) -> Result<Option<Sighting>, Error> {
        if let Some(sighting) = self.recent.get(&fingerprint) {
            return Ok(Some(*sighting));
        }
        let spread = self.seed.spread(fingerprint);
        if !self.filters.may_have(spread) {
            return Ok(None);
        }
        index::find(state, (fingerprint, spread), self.next / PER_PAGE, self.oldest_page)
    }

    /// Remembers a fingerprint from here on.
    pub(crate) fn add(&mut self, desk: &mut Desk, fingerprint: u64, sighting: Sighting) -> Result<(), Error> {
        self.recent.insert(fingerprint, sighting);
        self.filters.add(self.seed.spread(fingerprint));
        let page = self.next / PER_PAGE;
        self.next += 1;
        let entry = [fingerprint.to_be_bytes(), sighting.incident.to_be_bytes(), sighting.at_s.to_be_bytes()];
        let entry = entry.as_flattened();
        desk.update(&key(page), self.next, entry, |bytes| bytes.extend_from_slice(entry))?;
        if !self.next.is_multiple_of(PER_PAGE) {
            return Ok(());
        }
        let pages = self.next / PER_PAGE;
        index::turn_page(desk.derived(), self.seed, pages, self.oldest_page)?;
        if index::indexed(pages) == pages {
            self.recent.clear();
        }
        self.filters.turn_page(desk.state(), self.seed, (self.oldest_page, self.next))
    }

    /// Forgets the full pages whose every sighting is older than `before`.
    pub(crate) fn prune(&mut self, desk: &mut Desk, before: Timestamp) -> Result<(), Error> {
        let before = before.as_second();
        // The newest page stays: by it the count is known again.
        while self.oldest_page < self.next.saturating_sub(1) / PER_PAGE {
            let key = key(self.oldest_page);
            let bytes = desk.bytes(&key)?.unwrap_or_default();
            if entries(&bytes).any(|(_, sighting)| sighting.at_s >= before) {
                break;
            }
            for (fingerprint, sighting) in entries(&bytes) {
                // A later sighting may stand under the same fingerprint.
                if self.recent.get(&fingerprint) == Some(&sighting) {
                    self.recent.remove(&fingerprint);
                }
            }
            desk.remove(key);
            self.oldest_page += 1;
        }
        Ok(())
    }
}

/// Makes the index of a store that has none, or none yet: each time as much as is to be written at once.
///
/// # Errors
/// The store cannot be read, or `apply` fails.
pub fn complete<E: From<Error>>(
    base: Box<dyn Base>,
    stream: &str,
    mut apply: impl FnMut(&Writes) -> Result<(), E>,
) -> Result<(), E> {
    let mut state = State::new(base);
    let (oldest_page, next) = extent(&state)?;
    if index::is_there(&state, next / PER_PAGE, oldest_page)? {
        return Ok(());
    }
    let seed = Seed::of(stream);
    for pages in oldest_page + 1..=next / PER_PAGE {
        index::turn_page(&mut state, seed, pages, oldest_page)?;
        if pages.is_multiple_of(PAGES_AT_ONCE) || pages == next / PER_PAGE {
            let writes = state.take_writes();
            apply(&writes)?;
            state.applied(&writes);
        }
    }
    Ok(())
}

/// The first page that is kept, and how many there ever were.
fn extent(state: &State) -> Result<(u64, u64), Error> {
    let prefix = SIGHTINGS.prefix(&[], &[]);
    let number = |key: &[u8]| SIGHTINGS.own(key).try_into().map_or(0, u64::from_be_bytes);
    let Some((first, _)) = state.first(Bound::Included(&prefix), &prefix)? else { return Ok((0, 0)) };
    let oldest = number(&first);
    // Pages follow each other without a gap: the last one is found by halves.
    let (mut there, mut step) = (oldest, 1);
    while state.bytes(&key(there + step))?.is_some() {
        there += step;
        step *= 2;
    }
    while step > 1 {
        step /= 2;
        if state.bytes(&key(there + step))?.is_some() {
            there += step;
        }
    }
    let last = state.bytes(&key(there))?.unwrap_or_default();
    Ok((oldest, there * PER_PAGE + (last.len() / ENTRY) as u64))
}

/// The entry at a place of a page.
fn entry(bytes: &[u8], at: usize) -> Option<(u64, Sighting)> {
    entries(bytes.get(at * ENTRY..)?).next()
}

fn entries(bytes: &[u8]) -> impl Iterator<Item = (u64, Sighting)> + '_ {
    bytes.as_chunks::<ENTRY>().0.iter().map(|entry| {
        let (words, _) = entry.as_chunks::<8>();
        let word = |n: usize| words.get(n).map_or(0, |word| u64::from_be_bytes(*word));
        (word(0), Sighting { incident: word(1), at_s: word(2).cast_signed() })
    })
}
