//! Devices, known by their first bundle, and the groups they belong to.

use jiff::{Timestamp, ToSpan};
use linesman_schemas::OrgName;
use linesman_schemas::bundle::Device;

use super::rows::{self, DeviceRow, Seen, key};
use super::{Domain, Error};

impl Domain {
    /// Takes note of a device that sent a bundle; its row.
    ///
    /// The row is written when something changed or an hour has passed, not with every bundle.
    pub(super) fn note_device(&mut self, org: &OrgName, device: &Device<'_>) -> Result<DeviceRow, Error> {
        let now = self.position.now;
        let key = key::device(org, &device.serial_number);
        let known = self.state.get(&key)?;
        let row = DeviceRow {
            host_name: device.host_name.to_string(),
            product: device.product.to_string(),
            platform: device.platform.as_deref().unwrap_or_default().to_owned(),
            os_version: device.os_version.to_string(),
            management_address: device.management_address.as_deref().unwrap_or_default().to_owned(),
            group: self.organizations.group_of(org, &device.host_name).to_owned(),
            first_seen: now,
            last_seen: now,
        };
        let Some(bytes) = known else {
            self.state.put(key, rows::encode(&row)?);
            return Ok(row);
        };
        // The times stand first: when they are taken over and nothing is written, nothing else is read.
        let Seen { first, last } = rows::decode_front(&key, &bytes)?;
        let row = DeviceRow { first_seen: first, last_seen: later(last, now), ..row };
        let encoded = rows::encode(&row)?;
        if encoded != bytes {
            self.state.put(key, encoded);
        }
        Ok(row)
    }

    /// The device an incident is about.
    pub(super) fn device(&self, org: &OrgName, serial_number: &str) -> Result<Option<DeviceRow>, Error> {
        self.device_at(&key::device(org, serial_number))
    }

    fn device_at(&self, key: &[u8]) -> Result<Option<DeviceRow>, Error> {
        self.state.get(key)?.map(|bytes| rows::decode(key, &bytes)).transpose()
    }
}

fn later(last: Timestamp, now: Timestamp) -> Timestamp {
    if last.checked_add(1.hour()).is_ok_and(|due| now >= due) { now } else { last }
}
