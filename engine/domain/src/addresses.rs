//! Address groups of organizations, and which of them devices name: where they are, and where their spare parts go.
//!
//! INVARIANT (no other's address): an address is read by the organization whose the device is, and by nothing else.

use std::collections::{BTreeMap, BTreeSet};

use linesman_schemas::OrgName;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{AddressChanges, AddressGroup, DeviceAddresses};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Error;
use super::commands::Answer;
use super::commands::held::told;
use super::desk::Desk;
use super::state::Base;
use super::table::{Key, Row, Table};

/// The engine level from which on there are address groups and contracts.
pub const LEVEL: u32 = 11;
/// How many address groups an organization may have.
pub const GROUPS_MOST: usize = 1_000;
/// How many of its devices may name some.
pub const DEVICES_MOST: usize = 20_000;

/// An address group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressRow {
    /// The address, line by line.
    pub address: String,
    /// Who is asked for there; empty for nobody.
    pub contact: String,
}

impl Row for AddressRow {}

impl AddressRow {
    /// As it leaves with a case: the address, then whom to ask for.
    fn text(&self) -> String {
        match self.contact.as_str() {
            "" => self.address.clone(),
            contact => format!("{}\n{contact}", self.address.trim_end()),
        }
    }
}

/// Which groups a device names; empty for none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceAddressRow {
    /// Where its spare parts go.
    pub ship_to: String,
    /// Where it is.
    pub location: String,
}

impl Row for DeviceAddressRow {}

/// The table of address groups.
pub const ADDRESSES: Table<AddressRow> = Table::new(b'@');
/// The table of devices that name some.
pub const DEVICE_ADDRESSES: Table<DeviceAddressRow> = Table::new(b'&');

/// A group's key.
pub fn key(org: &OrgName, name: &str) -> Key<AddressRow> {
    ADDRESSES.key(&[org.as_str()], name.as_bytes())
}

/// The key of what a device names.
pub fn device_key(org: &OrgName, serial_number: &str) -> Key<DeviceAddressRow> {
    DEVICE_ADDRESSES.key(&[org.as_str()], serial_number.as_bytes())
}

/// An organization's address groups, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn groups(base: &(impl Base + ?Sized), org: &OrgName) -> Result<Vec<AddressGroup>, Error> {
    let row = |row: Result<(Vec<u8>, AddressRow), Error>| {
        row.map(|(own, AddressRow { address, contact })| AddressGroup { name: name_of(&own), address, contact })
    };
    ADDRESSES.rows(base, &[org.as_str()]).map(row).collect()
}

/// Its devices that name some, by serial number.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn devices(base: &(impl Base + ?Sized), org: &OrgName) -> Result<Vec<DeviceAddresses>, Error> {
    let row = |row: Result<(Vec<u8>, DeviceAddressRow), Error>| {
        row.map(|(own, row)| DeviceAddresses {
            serial_number: name_of(&own),
            ship_to: row.ship_to,
            location: row.location,
        })
    };
    DEVICE_ADDRESSES.rows(base, &[org.as_str()]).map(row).collect()
}

fn name_of(own: &[u8]) -> String {
    String::from_utf8_lossy(own).into_owned()
}

/// Where the spare parts of a device go; none where nobody has said.
pub(crate) fn ship_to(desk: &Desk, org: &OrgName, serial_number: &str) -> Result<Option<String>, Error> {
    if !desk.is_at(LEVEL) || serial_number.is_empty() {
        return Ok(None);
    }
    let Some(row) = desk.read(&device_key(org, serial_number))? else { return Ok(None) };
    Ok(desk.read(&key(org, &row.ship_to))?.map(|group| group.text()))
}

/// Where the spare parts of a case go: to the address group it names, and where it names none, or one that is gone, where those
/// of its device do; none where nobody has said.
pub(crate) fn of_case(desk: &Desk, org: &OrgName, name: &str, serial_number: &str) -> Result<Option<String>, Error> {
    let named = if name.is_empty() { None } else { desk.read(&key(org, name))? };
    match named {
        Some(group) => Ok(Some(group.text())),
        None => ship_to(desk, org, serial_number),
    }
}

/// Whether an organization has an address group of that name.
pub(crate) fn has(desk: &Desk, org: &OrgName, name: &str) -> Result<bool, Error> {
    Ok(desk.read(&key(org, name))?.is_some())
}

/// Whether an organization has address groups at all.
pub(crate) fn has_any(desk: &Desk, org: &OrgName) -> Result<bool, Error> {
    let prefix = ADDRESSES.prefix(&[org.as_str()], &[]);
    Ok(desk.first(std::ops::Bound::Included(&prefix), &prefix)?.is_some())
}

/// Changes groups and what devices name: all of it, or nothing where any of it is wrong.
pub(crate) fn change(desk: &mut Desk, org: &OrgName, changes: &AddressChanges) -> Result<Answer, Error> {
    let known: BTreeMap<String, AddressGroup> =
        groups(desk.state(), org)?.into_iter().map(|group| (group.name.clone(), group)).collect();
    let named: BTreeMap<String, DeviceAddresses> =
        devices(desk.state(), org)?.into_iter().map(|device| (device.serial_number.clone(), device)).collect();
    if let Some(refused) = refusal(changes, &known, &named) {
        return Ok(refused);
    }
    let old = json!({
        "groups": changes.groups.iter().map(|group| &group.name).chain(&changes.removed)
            .filter_map(|name| known.get(name)).collect::<Vec<_>>(),
        "devices": changes.devices.iter().filter_map(|device| named.get(&device.serial_number)).collect::<Vec<_>>(),
    });
    for AddressGroup { name, address, contact } in changes.groups.iter().cloned() {
        desk.write(key(org, &name), &AddressRow { address, contact })?;
    }
    for name in &changes.removed {
        desk.remove(key(org, name));
    }
    for DeviceAddresses { serial_number, ship_to, location } in changes.devices.iter().cloned() {
        let key = device_key(org, &serial_number);
        match ship_to.is_empty() && location.is_empty() {
            true => desk.remove(key),
            false => desk.write(key, &DeviceAddressRow { ship_to, location })?,
        }
    }
    Ok(Answer::done("changed", old, json!({"groups": changes.groups, "devices": changes.devices})))
}

/// Why changes cannot be made; none where they can.
fn refusal(
    changes: &AddressChanges,
    known: &BTreeMap<String, AddressGroup>,
    named: &BTreeMap<String, DeviceAddresses>,
) -> Option<Answer> {
    let mut groups: BTreeSet<&str> = known.keys().map(String::as_str).collect();
    let mut faults: Vec<String> = Vec::new();
    for name in &changes.removed {
        if !groups.remove(name.as_str()) {
            faults.push(format!("there is no address group `{name}`"));
        }
    }
    groups.extend(changes.groups.iter().map(|group| group.name.as_str()));
    let mut devices: BTreeMap<&str, &DeviceAddresses> =
        named.iter().map(|(serial_number, device)| (serial_number.as_str(), device)).collect();
    for device in &changes.devices {
        devices.insert(&device.serial_number, device);
    }
    // What stands already names what there is, but for what is removed now.
    let given = changes.devices.iter().filter(|_| changes.removed.is_empty());
    let standing = devices.values().copied().filter(|_| !changes.removed.is_empty());
    for device in given.chain(standing) {
        for name in [&device.ship_to, &device.location] {
            if !name.is_empty() && !groups.contains(name.as_str()) {
                faults.push(format!(
                    "device `{}` names `{name}`, and there is no such address group",
                    device.serial_number
                ));
            }
        }
    }
    if !faults.is_empty() {
        return Some(Answer::refused(Verdict::Conflict, told(faults.into_iter())));
    }
    let count = devices.values().filter(|device| !device.ship_to.is_empty() || !device.location.is_empty()).count();
    let beyond = match (groups.len() > GROUPS_MOST, count > DEVICES_MOST) {
        (true, _) => format!("an organization has at most {GROUPS_MOST} address groups"),
        (_, true) => format!("of an organization at most {DEVICES_MOST} devices name address groups"),
        _ => return None,
    };
    Some(Answer::refused(Verdict::Conflict, beyond))
}
