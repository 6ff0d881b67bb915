//! Which pending row is next: due, not under way, its circuit closed, the organizations taking turns.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;
use linesman_schemas::reaction::Task;

use crate::lane::status::Change;
use crate::store::{self, Lane, Store};
use linesman_domain::rows::{self, CircuitRow, PendingRow, key};

/// A pending row, to be carried out now.
pub(super) struct Row {
    pub(super) lane: u32,
    pub(super) task: Task,
}

/// What is next.
pub(super) enum Due {
    /// This.
    Now(Row),
    /// Nothing yet; look again then, or when something changes.
    At(Option<Timestamp>),
}

/// An organization's queue in its lane.
type Queue = (String, u32);

/// The queues of one destination.
pub(super) struct Queues {
    destination: &'static str,
    lanes: Vec<Lane>,
    circuits: Vec<CircuitRow>,
    /// How many of a lane's rows are under way, to probe a circuit with one.
    probes: BTreeMap<u32, usize>,
    /// What was handed out and the state has not moved on from yet: attempts by reaction.
    handed_out: BTreeMap<Queue, BTreeMap<String, u32>>,
    /// Queues that may have rows, and when it is worth looking; none: now.
    waiting: BTreeMap<Queue, Option<Timestamp>>,
    /// Whose turn was last.
    last: Option<Queue>,
    store: Arc<Store>,
}

impl Queues {
    pub(super) fn open(store: &Arc<Store>, destination: &'static str, lanes: u32) -> Result<Self, store::Error> {
        let mut queues = Self {
            destination,
            lanes: (0..lanes).map(|lane| store.lane(lane)).collect::<Result<_, _>>()?,
            circuits: vec![CircuitRow::default(); lanes as usize],
            probes: BTreeMap::new(),
            handed_out: BTreeMap::new(),
            waiting: BTreeMap::new(),
            last: None,
            store: Arc::clone(store),
        };
        for lane in 0..lanes {
            queues.look_at_all(lane)?;
        }
        Ok(queues)
    }

    /// Finds a lane's queues: one row of each is enough to know of it.
    fn look_at_all(&mut self, lane: u32) -> Result<(), store::Error> {
        self.read_circuit(lane)?;
        let tree = self.store.lane(lane)?;
        let prefix = key::of(b'q', &[self.destination], &[]);
        let mut from = prefix.clone();
        while let Some((found, _)) = tree.first_row(Bound::Included(&from), &prefix)? {
            let rest = found.get(prefix.len()..).unwrap_or_default();
            let org = rest.split(|byte| *byte == 0).next().unwrap_or_default();
            let org = String::from_utf8_lossy(org).into_owned();
            // Behind everything of this organization: its zero byte becomes a one.
            from = key::queue(self.destination, &org);
            if let Some(last) = from.last_mut() {
                *last = 1;
            }
            self.waiting.insert((org, lane), None);
        }
        Ok(())
    }

    fn read_circuit(&mut self, lane: u32) -> Result<(), store::Error> {
        let key = key::circuit(self.destination);
        let circuit = self.lanes.get(lane as usize).and_then(|tree| rows::read(tree, &key).ok().flatten());
        let circuit = circuit.unwrap_or_default();
        if let Some(known) = self.circuits.get_mut(lane as usize) {
            *known = circuit;
        }
        Ok(())
    }

    /// A lane says that a queue changed, or with it the circuit.
    pub(super) fn changed(&mut self, change: &Change) {
        // What cannot be read now is looked at again by the next round.
        let _ = self.read_circuit(change.lane);
        if change.org.is_empty() {
            for ((_, lane), look) in &mut self.waiting {
                if *lane == change.lane {
                    *look = None;
                }
            }
        } else {
            let queue = (change.org.clone(), change.lane);
            self.move_on(&queue);
            self.waiting.insert(queue, None);
        }
    }

    /// Forgets what was handed out of a queue and is done, or is to be tried another time.
    fn move_on(&mut self, queue: &Queue) {
        let Some(attempts) = self.handed_out.get_mut(queue) else { return };
        if let Some(tree) = self.lanes.get(queue.1 as usize) {
            attempts.retain(|id, attempt| pending(tree, id).is_some_and(|row| row.attempt <= *attempt));
        }
        if attempts.is_empty() {
            self.handed_out.remove(queue);
        }
    }

    /// One of a lane's rows is not under way any more.
    pub(super) fn released(&mut self, lane: u32) {
        if let Some(count) = self.probes.get_mut(&lane) {
            *count = count.saturating_sub(1);
        }
    }

    /// The next row, after the organization whose turn was last.
    pub(super) fn next(&mut self, now: Timestamp) -> Result<Due, store::Error> {
        let mut soonest: Option<Timestamp> = None;
        for queue in self.turn() {
            match self.waiting.get(&queue).copied().flatten() {
                Some(later) if later > now => {
                    soonest = Some(soonest.map_or(later, |at| at.min(later)));
                    continue;
                }
                _ => {}
            }
            if let Some(later) = self.resting(queue.1, now) {
                soonest = Some(soonest.map_or(later, |at| at.min(later)));
                continue;
            }
            match self.look(&queue, now)? {
                Look::Row(row) => {
                    *self.probes.entry(queue.1).or_default() += 1;
                    let attempts = self.handed_out.entry(queue.clone()).or_default();
                    attempts.insert(row.task.id.to_string(), row.task.attempt);
                    self.last = Some(queue);
                    return Ok(Due::Now(row));
                }
                Look::Later(at) => {
                    self.waiting.insert(queue, Some(at));
                    soonest = Some(soonest.map_or(at, |soonest| soonest.min(at)));
                }
                Look::Empty => {
                    self.waiting.remove(&queue);
                }
            }
        }
        Ok(Due::At(soonest))
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
    fn resting(&self, lane: u32, now: Timestamp) -> Option<Timestamp> {
        let latest = self.circuits.iter().filter_map(|circuit| circuit.open_until).max();
        if latest.is_some_and(|until| until > now) {
            return latest;
        }
        self.circuits.get(lane as usize)?.open_until?;
        let is_probing = self.probes.get(&lane).is_some_and(|count| *count > 0);
        is_probing.then_some(Timestamp::MAX)
    }

    fn look(&self, queue: &Queue, now: Timestamp) -> Result<Look, store::Error> {
        let (org, lane) = queue;
        let Some(tree) = self.lanes.get(*lane as usize) else { return Ok(Look::Empty) };
        let prefix = key::queue(self.destination, org);
        for row in tree.rows(&prefix, None) {
            let (place, _) = row?;
            let tail = place.get(prefix.len()..).unwrap_or_default();
            let Some(not_before) = key::read_time(tail) else { continue };
            if not_before > now {
                return Ok(Look::Later(not_before));
            }
            let id = String::from_utf8_lossy(tail.get(8..).unwrap_or_default()).into_owned();
            let Some(row) = pending(tree, &id) else { continue };
            let attempt = self.handed_out.get(queue).and_then(|attempts| attempts.get(&id));
            if attempt.is_some_and(|attempt| *attempt >= row.attempt) {
                continue;
            }
            match task(&id, &row) {
                Some(task) => return Ok(Look::Row(Row { lane: *lane, task })),
                None => tracing::error!(reaction = id, "a pending reaction cannot be read"),
            }
        }
        Ok(Look::Empty)
    }
}

enum Look {
    Row(Row),
    Later(Timestamp),
    Empty,
}

fn pending(tree: &Lane, id: &str) -> Option<PendingRow> {
    rows::read(tree, &key::pending(id)).ok().flatten()
}

fn task(id: &str, row: &PendingRow) -> Option<Task> {
    let action = serde_json::from_str(&row.action).ok()?;
    Some(Task { id: id.parse().ok()?, org: row.org.clone(), attempt: row.attempt, action })
}

#[cfg(test)]
mod tests {
    use linesman_schemas::reaction::{Action, LogLine};

    use super::*;
    use linesman_domain::state::Writes;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A row of `org` in `lane`, due at once, and its place in the queue.
    fn pend(store: &Store, lane: u32, org: &str) {
        let id = format!("{org}-r1-1");
        let row = PendingRow {
            org: Some(org.parse().unwrap()),
            destination: "log".to_owned(),
            attempt: 1,
            not_before: at(0),
            deadline: Timestamp::MAX,
            is_held: false,
            incident: None,
            action: serde_json::to_string(&Action::Log(LogLine { message: String::new(), fields: Default::default() }))
                .unwrap(),
        };
        let place = key::place("log", org, at(0), &id).into_bytes();
        let rows = vec![(key::pending(&id).into_bytes(), Some(rows::encode(&row).unwrap())), (place, Some(Vec::new()))];
        store.lane(lane).unwrap().apply(&Writes { batch: 1, rows }).unwrap();
    }

    #[test]
    fn what_one_lane_knows_of_a_destination_holds_for_all() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&dir.path().join("state")).unwrap());
        for (lane, org) in [(0, "acme"), (1, "bolt")] {
            pend(&store, lane, org);
        }
        let circuit = CircuitRow { failures: 5, open_until: Some(at(60)), rest_s: 30 };
        let row = (key::circuit("log").into_bytes(), Some(rows::encode(&circuit).unwrap()));
        store.lane(0).unwrap().apply(&Writes { batch: 2, rows: vec![row] }).unwrap();
        let mut queues = Queues::open(&store, "log", 2).unwrap();
        assert!(matches!(queues.next(at(10)).unwrap(), Due::At(Some(until)) if until == at(60)));
        let handed_out = |queues: &mut Queues| match queues.next(at(60)).unwrap() {
            Due::Now(row) => row.task.org.unwrap().to_string(),
            Due::At(until) => panic!("nothing until {until:?}"),
        };
        assert_eq!([handed_out(&mut queues), handed_out(&mut queues)], ["acme", "bolt"]);
    }
}
