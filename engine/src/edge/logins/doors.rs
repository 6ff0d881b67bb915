//! How soon somebody may try again, and for how long nobody may.
//!
//! There is a door for each login and one for each place attempts come from. A few failures are free; each further one
//! doubles the wait, up to a minute; then the door is locked. What failed is forgotten a quarter of an hour after the
//! last failure, and a locked door opens with it. An attempt that was not let in changes nothing.
//!
//! The machine itself - a loopback address - is no place that attempts come from, and has a door of its own for each login,
//! which is never locked: nobody outside keeps anybody out of it, and whoever guesses there is held to one try a minute,
//! through a proxy there too. What fails there counts at the login's other door besides.
//!
//! A login nobody has is treated like one that somebody has: what failed at either is `kept` across restarts, where the log
//! has it of the one only.

mod kept;

use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use linesman_domain::failures::FORGOTTEN_AFTER;
use ring::hmac;

use super::notices::Locked;
use super::recent::Recent;

/// How long anybody waits before a door that is not locked, at most.
const WAIT_MOST: SignedDuration = SignedDuration::from_secs(60);
/// How many doors of each kind are remembered. INVARIANT (no door is forgotten early): more than the hasher can let
/// fail within [`FORGOTTEN_AFTER`], each at two doors of a login.
const DOORS: usize = 131_072;

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
/// A login's in the machine itself.
const OF_HOUSE: Patience = Patience { most: u32::MAX, ..OF_LOGIN };
/// That of a place attempts come from: many people may sit behind one address.
const OF_SOURCE: Patience = Patience { free: 50, most: 100 };

/// How many try at once from one place, the machine itself too: half of those whose passwords are looked at or wait for it,
/// so that nobody keeps all others from it by logins of which each is new.
const TOGETHER: u32 = 16;

/// All doors.
#[derive(Debug)]
pub(crate) struct Doors {
    table: Mutex<Table>,
    /// What the hashes of logins are made with.
    key: hmac::Key,
    /// Where they are kept, by one at a time; none where they are not.
    file: Option<Mutex<PathBuf>>,
}

#[derive(Debug)]
struct Table {
    /// By the keyed hash of the login: what is typed there may be long, or somebody's password.
    logins: Recent<Login, Door>,
    sources: Recent<IpAddr, Door>,
    /// Whether something failed, or was forgotten, since they were kept.
    is_changed: bool,
}

/// A door of a login: the hash of its text, and who comes by it.
type Login = ([u8; 32], Side);

/// Who comes by a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Side {
    /// Everybody.
    Street,
    /// The machine itself.
    House,
}

/// What failed at a door, and what is being tried.
#[derive(Debug, Clone, Copy)]
struct Door {
    /// Behind which input of the login's lane it failed; 0 at a place.
    since: u64,
    failures: u32,
    /// When the last one was.
    last: Timestamp,
    trying: u32,
    /// Whether somebody came in, which the log may not have yet.
    has_passed: bool,
}

/// What the log has of a login.
#[derive(Debug, Clone, Copy)]
pub(super) struct Logged {
    /// Behind which input of its lane failures count: the last login or password; 0 for none.
    pub(super) since: u64,
    /// How many failed since.
    pub(super) failures: u32,
    /// When the last one did.
    pub(super) last: Timestamp,
    /// Until when nobody is let in.
    pub(super) locked_until: Option<Timestamp>,
}

impl Default for Logged {
    fn default() -> Self {
        Self { since: 0, failures: 0, last: Timestamp::UNIX_EPOCH, locked_until: None }
    }
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
    login: [u8; 32],
    sides: &'static [Side],
    since: u64,
    source: Option<IpAddr>,
}

/// What stands for the machine itself among the places.
const HOUSE: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

impl Doors {
    /// All of them open, until this program ends.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { table: Mutex::new(Table::of(DOORS)), key: hmac::Key::new(hmac::HMAC_SHA256, &[]), file: None })
    }

    /// Somebody has given a login another password: whoever was locked out by the one before is let in.
    pub(super) fn forget(&self, login: &str) {
        let login = self.hash(login);
        let mut table = self.table();
        table.is_changed = true;
        for side in [Side::Street, Side::House] {
            table.logins.remove(&(login, side));
        }
    }

    /// Lets an attempt in at a login that nothing is logged of.
    ///
    /// # Errors
    /// It is too soon.
    pub(crate) fn enter(self: &Arc<Self>, now: Timestamp, login: &str, source: IpAddr) -> Result<Attempt, Wait> {
        self.enter_logged(now, login, source, Logged::default())
    }

    /// Lets an attempt in. What is known here of the login counts more than what is `logged` of it, unless that says
    /// that it was forgotten since.
    ///
    /// # Errors
    /// It is too soon.
    pub(super) fn enter_logged(
        self: &Arc<Self>,
        now: Timestamp,
        login: &str,
        source: IpAddr,
        logged: Logged,
    ) -> Result<Attempt, Wait> {
        let (login, source) = (self.hash(login), place(source));
        let mut table = self.table();
        let door = |table: &Table, side| {
            let logged = if side == Side::House { logged.nothing_failed() } else { logged };
            Door::of(table.logins.get(&(login, side)).copied(), logged, now)
        };
        let (sides, by_login): (&[_], _) = match source {
            Some(_) => (&[Side::Street], door(&table, Side::Street).wait(OF_LOGIN, now)),
            None => (&[Side::House, Side::Street], door(&table, Side::House).wait(OF_HOUSE, now)),
        };
        let place = source.unwrap_or(HOUSE);
        let known = table.sources.get(&place).copied();
        let by_source = known.filter(|_| source.is_some()).and_then(|door| door.wait(OF_SOURCE, now));
        let of_others = known.filter(|door| door.trying >= TOGETHER).map(|_| SignedDuration::from_secs(1));
        if let Some(wait) = by_login.max(by_source).max(of_others) {
            return Err(Wait { retry_after_s: seconds(wait) });
        }
        for side in sides {
            let door = door(&table, *side);
            table.logins.tried((login, *side), door);
        }
        table.sources.tried(place, Door::of(known, Logged::default(), now));
        Ok(Attempt { doors: Arc::clone(self), login, sides, since: logged.since, source })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing under the lock panics; and a table is whole after every step.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hash(&self, login: &str) -> [u8; 32] {
        let (mut hash, tag) = ([0; 32], hmac::sign(&self.key, login.as_bytes()));
        hash.iter_mut().zip(tag.as_ref()).for_each(|(ours, made)| *ours = *made);
        hash
    }
}

impl Table {
    fn of(most: usize) -> Self {
        Self { logins: Recent::new(most), sources: Recent::new(most), is_changed: false }
    }
}

impl Attempt {
    /// It was the wrong password.
    pub(crate) fn failed(self, now: Timestamp) -> Failed {
        let mut table = self.doors.table();
        table.is_changed = true;
        let locked = |failures: u32, most: u32| {
            let until = now.checked_add(FORGOTTEN_AFTER).unwrap_or(Timestamp::MAX);
            (failures == most).then_some(Locked { failures, until })
        };
        let mut failures = 0;
        for side in self.sides {
            // The last is the one that may be locked.
            failures = table.logins.failed((self.login, *side), self.since, now);
        }
        let login = locked(failures, OF_LOGIN.most);
        let source = self.source.and_then(|place| locked(table.sources.failed(place, 0, now), OF_SOURCE.most));
        Failed { login, source }
    }

    /// It was the right one: what failed at this login is forgotten. What failed from there is not, or whoever has a
    /// login could try all others.
    pub(crate) fn passed(self) {
        let mut table = self.doors.table();
        table.is_changed = true;
        for side in self.sides {
            if let Some(door) = table.logins.get_mut(&(self.login, *side)) {
                (door.failures, door.has_passed) = (0, true);
            }
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut table = self.doors.table();
        for side in self.sides {
            table.logins.left(&(self.login, *side));
        }
        table.sources.left(&self.source.unwrap_or(HOUSE));
    }
}

impl Logged {
    /// The same, had nothing failed.
    fn nothing_failed(self) -> Self {
        Self { since: self.since, ..Self::default() }
    }
}

impl Door {
    /// The door that is `known`, or as it is logged where none is, or where what failed at that was forgotten since.
    fn of(known: Option<Self>, logged: Logged, now: Timestamp) -> Self {
        let Logged { since, failures, last, locked_until } = logged;
        // What led to it may not be told yet.
        let is_locked = locked_until.is_some_and(|until| now < until);
        let failures = if is_locked { failures.max(OF_LOGIN.most) } else { failures };
        match known {
            Some(known) if known.since == since => known,
            known => {
                let trying = known.map_or(0, |known| known.trying);
                Self { since, failures, last, trying, has_passed: false }
            }
        }
    }

    /// How long it stays shut.
    fn wait(&self, patience: Patience, now: Timestamp) -> Option<SignedDuration> {
        let failures = self.remembered(now);
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
        let rest = whole - self.quiet(now);
        rest.is_positive().then_some(rest)
    }

    /// How many failures count.
    fn remembered(&self, now: Timestamp) -> u32 {
        if self.quiet(now) < FORGOTTEN_AFTER { self.failures } else { 0 }
    }

    /// How long the last failure is past; none at all when the clock went back.
    fn quiet(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.last).max(SignedDuration::ZERO)
    }
}

impl<K: Clone + Eq + std::hash::Hash> Recent<K, Door> {
    /// Somebody stands at the door, which is so.
    fn tried(&mut self, key: K, mut door: Door) {
        door.trying = door.trying.saturating_add(1);
        self.put(key, door);
    }

    /// They failed; how many have. What was forgotten while they tried counts no more.
    fn failed(&mut self, key: K, since: u64, now: Timestamp) -> u32 {
        let known = self.remove(&key);
        let mut door = known.unwrap_or(Door { since, failures: 0, last: now, trying: 1, has_passed: false });
        let mut failures = 0;
        if door.since == since {
            failures = door.remembered(now).saturating_add(1);
            (door.failures, door.last) = (failures, now);
        }
        self.put(key, door);
        failures
    }

    /// They stand there no longer.
    fn left(&mut self, key: &K) {
        let Some(door) = self.get_mut(key) else { return };
        door.trying = door.trying.saturating_sub(1);
        if door.trying == 0 && door.failures == 0 && !door.has_passed {
            self.remove(key);
        }
    }
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
mod tests;
