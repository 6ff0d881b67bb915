//! The pace of work in slices: one slice at a time, and beside others a rest behind each as long as the slice took, so
//! that half of the lane's time is theirs.

use std::time::{Duration, Instant};

/// After what time a `Control::Continue` that has not come is sent again.
const AGAIN: Duration = Duration::from_secs(1);

/// Where the slice is, and since when the lane was sent for it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Pace {
    /// There is none.
    #[default]
    Idle,
    /// Its message is on its way to the lane.
    Sent(Instant),
    /// It is decided.
    Decided(Instant),
    /// Its batch is on its way.
    Emitted(Instant),
    /// It is applied; no other before this moment.
    Resting(Instant),
}

impl Pace {
    /// Whether the next one may be sent for.
    pub(super) fn is_due(self) -> bool {
        match self {
            Self::Idle => true,
            Self::Sent(since) => since.elapsed() >= AGAIN,
            Self::Decided(_) | Self::Emitted(_) => false,
            Self::Resting(until) => until <= Instant::now(),
        }
    }

    /// When it is worth asking again, where nothing else happens.
    pub(super) fn wakes(self) -> Option<Instant> {
        match self {
            Self::Idle => Some(Instant::now() + AGAIN),
            Self::Sent(since) => Some(since + AGAIN),
            Self::Resting(until) => Some(until),
            Self::Decided(_) | Self::Emitted(_) => None,
        }
    }

    /// The lane was sent for one.
    pub(super) fn sent(&mut self) {
        *self = Self::Sent(Instant::now());
    }

    /// One was decided, of this engine's or of one before it.
    pub(super) fn decided(&mut self) {
        *self = Self::Decided(if let Self::Sent(since) = *self { since } else { Instant::now() });
    }

    /// What was decided is on its way.
    pub(super) fn emitted(&mut self) {
        if let Self::Decided(since) = *self {
            *self = Self::Emitted(since);
        }
    }

    /// What was on its way is applied.
    pub(super) fn applied(&mut self, is_alone: bool) {
        if let Self::Emitted(since) = *self {
            *self = if is_alone { Self::Idle } else { Self::Resting(Instant::now() + since.elapsed()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_sent_for_once_the_one_before_it_is_applied_and_beside_others_behind_a_rest() {
        let mut pace = Pace::default();
        assert!(pace.is_due());
        pace.sent();
        assert!(!pace.is_due() && pace.wakes().is_some());
        pace.decided();
        // A batch of before is applied meanwhile.
        pace.applied(false);
        assert!(!pace.is_due() && pace.wakes().is_none());
        pace.emitted();
        assert!(!pace.is_due());
        pace.applied(true);
        assert!(pace.is_due(), "nobody else is there");

        const TOOK: Duration = Duration::from_secs(40);
        let since = Instant::now().checked_sub(TOOK).unwrap();
        let mut pace = Pace::Emitted(since);
        pace.applied(false);
        assert!(!pace.is_due());
        let Pace::Resting(until) = pace else { panic!("{pace:?}") };
        assert!(until.duration_since(since) >= 2 * TOOK);
    }
}
