//! Which host-event-IDs were seen: a repeated one is recognised however late, within the retention.
//!
//! The store holds them in order of arrival, 256 to a page, so that a batch writes a few pages
//! rather than a row per bundle at random places. In memory each costs 24 bytes and its slot.

use foldhash::{HashMap, HashMapExt as _};
use jiff::Timestamp;
use linesman_schemas::OrgName;
use sha2::{Digest, Sha256};

use super::Error;
use super::desk::Desk;
use super::state::State;
use super::table::{Key, Table, Upgradable};

const ENTRY: usize = 24;
const PER_PAGE: u64 = 256;

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
    seen: HashMap<u64, Sighting>,
    /// The first page that is kept.
    oldest_page: u64,
    /// How many there ever were.
    next: u64,
}

/// What stands for an organization's host-event-ID: the first 8 bytes of a SHA-256. A hit is
/// compared with the incident itself, so a collision costs a look, not an incident.
pub(crate) fn fingerprint(org: &OrgName, host_event_id: &str) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(org.as_str().as_bytes());
    hasher.update([0]);
    hasher.update(host_event_id.as_bytes());
    let digest: [u8; 32] = hasher.finalize().into();
    digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

impl Sightings {
    /// Reads them all.
    pub(crate) fn open(state: &State) -> Result<Self, Error> {
        let mut sightings = Self { seen: HashMap::new(), oldest_page: 0, next: 0 };
        let mut is_first = true;
        for row in state.scan(&SIGHTINGS.prefix(&[], &[])) {
            let (key, bytes) = row?;
            let page = SIGHTINGS.own(&key).try_into().map_or(0, u64::from_be_bytes);
            if is_first {
                sightings.oldest_page = page;
                is_first = false;
            }
            for (fingerprint, sighting) in entries(&bytes) {
                sightings.seen.insert(fingerprint, sighting);
            }
            sightings.next = page * PER_PAGE + (bytes.len() / ENTRY) as u64;
        }
        Ok(sightings)
    }

    /// What is remembered under a fingerprint.
    pub(crate) fn get(&self, fingerprint: u64) -> Option<Sighting> {
        self.seen.get(&fingerprint).copied()
    }

    /// Remembers a fingerprint from here on.
    pub(crate) fn add(&mut self, desk: &mut Desk, fingerprint: u64, sighting: Sighting) -> Result<(), Error> {
        self.seen.insert(fingerprint, sighting);
        let page = self.next / PER_PAGE;
        self.next += 1;
        let entry = [fingerprint.to_be_bytes(), sighting.incident.to_be_bytes(), sighting.at_s.to_be_bytes()];
        let entry = entry.as_flattened();
        desk.update(&key(page), self.next, entry, |bytes| bytes.extend_from_slice(entry))
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
                if self.seen.get(&fingerprint) == Some(&sighting) {
                    self.seen.remove(&fingerprint);
                }
            }
            desk.remove(key);
            self.oldest_page += 1;
        }
        Ok(())
    }
}

fn entries(bytes: &[u8]) -> impl Iterator<Item = (u64, Sighting)> + '_ {
    bytes.as_chunks::<ENTRY>().0.iter().map(|entry| {
        let (words, _) = entry.as_chunks::<8>();
        let word = |n: usize| words.get(n).map_or(0, |word| u64::from_be_bytes(*word));
        (word(0), Sighting { incident: word(1), at_s: word(2).cast_signed() })
    })
}

#[cfg(test)]
mod tests {
    use super::super::state::Memory;
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn they_survive_reopening_and_are_forgotten_by_pages() {
        let base = Memory::default();
        let mut desk = Desk::on_memory(&base);
        let mut sightings = Sightings::open(desk.state()).unwrap();
        for n in 0..600 {
            sightings.add(&mut desk, n, Sighting { incident: n + 1, at_s: n.cast_signed() }).unwrap();
        }
        base.apply(&desk.take_writes());
        let mut desk = Desk::on_memory(&base);
        let mut sightings = Sightings::open(desk.state()).unwrap();
        assert_eq!((sightings.next, sightings.seen.len()), (600, 600));
        assert_eq!(sightings.get(17), Some(Sighting { incident: 18, at_s: 17 }));
        sightings.prune(&mut desk, at(300)).unwrap();
        assert_eq!((sightings.get(17), sightings.get(256).is_some()), (None, true), "whole pages only");
        base.apply(&desk.take_writes());
        let sightings = Sightings::open(Desk::on_memory(&base).state()).unwrap();
        assert_eq!((sightings.oldest_page, sightings.next, sightings.seen.len()), (1, 600, 344));
    }

    #[test]
    fn an_id_is_its_organizations_own() {
        let (a, b) = ("acme".parse().unwrap(), "bolt".parse().unwrap());
        assert_ne!(fingerprint(&a, "x"), fingerprint(&b, "x"));
    }
}
