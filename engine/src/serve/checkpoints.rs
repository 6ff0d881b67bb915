//! Checkpoints of the audit: signed and kept, each log's when it has grown since the last.
//!
//! What was kept is a row of the log's lane, so another engine, or this one after a restart, goes on from there.

use std::sync::Arc;
use std::time::Duration;

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
use crate::store::Store;

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
        loop {
            sleep(self.every).await;
            if let Err(error) = self.keep().await {
                tracing::warn!(error = full(&error), "checkpoints of the audit are not kept; they are next time");
            }
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
            let last = rows.rows_back(&logs::kept_within(&owner), None).next().transpose()?;
            let kept = last.and_then(|(key, _)| logs::kept_size(&key)).unwrap_or_default();
            if head.size() > kept {
                let checkpoint = auditor.checkpoint(&owner, &Log::open(&rows, &owner)?)?;
                grown.push((lane, owner, checkpoint));
            }
        }
    }
    Ok(grown)
}
