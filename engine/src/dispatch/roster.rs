//! Which destinations have a task: those that rows and changes speak of, so many at a time.
//!
//! One that has nothing under way gives its task to one that waits. What it was waiting for itself, a row
//! that is not due or a circuit that rests, stands in the state; here only the moment is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use linesman_connectors::Connector;
use linesman_schemas::{Destination, Peer};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::attempt::Shared;
use super::budget::Shared as Budget;
use super::destination::{Rest, Work};

use super::{Error, Overview, queue};
use crate::lane::status::Change;

/// The longest that a destination without a task is not looked at; clocks may jump.
const WAIT_MOST: Duration = Duration::from_secs(600);

/// A destination with a task.
struct Running {
    /// What reaches it; none once it is to end.
    changes: Option<mpsc::UnboundedSender<Change>>,
    /// Its place among those at rest.
    rest: Option<u64>,
}

/// All destinations that have something to do.
pub(super) struct Roster {
    connectors: Vec<Arc<dyn Connector>>,
    /// What all destinations of a connector may have under way together.
    shares: BTreeMap<&'static str, Arc<Semaphore>>,
    /// What all destinations of a connector may ask for in an hour; none for no bound.
    budgets: BTreeMap<&'static str, Option<Budget>>,
    shared: Arc<Shared>,
    stop: watch::Receiver<bool>,
    tasks_most: usize,
    tasks: JoinSet<Result<Rest, JoinError>>,
    running: BTreeMap<Arc<str>, Running>,
    /// Those at rest, the one that has been for longest first.
    resting: BTreeMap<u64, Arc<str>>,
    rests: u64,
    rest_sender: mpsc::UnboundedSender<Rest>,
    /// Those without a task, and when they want one.
    waiting: BTreeMap<Arc<str>, Instant>,
    order: BTreeSet<(Instant, Arc<str>)>,
    /// Those whose connector there is not.
    unserved: BTreeSet<String>,
    /// How many tasks have ended to make room.
    displaced: u64,
}

impl Roster {
    pub(super) fn new(
        connectors: Vec<Arc<dyn Connector>>,
        shared: Arc<Shared>,
        stop: watch::Receiver<bool>,
        tasks_most: usize,
    ) -> (Self, mpsc::UnboundedReceiver<Rest>) {
        let (rest_sender, rests) = mpsc::unbounded_channel();
        let share = |connector: &Arc<dyn Connector>| {
            let most = connector.concurrency_in_all()?.max(1);
            Some((connector.name(), Arc::new(Semaphore::new(most))))
        };
        let roster = Self {
            shares: connectors.iter().filter_map(share).collect(),
            connectors,
            budgets: BTreeMap::new(),
            shared,
            stop,
            tasks_most,
            tasks: JoinSet::new(),
            running: BTreeMap::new(),
            resting: BTreeMap::new(),
            rests: 0,
            rest_sender,
            waiting: BTreeMap::new(),
            order: BTreeSet::new(),
            unserved: BTreeSet::new(),
            displaced: 0,
        };
        (roster, rests)
    }

    pub(super) fn overview(&self) -> Overview {
        Overview {
            connectors: self.connectors.iter().map(|connector| connector.name()).collect(),
            tasks: self.running.len(),
            waiting: self.waiting.len(),
            ended: self.displaced,
        }
    }

    /// A destination has something to do now.
    pub(super) fn want(&mut self, destination: String) {
        if self.connector_of(&destination).is_some() {
            self.want_at(destination.into(), Instant::now());
        } else if !self.unserved.contains(&destination) {
            // It waits in the state, where the status shows it.
            tracing::info!(destination, "reactions wait: there is no such connector");
            self.unserved.insert(destination);
        }
    }

    fn connector_of(&self, destination: &str) -> Option<(&Arc<dyn Connector>, Option<Peer>)> {
        let Destination { connector, peer } = destination.parse().ok()?;
        let found = self.connectors.iter().find(|known| known.name() == connector)?;
        Some((found, peer))
    }

    fn want_at(&mut self, destination: Arc<str>, at: Instant) {
        let at = self.waiting.get(&destination).map_or(at, |known| at.min(*known));
        self.forget(&destination);
        self.order.insert((at, Arc::clone(&destination)));
        self.waiting.insert(destination, at);
    }

    fn forget(&mut self, destination: &Arc<str>) {
        if let Some(at) = self.waiting.remove(destination) {
            self.order.remove(&(at, Arc::clone(destination)));
        }
    }

    /// A lane says that a destination's queue or circuit changed.
    pub(super) fn changed(&mut self, change: Change) -> Result<(), Error> {
        if change.destination.is_empty() {
            return self.changed_everywhere(&change);
        }
        let running = self.running.get(change.destination.as_str());
        match running.and_then(|running| running.changes.as_ref()) {
            // The task ends only when told to.
            Some(changes) => drop(changes.send(change)),
            None => self.want(change.destination),
        }
        Ok(())
    }

    /// An organization's queues changed at every destination.
    fn changed_everywhere(&mut self, change: &Change) -> Result<(), Error> {
        for running in self.running.values() {
            if let Some(changes) = &running.changes {
                // The task ends only when told to.
                let _ = changes.send(change.clone());
            }
        }
        for destination in queue::destinations(&self.shared)? {
            let is_told = self.running.get(destination.as_str()).is_some_and(|running| running.changes.is_some());
            if !is_told {
                self.want(destination);
            }
        }
        Ok(())
    }

    /// A destination has nothing under way and nothing that is due.
    pub(super) fn rests(&mut self, rest: Rest) {
        let Some(running) = self.running.get_mut(&rest.destination) else { return };
        if let Some(place) = running.rest.take() {
            self.resting.remove(&place);
        }
        if running.changes.is_some() {
            self.rests += 1;
            running.rest = Some(self.rests);
            self.resting.insert(self.rests, rest.destination);
        }
    }

    /// Gives tasks to those that want one, as far as there is room; where there is none, one at rest makes it.
    pub(super) fn fill(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        let mut ending = self.running.values().filter(|running| running.changes.is_none()).count();
        let due = self.order.iter().take_while(|(at, _)| *at <= now).take(self.tasks_most);
        let due: Vec<_> = due.map(|(_, destination)| Arc::clone(destination)).collect();
        for destination in due {
            if self.running.contains_key(&destination) {
                // It ends, and is taken up again then.
                continue;
            }
            if self.running.len() < self.tasks_most {
                self.forget(&destination);
                self.start(destination)?;
            } else if ending > 0 {
                ending -= 1;
            } else if !self.displace() {
                break;
            }
        }
        Ok(())
    }

    /// Tells the one that has been at rest for longest to end; whether there is one.
    fn displace(&mut self) -> bool {
        let Some((_, destination)) = self.resting.pop_first() else { return false };
        if let Some(running) = self.running.get_mut(&destination) {
            (running.changes, running.rest) = (None, None);
        }
        self.displaced += 1;
        metrics::counter!("linesman_destinations_displaced_total").increment(1);
        true
    }

    fn start(&mut self, destination: Arc<str>) -> Result<(), Error> {
        let Some((connector, peer)) = self.connector_of(&destination) else { return Ok(()) };
        let (share, connector) = (self.shares.get(connector.name()).cloned(), Arc::clone(connector));
        let budget = match self.budgets.get(connector.name()) {
            Some(known) => known.clone(),
            None => {
                let budget = Budget::open(&self.shared, &*connector)?;
                self.budgets.insert(connector.name(), budget.clone());
                self.tell_budgets();
                budget
            }
        };
        let task = Work::open(&self.shared, Arc::clone(&destination), peer, connector, (share, budget))?;
        let (changes, receiver) = mpsc::unbounded_channel();
        self.tasks.spawn(task.run(receiver, self.rest_sender.clone(), self.stop.clone()));
        self.running.insert(destination, Running { changes: Some(changes), rest: None });
        Ok(())
    }

    /// Tells what connectors have left of their hours' requests.
    pub(super) fn tell_budgets(&self) {
        let now = self.shared.steady_now();
        for (connector, budget) in &self.budgets {
            if let Some(budget) = budget {
                let (left, allowed) = budget.left(now);
                metrics::gauge!("linesman_upstream_requests_left", "connector" => *connector).set(f64::from(left));
                metrics::gauge!("linesman_upstream_requests_allowed", "connector" => *connector)
                    .set(f64::from(allowed));
            }
        }
    }

    /// The next task that ends; none while there are none.
    pub(super) async fn ended(&mut self) -> Option<Result<Rest, JoinError>> {
        Some(self.tasks.join_next().await?.and_then(|ended| ended))
    }

    /// A destination's task has ended.
    pub(super) fn leave(&mut self, rest: Rest) {
        if let Some(Running { rest: Some(place), .. }) = self.running.remove(&rest.destination) {
            self.resting.remove(&place);
        }
        if let Some(wait) = rest.wait {
            self.want_at(rest.destination, Instant::now() + wait.min(WAIT_MOST));
        }
    }

    /// When the next one without a task wants one; those that want one by now wait for room, which is told.
    pub(super) fn next(&self) -> Option<Instant> {
        let now = Instant::now();
        self.order.iter().map(|(at, _)| *at).find(|at| *at > now)
    }

    /// Waits until all tasks have ended.
    pub(super) async fn drain(&mut self) -> Result<(), Error> {
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
        }
        Ok(())
    }
}
