//! `/api/v1/devices`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_schemas::device::DeviceState;
use linesman_schemas::{OrgName, Place, PlacePath};
use serde::Serialize;
use utoipa::ToSchema;

use super::on_device::{self, Group};
use super::reached::{Named, Reached, is_learned_seen, named};
use super::walk::{OrgRows, answer};
use super::{Bundle, Error, FURTHER, Found, Stored, given, page, text_key};
use crate::edge::chassis::Member;
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
use linesman_domain::reached::{self, AfterRow, GatheredRow, RunRow, RunState};
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
    /// Why data that was asked for last is not there, of the first type of which it is not; null where all is.
    not_gathered: Option<String>,
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
    /// The configuration groups that it has of access lines that are seen.
    groups: Vec<Group>,
    /// Its information bundles, the latest by its own time first; the last eight are kept.
    snapshots: Vec<Snapshot>,
}

/// What a device has said of itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeviceSaid)]
struct Said {
    /// Its chassis serial number.
    serial_number: String,
    /// Its host name.
    host_name: String,
    /// Its model.
    product: String,
    /// The version of its operating system.
    os_version: String,
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
    /// Its chassis serial number, where people have said it.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    serial_number: String,
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
    /// What it has said of itself, when it was last asked: its bundles may tell otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    said: Option<Said>,
    /// Its routing engines, as it says.
    routing_engines: Vec<String>,
    /// The members of its virtual chassis, as it says.
    members: Vec<Member>,
    /// Whether its snapshots are gathered by the commands of its directives groups, since it makes none itself.
    off_box: bool,
    /// What was last gathered so, of each kind.
    gathered: Vec<Gathered>,
}

/// Data that was asked for.
#[derive(Debug, Serialize, ToSchema)]
struct Gathered {
    /// Which time it was.
    number: u64,
    /// What kind of bundle it becomes: `event`, `information` or `rma`.
    kind: &'static str,
    /// How far it is: `asked`, `running`, `done`, `failed` or `skipped`.
    state: &'static str,
    /// When it was asked for.
    asked: Timestamp,
    /// Since when it is so far.
    since: Timestamp,
    /// Whether it was asked for since a snapshot was due.
    scheduled: bool,
    /// How many commands were run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    done: Option<u32>,
    /// How many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    of: Option<u32>,
    /// The host-event-ID of its bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    host_event_id: Option<String>,
    /// How many commands the device has not carried out: the bundle tells why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failed: Option<u32>,
    /// The first of these, each with why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    failures: Vec<String>,
    /// Why there is no bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
}

impl From<RunRow> for Gathered {
    fn from(run: RunRow) -> Self {
        let state = run.state.as_str();
        let (mut done, mut of, mut host_event_id, mut failed, mut error) = (None, None, None, None, None);
        let mut failures = Vec::new();
        match run.state {
            RunState::Asked => {}
            RunState::Running { done: ran, of: all } => (done, of) = (Some(ran), Some(all)),
            RunState::Done { host_event_id: id, failed: count, failures: why } => {
                (host_event_id, failed, failures) = (Some(id), Some(count), why);
            }
            RunState::Failed(why) | RunState::Skipped(why) => error = Some(why),
        }
        Self {
            number: run.number,
            kind: run.kind.as_str(),
            state,
            asked: run.asked,
            since: run.since,
            scheduled: run.is_scheduled,
            done,
            of,
            host_event_id,
            failed,
            failures,
            error,
        }
    }
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
        let by_name = reached.as_ref().map(|device| device.name.clone()).unwrap_or_default();
        let by_number = reached.as_ref().and_then(Reached::serial_number).unwrap_or_default().to_owned();
        let groups_on_it = on_device::groups(walk, &organization, &[&by_name, &by_number, &serial_number])?;
        let owner = walk.some(&organization, &organizations::key(&organization))?;
        let groups = owner.map(|owner: OrgRow| DeviceGroups::new(&owner.device_groups)).unwrap_or_default();
        let gathered = match &reached {
            Some(reached) => walk.some(&organization, &reached::gathered_key(&organization, &reached.name))?,
            None => None,
        };
        let gathered: GatheredRow = gathered.unwrap_or_default();
        let not_gathered = not_gathered(&gathered);
        let device = Device { not_gathered, ..Device::new(organization, learned, reached.as_ref(), &groups) };
        let reached = reached.map(|reached| Way {
            off_box: gathered.is_off_box,
            gathered: gathered.runs.into_iter().map(Gathered::from).collect(),
            ..Way::from(reached)
        });
        Ok(DeviceWithSnapshots { device, place, reached, groups: groups_on_it, snapshots })
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
        let Some(name) = name_of(key) else {
            let serial_number = text_key(key);
            let reached = Reached::of_device(rows.lane, org, (&serial_number, &row.host_name))?;
            return Ok(is_learned_seen(rows.viewer, sight, (&serial_number, row), reached.as_ref()));
        };
        Reached::is_seen_of(rows, sight, org, &name)
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
        let (mut device, last_seen) = match name_of(key) {
            None => {
                let (serial_number, last_seen) = (text_key(key), row.last_seen);
                let sees =
                    |device: &Reached| rows.sight.as_ref().is_none_or(|sight| device.is_seen(rows.viewer, sight));
                let reached = Reached::of_device(rows.lane, org, (&serial_number, &row.host_name))?.filter(sees);
                (Device::new(org.clone(), Some((serial_number, row)), reached.as_ref(), &rows.groups), last_seen)
            }
            Some(name) => {
                let Some(reached) = Reached::read(rows.lane, org, &name)? else { return Ok(None) };
                if is_learned(rows, org, &reached)? {
                    return Ok(None);
                }
                (Device::new(org.clone(), None, Some(&reached), &rows.groups), Timestamp::UNIX_EPOCH)
            }
        };
        if device.state.is_some() {
            let gathered: Option<GatheredRow> = Table::read(rows.lane, &reached::gathered_key(org, &device.name))?;
            device.not_gathered = gathered.as_ref().and_then(not_gathered);
        }
        let is_wanted = passes(self.group.as_ref(), &device.group)
            && passes(self.host_name.as_ref(), &device.host_name)
            && passes(self.serial_number.as_ref(), &device.serial_number)
            && passes(self.product.as_ref(), &device.product)
            && passes(self.platform.as_ref(), &device.platform)
            && passes(self.os_version.as_ref(), &device.os_version)
            && passes(self.name.as_ref(), &device.name)
            && passes(self.state.as_ref(), device.state.map_or("", DeviceState::as_str))
            && lies(last_seen, self.last_seen_after.as_ref(), self.last_seen_before.as_ref());
        Ok(is_wanted.then_some((device, key.len())))
    }
}

/// Why data that was asked for last is not there.
fn not_gathered(gathered: &GatheredRow) -> Option<String> {
    gathered.runs.iter().find_map(|run| match &run.state {
        RunState::Failed(why) => Some(format!("{}: {why}", run.kind)),
        _ => None,
    })
}

/// The name of a device that has sent nothing, where a key is of such.
fn name_of(own: &[u8]) -> Option<String> {
    own.strip_prefix(&[FURTHER]).map(text_key)
}

/// Whether a device that is reached has sent bundles of which somebody sees: then it is listed with those.
fn is_learned(rows: &OrgRows<'_>, org: &OrgName, device: &Reached) -> Result<bool, Error> {
    let is_this = |serial_number: &str, row: &DeviceRow| -> Result<bool, Error> {
        let learned = (serial_number, row);
        let reached = Reached::of_device(rows.lane, org, (serial_number, &row.host_name))?;
        let is_seen = || {
            let sight = rows.sight.as_ref();
            sight.is_none_or(|sight| is_learned_seen(rows.viewer, sight, learned, reached.as_ref()))
        };
        Ok(reached.as_ref().is_some_and(|found| found.name == device.name) && is_seen())
    };
    if let Some(serial_number) = device.serial_number() {
        let row: Option<DeviceRow> = Table::read(rows.lane, &devices::key(org, serial_number))?;
        return row.map_or(Ok(false), |row| is_this(serial_number, &row));
    }
    for serial_number in reached::of_host(rows.lane, org, &device.name) {
        let serial_number = serial_number?;
        let row: Option<DeviceRow> = Table::read(rows.lane, &devices::key(org, &serial_number))?;
        if row.map_or(Ok(false), |row| is_this(&serial_number, &row))? {
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
        Self {
            group: groups.group_of(&name).to_owned(),
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
            not_gathered: None,
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
        let said = Said {
            serial_number: facts.serial_number,
            host_name: facts.host_name,
            product: facts.product,
            os_version: facts.os_version,
        };
        let is_silent =
            [&said.serial_number, &said.host_name, &said.product, &said.os_version].iter().all(|it| it.is_empty());
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
            serial_number: row.serial_number,
            directives: row.directives,
            accept_host_key: row.accepts_first_host_key,
            host_key: row.host_key,
            shown_host_key,
            said: (!is_silent).then_some(said),
            routing_engines: facts.routing_engines,
            members: facts.members.into_iter().map(member).collect(),
            off_box: false,
            gathered: Vec::new(),
        }
    }
}
