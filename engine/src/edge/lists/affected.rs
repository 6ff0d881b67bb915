//! Which devices of an organization an intelligence message concerns, and why.

use linesman_schemas::OrgName;
use serde::Serialize;
use utoipa::ToSchema;

use super::Error;
use super::walk::{OrgRows, Walk};
use crate::edge::words;
use linesman_domain::devices;
use linesman_domain::intelligence::relevance::{By, Concern, Traits};
use linesman_domain::snapshots::parts;

/// How many devices of an organization an answer has; beyond that they are counted.
pub(super) const DEVICES_MOST: usize = 1_000;

/// An organization that a message concerns.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AffectedOrganization {
    /// Its name.
    #[schema(value_type = String)]
    organization: OrgName,
    /// Its devices that the message concerns, by serial number: the first 1,000, and of all organizations the first 10,000.
    devices: Vec<AffectedDevice>,
    /// How many of its devices the message concerns.
    pub(super) count: usize,
}

/// A device that a message concerns.
#[derive(Debug, Serialize, ToSchema)]
struct AffectedDevice {
    /// Its serial number.
    serial_number: String,
    /// Its host name.
    host_name: String,
    /// Why, a reason for each list that the message gives.
    reasons: Vec<Reason>,
}

/// Why a message concerns a device.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReasonOfMatch)]
struct Reason {
    /// By what of the device; `everybody` where the message names nothing.
    #[schema(schema_with = words::reason_of_match)]
    by: By,
    /// The entry of the message that it meets, the first of several; of a part with its name and part number; empty for
    /// `everybody`.
    entry: String,
}

impl AffectedOrganization {
    /// Those of an organization's devices that are seen and concerned; `left` is how many the answer still takes.
    pub(super) fn of(
        walk: &Walk,
        organization: OrgName,
        rows: &OrgRows<'_>,
        concern: &Concern,
        left: &mut usize,
    ) -> Result<Self, Error> {
        let (mut devices, mut count) = (Vec::new(), 0);
        for row in devices::DEVICES.rows(rows.lane, &[organization.as_str()]) {
            walk.step()?;
            let (own, device) = row?;
            let serial_number = String::from_utf8_lossy(&own).into_owned();
            if rows.sight.as_ref().is_some_and(|sight| !sight.has(&serial_number, Some(&device))) {
                continue;
            }
            let parts = match concern.takes_any_serial_number() {
                true => Vec::new(),
                false => parts::parts(rows.lane, &organization, &serial_number)?,
            };
            let Some(reasons) = concern.reasons(&Traits::of(&serial_number, &device, &parts)) else { continue };
            count += 1;
            if devices.len() < DEVICES_MOST && *left > 0 {
                *left -= 1;
                let reasons = reasons.into_iter().map(|reason| Reason { by: reason.by, entry: reason.entry });
                let (host_name, reasons) = (device.host_name, reasons.collect());
                devices.push(AffectedDevice { serial_number, host_name, reasons });
            }
        }
        Ok(Self { organization, devices, count })
    }
}
