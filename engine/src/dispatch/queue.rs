//! Which pending row is next: due, not under way, its circuit closed, the organizations taking turns.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use linesman_domain::reactions::{self, CircuitRow, PendingRow};
use linesman_domain::table::Table;
use linesman_domain::{Error, jobs};
use linesman_schemas::reaction::Action;
use linesman_schemas::{OrgName, ReactionId};
use tokio::sync::watch;

use super::attempt::Shared;
use super::clock::{Moment, between, later};
use crate::lane::status::{Change, LaneStatus};
use crate::store::{Lane, Store};

/// When a lane whose state does not tell what is still to be done is looked at again.
const BEHIND_AGAIN: Duration = Duration::from_secs(1);
/// How many reactions that rest are kept before it is looked which of them do not any more.
const RESTS: usize = 1_024;

/// A pending row that is due.
pub(super) struct Row {
    pub(super) lane: u32,
    pub(super) id: ReactionId,
    pub(super) org: Option<OrgName>,
    pub(super) attempt: u32,
    /// How many tries in a row have got nowhere.
    pub(super) misses: u32,
    /// What is to be done, or why that cannot be read.
    pub(super) action: Result<Action, String>,
    /// The same, as it stands in the row.
    pub(super) text: String,
    queue: Queue,
}

/// What is next.
pub(super) enum Due {
    /// This.
    Now(Row),
    /// Nothing yet; look again then, or when something changes.
    At(Option<Instant>),
}

/// When it is worth looking at a queue: at a time of its lane's, or at a moment, whichever comes first.
#[derive(Debug, Clone, Copy)]
struct Later {
    time: Timestamp,
    at: Instant,
}

impl Later {
    fn has_come(&self, lane: u32, moment: &Moment) -> bool {
        self.time <= moment.in_lane(lane) || self.at <= moment.at
    }
}

/// An organization's queue in its lane.
type Queue = (String, u32);

/// The queues of one destination.
pub(super) struct Queues {
    destination: Arc<str>,
    lanes: Vec<Lane>,
    /// How far each lane is; none: as far as it is to be.
    statuses: Vec<watch::Receiver<LaneStatus>>,
    circuits: Vec<CircuitRow>,
    /// The circuits of organizations that have one of their own.
    own: BTreeMap<Queue, CircuitRow>,
    /// How many of a lane's rows are under way, to probe a circuit with one.
    probes: BTreeMap<u32, usize>,
    /// What was handed out and the state has not moved on from yet: attempts by reaction.
    handed_out: BTreeMap<Queue, BTreeMap<String, u32>>,
    /// Queues that may have rows, and when it is worth looking; none: now.
    waiting: BTreeMap<Queue, Option<Later>>,
    /// Until when reactions rest that were tried, and the time that their rows have for it. While a lane's clock stands, since
    /// it was ahead, that time may have come before the while that is meant has passed.
    rests: BTreeMap<String, (Timestamp, Instant)>,
    /// How many of them there may be before those that have passed are forgotten.
    rests_most: usize,
    /// What changed and has not been read since: a lane, and whose queue; an empty organization means all.
    changed: BTreeSet<(u32, String)>,
    /// Whose turn was last.
    last: Option<Queue>,
    /// Rows that are damaged, each told of once.
    damaged: BTreeSet<String>,
}

/// All destinations that have rows in their queues.
pub(super) fn destinations(shared: &Shared) -> Result<BTreeSet<String>, Error> {
    let mut found = BTreeSet::new();
    for lane in 0..shared.lanes_count() {
        let lane = shared.store.lane(lane)?;
        found.extend(reactions::destinations(&lane)?);
    }
    Ok(found)
}

impl Queues {
    pub(super) fn open(store: &Store, destination: Arc<str>, lanes: u32) -> Result<Self, Error> {
        let mut queues = Self {
            destination,
            lanes: (0..lanes).map(|lane| store.lane(lane)).collect::<Result<_, _>>()?,
            statuses: Vec::new(),
            circuits: vec![CircuitRow::default(); lanes as usize],
            own: BTreeMap::new(),
            probes: BTreeMap::new(),
            handed_out: BTreeMap::new(),
            waiting: BTreeMap::new(),
            rests: BTreeMap::new(),
            rests_most: RESTS,
            changed: BTreeSet::new(),
            last: None,
            damaged: BTreeSet::new(),
        };
        for lane in 0..lanes {
            queues.read_circuit(lane)?;
            let Some(tree) = queues.lanes.get(lane as usize) else { continue };
            let orgs = reactions::queues(tree, &queues.destination)?;
            for org in orgs {
                queues.read_own(&(org.clone(), lane))?;
                queues.waiting.insert((org, lane), None);
            }
        }
        Ok(queues)
    }

    /// Has lanes hand nothing out as long as their state does not tell what is still to be done.
    pub(super) fn watch(&mut self, statuses: &[watch::Receiver<LaneStatus>]) {
        self.statuses = statuses.to_vec();
    }

    fn read_circuit(&mut self, lane: u32) -> Result<(), Error> {
        let Some(tree) = self.lanes.get(lane as usize) else { return Ok(()) };
        let circuit = Table::read(tree, &reactions::circuit(&self.destination))?.unwrap_or_default();
        if let Some(known) = self.circuits.get_mut(lane as usize) {
            *known = circuit;
        }
        Ok(())
    }

    fn read_own(&mut self, queue: &Queue) -> Result<(), Error> {
        let Some(tree) = self.lanes.get(queue.1 as usize) else { return Ok(()) };
        match Table::read(tree, &reactions::own(&self.destination, &queue.0))? {
            Some(circuit) => drop(self.own.insert(queue.clone(), circuit)),
            None => drop(self.own.remove(queue)),
        }
        Ok(())
    }

    /// A lane says that a queue changed, or with it the circuit.
    pub(super) fn changed(&mut self, change: &Change) {
        self.changed.insert((change.lane, change.org.clone()));
    }

    /// Reads what changed; what cannot be read stays to be read.
    pub(super) fn catch_up(&mut self, moment: &Moment) -> Result<(), Error> {
        while let Some((lane, org)) = self.changed.first().cloned() {
            self.read_circuit(lane)?;
            if org.is_empty() {
                for ((_, of), look) in &mut self.waiting {
                    if *of == lane {
                        *look = None;
                    }
                }
            } else {
                let queue = (org.clone(), lane);
                self.move_on(&queue, moment)?;
                self.read_own(&queue)?;
                self.waiting.insert(queue, None);
            }
            self.changed.remove(&(lane, org));
        }
        Ok(())
    }

    /// Forgets what was handed out of a queue and is done, or is to be tried another time.
    fn move_on(&mut self, queue: &Queue, moment: &Moment) -> Result<(), Error> {
        let Self { handed_out, lanes, damaged, statuses, rests, .. } = self;
        let Some(attempts) = handed_out.get_mut(queue) else { return Ok(()) };
        if let Some(tree) = lanes.get(queue.1 as usize) {
            let known: Vec<_> = attempts.iter().map(|(id, attempt)| (id.clone(), *attempt)).collect();
            for (id, attempt) in known {
                let row = pending(tree, &id, damaged)?;
                if row.as_ref().is_some_and(|row| row.attempt <= attempt) {
                    continue;
                }
                attempts.remove(&id);
                // By the clock that the wait was reckoned by.
                let now = statuses.get(queue.1 as usize).map(|status| status.borrow().now);
                if let (Some(row), Some(now)) = (row, now) {
                    rests.insert(id, (row.not_before, moment.in_while(between(now, row.not_before))));
                }
            }
        }
        if attempts.is_empty() {
            handed_out.remove(queue);
        }
        if self.rests.len() > self.rests_most {
            self.rests.retain(|_, (_, until)| *until > moment.at);
            self.rests_most = self.rests.len().saturating_mul(2).max(RESTS);
        }
        Ok(())
    }

    /// One of a lane's rows is not under way any more.
    pub(super) fn released(&mut self, lane: u32) {
        if let Some(count) = self.probes.get_mut(&lane) {
            *count = count.saturating_sub(1);
        }
    }

    /// The next row, after the organization whose turn was last. It is handed out by [`Self::take`].
    pub(super) fn next(&mut self, moment: &Moment) -> Result<Due, Error> {
        let mut soonest: Option<Instant> = None;
        for queue in self.turn() {
            match self.waiting.get(&queue).copied().flatten() {
                Some(later) if !later.has_come(queue.1, moment) => {
                    soonest = Some(soonest.map_or(later.at, |at| at.min(later.at)));
                    continue;
                }
                _ => {}
            }
            if let Some(until) = self.resting(queue.1, moment).or_else(|| self.resting_alone(&queue, moment)) {
                soonest = Some(soonest.map_or(until, |at| at.min(until)));
                continue;
            }
            match self.look(&queue, moment)? {
                Look::Row(row) => return Ok(Due::Now(row)),
                Look::Later(later) => {
                    self.waiting.insert(queue, Some(later));
                    soonest = Some(soonest.map_or(later.at, |at| at.min(later.at)));
                }
                Look::Empty => {
                    self.waiting.remove(&queue);
                }
            }
        }
        Ok(Due::At(soonest))
    }

    /// A row is handed out: it is under way until it is released, and not looked at again until the state has moved on.
    pub(super) fn take(&mut self, row: &Row) {
        *self.probes.entry(row.lane).or_default() += 1;
        let attempts = self.handed_out.entry(row.queue.clone()).or_default();
        attempts.insert(row.id.to_string(), row.attempt);
        self.rests.remove(row.id.as_str());
        self.last = Some(row.queue.clone());
    }

    /// The queues in the order of their turns.
    fn turn(&self) -> Vec<Queue> {
        let after = self.last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let upto = self.last.as_ref().map_or(Bound::Excluded(None), |last| Bound::Included(Some(last)));
        let behind = self.waiting.range((after, Bound::Unbounded)).map(|(queue, _)| queue.clone());
        let before = self.waiting.keys().take_while(|queue| match &upto {
            Bound::Included(Some(last)) => queue <= last,
            _ => false,
        });
        behind.chain(before.cloned()).collect()
    }

    /// Until when the destination rests: it does for all lanes as soon as one has noticed that it is
    /// sick, or was asked to wait. While that lane's circuit is being probed, one attempt of its is enough.
    fn resting(&self, lane: u32, moment: &Moment) -> Option<Instant> {
        // Each by the clock of the lane that has it.
        let ends = (0..).zip(&self.circuits).filter_map(|(of, circuit)| Some(moment.when(of, circuit.open_until?)));
        if let Some(latest) = ends.max().filter(|until| *until > moment.at) {
            return Some(latest);
        }
        self.circuits.get(lane as usize)?.open_until?;
        let is_probing = self.probes.get(&lane).is_some_and(|count| *count > 0);
        is_probing.then(|| moment.in_while(Duration::MAX))
    }

    /// Until when an organization's rows rest, whose own circuit is open; one of them probes it.
    fn resting_alone(&self, queue: &Queue, moment: &Moment) -> Option<Instant> {
        let until = moment.when(queue.1, self.own.get(queue)?.open_until?);
        if until > moment.at {
            return Some(until);
        }
        self.handed_out.contains_key(queue).then(|| moment.in_while(Duration::MAX))
    }

    fn look(&mut self, queue: &Queue, moment: &Moment) -> Result<Look, Error> {
        let Self { destination, lanes, statuses, handed_out, damaged, rests, .. } = self;
        let (org, lane) = queue;
        let now = moment.in_lane(*lane);
        let Some(tree) = lanes.get(*lane as usize) else { return Ok(Look::Empty) };
        if statuses.get(*lane as usize).is_some_and(|status| !status.borrow().is_up_to_date()) {
            return Ok(Look::Later(Later { time: later(now, BEHIND_AGAIN), at: moment.in_while(BEHIND_AGAIN) }));
        }
        // What was decided before the organization's settings changed may not leave as it is.
        if jobs::is_under_review(tree, org)? {
            return Ok(Look::Empty);
        }
        // When the first ends of those that rest, though their time has come.
        let mut rested: Option<Instant> = None;
        for queued in reactions::queue(tree, destination, org) {
            let reactions::Queued { not_before, id } = queued?;
            if not_before > now {
                let at = moment.when(*lane, not_before);
                return Ok(Look::Later(Later { time: not_before, at: rested.map_or(at, |rested| rested.min(at)) }));
            }
            // One that was given another time goes by that.
            match rests.get(&id) {
                Some((time, until)) if *time == not_before && *until > moment.at => {
                    rested = Some(rested.map_or(*until, |rested| rested.min(*until)));
                    continue;
                }
                _ => {}
            }
            let Some(row) = pending(tree, &id, damaged)? else { continue };
            let attempt = handed_out.get(queue).and_then(|attempts| attempts.get(&id));
            if attempt.is_some_and(|attempt| *attempt >= row.attempt) {
                continue;
            }
            let Ok(id) = id.parse() else {
                tell(damaged, &id, "its key names no reaction");
                continue;
            };
            let action = serde_json::from_str(&row.action).map_err(|error| error.to_string());
            let PendingRow { org, attempt, misses, action: text, .. } = row;
            return Ok(Look::Row(Row { lane: *lane, id, org, attempt, misses, action, text, queue: queue.clone() }));
        }
        Ok(rested.map_or(Look::Empty, |at| Look::Later(Later { time: Timestamp::MAX, at })))
    }
}

enum Look {
    Row(Row),
    Later(Later),
    Empty,
}

/// A pending row. One whose bytes are damaged is told of once and passed over, so that the others of its queue go on:
/// no report can settle it, since on another node's state, or after a rebuild, it is whole.
fn pending(tree: &Lane, id: &str, damaged: &mut BTreeSet<String>) -> Result<Option<PendingRow>, Error> {
    match Table::read(tree, &reactions::key(id)) {
        Err(error @ Error::Row { .. }) => {
            tell(damaged, id, &error.to_string());
            Ok(None)
        }
        read => read,
    }
}

fn tell(damaged: &mut BTreeSet<String>, id: &str, error: &str) {
    if damaged.insert(id.to_owned()) {
        metrics::counter!("linesman_damaged_rows_total").increment(1);
        tracing::error!(reaction = id, error, "a pending reaction is damaged; it waits until the state is rebuilt");
    }
}

#[cfg(test)]
mod tests {
    use linesman_domain::table;

    use super::*;
    use linesman_domain::state::Writes;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A moment at which all lanes have a time.
    fn moment(began: Instant, second: i64) -> Moment {
        Moment::at_all(began + Duration::from_secs(second.unsigned_abs()), 2, at(second))
    }

    fn is_until(due: &Due, moment: Instant) -> bool {
        matches!(due, Due::At(Some(until)) if *until == moment)
    }

    /// A row of `org` in `lane`, due at once, and its place in the queue.
    fn pend(store: &Store, lane: u32, org: &str) {
        pend_at(store, lane, org, (1, at(0)));
    }

    fn pend_at(store: &Store, lane: u32, org: &str, (attempt, not_before): (u32, Timestamp)) {
        let id = format!("{org}-r1-1");
        let row = PendingRow {
            org: Some(org.parse().unwrap()),
            destination: "log".to_owned(),
            attempt,
            not_before,
            deadline: Timestamp::MAX,
            is_held: false,
            incident: None,
            action: r#"{"log":{"message":"","fields":{}}}"#.to_owned(),
            misses: 0,
            there: 0,
        };
        let place = reactions::queued("log", org, not_before, &id).into_bytes();
        let rows =
            vec![(reactions::key(&id).into_bytes(), Some(table::encode(&row).unwrap())), (place, Some(Vec::new()))];
        store.lane(lane).unwrap().apply(&Writes { batch: 1, rows }).unwrap();
    }

    #[test]
    fn what_one_lane_knows_of_a_destination_holds_for_all() {
        let (dir, began) = (tempfile::tempdir().unwrap(), Instant::now());
        let store = Arc::new(Store::open(&dir.path().join("state")).unwrap());
        for (lane, org) in [(0, "acme"), (1, "bolt")] {
            pend(&store, lane, org);
        }
        let circuit = CircuitRow { failures: 5, open_until: Some(at(60)), rest_s: 30 };
        let row = (reactions::circuit("log").into_bytes(), Some(table::encode(&circuit).unwrap()));
        store.lane(0).unwrap().apply(&Writes { batch: 2, rows: vec![row] }).unwrap();
        let mut queues = Queues::open(&store, "log".into(), 2).unwrap();
        assert!(is_until(&queues.next(&moment(began, 10)).unwrap(), moment(began, 60).at));
        let handed_out = |queues: &mut Queues| match queues.next(&moment(began, 60)).unwrap() {
            Due::Now(row) => {
                queues.take(&row);
                row.org.unwrap().to_string()
            }
            Due::At(until) => panic!("nothing until {until:?}"),
        };
        assert_eq!([handed_out(&mut queues), handed_out(&mut queues)], ["acme", "bolt"]);
    }

    #[test]
    fn an_organization_that_is_left_alone_is_probed_alone_and_the_others_go_on() {
        let (dir, began) = (tempfile::tempdir().unwrap(), Instant::now());
        let store = Arc::new(Store::open(&dir.path().join("state")).unwrap());
        for org in ["acme", "bolt"] {
            pend(&store, 0, org);
        }
        let circuit = CircuitRow { failures: 5, open_until: Some(at(60)), rest_s: 30 };
        let row = (reactions::own("log", "acme").into_bytes(), Some(table::encode(&circuit).unwrap()));
        store.lane(0).unwrap().apply(&Writes { batch: 2, rows: vec![row] }).unwrap();
        let mut queues = Queues::open(&store, "log".into(), 1).unwrap();
        let Due::Now(row) = queues.next(&moment(began, 10)).unwrap() else { panic!("bolt's is due") };
        assert_eq!(row.org.as_ref().unwrap().as_str(), "bolt");
        queues.take(&row);
        assert!(is_until(&queues.next(&moment(began, 10)).unwrap(), moment(began, 60).at));
        let Due::Now(row) = queues.next(&moment(began, 60)).unwrap() else { panic!("acme's is due") };
        assert_eq!(row.org.as_ref().unwrap().as_str(), "acme");
        queues.take(&row);
        // One probe is enough; once its circuit is gone, all go.
        assert!(matches!(queues.next(&moment(began, 60)).unwrap(), Due::At(_)));
        let removed = (reactions::own("log", "acme").into_bytes(), None);
        store.lane(0).unwrap().apply(&Writes { batch: 3, rows: vec![removed] }).unwrap();
        queues.changed(&Change { destination: "log".into(), lane: 0, org: "acme".to_owned() });
        queues.catch_up(&moment(began, 60)).unwrap();
        assert!(queues.own.is_empty());
    }

    #[test]
    fn a_lane_that_is_decided_again_or_stands_still_hands_nothing_out() {
        let (dir, began) = (tempfile::tempdir().unwrap(), Instant::now());
        let store = Arc::new(Store::open(&dir.path().join("state")).unwrap());
        pend(&store, 0, "acme");
        let mut queues = Queues::open(&store, "log".into(), 1).unwrap();
        let behind = LaneStatus { is_behind: true, ..LaneStatus::default() };
        let (lane, status) = watch::channel(behind);
        queues.watch(&[status]);
        assert!(is_until(&queues.next(&moment(began, 10)).unwrap(), moment(began, 11).at));
        lane.send_modify(|status| {
            status.is_behind = false;
            status.stopped = Some(Arc::default());
        });
        assert!(matches!(queues.next(&moment(began, 11)).unwrap(), Due::At(Some(_))));
        lane.send_modify(|status| status.stopped = None);
        assert!(matches!(queues.next(&moment(began, 12)).unwrap(), Due::Now(_)));
    }
    /// The server's clock was three hours ahead for some seconds: the lane's stands at `ahead` until three hours have passed.
    #[test]
    fn under_a_clock_that_stands_what_was_tried_waits_as_long_as_is_meant() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&dir.path().join("state")).unwrap());
        let (began, ahead) = (Instant::now(), at(3 * 3_600));
        let (_lane, status) = watch::channel(LaneStatus { now: ahead, moved: began, ..LaneStatus::default() });
        let statuses = [status];
        let after = |seconds| Moment::of(began + Duration::from_secs(seconds), &statuses);
        let in_30_s = later(ahead, Duration::from_secs(30));
        pend_at(&store, 0, "acme", (1, in_30_s));
        let mut queues = Queues::open(&store, "log".into(), 1).unwrap();
        queues.watch(&statuses);
        assert!(is_until(&queues.next(&after(4)).unwrap(), after(30).at), "it does not wait for three hours");
        // An hour later it is tried again and again, and each time told to wait for 30 s.
        for (attempt, tried) in [(1, 3_600), (2, 3_640), (3, 3_670)] {
            let Due::Now(row) = queues.next(&after(tried)).unwrap() else { panic!("{attempt} is due") };
            assert_eq!(row.attempt, attempt);
            queues.take(&row);
            pend_at(&store, 0, "acme", (attempt + 1, in_30_s));
            queues.changed(&Change { destination: "log".into(), lane: 0, org: "acme".to_owned() });
            queues.catch_up(&after(tried)).unwrap();
            assert!(is_until(&queues.next(&after(tried + 29)).unwrap(), after(tried + 30).at), "{attempt}");
        }
        // One that is given another time, since its destination is back, goes by that.
        let place = reactions::queued("log", "acme", in_30_s, "acme-r1-1").into_bytes();
        store.lane(0).unwrap().apply(&Writes { batch: 9, rows: vec![(place, None)] }).unwrap();
        pend_at(&store, 0, "acme", (4, ahead));
        queues.changed(&Change { destination: "log".into(), lane: 0, org: "acme".to_owned() });
        queues.catch_up(&after(3_675)).unwrap();
        assert!(matches!(queues.next(&after(3_675)).unwrap(), Due::Now(_)));
    }
}
