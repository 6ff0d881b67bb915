//! One destination's work: hands out what is due as far as its bounds allow.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use linesman_connectors::Connector;
use linesman_domain as domain;
use linesman_schemas::{Peer, upload};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep};

use super::attempt::{self, Shared};
use super::budget::Shared as Budget;
use super::queue::{Due, Queues, Row};
use super::{Error, STORE_PAUSE};
use crate::lane::status::Change;

/// How long a drain waits for attempts under way; what has not ended by then is tried again later.
const DRAIN: Duration = Duration::from_secs(5);
/// The longest pause between looks; clocks may jump.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// The shortest.
const LOOK_LEAST: Duration = Duration::from_millis(5);

/// A destination that has nothing under way and nothing that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) destination: Arc<str>,
    /// How long until it is worth looking again; none when nothing waits for it.
    pub(super) wait: Option<Duration>,
}

/// A destination, a connector and a peer of it.
pub(super) struct Work {
    name: Arc<str>,
    peer: Option<Peer>,
    connector: Arc<dyn Connector>,
    queues: Queues,
    /// What all destinations of the connector may ask for in an hour; none for no bound.
    budget: Option<Budget>,
    shared: Arc<Shared>,
    /// What all destinations of the connector have under way together.
    share: Option<Arc<Semaphore>>,
    /// This one's part of it for its next attempt.
    permit: Option<OwnedSemaphorePermit>,
    attempts: JoinSet<Ended>,
    /// What was told of the store last.
    told: String,
}

/// An attempt that has ended and is reported.
struct Ended {
    requests: u32,
    lane: u32,
}

/// What to wait for besides changes and attempts under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// This long; none: until something changes.
    Pause(Option<Duration>),
    /// A part of what all destinations of the connector share.
    Share,
    /// The end of an attempt, at whichever destination of the connector: all that it may ask for is under way.
    Budget,
}

impl Work {
    pub(super) fn open(
        shared: &Arc<Shared>,
        name: Arc<str>,
        peer: Option<Peer>,
        connector: Arc<dyn Connector>,
        (share, budget): (Option<Arc<Semaphore>>, Option<Budget>),
    ) -> Result<Self, Error> {
        let mut queues = Queues::open(&shared.store, Arc::clone(&name), shared.lanes_count())?;
        queues.watch(shared.lanes());
        Ok(Self {
            queues,
            budget,
            name,
            peer,
            connector,
            shared: Arc::clone(shared),
            share,
            permit: None,
            attempts: JoinSet::new(),
            told: String::new(),
        })
    }

    /// Works until told to stop, or until nothing more comes and what is under way has ended.
    pub(super) async fn run(
        mut self,
        mut changes: mpsc::UnboundedReceiver<Change>,
        rests: mpsc::UnboundedSender<Rest>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<Rest, JoinError> {
        let mut is_ending = false;
        let mut freed = self.budget.as_ref().map(Budget::ended);
        // Since when there is nothing to do, and until when; none while there is.
        let mut rest: Option<(Instant, Option<Duration>)> = None;
        loop {
            let wait = if is_ending { Wait::Pause(None) } else { self.look() };
            match wait {
                Wait::Pause(_) if is_ending && self.attempts.is_empty() => {
                    let wait = match rest {
                        Some((since, wait)) => wait.map(|wait| wait.saturating_sub(since.elapsed())),
                        // What came last was not looked at.
                        None => Some(Duration::ZERO),
                    };
                    return Ok(Rest { destination: self.name, wait });
                }
                Wait::Pause(pause) if self.attempts.is_empty() && !is_ending => {
                    if rest.is_none() {
                        // Whoever hears it ends only with us.
                        let _ = rests.send(Rest { destination: Arc::clone(&self.name), wait: pause });
                    }
                    rest = Some((Instant::now(), pause));
                }
                Wait::Pause(_) | Wait::Share | Wait::Budget => {}
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                change = changes.recv(), if !is_ending => match change {
                    Some(change) => {
                        rest = None;
                        self.queues.changed(&change);
                        while let Ok(change) = changes.try_recv() {
                            self.queues.changed(&change);
                        }
                    }
                    None => is_ending = true,
                },
                Some(ended) = self.attempts.join_next() => {
                    rest = None;
                    self.ended(&ended?);
                }
                permit = acquire(self.share.clone()), if wait == Wait::Share => self.permit = permit,
                () = heard(&mut freed), if wait == Wait::Budget => {}
                () = pause(wait) => {}
            }
        }
        self.drain().await;
        Ok(Rest { destination: self.name, wait: None })
    }

    async fn drain(&mut self) {
        let drain = async { while self.attempts.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drain).await.is_err() {
            tracing::warn!(destination = %self.name, "attempts under way are left; they will be made again");
        }
    }

    fn ended(&mut self, ended: &Ended) {
        if let Some(budget) = &self.budget {
            budget.end(self.shared.steady_now(), ended.requests);
        }
        self.queues.released(ended.lane);
    }

    /// Hands out what is due; a store that cannot be read is looked at again after a pause.
    fn look(&mut self) -> Wait {
        match self.hand_out() {
            Ok(wait) => {
                self.told.clear();
                wait
            }
            Err(error) => {
                metrics::counter!("linesman_dispatch_store_failures_total").increment(1);
                let text = error.to_string();
                if self.told != text {
                    tracing::error!(destination = %self.name, %error, "pending reactions cannot be read");
                    self.told = text;
                }
                Wait::Pause(Some(STORE_PAUSE))
            }
        }
    }

    /// Hands out what is due, as far as the bounds allow; what to wait for then.
    fn hand_out(&mut self) -> Result<Wait, domain::Error> {
        let moment = self.shared.moment();
        self.queues.catch_up(&moment)?;
        if self.connector.is_upstream() && !*self.shared.sends.borrow() {
            // What waits stands in the state, and is not given up meanwhile.
            return Ok(Wait::Pause(Some(LOOK_EVERY)));
        }
        let now = self.shared.steady_now();
        while self.attempts.len() < self.connector.concurrency(self.peer.as_ref()) {
            if let Some(Err(until)) = self.budget.as_ref().map(|budget| budget.allow(now, self.is_of_uploads())) {
                self.permit = None;
                return Ok(until.map_or(Wait::Budget, |until| until_of(now, Some(until))));
            }
            match self.queues.next(&moment)? {
                Due::Now(row) if self.has_share() => {
                    self.queues.take(&row);
                    self.attempt(row);
                }
                Due::Now(_) => return Ok(Wait::Share),
                Due::At(next) => {
                    self.permit = None;
                    return Ok(Wait::Pause(next.map(|next| next.saturating_duration_since(moment.at))));
                }
            }
        }
        // One of those under way ends first.
        Ok(Wait::Pause(None))
    }

    /// Whether what goes there are uploads, beside what the same upstream is told of cases.
    fn is_of_uploads(&self) -> bool {
        self.connector.is_upstream() && self.peer.as_ref().is_some_and(|peer| peer.as_str() == upload::PEER)
    }

    /// Whether another attempt may be made beside those of the connector's other destinations.
    fn has_share(&mut self) -> bool {
        let Some(share) = &self.share else { return true };
        if self.permit.is_none() {
            self.permit = Arc::clone(share).try_acquire_owned().ok();
        }
        self.permit.is_some()
    }

    fn attempt(&mut self, row: Row) {
        let (connector, shared) = (Arc::clone(&self.connector), Arc::clone(&self.shared));
        let (name, peer, permit) = (Arc::clone(&self.name), self.peer.clone(), self.permit.take());
        if let Some(budget) = &self.budget {
            budget.begin();
        }
        self.attempts.spawn(async move {
            let lane = row.lane;
            let requests = attempt::make(&shared, &*connector, (&name, peer), row).await;
            drop(permit);
            Ended { requests, lane }
        });
    }
}

/// A part of what the destinations of a connector share; none where they share nothing.
async fn acquire(share: Option<Arc<Semaphore>>) -> Option<OwnedSemaphorePermit> {
    share?.acquire_owned().await.ok()
}

/// Ends with the next attempt of the connector's that does.
async fn heard(freed: &mut Option<watch::Receiver<()>>) {
    if let Some(freed) = freed
        && freed.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

fn until_of(now: Timestamp, until: Option<Timestamp>) -> Wait {
    Wait::Pause(until.map(|until| Duration::try_from(until.duration_since(now)).unwrap_or_default()))
}

/// Sleeps for as long as there is nothing to look at.
async fn pause(wait: Wait) {
    match wait {
        Wait::Pause(Some(pause)) => sleep(pause.clamp(LOOK_LEAST, LOOK_EVERY)).await,
        Wait::Pause(None) | Wait::Share | Wait::Budget => std::future::pending().await,
    }
}
