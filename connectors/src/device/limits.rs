//! How long, and how much: the limits of one operation at a device, and the clock that holds them.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// What one operation at a device may cost at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long nothing may come or go.
    pub idle: Duration,
    /// How long the operation may take in all.
    pub total: Duration,
    /// How many bytes may come.
    pub bytes: u64,
}

impl Default for Limits {
    /// For what is asked while others wait: 30 s of silence, 5 minutes, 64 MiB.
    fn default() -> Self {
        Self { idle: Duration::from_secs(30), total: Duration::from_secs(300), bytes: 64 * 1024 * 1024 }
    }
}

/// A limit of time that ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimedOut {
    /// Nothing came or went.
    #[error("nothing came for {0:?}")]
    Idle(Duration),
    /// It took too long in all.
    #[error("it takes longer than {0:?}")]
    Total(Duration),
}

/// The clock of an operation that has begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    limits: Limits,
    end: Instant,
}

impl Clock {
    pub(super) fn start(limits: Limits) -> Self {
        let begun = Instant::now();
        // A total without end is a century.
        let end = begun.checked_add(limits.total).unwrap_or_else(|| begun + Duration::from_secs(3_155_760_000));
        Self { limits, end }
    }

    /// Waits for one step.
    pub(super) async fn wait<T>(&self, step: impl Future<Output = T>) -> Result<T, TimedOut> {
        let idle = Instant::now().checked_add(self.limits.idle).unwrap_or(self.end);
        let is_idle = idle < self.end;
        timeout_at(idle.min(self.end), step).await.map_err(|_| match is_idle {
            true => TimedOut::Idle(self.limits.idle),
            false => TimedOut::Total(self.limits.total),
        })
    }
}
