//! How often an end customer may ask: so many requests a second, and a few more after a pause.

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The pace of one end customer. Every request moves the moment up to which its share is used by one interval; it may
/// lie ahead by as much as a burst has.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    ahead: Duration,
    used_until: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new(requests_per_second: NonZeroU32, burst: NonZeroU32, now: Instant) -> Self {
        let interval = Duration::from_secs(1) / requests_per_second.get();
        Self { interval, ahead: interval.saturating_mul(burst.get() - 1), used_until: Mutex::new(now) }
    }

    /// Lets a request through.
    ///
    /// # Errors
    /// It comes too soon: in how many whole seconds, at least 1, the next one does not.
    pub(super) fn take(&self, now: Instant) -> Result<(), u64> {
        let mut used_until = self.used_until();
        let from = (*used_until).max(now);
        let wait = from.duration_since(now).saturating_sub(self.ahead);
        if !wait.is_zero() {
            // None of them too early.
            return Err(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)));
        }
        *used_until = from + self.interval;
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
}
