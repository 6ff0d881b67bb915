//! Carries out what stands as pending in the state, and reports how it ended as inputs.
//!
//! ```text
//!  lanes --Change--> per destination: whose queues to look at --due row--> connector
//!    ^                                                                        |
//!    +------------- in.<org>.result.<connector> <-----------------------------+
//! ```
//!
//! Rows, attempts, times and circuits are the state's; here is only what is under way. Each
//! destination has its own task and its own bound, so a sick one grows only its own queue. Within a
//! destination the organizations take turns. What a crash interrupts still stands as pending.

mod budget;
mod cases;
mod queue;
mod report;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Client;
use futures_util::FutureExt;
use jiff::Timestamp;
use linesman_connectors::{Attempted, Connector};
use linesman_schemas::outcome::{Failure, FailureClass, Outcome};
use linesman_schemas::reaction::Task;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use crate::lane::status::{Change, LaneStatus};
use crate::store::{self, Store};
use budget::Budget;
use queue::{Due, Queues, Row};

/// How long a drain waits for attempts under way; what has not ended by then is tried again later.
const DRAIN: Duration = Duration::from_secs(10);
/// The longest pause between looks; clocks may jump.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How long to wait after the store could not be read.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// What the dispatcher needs.
pub struct Dispatcher {
    /// All connectors.
    pub connectors: Vec<Arc<dyn Connector>>,
    /// Where pending rows are read.
    pub store: Arc<Store>,
    /// Where reports are published.
    pub client: Client,
    /// How far each lane is, by number: their clock is the one that rows are timed by.
    pub lanes: Vec<watch::Receiver<LaneStatus>>,
}

impl Dispatcher {
    /// Runs until told to stop, then waits a bounded while for what is under way.
    ///
    /// # Errors
    /// The store cannot be opened, or a destination's task broke off.
    pub async fn run(
        self,
        mut changes: mpsc::UnboundedReceiver<Change>,
        stop: watch::Receiver<bool>,
    ) -> Result<(), Error> {
        let mut tasks = JoinSet::new();
        let mut destinations = Vec::new();
        let lanes = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        for connector in &self.connectors {
            let (sender, receiver) = mpsc::unbounded_channel();
            destinations.push((connector.name(), sender));
            let destination = Destination {
                queues: Queues::open(&self.store, connector.name(), lanes)?,
                budget: Budget::open(&self.store, &**connector, lanes)?,
                connector: Arc::clone(connector),
                client: self.client.clone(),
                store: Arc::clone(&self.store),
                lanes: self.lanes.clone(),
                attempts: JoinSet::new(),
            };
            tasks.spawn(destination.run(receiver, stop.clone()));
        }
        let mut stopped = stop;
        loop {
            let change = tokio::select! {
                change = changes.recv() => change,
                _ = stopped.wait_for(|stop| *stop) => None,
                Some(ended) = tasks.join_next() => {
                    ended??;
                    None
                }
            };
            let Some(change) = change else { break };
            // A destination without a connector waits, visibly, in the state.
            if let Some((_, sender)) = destinations.iter().find(|(name, _)| *name == change.destination) {
                // The task ends only with us.
                let _ = sender.send(change);
            }
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    }
}

/// Why reactions are not carried out any more; it stops the engine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store cannot be read.
    #[error("pending reactions cannot be read")]
    Store(#[from] store::Error),
    /// It panicked: what was under way stands as pending.
    #[error("carrying out reactions broke off")]
    Broken(#[from] JoinError),
}

/// One destination's work.
struct Destination {
    connector: Arc<dyn Connector>,
    queues: Queues,
    budget: Budget,
    client: Client,
    store: Arc<Store>,
    lanes: Vec<watch::Receiver<LaneStatus>>,
    attempts: JoinSet<Ended>,
}

/// An attempt that has ended and is reported.
struct Ended {
    requests: u32,
    lane: u32,
}

impl Destination {
    async fn run(
        mut self,
        mut changes: mpsc::UnboundedReceiver<Change>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), JoinError> {
        loop {
            let pause = match self.hand_out() {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::error!(destination = self.connector.name(), %error, "pending reactions cannot be read");
                    STORE_PAUSE
                }
            };
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                change = changes.recv() => {
                    let Some(change) = change else { break };
                    self.queues.changed(&change);
                    while let Ok(change) = changes.try_recv() {
                        self.queues.changed(&change);
                    }
                }
                Some(ended) = self.attempts.join_next() => self.ended(&ended?),
                () = tokio::time::sleep(pause) => {}
            }
        }
        let drain = async { while self.attempts.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drain).await.is_err() {
            tracing::warn!(destination = self.connector.name(), "attempts under way are left; they will be made again");
        }
        Ok(())
    }

    fn ended(&mut self, ended: &Ended) {
        self.budget.spend(self.now(), ended.requests);
        self.queues.released(ended.lane);
    }

    /// Rows are timed by the log's clock; where ours is behind it, its counts.
    fn now(&self) -> Timestamp {
        let lanes = self.lanes.iter().map(|status| status.borrow().now);
        lanes.max().map_or_else(Timestamp::now, |lane| lane.max(Timestamp::now()))
    }

    /// Hands out what is due, as far as the bounds allow; how long until it is worth looking again.
    fn hand_out(&mut self) -> Result<Duration, store::Error> {
        let now = self.now();
        while self.attempts.len() < self.connector.concurrency() {
            if let Err(until) = self.budget.allow(now, self.attempts.len()) {
                return Ok(pause(now, Some(until)));
            }
            match self.queues.next(now)? {
                Due::Now(row) => self.attempt(row),
                Due::At(next) => return Ok(pause(now, next)),
            }
        }
        Ok(LOOK_EVERY)
    }

    fn attempt(&mut self, row: Row) {
        let connector = Arc::clone(&self.connector);
        let (client, store, lanes) = (self.client.clone(), Arc::clone(&self.store), self.lanes.len());
        self.attempts.spawn(async move {
            let since = Instant::now();
            let mut attempted = carry_out(&*connector, &row.task).await;
            let took = since.elapsed();
            attempted.changes.retain(|standing| cases::is_news(&store, lanes, standing));
            metrics::counter!("linesman_attempts_total", "connector" => connector.name()).increment(1);
            metrics::histogram!("linesman_attempt_seconds", "connector" => connector.name()).record(took.as_secs_f64());
            fail::fail_point!("dispatch::before-report");
            report::publish(&client, connector.name(), &row.task, &attempted).await;
            Ended { requests: attempted.requests, lane: row.lane }
        });
    }
}

/// One attempt. A connector that panics has failed in it, like one that was answered with garbage:
/// nobody knows what came of it, and it is made again. Left alone it would count as under way for ever.
async fn carry_out(connector: &dyn Connector, task: &Task) -> Attempted {
    let attempt = async {
        fail::fail_point!("dispatch::attempt");
        connector.carry_out(task).await
    };
    let attempted = AssertUnwindSafe(attempt).catch_unwind().await;
    attempted.unwrap_or_else(|_| {
        tracing::error!(destination = connector.name(), reaction = %task.id, "a connector broke off");
        let message = format!("the connector `{}` broke off", connector.name());
        let failure = Failure { class: FailureClass::Garbled, message, retry_after_s: None };
        Attempted { requests: 1, outcome: Outcome::Failed(failure), changes: Vec::new() }
    })
}

fn pause(now: Timestamp, next: Option<Timestamp>) -> Duration {
    let wait = next.map_or(LOOK_EVERY, |next| Duration::try_from(next.duration_since(now)).unwrap_or_default());
    wait.clamp(Duration::from_millis(5), LOOK_EVERY)
}
