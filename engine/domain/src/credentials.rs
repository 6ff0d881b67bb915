//! Passwords of managers, as hashes. Nobody is shown anything of them.

use jiff::Timestamp;
use linesman_schemas::Login;
use serde::{Deserialize, Serialize};

use super::Error;
use super::desk::Desk;
use super::managers::owner;
use super::table::{Key, Row, Table};
use super::{failures, sessions, tokens};

/// What a manager logs in by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialsRow {
    /// The hash of its password, in the PHC string format.
    pub password: String,
    /// Whether somebody else set it: it is to be changed before anything else is done.
    pub must_change: bool,
    /// When it was set.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub changed: Timestamp,
}

impl Row for CredentialsRow {}

/// The table of credentials.
pub const CREDENTIALS: Table<CredentialsRow> = Table::new(b'y');

/// The key of a manager's credentials.
pub fn key(login: &Login) -> Key<CredentialsRow> {
    CREDENTIALS.key(&[owner(login.organization.as_ref())], login.name.as_str().as_bytes())
}

/// A manager logs in by another password from here on: whoever came in by the one before is out, and who was locked
/// out is not.
pub(crate) fn set(desk: &mut Desk, login: &Login, password: &str, must_change: bool) -> Result<(), Error> {
    let row = CredentialsRow { password: password.to_owned(), must_change, changed: desk.now };
    desk.write(key(login), &row)?;
    sessions::end_all(desk, login)?;
    failures::forget(desk, login)
}

/// A manager is gone, and with it whatever it came in by: password, sessions, API tokens.
pub(crate) fn remove(desk: &mut Desk, login: &Login) -> Result<(), Error> {
    if desk.read(&key(login))?.is_some() {
        desk.remove(key(login));
    }
    sessions::end_all(desk, login)?;
    tokens::revoke_all(desk, login)?;
    failures::remove(desk, login)
}
