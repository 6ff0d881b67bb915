//! How soon somebody may try again, and for how long nobody may.
//!
//! There is a door for each login and one for each place attempts come from. A few failures are free; each further one
//! doubles the wait, up to a minute; then the door is locked. What failed is forgotten a quarter of an hour after the
//! last failure, and a locked door opens with it. An attempt that was not let in changes nothing.
//!
//! The machine itself is no place that attempts come from; and for `admin` it has a door of its own, which is never
//! locked: nobody outside keeps the provider's first manager out.
//!
//! A login nobody has is treated like one that somebody has.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::notices::Locked;
use super::recent::Recent;

/// How long after the last failure all of them are forgotten.
pub(super) const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// How long anybody waits before a door that is not locked, at most.
const WAIT_MOST: SignedDuration = SignedDuration::from_secs(60);
/// How many doors of each kind are remembered. INVARIANT (no door is forgotten early): more than the hasher can let
/// fail within [`FORGOTTEN_AFTER`].
const DOORS: usize = 65_536;
/// The login that nobody keeps out of its own machine.
const ADMIN: &str = "admin";

/// How a door bears failures.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// How many are free.
    free: u32,
    /// At how many it is locked.
    most: u32,
}

/// A login's.
const OF_LOGIN: Patience = Patience { free: 3, most: 10 };
/// That of a place attempts come from: many people may sit behind one address.
const OF_SOURCE: Patience = Patience { free: 50, most: 100 };

/// All doors.
#[derive(Debug)]
pub(crate) struct Doors(Mutex<Table>);

#[derive(Debug)]
struct Table {
    /// By the hash of the login: what is typed there may be long, or somebody's password.
    logins: Recent<Login, Door>,
    sources: Recent<IpAddr, Door>,
}

/// A door of a login: the hash of its text, and whether it is the machine's own.
type Login = ([u8; 32], bool);

/// What failed at a door, and what is being tried.
#[derive(Debug, Clone, Copy)]
struct Door {
    failures: u32,
    /// When the last one was.
    last: Timestamp,
    trying: u32,
}

/// Who is not let in yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    /// In how many seconds it is worth another try; at least 1.
    pub(crate) retry_after_s: u64,
}

/// What a failure came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Failed {
    /// The login's door, if this locked it.
    pub(crate) login: Option<Locked>,
    /// That of the place it came from, if this locked it.
    pub(crate) source: Option<Locked>,
}

/// An attempt that was let in. Dropped, it never was one.
#[derive(Debug)]
pub(crate) struct Attempt {
    doors: Arc<Doors>,
    login: Login,
    source: Option<IpAddr>,
}

impl Doors {
    /// All of them open.
    pub(crate) fn new() -> Arc<Self> {
        Self::remembering(DOORS)
    }

    fn remembering(doors: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Table { logins: Recent::new(doors), sources: Recent::new(doors) })))
    }

    /// What was known of a login before this process; what is known here counts more.
    pub(super) fn remember(&self, login: &str, failures: u32, last: Timestamp) {
        let (key, mut table) = (key(login, false), self.table());
        if table.logins.get(&key).is_none() {
            table.logins.put(key, Door { failures, last, trying: 0 });
        }
    }

    /// Somebody has given a login another password: whoever was locked out by the one before is let in.
    pub(super) fn forget(&self, login: &str) {
        let mut table = self.table();
        for own in [false, true] {
            table.logins.remove(&key(login, own));
        }
    }

    /// Lets an attempt in.
    ///
    /// # Errors
    /// It is too soon.
    pub(crate) fn enter(self: &Arc<Self>, now: Timestamp, login: &str, source: IpAddr) -> Result<Attempt, Wait> {
        let source = place(source);
        let own = source.is_none() && login == ADMIN;
        let login = key(login, own);
        let mut table = self.table();
        let most = if own { u32::MAX } else { OF_LOGIN.most };
        let by_login = table.logins.get(&login).and_then(|door| door.wait(Patience { most, ..OF_LOGIN }, now));
        let by_source = source.and_then(|place| table.sources.get(&place)).and_then(|door| door.wait(OF_SOURCE, now));
        if let Some(wait) = by_login.max(by_source) {
            return Err(Wait { retry_after_s: seconds(wait) });
        }
        table.logins.tried(login, now);
        if let Some(place) = source {
            table.sources.tried(place, now);
        }
        Ok(Attempt { doors: Arc::clone(self), login, source })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing under the lock panics; and a table is whole after every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt {
    /// It was the wrong password.
    pub(crate) fn failed(self, now: Timestamp) -> Failed {
        let mut table = self.doors.table();
        let locked = |failures: u32, most: u32| {
            let until = now.checked_add(FORGOTTEN_AFTER).unwrap_or(Timestamp::MAX);
            (failures == most).then_some(Locked { failures, until })
        };
        let (_, own) = self.login;
        let failures = table.logins.failed(self.login, now);
        let login = locked(failures, OF_LOGIN.most).filter(|_| !own);
        let source = self.source.and_then(|place| locked(table.sources.failed(place, now), OF_SOURCE.most));
        Failed { login, source }
    }

    /// It was the right one: what failed at this login is forgotten. What failed from there is not, or whoever has a
    /// login could try all others.
    pub(crate) fn passed(self) {
        if let Some(door) = self.doors.table().logins.get_mut(&self.login) {
            door.failures = 0;
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut table = self.doors.table();
        table.logins.left(&self.login);
        if let Some(place) = self.source {
            table.sources.left(&place);
        }
    }
}

impl Door {
    /// How long it stays shut.
    fn wait(&self, patience: Patience, now: Timestamp) -> Option<SignedDuration> {
        let failures = if self.since(now) < FORGOTTEN_AFTER { self.failures } else { 0 };
        // Who tries many at once has no more tries than who waits for each answer.
        if self.trying > 0 && failures.saturating_add(self.trying) >= patience.free {
            return Some(SignedDuration::from_secs(1));
        }
        let whole = if failures >= patience.most {
            FORGOTTEN_AFTER
        } else {
            let doublings = failures.checked_sub(patience.free)?;
            SignedDuration::from_secs(1_i64.checked_shl(doublings).unwrap_or(i64::MAX))
                .clamp(SignedDuration::ZERO, WAIT_MOST)
        };
        let rest = whole - self.since(now);
        rest.is_positive().then_some(rest)
    }

    /// How long the last failure is past; none at all when the clock went back.
    fn since(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.last).max(SignedDuration::ZERO)
    }
}

impl<K: Clone + Eq + std::hash::Hash> Recent<K, Door> {
    /// Somebody stands at the door.
    fn tried(&mut self, key: K, now: Timestamp) {
        let mut door = self.remove(&key).unwrap_or(Door { failures: 0, last: now, trying: 0 });
        door.trying = door.trying.saturating_add(1);
        self.put(key, door);
    }

    /// They failed; how many have.
    fn failed(&mut self, key: K, now: Timestamp) -> u32 {
        let mut door = self.remove(&key).unwrap_or(Door { failures: 0, last: now, trying: 1 });
        let before = if door.since(now) < FORGOTTEN_AFTER { door.failures } else { 0 };
        door.failures = before.saturating_add(1);
        door.last = now;
        self.put(key, door);
        door.failures
    }

    /// They stand there no longer.
    fn left(&mut self, key: &K) {
        let Some(door) = self.get_mut(key) else { return };
        door.trying = door.trying.saturating_sub(1);
        if door.trying == 0 && door.failures == 0 {
            self.remove(key);
        }
    }
}

fn key(login: &str, own: bool) -> Login {
    (Sha256::digest(login).into(), own)
}

/// Where an attempt comes from; from nowhere, if from this machine. Whoever has an IPv6 address has 2^64 of them.
fn place(source: IpAddr) -> Option<IpAddr> {
    match source.to_canonical() {
        source if source.is_loopback() => None,
        IpAddr::V6(source) => {
            let [a, b, c, d, ..] = source.segments();
            Some(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
        }
        source @ IpAddr::V4(_) => Some(source),
    }
}

/// Whole seconds, none of them too early.
fn seconds(wait: SignedDuration) -> u64 {
    let whole = wait.as_secs().unsigned_abs();
    if wait.subsec_nanos() > 0 { whole.saturating_add(1) } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEAR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn far(number: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, number])
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    /// Fails as soon as it is let in; the seconds waited before.
    fn fail(doors: &Arc<Doors>, now: &mut i64, login: &str, source: IpAddr) -> (u64, Failed) {
        let mut waited = 0;
        loop {
            match doors.enter(at(*now), login, source) {
                Ok(attempt) => return (waited, attempt.failed(at(*now))),
                Err(Wait { retry_after_s }) => {
                    assert!(
                        doors.enter(at(*now + retry_after_s as i64 - 1), login, source).is_err(),
                        "not a second earlier"
                    );
                    *now += retry_after_s as i64;
                    waited += retry_after_s;
                }
            }
        }
    }

    #[test]
    fn three_are_free_then_the_wait_doubles_and_the_tenth_locks() {
        for login in ["acme/ann", "nobody/knows"] {
            let (doors, mut now) = (Doors::new(), 0);
            let fails: Vec<_> = (0..10).map(|_| fail(&doors, &mut now, login, far(1))).collect();
            let waits: Vec<u64> = fails.iter().map(|(waited, _)| *waited).collect();
            assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 32, 60]);
            let locked: Vec<_> = fails.iter().filter_map(|(_, failed)| failed.login).collect();
            assert_eq!(locked, [Locked { failures: 10, until: at(now + 15 * 60) }]);
            // Neither another address nor patience of a minute helps, and refusals do not lengthen it.
            assert_eq!(doors.enter(at(now), login, far(2)).unwrap_err(), Wait { retry_after_s: 900 });
            assert_eq!(doors.enter(at(now + 899), login, NEAR).unwrap_err(), Wait { retry_after_s: 1 });
            let after = doors.enter(at(now + 900), login, far(1)).unwrap();
            assert_eq!(after.failed(at(now + 900)), Failed::default());
            assert!(doors.enter(at(now), "acme/bea", far(1)).is_ok(), "others are let in");
        }
    }

    #[test]
    fn who_gets_in_begins_anew() {
        let (doors, mut now) = (Doors::new(), 0);
        for _ in 0..4 {
            fail(&doors, &mut now, "bob", far(1));
        }
        doors.enter(at(now + 2), "bob", far(1)).unwrap().passed();
        now += 2;
        let waits: Vec<u64> = (0..4).map(|_| fail(&doors, &mut now, "bob", far(1)).0).collect();
        assert_eq!(waits, [0, 0, 0, 1]);
        // So does who has another password.
        doors.forget("bob");
        assert_eq!(fail(&doors, &mut now, "bob", far(1)).0, 0);
    }

    #[test]
    fn many_at_once_have_no_more_tries() {
        let doors = Doors::new();
        let inside: Vec<_> = (0..3).map(|_| doors.enter(at(0), "bob", far(1)).unwrap()).collect();
        assert_eq!(doors.enter(at(0), "bob", far(2)).unwrap_err(), Wait { retry_after_s: 1 });
        // An attempt that came to nothing was none.
        drop(inside);
        assert!(doors.enter(at(0), "bob", far(1)).is_ok());
        assert_eq!(doors.table().logins.get(&key("bob", false)).map(|door| door.failures), None);
    }

    #[test]
    fn a_place_is_locked_whatever_logins_are_tried_there() {
        let (doors, mut now) = (Doors::new(), 0);
        let mut locked = Vec::new();
        for number in 0..100 {
            locked.extend(fail(&doors, &mut now, &format!("acme/{number}"), far(1)).1.source);
            // Of no use to it: that it has a login of its own.
            if let Ok(attempt) = doors.enter(at(now), "acme/own", far(1)) {
                attempt.passed();
            }
        }
        assert_eq!(locked, [Locked { failures: 100, until: at(now + 900) }]);
        assert_eq!(doors.enter(at(now), "bob", far(1)).unwrap_err(), Wait { retry_after_s: 900 });
        assert!(doors.enter(at(now), "bob", far(2)).is_ok());
        assert!(doors.enter(at(now), "bob", NEAR).is_ok());
    }

    #[test]
    fn the_machine_itself_is_no_place_and_has_a_door_of_its_own_for_admin() {
        let (doors, mut now) = (Doors::new(), 0);
        for _ in 0..10 {
            fail(&doors, &mut now, "admin", far(1));
        }
        assert!(doors.enter(at(now), "admin", far(2)).is_err());
        for number in 0..200 {
            fail(&doors, &mut now, &format!("acme/{number}"), NEAR);
        }
        for source in [NEAR, "::1".parse().unwrap(), "::ffff:127.0.0.1".parse().unwrap()] {
            assert!(doors.enter(at(now), "admin", source).is_ok(), "{source}");
        }
        // It is slowed down like everybody, and never locked.
        let mut last = 0;
        for _ in 0..40 {
            let (waited, failed) = fail(&doors, &mut now, "admin", NEAR);
            assert_eq!(failed, Failed::default());
            last = waited;
        }
        assert_eq!(last, 60);
    }

    #[test]
    fn who_has_an_ipv6_address_has_one_door() {
        let place = |text: &str| place(text.parse().unwrap());
        assert_eq!(place("2001:db8:1:2:aaaa::1"), place("2001:db8:1:2:bbbb::2"));
        assert_ne!(place("2001:db8:1:2::1"), place("2001:db8:1:3::1"));
        assert_eq!(place("::ffff:192.0.2.7"), place("192.0.2.7"));
    }

    #[test]
    fn a_clock_that_goes_back_locks_nobody_out_for_longer() {
        let (doors, mut now) = (Doors::new(), 1_000_000);
        for _ in 0..10 {
            fail(&doors, &mut now, "bob", far(1));
        }
        assert_eq!(doors.enter(at(0), "bob", far(1)).unwrap_err(), Wait { retry_after_s: 900 });
    }

    #[test]
    fn what_was_known_before_is_known_and_memory_is_bounded() {
        let doors = Doors::remembering(2);
        doors.remember("bob", 10, at(0));
        assert_eq!(doors.enter(at(100), "bob", far(1)).unwrap_err(), Wait { retry_after_s: 800 });
        for number in 0..10 {
            doors.enter(at(0), &format!("acme/{number}"), far(number)).unwrap().failed(at(0));
        }
        assert!(doors.enter(at(100), "bob", far(1)).is_ok());
    }
}
