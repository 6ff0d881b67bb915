//! The ids by which places in OUT are told.
//!
//! Whoever sees everything is told the place itself, as OUT counts. Whoever does not would learn from it how much others
//! have: they are told it sealed, as hexadecimal digits that say nothing but to the engine. Sealed ids stay the same for
//! ever, as the places do, and no two places have one.
//!
//! The seal is AES-SIV (RFC 5297), which gives the same for the same: under a key that is made of the engine's token.

use std::io;

use aes_siv::KeyInit as _;
use aes_siv::siv::Aes128Siv;
use sha2::{Digest as _, Sha256};

use super::viewer::Viewer;
use crate::data_dir::private::random;
use crate::log::events::EventPlace;

/// How long a sealed id may be, in hexadecimal digits: that of a program of before, and with a grain.
const DIGITS: std::ops::RangeInclusive<usize> = 48..=72;

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
    /// One that another engine may have sealed, or this one under another token.
    Foreign,
}

impl EventIds {
    /// By the engine's token.
    pub(super) fn new(token: &str) -> Self {
        Self { key: Sha256::new().chain_update("ids of events\n").chain_update(token).finalize().into() }
    }

    /// The id of what somebody sees at a place.
    pub(super) fn of(&self, viewer: &Viewer, place: EventPlace) -> String {
        if viewer.sees(None) { place.to_string() } else { self.seal(place, &[]) }
    }

    /// The id of a place where there may be nothing that somebody sees: each time another, so that nobody learns whether
    /// OUT has gone on.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(super) fn of_any(&self, viewer: &Viewer, place: EventPlace) -> io::Result<String> {
        if viewer.sees(None) { Ok(place.to_string()) } else { Ok(self.seal(place, &random::<8>()?)) }
    }

    /// What an id tells; none where it is none.
    pub(super) fn read(&self, viewer: &Viewer, text: &str) -> Option<Told> {
        match text.parse() {
            Ok(place) if viewer.sees(None) => Some(Told::At(place)),
            Ok(place) => Some(Told::Bare(place)),
            Err(_) => {
                let sealed = sealed(text)?;
                Some(self.open(&sealed).map_or(Told::Foreign, Told::At))
            }
        }
    }

    fn seal(&self, place: EventPlace, grain: &[u8]) -> String {
        let plain = [&place.sequence.to_be_bytes()[..], &place.number.to_be_bytes(), grain].concat();
        // It fails where there are more than 126 headers, and there are none.
        self.cipher().encrypt([[]; 0], &plain).map(hex::encode).unwrap_or_default()
    }

    fn open(&self, sealed: &[u8]) -> Option<EventPlace> {
        let plain = self.cipher().decrypt([[]; 0], sealed).ok()?;
        let (sequence, rest) = plain.split_first_chunk()?;
        let number = rest.first_chunk()?;
        Some(EventPlace { sequence: u64::from_be_bytes(*sequence), number: u32::from_be_bytes(*number) })
    }

    fn cipher(&self) -> Aes128Siv {
        Aes128Siv::new(&self.key.into())
    }
}

/// The bytes of what is spelt as a sealed id; one place, one spelling.
fn sealed(text: &str) -> Option<Vec<u8>> {
    let is_spelt = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    let is_sealed = DIGITS.contains(&text.len()) && text.bytes().all(is_spelt);
    is_sealed.then(|| hex::decode(text).ok()).flatten()
}

#[cfg(test)]
impl EventIds {
    /// A place's id as whoever does not see everything is told it.
    pub(super) fn sealed(&self, place: EventPlace) -> String {
        self.seal(place, &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_and_nothing_else() {
        let (ids, others) = (EventIds::new("token"), EventIds::new("another"));
        let open = |ids: &EventIds, text: &str| sealed(text).and_then(|bytes| ids.open(&bytes));
        let mut seen = std::collections::BTreeSet::new();
        for (sequence, number) in [(0, 0), (1, 0), (1, 1), (2, 0), (u64::MAX, u32::MAX)] {
            let place = EventPlace { sequence, number };
            for (grain, length) in [(&[][..], 56), (&[0; 8], 72), (&[7; 8], 72)] {
                let id = ids.seal(place, grain);
                assert_eq!((id.len(), open(&ids, &id), open(&others, &id)), (length, Some(place), None));
                assert_eq!(ids.seal(place, grain), id, "it stays the same");
                assert_eq!(open(&ids, &id.to_uppercase()), None);
                assert!(seen.insert(id.clone()), "{id}");
                let wrong = if id.ends_with('0') { "1" } else { "0" };
                assert_eq!(open(&ids, &format!("{}{wrong}", &id[..length - 1])), None);
            }
        }
        for text in ["", "0", "12-0", &"0".repeat(48), &"0".repeat(55), &"0".repeat(56), &"g".repeat(56)] {
            assert_eq!(open(&ids, text), None, "{text}");
        }
    }

    #[test]
    fn an_id_of_before_is_the_one_it_was() {
        // RFC 5297 by another implementation (Python's `cryptography`, AESSIV), under SHA-256 of `ids of events\ntoken`.
        assert_eq!(
            EventIds::new("token").sealed(EventPlace { sequence: 1, number: 2 }),
            "0d051496ec124f9e1a188222631d0c3a302fcb1360ad2f8f20b451b8"
        );
    }
}
