//! No more requests a second than the partner bears.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When the next request may be made: requests are even apart, none is saved up for later.
#[derive(Debug)]
pub(super) struct Pace {
    apart: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// So many requests a second, at least one.
    pub(super) fn new(requests_per_second: u32) -> Self {
        Self { apart: Duration::from_secs(1) / requests_per_second.max(1), next: Mutex::new(None) }
    }

    /// Takes the next free place at or after `now`; where that is more than `patience` away takes none, and says how far
    /// it is.
    pub(super) fn take(&self, now: Instant, patience: Duration) -> Result<Instant, Duration> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let place = next.map_or(now, |next| next.max(now));
        let away = place.duration_since(now);
        if away > patience {
            return Err(away);
        }
        *next = Some(place + self.apart);
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_even_apart_and_none_is_saved_up() {
        let (pace, begin) = (Pace::new(10), Instant::now());
        let patience = Duration::from_millis(250);
        let at = |ms| begin + Duration::from_millis(ms);
        let taken: Vec<_> = (0..4).map(|_| pace.take(begin, patience)).collect();
        assert_eq!(taken, [Ok(at(0)), Ok(at(100)), Ok(at(200)), Err(Duration::from_millis(300))]);
        assert_eq!(pace.take(at(60), patience), Ok(at(300)));
        assert_eq!([pace.take(at(5000), patience), pace.take(at(5000), patience)], [Ok(at(5000)), Ok(at(5100))]);
    }
}
