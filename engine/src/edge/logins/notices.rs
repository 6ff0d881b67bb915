//! What is told of failed logins, in bounded numbers: whoever floods the API with them does not flood the log.
//!
//! A login's first failure is told at once, what follows within the minute in one notice at its end. Beyond
//! [`NAMED`] logins a minute, and of logins that nobody has, all are counted in one without a name: what is typed as a
//! login is now and then a password.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use linesman_schemas::Login;

/// How often a login is told of at most.
const EVERY: SignedDuration = SignedDuration::from_mins(1);
/// How many logins are told of by name in that time; all others are one more.
const NAMED: usize = 99;

/// How many places are told of in that time that were locked out.
const SOURCES: usize = 20;

/// Failures, counted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    /// Whose; none: of any number of logins.
    pub(super) login: Option<Login>,
    /// Where the last one came from.
    pub(super) source: IpAddr,
    /// How many.
    pub(super) count: u64,
    /// When the first one was.
    pub(super) since: Timestamp,
    /// When the last one was.
    pub(super) until: Timestamp,
    /// Until when nobody is let in under that login, and after how many failures, if it came to that.
    pub(super) locked: Option<Locked>,
}

/// A door that was locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Locked {
    /// After how many failures.
    pub(crate) failures: u32,
    /// Until when.
    pub(crate) until: Timestamp,
}

/// What waits to be told.
#[derive(Debug)]
pub(super) struct Notices {
    /// When this minute began.
    since: Timestamp,
    /// Who was told of in it: at most [`NAMED`] logins, and the others.
    told: BTreeSet<Option<Login>>,
    /// How many places were told of in it.
    sources: usize,
    /// What followed on it.
    waiting: BTreeMap<Option<Login>, Notice>,
}

impl Notices {
    /// Nothing waits.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { since: now, told: BTreeSet::new(), sources: 0, waiting: BTreeMap::new() }
    }

    /// A login has failed; what is to be told of it at once.
    pub(super) fn failed(&mut self, mut failure: Notice) -> Option<Notice> {
        let named = self.told.iter().flatten().count();
        if named >= NAMED && !self.told.contains(&failure.login) {
            failure.login = None;
        }
        if failure.login.is_none() {
            failure.locked = None;
        }
        if self.told.insert(failure.login.clone()) {
            return Some(failure);
        }
        match self.waiting.get_mut(&failure.login) {
            Some(notice) => notice.add(failure),
            None => {
                self.waiting.insert(failure.login.clone(), failure);
            }
        }
        None
    }

    /// Whether one more place is told of that was locked out: a few a minute are.
    pub(super) fn may_name_source(&mut self) -> bool {
        self.sources += 1;
        self.sources <= SOURCES
    }

    /// What is to be told at the end of a minute. Whoever calls does so every few seconds.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<Notice> {
        // A clock that went back begins a minute anew.
        let passed = now.duration_since(self.since);
        if !passed.is_negative() && passed < EVERY {
            return Vec::new();
        }
        (self.since, self.sources) = (now, 0);
        self.told = self.waiting.keys().cloned().collect();
        std::mem::take(&mut self.waiting).into_values().collect()
    }
}

impl Notice {
    fn add(&mut self, later: Self) {
        self.source = later.source;
        self.count = self.count.saturating_add(later.count);
        self.until = later.until;
        self.locked = later.locked.or(self.locked);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn failure(login: Option<&str>, second: i64, locked: Option<i64>) -> Notice {
        Notice {
            login: login.map(|login| login.parse().unwrap()),
            source: [192, 0, 2, (second % 250) as u8].into(),
            count: 1,
            since: at(second),
            until: at(second),
            locked: locked.map(|until| Locked { failures: 10, until: at(until) }),
        }
    }

    #[test]
    fn the_first_is_told_at_once_and_the_rest_once_a_minute() {
        let mut notices = Notices::new(at(0));
        let first = failure(Some("bob"), 1, None);
        assert_eq!(notices.failed(first.clone()), Some(first));
        for second in [2, 3] {
            assert_eq!(notices.failed(failure(Some("bob"), second, None)), None);
        }
        assert_eq!(notices.failed(failure(Some("bob"), 4, Some(904))), None);
        assert_eq!(notices.failed(failure(Some("bob"), 5, None)), None);
        assert_eq!(notices.due(at(59)), []);
        let rest =
            Notice { source: [192, 0, 2, 5].into(), count: 4, until: at(5), ..failure(Some("bob"), 2, Some(904)) };
        assert_eq!(notices.due(at(60)), [rest]);
        // It was told of in this minute.
        assert_eq!(notices.failed(failure(Some("bob"), 61, None)), None);
        assert_eq!(notices.due(at(120)).len(), 1);
        assert_eq!(notices.due(at(180)), []);
        let later = failure(Some("bob"), 181, None);
        assert_eq!(notices.failed(later.clone()), Some(later));
        // The clock went back: nothing waits for ever.
        notices.failed(failure(Some("bob"), 182, None));
        assert_eq!(notices.due(at(10)).len(), 1);
    }

    #[test]
    fn a_few_places_are_told_of_in_a_minute() {
        let mut notices = Notices::new(at(0));
        for minute in 1..3 {
            assert_eq!((0..100).filter(|_| notices.may_name_source()).count(), 20);
            notices.due(at(60 * minute));
        }
    }

    #[test]
    fn a_flood_is_a_hundred_notices_a_minute() {
        let mut notices = Notices::new(at(0));
        for minute in 0..3 {
            let now = at(60 * minute);
            let mut told: Vec<_> = notices.due(now);
            for number in 0..10_000 {
                let login = format!("acme/{number}");
                for login in [Some(login.as_str()), Some("acme/7"), None] {
                    told.extend(notices.failed(failure(login, 60 * minute, Some(900))));
                }
            }
            assert_eq!(told.len(), 100, "of minute {minute}");
            assert!(notices.waiting.len() <= 100 && notices.told.len() <= 100);
            let others = told.iter().find(|notice| notice.login.is_none()).unwrap();
            assert_eq!(others.locked, None, "of many logins none is locked");
        }
        // Nothing is lost of how many there were.
        let counted: u64 = notices.waiting.values().map(|notice| notice.count).sum();
        assert!(counted > 29_000, "{counted}");
    }
}
