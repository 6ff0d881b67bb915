//! Which fingerprints were never seen, in bounded memory: a Bloom filter whose bits of one fingerprint lie in one cache
//! line.
//!
//! It is made of the pages and decides nothing: whether it says "perhaps" or has not been made yet changes how long a
//! look takes, never what is found. One that has become too full, or remembers too much of what is forgotten, is
//! replaced by another that is made beside it, some pages at a time.

use std::sync::Arc;

use super::room::{Part, Room};
use super::{Error, PER_PAGE, Seed, State, entries, key};

/// What a block takes, in bytes: a line of the processor's cache.
const BLOCK_BYTES: usize = 64;
/// How many of a block's 512 bits a fingerprint sets.
const BITS: u32 = 6;
/// How many fingerprints a block has in a new filter, where there is room.
const SPARSE: u64 = 16;
/// How many fingerprints a block has, on average, before another filter is worth it: then one look in a thousand that
/// need not be is made in the store.
const DENSE: u64 = 32;
/// The least blocks of a filter.
const BLOCKS_LEAST: u64 = 64;
/// How many pages go into the filter that is being made, for each that fills.
const PAGES: u64 = 4;
/// How many pages are read when a lane is taken up; if there are more, the rest is read while it decides.
const PAGES_AT_START: u64 = 1 << 16;

#[derive(Clone, Default)]
#[repr(align(64))]
struct Block([u64; 8]);

/// A filter of fingerprints that are spread.
struct Filter {
    blocks: Vec<Block>,
    /// How many fingerprints it was given.
    given: u64,
}

impl Filter {
    fn new(blocks: u64) -> Self {
        Self { blocks: vec![Block::default(); usize::try_from(blocks).unwrap_or(1).max(1)], given: 0 }
    }

    fn bytes(&self) -> usize {
        self.blocks.len() * BLOCK_BYTES
    }

    fn blocks(&self) -> u64 {
        self.blocks.len() as u64
    }

    fn place(&self, spread: u64) -> usize {
        // Below the number of blocks.
        (((spread & 0xffff_ffff) * self.blocks()) >> 32) as usize
    }

    fn add(&mut self, spread: u64) {
        let place = self.place(spread);
        let Some(Block(words)) = self.blocks.get_mut(place) else { return };
        for (word, bit) in bits(spread) {
            if let Some(word) = words.get_mut(word) {
                *word |= bit;
            }
        }
        self.given += 1;
    }

    fn may_have(&self, spread: u64) -> bool {
        let Some(Block(words)) = self.blocks.get(self.place(spread)) else { return true };
        bits(spread).all(|(word, bit)| words.get(word).is_none_or(|word| word & bit != 0))
    }
}

/// The words of a block, and the bits in them, that stand for a fingerprint.
fn bits(spread: u64) -> impl Iterator<Item = (usize, u64)> {
    let places = spread.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 10;
    (0..BITS).map(move |n| {
        let place = (places >> (9 * n)) & 511;
        ((place >> 6) as usize, 1 << (place & 63))
    })
}

/// A filter that is being made.
struct Making {
    filter: Filter,
    /// The next page to go in.
    page: u64,
    /// The first one whose fingerprints go in as they come.
    end: u64,
}

/// A lane's filter, and the one that is to follow it.
#[derive(Default)]
pub(super) struct Filters {
    part: Part,
    /// The one that is asked; without one everything may have been seen.
    asked: Option<Filter>,
    making: Option<Making>,
}

impl Filters {
    /// Begins to make a filter of the pages from the oldest one up to the `next` sighting.
    pub(super) fn open(state: &State, seed: Seed, room: &Arc<Room>, extent: (u64, u64)) -> Result<Self, Error> {
        let mut filters = Self { part: Part::of(room), asked: None, making: None };
        filters.begin(extent);
        filters.make(state, seed, extent.0, PAGES_AT_START)?;
        Ok(filters)
    }

    /// Whether a fingerprint may have been seen.
    pub(super) fn may_have(&self, spread: u64) -> bool {
        self.asked.as_ref().is_none_or(|filter| filter.may_have(spread))
    }

    pub(super) fn add(&mut self, spread: u64) {
        if let Some(filter) = &mut self.asked {
            filter.add(spread);
        }
        if let Some(making) = &mut self.making {
            making.filter.add(spread);
        }
    }

    /// A page has become full: some of another filter is made, if one is worth it.
    pub(super) fn turn_page(&mut self, state: &State, seed: Seed, extent: (u64, u64)) -> Result<(), Error> {
        if self.making.is_none() {
            self.begin(extent);
        }
        self.make(state, seed, extent.0, PAGES)
    }

    /// Begins to make another filter, where that is worth it and there is room.
    fn begin(&mut self, (oldest_page, next): (u64, u64)) {
        let kept = next.saturating_sub(oldest_page * PER_PAGE);
        let is_full = |filter: &Filter| filter.given > DENSE * filter.blocks();
        if !self.asked.as_ref().is_none_or(is_full) {
            return;
        }
        let spare = (self.part.spare() / BLOCK_BYTES) as u64;
        let blocks = (kept / SPARSE).max(BLOCKS_LEAST).min(spare);
        // Worth it: what is to come is less dense by a quarter.
        let is_worth_it = |filter: &Filter| {
            u128::from(kept) * u128::from(filter.blocks()) * 4 < u128::from(filter.given) * u128::from(blocks) * 3
        };
        let has = self.asked.as_ref().map_or(0, Filter::bytes);
        let wanted = has + usize::try_from(blocks).unwrap_or(usize::MAX).saturating_mul(BLOCK_BYTES);
        if blocks > 0 && self.asked.as_ref().is_none_or(is_worth_it) && self.part.set(wanted) {
            self.making = Some(Making { filter: Filter::new(blocks), page: oldest_page, end: next.div_ceil(PER_PAGE) });
        }
    }

    /// Puts so many pages into the filter that is being made; once all are in, it is the one that is asked.
    fn make(&mut self, state: &State, seed: Seed, oldest_page: u64, pages: u64) -> Result<(), Error> {
        let Some(making) = &mut self.making else { return Ok(()) };
        let from = making.page.max(oldest_page);
        making.page = making.end.min(from.saturating_add(pages)).max(from);
        for page in from..making.page {
            for (fingerprint, _) in entries(&state.bytes(&key(page))?.unwrap_or_default()) {
                making.filter.add(seed.spread(fingerprint));
            }
        }
        if let Some(Making { filter, .. }) = self.making.take_if(|making| making.page >= making.end) {
            // It has no more than it has already.
            self.part.set(filter.bytes());
            self.asked = Some(filter);
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let making = self.making.as_ref().map(|making| &making.filter);
        self.asked.iter().chain(making).map(Filter::bytes).sum()
    }

    #[cfg(test)]
    pub(super) fn is_made(&self) -> bool {
        self.asked.is_some() && self.making.is_none()
    }
}
