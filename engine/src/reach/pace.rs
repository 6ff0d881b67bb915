//! When a device is looked at next: on its own schedule, soon where there is more to be seen, later where it fails.

use std::time::Duration;

use super::visit::Look;

/// The longest time between two tries at a device that fails.
const REST_MOST: Duration = Duration::from_secs(600);
/// How soon a file is looked at again that was not seen before.
pub(super) const AGAIN: Duration = Duration::from_secs(1);

/// How often it was looked at a device soon, or in vain.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// How many tries in a row failed.
    failures: u32,
    /// How many looks in a row found something new.
    soon: u32,
    /// Whether the last look was followed by one as soon as its schedule says, and no sooner.
    is_on_schedule: bool,
}

impl Pace {
    /// Somebody asks for a look: what is new is looked at soon again.
    pub(super) fn asked(&mut self) {
        self.soon = 0;
    }

    /// How long to wait after a look that has come to something, whether all of it was well or not.
    ///
    /// What is new is looked at again soon. Where there is always something, the time doubles up to the schedule, and stays
    /// there for as long as a file grows; where it is other files each time it begins anew there.
    pub(super) fn after(&mut self, look: &Look, poll: Duration) -> Duration {
        self.failures = 0;
        if look.goes_on {
            return AGAIN.min(poll);
        }
        if !look.has_new {
            *self = Self { is_on_schedule: true, ..Self::default() };
            return poll;
        }
        if self.is_on_schedule && !look.has_grown {
            self.soon = 0;
        }
        let wait = AGAIN.saturating_mul(2_u32.saturating_pow(self.soon)).min(poll);
        self.is_on_schedule = wait == poll;
        self.soon = self.soon.saturating_add(1);
        wait
    }

    /// How long to wait after a look that failed.
    pub(super) fn after_failure(&mut self, poll: Duration) -> Duration {
        self.failures = self.failures.saturating_add(1);
        rest(poll, self.failures)
    }
}

/// How long a device is left alone that has failed so often in a row.
fn rest(poll: Duration, failures: u32) -> Duration {
    poll.saturating_mul(2_u32.saturating_pow(failures.min(10))).min(REST_MOST.max(poll))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Duration = Duration::from_secs(30);

    fn waits(pace: &mut Pace, looks: impl IntoIterator<Item = Look>) -> Vec<u64> {
        looks.into_iter().map(|look| pace.after(&look, POLL).as_secs()).collect()
    }

    fn nothing() -> Look {
        Look::default()
    }

    fn new() -> Look {
        Look { has_new: true, ..Look::default() }
    }

    fn grown() -> Look {
        Look { has_new: true, has_grown: true, ..Look::default() }
    }

    #[test]
    fn what_is_new_is_looked_at_soon_again_and_then_the_schedule_goes_on() {
        let mut pace = Pace::default();
        assert_eq!(waits(&mut pace, [nothing(), new(), nothing(), new(), nothing()]), [30, 1, 30, 1, 30]);
        // One look that was not enough is followed by another, and that is no news.
        let more = || Look { goes_on: true, has_new: true, ..Look::default() };
        assert_eq!(waits(&mut pace, [more(), more(), more(), nothing()]), [1, 1, 1, 30]);
    }

    #[test]
    fn a_file_that_grows_is_looked_at_on_schedule_however_long_that_goes_on() {
        let mut pace = Pace::default();
        let looks = [nothing(), new()].into_iter().chain((0..8).map(|_| grown()));
        assert_eq!(waits(&mut pace, looks), [30, 1, 2, 4, 8, 16, 30, 30, 30, 30]);
        assert_eq!(waits(&mut pace, [nothing(), new(), nothing()]), [30, 1, 30]);
        pace.after(&grown(), POLL);
        pace.asked();
        assert_eq!(waits(&mut pace, [grown(), grown()]), [1, 2]);
    }

    #[test]
    fn other_files_each_time_are_no_reason_to_look_all_the_time() {
        let waits = waits(&mut Pace::default(), (0..14).map(|_| new()));
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 1, 2, 4, 8, 16, 30, 1, 2]);
    }

    #[test]
    fn a_device_that_fails_is_left_alone_longer_and_longer_and_never_for_good() {
        let seconds = |poll: u64, failures: u32| rest(Duration::from_secs(poll), failures).as_secs();
        let rests = [1, 2, 3, 4, 5, 100, u32::MAX].map(|failures| seconds(30, failures));
        assert_eq!(rests, [60, 120, 240, 480, 600, 600, 600]);
        // One that is looked at less often than that is not looked at more often for failing.
        assert_eq!([1, 9].map(|failures| seconds(3_600, failures)), [3_600, 3_600]);
        let mut pace = Pace::default();
        assert_eq!([0; 2].map(|_| pace.after_failure(POLL).as_secs()), [60, 120]);
        pace.after(&nothing(), POLL);
        assert_eq!(pace.after_failure(POLL).as_secs(), 60);
    }
}
