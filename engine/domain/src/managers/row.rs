//! How managers are stored: those that are there, and those that are gone.

use jiff::Timestamp;
use linesman_schemas::directory::{Grant, Granter};
use linesman_schemas::{Login, ManagerName, OrgName, Privileges, Rights, Sphere};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::rights::Member;
use crate::state::Base;
use crate::table::{Key, Row, Table};

/// Under whose name what is the provider's own stands.
pub const PROVIDER: &str = "_provider";

/// A manager of an organization, or one of the provider's people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagerRow {
    /// Where the command that made it stands in IN: a login that was removed and made again is another one.
    pub number: u64,
    /// What was granted.
    pub grant: GrantRow,
    /// When it was made.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub created: Timestamp,
    /// When it was changed last.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub changed: Timestamp,
}

/// What was granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRow {
    /// Where.
    pub sphere: Sphere,
    /// As in [`Privileges::bits`].
    pub privileges: u8,
    /// As in [`Rights::bits`].
    pub rights: u16,
    /// By whom.
    pub granter: Option<Granter>,
}

impl Row for ManagerRow {}
impl Row for GrantRow {}

impl From<&Grant> for GrantRow {
    fn from(grant: &Grant) -> Self {
        Self {
            sphere: grant.sphere.clone(),
            privileges: grant.privileges.bits(),
            rights: grant.rights.bits(),
            granter: grant.granter.clone(),
        }
    }
}

impl From<GrantRow> for Grant {
    fn from(row: GrantRow) -> Self {
        Self {
            sphere: row.sphere,
            privileges: Privileges::of_bits(row.privileges),
            rights: Rights::of_bits(row.rights),
            granter: row.granter,
        }
    }
}

impl ManagerRow {
    /// The manager of that login.
    pub fn member(self, login: Login) -> Member {
        Member { login, number: self.number, grant: self.grant.into() }
    }
}

/// The table of managers.
pub const MANAGERS: Table<ManagerRow> = Table::new(b'g');
/// The table of what managers had that are gone.
pub const GONE: Table<GrantRow> = Table::new(b'G');

/// Whose rows somebody's are: the organization's, or the provider's.
pub fn owner(org: Option<&OrgName>) -> &str {
    org.map_or(PROVIDER, OrgName::as_str)
}

/// A manager's key.
pub fn key(login: &Login) -> Key<ManagerRow> {
    MANAGERS.key(&[owner(login.organization.as_ref())], login.name.as_str().as_bytes())
}

/// The front of the keys of an organization's managers, or of the provider's people, from their own keys' beginning on.
pub fn within(org: Option<&OrgName>, own: &[u8]) -> Vec<u8> {
    MANAGERS.prefix(&[owner(org)], own)
}

/// The key of what a manager had that is gone.
pub fn gone_key(was: &Granter) -> Key<GrantRow> {
    let owner = owner(was.login.organization.as_ref());
    GONE.key(&[owner, was.login.name.as_str()], &was.number.to_be_bytes())
}

/// All managers of an organization, or without one of the provider's people but the first, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all<'a>(
    base: &'a (impl Base + ?Sized),
    org: Option<&'a OrgName>,
) -> impl Iterator<Item = Result<(ManagerName, ManagerRow), Error>> + 'a {
    MANAGERS
        .rows(base, &[owner(org)])
        .filter_map(|row| row.map(|(own, row)| Some((std::str::from_utf8(&own).ok()?.parse().ok()?, row))).transpose())
}

/// What those of the provider's people had that are gone, by name and number.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn gone_people(base: &(impl Base + ?Sized)) -> impl Iterator<Item = Result<(Granter, Grant), Error>> {
    GONE.rows(base, &[PROVIDER])
        .filter_map(|row| row.map(|(own, row)| Some((was(None, &own)?, row.into()))).transpose())
}

/// Who it was whose row stands so behind its owner.
pub(super) fn was(org: Option<&OrgName>, own: &[u8]) -> Option<Granter> {
    let (name, number) = own.split_at_checked(own.len().checked_sub(8)?)?;
    let name = std::str::from_utf8(name).ok()?.strip_suffix('\0')?.parse().ok()?;
    let number = u64::from_be_bytes(number.try_into().ok()?);
    Some(Granter { login: Login::new(org.cloned(), name), number })
}
