//! What is seen of an organization by whoever does not see all of it: devices, and what is about them.
//!
//! A device is seen that is tied to a place in the reach, or is in a device group of it; an incident and its case with
//! its device; an intelligence message that names the serial number of such a device. In which group a device is, the
//! organization says as it is now, not what was true when the device sent its latest bundle.

use std::collections::{BTreeSet, HashMap};

use linesman_schemas::{IncidentId, OrgName};

use super::Error;
use super::device_groups::{self, DeviceGroups};
use super::devices::{self, DeviceRow};
use super::incidents::page;
use super::places;
use super::reached;
use super::rights::{Extent, Reach};
use super::state::Base;
use super::table::Table;

/// From which engine level on lanes ask in which group a device is now.
pub(crate) const LEVEL: u32 = 8;

/// What is seen of an organization, gathered for many questions.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// The names of devices that are tied to places.
    names: BTreeSet<String>,
    /// Device groups.
    groups: BTreeSet<String>,
    /// All device groups that there are; none where none of them is seen.
    known: DeviceGroups,
    /// The names that people gave devices, by serial number; none where no device group is seen.
    given: HashMap<String, String>,
}

impl Sight {
    /// What a reach has of an organization.
    ///
    /// # Errors
    /// The base cannot be read, or a row of it.
    pub fn of(base: &(impl Base + ?Sized), reach: &Reach, org: &OrgName) -> Result<Self, Error> {
        let groups = reach.device_groups.iter().filter(|group| group.organization == *org);
        let groups: BTreeSet<String> = groups.map(|group| group.name.clone()).collect();
        Ok(Self {
            names: places::devices(base, reach.places(org))?,
            known: groups_for(base, reach, org)?,
            given: if groups.is_empty() { HashMap::new() } else { reached::given(base, org)? },
            groups,
        })
    }

    /// Whether a device is seen; its row, if it has one.
    pub fn has(&self, serial_number: &str, device: Option<&DeviceRow>) -> bool {
        let is_in_group = |device: &DeviceRow| {
            let name = self.given.get(serial_number).unwrap_or(&device.host_name);
            self.groups.contains(self.known.group_of(name))
        };
        self.names.contains(serial_number)
            || device.is_some_and(|device| self.names.contains(&device.host_name) || is_in_group(device))
    }
}

/// The device groups of an organization, for whoever sees one of them.
fn groups_for(base: &(impl Base + ?Sized), reach: &Reach, org: &OrgName) -> Result<DeviceGroups, Error> {
    match reach.device_groups.iter().any(|group| group.organization == *org) {
        true => DeviceGroups::of(base, org),
        false => Ok(DeviceGroups::default()),
    }
}

/// A device of which it is asked whether it is seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Device<'a> {
    pub(crate) organization: &'a OrgName,
    pub(crate) serial_number: &'a str,
    /// Empty where it is not known.
    pub(crate) host_name: &'a str,
    /// The device group it is in; empty for none.
    pub(crate) group: &'a str,
}

/// Whether a reach has a device, which there may be or not: where there is none, as much is looked up.
pub(crate) fn has_device(base: &(impl Base + ?Sized), reach: &Reach, device: &Device<'_>) -> Result<bool, Error> {
    let Device { organization: org, serial_number, host_name, group } = *device;
    match reach.extent(org) {
        Extent::All => return Ok(true),
        Extent::None => return Ok(false),
        Extent::Some => {}
    }
    let is_in_group = reach.has_group(org, group);
    Ok(places::is_tied(base, reach.places(org), [serial_number, host_name])? || is_in_group)
}

/// Whether a reach has a device; its row, if it has one. Of rows that are applied: lanes ask `has_device`.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn sees_device(
    base: &(impl Base + ?Sized),
    reach: &Reach,
    org: &OrgName,
    serial_number: &str,
    device: Option<&DeviceRow>,
) -> Result<bool, Error> {
    let host_name = device.map_or("", |device| &device.host_name);
    let known = groups_for(base, reach, org)?;
    let name = device_groups::name_of(base, org, serial_number, host_name)?;
    // A pattern may stand for any name, nobody's too.
    let group = Some(known.group_of(&name)).filter(|_| device.is_some()).unwrap_or_default();
    has_device(base, reach, &Device { organization: org, serial_number, host_name, group })
}

/// Whether a reach has an incident, which there may be or not; for whoever sees all of the organization without a look.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn sees_incident(base: &(impl Base + ?Sized), reach: &Reach, id: &IncidentId) -> Result<bool, Error> {
    match reach.extent(&id.org) {
        Extent::All => return Ok(true),
        Extent::None => return Ok(false),
        Extent::Some => {}
    }
    let incident = page::find(base, id)?;
    let serial_number = incident.as_ref().map_or("", |incident| &incident.serial_number);
    let device = Table::read(base, &devices::key(&id.org, serial_number))?;
    Ok(sees_device(base, reach, &id.org, serial_number, device.as_ref())? && incident.is_some())
}
