//! Incidents: problem bundles, and what becomes of them.
//!
//! | room | what |
//! |---|---|
//! | here | from a bundle to an incident; what is changed of one |
//! | `page` | how they lie in the store |
//! | `notes` | what people say of them |
//! | `history` | what was changed of them, by whom |

pub mod history;
pub mod notes;
pub mod page;

use std::borrow::Cow;
use std::rc::Rc;

use jiff::Timestamp;
use linesman_rules::SubjectKind;
use linesman_schemas::bundle::{Bundle, Device, Problem};
use linesman_schemas::cascade::CaseReport;
use linesman_schemas::command::Assignment;
use linesman_schemas::reaction::CaseDetails;
use linesman_schemas::trigger::{Trigger, WithheldData};
use linesman_schemas::{IncidentId, OrgName, Priority};
use serde::{Deserialize, Serialize};

use super::bundles::{self, BundleRef};
use super::cases::chain;
use super::desk::Desk;
use super::devices::{DeviceRow, Devices};
use super::follow::Follow;
use super::input::Input;
use super::organizations::Organizations;
use super::outgoing::Topic;
use super::policies::Fired;
use super::sightings::{Sighting, Sightings, fingerprint};
use super::subject::Incident;
use super::table::{self, Row};
use super::{Error, addresses, cases, coded};

/// Who works on an incident. Stored by its place: a new word is added at the end. Source: DOMAIN, "Incidents and
/// cases".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Nobody yet.
    Unassigned,
    /// Somebody's.
    Assigned,
    /// Being worked on.
    InProgress,
    /// Done.
    Completed,
}

impl Status {
    /// The status as users read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unassigned => "unassigned",
            Self::Assigned => "assigned",
            Self::InProgress => "in progress",
            Self::Completed => "completed",
        }
    }
}

/// The engine level from which on policies complete incidents.
const CLOSED_BY_POLICIES: u32 = 11;
/// The kind of an incident that an end customer has reported.
pub const REPORTED: &str = "reported";

/// A problem bundle detected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentRow {
    /// The device's own id of the event.
    pub host_event_id: String,
    /// `event`, `on-demand`, `event-rma`, `on-demand-rma`, `health-check`; [`REPORTED`].
    pub kind: String,
    /// Whether the controller made the bundle.
    pub is_off_box: bool,
    /// The device's serial number.
    pub serial_number: String,
    /// The event type.
    pub event_type: String,
    /// Its group; empty for none.
    pub event_type_group: String,
    /// `proactive`, `reactive`; empty for none.
    pub service_type: String,
    /// One line on the problem.
    pub synopsis: String,
    /// The problem at length; empty for none.
    pub description: String,
    /// How urgent.
    #[serde(with = "coded::priority")]
    pub priority: Priority,
    /// Syslog severity.
    pub severity: Option<u8>,
    /// When the device saw it.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub occurred: Timestamp,
    /// When the bundle entered the log.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub detected: Timestamp,
    /// Who works on it.
    pub status: Status,
    /// Whose it is; empty for nobody's.
    pub owner: String,
    /// How often the same host-event-ID came again.
    pub repeats: u64,
    /// The bundle.
    pub bundle: BundleRef,
}

impl Row for IncidentRow {}

/// What a problem is.
pub(crate) enum Taken {
    /// A new incident.
    Incident(Box<Incident>),
    /// One whose host-event-ID was seen within the retention, and that is counted on the incident it became then.
    Repeated,
    /// One that is not known, and beyond a quota of so many.
    Beyond(u64),
}

/// Takes a problem bundle; where a quota is `full`, only if it is known already. An incident is kept by [`keep`], once policies have judged it.
pub(crate) fn take(
    desk: &mut Desk,
    (organizations, devices, sightings): (&Organizations, &mut Devices, &mut Sightings),
    org: &OrgName,
    (found, full): (&Found<'_>, Option<u64>),
) -> Result<Taken, Error> {
    let manifest = &found.bundle.manifest;
    let print = fingerprint(org, &manifest.host_event_id);
    if repeats(desk, sightings, org, print, &manifest.host_event_id)? {
        desk.tally.input("jmb", "repeated");
        return Ok(Taken::Repeated);
    }
    if let Some(most) = full {
        return Ok(Taken::Beyond(most));
    }
    let device = devices.note(desk, organizations, org, &manifest.device)?;
    let row = row(desk.now, found);
    let number = desk.next_incident(org);
    sightings.add(desk, print, Sighting { incident: number, at_s: desk.now.as_second() })?;
    desk.tally.input("jmb", "incident");
    desk.tally.incident(org);
    let ship_to = addresses::ship_to(desk, org, &row.serial_number)?;
    let id = IncidentId { org: org.clone(), number };
    let mut incident = Incident::new(id, row, device, None);
    incident.ship_to = ship_to;
    Ok(Taken::Incident(Box::new(incident)))
}

/// Makes an incident of what an end customer has reported.
pub(crate) fn report(
    desk: &mut Desk,
    organizations: &Organizations,
    devices: &mut Devices,
    (org, report): (&OrgName, &CaseReport),
) -> Result<Incident, Error> {
    let details = report.details.as_ref();
    let device = match details.filter(|details| !details.serial_number.is_empty()) {
        Some(details) => {
            // What a report does not tell stays as bundles told it.
            let known = devices.find(desk, org, &details.serial_number)?;
            let address = known.as_ref().map(|known| known.management_address.as_str()).filter(|text| !text.is_empty());
            let device = Device { management_address: address.map(Cow::Borrowed), ..device_of(details) };
            devices.note(desk, organizations, org, &device)?
        }
        None => Rc::new(DeviceRow::unknown()),
    };
    let given = |get: fn(&CaseDetails) -> &String| details.map(get).cloned().unwrap_or_default();
    let row = IncidentRow {
        host_event_id: details.map_or_else(|| report.tracking_number.to_string(), |found| found.host_event_id.clone()),
        kind: REPORTED.to_owned(),
        is_off_box: false,
        serial_number: given(|details| &details.serial_number),
        event_type: given(|details| &details.event_type),
        event_type_group: String::new(),
        service_type: String::new(),
        synopsis: report.synopsis.clone(),
        description: given(|details| &details.description),
        priority: report.priority,
        severity: None,
        occurred: desk.now,
        detected: desk.now,
        status: Status::Unassigned,
        owner: String::new(),
        repeats: 0,
        bundle: BundleRef::none(desk.sequence),
    };
    let number = desk.next_incident(org);
    desk.tally.incident(org);
    let ship_to = addresses::ship_to(desk, org, &row.serial_number)?;
    let id = IncidentId { org: org.clone(), number };
    let mut incident = Incident::new(id, row, device, None);
    incident.ship_to = ship_to;
    Ok(incident)
}

/// The device of a report.
fn device_of(details: &CaseDetails) -> Device<'_> {
    Device {
        host_name: Cow::Borrowed(&details.host_name),
        serial_number: Cow::Borrowed(&details.serial_number),
        product: Cow::Borrowed(&details.product),
        platform: Some(details.platform.as_str()).filter(|platform| !platform.is_empty()).map(Cow::Borrowed),
        os_version: Cow::Borrowed(&details.os_version),
        management_address: None,
        part_numbers: Vec::new(),
        routing_engines: Vec::new(),
    }
}

/// What follows from a new incident.
pub(crate) fn detected() -> Vec<Follow> {
    vec![Follow::Trigger(Trigger::IncidentDetected), Follow::Keep]
}

/// A bundle with a problem, and the input that brought it.
pub(crate) struct Found<'a> {
    pub(crate) kind: &'static str,
    pub(crate) problem: &'a Problem<'a>,
    pub(crate) bundle: &'a Bundle<'a>,
    pub(crate) input: &'a Input<'a>,
}

fn row(now: Timestamp, found: &Found<'_>) -> IncidentRow {
    let Found { kind, problem, bundle, input } = found;
    let manifest = &bundle.manifest;
    IncidentRow {
        host_event_id: manifest.host_event_id.to_string(),
        kind: (*kind).to_owned(),
        is_off_box: bundle.is_off_box,
        serial_number: manifest.device.serial_number.to_string(),
        event_type: problem.event_type.to_string(),
        event_type_group: manifest.event_type_group.as_deref().unwrap_or_default().to_owned(),
        service_type: manifest.service_type.as_deref().unwrap_or_default().to_owned(),
        synopsis: problem.synopsis.to_string(),
        description: problem.description.as_deref().unwrap_or_default().to_owned(),
        priority: problem.priority,
        severity: manifest.severity,
        occurred: manifest.time_occurred,
        detected: now,
        status: Status::Unassigned,
        owner: String::new(),
        repeats: 0,
        bundle: bundles::reference(bundle, input),
    }
}

/// Whether the organization's host-event-ID was seen within the retention; if so it is counted on its incident.
fn repeats(
    desk: &mut Desk,
    sightings: &Sightings,
    org: &OrgName,
    print: u64,
    host_event_id: &str,
) -> Result<bool, Error> {
    let Some(sighting) = sightings.get(desk.state(), print)? else { return Ok(false) };
    let retention = i64::try_from(desk.settings.host_event_retention_s).unwrap_or(i64::MAX);
    if sighting.at_s.saturating_add(retention) < desk.now.as_second() {
        return Ok(false);
    }
    let Some(mut row) = read(desk, org, sighting.incident)? else { return Ok(false) };
    if row.host_event_id != host_event_id {
        return Ok(false);
    }
    row.repeats += 1;
    put(desk, org, sighting.incident, &row)?;
    Ok(true)
}

fn read(desk: &Desk, org: &OrgName, number: u64) -> Result<Option<IncidentRow>, Error> {
    let (number, at) = page::place(number);
    let key = page::key(org, number);
    let Some(bytes) = desk.bytes(&key)? else { return Ok(None) };
    page::read(key.as_bytes(), &bytes, at)
}

fn put(desk: &mut Desk, org: &OrgName, number: u64, row: &IncidentRow) -> Result<(), Error> {
    let (page, at) = page::place(number);
    let stored = table::encode_bare(row)?;
    let form = row.form(desk.level, &stored)?;
    desk.update(&page::key(org, page), number, &form, |bytes| page::put(bytes, at, &stored))
}

/// An incident with its device and its case.
pub(crate) fn find(desk: &Desk, devices: &Devices, id: &IncidentId) -> Result<Option<Incident>, Error> {
    let Some(row) = read(desk, &id.org, id.number)? else { return Ok(None) };
    // What an end customer reports may name no device.
    let device = match row.serial_number.as_str() {
        "" => Some(Rc::new(DeviceRow::unknown())),
        serial_number => devices.find(desk, &id.org, serial_number)?,
    };
    let Some(device) = device else { return Ok(None) };
    let case = cases::find(desk, id)?;
    let chain = if case.is_some() { desk.read(&chain::key(&id.org, id.number))? } else { None };
    let mut incident = Incident::new(id.clone(), row, device, case);
    incident.chain = chain;
    let named = incident.case.as_ref().map(|case| case.further.address.as_str()).unwrap_or_default();
    incident.ship_to = addresses::of_case(desk, &id.org, named, &incident.row.serial_number)?;
    let is_taken = incident.case.as_ref().is_some_and(|case| !case.transaction_id.is_empty());
    incident.is_elsewhere = is_taken && cases::taken::is_elsewhere(desk, id)?;
    history::begin(desk, &mut incident);
    Ok(Some(incident))
}

/// Writes an incident and its case.
pub(crate) fn keep(desk: &mut Desk, incident: &mut Incident) -> Result<(), Error> {
    put(desk, &incident.id.org, incident.id.number, &incident.row)?;
    let Some(case) = &incident.case else { return Ok(()) };
    cases::keep(desk, &incident.id, case)?;
    match &mut incident.chain {
        Some(chain) => chain.keep(desk, &incident.id, case),
        None => Ok(()),
    }
}

/// Says a trigger on an incident or its case.
pub(crate) fn tell(
    desk: &mut Desk,
    organizations: &Organizations,
    trigger: Trigger,
    incident: &mut Incident,
) -> Result<Fired, Error> {
    let org = incident.id.org.clone();
    let topic = Topic::Trigger(org.clone(), trigger);
    incident.kind = SubjectKind::of(trigger);
    incident.changed = None;
    desk.tally.trigger(trigger.as_str());
    let case = incident.case_data().filter(|_| incident.kind == SubjectKind::Update);
    let event = match case {
        Some(_) if trigger == Trigger::CaseWithheld => {
            let filter_level = organizations.filter_level(&org);
            let policy = incident.case.as_ref().and_then(|case| case.policy.as_ref());
            let data = WithheldData { incident: incident.data(), filter_level, policy };
            desk.say(&topic, &org, Some(&incident.name), data)?
        }
        Some(data) => desk.say(&topic, &org, Some(&incident.name), data)?,
        None => desk.say(&topic, &org, Some(&incident.name), incident.data())?,
    };
    Ok(Fired { trigger, event, about: incident.name.clone(), is_providers: false })
}

/// Makes an incident somebody's, or nobody's, as a policy wants it.
pub(crate) fn assign_to(row: &mut IncidentRow, owner: String) {
    row.owner = owner;
    row.status = owned(row);
}

/// Makes an incident somebody's, or why it cannot be.
pub(crate) fn assign(row: &mut IncidentRow, assignment: &Assignment) -> Result<&'static str, String> {
    if assignment.owner.is_empty() && assignment.in_progress {
        return Err("an incident in progress has an owner".to_owned());
    }
    assign_to(row, assignment.owner.clone());
    if assignment.in_progress {
        row.status = Status::InProgress;
    }
    Ok("assigned")
}

/// Completes an incident, as a policy wants it, with what that says of it where one more note has room.
pub(crate) fn close_by(desk: &mut Desk, incident: &mut Incident, actor: &str, note: &str) -> Result<(), Error> {
    if incident.row.status == Status::Completed || !desk.is_at(CLOSED_BY_POLICIES) {
        return Ok(());
    }
    let _full = notes::add(desk, incident, actor, note)?;
    incident.row.status = Status::Completed;
    Ok(())
}

/// The status of an incident nobody has begun to work on.
pub(crate) fn owned(row: &IncidentRow) -> Status {
    if row.owner.is_empty() { Status::Unassigned } else { Status::Assigned }
}
