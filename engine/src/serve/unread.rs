//! Sets aside what IN has acknowledged and no lane reads.
//!
//! NATS lets `in.acme.jmb.*` be published as it stands. It matches what IN takes in, but the server transforms no subject
//! that has a wildcard in it: the message is stored as it came, beside all lanes. So is one to a lane that there is not
//! (`log::strays`). It becomes a dead letter of nobody's.
//!
//! What was set aside stands in OUT alone: each batch of dead letters ends with a mark of its own, as those of lanes do, so
//! that each message is set aside once, whenever this is killed.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use linesman_domain::level;
use linesman_domain::outgoing::{Outgoing, Topic};
use linesman_schemas::dead_letter::{DeadLetter, INLINE_MOST, Reason};
use linesman_schemas::mark::Mark;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::Error;
use crate::lane::status::Unread;
use crate::log::mark::{self, Committer};
use crate::log::outbox::{Batch, EmitError, Outbox};
use crate::log::reader::{Bounds, InMessage, Reader, UNTRANSFORMED};
use crate::log::strays::{Strays, Waiting};
use crate::log::streams;
use crate::log::trouble::Troubles;
use crate::logging::full;

/// How much is set aside at once.
const BOUNDS: Bounds = Bounds { messages: 100, bytes: 1 << 20 };
/// How many bytes a message of dead letters has at most where a single one allows it.
const PAYLOAD_MOST: usize = 512 * 1024;
/// How long to wait after a fault of the way.
const RETRY: Duration = Duration::from_secs(1);
/// How often the mark is written again while nothing comes.
pub(super) const PROBE_EVERY: Duration = Duration::from_secs(3);
const UNTOLD: &str = "there is no such lane, and nobody reads it; what is below `p.` is for the engine alone";
const DETAIL: &str =
    "the subject has a wildcard or an empty part where a name belongs; publish on `in.<organization>.<kind>.<source>`";

/// Who sets aside what no lane reads.
pub(super) struct Sweep {
    client: Client,
    lanes: u32,
    /// Who we are in the marks.
    owner: Arc<str>,
    status: watch::Sender<Unread>,
    troubles: Troubles,
}

/// Where it stands.
struct Place {
    reader: Reader,
    /// What was read and is not set aside yet.
    waiting: Waiting,
    mark: Mark,
    /// Sequence in OUT of the last mark.
    after: u64,
    /// How many marks were written: no two are alike, by which is known whether OUT has the one at hand.
    written: u64,
    /// What is not later than this was set aside before IN lost its tail.
    until: Option<Timestamp>,
}

impl Sweep {
    /// One that tells how far it is from `since` on.
    pub(super) fn new(
        (client, lanes): (Client, u32),
        owner: Arc<str>,
        since: u64,
        troubles: Troubles,
    ) -> (Self, watch::Receiver<Unread>) {
        let (status, told) = watch::channel(Unread { since, set_aside: 0 });
        (Self { client, lanes, owner, status, troubles }, told)
    }

    /// Sets aside what comes until it is stopped.
    ///
    /// # Errors
    /// OUT refuses for good.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) -> Result<(), Error> {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => Ok(()),
            ended = self.sweep() => ended,
        }
    }

    async fn sweep(&self) -> Result<(), Error> {
        loop {
            match self.go_on().await {
                Ok(()) => {}
                Err(Error::Emit(EmitError::Fenced { .. })) => {
                    // Another engine is at work, or OUT has lost its tail: the lanes come to that too, and say which.
                    tracing::warn!("what no lane reads is set aside by another engine, or OUT has lost its tail");
                    std::future::pending::<()>().await;
                }
                Err(Error::Emit(error)) => return Err(Error::Emit(error)),
                Err(error) => {
                    tracing::debug!(error = full(&error), "what no lane reads cannot be read yet");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// Takes it up and sets aside what comes, until something is in the way.
    async fn go_on(&self) -> Result<(), Error> {
        let Some(mut place) = self.take_up().await? else { return Ok(()) };
        loop {
            // The mark is written again and again, whatever comes: so it is known whether OUT takes anything at all.
            if place.waiting.is_empty() {
                let read = tokio::time::timeout(PROBE_EVERY, place.reader.receive(BOUNDS)).await;
                place.waiting.add(read.unwrap_or(Ok(Vec::new()))?);
            }
            let behind = place.mark.position;
            let strays = Strays::find(&self.client, self.lanes, behind + 1).await?;
            let most = (behind, BOUNDS.messages, BOUNDS.bytes);
            let batch = place.waiting.take(strays, UNTRANSFORMED, most).await?;
            self.set_aside(&mut place, &batch).await?;
        }
    }

    /// Makes it ours, behind what was set aside last; none where another engine has gone on meanwhile.
    async fn take_up(&self) -> Result<Option<Place>, Error> {
        let stored = mark::last(&self.client, Committer::Unread).await?.stored;
        let identity = streams::identity(&self.client).await?;
        let after = stored.as_ref().map_or(0, |stored| stored.sequence);
        let fresh = Mark {
            position: 0,
            message: hex::encode([0; 32]),
            digest: hex::encode([0; 32]),
            now: Timestamp::UNIX_EPOCH,
            stream: identity.created.clone(),
            level: level::OLDEST,
            owner: self.owner.to_string(),
        };
        let (mark, until) = match stored.map(|stored| stored.mark) {
            None => (fresh, None),
            Some(last) if self.is_continued(&last, &identity).await? => {
                (Mark { position: last.position, message: last.message, now: last.now, ..fresh }, None)
            }
            Some(last) => (Mark { now: last.now, ..fresh }, Some(last.now)),
        };
        match self.outbox().emit(Batch::new(Vec::new(), mark.clone(), after)).await {
            Ok(after) => {
                let reader = Reader::new(self.client.clone(), Committer::Unread, mark.position).telling(&self.troubles);
                Ok(Some(Place { reader, waiting: Waiting::default(), mark, after, written: 0, until }))
            }
            // The one before was still at work: it hears of us by the next mark.
            Err(EmitError::Fenced { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether IN still has the message that was set aside last.
    async fn is_continued(&self, last: &Mark, identity: &streams::Identity) -> Result<bool, Error> {
        if last.stream != identity.created || last.position > identity.last {
            return Ok(false);
        }
        if last.position == 0 {
            return Ok(true);
        }
        Ok(match mark::input(&self.client, last.position).await? {
            Some((_, bytes)) => hex::encode(Sha256::digest(&bytes)) == last.message,
            None => true,
        })
    }

    async fn set_aside(&self, place: &mut Place, batch: &[InMessage]) -> Result<(), Error> {
        let mut outgoing = Outgoing::new(PAYLOAD_MOST);
        let due = |message: &&InMessage| place.until.is_none_or(|until| message.time > until);
        let mut letters = 0;
        for message in batch.iter().filter(due) {
            let (topic, id) = (Topic::Dead(None, Reason::UnknownSubject), format!("unread-{}", message.sequence));
            outgoing.add(&topic, &id, message.time, letter(message))?;
            letters += 1;
            tracing::warn!(
                subject = message.subject,
                sequence = message.sequence,
                "a message leads to no lane and is set aside as a dead letter"
            );
        }
        place.written += 1;
        place.mark.digest = format!("{:064x}", place.written);
        if let Some(last) = batch.last() {
            place.mark.position = last.sequence;
            place.mark.message = hex::encode(Sha256::digest(&last.payload));
            place.mark.now = place.mark.now.max(last.time);
        }
        let emitted = Batch::new(outgoing.take(), place.mark.clone(), place.after);
        place.after = self.outbox().emit(emitted).await?;
        metrics::counter!("linesman_unread_messages_total").increment(letters);
        metrics::counter!("linesman_dead_letters_total", "reason" => Reason::UnknownSubject.as_str())
            .increment(letters);
        self.status.send_modify(|status| {
            let since = status.since;
            status.set_aside += batch.iter().filter(|message| message.sequence > since).count() as u64;
        });
        Ok(())
    }

    fn outbox(&self) -> Outbox {
        Outbox::new(self.client.clone(), Committer::Unread).telling(&self.troubles)
    }
}

fn letter(message: &InMessage) -> DeadLetter {
    let is_small = message.payload.len() <= INLINE_MOST;
    DeadLetter {
        reason: Reason::UnknownSubject,
        detail: if message.subject.starts_with("p.") { UNTOLD } else { DETAIL }.to_owned(),
        place: None,
        sequence: message.sequence,
        subject: message.subject.clone(),
        policy: None,
        reaction: None,
        length: message.payload.len(),
        bytes: is_small.then(|| BASE64_STANDARD.encode(&message.payload)),
        counted: None,
    }
}
