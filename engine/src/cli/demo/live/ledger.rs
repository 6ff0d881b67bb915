//! The proof that nothing is lost and nothing doubled: what the log has taken in against what was decided.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// What went in, and what came of it, by organization and host-event-ID.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Those that an incident comes of, in the log.
    taken: HashSet<(String, String)>,
    /// How many incidents came of each.
    decided: HashMap<(String, String), u64>,
    /// Those of which none has come yet, with when they were taken in.
    awaited: HashMap<(String, String), Duration>,
    bundles: u64,
    doubled: u64,
}

impl Ledger {
    /// The log has taken a bundle in. `id`: where an incident comes of it; a device may send it once more. `at`: since the
    /// beginning.
    pub(super) fn take(&mut self, org: &str, id: Option<&str>, at: Duration) {
        self.bundles += 1;
        let Some(id) = id else { return };
        let key = (org.to_owned(), id.to_owned());
        if self.taken.insert(key.clone()) && !self.decided.contains_key(&key) {
            self.awaited.insert(key, at);
        }
    }

    /// An incident has come of one.
    pub(super) fn decide(&mut self, org: &str, id: &str) {
        let key = (org.to_owned(), id.to_owned());
        self.awaited.remove(&key);
        let count = self.decided.entry(key).or_default();
        *count += 1;
        self.doubled += u64::from(*count > 1);
    }

    /// How many bundles the log has taken in, broken ones and repetitions too.
    pub(super) const fn bundles(&self) -> u64 {
        self.bundles
    }

    /// Of how many of those an incident comes.
    pub(super) fn problems(&self) -> u64 {
        self.taken.len() as u64
    }

    /// How many of these have none yet.
    pub(super) fn awaited(&self) -> u64 {
        self.awaited.len() as u64
    }

    /// One of these that was taken in before a moment.
    pub(super) fn overdue(&self, before: Duration) -> Option<&str> {
        self.awaited.iter().find(|(_, at)| **at < before).map(|((_, id), _)| id.as_str())
    }

    /// How many incidents there are too many.
    pub(super) const fn doubled(&self) -> u64 {
        self.doubled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_awaited_and_what_is_doubled_is_told_in_any_order() {
        let mut ledger = Ledger::default();
        let at = Duration::from_secs(5);
        ledger.take("acme", Some("a"), at);
        ledger.take("acme", None, at);
        ledger.decide("acme", "b");
        ledger.take("acme", Some("b"), at);
        assert_eq!((ledger.bundles(), ledger.problems(), ledger.awaited(), ledger.doubled()), (3, 2, 1, 0));
        assert_eq!((ledger.overdue(at), ledger.overdue(at * 2)), (None, Some("a")));
        ledger.decide("acme", "a");
        ledger.take("acme", Some("a"), at);
        assert_eq!((ledger.bundles(), ledger.problems(), ledger.awaited(), ledger.doubled()), (4, 2, 0, 0));
        // Of another organization it is another.
        ledger.decide("bolt", "a");
        assert_eq!(ledger.doubled(), 0);
        ledger.decide("acme", "a");
        assert_eq!(ledger.doubled(), 1);
    }
}
