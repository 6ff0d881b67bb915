//! `/api/v1/devices`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_schemas::device::DeviceState;
use linesman_schemas::{OrgName, Place, PlacePath};
use serde::Serialize;
use utoipa::ToSchema;

use super::reached::{Named, Reached, named};
use super::walk::{OrgRows, answer};
use super::{Bundle, Error, FURTHER, Found, Stored, given, page, text_key};
use crate::edge::filters::tables::Devices;
use crate::edge::filters::{lies, passes};
use crate::edge::paging::{Page, Paging, Value};
use crate::edge::paths::DevicePath;
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;
use linesman_domain::device_groups::DeviceGroups;
use linesman_domain::devices::{self, DeviceRow};
use linesman_domain::organizations::{self, OrgRow};
use linesman_domain::places::{self, TiedRow};
use linesman_domain::reached::{self, AfterRow};
use linesman_domain::sight::Sight;
use linesman_domain::snapshots::{self, SnapshotsRow};
use linesman_domain::table::{self, Table};

/// A device: as its latest bundle described it, or as it said of itself where it has sent none; texts that nobody gave are
/// empty. And how it is reached, if it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Device {
    /// Whose it is.
    #[schema(value_type = String)]
    organization: OrgName,
    /// The name by which it is reached; of one that is not reached its host name.
    name: String,
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
    /// When its first bundle entered the log; null where it has sent none.
    first_seen: Option<Timestamp>,
    /// When its latest bundle did, to the hour.
    last_seen: Option<Timestamp>,
    /// How it stands with the collector; null where it is not reached.
    #[schema(schema_with = words::device_state)]
    state: Option<DeviceState>,
    /// Since when.
    since: Option<Timestamp>,
    /// What is wrong, in words.
    error: Option<String>,
    /// When a bundle of it was last collected.
    last_collected: Option<Timestamp>,
    /// Whether algorithms are allowed that are no longer safe.
    legacy: bool,
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
    /// How it is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reached: Option<Way>,
    /// Its information bundles, the latest by its own time first; the last eight are kept.
    snapshots: Vec<Snapshot>,
}

/// How a device is reached.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeviceWay)]
struct Way {
    /// Its host name or IP address.
    address: String,
    /// The port of SSH.
    port: u16,
    /// The port of NETCONF.
    netconf_port: u16,
    /// Who logs in.
    user: String,
    /// What the user shows: `password` or `key`.
    credentials: &'static str,
    /// The directory in which it leaves bundles.
    directory: String,
    /// Which of its files are bundles.
    pattern: String,
    /// How often it is looked there, in seconds.
    poll_s: u32,
    /// What becomes of a file that was collected: `remove`, `move` or `leave`.
    after: &'static str,
    /// Where it is moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    move_to: Option<String>,
    /// The site or access line where it is, as was said with how it is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    place: Option<PlacePath>,
    /// The groups of commands by which data is gathered from it.
    directives: Vec<String>,
    /// Whether the host key that it shows first is taken for its own.
    accept_host_key: bool,
    /// Its host key; null where none is known.
    host_key: Option<String>,
    /// The host key that it shows in place of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    shown_host_key: Option<String>,
    /// Its routing engines, as it says.
    routing_engines: Vec<String>,
    /// The members of its virtual chassis, as it says.
    members: Vec<Member>,
}

/// A member of a virtual chassis.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChassisMember)]
struct Member {
    /// Its number.
    number: u32,
    /// Its serial number.
    serial_number: String,
    /// Its model.
    product: String,
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
    get, path = "/api/v1/devices/{organization}/{device}", operation_id = "device", tag = "devices", params(DevicePath),
    responses((status = 200, description = "The device.", body = DeviceWithSnapshots))
)]
pub(in crate::edge) async fn device(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DevicePath { organization, device }): PathOf<DevicePath>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| {
        let Named { reached, learned } = named(walk, &organization, &device)?;
        let serial_number = learned.as_ref().map(|(serial_number, _)| serial_number.clone()).unwrap_or_default();
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
        let device = Device::new(organization, learned, reached.as_ref(), &groups);
        Ok(DeviceWithSnapshots { device, place, reached: reached.map(Way::from), snapshots })
    })
    .await
}

impl Stored for Devices {
    type Row = DeviceRow;
    type Item = Device;

    fn prefix(organization: &str, own: &[u8]) -> Vec<u8> {
        devices::within(organization, own)
    }

    // Devices that are reached and have sent nothing.
    fn further(organization: &str) -> Option<Vec<u8>> {
        Some(reached::within(organization, &[]))
    }

    fn read(key: &[u8], own: &[u8], bytes: &[u8]) -> Vec<Found<DeviceRow>> {
        if let Some(name) = name_of(own) {
            let row = DeviceRow { host_name: name, ..DeviceRow::unknown() };
            return vec![Ok((own.to_vec(), row, bytes.len()))];
        }
        vec![table::decode(key, bytes).map(|row| (own.to_vec(), row, bytes.len())).map_err(Error::from)]
    }

    fn organization(&self) -> Option<&OrgName> {
        self.organization.as_ref()
    }

    fn is_seen(
        rows: &OrgRows<'_>,
        sight: &Sight,
        org: &OrgName,
        key: &[u8],
        row: &mut DeviceRow,
    ) -> Result<bool, Error> {
        let all = rows.reached(org)?;
        let Some(name) = name_of(key) else {
            let reached = all.of_device(&text_key(key), &row.host_name);
            let is_there = reached.is_some_and(|device| device.is_seen_by_place(rows.viewer));
            return Ok(is_there || sight.has(&text_key(key), Some(row)));
        };
        let Some(device) = all.named(&name) else { return Ok(false) };
        Ok(device.is_seen_by_place(rows.viewer) || sight.has(device.serial_number().unwrap_or(&name), None))
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
        let all = rows.reached(org)?;
        let (device, last_seen) = match name_of(key) {
            None => {
                let (serial_number, last_seen) = (text_key(key), row.last_seen);
                let reached = all.of_device(&serial_number, &row.host_name);
                (Device::new(org.clone(), Some((serial_number, row)), reached, &rows.groups), last_seen)
            }
            Some(name) => {
                let Some(reached) = all.named(&name) else { return Ok(None) };
                if is_learned(rows, org, reached)? {
                    return Ok(None);
                }
                (Device::new(org.clone(), None, Some(reached), &rows.groups), Timestamp::UNIX_EPOCH)
            }
        };
        let name = if device.state.is_some() { &*device.name } else { "" };
        let is_wanted = passes(self.group.as_ref(), &device.group)
            && passes(self.host_name.as_ref(), &device.host_name)
            && passes(self.serial_number.as_ref(), &device.serial_number)
            && passes(self.product.as_ref(), &device.product)
            && passes(self.platform.as_ref(), &device.platform)
            && passes(self.os_version.as_ref(), &device.os_version)
            && passes(self.name.as_ref(), name)
            && passes(self.state.as_ref(), device.state.map_or("", DeviceState::as_str))
            && lies(last_seen, self.last_seen_after.as_ref(), self.last_seen_before.as_ref());
        Ok(is_wanted.then_some((device, key.len())))
    }
}

/// The name of a device that has sent nothing, where a key is of such.
fn name_of(own: &[u8]) -> Option<String> {
    own.strip_prefix(&[FURTHER]).map(text_key)
}

/// Whether a device that is reached has sent bundles: then it is listed with those.
fn is_learned(rows: &OrgRows<'_>, org: &OrgName, device: &Reached) -> Result<bool, Error> {
    if let Some(serial_number) = device.serial_number() {
        return Ok(Table::read(rows.lane, &devices::key(org, serial_number))?.is_some());
    }
    for learned in devices::all(rows.lane, org) {
        let (_, row) = learned?;
        if row.host_name == device.name {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Device {
    /// A device of an organization: by what its bundles told, under its serial number, and by how it is reached.
    fn new(
        organization: OrgName,
        learned: Option<(String, DeviceRow)>,
        reached: Option<&Reached>,
        groups: &DeviceGroups,
    ) -> Self {
        let standing = reached.and_then(|device| device.standing.as_ref());
        let has_sent = learned.is_some();
        let (serial_number, row) = learned.unwrap_or_else(|| {
            let facts = standing.map(|standing| standing.facts.clone()).unwrap_or_default();
            let serial_number = reached.and_then(Reached::serial_number).unwrap_or_default().to_owned();
            let row = DeviceRow {
                host_name: facts.host_name,
                product: facts.product,
                os_version: facts.os_version,
                management_address: reached.map(|device| device.row.address.clone()).unwrap_or_default(),
                ..DeviceRow::unknown()
            };
            (serial_number, row)
        });
        let name = reached.map_or(&row.host_name, |device| &device.name).clone();
        let group = if row.host_name.is_empty() { &name } else { &row.host_name };
        Self {
            group: groups.group_of(group).to_owned(),
            name,
            organization,
            serial_number,
            host_name: row.host_name,
            product: row.product,
            platform: row.platform,
            os_version: row.os_version,
            management_address: row.management_address,
            first_seen: Some(row.first_seen).filter(|_| has_sent),
            last_seen: Some(row.last_seen).filter(|_| has_sent),
            state: standing.map(|standing| standing.state),
            since: standing.map(|standing| standing.since),
            error: standing.and_then(|standing| given(standing.error.clone())),
            last_collected: standing.and_then(|standing| standing.collected),
            legacy: reached.is_some_and(|device| device.row.is_legacy),
        }
    }
}

impl From<Reached> for Way {
    fn from(Reached { row, standing, .. }: Reached) -> Self {
        let (after, move_to) = match row.after {
            AfterRow::Remove => ("remove", None),
            AfterRow::MoveTo(directory) => ("move", Some(directory)),
            AfterRow::Leave => ("leave", None),
        };
        let (shown_host_key, facts) =
            standing.map(|standing| (standing.shown_host_key, standing.facts)).unwrap_or_default();
        let member = |(number, serial_number, product)| Member { number, serial_number, product };
        Self {
            address: row.address,
            port: row.port,
            netconf_port: row.netconf_port,
            user: row.user,
            credentials: row.credentials.as_str(),
            directory: row.directory,
            pattern: row.pattern,
            poll_s: row.poll_s,
            after,
            move_to,
            place: row.place,
            directives: row.directives,
            accept_host_key: row.accepts_first_host_key,
            host_key: row.host_key,
            shown_host_key,
            routing_engines: facts.routing_engines,
            members: facts.members.into_iter().map(member).collect(),
        }
    }
}
