//! How long a source is left alone after it failed: doubled each time, and a rest once it has failed often enough.

use std::time::Duration;

use linesman_schemas::control::Settings;
use linesman_schemas::outcome::{Failure, FailureClass};

/// The pace of a source. It begins anew with each start.
#[derive(Debug, Clone)]
pub struct Pace {
    base: Duration,
    most: Duration,
    /// So many failures in a row open the circuit.
    failures_most: u32,
    rest: Duration,
    rest_most: Duration,
    failures: u32,
    /// How long the last rest was; zero while the circuit is closed.
    rested: Duration,
}

impl Pace {
    /// The pace of reactions: the same numbers.
    pub fn of(settings: &Settings) -> Self {
        Self {
            base: Duration::from_secs(settings.retry_base_s),
            most: Duration::from_secs(settings.retry_most_s),
            failures_most: settings.circuit_failures,
            rest: Duration::from_secs(settings.circuit_rest_s),
            rest_most: Duration::from_secs(settings.circuit_rest_most_s),
            failures: 0,
            rested: Duration::ZERO,
        }
    }

    /// Whether it has failed so often that it rests.
    pub fn is_resting(&self) -> bool {
        !self.rested.is_zero()
    }

    /// It is well, and goes on after `pause`.
    pub(super) fn well(&mut self, pause: Duration) -> Duration {
        (self.failures, self.rested) = (0, Duration::ZERO);
        pause
    }

    /// It failed; how long to leave it alone, at least what it asks.
    pub(super) fn failed(&mut self, failure: &Failure) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let doubled = 2_u32.checked_pow(self.failures - 1).and_then(|times| self.base.checked_mul(times));
        let mut wait = doubled.map_or(self.most, |wait| wait.min(self.most));
        // What was refused as it is will be refused again: an operator has to mend it first.
        if self.failures >= self.failures_most || failure.class == FailureClass::Refused {
            self.rested = if self.is_resting() { self.rested.saturating_mul(2).min(self.rest_most) } else { self.rest };
            wait = wait.max(self.rested);
        }
        wait.max(Duration::from_secs(failure.retry_after_s.unwrap_or(0).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(class: FailureClass, retry_after_s: Option<u32>) -> Failure {
        Failure { class, message: String::new(), retry_after_s, cause: None }
    }

    #[test]
    fn waits_double_and_then_it_rests_until_it_is_well() {
        let mut pace = Pace::of(&Settings { circuit_failures: 3, ..Settings::default() });
        let sick = failure(FailureClass::Unavailable, None);
        let waits: Vec<u64> = (0..5).map(|_| pace.failed(&sick).as_secs()).collect();
        assert_eq!(waits, [2, 4, 30, 60, 120]);
        assert!(pace.is_resting());
        assert_eq!(pace.well(Duration::from_secs(7)), Duration::from_secs(7));
        assert!(!pace.is_resting());
        assert_eq!(pace.failed(&failure(FailureClass::Overloaded, Some(90))), Duration::from_secs(90));
        assert_eq!(pace.failed(&failure(FailureClass::Refused, None)), Duration::from_secs(30));
    }

    #[test]
    fn the_longest_rest_is_bounded() {
        let mut pace = Pace::of(&Settings::default());
        let sick = failure(FailureClass::Unavailable, None);
        assert_eq!((0..100).map(|_| pace.failed(&sick)).max(), Some(Duration::from_secs(600)));
    }
}
