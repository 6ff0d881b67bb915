//! How much memory the filters of all lanes have together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is shared out if nothing else is said, in bytes.
const BYTES: usize = 64 << 20;

/// What all lanes may take: a quarter of it is shared out evenly, the rest goes to who needs it.
#[derive(Debug)]
pub struct Room {
    /// What each lane has for itself, in bytes.
    own: usize,
    /// How much more all of them may have.
    common: usize,
    /// How much of that is taken.
    taken: AtomicUsize,
}

impl Room {
    /// So many bytes for so many lanes.
    pub fn new(bytes: usize, lanes: u32) -> Self {
        let lanes = usize::try_from(lanes).unwrap_or(usize::MAX).max(1);
        let own = bytes / 4 / lanes;
        Self { own, common: bytes - own * lanes, taken: AtomicUsize::new(0) }
    }
}

impl Default for Room {
    /// As much as the settings have if nothing else is said, for one lane.
    fn default() -> Self {
        Self::new(BYTES, 1)
    }
}

/// A lane's part of it.
#[derive(Debug, Default)]
pub(super) struct Part {
    room: Arc<Room>,
    /// How many bytes it has.
    bytes: usize,
}

impl Part {
    pub(super) fn of(room: &Arc<Room>) -> Self {
        Self { room: Arc::clone(room), bytes: 0 }
    }

    /// How many more bytes it could have now; another lane may be quicker.
    pub(super) fn spare(&self) -> usize {
        let taken = self.room.taken.load(Ordering::Relaxed);
        (self.room.own + self.room.common.saturating_sub(taken) + self.beyond(self.bytes)).saturating_sub(self.bytes)
    }

    /// Has so many bytes from here on; whether there is room for them. If not it has what it had.
    pub(super) fn set(&mut self, bytes: usize) -> bool {
        let (had, has) = (self.beyond(self.bytes), self.beyond(bytes));
        let taken = self.room.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
            Some(taken - had + has).filter(|taken| has <= had || *taken <= self.room.common)
        });
        let is_there = taken.is_ok();
        if is_there {
            self.bytes = bytes;
        }
        is_there
    }

    fn beyond(&self, bytes: usize) -> usize {
        bytes.saturating_sub(self.room.own)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lane_has_its_own_and_the_rest_goes_to_who_needs_it() {
        let room = Arc::new(Room::new(1_600, 4));
        let (mut large, mut small) = (Part::of(&room), Part::of(&room));
        assert_eq!((large.spare(), small.spare()), (1_300, 1_300));
        assert!(!large.set(1_301));
        assert!(large.set(1_300));
        assert_eq!((large.spare(), small.spare()), (0, 100), "what is each lane's own stays");
        assert!(small.set(100) && !small.set(101));
        assert!(large.set(1_000) && small.set(400));
        drop(large);
        assert_eq!(small.spare(), 900);
    }
}
