//! What is seen of an organization by whoever does not see all of it: devices, and what is about them.
//!
//! A device is seen that is tied to a place in the reach, or is in a device group of it; an incident and its case with
//! its device; an intelligence message that names the serial number of such a device.

use std::collections::BTreeSet;

use linesman_schemas::{IncidentId, OrgName};

use super::Error;
use super::devices::{self, DeviceRow};
use super::incidents::page;
use super::places;
use super::rights::{Extent, Reach};
use super::state::Base;
use super::table::Table;

/// What is seen of an organization, gathered for many questions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// The names of devices that are tied to places.
    names: BTreeSet<String>,
    /// Device groups.
    groups: BTreeSet<String>,
}

impl Sight {
    /// What a reach has of an organization.
    ///
    /// # Errors
    /// The base cannot be read, or a row of it.
    pub fn of(base: &(impl Base + ?Sized), reach: &Reach, org: &OrgName) -> Result<Self, Error> {
        let groups = reach.device_groups.iter().filter(|group| group.organization == *org);
        Ok(Self {
            names: places::devices(base, reach.places(org))?,
            groups: groups.map(|group| group.name.clone()).collect(),
        })
    }

    /// Whether a device is seen; its row, if it has one.
    pub fn has(&self, serial_number: &str, device: Option<&DeviceRow>) -> bool {
        self.names.contains(serial_number)
            || device
                .is_some_and(|device| self.names.contains(&device.host_name) || self.groups.contains(&device.group))
    }
}

/// Whether a reach has a device; its row, if it has one.
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
    match reach.extent(org) {
        Extent::All => return Ok(true),
        Extent::None => return Ok(false),
        Extent::Some => {}
    }
    let host_name = device.map_or("", |device| &device.host_name);
    // Where there is no such device, as much is looked up as where there is one.
    let is_in_group = device.is_some_and(|device| reach.has_group(org, &device.group));
    Ok(places::is_tied(base, reach.places(org), [serial_number, host_name])? || is_in_group)
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
