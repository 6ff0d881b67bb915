//! The ids by which places in OUT are told.
//!
//! Whoever sees everything is told the place itself, as OUT counts. Whoever does not would learn from it how much others
//! have: they are told it sealed, as 48 hexadecimal digits that say nothing but to the engine. Sealed ids stay the same
//! for ever, as the places do, and no two places have one.
//!
//! The seal is a Feistel network of four rounds over SHA-256 with a key (M. Luby and C. Rackoff, "How to construct
//! pseudorandom permutations from pseudorandom functions", 1988), which is made of the engine's token.

use std::io;

use sha2::{Digest as _, Sha256};

use super::viewer::Viewer;
use crate::data_dir::private::random;
use crate::log::events::EventPlace;

/// How many bytes are sealed: sequence and number of a place, a grain, and zeroes by which a seal is known.
const BYTES: usize = 24;
const HALF: usize = BYTES / 2;
const ROUNDS: u8 = 4;

/// Seals places, and opens them.
pub(super) struct EventIds {
    key: [u8; 32],
}

/// An id that somebody was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// The place of what they were told.
    At(EventPlace),
    /// A place that anybody may have made up who does not see everything: those were told before there were seals.
    Bare(EventPlace),
}

impl EventIds {
    /// By the engine's token.
    pub(super) fn new(token: &str) -> Self {
        Self { key: Sha256::new().chain_update("ids of events\n").chain_update(token).finalize().into() }
    }

    /// The id of what somebody sees at a place.
    pub(super) fn of(&self, viewer: &Viewer, place: EventPlace) -> String {
        if viewer.sees(None) { place.to_string() } else { self.seal(place, [0; 8]) }
    }

    /// The id of a place where there may be nothing that somebody sees: each time another, so that nobody learns whether
    /// OUT has gone on.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(super) fn of_any(&self, viewer: &Viewer, place: EventPlace) -> io::Result<String> {
        if viewer.sees(None) { Ok(place.to_string()) } else { Ok(self.seal(place, random()?)) }
    }

    /// The place of an id; none where it is none.
    pub(super) fn read(&self, viewer: &Viewer, text: &str) -> Option<Told> {
        match text.parse() {
            Ok(place) if viewer.sees(None) => Some(Told::At(place)),
            Ok(place) => Some(Told::Bare(place)),
            Err(_) => self.open(text).map(Told::At),
        }
    }

    fn seal(&self, place: EventPlace, grain: [u8; 8]) -> String {
        let (mut left, mut right) = ([0; HALF], [0; HALF]);
        let front = place.sequence.to_be_bytes().into_iter().chain(place.number.to_be_bytes());
        left.iter_mut().zip(front).for_each(|(byte, of)| *byte = of);
        right.iter_mut().zip(grain).for_each(|(byte, of)| *byte = of);
        for round in 0..ROUNDS {
            let mixed = self.mixed(round, left, right);
            (left, right) = (right, mixed);
        }
        hex::encode([left, right].concat())
    }

    fn open(&self, text: &str) -> Option<EventPlace> {
        // One place, one spelling.
        let is_spelt = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        let bytes: [u8; BYTES] = hex::decode(text).ok().filter(|_| text.bytes().all(is_spelt))?.try_into().ok()?;
        let (mut left, mut right) = (*bytes.first_chunk::<HALF>()?, *bytes.last_chunk::<HALF>()?);
        for round in (0..ROUNDS).rev() {
            let mixed = self.mixed(round, right, left);
            (left, right) = (mixed, left);
        }
        let is_sealed = right.last_chunk::<{ HALF - 8 }>()?.iter().all(|byte| *byte == 0);
        let (sequence, number) = (u64::from_be_bytes(*left.first_chunk()?), u32::from_be_bytes(*left.last_chunk()?));
        is_sealed.then_some(EventPlace { sequence, number })
    }

    /// One half with what a round makes of the other.
    fn mixed(&self, round: u8, mut half: [u8; HALF], of: [u8; HALF]) -> [u8; HALF] {
        let made = Sha256::new().chain_update(self.key).chain_update([round]).chain_update(of).finalize();
        half.iter_mut().zip(made).for_each(|(byte, of)| *byte ^= of);
        half
    }
}

#[cfg(test)]
impl EventIds {
    /// A place's id as whoever does not see everything is told it.
    pub(super) fn sealed(&self, place: EventPlace) -> String {
        self.seal(place, [0; 8])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_and_nothing_else() {
        let (ids, others) = (EventIds::new("token"), EventIds::new("another"));
        let mut seen = std::collections::BTreeSet::new();
        for (sequence, number) in [(0, 0), (1, 0), (1, 1), (2, 0), (u64::MAX, u32::MAX)] {
            let place = EventPlace { sequence, number };
            for grain in [[0; 8], [7; 8]] {
                let id = ids.seal(place, grain);
                assert_eq!((id.len(), ids.open(&id), others.open(&id)), (48, Some(place), None));
                assert_eq!(ids.seal(place, grain), id, "it stays the same");
                assert_eq!(ids.open(&id.to_uppercase()), None);
                assert!(seen.insert(id.clone()), "{id}");
                let wrong = if id.ends_with('0') { "1" } else { "0" };
                assert_eq!(ids.open(&format!("{}{wrong}", &id[..47])), None);
            }
        }
        for text in ["", "0", "12-0", &"0".repeat(48), &"0".repeat(47), &"g".repeat(48), &"é".repeat(24)] {
            assert_eq!(ids.open(text), None, "{text}");
        }
    }
}
