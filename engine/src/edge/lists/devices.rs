//! `/api/v1/devices`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_schemas::OrgName;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::best::Value;
use super::query::{Glob, Paging, When, lies, passes, query, when};
use super::walk::{Place, answer};
use super::{Bundle, Error, Page, Stored, page, text_key};
use crate::edge::params::{Params, PathOf};
use crate::edge::problem::Problem;
use crate::edge::routes::Sources;
use linesman_domain::rows::{self, DeviceRow, SnapshotsRow, key};

query! {
    /// Which devices.
    Devices sorted by ["serial_number", "host_name", "last_seen", "first_seen"], {
        /// Of one organization.
        #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
        organization: OrgName,
        /// The device group; empty for devices of none.
        #[param(value_type = Option<String>)]
        group: Glob,
        /// The host name.
        #[param(value_type = Option<String>)]
        host_name: Glob,
        /// The serial number.
        #[param(value_type = Option<String>)]
        serial_number: Glob,
        /// The model.
        #[param(value_type = Option<String>)]
        product: Glob,
        /// The system family.
        #[param(value_type = Option<String>)]
        platform: Glob,
        /// The version of the operating system.
        #[param(value_type = Option<String>)]
        os_version: Glob,
        /// Last seen then or later.
        #[param(schema_with = when, required = false)]
        last_seen_after: When,
        /// Last seen earlier: silent since.
        #[param(schema_with = when, required = false)]
        last_seen_before: When,
    }
}

/// A device in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::edge) struct DevicePath {
    /// Whose it is.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    organization: OrgName,
    /// Its chassis serial number.
    #[param(example = "SN1234")]
    serial_number: String,
}

/// A device, as its latest bundle described it; texts that gave none are empty.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Device {
    /// Whose it is.
    #[schema(value_type = String)]
    organization: OrgName,
    /// Its chassis serial number.
    serial_number: String,
    /// Its host name.
    host_name: String,
    /// Its model.
    product: String,
    /// Its system family.
    platform: String,
    /// The version of its operating system.
    os_version: String,
    /// Its address for management.
    management_address: String,
    /// The device group it belongs to; empty for none.
    group: String,
    /// When its first bundle entered the log.
    first_seen: Timestamp,
    /// When its latest bundle did, to the hour.
    last_seen: Timestamp,
}

/// A device with its latest information bundles.
#[derive(Debug, Serialize, ToSchema)]
struct DeviceWithSnapshots {
    #[serde(flatten)]
    device: Device,
    /// Its information bundles, the latest by its own time first; the last eight are kept.
    snapshots: Vec<Snapshot>,
}

/// An information bundle.
#[derive(Debug, Serialize, ToSchema)]
struct Snapshot {
    /// The device's own id of it.
    host_event_id: String,
    /// When the device made it.
    occurred: Timestamp,
    /// When it entered the log.
    received: Timestamp,
    /// The bundle.
    bundle: Bundle,
}

/// Devices, page by page.
#[utoipa::path(
    get, path = "/api/v1/devices", tag = "devices", params(Devices),
    responses((status = 200, description = "A page.", body = Page<Device>))
)]
pub(in crate::edge) async fn devices(
    State(sources): State<Arc<Sources>>,
    Params(mut list): Params<Devices>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, move |walk| page(walk, &list, &paging)).await
}

/// One device, with its latest information bundles.
#[utoipa::path(
    get, path = "/api/v1/devices/{organization}/{serial_number}", tag = "devices", params(DevicePath),
    responses((status = 200, description = "The device.", body = DeviceWithSnapshots))
)]
pub(in crate::edge) async fn device(
    State(sources): State<Arc<Sources>>,
    PathOf(DevicePath { organization, serial_number }): PathOf<DevicePath>,
) -> Result<Response, Problem> {
    answer(&sources, move |walk| {
        let nothing = || format!("`{organization}` has no device `{}`", linesman_rules::excerpt(&serial_number));
        let row = walk.one(&organization, &key::device(&organization, &serial_number), nothing)?;
        let lane = walk.lane(&organization)?;
        let kept: SnapshotsRow = rows::read(lane, &key::snapshots(&organization, &serial_number))?.unwrap_or_default();
        let snapshots = kept.snapshots.into_iter().map(|snapshot| Snapshot {
            host_event_id: snapshot.host_event_id,
            occurred: snapshot.occurred,
            received: snapshot.received,
            bundle: snapshot.bundle.into(),
        });
        let snapshots = snapshots.collect();
        Ok(DeviceWithSnapshots { device: Device::new(organization.clone(), serial_number.clone(), row), snapshots })
    })
    .await
}

impl Stored for Devices {
    type Row = DeviceRow;
    type Item = Device;
    const TABLE: u8 = b'd';

    fn organization(&self) -> Option<&OrgName> {
        self.organization.as_ref()
    }

    fn value(by: &str, row: &DeviceRow) -> Value {
        match by {
            "host_name" => Value::Text(row.host_name.clone()),
            "first_seen" => Value::Time(row.first_seen),
            _ => Value::Time(row.last_seen),
        }
    }

    fn item(&self, _: &Place<'_>, org: &OrgName, key: &[u8], row: DeviceRow) -> Result<Option<(Device, usize)>, Error> {
        let serial_number = text_key(key);
        let is_wanted = passes(self.group.as_ref(), &row.group)
            && passes(self.host_name.as_ref(), &row.host_name)
            && passes(self.serial_number.as_ref(), &serial_number)
            && passes(self.product.as_ref(), &row.product)
            && passes(self.platform.as_ref(), &row.platform)
            && passes(self.os_version.as_ref(), &row.os_version)
            && lies(row.last_seen, self.last_seen_after.as_ref(), self.last_seen_before.as_ref());
        Ok(is_wanted.then(|| (Device::new(org.clone(), serial_number, row), key.len())))
    }
}

impl Device {
    fn new(organization: OrgName, serial_number: String, row: DeviceRow) -> Self {
        Self {
            organization,
            serial_number,
            host_name: row.host_name,
            product: row.product,
            platform: row.platform,
            os_version: row.os_version,
            management_address: row.management_address,
            group: row.group,
            first_seen: row.first_seen,
            last_seen: row.last_seen,
        }
    }
}
