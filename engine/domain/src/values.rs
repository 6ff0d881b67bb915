//! The values that people have given at places, as they wrote them: who gave each, and when.
//!
//! ```text
//! V <organization> <place within it> <whose>   ValuesRow
//! ```
//!
//! From the engine level [`APART`] on, values for a subscription that was made at a site or an access line stand under a
//! key of their own: those that the same place has for one of the same name from above stay beside them, and count again
//! when that one goes.
//!
//! What stands together is read together: what a place has of its own, what it has for a subscription that is seen
//! there, and how the provider has localized a service for an organization.

use std::fmt;

use jiff::Timestamp;
use linesman_schemas::{OrgName, Place, ServiceName, SubscriptionName};
use serde::{Deserialize, Serialize};

use super::Error;
use super::desk::Desk;
use super::state::Base;
use super::table::{Key, Row, Table};
use super::{places, subscriptions};

/// Substitutions that stand together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValuesRow {
    /// For which subscription: [`SubscriptionRow::number`](subscriptions::SubscriptionRow::number). What was given for
    /// one that is gone counts for no other of its name. 0 for what is given for none.
    pub number: u64,
    /// The substitutions, in the order in which they were given.
    pub substitutions: Vec<Given>,
}

/// A substitution that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// As it was written.
    pub text: String,
    /// By whom, as people read it.
    pub by: String,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub at: Timestamp,
}

impl Row for ValuesRow {}

/// The table of values.
pub const VALUES: Table<ValuesRow> = Table::new(b'V');

/// Whose values they are, among those at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose<'a> {
    /// The place's own.
    Own,
    /// Of a subscription that is seen there.
    Subscription(&'a SubscriptionName),
    /// Of a service, as the provider has localized it.
    Localized(&'a ServiceName),
}

/// As keys have it.
impl fmt::Display for Whose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => Ok(()),
            Self::Subscription(name) => write!(f, "s:{name}"),
            Self::Localized(name) => write!(f, "l:{name}"),
        }
    }
}

/// From which engine level on what is given for subscriptions of one name is told apart by where these were made.
pub const APART: u32 = 9;

/// The key of values at a place; of a subscription those for one of an organization, and before [`APART`] for any.
pub fn key(place: &Place, whose: Whose<'_>) -> Key<ValuesRow> {
    let (org, within) = places::own(place);
    VALUES.key(&[org, &within], whose.to_string().as_bytes())
}

/// The values at a place; of a subscription those that were given for the one that is seen there now.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn read(base: &(impl Base + ?Sized), place: &Place, whose: Whose<'_>) -> Result<Vec<Given>, Error> {
    let row = match whose {
        Whose::Own | Whose::Localized(_) => Table::read(base, &key(place, whose))?,
        Whose::Subscription(name) => match subscriptions::seen(base, place, name)? {
            Some((made, row)) => given_for(base, place, name, (&made, row.number))?,
            None => None,
        },
    };
    Ok(row.map(|row| row.substitutions).unwrap_or_default())
}

/// What was given at a place for a subscription that was made at `made`, and has that number.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub(crate) fn given_for(
    base: &(impl Base + ?Sized),
    place: &Place,
    name: &SubscriptionName,
    (made, number): (&Place, u64),
) -> Result<Option<ValuesRow>, Error> {
    let apart = match subscriptions::mark(made) {
        "" => None,
        _ => Table::read(base, &key_apart(place, name, made))?.filter(|row| row.number == number),
    };
    match apart {
        Some(row) => Ok(Some(row)),
        None => Ok(Table::read(base, &key(place, Whose::Subscription(name)))?.filter(|row| row.number == number)),
    }
}

/// What was given at a place for a subscription that was made at `made` stands there from here on, or nothing does.
///
/// # Errors
/// The state cannot be read, or the row has no form.
pub(crate) fn keep_for(
    desk: &mut Desk,
    place: &Place,
    name: &SubscriptionName,
    made: &Place,
    row: ValuesRow,
) -> Result<(), Error> {
    let mut key = key(place, Whose::Subscription(name));
    if desk.is_at(APART) && !subscriptions::mark(made).is_empty() {
        // What was given before the level stands where it did until something else is.
        if desk.read(&key)?.is_some_and(|standing| standing.number == row.number) {
            desk.remove(key);
        }
        key = key_apart(place, name, made);
    }
    match row.substitutions.is_empty() {
        true => desk.remove(key),
        false => desk.write(key, &row)?,
    }
    Ok(())
}

fn key_apart(place: &Place, name: &SubscriptionName, made: &Place) -> Key<ValuesRow> {
    let (org, within) = places::own(place);
    let whose = Whose::Subscription(name);
    VALUES.key(&[org, &within], format!("{whose}{}", subscriptions::mark(made)).as_bytes())
}

/// The places of an organization where values were given, each as often as there are values of somebody's.
///
/// # Errors
/// The base cannot be read.
pub fn places_of<'a>(
    base: &'a (impl Base + ?Sized),
    org: &'a OrgName,
) -> impl Iterator<Item = Result<Place, Error>> + 'a {
    VALUES.rows(base, &[org.as_str()]).filter_map(move |row| {
        let place = |own: &[u8]| {
            let (within, _) = std::str::from_utf8(own).ok()?.split_once('\0')?;
            places::at(org, within)
        };
        row.map(|(own, _)| place(&own)).transpose()
    })
}

/// The front of the keys of all values at a place itself.
pub(crate) fn front(place: &Place) -> Vec<u8> {
    let (org, within) = places::own(place);
    VALUES.prefix(&[org, &within], &[])
}
