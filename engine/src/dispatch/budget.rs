//! How many requests an hour a destination bears.
//!
//! The count of the last hour comes from the state, so that a restart does not begin it anew.

use std::collections::VecDeque;

use jiff::{Timestamp, ToSpan};
use linesman_connectors::Connector;

use crate::store::Store;
use linesman_domain as domain;
use linesman_domain::reactions::{self, RequestsRow};
use linesman_domain::table::Table;

/// Requests of the last hour, and how many it may have.
pub(super) struct Budget {
    most: Option<u32>,
    /// The most that one attempt makes.
    each: u32,
    spent: VecDeque<(Timestamp, u32)>,
}

impl Budget {
    /// What a destination has left of the bounds that `connector` knows.
    ///
    /// # Errors
    /// The count of the last hour cannot be read.
    pub(super) fn open(
        store: &Store,
        destination: &str,
        connector: &dyn Connector,
        lanes: u32,
    ) -> Result<Self, domain::Error> {
        let mut spent = Vec::new();
        for lane in 0..lanes {
            let row: RequestsRow =
                Table::read(&store.lane(lane)?, &reactions::requests(destination))?.unwrap_or_default();
            let minutes = row.minutes.into_iter();
            spent.extend(minutes.filter_map(|(at, n)| Some((Timestamp::from_second(at * 60 + 59).ok()?, n))));
        }
        spent.sort_unstable();
        let (most, each) = (connector.requests_per_hour(), connector.requests_most());
        Ok(Self { most, each, spent: spent.into() })
    }

    /// Whether another attempt may be made beside those under way; if not, the moment at which it may, later than
    /// `now`, or none when one of those under way has to end first.
    pub(super) fn allow(&mut self, now: Timestamp, under_way: usize) -> Result<(), Option<Timestamp>> {
        let Some(most) = self.most else { return Ok(()) };
        let ends = |at: Timestamp| at.checked_add(1.hour()).unwrap_or(Timestamp::MAX);
        while self.spent.front().is_some_and(|(at, _)| ends(*at) <= now) {
            self.spent.pop_front();
        }
        let mut spent: u64 = self.spent.iter().map(|(_, n)| u64::from(*n)).sum();
        // All that those under way may still ask for counts, and all that this one may: the bound
        // holds whatever they turn out to need. One that alone may pass it waits for a whole hour.
        let each = u64::from(self.each.min(most));
        let room = u64::from(most).checked_sub(each * (under_way as u64 + 1));
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

    pub(super) fn spend(&mut self, now: Timestamp, requests: u32) {
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

    #[test]
    fn an_hour_has_only_so_many_requests() {
        let mut budget = Budget { most: Some(3), each: 1, spent: VecDeque::new() };
        budget.spend(at(0), 2);
        assert_eq!(budget.allow(at(1), 0), Ok(()));
        assert_eq!(budget.allow(at(1), 1), Err(Some(at(3600))), "those under way count");
        budget.spend(at(10), 1);
        assert_eq!(budget.allow(at(3599), 0), Err(Some(at(3600))));
        assert_eq!(budget.allow(at(3600), 0), Ok(()));
    }

    #[test]
    fn what_an_attempt_may_need_is_free_before_it_begins() {
        let mut budget = Budget { most: Some(30), each: 13, spent: VecDeque::new() };
        assert_eq!(budget.allow(at(0), 1), Ok(()));
        assert!(budget.allow(at(0), 2).is_err());
        budget.spend(at(0), 18);
        assert!(budget.allow(at(1), 0).is_err());
        let mut tight = Budget { most: Some(5), each: 13, spent: VecDeque::new() };
        assert_eq!(tight.allow(at(0), 0), Ok(()));
    }

    /// Whoever waits for the answer's moment makes so few looks, not one every few milliseconds.
    #[test]
    fn who_may_not_is_told_a_moment_at_which_it_may() {
        let mut budget = Budget { most: Some(4), each: 4, spent: VecDeque::new() };
        assert_eq!(budget.allow(at(5), 1), Err(None), "one under way may need all there is");
        budget.spend(at(5), 1);
        budget.spend(at(9), 1);
        // What ends first does not free enough.
        assert_eq!(budget.allow(at(10), 0), Err(Some(at(3609))));
        assert_eq!(budget.allow(at(3605), 0), Err(Some(at(3609))));
        assert_eq!(budget.allow(at(3609), 0), Ok(()));
    }
}
