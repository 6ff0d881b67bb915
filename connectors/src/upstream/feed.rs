//! How often an upstream is asked for intelligence messages, and how many requests that may make.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A time, give or take a tenth: many controllers that were started at once do not ask at once for ever.
pub(crate) fn about(time: Duration) -> Duration {
    // Whatever it hashes, the keys of a state are new.
    let share = u32::try_from(RandomState::new().hash_one(()) % 200).unwrap_or_default();
    time * 9 / 10 + time * share / 1000
}

/// What a feed may ask of an hour's requests.
#[derive(Debug)]
pub(crate) struct Share {
    apart: Duration,
    burst: Duration,
    used_until: Mutex<Instant>,
}

impl Share {
    /// The requests an hour that a feed has, of so many: a tenth, at least one.
    pub(crate) const fn of(requests_per_hour: u32) -> u32 {
        if requests_per_hour < 20 { 1 } else { requests_per_hour / 10 }
    }

    /// So many requests an hour, at least one; half of them at once, and two at the least: a token and a page.
    pub(crate) fn new(requests_per_hour: u32, now: Instant) -> Self {
        let most = requests_per_hour.max(1);
        let apart = Duration::from_secs(3600) / most;
        Self { apart, burst: apart * (most / 2).max(2), used_until: Mutex::new(now) }
    }

    /// How long it is until a request may be made.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        let until = *self.used_until.lock().unwrap_or_else(PoisonError::into_inner);
        (until + self.apart).saturating_duration_since(now + self.burst)
    }

    /// So many were made.
    pub(crate) fn made(&self, requests: u32, now: Instant) {
        let mut until = self.used_until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = (*until).max(now) + self.apart * requests;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_has_a_tenth_of_the_hour_and_half_of_that_at_once() {
        assert_eq!([1, 19, 20, 300, 1_000_000].map(Share::of), [1, 1, 2, 30, 100_000]);
        let now = Instant::now();
        let share = Share::new(30, now);
        for _ in 0..15 {
            assert_eq!(share.wait(now), Duration::ZERO);
            share.made(1, now);
        }
        assert_eq!(share.wait(now), Duration::from_secs(120));
        assert_eq!(share.wait(now + Duration::from_secs(120)), Duration::ZERO);
        // A token that was renewed, and a page.
        let one = Share::new(1, now);
        one.made(2, now);
        assert_eq!(one.wait(now), Duration::from_secs(3600));
    }

    #[test]
    fn it_is_asked_about_as_often_as_is_said() {
        let times: Vec<_> = (0..100).map(|_| about(Duration::from_secs(3600))).collect();
        let (least, most) = (Duration::from_secs(3240), Duration::from_secs(3960));
        assert!(times.iter().all(|time| (least..=most).contains(time)), "{times:?}");
        assert!(times.iter().any(|time| *time != times[0]), "{times:?}");
        assert_eq!(about(Duration::ZERO), Duration::ZERO);
    }
}
