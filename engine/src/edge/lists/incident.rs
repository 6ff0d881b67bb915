//! An incident as clients read it. Field names are those of the triggers where both have them.

use jiff::Timestamp;
use linesman_schemas::{IncidentId, OrgName, Priority};
use serde::Serialize;

use crate::domain::rows::{CaseRow, DeviceRow, IncidentRow};

/// An incident.
#[derive(Debug, Serialize)]
pub(super) struct Item {
    id: IncidentId,
    organization: OrgName,
    host_event_id: String,
    kind: String,
    device: Device,
    event_type: String,
    priority: Priority,
    severity: Option<u8>,
    synopsis: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    status: &'static str,
    /// None: nobody's.
    owner: Option<String>,
    repeats: u64,
    occurred: Timestamp,
    detected: Timestamp,
    case: Option<Case>,
    bundle: Bundle,
}

/// The device, as its latest bundle described it; texts no bundle gave are empty.
#[derive(Debug, Serialize)]
struct Device {
    host_name: String,
    serial_number: String,
    product: String,
    platform: String,
    os_version: String,
}

#[derive(Debug, Serialize)]
struct Case {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    case_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    case_status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<String>,
}

/// Where the bundle stands in IN.
#[derive(Debug, Serialize)]
struct Bundle {
    sequence: u64,
    length: u64,
    sha256: String,
}

impl Item {
    pub(super) fn new(id: IncidentId, row: IncidentRow, device: Option<DeviceRow>, case: Option<CaseRow>) -> Self {
        let (host_name, product, platform, os_version) = device
            .map(|device| (device.host_name, device.product, device.platform, device.os_version))
            .unwrap_or_default();
        let bundle = row.bundle;
        Self {
            organization: id.org.clone(),
            id,
            host_event_id: row.host_event_id,
            kind: row.kind,
            device: Device { host_name, serial_number: row.serial_number, product, platform, os_version },
            event_type: row.event_type,
            priority: row.priority,
            severity: row.severity,
            synopsis: row.synopsis,
            description: given(row.description),
            status: row.status.as_str(),
            owner: given(row.owner),
            repeats: row.repeats,
            occurred: row.occurred,
            detected: row.detected,
            case: case.map(Case::new),
            bundle: Bundle { sequence: bundle.sequence, length: bundle.length, sha256: hex::encode(bundle.sha256) },
        }
    }
}

impl Item {
    /// How much text its device has.
    pub(super) fn device_bytes(&self) -> usize {
        let device = &self.device;
        device.host_name.len() + device.product.len() + device.platform.len() + device.os_version.len()
    }
}

impl Case {
    fn new(row: CaseRow) -> Self {
        Self {
            state: row.state.as_str(),
            case_id: given(row.case_id),
            case_status: given(row.status),
            link: given(row.link),
            transaction_id: given(row.transaction_id),
        }
    }
}

/// None for an empty text.
fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
