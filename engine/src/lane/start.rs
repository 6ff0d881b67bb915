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

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Client;
use linesman_rules::Judge;
use linesman_schemas::audit::LaneSealed;
use linesman_schemas::lane_override::{Overridden, Override};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::behind::{Behind, Load};
use super::brake::Brake;
use super::decode::{decode, skipped};
use super::ends::Ends;
use super::failures::PolicyFailures;
use super::pace::Pace;
use super::quiet::Quiet;
use super::rows::Rows;
use super::status::{Changes, LaneStatus};
use super::stopped::Diverged;
use super::tail::Tail;
use super::ticking::Ticking;
use super::time;
use super::waits::Waits;
use super::{BOUNDS, Error, Lane, decide_one, take, unbroken};
use crate::log::books::Books;
use crate::log::mark::{self, Stored};
use crate::log::outbox::{Batch, EmitError, Outbox};
use crate::log::overrides;
use crate::log::reader::{InMessage, Reader};
use crate::log::streams::{self, Identity};
use crate::log::trouble::Troubles;
use crate::store::{self, Store};
use linesman_domain::outgoing::{OutMessage, Outgoing, Topic};
use linesman_domain::sightings::Room;
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
    /// The last sequence of IN when the engine started.
    pub(super) since: u64,
    pub(super) troubles: Troubles,
    /// Where lanes broke off before.
    pub(super) ends: Arc<Ends>,
    /// Where policies that fail are told.
    pub(super) failures: PolicyFailures,
    /// By lane, which policies take too long again and again.
    pub(super) brakes: RefCell<BTreeMap<u32, Rc<RefCell<Brake>>>>,
    /// On how many of the server's nodes what is made anew lies.
    pub(super) replicas: u32,
    /// How much of the processor's time a run of a policy may take.
    pub(super) policy_time: Duration,
    /// How much memory host-event-IDs have that are remembered, of all lanes.
    pub(super) room: Arc<Room>,
}

struct Start<'a> {
    shared: &'a Shared,
    id: u32,
    store: store::Lane,
    identity: Identity,
    stored: Option<Stored>,
    /// How many inputs were decided anew of those that IN was given since the engine started.
    repeated: &'a Cell<u64>,
    overrides: Vec<Override>,
    status: &'a watch::Sender<LaneStatus>,
}

/// A lane's state where it goes on, and what was decided up to there and is still to be said.
struct TakenUp {
    domain: Domain,
    unsaid: Vec<OutMessage>,
}

impl From<Domain> for TakenUp {
    fn from(domain: Domain) -> Self {
        Self { domain, unsaid: Vec::new() }
    }
}

/// Up to where decisions are repeated silently.
enum Until {
    /// This position, which the log has.
    Position(u64),
    /// This time, or the end of what the log has.
    Time(jiff::Timestamp),
}

impl Shared {
    /// Whether it was found that a lane's state is damaged on disk.
    pub(super) fn is_damaged(&self, lane: u32) -> bool {
        self.store.lane(lane).is_ok_and(|store| store.damage().is_some())
    }

    /// Takes up a lane; it is ours when this returns. It goes on up to the input `halt`, where there is one; `seen` is told
    /// how far OUT was read for overrides.
    pub(super) async fn start(
        &self,
        (id, halt): (u32, Option<u64>),
        status: &watch::Sender<LaneStatus>,
        seen: &mut u64,
    ) -> Result<Lane, Error> {
        let fault = |source| Error::Start { lane: id, source };
        // Of one that is taken up again what it had applied counts on.
        let repeated = Cell::new(status.borrow().decided);
        let (start, mut domain, damage, mark) = self.take(id, (status, &repeated), seen).await?;
        // What was committed was decided without a bound on time, or with overrides.
        domain.bound_policies(Some(self.policy_time));
        let upgrading = start.store.is_behind().map_err(|source| Error::Store { lane: id, source })?.then(Vec::new);
        let position = domain.position().clone();
        let (ticking, is_stale) = Ticking::new(position.now, time::today(), Instant::now());
        // A log that nothing was decided of has no clock yet.
        let is_stale = is_stale && position.sequence > 0;
        let end = streams::last_of_lane(&self.client, id).await.map_err(fault)?;
        self.ends.begins(id, position.sequence);
        let one_by_one = self.ends.one_by_one(id).filter(|until| position.sequence < *until);
        if let Some(until) = one_by_one {
            tracing::warn!(lane = id, until, "the lane broke off before: it takes its input one by one for a while");
        }
        status.send_modify(|status| {
            status.is_running = true;
            status.is_behind = position.sequence < end;
            status.is_past &= status.is_behind;
            status.stopped = None;
            status.doubt = domain.doubt();
            status.sealed = damage;
            status.decided = repeated.get();
            status.advance(&position);
        });
        // What waits for people is said again.
        let is_doubted = domain.doubt().is_some_and(|doubt| !doubt.is_far(position.level));
        Ok(Lane {
            id,
            client: self.client.clone(),
            reader: Reader::new(self.client.clone(), id, position.sequence).telling(&self.troubles),
            outbox: Outbox::new(self.emitter.clone(), id).telling(&self.troubles),
            damages: start.store.damages(),
            store: start.store,
            books: Arc::clone(&self.books),
            behind: Behind::new(self.load.clone()),
            quiet: self.quiet.clone(),
            owner: Arc::clone(&self.owner),
            room: self.store.room(),
            domain,
            mark,
            decided: 0,
            decided_bytes: 0,
            since: self.since,
            counted: 0,
            entered: Vec::new(),
            waits: Waits::default(),
            decided_since: Instant::now(),
            reading: None,
            emitting: None,
            ticking,
            is_doubted,
            failures: self.failures.clone(),
            is_stale,
            ends: Arc::clone(&self.ends),
            one_by_one,
            halt,
            end,
            brake: Rc::clone(self.brakes.borrow_mut().entry(id).or_default()),
            pace: Pace::default(),
            upgrading,
            status: status.clone(),
            changes: self.changes.clone(),
        })
    }

    /// Comes to where a lane goes on and makes it ours: its state, what was wrong with it, and its mark.
    async fn take<'a>(
        &'a self,
        id: u32,
        (status, repeated): (&'a watch::Sender<LaneStatus>, &'a Cell<u64>),
        seen: &mut u64,
    ) -> Result<(Start<'a>, Domain, Option<String>, u64), Error> {
        let fault = |source| Error::Start { lane: id, source };
        let mut attempt = 1;
        loop {
            // IMPORTANT: the mark before the stream's end. The engine before may still be at
            // work, and a mark beyond the end would look like a lost tail.
            fail::fail_point!("lane::start", |_| Err(fault(crate::log::Error::Refused {
                subject: "of a test".to_owned(),
                description: "not now".to_owned(),
                code: 10_008,
            })));
            let stored = mark::last(&self.client, id).await.map_err(fault)?.stored;
            let identity = streams::identity(&self.client).await.map_err(fault)?;
            // Also behind the mark: one that is written between goes with another.
            let found = overrides::read(&self.client, id).await.map_err(fault)?;
            found.make_whole(&self.client, self.replicas).await.map_err(fault)?;
            let overrides = found.all;
            *seen = found.last;
            let store = self.store.lane(id).map_err(|source| Error::Store { lane: id, source })?;
            let start = Start { shared: self, id, store, identity, stored, overrides, status, repeated };
            start.mend()?;
            let damage = start.damage().await?;
            let TakenUp { domain, unsaid } = match &damage {
                Some(why) => start.rebuild(why).await?.into(),
                None => start.catch_up().await?,
            };
            match start.take_over(&domain, damage.as_deref(), unsaid).await {
                Ok(mark) => return Ok((start, domain, damage, mark)),
                // It has gone on since its mark was read: follow it there.
                Err(Error::Emit(EmitError::Fenced { .. })) if damage.is_none() && attempt < TAKE_OVERS => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }
}

impl Start<'_> {
    /// Drops a state that is damaged on disk: it is decided anew, like one that was deleted.
    fn mend(&self) -> Result<(), Error> {
        let Some(what) = self.store.damage() else { return Ok(()) };
        if self.find_beginning().is_err() {
            return Err(Error::Damaged { lane: self.id, what: what.to_string(), first: self.identity.first });
        }
        tracing::error!(
            lane = self.id,
            what = &*what,
            "the lane's state is damaged: it is dropped and rebuilt from the log"
        );
        metrics::counter!("linesman_lane_rebuilds_total").increment(1);
        self.forget();
        self.store.clear().map_err(|source| Error::Irremovable { lane: self.id, source })
    }

    /// What is wrong between state, mark and log, if anything.
    async fn damage(&self) -> Result<Option<String>, Error> {
        let state = domain::position::read(&self.store).map_err(|source| self.undecided(0, source))?;
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
    async fn catch_up(&self) -> Result<TakenUp, Error> {
        let mut domain = self.open().await?;
        let from = domain.position().sequence;
        if from == 0 {
            self.find_beginning()?;
        }
        let Some(stored) = &self.stored else { return Ok(domain.into()) };
        let until = Until::Position(stored.mark.position);
        if from < stored.mark.position {
            let to = stored.mark.position;
            tracing::info!(
                lane = self.id,
                from,
                to,
                "the state stands behind the mark: what is between is decided again"
            );
        }
        let mut tail = self.repeat(&mut domain, &until).await?;
        if let Some(unsaid) = self.agree(from, &domain, stored) {
            return Ok(TakenUp { domain, unsaid: tail.take_unsaid(unsaid) });
        }
        let mut before = None;
        if from > 0 {
            // Its own matter, and no reason to refuse the other lanes.
            if self.find_beginning().is_err() {
                let what = "it leads to another digest than was committed".to_owned();
                return Err(Error::Damaged { lane: self.id, what, first: self.identity.first });
            }
            tracing::error!(lane = self.id, "the state leads to another digest than was committed; rebuilding it");
            metrics::counter!("linesman_lane_rebuilds_total").increment(1);
            // Only what stands at the mark says anything of what is decided up to there.
            let is_there = domain.position().sequence == stored.mark.position;
            before = if is_there { Rows::of(&self.store) } else { None };
            self.clear()?;
            domain = self.open().await?;
            tail = self.repeat(&mut domain, &until).await?;
            if let Some(unsaid) = self.agree(0, &domain, stored) {
                return Ok(TakenUp { domain, unsaid: tail.take_unsaid(unsaid) });
            }
        }
        Err(self.diverged(&domain, stored, (tail, before)).await?)
    }

    /// Whether what was decided again from a place on is what was committed, or was accepted in its place: then which
    /// overrides nobody was told of.
    fn agree(&self, from: u64, domain: &Domain, stored: &Stored) -> Option<Vec<u64>> {
        let (position, mark) = (domain.position(), &stored.mark);
        if hex::encode(position.digest) == mark.digest {
            return Some(Vec::new());
        }
        let is_it = |one: &&Override| match &one.what {
            Overridden::AcceptDecision { expected, .. } => *expected == mark.digest && one.message == mark.message,
            Overridden::SkipInput
            | Overridden::SkipTimer { .. }
            | Overridden::SetPolicyAside { .. }
            | Overridden::SuspendPolicy { .. } => false,
        };
        // It is part of what is decided at its place, so that has to be decided again.
        let is_repeated = from < mark.position && position.sequence == mark.position;
        let accepted = self.overrides.iter().filter(|one| one.position == mark.position && is_repeated).find(is_it)?;
        let said_with_it = self.overrides.iter().filter(|one| one.at == accepted.at);
        Some(said_with_it.map(|one| one.position).collect())
    }

    /// What was decided otherwise, held against what OUT has, and the rows against those of the state before, where there was one.
    async fn diverged(
        &self,
        domain: &Domain,
        stored: &Stored,
        (tail, before): (Tail, Option<Rows>),
    ) -> Result<Error, Error> {
        let fault = |source| Error::Start { lane: self.id, source };
        let found = tail.compare(&self.shared.client).await.map_err(fault)?;
        let position = stored.mark.position;
        let diverged = Diverged {
            position,
            expected: stored.mark.digest.clone(),
            found: hex::encode(domain.position().digest),
            events: found.events,
            more: found.more,
            rows: before
                .map(|before| before.compare(&self.store))
                .transpose()
                .map_err(|source| Error::Store { lane: self.id, source })?,
        };
        let input = found.input.unwrap_or(position);
        Ok(Error::Diverged { lane: self.id, position, input, diverged: Box::new(diverged) })
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

    /// What was applied is that of an earlier time from here on.
    fn forget(&self) {
        self.repeated.set(0);
        self.fall_behind();
        self.status.send_modify(|status| status.is_past = true);
    }

    fn clear(&self) -> Result<(), Error> {
        self.forget();
        self.store.clear().map_err(|source| Error::Store { lane: self.id, source })
    }

    /// The state is not what was committed, until the lane is taken up.
    fn fall_behind(&self) {
        self.status.send_modify(|status| status.is_behind = true);
    }

    async fn open(&self) -> Result<Domain, Error> {
        let fault = |source| self.undecided(0, source);
        let book = match domain::rule_book::read(&self.store).map_err(fault)? {
            Some(row) => {
                let book = self.shared.books.get_patiently(row.reference()).await;
                Some(book.map_err(|absent| fault(domain::Error::Absent(absent)))?)
            }
            None => None,
        };
        let parts = Parts {
            lane: self.id,
            stream: self.identity.created.clone(),
            payload_most: payload_most(&self.shared.client),
            judge: Rc::clone(&self.shared.judge),
            book,
            room: Arc::clone(&self.shared.room),
        };
        self.store.complete(&self.identity.created).map_err(fault)?;
        // The level of the state was looked at before.
        let mut domain = unbroken(|| Domain::open(Box::new(self.store.clone()), parts)).map_err(fault)?;
        domain.override_with(self.overrides.clone());
        Ok(domain)
    }

    fn undecided(&self, position: u64, source: domain::Error) -> Error {
        Error::Decide { lane: self.id, position, source }
    }

    /// Decides again what was committed, without saying it again; what was said last of it.
    async fn repeat(&self, domain: &mut Domain, until: &Until) -> Result<Tail, Error> {
        let mut tail = Tail::of(&self.overrides);
        let end = match until {
            Until::Position(position) => *position,
            Until::Time(_) => {
                let last = streams::last_of_lane(&self.shared.client, self.id).await;
                last.map_err(|source| Error::Start { lane: self.id, source })?
            }
        };
        let mut reader =
            Reader::new(self.shared.client.clone(), self.id, domain.position().sequence).telling(&self.shared.troubles);
        let mut reported = Instant::now();
        let ends = &self.shared.ends;
        ends.begins(self.id, domain.position().sequence);
        let (bar, one_by_one) = (ends.stands_at(self.id).map(|(at, _)| at), ends.one_by_one(self.id));
        if domain.position().sequence < end {
            self.fall_behind();
        }
        while domain.position().sequence < end {
            let batch = reader.receive(BOUNDS).await.map_err(|source| Error::Start { lane: self.id, source })?;
            let due: Vec<InMessage> = batch.iter().filter(|message| is_due(message, end, until)).cloned().collect();
            let is_last = due.len() < batch.len();
            let aside = skipped(domain, &due);
            let decoded = decode(due, &self.shared.books, None, (None, aside)).await;
            let decoded = decoded.map_err(|error| Error::Broken(io::Error::other(error)))?;
            for input in decoded.inputs() {
                let is_overridden = tail.is_overridden(input.sequence);
                let is_alone = one_by_one.is_some_and(|until| input.sequence <= until);
                if is_overridden || is_alone {
                    self.keep(domain, &mut tail, None)?;
                }
                if bar == Some(input.sequence) {
                    return Err(Error::Halted { lane: self.id, position: input.sequence });
                }
                ends.reads(self.id, input.sequence);
                let fault = |source| Error::of_decision(self.id, input.sequence, source);
                let stood = domain.position().now;
                time::tell(&self.shared.client, self.id, domain, input, || stood).await;
                decide_one(domain, input).map_err(fault)?;
                fail::fail_point!("lane::input", super::breaks(domain, input), |_| Ok(Tail::of(&[])));
                self.repeated.set(self.repeated.get() + u64::from(input.sequence > self.shared.since));
                tail.decided(domain.position().now, input.sequence);
                if is_overridden {
                    self.keep(domain, &mut tail, Some(input.sequence))?;
                }
            }
            self.keep(domain, &mut tail, None)?;
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
        Ok(tail)
    }

    /// Applies what was decided again; `of` is the input that all of it came of, where that is to be known.
    fn keep(&self, domain: &mut Domain, tail: &mut Tail, of: Option<u64>) -> Result<(), Error> {
        let position = domain.position().sequence;
        let decision = take(domain).map_err(|source| self.undecided(position, source))?;
        self.store.apply(&decision.writes).map_err(|source| Error::Store { lane: self.id, source })?;
        domain.applied(&decision.writes);
        self.shared.ends.applies(self.id, position);
        tail.said(decision.messages, of);
        Ok(())
    }

    /// Makes the lane ours: from this mark on, batches of whoever had it before are refused whole.
    async fn take_over(&self, domain: &Domain, damage: Option<&str>, unsaid: Vec<OutMessage>) -> Result<u64, Error> {
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
            outgoing
                .add(&topic, &id, position.now, data)
                .map_err(|source| self.undecided(position.sequence, source))?;
        }
        let after = self.stored.as_ref().map_or(0, |stored| stored.sequence);
        let mark = mark::of(domain.position(), &self.shared.owner);
        let messages = outgoing.take().into_iter().chain(unsaid).collect();
        let batch = Batch::new(messages, mark, after);
        let outbox = Outbox::new(self.shared.client.clone(), self.id).telling(&self.shared.troubles);
        Ok(outbox.emit(batch).await?)
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
