//! `/api/v1/devices`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_schemas::{OrgName, Place};
use serde::Serialize;
use utoipa::ToSchema;

use super::walk::{OrgRows, answer};
use super::{Bundle, Error, Stored, page, text_key};
use crate::edge::filters::tables::Devices;
use crate::edge::filters::{lies, passes};
use crate::edge::paging::{Page, Paging, Value};
use crate::edge::paths::DevicePath;
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use linesman_domain::device_groups::DeviceGroups;
use linesman_domain::devices::{self, DeviceRow};
use linesman_domain::organizations::{self, OrgRow};
use linesman_domain::places::{self, TiedRow};
use linesman_domain::sight::Sight;
use linesman_domain::snapshots::{self, SnapshotsRow};

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
    /// The site or access line that it is tied to, where that is seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, example = "acme/berlin/line-7")]
    place: Option<Place>,
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
    viewer: Viewer,
    Params(mut list): Params<Devices>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, viewer, move |walk| page(walk, &list, &paging)).await
}

/// One device, with its latest information bundles.
#[utoipa::path(
    get, path = "/api/v1/devices/{organization}/{serial_number}", tag = "devices", params(DevicePath),
    responses((status = 200, description = "The device.", body = DeviceWithSnapshots))
)]
pub(in crate::edge) async fn device(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DevicePath { organization, serial_number }): PathOf<DevicePath>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| {
        let nothing = || format!("`{organization}` has no device `{}`", linesman_rules::excerpt(&serial_number));
        let row = walk.some(&organization, &devices::key(&organization, &serial_number))?;
        let is_seen = walk.sees_device(&organization, &serial_number, row.as_ref())?;
        let row = row.filter(|_| is_seen).ok_or_else(|| Error::Nothing(nothing()))?;
        let tied: Option<TiedRow> = walk.some(&organization, &places::tied_key(&organization, &serial_number))?;
        let place = tied.map(|tied| Place::Below(tied.place)).filter(|place| walk.viewer().sees_place(place));
        let kept: SnapshotsRow =
            walk.some(&organization, &snapshots::key(&organization, &serial_number))?.unwrap_or_default();
        let snapshots = kept.snapshots.into_iter().map(|snapshot| Snapshot {
            host_event_id: snapshot.host_event_id,
            occurred: snapshot.occurred,
            received: snapshot.received,
            bundle: Bundle::new(walk.viewer(), snapshot.bundle),
        });
        let snapshots = snapshots.collect();
        let owner = walk.some(&organization, &organizations::key(&organization))?;
        let groups = owner.map(|owner: OrgRow| DeviceGroups::new(&owner.device_groups)).unwrap_or_default();
        let group = groups.group_of(&row.host_name).to_owned();
        let device = Device::new((organization.clone(), serial_number.clone()), row, &group);
        Ok(DeviceWithSnapshots { device, place, snapshots })
    })
    .await
}

impl Stored for Devices {
    type Row = DeviceRow;
    type Item = Device;

    fn prefix(organization: &str, own: &[u8]) -> Vec<u8> {
        devices::within(organization, own)
    }

    fn organization(&self) -> Option<&OrgName> {
        self.organization.as_ref()
    }

    fn is_seen(_: &OrgRows<'_>, sight: &Sight, _: &OrgName, key: &[u8], row: &mut DeviceRow) -> Result<bool, Error> {
        Ok(sight.has(&text_key(key), Some(row)))
    }

    fn value(by: &str, row: &DeviceRow) -> Value {
        match by {
            "host_name" => Value::Text(row.host_name.clone()),
            "first_seen" => Value::Time(row.first_seen),
            _ => Value::Time(row.last_seen),
        }
    }

    fn item(
        &self,
        rows: &OrgRows<'_>,
        org: &OrgName,
        key: &[u8],
        row: DeviceRow,
    ) -> Result<Option<(Device, usize)>, Error> {
        let serial_number = text_key(key);
        let group = rows.groups.group_of(&row.host_name);
        let is_wanted = passes(self.group.as_ref(), group)
            && passes(self.host_name.as_ref(), &row.host_name)
            && passes(self.serial_number.as_ref(), &serial_number)
            && passes(self.product.as_ref(), &row.product)
            && passes(self.platform.as_ref(), &row.platform)
            && passes(self.os_version.as_ref(), &row.os_version)
            && lies(row.last_seen, self.last_seen_after.as_ref(), self.last_seen_before.as_ref());
        Ok(is_wanted.then(|| (Device::new((org.clone(), serial_number), row, group), key.len())))
    }
}

impl Device {
    /// A device of an organization by serial number, and the group it belongs to.
    fn new((organization, serial_number): (OrgName, String), row: DeviceRow, group: &str) -> Self {
        Self {
            organization,
            serial_number,
            host_name: row.host_name,
            product: row.product,
            platform: row.platform,
            os_version: row.os_version,
            management_address: row.management_address,
            group: group.to_owned(),
            first_seen: row.first_seen,
            last_seen: row.last_seen,
        }
    }
}
