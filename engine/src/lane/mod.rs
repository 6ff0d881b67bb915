//! A lane: the five verbs, batch by batch.
//!
//! ```text
//!            receive        decode         decide          emit            apply
//!  IN --> Vec<InMessage> --> Vec<Input> --> Decision --> mark in OUT --> rows in the store
//!           ^                                ^              |
//!           +--- as long as more is ready    +-- the next --+  is decided while this one is on its way
//! ```
//!
//! A commit costs the server the same for few inputs as for many. So a lane that is behind decides on
//! while more input is ready, up to the bounds below, and what is decided while a batch is on its way
//! goes out as one; a lane that keeps up commits what it has received at once.
//!
//! A lane waits for nothing but its log: connectors, the API and the disk's flush go their own ways.

mod ahead;
pub mod aside;
mod behind;
mod brake;
pub(crate) mod decode;
pub mod ends;
mod error;
pub mod executor;
pub mod failures;
mod pace;
mod quiet;
mod rows;
mod start;
pub mod status;
pub mod stopped;
mod tail;
mod ticking;
mod time;
pub mod waits;

use std::cell::RefCell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Client;
use futures_util::FutureExt as _;
use jiff::Timestamp;
use linesman_schemas::control::Control;
use tokio::sync::watch;
use tokio::task::JoinError;

use crate::log;
use crate::log::books::Books;
use crate::log::mark;
use crate::log::outbox::{Batch, EmitError, Outbox};
use crate::log::reader::{Bounds, InMessage, Reader};
use crate::store;
use ahead::Ahead;
use behind::Behind;
use brake::Brake;
use decode::{Decoded, decode};
use ends::Ends;
pub use error::Error;
use linesman_domain::input::{Content, Input};
use linesman_domain::{self as domain, Decision, Domain};
use pace::Pace;
use quiet::Quiet;
use status::{Change, Changes, LaneStatus};
use ticking::Ticking;
pub(crate) use time::today;
use waits::{Entered, Waits};

/// How much is received at once.
const BOUNDS: Bounds = Bounds { messages: 500, bytes: 4 << 20 };
/// How much where one input is taken at a time.
const ALONE: Bounds = Bounds { messages: 1, bytes: 0 };
/// How many inputs a batch may have decided on before it is cut, for the sake of memory and of those
/// who wait for the first.
const CUT_INPUTS: usize = 4_000;
/// How many bytes of input, for memory's sake: rows may hold as much.
const CUT_INPUT_BYTES: usize = 8 << 20;
/// How long the first of them waits at most.
pub(crate) const HOLD_MOST: Duration = Duration::from_secs(1);
/// How long a lane decides before the thread's other lanes have their turn.
const TURN: Duration = Duration::from_millis(20);
/// After how many inputs it looks at the clock.
const CLOCK_EVERY: usize = 16;
/// How many messages of OUT a batch may have become before it is cut; the server takes 1,000, and
/// the input at hand may still add some hundred.
const CUT_MESSAGES: usize = 400;
/// How many bytes, for memory's sake.
const CUT_BYTES: usize = 8 << 20;
/// How many rows are looked at for an earlier version before the lane looks for something better to do.
const UPGRADE_ROWS: usize = 200;

/// A batch on its way to OUT.
struct InFlight {
    decision: Decision,
    counted: u64,
    entered: Vec<Entered>,
    since: Instant,
    emission: Ahead<Result<u64, EmitError>>,
}

/// A lane at work.
pub(crate) struct Lane {
    id: u32,
    client: Client,
    domain: Domain,
    reader: Reader,
    outbox: Outbox,
    store: store::Lane,
    /// Whether somebody finds that the store is damaged.
    damages: watch::Receiver<Option<Arc<str>>>,
    /// Whether the store has room for what it decides.
    room: watch::Receiver<bool>,
    books: Arc<Books>,
    behind: Behind,
    quiet: Quiet,
    owner: Arc<str>,
    /// Sequence in OUT of the lane's last mark.
    mark: u64,
    /// How many inputs are decided and not on their way yet.
    decided: usize,
    decided_bytes: usize,
    /// The last sequence of IN when the engine started.
    since: u64,
    /// How many of what is decided and not on its way yet IN was given since then.
    counted: u64,
    /// When each of what is decided and not on its way yet entered IN.
    entered: Vec<Entered>,
    waits: Waits,
    /// Since when the first of them is.
    decided_since: Instant,
    /// The batch behind those, read beside the lane.
    reading: Option<Ahead<Result<Decoded, JoinError>>>,
    emitting: Option<InFlight>,
    ticking: Ticking,
    /// Whether the server's time is not the lane's, as it was said last.
    is_doubted: bool,
    /// Where policies that fail are told.
    failures: failures::PolicyFailures,
    /// Whether a tick is to tell how late it is.
    is_stale: bool,
    /// Where lanes broke off before.
    ends: Arc<Ends>,
    /// Up to which input it takes one at a time, since it broke off before.
    one_by_one: Option<u64>,
    /// The input that it could not decide when it came to it last.
    halt: Option<u64>,
    /// The last input there was when it was taken up.
    end: u64,
    brake: Rc<RefCell<Brake>>,
    pace: Pace,
    /// Up to where rows of an earlier version were written anew; none once all are.
    upgrading: Option<Vec<u8>>,
    status: watch::Sender<LaneStatus>,
    changes: Changes,
}

impl Lane {
    /// Carries inputs until told to stop; then what is decided is emitted and applied. What it sets aside by itself is written
    /// before anything of the input is committed.
    pub(crate) async fn run(mut self, stop: watch::Receiver<bool>) -> Result<(), Error> {
        let ended = self.carry_on(stop).await;
        match ended {
            Err(Error::Aside { lane, aside }) => {
                self.set_aside(&aside).await?;
                Err(Error::Aside { lane, aside })
            }
            // What is on its way is applied: the lane is taken up again, in this engine.
            Err(error @ Error::Decide { .. }) => {
                self.settle().await?;
                Err(error)
            }
            ended => ended,
        }
    }

    async fn carry_on(&mut self, mut stop: watch::Receiver<bool>) -> Result<(), Error> {
        let told = stop.clone();
        fail::fail_point!(&format!("lane::taken-up-{}", self.id));
        if std::mem::take(&mut self.is_stale) {
            self.tick().await;
        }
        loop {
            let tick = self.tick_in();
            let slice = self.pace.wakes().filter(|_| self.domain.has_work());
            let held = self.decided_since + HOLD_MOST;
            let is_free = self.one_by_one.is_none() || self.decided == 0 && self.emitting.is_none();
            let takes_more = self.reading.is_none() && is_free && *self.room.borrow_and_update();
            let bounds = if self.one_by_one.is_some() { ALONE } else { BOUNDS };
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return self.finish().await,
                () = damaged(&mut self.damages) => return self.leave_off().await,
                () = emitted(&mut self.emitting) => {
                    self.settle().await?;
                    self.commit_if_due().await?;
                    self.go_on().await;
                }
                () = ahead::done(&mut self.reading) => self.carry(told.clone()).await?,
                batch = self.reader.receive(bounds), if takes_more => self.read(batch)?,
                Ok(()) = self.room.changed() => {}
                () = tokio::time::sleep_until(held.into()), if self.decided > 0 => self.commit().await?,
                () = tokio::time::sleep(tick.unwrap_or_default()), if tick.is_some() => self.tick().await,
                () = until(slice), if slice.is_some() => self.go_on().await,
                // Last: only while there is nothing else to do.
                () = std::future::ready(()), if self.upgrading.is_some() => self.upgrade().await?,
            }
        }
    }

    /// What is on its way is applied, as far as that goes; the lane is taken up again and rebuilt.
    async fn leave_off(&mut self) -> Result<(), Error> {
        self.settle().await?;
        let what = self.store.damage().as_deref().unwrap_or_default().to_owned();
        let source = store::Error::Damaged { lane: format!("lane-{}", self.id), what };
        Err(Error::Store { lane: self.id, source })
    }

    /// All before an input that cannot be decided is committed.
    async fn come_to(&mut self, position: u64) -> Result<(), Error> {
        self.finish().await?;
        Err(Error::Halted { lane: self.id, position })
    }

    /// What is decided goes out; what was only read is read again by the next engine.
    async fn finish(&mut self) -> Result<(), Error> {
        if self.decided > 0 {
            self.commit().await?;
        }
        self.settle().await
    }

    /// Sets going the reading of what was received.
    fn read(&mut self, batch: Result<Vec<InMessage>, log::Error>) -> Result<(), Error> {
        if let Some(last) = batch.as_ref().ok().and_then(|batch| batch.last()) {
            self.ends.reads(self.id, last.sequence);
        }
        fail::fail_point!("receive");
        let batch = batch.map_err(|source| Error::Receive { lane: self.id, source })?;
        self.behind.set(self.reader.is_behind());
        let (books, beside) = (Arc::clone(&self.books), self.behind.spare().cloned());
        let unread = (self.domain.overdrawn(), decode::skipped(&self.domain, &batch));
        self.reading = Some(Ahead::start(async move { decode(batch, &books, beside.as_ref(), unread).await }));
        Ok(())
    }

    /// Carries what was read on its way from the log to the state.
    async fn carry(&mut self, mut stop: watch::Receiver<bool>) -> Result<(), Error> {
        let Some(reading) = self.reading.take() else { return Ok(()) };
        let decoded = reading.output().await.map_err(|error| Error::Broken(io::Error::other(error)))?;
        fail::fail_point!("decode");
        // What has come meanwhile is read while this is decided.
        let has_room = *self.room.borrow();
        if has_room
            && self.one_by_one.is_none()
            && let Some(batch) = self.reader.receive(BOUNDS).now_or_never()
        {
            self.read(batch)?;
        }
        self.quiet.note(decoded.inputs());
        let mut verb = Verb::start();
        let mut turn = Instant::now();
        for (number, input) in decoded.inputs().iter().enumerate() {
            // Now and then: reading the clock costs as much as a small step of deciding.
            if number.is_multiple_of(CLOCK_EVERY) {
                if turn.elapsed() > TURN {
                    tokio::task::yield_now().await;
                    turn = Instant::now();
                }
                if self.decided > 0 && self.decided_since.elapsed() >= HOLD_MOST {
                    self.commit().await?;
                }
            }
            if self.halt == Some(input.sequence) {
                return self.come_to(input.sequence).await;
            }
            if self.domain.asks_time(input) && !self.know_time(input, &mut stop).await {
                // What is left is read again by the next engine.
                return Ok(());
            }
            decide_one(&mut self.domain, input).map_err(|source| Error::of_input(self.id, input, source))?;
            fail::fail_point!("lane::input", breaks(&self.domain, input), |_| Ok(()));
            self.note_doubt(input.sequence);
            if matches!(input.content, Content::Continue { .. }) {
                self.pace.decided();
            }
            if self.decided == 0 {
                self.decided_since = Instant::now();
            }
            self.decided += 1;
            self.entered.push(waits::entered(input));
            self.counted += u64::from(input.sequence > self.since);
            self.decided_bytes += input.bytes.len();
            if self.is_full() {
                verb.end("decide", 0);
                self.commit().await?;
                verb = Verb::start();
            }
        }
        verb.end("decide", decoded.inputs().len());
        self.ticking.heard(self.domain.position().now, Instant::now());
        fail::fail_point!("decide");
        if self.one_by_one.is_some() && self.decided > 0 {
            self.commit().await?;
            return self.settle().await;
        }
        self.commit_if_due().await
    }

    /// Has what the clocks say known before an input is decided whose time is far ahead; not where it is told to stop meanwhile.
    async fn know_time(&mut self, input: &Input<'_>, stop: &mut watch::Receiver<bool>) -> bool {
        let decided = self.domain.position().now;
        let ticking = &self.ticking;
        let steady = || ticking.lane_time(Instant::now()).max(decided);
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return false,
            () = time::tell(&self.client, self.id, &mut self.domain, input, steady) => {}
        }
        self.ticking.read(Instant::now());
        true
    }

    /// Lets what is decided go out, unless a batch is under way or there is more to decide.
    async fn commit_if_due(&mut self) -> Result<(), Error> {
        let has_more = self.reading.is_some() || self.reader.is_behind();
        if self.decided > 0 && self.emitting.is_none() && !has_more { self.commit().await } else { Ok(()) }
    }

    fn is_full(&self) -> bool {
        let (messages, bytes) = self.domain.outgoing();
        self.decided >= CUT_INPUTS
            || self.decided_bytes >= CUT_INPUT_BYTES
            || messages >= CUT_MESSAGES
            || bytes >= CUT_BYTES
    }

    /// Lets what is decided go out as one batch, once the one before it is applied.
    async fn commit(&mut self) -> Result<(), Error> {
        (self.decided, self.decided_bytes) = (0, 0);
        let (counted, entered) = (std::mem::take(&mut self.counted), std::mem::take(&mut self.entered));
        let position = self.domain.position().sequence;
        let mut decision =
            take(&mut self.domain).map_err(|source| Error::Decide { lane: self.id, position, source })?;
        self.settle().await?;
        let mark = mark::of(&decision.position, &self.owner);
        let batch = Batch::new(std::mem::take(&mut decision.messages), mark, self.mark);
        let outbox = self.outbox.clone();
        let emission = Ahead::start(async move { outbox.emit(batch).await });
        self.emitting = Some(InFlight { decision, counted, entered, emission, since: Instant::now() });
        self.pace.emitted();
        Ok(())
    }

    /// Waits until the batch under way is committed, and applies it.
    async fn settle(&mut self) -> Result<(), Error> {
        let Some(batch) = self.emitting.take() else { return Ok(()) };
        let InFlight { decision, counted, entered, emission, since } = batch;
        self.mark = emission.output().await?;
        self.waits.committed(&entered, Timestamp::now());
        metrics::histogram!("linesman_verb_seconds", "verb" => "emit").record(since.elapsed().as_secs_f64());
        fail::fail_point!("emit::after-mark");
        self.apply(&decision, counted)?;
        self.pace.applied(self.quiet.is_so());
        Ok(())
    }

    /// INVARIANT (nothing applied before its mark): only [`Self::settle`] comes here.
    fn apply(&mut self, decision: &Decision, counted: u64) -> Result<(), Error> {
        let verb = Verb::start();
        self.store.apply(&decision.writes).map_err(|source| Error::Store { lane: self.id, source })?;
        self.domain.applied(&decision.writes);
        verb.end("apply", decision.writes.rows.len());
        fail::fail_point!("apply");
        status::count(decision, &self.failures);
        tracing::debug!(
            lane = self.id,
            position = decision.position.sequence,
            rows = decision.writes.rows.len(),
            "a batch is committed and applied"
        );
        let position = decision.position.clone();
        self.ends.applies(self.id, position.sequence);
        self.one_by_one = self.one_by_one.filter(|until| position.sequence < *until);
        self.status.send_modify(|status| {
            status.doubt = decision.doubt;
            status.is_behind &= position.sequence < self.end;
            status.is_past &= status.is_behind;
            status.advance(&position);
            status.decided += counted;
        });
        for (destination, org) in &decision.queues {
            self.changes.send(Change { lane: self.id, destination: destination.clone(), org: org.clone() });
        }
        Ok(())
    }

    /// Says that the lane's time is not the server's any more, or is again.
    fn note_doubt(&mut self, position: u64) {
        let doubt = self.domain.doubt();
        if doubt.is_some() == self.is_doubted {
            return;
        }
        self.is_doubted = doubt.is_some();
        let lane = self.id;
        match doubt.map(|doubt| doubt.ahead.as_secs()) {
            Some(ahead_s) => {
                metrics::counter!("linesman_clock_doubts_total").increment(1);
                tracing::warn!(
                    lane,
                    position,
                    ahead_s,
                    "the NATS server's clock is not the lane's, which goes on without it"
                );
                if doubt.is_some_and(|doubt| doubt.is_far(self.domain.position().level)) {
                    tracing::error!(
                        lane,
                        ahead_s,
                        "it is more than a week later than in the log: that is not believed until somebody confirms it; \
                         `linesman clock show` tells what the clocks say: set right the one that is wrong, and say \
                         `linesman clock confirm` only where none is"
                    );
                }
            }
            None => tracing::info!(lane, position, "the NATS server's clock is the lane's again"),
        }
    }

    /// How long until a tick is worth sending: something is due and no input has come to say so.
    /// Or its time is not the server's, and it is to be told again what the clocks say.
    fn tick_in(&mut self) -> Option<Duration> {
        let at = Instant::now();
        let due = self.domain.next_timer().map(|due| self.ticking.due_in(due, at));
        let read = self.ticking.read_in(self.domain.doubt().is_some(), at);
        due.into_iter().chain(read).min()
    }

    /// Sends a tick: what the clocks say, where the lane knows what that is.
    async fn tick(&mut self) {
        self.ends.idles(self.id, true);
        let at = Instant::now();
        self.ticking.sent(at);
        self.ticking.read(at);
        let reading = time::reading(self.ticking.lane_time(at));
        self.send(&if self.domain.reads_clocks() { Control::Clock(reading) } else { Control::Tick }).await;
        self.ends.idles(self.id, false);
    }

    /// Sends for the next slice of what is done in slices once it is due, a larger one while nobody else is there. It lines
    /// up behind what has come meanwhile, so others' inputs are decided in between.
    async fn go_on(&mut self) {
        if self.domain.has_work() && self.pace.is_due() {
            self.pace.sent();
            let is_alone = self.domain.knows_alone() && self.quiet.is_so();
            self.send(if is_alone { &Control::ContinueAlone } else { &Control::Continue }).await;
        }
    }

    /// Sends the lane a message of its own.
    async fn send(&self, control: &Control) {
        let payload = serde_json::to_vec(control).unwrap_or_default();
        if let Err(error) = self.client.publish(format!("p.{}.ctl", self.id), payload.into()).await {
            // What it is about stands; the next round tries again.
            tracing::debug!(lane = self.id, %error, "no message to the lane itself");
        }
    }

    /// Writes some rows of earlier versions anew. They say the same: nothing is decided.
    async fn upgrade(&mut self) -> Result<(), Error> {
        let Some(after) = self.upgrading.take() else { return Ok(()) };
        self.ends.idles(self.id, true);
        let next = self.store.upgrade(&after, UPGRADE_ROWS).map_err(|source| Error::Store { lane: self.id, source })?;
        self.upgrading = next;
        self.ends.idles(self.id, false);
        // The thread's other lanes have their turn.
        tokio::task::yield_now().await;
        Ok(())
    }
}

/// Decides an input. A panic is a fault of the machine's own: the lane stands still at it, and the others go on.
fn decide_one(domain: &mut Domain, input: &Input<'_>) -> Result<(), domain::Error> {
    let is_slice = matches!(input.content, Content::Continue { .. });
    // As it is before anything of the input is decided: it is this job that goes with a slice that is skipped.
    let job = if is_slice { domain.turn() } else { None };
    unbroken(|| {
        fail::fail_point!("decide::input", input.bytes.ends_with(b"<!-- undecidable -->\n"), |_| Ok(()));
        fail::fail_point!("decide::slice", is_slice, |_| Ok(()));
        domain.decide(input)
    })
    .map_err(|source| match (domain.firing(), job, source) {
        // These have ways out of their own.
        (_, _, source @ (domain::Error::Overtime { .. } | domain::Error::Level { .. })) => source,
        (Some(timer), _, source) => domain::Error::Timer { timer, source: Box::new(source) },
        (None, Some(job), source) => domain::Error::Slice { job, source: Box::new(source) },
        (None, None, source) => source,
    })
}

/// Whether an input is one at which tests have a lane break off.
#[cfg(feature = "failpoints")]
fn breaks(domain: &Domain, input: &Input<'_>) -> bool {
    input.bytes.ends_with(b"<!-- breaks -->\n") && !domain.skips(input.sequence, input.bytes)
}

/// Takes what was decided, with the same care.
fn take(domain: &mut Domain) -> Result<Decision, domain::Error> {
    unbroken(|| domain.take())
}

/// What is decided, unless that panics.
fn unbroken<T>(decide: impl FnOnce() -> Result<T, domain::Error>) -> Result<T, domain::Error> {
    catch_unwind(AssertUnwindSafe(decide)).unwrap_or(Err(domain::Error::Broken))
}

/// Ready when the batch under way is answered; it stays there for [`Lane::settle`].
async fn emitted(emitting: &mut Option<InFlight>) {
    match emitting {
        Some(batch) => batch.emission.done().await,
        None => std::future::pending().await,
    }
}

/// Ready once damage is found.
async fn damaged(damages: &mut watch::Receiver<Option<Arc<str>>>) {
    if damages.wait_for(Option::is_some).await.is_err() {
        std::future::pending().await
    }
}

/// Ready at a moment; never where there is none.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
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
