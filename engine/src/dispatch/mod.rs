//! Carries out what stands as pending in the state, and reports how it ended as inputs.
//!
//! ```text
//!  lanes --Change--> roster --Change--> a task per destination: whose queues to look at --due row--> connector
//!    ^                                                                                                  |
//!    +------------------------------ in.<org>.result.<connector> <--------------------------------------+
//! ```
//!
//! Rows, attempts, times and circuits are the state's; here is only what is under way. Each
//! destination, a connector and a peer of it, has its own task and its own bounds, so a sick one grows
//! only its own queue. Within a destination the organizations take turns. What a crash interrupts still
//! stands as pending.

mod attempt;
mod budget;
mod cases;
mod clock;
mod contents;
mod destination;
mod queue;
mod report;
mod roster;
#[cfg(test)]
mod tests;
mod wanted;

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use linesman_connectors::Connector;
use linesman_domain as domain;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinError;
use tokio::time::{Instant, sleep_until};

use crate::failing::Failing;
use crate::lane::status::{Change, LaneStatus};
use crate::metrics::begin_connector;
use crate::store::{self, Store};
use attempt::Shared;
pub use clock::Steady;
pub(crate) use contents::Fetching;
use roster::Roster;

/// How often it is told what connectors have left of their hours.
const TOLD_EVERY: Duration = Duration::from_secs(10);
/// How long to wait after the store could not be read.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// How many destinations have a task at a time. Others wait for one that has nothing under way.
const TASKS_MOST: usize = 1_024;

/// What the dispatcher needs.
pub struct Dispatcher {
    /// All connectors.
    pub connectors: Vec<Arc<dyn Connector>>,
    /// Where pending rows are read.
    pub store: Arc<Store>,
    /// Where reports are published.
    pub client: Client,
    /// How far each lane is, by number: its clock is the one that its rows are timed by.
    pub lanes: Vec<watch::Receiver<LaneStatus>>,
    /// Whether anything may leave for the upstream; what may not waits.
    pub sends: watch::Receiver<bool>,
    /// Where it tells what fails, and why.
    pub failing: Arc<Failing>,
    /// Where it tells how it is.
    pub overview: watch::Sender<Overview>,
    /// This node, as reports name it.
    pub node: Arc<str>,
    /// By what time passes while the lanes' clocks stand.
    pub steady: Steady,
}

/// How the dispatcher is, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overview {
    /// The connectors there are; what waits for another one waits on.
    pub connectors: Vec<&'static str>,
    /// How many destinations have a task.
    pub tasks: usize,
    /// How many wait for one, or for their next moment.
    pub waiting: usize,
    /// How many tasks have ended to make room.
    pub ended: u64,
}

impl Dispatcher {
    /// Runs until told to stop, then waits a bounded while for what is under way.
    ///
    /// # Errors
    /// The store cannot be read at a destination's beginning, or a destination's task broke off.
    pub async fn run(self, changes: mpsc::UnboundedReceiver<Change>, stop: watch::Receiver<bool>) -> Result<(), Error> {
        self.run_within(TASKS_MOST, changes, stop).await
    }

    async fn run_within(
        self,
        tasks_most: usize,
        mut changes: mpsc::UnboundedReceiver<Change>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), Error> {
        let Self { connectors, store, client, lanes, sends, failing, overview, node, steady } = self;
        connectors.iter().for_each(|connector| failing.begin(connector.name()));
        let shared = Arc::new(Shared::new(store, client, lanes, (sends, steady), (node, failing)));
        connectors.iter().for_each(|connector| begin_connector(connector.name()));
        let mut tell_at = Instant::now();
        let (mut roster, mut rests) = Roster::new(connectors, Arc::clone(&shared), stop.clone(), tasks_most);
        for destination in queue::destinations(&shared)? {
            roster.want(destination);
        }
        loop {
            roster.fill()?;
            overview.send_if_modified(|known| {
                let overview = roster.overview();
                let is_news = *known != overview;
                *known = overview;
                is_news
            });
            let next = roster.next();
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                change = changes.recv() => match change {
                    Some(change) => roster.changed(change)?,
                    None => break,
                },
                Some(rest) = rests.recv() => roster.rests(rest),
                Some(ended) = roster.ended() => roster.leave(ended?),
                () = at(next) => {}
                () = sleep_until(tell_at) => {
                    roster.tell_budgets();
                    tell_at = Instant::now() + TOLD_EVERY;
                }
            }
        }
        roster.drain().await
    }
}

/// Ends at a moment; never without one.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Why reactions are not carried out any more; it stops the engine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store cannot be read.
    #[error("pending reactions cannot be read")]
    Store(#[from] store::Error),
    /// What the store holds cannot be read.
    #[error("pending reactions cannot be read")]
    Rows(#[from] domain::Error),
    /// It panicked: what was under way stands as pending.
    #[error("carrying out reactions broke off")]
    Broken(#[from] JoinError),
}
