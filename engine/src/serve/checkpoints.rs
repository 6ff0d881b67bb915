//! Checkpoints of the audit: signed and kept, each log's when it has grown since the last.
//!
//! What was kept is a row of the log's lane, so another engine, or this one after a restart, goes on from there. An hour
//! is no longer for restarts: at the start it counts from the first record that no checkpoint has.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use linesman_domain::audit::{self as logs, Log, Owner};
use linesman_schemas::command::{Audit, CheckpointKept, Command, Verb};
use linesman_schemas::control::Control;
use linesman_schemas::{CommandId, Principal};
use tokio::time::sleep;

use super::Error;
use super::setup::Setup;
use crate::audit::{Auditor, Checkpoint};
use crate::data_dir::private::random_hex;
use crate::logging::full;
use crate::store::{Lane, Store};

/// Keeps checkpoints.
pub(super) struct Checkpoints {
    pub(super) setup: Arc<Setup>,
    pub(super) auditor: Arc<Auditor>,
    pub(super) every: Duration,
}

/// A log that has grown: its lane, whose it is, and how far.
type Grown = (u32, Owner, Checkpoint);

impl Checkpoints {
    /// Keeps them, for ever.
    pub(super) async fn run(self) {
        let mut wait = self.left().await;
        loop {
            sleep(wait).await;
            if let Err(error) = self.keep().await {
                tracing::warn!(error = full(&error), "checkpoints of the audit are not kept; they are next time");
            }
            wait = self.every;
        }
    }

    /// How long it is until the first record is due that no checkpoint has.
    async fn left(&self) -> Duration {
        let (store, lanes) = (Arc::clone(&self.setup.store), self.setup.lanes);
        let oldest = tokio::task::spawn_blocking(move || oldest(&store, lanes)).await;
        match oldest.map_err(|error| Error::Broken(std::io::Error::other(error))).flatten() {
            Ok(oldest) => oldest.map_or(self.every, |oldest| left(self.every, oldest, Timestamp::now())),
            // Whatever is wrong with the store, others tell.
            Err(_) => self.every,
        }
    }

    async fn keep(&self) -> Result<(), Error> {
        let (store, auditor, lanes) = (Arc::clone(&self.setup.store), Arc::clone(&self.auditor), self.setup.lanes);
        let grown = tokio::task::spawn_blocking(move || grown(&store, &auditor, lanes));
        for (lane, owner, checkpoint) in grown.await.map_err(|error| Error::Broken(std::io::Error::other(error)))?? {
            let note = checkpoint.sign(&self.auditor.signer);
            let kept = CheckpointKept { size: checkpoint.size, root: checkpoint.root.to_string(), note };
            self.send(lane, &owner, Verb::Audit(Audit::Keep(kept))).await?;
            metrics::counter!("linesman_audit_checkpoints_total").increment(1);
        }
        Ok(())
    }

    async fn send(&self, lane: u32, owner: &Owner, verb: Verb) -> Result<(), Error> {
        let id = format!("audit-{}", random_hex::<16>().map_err(Error::Random)?);
        let id: CommandId = id.parse().map_err(Error::CommandId)?;
        let subject = verb.subject(owner.organization());
        let command = Command { id, principal: Principal::Machine, node: self.setup.node.to_string(), verb };
        let sent = match owner {
            Owner::Organization(_) => self.setup.publish(subject, &command).await,
            // Each lane has a log of the provider's.
            Owner::Provider(_) => {
                self.setup.publish(format!("p.{lane}.ctl"), &Control::Command(Box::new(command))).await
            }
        };
        sent.map(drop)
    }
}

/// The logs that have grown since their last checkpoint.
fn grown(store: &Store, auditor: &Auditor, lanes: u32) -> Result<Vec<Grown>, Error> {
    let mut grown = Vec::new();
    for lane in 0..lanes {
        let rows = store.lane(lane)?;
        for log in logs::all(&rows) {
            let (owner, head) = log?;
            if head.size() > kept(&rows, &owner)? {
                let checkpoint = auditor.checkpoint(&owner, &Log::open(&rows, &owner)?)?;
                grown.push((lane, owner, checkpoint));
            }
        }
    }
    Ok(grown)
}

/// When the first record was decided that no checkpoint has; long ago where its body has gone, none where all have.
fn oldest(store: &Store, lanes: u32) -> Result<Option<Timestamp>, Error> {
    let mut oldest: Option<Timestamp> = None;
    for lane in 0..lanes {
        let rows = store.lane(lane)?;
        for log in logs::all(&rows) {
            let (owner, head) = log?;
            let first = kept(&rows, &owner)?;
            if head.size() > first {
                let record = Log::open(&rows, &owner)?.record(first)?;
                let time = record.map_or(Timestamp::UNIX_EPOCH, |(record, _)| record.time);
                oldest = Some(oldest.map_or(time, |oldest| oldest.min(time)));
            }
        }
    }
    Ok(oldest)
}

/// The size of the last checkpoint of a log that was kept; 0 where there is none.
fn kept(rows: &Lane, owner: &Owner) -> Result<u64, Error> {
    let last = rows.rows_back(&logs::kept_within(owner), None).next().transpose()?;
    Ok(last.and_then(|(key, _)| logs::kept_size(&key)).unwrap_or_default())
}

/// How long it is until what was decided at `oldest` has waited for `every`.
fn left(every: Duration, oldest: Timestamp, now: Timestamp) -> Duration {
    // What was decided later than now has waited for nothing.
    every.saturating_sub(Duration::try_from(now.duration_since(oldest)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_before_a_restart_counts() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let hour = Duration::from_secs(3_600);
        for (now, expected) in [(0, 3_600), (1_500, 2_100), (3_600, 0), (90_000, 0), (-60, 3_600)] {
            assert_eq!(left(hour, at(0), at(now)), Duration::from_secs(expected), "{now}");
        }
        assert_eq!(left(hour, Timestamp::UNIX_EPOCH, at(0)), Duration::ZERO);
    }
}
