//! What devices send without a problem: the last information bundles of each.
//!
//! | room | what |
//! |---|---|
//! | here | what is kept of them |
//! | `parts` | the parts of each, as the chassis inventory of its bundles tells them |
//! | `upward` | the newest of each goes to the upstream at an interval |

pub mod parts;
pub(crate) mod upward;

use std::borrow::Cow;

use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::bundle::Bundle;
use serde::{Deserialize, Serialize};

use super::Error;
use super::bundles::{self, BundleRef};
use super::desk::Desk;
use super::devices::Devices;
use super::input::Input;
use super::organizations::Organizations;
use super::table::{self, Key, Row, Table};
use parts::InventoryRow;
pub use upward::{LEAVING, LEFT, LeavingRow, LeftRow, ROUNDS, RoundRow, STATES, left};

/// A device's information bundles, the latest by the device's time first, at most [`SNAPSHOTS_MOST`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SnapshotsRow {
    /// The snapshots.
    pub snapshots: Vec<Snapshot>,
    /// The device's parts.
    pub inventory: InventoryRow,
}

/// How many snapshots of a device are kept.
pub const SNAPSHOTS_MOST: usize = 8;

/// An information bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The device's own id of it.
    pub host_event_id: String,
    /// When the device made it.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub occurred: Timestamp,
    /// When it entered the log.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub received: Timestamp,
    /// The bundle.
    pub bundle: BundleRef,
}

impl Row for SnapshotsRow {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, bytes: &[u8]) -> Result<Self, postcard::Error> {
        match version {
            // Nobody kept them.
            1 => table::with_added(bytes, &InventoryRow::default()),
            _ => Err(postcard::Error::DeserializeBadEncoding),
        }
    }

    fn form<'a>(&self, level: u32, stored: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
        match level {
            ..parts::LEVEL => table::without_added(self, 1, &self.inventory).map(Cow::Owned),
            parts::LEVEL.. => Ok(Cow::Borrowed(stored)),
        }
    }
}

/// The table of snapshots.
pub const SNAPSHOTS: Table<SnapshotsRow> = Table::new(b's');

/// The key of a device's snapshots.
pub fn key(org: &OrgName, serial_number: &str) -> Key<SnapshotsRow> {
    SNAPSHOTS.key(&[org.as_str()], serial_number.as_bytes())
}

/// Keeps an information bundle; one that is kept already changes nothing.
pub(crate) fn take(
    desk: &mut Desk,
    organizations: &Organizations,
    devices: &mut Devices,
    org: &OrgName,
    bundle: &Bundle<'_>,
    input: &Input<'_>,
) -> Result<(), Error> {
    let manifest = &bundle.manifest;
    let key = key(org, &manifest.device.serial_number);
    let mut kept = desk.read(&key)?.unwrap_or_default();
    if kept.snapshots.iter().any(|snapshot| snapshot.host_event_id == manifest.host_event_id) {
        desk.tally.input("jmb", "repeated");
        return Ok(());
    }
    devices.note(desk, organizations, org, &manifest.device)?;
    let snapshot = Snapshot {
        host_event_id: manifest.host_event_id.to_string(),
        occurred: manifest.time_occurred,
        received: desk.now,
        bundle: bundles::reference(bundle, input),
    };
    // By the device's time: an old one that comes again late takes no newer one's place.
    let place = kept.snapshots.partition_point(|kept| kept.occurred > snapshot.occurred);
    kept.snapshots.insert(place, snapshot);
    kept.snapshots.truncate(SNAPSHOTS_MOST);
    desk.tally.input("jmb", "snapshot");
    desk.write(key, &kept)
}
