//! Which lanes are behind their log, and whether a core is free to help them.
//!
//! A lane decides alone. As long as fewer lanes are behind than there are executor threads, one of these
//! idles, and a lane's batches can be read beside it; otherwise that would cost more than it gains.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::runtime::Handle;

/// How many lanes are behind, of all threads.
#[derive(Clone)]
pub(super) struct Load {
    lanes: Arc<AtomicU32>,
    threads: u32,
    runtime: Handle,
}

impl Load {
    /// No lane is behind yet. `runtime` is where one is helped.
    pub(super) fn new(runtime: Handle, threads: u32) -> Self {
        Self { lanes: Arc::default(), threads, runtime }
    }
}

/// Whether one lane is.
pub(super) struct Behind {
    load: Load,
    is_behind: bool,
}

impl Behind {
    pub(super) fn new(load: Load) -> Self {
        Self { load, is_behind: false }
    }

    /// Notes whether the lane is behind.
    pub(super) fn set(&mut self, is_behind: bool) {
        // Relaxed: a guess that is late costs time, nothing else.
        match (self.is_behind, is_behind) {
            (false, true) => self.load.lanes.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.load.lanes.fetch_sub(1, Ordering::Relaxed),
            _ => return,
        };
        self.is_behind = is_behind;
    }

    /// Where the lane is helped; none while every thread has a lane to carry.
    pub(super) fn spare(&self) -> Option<&Handle> {
        let is_spare = self.is_behind && self.load.lanes.load(Ordering::Relaxed) < self.load.threads;
        is_spare.then_some(&self.load.runtime)
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        self.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lane_is_helped_as_long_as_a_thread_has_none_to_carry() {
        let load = Load::new(Handle::current(), 2);
        let mut lanes: Vec<_> = (0..2).map(|_| Behind::new(load.clone())).collect();
        assert!(lanes[0].spare().is_none(), "it keeps up");
        lanes[0].set(true);
        lanes[0].set(true);
        assert!(lanes[0].spare().is_some());
        lanes[1].set(true);
        assert!(lanes[0].spare().is_none() && lanes[1].spare().is_none());
        drop(lanes.pop());
        assert!(lanes[0].spare().is_some(), "a lane that ended is not behind");
    }
}
