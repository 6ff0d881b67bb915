//! When to speak of the end of the other side's certificate: from a month before, once a day.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// How long before its end it is spoken of.
const AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long it is then not spoken of again.
const PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// When it was spoken of last.
#[derive(Debug, Default)]
pub(super) struct Expiry(Mutex<Option<Timestamp>>);

impl Expiry {
    /// Whether to speak of a certificate that ends then; if so, it counts as spoken of.
    pub(super) fn is_due(&self, ends: Timestamp, now: Timestamp) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_near = ends.duration_since(now) < AHEAD;
        let is_due = is_near && last.is_none_or(|last| now.duration_since(last) >= PAUSE);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_spoken_of_a_month_before_and_once_a_day() {
        let expiry = Expiry::default();
        let ends: Timestamp = "2026-03-31T00:00:00Z".parse().unwrap();
        let spoken: Vec<bool> = [
            "2026-02-28T23:59:59Z",
            "2026-03-01T00:00:01Z",
            "2026-03-01T23:00:00Z",
            "2026-03-02T00:00:01Z",
            "2026-04-01T00:00:00Z",
        ]
        .into_iter()
        .map(|now| expiry.is_due(ends, now.parse().unwrap()))
        .collect();
        assert_eq!(spoken, [false, true, false, true, true]);
    }
}
