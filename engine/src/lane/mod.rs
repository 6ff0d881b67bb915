//! A lane: the five verbs, batch by batch.
//!
//! ```text
//!            receive        decode         decide          emit            apply
//!  IN --> Vec<Message> --> Vec<Input> --> Decision --> mark in OUT --> rows in the store
//!                                            ^              |
//!                                            +-- the next --+  batch is decided while this one is on its way
//! ```
//!
//! A lane waits for nothing but its log: connectors, the API and the disk's flush go their own ways.

mod decode;
pub mod executor;
mod start;
pub mod status;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Client;
use jiff::Timestamp;
use linesman_schemas::control::Control;
use tokio::sync::watch;

use crate::domain::{self, Decision, Domain};
use crate::log;
use crate::log::books::Books;
use crate::log::mark::Mark;
use crate::log::outbox::{Batch, EmitError, Outbox};
use crate::log::reader::{Bounds, Message, Reader};
use crate::store;
use decode::decode;
use status::{Change, Changes, LaneStatus};

/// How much one batch reads.
const BOUNDS: Bounds = Bounds { messages: 1_000, bytes: 4 << 20 };
/// How many messages of OUT a batch may have become before it is cut; the server takes 1,000, and
/// the input at hand may still add some hundred.
const CUT_MESSAGES: usize = 400;
/// How many bytes, for memory's sake.
const CUT_BYTES: usize = 8 << 20;
/// The least time between two ticks: the server's clock may be behind ours.
const TICK_EVERY: Duration = Duration::from_secs(1);

/// Why a lane stopped; any of them stops the engine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot decide.
    #[error("lane {lane} cannot decide")]
    Decide {
        /// Which lane.
        lane: u32,
        /// Why.
        source: domain::Error,
    },
    /// It cannot commit.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// It cannot store.
    #[error("lane {lane} cannot be stored")]
    Store {
        /// Which lane.
        lane: u32,
        /// Why.
        source: store::Error,
    },
    /// It cannot be taken up.
    #[error("lane {lane} cannot be taken up")]
    Start {
        /// Which lane.
        lane: u32,
        /// Why.
        source: log::Error,
    },
    /// It cannot read on.
    #[error("lane {lane} cannot receive")]
    Receive {
        /// Which lane.
        lane: u32,
        /// Why.
        source: log::Error,
    },
    /// What it decides anew is not what was committed.
    #[error("lane {lane} decides otherwise than was committed at position {position}: refusing it")]
    Diverged {
        /// Which lane.
        lane: u32,
        /// Up to where it was decided anew.
        position: u64,
    },
    /// A later version decided.
    #[error("lane {lane} was decided at engine level {found}; this binary knows {known}")]
    Level {
        /// Which lane.
        lane: u32,
        /// As committed.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The thread cannot be set up.
    #[error("an executor thread cannot be set up")]
    Thread(#[source] std::io::Error),
    /// It panicked: what it was about is decided again by the next engine.
    #[error("a lane broke off")]
    Broken(#[source] std::io::Error),
}

type Emission = Pin<Box<dyn Future<Output = Result<u64, EmitError>>>>;

/// A batch on its way to OUT.
struct InFlight {
    decision: Decision,
    emission: Emission,
    since: Instant,
}

/// A lane at work.
pub(crate) struct Lane {
    id: u32,
    client: Client,
    domain: Domain,
    reader: Reader,
    outbox: Outbox,
    store: store::Lane,
    books: Arc<Books>,
    owner: Arc<str>,
    /// Sequence in OUT of the lane's last mark.
    mark: u64,
    in_flight: Option<InFlight>,
    last_tick: Option<Instant>,
    status: watch::Sender<LaneStatus>,
    changes: Changes,
}

impl Lane {
    /// Carries batches until told to stop; then the batch under way is emitted and applied.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<(), Error> {
        loop {
            let tick = self.tick_in();
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return self.settle().await,
                () = arrived(&mut self.in_flight), if self.in_flight.is_some() => self.settle().await?,
                batch = self.reader.receive(BOUNDS) => {
                    let batch = batch.map_err(|source| Error::Receive { lane: self.id, source })?;
                    self.carry(&batch).await?;
                }
                () = tokio::time::sleep(tick.unwrap_or_default()), if tick.is_some() => self.tick().await,
            }
        }
    }

    /// Carries one batch of the lane from the log on its way to the state.
    async fn carry(&mut self, batch: &[Message]) -> Result<(), Error> {
        fail::fail_point!("receive");
        let verb = Verb::start();
        let inputs = decode(&self.books, batch).await;
        verb.end("decode", inputs.len());
        fail::fail_point!("decode");
        let mut verb = Verb::start();
        for input in &inputs {
            self.domain.decide(input).map_err(|source| Error::Decide { lane: self.id, source })?;
            let (messages, bytes) = self.domain.outgoing();
            if messages >= CUT_MESSAGES || bytes >= CUT_BYTES {
                verb.end("decide", 0);
                self.commit().await?;
                verb = Verb::start();
            }
        }
        verb.end("decide", inputs.len());
        fail::fail_point!("decide");
        self.commit().await
    }

    /// Lets the batch decided so far go out, once the one before it is applied.
    async fn commit(&mut self) -> Result<(), Error> {
        let mut decision = self.domain.take().map_err(|source| Error::Decide { lane: self.id, source })?;
        self.settle().await?;
        let mark = Mark::new(&decision.position, &self.owner);
        let batch = Batch::new(std::mem::take(&mut decision.messages), mark, self.mark);
        let outbox = self.outbox.clone();
        let mut emission: Emission = Box::pin(async move { outbox.emit(batch).await });
        // Polled once, the batch is on its way while the next one is decided.
        let answer = futures_util::FutureExt::now_or_never(&mut emission);
        if let Some(answer) = answer {
            emission = Box::pin(std::future::ready(answer));
        }
        self.in_flight = Some(InFlight { decision, emission, since: Instant::now() });
        Ok(())
    }

    /// Waits until the batch under way is committed, and applies it.
    async fn settle(&mut self) -> Result<(), Error> {
        let Some(InFlight { decision, emission, since }) = self.in_flight.take() else { return Ok(()) };
        self.mark = emission.await?;
        metrics::histogram!("linesman_verb_seconds", "verb" => "emit").record(since.elapsed().as_secs_f64());
        fail::fail_point!("emit::after-mark");
        self.apply(&decision)
    }

    /// INVARIANT (nothing applied before its mark): only [`Self::settle`] comes here.
    fn apply(&mut self, decision: &Decision) -> Result<(), Error> {
        let verb = Verb::start();
        self.store.apply(&decision.writes).map_err(|source| Error::Store { lane: self.id, source })?;
        self.domain.applied(&decision.writes);
        verb.end("apply", decision.writes.rows.len());
        fail::fail_point!("apply");
        status::count(self.id, decision);
        let position = decision.position.clone();
        self.status.send_modify(|status| status.advance(&position));
        for (destination, org) in &decision.queues {
            self.changes.send(Change { lane: self.id, destination: destination.clone(), org: org.clone() });
        }
        Ok(())
    }

    /// How long until a tick is worth sending: something is due and no input has come to say so.
    fn tick_in(&self) -> Option<Duration> {
        let due = self.domain.next_timer()?;
        let wait = Duration::try_from(due.duration_since(Timestamp::now())).unwrap_or_default();
        let since_last = self.last_tick.map_or(TICK_EVERY, |at| at.elapsed());
        Some(wait.max(TICK_EVERY.saturating_sub(since_last)))
    }

    async fn tick(&mut self) {
        self.last_tick = Some(Instant::now());
        let payload = serde_json::to_vec(&Control::Tick).unwrap_or_default();
        if let Err(error) = self.client.publish(format!("p.{}.ctl", self.id), payload.into()).await {
            // The timer stands; the next round tries again.
            tracing::debug!(lane = self.id, %error, "no tick");
        }
    }
}

/// Ready when the batch under way is answered; it stays there for [`Lane::settle`].
async fn arrived(in_flight: &mut Option<InFlight>) {
    if let Some(batch) = in_flight {
        let answer = (&mut batch.emission).await;
        batch.emission = Box::pin(std::future::ready(answer));
    }
}

/// Measures a verb.
struct Verb(Instant);

impl Verb {
    fn start() -> Self {
        Self(Instant::now())
    }

    fn end(self, verb: &'static str, count: usize) {
        metrics::histogram!("linesman_verb_seconds", "verb" => verb).record(self.0.elapsed().as_secs_f64());
        metrics::counter!("linesman_verb_items_total", "verb" => verb).increment(count as u64);
    }
}
