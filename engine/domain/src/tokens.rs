//! API tokens of managers: what each may do, and SHA-256 of its secret.

use jiff::Timestamp;
use linesman_schemas::directory::Attenuation;
use linesman_schemas::{Login, ManagerName, OrgName, Privileges, Rights, Sphere, TokenName};
use serde::{Deserialize, Serialize};

use super::Error;
use super::desk::Desk;
use super::managers::owner;
use super::state::Base;
use super::table::{Key, Row, Table};

/// How many tokens a manager may have.
pub const TOKENS_MOST: usize = 10;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// Until when it is good.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub expires: Option<Timestamp>,
    /// Where it may do something; none: where its owner may.
    pub sphere: Option<Sphere>,
    /// Its privileges, as in [`Privileges::bits`]; none: its owner's.
    pub privileges: Option<u8>,
    /// Its rights, as in [`Rights::bits`]; none: its owner's.
    pub rights: Option<u16>,
    /// When it was made.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub created: Timestamp,
    /// When it was used last, to the hour.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub used: Option<Timestamp>,
}

impl Row for TokenRow {}

impl TokenRow {
    /// What it may do of what its owner may.
    pub fn attenuation(&self) -> Attenuation {
        Attenuation {
            expires: self.expires,
            sphere: self.sphere.clone(),
            privileges: self.privileges.map(Privileges::of_bits),
            rights: self.rights.map(Rights::of_bits),
        }
    }
}

/// The table of tokens.
pub const TOKENS: Table<TokenRow> = Table::new(b'z');

/// A token's key.
pub fn key(login: &Login, token: &TokenName) -> Key<TokenRow> {
    TOKENS.key(&[owner(login.organization.as_ref()), login.name.as_str()], token.as_str().as_bytes())
}

/// All tokens of an organization's managers, or without one of the provider's people, by owner and name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all<'a>(
    base: &'a (impl Base + ?Sized),
    org: Option<&'a OrgName>,
) -> impl Iterator<Item = Result<(ManagerName, TokenName, TokenRow), Error>> + 'a {
    TOKENS.rows(base, &[owner(org)]).filter_map(|row| {
        row.map(|(own, row)| {
            let (manager, token) = std::str::from_utf8(&own).ok()?.split_once('\0')?;
            Some((manager.parse().ok()?, token.parse().ok()?, row))
        })
        .transpose()
    })
}

/// All tokens of a manager, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn of<'a>(
    base: &'a (impl Base + ?Sized),
    login: &'a Login,
) -> impl Iterator<Item = Result<(TokenName, TokenRow), Error>> + 'a {
    TOKENS
        .rows(base, &[owner(login.organization.as_ref()), login.name.as_str()])
        .filter_map(|row| row.map(|(own, row)| Some((std::str::from_utf8(&own).ok()?.parse().ok()?, row))).transpose())
}

/// A token was used; whether there is one.
pub(crate) fn touch(desk: &mut Desk, login: &Login, token: &TokenName) -> Result<bool, Error> {
    let key = key(login, token);
    let Some(mut row) = desk.read(&key)? else { return Ok(false) };
    row.used = Some(desk.now);
    desk.write(key, &row)?;
    Ok(true)
}

/// All tokens of a manager are taken back.
pub(crate) fn revoke_all(desk: &mut Desk, login: &Login) -> Result<(), Error> {
    let known: Vec<_> = of(desk.state(), login).map(|found| found.map(|(name, _)| name)).collect::<Result<_, _>>()?;
    for token in known {
        desk.remove(key(login, &token));
    }
    Ok(())
}

/// The SHA-256 that a command tells of in hexadecimal; commands are held to that before they come here.
pub(crate) fn hash_of(text: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap_or_default());
    for (byte, pair) in hash.iter_mut().zip(digits) {
        *byte = u8::from_str_radix(pair, 16).unwrap_or_default();
    }
    hash
}
