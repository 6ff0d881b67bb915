//! The parts of a device, by their serial numbers: as the chassis inventory of its latest bundle that has one tells them.

use std::fmt;

use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::bundle::{Bundle, Content, InventoryPart, Part, inventory};
use serde::{Deserialize, Serialize};

use super::key;
use crate::Error;
use crate::desk::Desk;
use crate::input::{ByLevel, Input, edition};
use crate::state::Base;
use crate::table::Table;

/// The engine level from which on parts of devices are known.
pub(crate) const LEVEL: u32 = 12;

/// What the names of attachments with a chassis inventory end with. Source: DOMAIN, "Bundles (JMB)".
const INVENTORY: &str = "_shd_xml.xml";

/// The parts of a device, and when the device told them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryRow {
    /// By the device's time.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub occurred: Timestamp,
    /// Each with a serial number that is not the device's own.
    pub parts: Vec<PartRow>,
}

impl Default for InventoryRow {
    fn default() -> Self {
        Self { occurred: Timestamp::UNIX_EPOCH, parts: Vec::new() }
    }
}

/// A part of a device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRow {
    /// What it is called there, such as `FPC 0`; may be empty.
    pub name: String,
    /// Its part number; may be empty.
    pub part_number: String,
    /// Its serial number.
    pub serial_number: String,
}

/// As people read it, such as `CAGM2345 (FPC 0, 750-056519)`.
impl fmt::Display for PartRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.serial_number)?;
        match (self.name.as_str(), self.part_number.as_str()) {
            ("", "") => Ok(()),
            (name, "") => write!(f, " ({name})"),
            ("", part_number) => write!(f, " ({part_number})"),
            (name, part_number) => write!(f, " ({name}, {part_number})"),
        }
    }
}

impl From<InventoryPart> for PartRow {
    fn from(part: InventoryPart) -> Self {
        let InventoryPart { name, part_number, serial_number } = part;
        Self { name, part_number, serial_number }
    }
}

/// The parts of a device, as far as it has told.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn parts(base: &(impl Base + ?Sized), org: &OrgName, serial_number: &str) -> Result<Vec<PartRow>, Error> {
    let row = Table::read(base, &key(org, serial_number))?;
    Ok(row.map(|row| row.inventory.parts).unwrap_or_default())
}

/// Keeps what a bundle tells of its device's parts, unless a later one has told already. What they were before; none where they
/// stay as they were.
pub(crate) fn take(
    desk: &mut Desk,
    org: &OrgName,
    bundle: &Bundle<'_>,
    input: &Input<'_>,
) -> Result<Option<Vec<PartRow>>, Error> {
    let serial_number = &*bundle.manifest.device.serial_number;
    let Some(found) = told(desk, bundle, input).filter(|_| desk.is_at(LEVEL)) else { return Ok(None) };
    let own = |part: &InventoryPart| part.serial_number != serial_number;
    let parts: Vec<PartRow> = found.into_iter().filter(own).map(PartRow::from).collect();
    let key = key(org, serial_number);
    let mut kept = desk.read(&key)?.unwrap_or_default();
    // A clock that was ahead once holds nothing up.
    let occurred = bundle.manifest.time_occurred.min(desk.now);
    if occurred < kept.inventory.occurred {
        return Ok(None);
    }
    let before = std::mem::replace(&mut kept.inventory, InventoryRow { occurred, parts });
    if before == kept.inventory {
        return Ok(None);
    }
    desk.write(key, &kept)?;
    Ok((before.parts != kept.inventory.parts).then_some(before.parts))
}

/// The chassis inventory that a bundle has; none where it has none that can be read. One that is damaged may name others.
fn told(desk: &Desk, bundle: &Bundle<'_>, input: &Input<'_>) -> Option<Vec<InventoryPart>> {
    let is_whole = |attachment: &Part<'_>| !attachment.is_damaged() || !desk.is_at(ByLevel::LEVEL);
    let attached = bundle.attachments.iter().filter(|attachment| attachment.name.ends_with(INVENTORY));
    let attached = attached.filter(|attachment| is_whole(attachment));
    let read = |content: Content<'_>| match content {
        Content::None => None,
        Content::Text(text) => inventory(&text),
        Content::Element(element) => inventory(element.as_str()),
    };
    let edition = edition(desk.level);
    attached
        .into_iter()
        .find_map(|attachment| attachment.read_in(edition, input.bytes, bundle.source.encoding).ok().and_then(read))
}
