//! Subscriptions to services: made at a place, and inherited by what lies below it.
//!
//! ```text
//! U <organization> <place within it> <name>   SubscriptionRow
//! ```

use std::collections::BTreeMap;
use std::ops::Bound;

use jiff::Timestamp;
use linesman_schemas::{OrgName, Place, ServiceName, SubscriptionName};
use serde::{Deserialize, Serialize};

use super::Error;
use super::places;
use super::state::Base;
use super::table::{Key, Row, Table};

/// How many subscriptions may be made at one place.
pub const SUBSCRIPTIONS_MOST: usize = 100;

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionRow {
    /// Where the command that made it stands in IN: one that was removed and made again is another one.
    pub number: u64,
    /// The service.
    pub service: ServiceName,
    /// The version of the service that it is on.
    pub version: String,
    /// Whether it rests.
    pub is_suspended: bool,
    /// Whether it is to be active.
    pub is_active: bool,
    /// Who made it, as people read it.
    pub by: String,
    /// When it was made.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub created: Timestamp,
    /// When it was changed last.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub changed: Timestamp,
}

impl Row for SubscriptionRow {}

/// The table of subscriptions.
pub const SUBSCRIPTIONS: Table<SubscriptionRow> = Table::new(b'U');

/// A subscription's key.
pub fn key(place: &Place, name: &SubscriptionName) -> Key<SubscriptionRow> {
    let (org, within) = places::own(place);
    SUBSCRIPTIONS.key(&[org, &within], name.as_str().as_bytes())
}

/// What the keys of what stands below for a subscription end with, so that one that was made further below leaves alone
/// what is of one above: nothing for one of an organization.
pub(crate) fn mark(made: &Place) -> &'static str {
    match made {
        Place::Below(path) if path.line.is_some() => ":line",
        Place::Below(_) => ":site",
        Place::Organization(_) | Place::Provider => "",
    }
}

/// The subscriptions that were made at a place itself, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn at<'a, B: Base + ?Sized>(
    base: &'a B,
    place: &Place,
) -> impl Iterator<Item = Result<(SubscriptionName, SubscriptionRow), Error>> + use<'a, B> {
    let (org, within) = places::own(place);
    SUBSCRIPTIONS
        .rows(base, &[org, &within])
        .filter_map(|row| row.map(|(own, row)| Some((std::str::from_utf8(&own).ok()?.parse().ok()?, row))).transpose())
}

/// The front of the keys of an organization's subscriptions, from their own keys' beginning on.
pub fn below(org: &OrgName, own: &[u8]) -> Vec<u8> {
    SUBSCRIPTIONS.prefix(&[org.as_str()], own)
}

/// Where a subscription of an organization was made and its name, from its own key behind the organization's.
pub fn place_and_name(org: &OrgName, own: &[u8]) -> Option<(Place, SubscriptionName)> {
    let (within, name) = std::str::from_utf8(own).ok()?.split_once('\0')?;
    Some((places::at(org, within)?, name.parse().ok()?))
}

/// Whether an organization has any.
///
/// # Errors
/// The base cannot be read.
pub(crate) fn has_any(base: &(impl Base + ?Sized), org: &OrgName) -> Result<bool, Error> {
    let front = below(org, &[]);
    Ok(base.first(Bound::Included(&front), &front)?.is_some())
}

/// The organizations of a lane that have any, without going through them.
///
/// # Errors
/// The base cannot be read.
pub fn organizations(base: &(impl Base + ?Sized)) -> Result<Vec<OrgName>, Error> {
    let heads = super::table::heads(base, &SUBSCRIPTIONS.prefix(&[], &[]))?;
    Ok(heads.iter().filter_map(|name| name.parse().ok()).collect())
}

/// All subscriptions of an organization, by place and name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all<'a>(
    base: &'a (impl Base + ?Sized),
    org: &'a OrgName,
) -> impl Iterator<Item = Result<(Place, SubscriptionName, SubscriptionRow), Error>> + 'a {
    SUBSCRIPTIONS.rows(base, &[org.as_str()]).filter_map(move |row| {
        row.map(|(own, row)| place_and_name(org, &own).map(|(place, name)| (place, name, row))).transpose()
    })
}

/// The subscription of a name that is seen at a place, and where it was made: there, or above; what was made further
/// below takes the place of what was made above.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn seen(
    base: &(impl Base + ?Sized),
    place: &Place,
    name: &SubscriptionName,
) -> Result<Option<(Place, SubscriptionRow)>, Error> {
    let mut next = Some(place.clone());
    while let Some(place) = next {
        if let Some(row) = Table::read(base, &key(&place, name))? {
            return Ok(Some((place, row)));
        }
        next = place.parent().filter(|above| *above != Place::Provider);
    }
    Ok(None)
}

/// The subscriptions that are seen at a place, by name: the most specific of each.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all_seen(
    base: &(impl Base + ?Sized),
    place: &Place,
) -> Result<BTreeMap<SubscriptionName, SubscriptionRow>, Error> {
    let mut found = BTreeMap::new();
    let mut next = Some(place.clone()).filter(|place| *place != Place::Provider);
    while let Some(place) = next {
        for row in at(base, &place) {
            let (name, row) = row?;
            found.entry(name).or_insert(row);
        }
        next = place.parent().filter(|above| *above != Place::Provider);
    }
    Ok(found)
}
