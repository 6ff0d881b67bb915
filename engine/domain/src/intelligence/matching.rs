//! Whom a message concerns: devices are held against it, in slices, and what was found is kept in between.

use linesman_schemas::OrgName;
use linesman_schemas::intelligence::{Intelligence, Kind, Relevance};
use linesman_schemas::trigger::Trigger;
use serde::{Deserialize, Serialize};

use super::relevance::{Concern, Reason, Traits};
use super::{key, provided};
use crate::Error;
use crate::desk::Desk;
use crate::devices::{self, DeviceRow};
use crate::snapshots::parts;
use crate::subject::{Affected, IntelligenceMessage};
use crate::table;

/// The engine level from which on it is told whom messages concern.
pub(crate) const LEVEL: u32 = 11;
/// How many devices a slice looks at.
pub(crate) const SLICE_DEVICES: usize = 2_000;
/// How many devices less a slice looks at for each organization, and for each trigger that it says.
pub(crate) const ORGANIZATION_COST: usize = 4;
pub(crate) const TOLD_COST: usize = 40;
/// How many serial numbers a trigger has, and how many reasons.
const NAMED_MOST: usize = 100;
/// How many of an organization's devices are looked at where that is not done in slices.
pub(crate) const LOOKED_AT_MOST: usize = 10_000;
/// How many characters a reason has that is told.
const REASON_MOST: usize = 256;

/// How far a message was held against devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Course {
    /// The organization that was looked at last.
    pub(crate) organization: String,
    /// The key of the last of its devices, and what was found of those; none where that was all.
    pub(crate) at: Option<(Vec<u8>, Found)>,
}

impl Course {
    /// Reads a job's cursor; none before the first slice.
    pub(crate) fn read(cursor: &[u8]) -> Option<Self> {
        postcard::from_bytes(cursor).ok()
    }

    /// As a job's cursor.
    pub(crate) fn write(&self) -> Result<Vec<u8>, Error> {
        postcard::to_extend(self, Vec::new()).map_err(Error::Encode)
    }
}

/// Devices of an organization that a message concerns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// How many.
    pub(crate) count: u64,
    /// The serial numbers of the first.
    pub(crate) devices: Vec<String>,
    /// Why, each reason once; the first.
    pub(crate) reasons: Vec<String>,
}

impl Found {
    fn add(&mut self, serial_number: String, reasons: Vec<Reason>) {
        self.count += 1;
        if self.devices.len() < NAMED_MOST {
            self.devices.push(serial_number);
        }
        for reason in reasons {
            if self.reasons.len() >= NAMED_MOST {
                return;
            }
            let reason = told(&reason);
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
    }
}

impl From<Found> for Affected {
    fn from(found: Found) -> Self {
        Self { devices: found.devices, count: found.count }
    }
}

/// A reason as it is told.
pub(crate) fn told(reason: &Reason) -> String {
    reason.to_string().chars().take(REASON_MOST).collect()
}

/// Which trigger tells that a message of a kind concerns devices.
pub(crate) const fn trigger_of(kind: Kind) -> Trigger {
    match kind {
        Kind::Alert | Kind::Informational => Trigger::IntelligenceMatched,
        Kind::BugNotice => Trigger::BugNoticeMatched,
        Kind::EndOfLife => Trigger::EndOfLifeMatched,
    }
}

/// A message of an organization's, or of the provider's.
pub(crate) fn find(desk: &Desk, whose: Option<&OrgName>, id: &str) -> Result<Option<IntelligenceMessage>, Error> {
    let found = match whose {
        Some(org) => desk.read(&key(org, id))?.map(|row| (row.message, row.received)),
        None => desk.read(&provided::key(id))?.map(|row| (row.message, row.received)),
    };
    Ok(found.map(|(message, received)| IntelligenceMessage::new(Intelligence::from(message), received)))
}

/// Holds so many devices of an organization behind `after` against a message. How many there were, and the key of the last
/// where there may be more.
pub(crate) fn look(
    desk: &Desk,
    org: &OrgName,
    concern: &Concern,
    after: &[u8],
    most: usize,
    found: &mut Found,
) -> Result<(usize, Option<Vec<u8>>), Error> {
    use std::ops::Bound::{Excluded, Included};

    let prefix = devices::within(org.as_str(), &[]);
    let from = if after.is_empty() { Included(&*prefix) } else { Excluded(after) };
    let stretch = desk.state().stretch(from, &prefix, most)?;
    let count = stretch.rows.len();
    let last = stretch.rows.last().filter(|_| !stretch.is_all).map(|(key, _)| key.clone());
    for (key, bytes) in stretch.rows {
        let device: DeviceRow = table::decode(&key, &bytes)?;
        let serial_number = String::from_utf8_lossy(key.get(prefix.len()..).unwrap_or_default()).into_owned();
        let parts = match concern.takes_any_serial_number() {
            true => Vec::new(),
            false => parts::parts(desk.state(), org, &serial_number)?,
        };
        if let Some(reasons) = concern.reasons(&Traits::of(&serial_number, &device, &parts)) {
            found.add(serial_number, reasons);
        }
    }
    Ok((count, last))
}

/// The devices of an organization that a message concerns, of the first [`LOOKED_AT_MOST`].
pub(crate) fn affected(desk: &Desk, org: &OrgName, relevance: &Relevance) -> Result<Affected, Error> {
    let mut found = Found::default();
    look(desk, org, &Concern::of(relevance), &[], LOOKED_AT_MOST, &mut found)?;
    Ok(found.into())
}
