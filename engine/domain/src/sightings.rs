//! Which host-event-IDs were seen: a repeated one is recognised however late, within the retention.
//!
//! The store holds them in order of arrival, 256 to a page, so that a batch writes a few pages
//! rather than a row per bundle at random places. In memory each costs 24 bytes and its slot.

use foldhash::{HashMap, HashMapExt as _};
use jiff::Timestamp;
use linesman_schemas::OrgName;
use sha2::{Digest, Sha256};

use super::Error;
use super::rows::key;
use super::state::State;

const ENTRY: usize = 24;
const PER_PAGE: u64 = 256;

/// Where and when a host-event-ID was first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sighting {
    /// The incident's number.
    pub(super) incident: u64,
    /// When it was detected, in seconds.
    pub(super) at_s: i64,
}

/// The host-event-IDs a lane remembers.
pub(super) struct Sightings {
    seen: HashMap<u64, Sighting>,
    /// The first page that is kept.
    oldest_page: u64,
    /// How many there ever were.
    next: u64,
}

/// What stands for an organization's host-event-ID: the first 8 bytes of a SHA-256. A hit is
/// compared with the incident itself, so a collision costs a look, not an incident.
pub(super) fn fingerprint(org: &OrgName, host_event_id: &str) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(org.as_str().as_bytes());
    hasher.update([0]);
    hasher.update(host_event_id.as_bytes());
    let digest: [u8; 32] = hasher.finalize().into();
    digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

impl Sightings {
    /// Reads them all.
    pub(super) fn open(state: &State) -> Result<Self, Error> {
        let mut sightings = Self { seen: HashMap::new(), oldest_page: 0, next: 0 };
        let mut is_first = true;
        for row in state.scan(b"h") {
            let (key, bytes) = row?;
            let page = key.get(1..).and_then(|n| n.try_into().ok()).map_or(0, u64::from_be_bytes);
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
    pub(super) fn get(&self, fingerprint: u64) -> Option<Sighting> {
        self.seen.get(&fingerprint).copied()
    }

    /// Remembers a fingerprint from here on.
    pub(super) fn add(&mut self, state: &mut State, fingerprint: u64, sighting: Sighting) -> Result<(), Error> {
        self.seen.insert(fingerprint, sighting);
        let page = self.next / PER_PAGE;
        self.next += 1;
        state.update(&key::sightings(page), |bytes| {
            bytes.extend_from_slice(&fingerprint.to_be_bytes());
            bytes.extend_from_slice(&sighting.incident.to_be_bytes());
            bytes.extend_from_slice(&sighting.at_s.to_be_bytes());
        })
    }

    /// Forgets the full pages whose every sighting is older than `before`.
    pub(super) fn prune(&mut self, state: &mut State, before: Timestamp) -> Result<(), Error> {
        let before = before.as_second();
        // The newest page stays: by it the count is known again.
        while self.oldest_page < self.next.saturating_sub(1) / PER_PAGE {
            let key = key::sightings(self.oldest_page);
            let bytes = state.bytes(&key)?.unwrap_or_default();
            if entries(&bytes).any(|(_, sighting)| sighting.at_s >= before) {
                break;
            }
            for (fingerprint, sighting) in entries(&bytes) {
                // A later sighting may stand under the same fingerprint.
                if self.seen.get(&fingerprint) == Some(&sighting) {
                    self.seen.remove(&fingerprint);
                }
            }
            state.remove(key);
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
        let mut state = State::new(Box::new(base.handle()));
        let mut sightings = Sightings::open(&state).unwrap();
        for n in 0..600 {
            sightings.add(&mut state, n, Sighting { incident: n + 1, at_s: n.cast_signed() }).unwrap();
        }
        base.apply(&state.take_writes());
        let mut state = State::new(Box::new(base.handle()));
        let mut sightings = Sightings::open(&state).unwrap();
        assert_eq!((sightings.next, sightings.seen.len()), (600, 600));
        assert_eq!(sightings.get(17), Some(Sighting { incident: 18, at_s: 17 }));
        sightings.prune(&mut state, at(300)).unwrap();
        assert_eq!((sightings.get(17), sightings.get(256).is_some()), (None, true), "whole pages only");
        base.apply(&state.take_writes());
        let sightings = Sightings::open(&State::new(Box::new(base.handle()))).unwrap();
        assert_eq!((sightings.oldest_page, sightings.next, sightings.seen.len()), (1, 600, 344));
    }

    #[test]
    fn an_id_is_its_organizations_own() {
        let (a, b) = ("acme".parse().unwrap(), "bolt".parse().unwrap());
        assert_ne!(fingerprint(&a, "x"), fingerprint(&b, "x"));
    }
}
