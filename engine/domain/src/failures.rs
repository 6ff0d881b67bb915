//! Logins that were refused, by manager: what whoever guards the doors is to know after a restart.
//!
//! A login and another password forget all that was refused before, and what is told of it late: a refusal is told with
//! the input behind which it counts ([`since`]). Otherwise what was refused is forgotten with the lock-out it led to, and
//! after [`FORGOTTEN_AFTER`] without another.

use jiff::{SignedDuration, Timestamp};
use linesman_schemas::Login;
use linesman_schemas::command::{Lockout, LoginRefusals};
use serde::{Deserialize, Serialize};

use super::Error;
use super::desk::Desk;
use super::managers::owner;
use super::state::Base;
use super::table::{Key, Row, Table};

/// How long after the last refusal all of them are forgotten; so long a login is locked out, too.
pub const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// The level from which on what was refused is forgotten, and lock-outs are told that have no name.
pub(crate) const FORGETTING: u32 = 7;

/// What was refused since somebody last logged in as a manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailuresRow {
    /// How many.
    pub count: u64,
    /// When the last one was; up to level 6, when it was told.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub last: Timestamp,
    /// Until when nobody is let in as the manager.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub locked_until: Option<Timestamp>,
}

/// A manager came in, or was given a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnewRow {
    /// The input in IN by which it was, the last one.
    pub input: u64,
}

impl Row for FailuresRow {}
impl Row for AnewRow {}

/// The table of refused logins.
pub const FAILURES: Table<FailuresRow> = Table::new(b'F');
/// The table of when what was refused was last forgotten.
pub const ANEW: Table<AnewRow> = Table::new(b'4');

/// The key of what was refused of a manager.
pub fn key(login: &Login) -> Key<FailuresRow> {
    FAILURES.key(&[owner(login.organization.as_ref())], login.name.as_str().as_bytes())
}

/// The key of when that was last forgotten.
pub fn anew_key(login: &Login) -> Key<AnewRow> {
    ANEW.key(&[owner(login.organization.as_ref())], login.name.as_str().as_bytes())
}

/// The input of the lane behind which refusals of a manager count; 0 where all do.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn since(base: &(impl Base + ?Sized), login: &Login) -> Result<u64, Error> {
    Ok(Table::read(base, &anew_key(login))?.map_or(0, |row| row.input))
}

impl FailuresRow {
    /// Whether what was refused is forgotten when one more is at `next`.
    fn is_over(&self, next: Timestamp) -> bool {
        next.duration_since(self.last) >= FORGOTTEN_AFTER || self.locked_until.is_some_and(|until| next >= until)
    }
}

/// So many more were refused.
pub(crate) fn count(desk: &mut Desk, login: &Login, refusals: &LoginRefusals) -> Result<(), Error> {
    let mut known = desk.read(&key(login))?;
    let mut last = desk.now;
    if desk.is_at(FORGETTING) {
        if is_forgotten(desk, login, refusals.counting.as_ref().map(|counting| counting.since))? {
            return Ok(());
        }
        let first = refusals.counting.as_ref().map_or(desk.now, |counting| counting.first);
        known = known.filter(|row| !row.is_over(first));
        let told = refusals.counting.as_ref().map_or(desk.now, |counting| counting.last.min(desk.now));
        last = known.as_ref().map_or(told, |row| told.max(row.last));
    }
    let (count, locked_until) = known.map_or((0, None), |row| (row.count, row.locked_until));
    desk.write(key(login), &FailuresRow { count: count.saturating_add(refusals.count), last, locked_until })
}

/// Nobody is let in for a while.
pub(crate) fn lock(desk: &mut Desk, login: &Login, lockout: &Lockout) -> Result<(), Error> {
    let mut known = desk.read(&key(login))?;
    let mut last = desk.now;
    if desk.is_at(FORGETTING) {
        if is_forgotten(desk, login, lockout.since)? {
            return Ok(());
        }
        // It is told a moment later than it was, and is over when it says.
        let locked = lockout.until.checked_sub(FORGOTTEN_AFTER).unwrap_or(desk.now).min(desk.now);
        known = known.filter(|row| !row.is_over(locked));
        last = known.as_ref().map_or(locked, |row| locked.max(row.last));
    }
    let count = known.map_or(0, |row| row.count);
    desk.write(key(login), &FailuresRow { count, last, locked_until: Some(lockout.until) })
}

/// Whether what is told counted behind another input than what is refused now: it was forgotten since.
fn is_forgotten(desk: &Desk, login: &Login, told: Option<u64>) -> Result<bool, Error> {
    let Some(told) = told else { return Ok(false) };
    Ok(told != since(desk.state(), login)?)
}

/// Somebody has logged in, or has another password.
pub(crate) fn forget(desk: &mut Desk, login: &Login) -> Result<(), Error> {
    remove_refused(desk, login)?;
    if desk.is_at(FORGETTING) {
        let input = desk.sequence;
        desk.write(anew_key(login), &AnewRow { input })?;
    }
    Ok(())
}

/// The manager is gone.
pub(crate) fn remove(desk: &mut Desk, login: &Login) -> Result<(), Error> {
    remove_refused(desk, login)?;
    if desk.read(&anew_key(login))?.is_some() {
        desk.remove(anew_key(login));
    }
    Ok(())
}

fn remove_refused(desk: &mut Desk, login: &Login) -> Result<(), Error> {
    if desk.read(&key(login))?.is_some() {
        desk.remove(key(login));
    }
    Ok(())
}
