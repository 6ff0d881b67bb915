//! Pending reactions as they stand in the state, and the order in which a destination gets them.
//!
//! ```text
//! r <reaction id>                                         PendingRow
//! q <destination> 0 <org> 0 <not before> <reaction id>    nothing: a queue by destination and organization
//! ```

use std::borrow::Cow;

use jiff::Timestamp;
use linesman_schemas::reaction::Action;
use linesman_schemas::{OrgName, ReactionId};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::cases::leaving;
use crate::state::Base;
use crate::table::{self, Key, Row, Table};
use crate::uploads;

/// Whose queue the provider's own reactions stand in.
pub const PROVIDER: &str = "_provider";

/// A reaction that is still to be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRow {
    /// Whose it is; none for the provider's own.
    pub org: Option<OrgName>,
    /// Where it goes: the connector's name.
    pub destination: String,
    /// Which try is next, from 1.
    pub attempt: u32,
    /// Not to be tried before.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub not_before: Timestamp,
    /// Not to be tried after.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub deadline: Timestamp,
    /// Whether its organization is suspended.
    pub is_held: bool,
    /// The incident it is about, by number.
    pub incident: Option<u64>,
    /// The action, in JSON.
    pub action: String,
    /// How many tries in a row have got nowhere; of an upload one less with each that got on.
    pub misses: u32,
    /// Of an upload: how many bytes the destination had when it had most of them, as they leave now.
    pub there: u64,
}

/// A pending reaction, as version 1 had it.
#[derive(Serialize, Deserialize)]
struct PendingRowV1 {
    org: Option<OrgName>,
    destination: String,
    attempt: u32,
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    not_before: Timestamp,
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    deadline: Timestamp,
    is_held: bool,
    incident: Option<u64>,
    action: String,
}

impl Row for PendingRowV1 {}

impl From<PendingRowV1> for PendingRow {
    fn from(row: PendingRowV1) -> Self {
        let PendingRowV1 { org, destination, attempt, not_before, deadline, is_held, incident, action } = row;
        // Whatever was tried before got nowhere: there was no other way to be tried again.
        let misses = attempt.saturating_sub(1);
        Self { org, destination, attempt, not_before, deadline, is_held, incident, action, misses, there: 0 }
    }
}

impl From<PendingRow> for PendingRowV1 {
    fn from(row: PendingRow) -> Self {
        let PendingRow {
            org,
            destination,
            attempt,
            not_before,
            deadline,
            is_held,
            incident,
            action,
            misses: _,
            there: _,
        } = row;
        Self { org, destination, attempt, not_before, deadline, is_held, incident, action }
    }
}

impl Row for PendingRow {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, bytes: &[u8]) -> Result<Self, postcard::Error> {
        match version {
            1 => postcard::from_bytes::<PendingRowV1>(bytes).map(Self::from),
            _ => Err(postcard::Error::DeserializeBadEncoding),
        }
    }

    /// Without what texts came to, where they were redacted.
    fn form<'a>(&self, level: u32, stored: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
        let covered = match level >= leaving::LEVEL && leaving::may_have_texts(&self.action) {
            true => self.without_texts(level)?,
            false => None,
        };
        if level < uploads::ON_THEIR_OWN {
            return table::encode(&PendingRowV1::from(covered.unwrap_or_else(|| self.clone()))).map(Cow::Owned);
        }
        covered.map_or(Ok(Cow::Borrowed(stored)), |row| table::encode(&row).map(Cow::Owned))
    }
}

impl PendingRow {
    /// It without what texts came to; none where it has none.
    fn without_texts(&self, level: u32) -> Result<Option<Self>, Error> {
        let action: Option<Action> = serde_json::from_str(&self.action).ok();
        let Some(action) = action.and_then(|action| leaving::without_texts(level, &action)) else { return Ok(None) };
        Ok(Some(Self { action: serde_json::to_string(&action)?, ..self.clone() }))
    }

    /// Whose queue it stands in.
    pub fn queue(&self) -> &str {
        self.org.as_ref().map_or(PROVIDER, OrgName::as_str)
    }
}

/// The table of pending reactions.
pub const PENDING: Table<PendingRow> = Table::new(b'r');
/// The table of queues.
pub const QUEUES: Table<()> = Table::new(b'q');

/// A pending reaction's key.
pub fn key(id: &str) -> Key<PendingRow> {
    PENDING.key(&[], id.as_bytes())
}

/// A pending reaction's place in its destination's queue.
pub fn queued(destination: &str, org: &str, not_before: Timestamp, id: &str) -> Key<()> {
    let mut tail = table::time(not_before).to_vec();
    tail.extend_from_slice(id.as_bytes());
    QUEUES.key(&[destination, org], &tail)
}

/// A place in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Not to be tried before.
    pub not_before: Timestamp,
    /// Which reaction.
    pub id: String,
}

/// An organization's queue at a destination, in the order in which it is due; what is held does not stand in it.
///
/// # Errors
/// The base cannot be read.
pub fn queue(base: &(impl Base + ?Sized), destination: &str, org: &str) -> impl Iterator<Item = Result<Queued, Error>> {
    QUEUES.rows(base, &[destination, org]).filter_map(|row| row.map(|(own, ())| read_queued(&own)).transpose())
}

/// The place that a queue's own key is.
fn read_queued(own: &[u8]) -> Option<Queued> {
    let (time, id) = own.split_first_chunk::<8>()?;
    Some(Queued { not_before: table::read_time(time)?, id: String::from_utf8_lossy(id).into_owned() })
}

/// The destinations whose queues have a row, without going through them.
///
/// # Errors
/// The base cannot be read.
pub fn destinations(base: &(impl Base + ?Sized)) -> Result<Vec<String>, Error> {
    table::heads(base, &QUEUES.prefix(&[], &[]))
}

/// Whose queues at a destination have a row, without going through them.
///
/// # Errors
/// The base cannot be read.
pub fn queues(base: &(impl Base + ?Sized), destination: &str) -> Result<Vec<String>, Error> {
    table::heads(base, &QUEUES.prefix(&[destination], &[]))
}

/// All pending reactions of a lane, by id.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all(base: &(impl Base + ?Sized)) -> impl Iterator<Item = Result<(String, PendingRow), Error>> {
    PENDING.rows(base, &[]).map(|row| row.map(|(own, row)| (String::from_utf8_lossy(&own).into_owned(), row)))
}

/// The front of the keys of an organization's pending reactions, held ones too, and maybe of some of others whose name
/// begins alike.
pub(crate) fn prefix_of(org: &OrgName) -> Vec<u8> {
    PENDING.prefix(&[], format!("{org}-r").as_bytes())
}

/// The reaction whose key this is.
pub(crate) fn read_key(key: &[u8]) -> Option<ReactionId> {
    std::str::from_utf8(PENDING.own(key)).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> PendingRow {
        PendingRow {
            org: "acme".parse().ok(),
            destination: "jss".to_owned(),
            attempt: 4,
            not_before: Timestamp::UNIX_EPOCH,
            deadline: Timestamp::MAX,
            is_held: false,
            incident: Some(7),
            action: r#"{"log":{"message":"m","fields":{}}}"#.to_owned(),
            misses: 3,
            there: 0,
        }
    }

    #[test]
    fn a_row_of_version_1_has_got_nowhere_as_often_as_it_was_tried() {
        let before = table::encode(&PendingRowV1::from(row())).unwrap();
        assert_eq!(before[0], 1, "it has no version in front");
        assert_eq!(table::decode::<PendingRow>(b"r", &before).unwrap(), row());
    }

    #[test]
    fn the_digest_of_the_levels_before_has_a_row_as_they_stored_it() {
        let (stored, before) = (table::encode(&row()).unwrap(), table::encode(&PendingRowV1::from(row())).unwrap());
        for (level, expected) in [(1, &before), (7, &before), (8, &stored)] {
            assert_eq!(row().form(level, &stored).unwrap().as_ref(), expected.as_slice(), "at level {level}");
        }
    }
}
