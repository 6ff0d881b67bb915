//! Devices that have sent nothing for two weeks. Source: DOMAIN, "Incidents and cases".
//!
//! Once a day by the log's clock a job goes through the devices of the lane and says of those whose two weeks ended since the
//! look before that they are silent: each once, until it has spoken and fallen silent again. Nothing is kept of it, and nothing
//! is written with a bundle.

use std::ops::Bound;
use std::rc::Rc;

use jiff::{Timestamp, ToSpan as _};
use linesman_rules::{Field, Subject, SubjectKind, Value};
use linesman_schemas::OrgName;
use linesman_schemas::trigger::{DeviceData, SilenceData, Trigger};

use super::Error;
use super::desk::Desk;
use super::devices::{DEVICES, DeviceRow};
use super::outgoing::Topic;
use super::policies::Fired;
use super::subject::{TimeText, text};

/// After how many hours a device that has sent nothing is silent.
pub(crate) const SILENT_HOURS: i64 = 14 * 24;

/// Whether the lane knows any device.
pub(crate) fn has_any(desk: &Desk) -> Result<bool, Error> {
    let prefix = DEVICES.prefix(&[], &[]);
    Ok(desk.first(Bound::Included(&prefix), &prefix)?.is_some())
}

/// Whether a device fell silent behind `since` and until `until`, in seconds of the epoch.
pub(crate) fn fell(row: &DeviceRow, since: i64, until: i64) -> bool {
    let at = row.last_seen.checked_add(SILENT_HOURS.hours()).unwrap_or(Timestamp::MAX).as_second();
    since < at && at <= until
}

/// Says that a device is silent; what policies are then to judge.
pub(crate) fn tell(
    desk: &mut Desk,
    org: &OrgName,
    serial_number: &str,
    row: DeviceRow,
) -> Result<(Fired, DeviceSubject), Error> {
    let subject = DeviceSubject::new(serial_number, Rc::new(row));
    let (trigger, about) = (Trigger::DeviceSilent, serial_number.to_owned());
    desk.tally.trigger(trigger.as_str());
    let data = SilenceData { device: subject.data(), last_seen: subject.row.last_seen };
    let event = desk.say(&Topic::Trigger(org.clone(), trigger), org, Some(&about), data)?;
    Ok((Fired { trigger, event, about, is_providers: false }, subject))
}

/// A device, as policies see it.
#[derive(Debug, Clone)]
pub(crate) struct DeviceSubject {
    serial_number: String,
    row: Rc<DeviceRow>,
    last_seen: TimeText,
}

impl DeviceSubject {
    pub(crate) fn new(serial_number: &str, row: Rc<DeviceRow>) -> Self {
        Self { serial_number: serial_number.to_owned(), last_seen: TimeText::new(row.last_seen), row }
    }

    /// What triggers tell of it.
    pub(crate) fn data(&self) -> DeviceData<'_> {
        let row = &self.row;
        DeviceData {
            host_name: &row.host_name,
            serial_number: &self.serial_number,
            product: &row.product,
            platform: &row.platform,
            os_version: &row.os_version,
        }
    }
}

impl Subject for DeviceSubject {
    fn kind(&self) -> SubjectKind {
        SubjectKind::Device
    }

    fn value(&self, field: Field) -> Value<'_> {
        let row = &self.row;
        match field {
            Field::DeviceSerialNumber => Value::Text(&self.serial_number),
            Field::DeviceHostName => text(&row.host_name),
            Field::DeviceProduct => text(&row.product),
            Field::DevicePlatform => text(&row.platform),
            Field::DeviceOsVersion => text(&row.os_version),
            Field::DeviceManagementAddress => text(&row.management_address),
            Field::DeviceGroup => text(&row.group),
            Field::LastSeen => Value::Text(self.last_seen.as_str()),
            _ => Value::Absent,
        }
    }
}
