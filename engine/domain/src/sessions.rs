//! Sessions of managers: SHA-256 of the secret by which somebody comes back, and for how long.

use jiff::Timestamp;
use linesman_schemas::command::SessionOpening;
use linesman_schemas::{Login, SessionId};
use serde::{Deserialize, Serialize};

use super::Error;
use super::desk::Desk;
use super::managers::owner;
use super::state::Base;
use super::table::{Key, Row, Table};
use super::tokens::hash_of;

/// How many sessions a manager may have; when one more begins, the oldest ends.
pub const SESSIONS_MOST: usize = 16;

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// When it began.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub created: Timestamp,
    /// When it was used last, to the hour.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub used: Timestamp,
    /// When it ends, however much it is used.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub expires: Timestamp,
    /// From where it was begun: an address.
    pub source: String,
}

impl Row for SessionRow {}

/// The table of sessions.
pub const SESSIONS: Table<SessionRow> = Table::new(b'w');

/// A session's key.
pub fn key(login: &Login, session: &SessionId) -> Key<SessionRow> {
    SESSIONS.key(&[owner(login.organization.as_ref()), login.name.as_str()], session.as_str().as_bytes())
}

/// All sessions of a manager, by id; those that have ended among them.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn of<'a>(
    base: &'a (impl Base + ?Sized),
    login: &'a Login,
) -> impl Iterator<Item = Result<(SessionId, SessionRow), Error>> + 'a {
    SESSIONS
        .rows(base, &[owner(login.organization.as_ref()), login.name.as_str()])
        .filter_map(|row| row.map(|(own, row)| Some((std::str::from_utf8(&own).ok()?.parse().ok()?, row))).transpose())
}

/// A session begins; what has ended is forgotten, and the oldest beyond the most there may be.
pub(crate) fn open(desk: &mut Desk, login: &Login, opening: &SessionOpening) -> Result<(), Error> {
    let mut known: Vec<_> = of(desk.state(), login).collect::<Result<_, _>>()?;
    known.sort_by(|(one, first), (other, second)| (first.created, one).cmp(&(second.created, other)));
    let (ended, mut open): (Vec<_>, Vec<_>) = known.into_iter().partition(|(_, row)| row.expires <= desk.now);
    let beyond = (open.len() + 1).saturating_sub(SESSIONS_MOST);
    for (session, _) in ended.into_iter().chain(open.drain(..beyond)) {
        desk.remove(key(login, &session));
    }
    let row = SessionRow {
        hash: hash_of(&opening.hash),
        created: desk.now,
        used: desk.now,
        expires: opening.expires,
        source: opening.source.clone(),
    };
    desk.write(key(login, &opening.session), &row)
}

/// A session was used; whether there is one.
pub(crate) fn touch(desk: &mut Desk, login: &Login, session: &SessionId) -> Result<bool, Error> {
    let key = key(login, session);
    let Some(mut row) = desk.read(&key)? else { return Ok(false) };
    row.used = desk.now;
    desk.write(key, &row)?;
    Ok(true)
}

/// All sessions of a manager end; how many there were.
pub(crate) fn end_all(desk: &mut Desk, login: &Login) -> Result<usize, Error> {
    let known: Vec<_> = of(desk.state(), login).map(|found| found.map(|(id, _)| id)).collect::<Result<_, _>>()?;
    let count = known.len();
    for session in known {
        desk.remove(key(login, &session));
    }
    Ok(count)
}
