//! What is told of failed logins, in bounded numbers: whoever floods the API with them does not flood the log.
//!
//! A login's first failure is told at once, what follows within the minute in one notice at its end. Beyond
//! [`NAMED`] logins a minute, and of logins that nobody has, all are counted in one without a name: what is typed as a
//! login is now and then a password.
//!
//! That somebody's login was locked is told by its name, of all of them: that takes ten failures, and each of these a
//! hash, of which few are made in a second. What was locked of logins that nobody has, and of places beyond [`SOURCES`]
//! a minute, is told as how many there were.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use linesman_schemas::Login;
use linesman_schemas::command::{Lockout, Unnamed};

/// How often a login is told of at most.
const EVERY: SignedDuration = SignedDuration::from_mins(1);
/// How many logins are told of by name in that time; all others are one more.
const NAMED: usize = 99;
/// How many places are told of by name in that time that were locked out; all others are one more.
const SOURCES: usize = 20;

/// Whose failures are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// Who has the login.
    pub(super) login: Login,
    /// Behind which input of its lane they count, as it was when they were tried.
    pub(super) since: u64,
}

/// Failures, counted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    /// Whose; none: of any number of logins.
    pub(super) login: Option<Told>,
    /// Where the last one came from.
    pub(super) source: IpAddr,
    /// How many.
    pub(super) count: u64,
    /// When the first one was.
    pub(super) first: Timestamp,
    /// When the last one was.
    pub(super) last: Timestamp,
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
    /// What followed on it.
    waiting: BTreeMap<Option<Login>, Notice>,
    /// The logins that were locked. INVARIANT (each once): as many as there are managers, at most.
    logins: BTreeMap<Login, (u64, Locked)>,
    /// The places that were locked in this minute and are named.
    sources: Vec<(IpAddr, Locked)>,
    /// How many places were named in it.
    named_sources: usize,
    /// What was locked in it besides.
    unnamed: Option<(Unnamed, Locked)>,
}

impl Notices {
    /// Nothing waits.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            since: now,
            told: BTreeSet::new(),
            waiting: BTreeMap::new(),
            logins: BTreeMap::new(),
            sources: Vec::new(),
            named_sources: 0,
            unnamed: None,
        }
    }

    /// A login has failed; what is to be told at once: this, or what waited and counts among other failures.
    pub(super) fn failed(&mut self, mut failure: Notice) -> Option<Notice> {
        let login = |notice: &Notice| notice.login.as_ref().map(|told| told.login.clone());
        let named = self.told.iter().flatten().count();
        if named >= NAMED && !self.told.contains(&login(&failure)) {
            failure.login = None;
        }
        let whose = login(&failure);
        if self.told.insert(whose.clone()) {
            return Some(failure);
        }
        match self.waiting.get_mut(&whose) {
            Some(notice) if notice.login == failure.login => {
                notice.add(failure);
                None
            }
            _ => self.waiting.insert(whose, failure),
        }
    }

    /// A login was locked; somebody's, or one that nobody has.
    pub(super) fn locked_login(&mut self, login: Option<Told>, locked: Locked) {
        match login {
            Some(Told { login, since }) => drop(self.logins.insert(login, (since, locked))),
            None => self.locked_unnamed(locked, |unnamed| &mut unnamed.logins),
        }
    }

    /// A place was locked.
    pub(super) fn locked_source(&mut self, source: IpAddr, locked: Locked) {
        if self.named_sources < SOURCES {
            self.named_sources += 1;
            self.sources.push((source, locked));
        } else {
            self.locked_unnamed(locked, |unnamed| &mut unnamed.sources);
        }
    }

    fn locked_unnamed(&mut self, Locked { failures, until }: Locked, of: fn(&mut Unnamed) -> &mut u64) {
        let none = (Unnamed::default(), Locked { failures: 0, until });
        let (unnamed, locked) = self.unnamed.get_or_insert(none);
        *of(unnamed) += 1;
        *locked = Locked { failures: locked.failures.saturating_add(failures), until: locked.until.max(until) };
    }

    /// Which of somebody's logins were locked since this was asked last.
    pub(super) fn locked_logins(&mut self) -> BTreeMap<Login, (u64, Locked)> {
        std::mem::take(&mut self.logins)
    }

    /// One that could not be told waits again, if none has come since.
    pub(super) fn put_back(&mut self, login: Login, since: u64, locked: Locked) {
        self.logins.entry(login).or_insert((since, locked));
    }

    /// Which places were locked since this was asked last.
    pub(super) fn locked_sources(&mut self) -> Vec<Lockout> {
        let lockout = |(source, Locked { failures, until }): (IpAddr, _)| Lockout {
            manager: None,
            source: Some(source.to_string()),
            failures,
            until,
            since: None,
            unnamed: None,
        };
        std::mem::take(&mut self.sources).into_iter().map(lockout).collect()
    }

    /// What is to be told at the end of a minute: failures, and what was locked and is not named. Whoever calls does so
    /// every few seconds.
    pub(super) fn due(&mut self, now: Timestamp) -> (Vec<Notice>, Option<Lockout>) {
        // A clock that went back begins a minute anew.
        let passed = now.duration_since(self.since);
        if !passed.is_negative() && passed < EVERY {
            return (Vec::new(), None);
        }
        self.all(now)
    }

    /// The same, whatever time it is.
    pub(super) fn all(&mut self, now: Timestamp) -> (Vec<Notice>, Option<Lockout>) {
        (self.since, self.named_sources) = (now, 0);
        self.told = self.waiting.keys().cloned().collect();
        let unnamed = self.unnamed.take().map(|(unnamed, Locked { failures, until })| Lockout {
            manager: None,
            source: None,
            failures,
            until,
            since: None,
            unnamed: Some(unnamed),
        });
        (std::mem::take(&mut self.waiting).into_values().collect(), unnamed)
    }
}

impl Notice {
    fn add(&mut self, later: Self) {
        self.source = later.source;
        self.count = self.count.saturating_add(later.count);
        self.last = later.last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn told(login: &str, since: u64) -> Told {
        Told { login: login.parse().unwrap(), since }
    }

    fn failure(login: Option<&str>, second: i64) -> Notice {
        Notice {
            login: login.map(|login| told(login, 0)),
            source: [192, 0, 2, (second % 250) as u8].into(),
            count: 1,
            first: at(second),
            last: at(second),
        }
    }

    fn locked(failures: u32, until: i64) -> Locked {
        Locked { failures, until: at(until) }
    }

    #[test]
    fn the_first_is_told_at_once_and_the_rest_once_a_minute() {
        let mut notices = Notices::new(at(0));
        let first = failure(Some("bob"), 1);
        assert_eq!(notices.failed(first.clone()), Some(first));
        for second in 2..=5 {
            assert_eq!(notices.failed(failure(Some("bob"), second)), None);
        }
        assert_eq!(notices.due(at(59)), (vec![], None));
        let rest = Notice { source: [192, 0, 2, 5].into(), count: 4, last: at(5), ..failure(Some("bob"), 2) };
        assert_eq!(notices.due(at(60)), (vec![rest], None));
        // It was told of in this minute.
        assert_eq!(notices.failed(failure(Some("bob"), 61)), None);
        assert_eq!(notices.due(at(120)).0.len(), 1);
        assert_eq!(notices.due(at(180)).0.len(), 0);
        let later = failure(Some("bob"), 181);
        assert_eq!(notices.failed(later.clone()), Some(later));
        // The clock went back: nothing waits for ever.
        notices.failed(failure(Some("bob"), 182));
        assert_eq!(notices.due(at(10)).0.len(), 1);
    }

    #[test]
    fn what_counts_since_another_login_is_not_told_together() {
        let mut notices = Notices::new(at(0));
        for second in 1..=3 {
            notices.failed(failure(Some("bob"), second));
        }
        // He has come in: what waits is told, as what counted before.
        let anew = Notice { login: Some(told("bob", 7)), ..failure(None, 4) };
        let before = Notice { source: [192, 0, 2, 3].into(), count: 2, last: at(3), ..failure(Some("bob"), 2) };
        assert_eq!(notices.failed(anew.clone()), Some(before));
        assert_eq!(notices.due(at(60)).0, [anew]);
    }

    #[test]
    fn every_login_of_somebody_that_was_locked_is_named_and_others_are_counted() {
        let mut notices = Notices::new(at(0));
        for minute in 0..2 {
            for number in 0..500 {
                let name = format!("acme/{number}");
                notices.failed(failure(Some(&name), 60 * minute));
                notices.locked_login(Some(told(&name, 3)), locked(10, 900 + number));
                notices.locked_login(None, locked(10, 900));
                notices.locked_source([192, 0, (number / 250) as u8, (number % 250) as u8].into(), locked(100, 950));
            }
            let named = notices.locked_logins();
            assert_eq!((named.len(), named[&told("acme/499", 3).login]), (500, (3, locked(10, 1399))));
            assert_eq!((notices.locked_logins().len(), notices.locked_sources().len()), (0, 20));
            let unnamed = Lockout {
                manager: None,
                source: None,
                failures: 500 * 10 + 480 * 100,
                until: at(950),
                since: None,
                unnamed: Some(Unnamed { logins: 500, sources: 480 }),
            };
            assert_eq!(notices.due(at(60 * (minute + 1))).1, Some(unnamed), "and none is left out");
        }
        // One that does not reach the log waits, unless it was locked again.
        let bob = told("bob", 0).login;
        notices.put_back(bob.clone(), 0, locked(10, 900));
        notices.put_back(bob.clone(), 0, locked(10, 800));
        assert_eq!(notices.locked_logins(), [(bob, (0, locked(10, 900)))].into());
    }

    #[test]
    fn a_flood_is_a_hundred_notices_a_minute() {
        let mut notices = Notices::new(at(0));
        for minute in 0..3 {
            let now = at(60 * minute);
            let mut told = notices.due(now).0;
            for number in 0..10_000 {
                let login = format!("acme/{number}");
                for login in [Some(login.as_str()), Some("acme/7"), None] {
                    told.extend(notices.failed(failure(login, 60 * minute)));
                }
            }
            assert_eq!(told.len(), 100, "of minute {minute}");
            assert!(notices.waiting.len() <= 100 && notices.told.len() <= 100);
        }
        // Nothing is lost of how many there were.
        let counted: u64 = notices.waiting.values().map(|notice| notice.count).sum();
        assert!(counted > 29_000, "{counted}");
    }
}
