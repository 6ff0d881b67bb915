//! Bundles on their way into the log: that it has them is waited for once for several.
//!
//! INVARIANT (known as brought once it is): until the log has acknowledged a bundle, the journal has it as meant, and its file
//! stays. What is broken off here is looked for in the log when the file is taken again.

use std::sync::atomic::Ordering;

use async_nats::jetstream::context::{PublishAckFuture, PublishError};
use async_nats::jetstream::publish::PublishAck;
use futures_util::future::join_all;
use linesman_connectors::device::files::File;
use linesman_domain::reached::ReachedRow;
use linesman_schemas::device::{DeviceState, JmbErrorEnd};

use super::ahead::{BYTES_MOST, FILES_MOST};
use super::fetch::Brought;
use super::journal::{Found, Progress};
use super::take::unwritten;
use super::visit::{Look, id_of};
use super::way::Trouble;
use super::worker::Worker;
use crate::log::inputs;
use crate::logging::full;

/// A file that is a bundle, and what is to be said of it once the log has it.
pub(super) struct Named {
    pub(super) file: File,
    pub(super) found: Found,
    pub(super) brought: Brought,
}

/// A bundle that was published.
pub(super) struct Sent {
    named: Named,
    ack: PublishAckFuture,
    /// Whether its file is set aside so far.
    pub(super) was_aside: bool,
}

impl Worker {
    /// Publishes a bundle. It may be in the log where this fails.
    pub(super) async fn send(&mut self, named: Named, bytes: Vec<u8>) -> Result<Sent, Trouble> {
        let behind = self.hands.behind().await.map_err(|error| unavailable(full(&error)))?;
        let meant = self.hands.journal.put(&named.found, Progress::Meant { sha256: None, behind });
        meant.map_err(|error| unwritten(&error))?;
        fail::fail_point!("reach::before-publish");
        let subject = format!("in.{}.jmb.device", self.device.org);
        let sent = inputs::send(&self.hands.log, subject, bytes).await;
        let ack = sent.map_err(|error| unavailable(full(&error)))?;
        Ok(Sent { named, ack, was_aside: false })
    }

    /// Keeps a bundle until the log has it. Where too many are on their way, those before it are waited for.
    pub(super) async fn is_sent(&mut self, row: &ReachedRow, sent: Sent, look: &mut Look) -> Result<(), Trouble> {
        let bytes = self.ahead.sent.iter().chain([&sent]).map(|sent| sent.named.file.size).sum::<u64>();
        let arrived = match bytes > BYTES_MOST || self.ahead.sent.len() >= FILES_MOST {
            true => self.arrive(row, look).await,
            false => Ok(()),
        };
        self.ahead.sent.push(sent);
        arrived
    }

    /// Waits for the log to have what is on its way. What it does not take stays meant, and on its device; the first of that is
    /// told.
    pub(super) async fn arrive(&mut self, row: &ReachedRow, look: &mut Look) -> Result<(), Trouble> {
        let sent = std::mem::take(&mut self.ahead.sent);
        let arriving = sent.into_iter().map(async |Sent { named, ack, was_aside }| (named, was_aside, ack.await));
        let mut first = Ok(());
        for arrived in join_all(arriving).await {
            let arrived = self.arrives(row, arrived, look).await;
            first = first.and(arrived);
        }
        first
    }

    async fn arrives(
        &mut self,
        row: &ReachedRow,
        (named, was_aside, ack): (Named, bool, Result<PublishAck, PublishError>),
        look: &mut Look,
    ) -> Result<(), Trouble> {
        let (id, size) = (id_of(&named.file), named.file.size);
        let ack = ack.map_err(|error| unavailable(full(&error)))?;
        self.hands.behind.fetch_max(ack.sequence, Ordering::Relaxed);
        metrics::counter!("linesman_device_bundles_total").increment(1);
        metrics::counter!("linesman_device_bundle_bytes_total").increment(size);
        fail::fail_point!("reach::before-brought");
        self.known_as_brought(&named).await?;
        self.is_brought(was_aside.then_some(&*id), look).await;
        self.goes(row, &named.file, &named.found).await
    }

    /// Counts a bundle that the log has; one that was set aside is so no more.
    pub(super) async fn is_brought(&self, aside: Option<&str>, look: &mut Look) {
        look.taken += 1;
        if let Some(id) = aside {
            self.settled(id, JmbErrorEnd::Collected).await;
        }
    }
}

fn unavailable(error: String) -> Trouble {
    Trouble::new(DeviceState::LogUnavailable, error)
}
