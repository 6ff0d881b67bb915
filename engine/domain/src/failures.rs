//! Logins that were refused, by manager: what whoever guards the doors is to know after a restart.

use jiff::Timestamp;
use linesman_schemas::Login;
use serde::{Deserialize, Serialize};

use super::Error;
use super::desk::Desk;
use super::managers::owner;
use super::table::{Key, Row, Table};

/// What was refused since somebody last logged in as a manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailuresRow {
    /// How many.
    pub count: u64,
    /// When the last one was told.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub last: Timestamp,
    /// Until when nobody is let in as the manager.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub locked_until: Option<Timestamp>,
}

impl Row for FailuresRow {}

/// The table of refused logins.
pub const FAILURES: Table<FailuresRow> = Table::new(b'F');

/// The key of what was refused of a manager.
pub fn key(login: &Login) -> Key<FailuresRow> {
    FAILURES.key(&[owner(login.organization.as_ref())], login.name.as_str().as_bytes())
}

/// So many more were refused.
pub(crate) fn count(desk: &mut Desk, login: &Login, more: u64) -> Result<(), Error> {
    let known = desk.read(&key(login))?;
    let (count, locked_until) = known.map_or((0, None), |row| (row.count, row.locked_until));
    desk.write(key(login), &FailuresRow { count: count.saturating_add(more), last: desk.now, locked_until })
}

/// Nobody is let in for a while.
pub(crate) fn lock(desk: &mut Desk, login: &Login, until: Timestamp) -> Result<(), Error> {
    let count = desk.read(&key(login))?.map_or(0, |row| row.count);
    desk.write(key(login), &FailuresRow { count, last: desk.now, locked_until: Some(until) })
}

/// Somebody has logged in, or has another password.
pub(crate) fn forget(desk: &mut Desk, login: &Login) -> Result<(), Error> {
    if desk.read(&key(login))?.is_some() {
        desk.remove(key(login));
    }
    Ok(())
}
