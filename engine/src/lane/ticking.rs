//! When a lane sends itself a tick: something is due by the log's clock, and no input has come to say so.
//!
//! What has passed since the clock moved on last is taken from the steady clock. The machine's time of day and the server's
//! need not agree.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The least time between two ticks.
const EVERY: Duration = Duration::from_secs(1);
/// The most where ticks do not move the clock on: it stands until the server's has come to where it was.
const EVERY_MOST: Duration = Duration::from_secs(60);
/// How far behind the machine's time of day the log's clock is taken for one that nobody has moved on.
const STALE: Duration = Duration::from_secs(60);
/// How often the lane is told what the clocks say while its time is not the server's.
const READ_EVERY: Duration = Duration::from_secs(60);

/// A lane's clock, and its ticks.
pub(super) struct Ticking {
    now: Timestamp,
    moved: Instant,
    last: Option<Instant>,
    every: Duration,
    /// When the lane was told last what the clocks say, since its time is not the server's.
    read: Option<Instant>,
}

impl Ticking {
    /// Of a clock that stands at `now`, as the log has it. `today` is the machine's time of day: where that is later, the
    /// log may not have been moved on while nobody decided it, and a tick tells.
    pub(super) fn new(now: Timestamp, today: Timestamp, at: Instant) -> (Self, bool) {
        let is_stale = wait(now, today) > STALE;
        (Self { now, moved: at, last: None, every: EVERY, read: None }, is_stale)
    }

    /// The clock is at `now`.
    pub(super) fn heard(&mut self, now: Timestamp, at: Instant) {
        if now != self.now {
            (self.now, self.moved, self.every) = (now, at, EVERY);
        }
    }

    /// What time it is in the lane, by the steady clock.
    pub(super) fn lane_time(&self, at: Instant) -> Timestamp {
        self.now.checked_add(at.saturating_duration_since(self.moved)).unwrap_or(Timestamp::MAX)
    }

    /// How long from `at` until the lane is to be told again what the clocks say, while its time is not the server's.
    pub(super) fn read_in(&mut self, is_doubted: bool, at: Instant) -> Option<Duration> {
        if !is_doubted {
            self.read = None;
            return None;
        }
        Some(self.read.map_or(Duration::ZERO, |read| READ_EVERY.saturating_sub(at.saturating_duration_since(read))))
    }

    /// The lane is told what the clocks say.
    pub(super) fn read(&mut self, at: Instant) {
        self.read = Some(at);
    }

    /// How long from `at` until a tick is worth sending for what is due.
    pub(super) fn due_in(&self, due: Timestamp, at: Instant) -> Duration {
        let due = wait(self.now, due).saturating_sub(at.saturating_duration_since(self.moved));
        let rested = self.last.map_or(self.every, |last| at.saturating_duration_since(last));
        due.max(self.every.saturating_sub(rested))
    }

    /// A tick is sent.
    pub(super) fn sent(&mut self, at: Instant) {
        if self.last.is_some_and(|last| last >= self.moved) {
            self.every = (self.every * 2).min(EVERY_MOST);
        }
        self.last = Some(at);
    }
}

/// How long it is from one time to a later one; nothing to an earlier one.
fn wait(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_is_due_is_ticked_for_whatever_the_machine_says_of_the_day() {
        let began = Instant::now();
        for skew in [-3_600, 0, 30] {
            let (mut ticking, is_stale) = Ticking::new(at(10_000), at(10_000 + skew), began);
            assert!(!is_stale, "{skew}");
            assert_eq!(ticking.due_in(at(10_030), began), seconds(30));
            assert_eq!(ticking.due_in(at(10_030), began + seconds(20)), seconds(10));
            ticking.heard(at(10_025), began + seconds(26));
            assert_eq!(ticking.due_in(at(10_030), began + seconds(27)), seconds(4));
            assert_eq!(ticking.due_in(at(10_030), began + seconds(31)), Duration::ZERO);
        }
        // An hour in which nobody decided the log; or a time of day that is an hour ahead, which a tick shows.
        assert!(Ticking::new(at(10_000), at(13_600), began).1);
    }

    #[test]
    fn ticks_that_move_nothing_become_rare() {
        let began = Instant::now();
        let (mut ticking, _) = Ticking::new(at(0), at(0), began);
        let (mut now, mut sent) = (began, 0);
        // The clock was three hours ahead, and stands.
        while now < began + seconds(3 * 3_600) {
            now += ticking.due_in(at(5), now);
            ticking.sent(now);
            sent += 1;
        }
        assert!((180..200).contains(&sent), "{sent}");
        ticking.heard(at(4), now);
        assert_eq!(ticking.due_in(at(5), now + seconds(1)), Duration::ZERO);
    }
    #[test]
    fn what_clocks_say_is_told_at_once_and_then_each_minute_while_they_are_apart() {
        let began = Instant::now();
        let (mut ticking, _) = Ticking::new(at(10), at(10), began);
        assert_eq!(ticking.lane_time(began + seconds(5)), at(15));
        assert_eq!(ticking.read_in(false, began), None);
        assert_eq!(ticking.read_in(true, began), Some(Duration::ZERO));
        ticking.read(began);
        assert_eq!(ticking.read_in(true, began + seconds(20)), Some(seconds(40)));
        assert_eq!(ticking.read_in(false, began + seconds(30)), None);
        assert_eq!(ticking.read_in(true, began + seconds(31)), Some(Duration::ZERO), "apart again");
    }
}
