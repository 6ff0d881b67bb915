//! What is known of a device besides what it says when it is asked.

use linesman_domain::devices::{self, DeviceRow};
use linesman_domain::reached;
use linesman_domain::table::Table;
use linesman_schemas::OrgName;
use linesman_schemas::device::DeviceFacts;

use super::super::{Device, Hands};
use crate::store::Lane;

impl Hands {
    /// What a device says of itself, or has said; what that lacks, as the latest bundle of its serial number has it, which is
    /// that of its host name where nobody says another.
    pub(super) fn completed(&self, device: &Device, said: DeviceFacts) -> Result<DeviceFacts, linesman_domain::Error> {
        let Some(lane) = self.lane(&device.org) else { return Ok(said) };
        let serial_number = match said.serial_number.is_empty() {
            true => called(lane, device, &said.host_name)?.unwrap_or_default(),
            false => said.serial_number,
        };
        let said = DeviceFacts { serial_number, ..said };
        let learned: Option<DeviceRow> = Table::read(lane, &devices::key(&device.org, &said.serial_number))?;
        let Some(learned) = learned.filter(|_| !said.serial_number.is_empty()) else { return Ok(said) };
        let or = |said: String, learned: String| if said.trim().is_empty() { learned } else { said };
        Ok(DeviceFacts {
            host_name: or(said.host_name, learned.host_name),
            product: or(said.product, learned.product),
            os_version: or(said.os_version, learned.os_version),
            ..said
        })
    }
}

/// The serial number of the one device that sends bundles and calls itself as this one, unless that is reached by another name.
fn called(lane: &Lane, device: &Device, host_name: &str) -> Result<Option<String>, linesman_domain::Error> {
    let org: &OrgName = &device.org;
    let name = if host_name.is_empty() { &device.name } else { host_name };
    let mut found = reached::of_host(lane, org, name).take(2).collect::<Result<Vec<_>, _>>()?;
    match (found.pop(), found.is_empty()) {
        (Some(serial_number), true) if reached::of_serial(lane, org, &serial_number)?.is_none() => {
            Ok(Some(serial_number))
        }
        _ => Ok(None),
    }
}
