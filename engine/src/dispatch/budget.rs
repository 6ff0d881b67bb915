//! How many requests an hour the destinations of a connector bear together.
//!
//! The count of the last hour comes from the state, so that a restart does not begin it anew. Uploads leave half of it to
//! cases, so that none waits an hour for what somebody uploads.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{Timestamp, ToSpan};
use linesman_connectors::Connector;
use linesman_domain as domain;
use linesman_domain::reactions::REQUESTS;
use tokio::sync::watch;

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
    pub(super) fn open(store: &Store, connector: &dyn Connector, lanes: u32) -> Result<Option<Self>, domain::Error> {
        let budget = Budget::open(store, connector, lanes)?;
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

    /// Hears of attempts that end from here on.
    pub(super) fn ended(&self) -> watch::Receiver<()> {
        self.ended.subscribe()
    }
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
    fn open(store: &Store, connector: &dyn Connector, lanes: u32) -> Result<Option<Self>, domain::Error> {
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
                spent.extend(minutes.filter_map(|(at, n)| Some((Timestamp::from_second(at * 60 + 59).ok()?, n))));
            }
        }
        spent.sort_unstable();
        Ok(Some(Self { most, each: connector.requests_most(), under_way: 0, spent: spent.into() }))
    }

    /// Whether another attempt may be made beside those under way; if not, the moment at which it may, later than
    /// `now`, or none when one of those under way has to end first.
    fn allow(&mut self, now: Timestamp, is_upload: bool) -> Result<(), Option<Timestamp>> {
        let most = self.most;
        let ends = |at: Timestamp| at.checked_add(1.hour()).unwrap_or(Timestamp::MAX);
        while self.spent.front().is_some_and(|(at, _)| ends(*at) <= now) {
            self.spent.pop_front();
        }
        let mut spent: u64 = self.spent.iter().map(|(_, n)| u64::from(*n)).sum();
        // All that those under way may still ask for counts, and all that this one may: the bound
        // holds whatever they turn out to need. One that alone may pass it waits for a whole hour.
        let each = u64::from(self.each.min(most));
        // What is left of the half, where that is too little for any upload, is for whole hours of nothing else.
        let most = if is_upload { u64::from(most / 2).max(each) } else { u64::from(most) };
        let room = most.checked_sub(each * (self.under_way as u64 + 1));
        let Some(room) = room else { return Err(None) };
        let mut free_at = None;
        for (at, requests) in &self.spent {
            if spent <= room {
                break;
            }
            spent -= u64::from(*requests);
            free_at = Some(ends(*at));
        }
        free_at.map_or(Ok(()), |at| Err(Some(at)))
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
        budget.spend(at(0), 41);
        assert_eq!(budget.allow(at(1), true), Err(Some(at(3600))));
        assert_eq!(budget.allow(at(1), false), Ok(()));
        budget.spend(at(2), 50);
        assert_eq!(budget.allow(at(3), false), Err(Some(at(3600))), "all of it is for all together");
        // A bound that no half of suffices is for an upload alone, once an hour.
        assert_eq!(of(12, 10).allow(at(0), true), Ok(()));
    }

    #[test]
    fn an_hour_has_only_so_many_requests() {
        let mut budget = of(3, 1);
        budget.spend(at(0), 2);
        assert_eq!(allow(&mut budget, at(1), 0), Ok(()));
        assert_eq!(allow(&mut budget, at(1), 1), Err(Some(at(3600))), "those under way count");
        budget.spend(at(10), 1);
        assert_eq!(allow(&mut budget, at(3599), 0), Err(Some(at(3600))));
        assert_eq!(allow(&mut budget, at(3600), 0), Ok(()));
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
