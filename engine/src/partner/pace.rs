//! How often an end customer may ask: so many requests a second, and a few more after a pause; and how much it may report: so
//! many bytes a day.

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A day.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The pace of one end customer. Every request, or byte, moves the moment up to which its share is used by one interval; it
/// may lie ahead by as much as a burst has.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    most: Duration,
    used_until: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new(requests_per_second: NonZeroU32, burst: NonZeroU32, now: Instant) -> Self {
        let interval = Duration::from_secs(1) / requests_per_second.get();
        Self { interval, most: interval.saturating_mul(burst.get()), used_until: Mutex::new(now) }
    }

    /// So many a day, all of them at once after a day's pause.
    pub(super) fn a_day(most: NonZeroU32, now: Instant) -> Self {
        Self { interval: DAY / most.get(), most: DAY, used_until: Mutex::new(now) }
    }

    /// Lets a request through.
    ///
    /// # Errors
    /// It comes too soon: in how many whole seconds, at least 1, the next one does not.
    pub(super) fn take(&self, now: Instant) -> Result<(), u64> {
        self.take_many(1, now)
    }

    /// Lets so many through.
    ///
    /// # Errors
    /// They come too soon, likewise.
    pub(super) fn take_many(&self, count: u32, now: Instant) -> Result<(), u64> {
        let mut used_until = self.used_until();
        let until = (*used_until).max(now) + self.interval.saturating_mul(count);
        let wait = until.duration_since(now).saturating_sub(self.most);
        if !wait.is_zero() {
            // None of them too early.
            return Err(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)));
        }
        *used_until = until;
        Ok(())
    }

    fn used_until(&self) -> MutexGuard<'_, Instant> {
        // Nothing under the lock panics.
        self.used_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(requests_per_second: u32, burst: u32, now: Instant) -> Pace {
        Pace::new(NonZeroU32::new(requests_per_second).unwrap(), NonZeroU32::new(burst).unwrap(), now)
    }

    #[test]
    fn a_burst_goes_through_and_then_one_at_a_time() {
        let start = Instant::now();
        let pace = pace(10, 4, start);
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(
            (0..6).map(|_| pace.take(at(0))).collect::<Vec<_>>(),
            [Ok(()), Ok(()), Ok(()), Ok(()), Err(1), Err(1)]
        );
        assert_eq!([pace.take(at(99)), pace.take(at(100)), pace.take(at(100))], [Err(1), Ok(()), Err(1)]);
        // A pause brings no more than the burst.
        assert_eq!((0..5).filter(|_| pace.take(at(60_000)).is_ok()).count(), 4);
    }

    #[test]
    fn who_is_refused_loses_nothing() {
        let start = Instant::now();
        let pace = pace(1, 1, start);
        assert_eq!(pace.take(start), Ok(()));
        for ms in 0..1000 {
            assert_eq!(pace.take(start + Duration::from_millis(ms)), Err(1));
        }
        assert_eq!(pace.take(start + Duration::from_secs(1)), Ok(()));
    }

    #[test]
    fn what_a_day_bears_comes_at_once_or_bit_by_bit() {
        let start = Instant::now();
        let pace = Pace::a_day(NonZeroU32::new(86_400).unwrap(), start);
        assert_eq!(pace.take_many(86_401, start), Err(1), "more than a day's is never let through");
        assert_eq!([pace.take_many(86_000, start), pace.take_many(400, start)], [Ok(()), Ok(())]);
        assert_eq!(pace.take_many(3_600, start), Err(3_600));
        assert_eq!(pace.take_many(3_600, start + Duration::from_secs(3_600)), Ok(()));
        assert_eq!(pace.take_many(1, start + Duration::from_secs(3_600)), Err(1));
    }
}
