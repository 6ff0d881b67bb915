//! How fast the streams are read: so many bytes a second, and a quarter of it while lanes have much to do.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::lane::status::LaneStatus;

/// The least, in bytes a second: the server keeps who reads in mind for some minutes only.
const LEAST: u64 = 64 * 1024;
/// By how much it is slower while lanes have much to do.
const SHARE: u32 = 4;
/// So many inputs a second are much, of all lanes together.
const MUCH: u64 = 500;

/// The pace of a round.
pub(super) struct Pace<'a> {
    bytes_per_s: u64,
    lanes: &'a [watch::Receiver<LaneStatus>],
    /// When the next bytes may be read.
    next: Instant,
    /// How many inputs the lanes had decided, and when that was looked up.
    decided: (u64, Instant),
}

impl<'a> Pace<'a> {
    /// So many bytes a second, a quarter of it while the lanes have much to do.
    pub(super) fn new(bytes_per_s: u64, lanes: &'a [watch::Receiver<LaneStatus>]) -> Self {
        let now = Instant::now();
        Self { bytes_per_s: bytes_per_s.max(LEAST), lanes, next: now, decided: (decided(lanes), now) }
    }

    /// Waits for as long as bytes that were read are to take.
    pub(super) async fn spent(&mut self, bytes: u64) {
        let now = Instant::now();
        let (before, since) = std::mem::replace(&mut self.decided, (decided(self.lanes), now));
        let is_much = is_much(self.decided.0.saturating_sub(before), now - since);
        let is_busy = is_much || self.lanes.iter().any(|lane| lane.borrow().is_behind);
        self.next = self.next.max(now) + self.takes(bytes, is_busy);
        tokio::task::yield_now().await;
        tokio::time::sleep_until(self.next).await;
    }

    fn takes(&self, bytes: u64, is_busy: bool) -> Duration {
        let at_once = Duration::from_secs_f64(bytes as f64 / self.bytes_per_s as f64);
        if is_busy { at_once * SHARE } else { at_once }
    }
}

/// How many inputs lanes have decided since the engine started.
fn decided(lanes: &[watch::Receiver<LaneStatus>]) -> u64 {
    lanes.iter().map(|lane| lane.borrow().decided).sum()
}

/// Whether it is much to decide so many inputs in a time.
fn is_much(inputs: u64, time: Duration) -> bool {
    inputs as f64 > MUCH as f64 * time.as_secs_f64().max(0.001)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_with_much_to_do_have_the_disk() {
        let pace = Pace::new(1 << 20, &[]);
        assert_eq!(pace.takes(1 << 20, false), Duration::from_secs(1));
        assert_eq!(pace.takes(1 << 20, true), Duration::from_secs(4));
        assert!(is_much(600, Duration::from_secs(1)) && !is_much(600, Duration::from_secs(2)));
        assert_eq!(Pace::new(1, &[]).takes(LEAST, false), Duration::from_secs(1));
    }
}
