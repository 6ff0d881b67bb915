//! What time it is in the log: rows are timed by their lane's clock, and so is what is looked at here.
//!
//! ```text
//! a lane's time = its clock, as the log has moved it on last + what has passed since by the machine's steady clock
//! ```
//!
//! The machine's own time of day is asked for nothing: whether it is an hour ahead of the log's or behind it, the same
//! rows are due at the same moments.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::lane::status::LaneStatus;

/// The longest that anything is said to be ahead: whoever waits for it looks again sooner.
const FAR: Duration = Duration::from_secs(24 * 60 * 60);

/// The steady clock: it goes on at its pace, whatever the time of day is set to.
#[derive(Clone)]
pub struct Steady(Arc<dyn Fn() -> Instant + Send + Sync>);

impl Default for Steady {
    /// The machine's.
    fn default() -> Self {
        Self(Arc::new(Instant::now))
    }
}

impl Steady {
    #[cfg(test)]
    pub(super) fn of(clock: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        Self(Arc::new(clock))
    }

    pub(super) fn now(&self) -> Instant {
        (self.0)()
    }
}

/// A moment by the steady clock, and what time it is then in each lane.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    pub(super) at: Instant,
    lanes: Vec<Timestamp>,
}

impl Moment {
    pub(super) fn of(at: Instant, statuses: &[watch::Receiver<LaneStatus>]) -> Self {
        let in_lane = |status: &watch::Receiver<LaneStatus>| {
            let status = status.borrow();
            later(status.now, at.saturating_duration_since(status.moved))
        };
        Self { at, lanes: statuses.iter().map(in_lane).collect() }
    }

    /// What time it is in each of so many lanes.
    #[cfg(test)]
    pub(super) fn at_all(at: Instant, lanes: usize, time: Timestamp) -> Self {
        Self { at, lanes: vec![time; lanes] }
    }

    /// What time it is in a lane.
    pub(super) fn in_lane(&self, lane: u32) -> Timestamp {
        self.lanes.get(lane as usize).copied().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// When it will be so late in a lane; what is far ahead is less far.
    pub(super) fn when(&self, lane: u32, time: Timestamp) -> Instant {
        self.in_while(between(self.in_lane(lane), time))
    }

    /// A while from then on; what is far ahead is less far.
    pub(super) fn in_while(&self, wait: Duration) -> Instant {
        self.at + wait.min(FAR)
    }
}

/// How long it is from one time to a later one; nothing to an earlier one.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// So much later.
pub(super) fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}
