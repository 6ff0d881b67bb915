//! How a lane is taken up: where its state and its last mark stand, and what is in between.
//!
//! ```text
//! state behind the mark   decide again up to it, silently; the digests must be equal
//! state at the mark       go
//! state ahead of it, another IN, or another message where the state or the mark stands:
//!                         seal: say so, drop the state, rebuild from the log
//! ```
//!
//! A server that lost unsynced data gives the lost sequences to new messages. So a rebuild after a
//! seal is silent only up to the mark's *time*: what is later was never decided, whatever its number.
//!
//! Organizations and rule books stand at the log's beginning. Where that is gone, nothing is rebuilt and no state is
//! dropped: the lane refuses.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Client;
use linesman_rules::Judge;
use linesman_schemas::audit::LaneSealed;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::behind::{Behind, Load};
use super::decode::decode;
use super::pace::Pace;
use super::quiet::Quiet;
use super::status::{Changes, LaneStatus};
use super::{BOUNDS, Error, Lane};
use crate::log::books::Books;
use crate::log::mark::{self, Stored};
use crate::log::outbox::{Batch, EmitError, Outbox};
use crate::log::reader::{InMessage, Reader};
use crate::log::streams::{self, Identity};
use crate::store::{self, Store};
use linesman_domain::outgoing::{Outgoing, Topic};
use linesman_domain::{self as domain, Domain, Parts, level};

/// How often a lane is tried to be taken from an engine that is still at work.
const TAKE_OVERS: u32 = 100;
/// How often a long rebuild says how far it is.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// What the lanes of a thread share.
pub(super) struct Shared {
    pub(super) client: Client,
    /// A connection of its own for batches: the server works a connection off in order, and the time
    /// it takes to commit would be time in which nobody may ask for more input.
    pub(super) emitter: Client,
    pub(super) judge: Rc<RefCell<Judge>>,
    pub(super) store: Arc<Store>,
    pub(super) books: Arc<Books>,
    /// How many lanes are behind, of all threads.
    pub(super) load: Load,
    pub(super) quiet: Quiet,
    pub(super) owner: Arc<str>,
    pub(super) changes: Changes,
}

struct Start<'a> {
    shared: &'a Shared,
    id: u32,
    store: store::Lane,
    identity: Identity,
    stored: Option<Stored>,
}

/// Up to where decisions are repeated silently.
enum Until {
    /// This position, which the log has.
    Position(u64),
    /// This time, or the end of what the log has.
    Time(jiff::Timestamp),
}

impl Shared {
    /// Takes up a lane; it is ours when this returns.
    pub(super) async fn start(&self, id: u32, status: watch::Sender<LaneStatus>) -> Result<Lane, Error> {
        let fault = |source| Error::Start { lane: id, source };
        let mut attempt = 1;
        let (start, domain, damage, mark) = loop {
            let start = Start {
                shared: self,
                id,
                store: self.store.lane(id).map_err(|source| Error::Store { lane: id, source })?,
                // IMPORTANT: the mark before the stream's end. The engine before may still be at
                // work, and a mark beyond the end would look like a lost tail.
                stored: mark::last(&self.client, id).await.map_err(fault)?.stored,
                identity: streams::identity(&self.client).await.map_err(fault)?,
            };
            let damage = start.damage().await?;
            let domain = match &damage {
                Some(why) => start.rebuild(why).await?,
                None => start.catch_up().await?,
            };
            match start.take_over(&domain, damage.as_deref()).await {
                Ok(mark) => break (start, domain, damage, mark),
                // It has gone on since its mark was read: follow it there.
                Err(Error::Emit(EmitError::Fenced { .. })) if damage.is_none() && attempt < TAKE_OVERS => attempt += 1,
                Err(error) => return Err(error),
            }
        };
        let upgrading = start.store.is_behind().map_err(|source| Error::Store { lane: id, source })?.then(Vec::new);
        let position = domain.position().clone();
        status.send_modify(|status| {
            status.is_running = true;
            status.sealed = damage;
            status.advance(&position);
        });
        Ok(Lane {
            id,
            client: self.client.clone(),
            reader: Reader::new(self.client.clone(), id, position.sequence),
            outbox: Outbox::new(self.emitter.clone(), id),
            store: start.store,
            books: Arc::clone(&self.books),
            behind: Behind::new(self.load.clone()),
            quiet: self.quiet.clone(),
            owner: Arc::clone(&self.owner),
            domain,
            mark,
            decided: 0,
            decided_bytes: 0,
            decided_since: Instant::now(),
            reading: None,
            emitting: None,
            last_tick: None,
            pace: Pace::default(),
            upgrading,
            status,
            changes: self.changes.clone(),
        })
    }
}

impl Start<'_> {
    /// What is wrong between state, mark and log, if anything.
    async fn damage(&self) -> Result<Option<String>, Error> {
        let state = domain::position::read(&self.store).map_err(|source| Error::Decide { lane: self.id, source })?;
        let mark = self.stored.as_ref().map(|stored| &stored.mark);
        let known = [state.as_ref().map(|p| (p.level, p.sequence)), mark.map(|mark| (mark.level, mark.position))];
        for (found, position) in known.into_iter().flatten() {
            level::check(found).map_err(|source| Error::of_decision(self.id, position, source))?;
        }
        if let Some(mark) = mark
            && let Some(why) = self.disagreement("the last mark", mark.position, &mark.stream, &mark.message).await?
        {
            return Ok(Some(why));
        }
        let Some(state) = state else { return Ok(None) };
        let message = hex::encode(state.message);
        if let Some(why) = self.disagreement("the state", state.sequence, &state.stream, &message).await? {
            return Ok(Some(why));
        }
        let committed = mark.map_or(0, |mark| mark.position);
        Ok((state.sequence > committed).then(|| {
            let at = state.sequence;
            format!("the state stands at {at}, the last mark at {committed}: OUT has lost its tail")
        }))
    }

    async fn disagreement(
        &self,
        what: &str,
        position: u64,
        stream: &str,
        message: &str,
    ) -> Result<Option<String>, Error> {
        let identity = &self.identity;
        if stream != identity.created {
            return Ok(Some(format!("{what} is of an IN created {stream}, this one was created {}", identity.created)));
        }
        // Before the first input there is nothing to compare, and what was trimmed cannot be.
        if position == 0 || position < identity.first {
            return Ok(None);
        }
        if position > identity.last {
            return Ok(Some(format!(
                "{what} stands at {position}, but IN ends at {}: it has lost its tail",
                identity.last
            )));
        }
        let found = mark::input(&self.shared.client, position)
            .await
            .map_err(|source| Error::Start { lane: self.id, source })?;
        Ok(match found {
            None => Some(format!("{what} stands at {position}, which IN does not have")),
            Some((_, bytes)) if hex::encode(Sha256::digest(&bytes)) != message => {
                Some(format!("{what} stands at {position}, where IN has another message: it has lost its tail"))
            }
            Some(_) => None,
        })
    }

    /// State behind the mark or at it.
    async fn catch_up(&self) -> Result<Domain, Error> {
        let mut domain = self.open().await?;
        let is_fresh = domain.position().sequence == 0;
        if is_fresh {
            self.find_beginning()?;
        }
        let Some(stored) = &self.stored else { return Ok(domain) };
        let until = stored.mark.position;
        self.repeat(&mut domain, &Until::Position(until)).await?;
        if hex::encode(domain.position().digest) == stored.mark.digest {
            return Ok(domain);
        }
        if is_fresh {
            return Err(Error::Diverged { lane: self.id, position: until });
        }
        self.find_beginning()?;
        tracing::error!(lane = self.id, "the state leads to another digest than was committed; rebuilding it");
        metrics::counter!("linesman_lane_rebuilds_total").increment(1);
        self.clear()?;
        let mut domain = self.open().await?;
        self.repeat(&mut domain, &Until::Position(until)).await?;
        if hex::encode(domain.position().digest) == stored.mark.digest {
            Ok(domain)
        } else {
            Err(Error::Diverged { lane: self.id, position: until })
        }
    }

    /// Drops the state and decides anew; silent up to the time of the last mark.
    async fn rebuild(&self, why: &str) -> Result<Domain, Error> {
        self.find_beginning()?;
        tracing::error!(lane = self.id, why, "the lane is sealed: its state is dropped and rebuilt from the log");
        metrics::counter!("linesman_lanes_sealed_total").increment(1);
        self.clear()?;
        let mut domain = self.open().await?;
        if let Some(stored) = &self.stored {
            self.repeat(&mut domain, &Until::Time(stored.mark.now)).await?;
        }
        Ok(domain)
    }

    /// Whether the log can be decided from its beginning.
    fn find_beginning(&self) -> Result<(), Error> {
        match self.identity.first {
            0 | 1 => Ok(()),
            first => Err(Error::Beginning { lane: self.id, first }),
        }
    }

    fn clear(&self) -> Result<(), Error> {
        self.store.clear().map_err(|source| Error::Store { lane: self.id, source })
    }

    async fn open(&self) -> Result<Domain, Error> {
        let fault = |source| Error::Decide { lane: self.id, source };
        let book = match domain::rule_book::read(&self.store).map_err(fault)? {
            Some(row) => Some(self.shared.books.get_patiently(row.reference()).await),
            None => None,
        };
        let parts = Parts {
            lane: self.id,
            stream: self.identity.created.clone(),
            payload_most: payload_most(&self.shared.client),
            judge: Rc::clone(&self.shared.judge),
            book,
        };
        // The level of the state was looked at before.
        Domain::open(Box::new(self.store.clone()), parts).map_err(fault)
    }

    /// Decides again what was committed, without saying it again.
    async fn repeat(&self, domain: &mut Domain, until: &Until) -> Result<(), Error> {
        let end = match until {
            Until::Position(position) => *position,
            Until::Time(_) => {
                let last = streams::last_of_lane(&self.shared.client, self.id).await;
                last.map_err(|source| Error::Start { lane: self.id, source })?
            }
        };
        let mut reader = Reader::new(self.shared.client.clone(), self.id, domain.position().sequence);
        let mut reported = Instant::now();
        while domain.position().sequence < end {
            let batch = reader.receive(BOUNDS).await.map_err(|source| Error::Start { lane: self.id, source })?;
            let due: Vec<InMessage> = batch.iter().filter(|message| is_due(message, end, until)).cloned().collect();
            let is_last = due.len() < batch.len();
            let decoded = decode(due, &self.shared.books, None).await;
            let decoded = decoded.map_err(|error| Error::Broken(io::Error::other(error)))?;
            for input in decoded.inputs() {
                domain.decide(input).map_err(|source| Error::of_decision(self.id, input.sequence, source))?;
            }
            let decision = domain.take().map_err(|source| Error::Decide { lane: self.id, source })?;
            self.store.apply(&decision.writes).map_err(|source| Error::Store { lane: self.id, source })?;
            domain.applied(&decision.writes);
            if is_last {
                break;
            }
            if reported.elapsed() > REPORT_EVERY {
                reported = Instant::now();
                tracing::info!(
                    lane = self.id,
                    position = domain.position().sequence,
                    end,
                    "rebuilding the lane's state"
                );
            }
        }
        Ok(())
    }

    /// Makes the lane ours: from this mark on, batches of whoever had it before are refused whole.
    async fn take_over(&self, domain: &Domain, damage: Option<&str>) -> Result<u64, Error> {
        let mut outgoing = Outgoing::new(payload_most(&self.shared.client));
        if let Some(why) = damage {
            let topic = Topic::ProviderAudit("lane-sealed");
            let position = domain.position();
            let id = format!("lane{}-sealed-{}-{:x}", self.id, position.sequence, position.now.as_nanosecond());
            let data = LaneSealed {
                lane: self.id,
                why: why.to_owned(),
                position: position.sequence,
                owner: self.shared.owner.to_string(),
            };
            outgoing.add(&topic, &id, position.now, data).map_err(|source| Error::Decide { lane: self.id, source })?;
        }
        let after = self.stored.as_ref().map_or(0, |stored| stored.sequence);
        let mark = mark::of(domain.position(), &self.shared.owner);
        let batch = Batch::new(outgoing.take(), mark, after);
        Ok(Outbox::new(self.shared.client.clone(), self.id).emit(batch).await?)
    }
}

fn is_due(message: &InMessage, end: u64, until: &Until) -> bool {
    message.sequence <= end && !matches!(until, Until::Time(time) if message.time > *time)
}

/// The largest message we let decisions make, in bytes: bounded for memory's sake even where the
/// server would take more.
fn payload_most(client: &Client) -> usize {
    const HEADERS: usize = 4 * 1024;
    client.max_payload().saturating_sub(HEADERS).min(512 * 1024)
}
