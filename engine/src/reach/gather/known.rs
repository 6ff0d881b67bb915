//! What is known of a device besides what it says when it is asked.

use linesman_domain::devices::{self, DeviceRow};
use linesman_domain::table::Table;
use linesman_schemas::OrgName;
use linesman_schemas::device::DeviceFacts;

use super::super::Hands;

impl Hands {
    /// What a device says of itself, or has said; what that lacks, as the latest bundle of its serial number has it.
    pub(super) fn completed(&self, org: &OrgName, said: DeviceFacts) -> Result<DeviceFacts, linesman_domain::Error> {
        let Some(lane) = self.lane(org).filter(|_| !said.serial_number.is_empty()) else { return Ok(said) };
        let learned: Option<DeviceRow> = Table::read(lane, &devices::key(org, &said.serial_number))?;
        let Some(learned) = learned else { return Ok(said) };
        let or = |said: String, learned: String| if said.trim().is_empty() { learned } else { said };
        Ok(DeviceFacts {
            host_name: or(said.host_name, learned.host_name),
            product: or(said.product, learned.product),
            os_version: or(said.os_version, learned.os_version),
            ..said
        })
    }
}
