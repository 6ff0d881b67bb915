//! How many requests an hour the destinations of a connector bear together.
//!
//! The count of the last hour comes from the state, so that a restart does not begin it anew. The hour is the steady clock's:
//! no clock that is set ends it. Half of an hour's requests may
//! be made at once, the others evenly over the hour: whoever comes when somebody has spent the half waits for a turn, and
//! not for the hour's end. Uploads have half of all that, so that no case waits for what somebody uploads.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{Timestamp, ToSpan};
use linesman_connectors::Connector;
use linesman_domain as domain;
use linesman_domain::reactions::REQUESTS;
use tokio::sync::watch;

use super::attempt::Shared as Engine;
use crate::store::Store;

/// A budget, as the tasks of a connector's destinations have it.
#[derive(Clone)]
pub(super) struct Shared {
    budget: Arc<Mutex<Budget>>,
    /// Told whenever an attempt has ended.
    ended: watch::Sender<()>,
}

impl Shared {
    /// What a connector has left of the bound that it knows; none where it knows none.
    ///
    /// # Errors
    /// The count of the last hour cannot be read.
    pub(super) fn open(shared: &Engine, connector: &dyn Connector) -> Result<Option<Self>, domain::Error> {
        let budget = Budget::open(&shared.store, connector, shared.lanes_count(), shared.steady_now())?;
        Ok(budget.map(|budget| Self { budget: Arc::new(Mutex::new(budget)), ended: watch::channel(()).0 }))
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another attempt may be made; if not, as [`Budget::allow`] says.
    pub(super) fn allow(&self, now: Timestamp, is_upload: bool) -> Result<(), Option<Timestamp>> {
        self.budget().allow(now, is_upload)
    }

    /// An attempt begins.
    pub(super) fn begin(&self) {
        self.budget().under_way += 1;
    }

    /// An attempt has ended, which made so many requests.
    pub(super) fn end(&self, now: Timestamp, requests: u32) {
        let mut budget = self.budget();
        budget.under_way = budget.under_way.saturating_sub(1);
        budget.spend(now, requests);
        drop(budget);
        self.ended.send_replace(());
    }

    /// How many requests are left of the hour at hand, and how many it may have.
    pub(super) fn left(&self, now: Timestamp) -> (u32, u32) {
        let budget = self.budget();
        (budget.left(now), budget.most)
    }

    /// Hears of attempts that end from here on.
    pub(super) fn ended(&self) -> watch::Receiver<()> {
        self.ended.subscribe()
    }
}

const HOUR_MS: u64 = 60 * 60 * 1_000;

/// When what was spent at a moment counts no more.
fn ends(at: Timestamp) -> Timestamp {
    at.checked_add(1.hour()).unwrap_or(Timestamp::MAX)
}

/// Requests of the last hour, and how many it may have.
struct Budget {
    most: u32,
    /// The most that one attempt makes.
    each: u32,
    /// How many attempts are under way.
    under_way: usize,
    spent: VecDeque<(Timestamp, u32)>,
}

impl Budget {
    /// What was spent by a clock that was ahead was spent by now.
    fn open(
        store: &Store,
        connector: &dyn Connector,
        lanes: u32,
        now: Timestamp,
    ) -> Result<Option<Self>, domain::Error> {
        let Some(most) = connector.requests_per_hour() else { return Ok(None) };
        let of_connector = |destination: &[u8]| {
            let name = destination.split(|byte| *byte == b'/').next();
            name == Some(connector.name().as_bytes())
        };
        let mut spent = Vec::new();
        for lane in 0..lanes {
            let lane = store.lane(lane)?;
            for found in REQUESTS.rows(&lane, &[]) {
                let (destination, row) = found?;
                let minutes = row.minutes.into_iter().filter(|_| of_connector(&destination));
                spent.extend(
                    minutes.filter_map(|(at, n)| Some((Timestamp::from_second(at * 60 + 59).ok()?.min(now), n))),
                );
            }
        }
        spent.sort_unstable();
        Ok(Some(Self { most, each: connector.requests_most(), under_way: 0, spent: spent.into() }))
    }

    /// Whether another attempt may be made beside those under way; if not, the moment at which it may, later than
    /// `now`, or none when one of those under way has to end first.
    fn allow(&mut self, now: Timestamp, is_upload: bool) -> Result<(), Option<Timestamp>> {
        while self.spent.front().is_some_and(|(at, _)| ends(*at) <= now) {
            self.spent.pop_front();
        }
        // All that those under way may still ask for counts, and all that this one may: the bounds
        // hold whatever they turn out to need. One that alone may pass them waits for a whole hour.
        let each = u64::from(self.each.min(self.most));
        let needed = each * (self.under_way as u64 + 1);
        // What is left of the half, where that is too little for any upload, is for whole hours of nothing else.
        let most = if is_upload { u64::from(self.most / 2).max(each) } else { u64::from(self.most) };
        let Some(room) = most.checked_sub(needed) else { return Err(None) };
        let at_once = most.div_ceil(2);
        // The pace is for turns: an attempt that needs more than a request goes beyond it once.
        let left = at_once.saturating_sub(self.under_way as u64 + 1);
        let free_at = self.within_hour(room).max(self.in_pace(left, most - at_once));
        free_at.filter(|at| *at > now).map_or(Ok(()), |at| Err(Some(at)))
    }

    /// From when on the hour has no more than `room`; none where it has not now.
    fn within_hour(&self, room: u64) -> Option<Timestamp> {
        let mut spent: u64 = self.spent.iter().map(|(_, n)| u64::from(*n)).sum();
        let mut free_at = None;
        for (at, requests) in &self.spent {
            if spent <= room {
                break;
            }
            spent -= u64::from(*requests);
            free_at = Some(ends(*at));
        }
        free_at
    }

    /// From when on, since any moment of the hour, no more was spent than `at_once` and what an even pace of `hourly` adds;
    /// none where that is always so, or where there is no such pace.
    fn in_pace(&self, at_once: u64, hourly: u64) -> Option<Timestamp> {
        let mut spent = 0;
        let paced = self.spent.iter().rev().filter_map(|(at, requests)| {
            spent += u64::from(*requests);
            let beyond = spent.checked_sub(at_once).filter(|beyond| *beyond > 0)?;
            let wait = (beyond * HOUR_MS).div_ceil(hourly.max(1)).min(HOUR_MS);
            at.checked_add(i64::try_from(wait).unwrap_or(i64::MAX).milliseconds()).ok()
        });
        paced.max().filter(|_| hourly > 0)
    }

    /// How many requests the hour that ends now has not had.
    fn left(&self, now: Timestamp) -> u32 {
        let of_hour = self.spent.iter().filter(|(at, _)| ends(*at) > now);
        of_hour.fold(self.most, |left, (_, requests)| left.saturating_sub(*requests))
    }

    fn spend(&mut self, now: Timestamp, requests: u32) {
        if requests > 0 {
            self.spent.push_back((now, requests));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn of(most: u32, each: u32) -> Budget {
        Budget { most, each, under_way: 0, spent: VecDeque::new() }
    }

    fn allow(budget: &mut Budget, now: Timestamp, under_way: usize) -> Result<(), Option<Timestamp>> {
        budget.under_way = under_way;
        budget.allow(now, false)
    }

    #[test]
    fn uploads_leave_half_of_an_hour_to_cases() {
        let mut budget = of(100, 10);
        budget.spend(at(0), 25);
        assert_eq!(budget.allow(at(1), true), Err(Some(at(144))));
        assert_eq!(budget.allow(at(1), false), Ok(()));
        budget.spend(at(2), 16);
        assert_eq!(budget.allow(at(2000), true), Err(Some(at(3600))));
        budget.spend(at(3), 50);
        assert_eq!(budget.allow(at(4), false), Err(Some(at(3600))), "all of it is for all together");
        // A bound that no half of suffices is for an upload alone, once an hour.
        assert_eq!(of(12, 10).allow(at(0), true), Ok(()));
    }

    #[test]
    fn half_of_an_hour_may_be_asked_for_at_once_and_the_other_half_evenly() {
        let mut budget = of(30, 1);
        let (mut now, mut made) = (at(0), Vec::new());
        while now < at(3600) {
            match allow(&mut budget, now, 0) {
                Ok(()) => {
                    budget.spend(now, 1);
                    made.push(now);
                }
                Err(later) => now = later.unwrap(),
            }
        }
        assert_eq!(made.iter().filter(|made| **made == at(0)).count(), 15);
        assert_eq!(made.len(), 29, "the thirtieth is for the hour's end");
        let gaps: Vec<i64> = made[14..].windows(2).map(|two| two[1].duration_since(two[0]).as_secs()).collect();
        assert_eq!(gaps, [240; 14], "whoever comes when the half is spent has a turn soon");
    }

    #[test]
    fn what_is_left_of_an_hour_is_known() {
        let mut budget = of(30, 1);
        budget.spend(at(0), 10);
        budget.spend(at(1800), 25);
        assert_eq!(budget.left(at(1801)), 0);
        assert_eq!(budget.left(at(3600)), 5);
        assert_eq!(budget.left(at(5400)), 30);
    }

    #[test]
    fn those_under_way_count() {
        let mut budget = of(4, 1);
        budget.spend(at(0), 1);
        assert_eq!(allow(&mut budget, at(1), 0), Ok(()));
        assert_eq!(allow(&mut budget, at(1), 1), Err(Some(at(1800))));
        assert_eq!(allow(&mut budget, at(1), 4), Err(None), "one has to end first");
    }

    #[test]
    fn what_an_attempt_may_need_is_free_before_it_begins() {
        let mut budget = of(30, 13);
        assert_eq!(allow(&mut budget, at(0), 1), Ok(()));
        assert!(allow(&mut budget, at(0), 2).is_err());
        budget.spend(at(0), 18);
        assert!(allow(&mut budget, at(1), 0).is_err());
        let mut tight = of(5, 13);
        assert_eq!(allow(&mut tight, at(0), 0), Ok(()));
    }

    /// Whoever waits for the answer's moment makes so few looks, not one every few milliseconds.
    #[test]
    fn who_may_not_is_told_a_moment_at_which_it_may() {
        let mut budget = of(4, 4);
        assert_eq!(allow(&mut budget, at(5), 1), Err(None), "one under way may need all there is");
        budget.spend(at(5), 1);
        budget.spend(at(9), 1);
        // What ends first does not free enough.
        assert_eq!(allow(&mut budget, at(10), 0), Err(Some(at(3609))));
        assert_eq!(allow(&mut budget, at(3605), 0), Err(Some(at(3609))));
        assert_eq!(allow(&mut budget, at(3609), 0), Ok(()));
    }
}
