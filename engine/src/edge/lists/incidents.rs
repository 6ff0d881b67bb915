//! `/api/v1/incidents`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_schemas::{IncidentId, OrgName, Priority};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::best::Value;
use super::query::{Glob, Paging, When, is, lies, passes, query, when};
use super::walk::{Place, answer};
use super::{Bundle, Error, Found, Page, Stored, given, number, page, words};
use crate::edge::params::{Params, PathOf};
use crate::edge::problem::Problem;
use crate::edge::routes::Sources;
use crate::store::Lane;
use linesman_domain::incidents::{PER_PAGE, page as rows_of_page};
use linesman_domain::rows::{self, CaseRow, DeviceRow, IncidentRow, NotesRow, key};
use linesman_domain::state::Base as _;

query! {
    /// Which incidents.
    Incidents sorted by ["id", "detected", "occurred"], {
        /// Of one organization.
        #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
        organization: OrgName,
        /// Who works on it.
        #[param(inline)]
        status: words::Status,
        /// Whose it is.
        #[param(value_type = Option<String>)]
        owner: Glob,
        /// How urgent.
        #[param(schema_with = words::priority, required = false)]
        priority: Priority,
        /// What kind, such as `event`.
        #[param(value_type = Option<String>)]
        kind: Glob,
        /// The event type.
        #[param(value_type = Option<String>)]
        event_type: Glob,
        /// The device's host name.
        #[param(value_type = Option<String>)]
        host_name: Glob,
        /// The device's serial number.
        #[param(value_type = Option<String>)]
        serial_number: Glob,
        /// The device's model.
        #[param(value_type = Option<String>)]
        product: Glob,
        /// Where its case stands.
        #[param(inline)]
        case_state: words::CaseState,
        /// Detected then or later.
        #[param(schema_with = when, required = false)]
        detected_after: When,
        /// Detected earlier.
        #[param(schema_with = when, required = false)]
        detected_before: When,
    }
}

/// An incident's id in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::edge) struct IncidentPath {
    /// `<organization>-<number>`
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}-[1-9][0-9]{0,17}$", example = "acme-17")]
    pub(super) id: IncidentId,
}

/// An incident. Field names are those of the triggers where both have them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Incident {
    /// `<organization>-<number>`
    #[schema(value_type = String, example = "acme-17")]
    id: IncidentId,
    /// Whose devices detected it.
    #[schema(value_type = String)]
    organization: OrgName,
    /// The device's own id of the event.
    host_event_id: String,
    /// `event`, `on-demand`, `event-rma`, `on-demand-rma`, `health-check`.
    kind: String,
    /// The device, as its latest bundle described it.
    device: IncidentDevice,
    /// The event type.
    event_type: String,
    /// How urgent.
    #[schema(schema_with = words::priority)]
    priority: Priority,
    /// Syslog severity.
    severity: Option<u8>,
    /// One line on the problem.
    synopsis: String,
    /// The problem at length.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
    /// Who works on it.
    status: words::Status,
    /// None: nobody's.
    owner: Option<String>,
    /// How often the same host-event-ID came again.
    repeats: u64,
    /// When the device saw it.
    occurred: Timestamp,
    /// When the bundle entered the log.
    detected: Timestamp,
    /// Its case at the upstream.
    case: Option<IncidentCase>,
    /// The bundle.
    bundle: Bundle,
}

/// The device of an incident; texts no bundle gave are empty.
#[derive(Debug, Serialize, ToSchema)]
struct IncidentDevice {
    host_name: String,
    serial_number: String,
    product: String,
    platform: String,
    os_version: String,
}

/// The case of an incident.
#[derive(Debug, Serialize, ToSchema)]
struct IncidentCase {
    /// Where it stands.
    state: words::CaseState,
    /// Its id at the upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    case_id: Option<String>,
    /// The upstream's word for its status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    case_status: Option<String>,
    /// Where people see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    link: Option<String>,
    /// The upstream's receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    transaction_id: Option<String>,
}

/// An incident with what people have said of it.
#[derive(Debug, Serialize, ToSchema)]
struct IncidentWithNotes {
    #[serde(flatten)]
    incident: Incident,
    /// What people have said of it, oldest first.
    notes: Vec<Note>,
}

/// What somebody has said of an incident.
#[derive(Debug, Serialize, ToSchema)]
struct Note {
    /// When.
    at: Timestamp,
    /// Who.
    actor: String,
    /// What.
    text: String,
}

/// Incidents, page by page.
#[utoipa::path(
    get, path = "/api/v1/incidents", tag = "incidents", params(Incidents),
    responses(
        (status = 200, description = "A page; `total` is there when nothing but an organization, or nothing, is asked for.", body = Page<Incident>),
    )
)]
pub(in crate::edge) async fn incidents(
    State(sources): State<Arc<Sources>>,
    Params(mut list): Params<Incidents>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, move |walk| {
        let mut page = page(walk, &list, &paging)?;
        if list.is_unfiltered() {
            let places = walk.places(list.organization())?;
            page.total = Some(places.values().map(|place| place.row.incidents).sum());
        }
        Ok(page)
    })
    .await
}

/// One incident, with what people have said of it.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}", tag = "incidents", params(IncidentPath),
    responses(
        (status = 200, description = "The incident.", body = IncidentWithNotes),
    )
)]
pub(in crate::edge) async fn incident(
    State(sources): State<Arc<Sources>>,
    PathOf(IncidentPath { id }): PathOf<IncidentPath>,
) -> Result<Response, Problem> {
    answer(&sources, move |walk| {
        let lane = walk.lane(&id.org)?;
        let row = find(lane, &id)?.ok_or_else(|| Error::Nothing(format!("there is no incident `{id}`")))?;
        let device = rows::read(lane, &key::device(&id.org, &row.serial_number))?;
        let case = rows::read(lane, &key::case(&id.org, id.number))?;
        let notes: NotesRow = rows::read(lane, &key::notes(&id.org, id.number))?.unwrap_or_default();
        let notes = notes.notes.into_iter().map(|note| Note { at: note.at, actor: note.actor, text: note.text });
        Ok(IncidentWithNotes { incident: Incident::new(id, row, device, case), notes: notes.collect() })
    })
    .await
}

/// An incident's row.
pub(super) fn find(lane: &Lane, id: &IncidentId) -> Result<Option<IncidentRow>, Error> {
    let index = id.number.saturating_sub(1);
    let page = index / PER_PAGE;
    let own = page.to_be_bytes();
    let key = key::incidents(&id.org, page).into_bytes();
    let bytes = lane.get(&key)?;
    let found = bytes.map(|bytes| Incidents::read(&key, &own, &bytes)).unwrap_or_default();
    let at = usize::try_from(index % PER_PAGE).unwrap_or(usize::MAX);
    found.into_iter().nth(at).map(|found| found.map(|(_, row, _)| row)).transpose()
}

impl Incidents {
    fn is_unfiltered(&self) -> bool {
        let Self { status, owner, priority, kind, event_type, host_name, serial_number, product, .. } = self;
        let texts = [owner, kind, event_type, host_name, serial_number, product];
        status.is_none()
            && priority.is_none()
            && self.case_state.is_none()
            && self.detected_after.is_none()
            && self.detected_before.is_none()
            && texts.iter().all(|text| text.is_none())
    }
}

impl Stored for Incidents {
    type Row = IncidentRow;
    type Item = Incident;
    const TABLE: u8 = b'i';
    /// Numbers are given in order of detection.
    const IN_ORDER_BY: Option<&'static str> = Some("detected");

    fn organization(&self) -> Option<&OrgName> {
        self.organization.as_ref()
    }

    fn value(by: &str, row: &IncidentRow) -> Value {
        Value::Time(if by == "occurred" { row.occurred } else { row.detected })
    }

    fn item(
        &self,
        place: &Place<'_>,
        org: &OrgName,
        key: &[u8],
        row: IncidentRow,
    ) -> Result<Option<(Incident, usize)>, Error> {
        if !(is(self.status, row.status.into())
            && passes(self.owner.as_ref(), &row.owner)
            && is(self.priority, row.priority)
            && passes(self.kind.as_ref(), &row.kind)
            && passes(self.event_type.as_ref(), &row.event_type)
            && passes(self.serial_number.as_ref(), &row.serial_number)
            && lies(row.detected, self.detected_after.as_ref(), self.detected_before.as_ref()))
        {
            return Ok(None);
        }
        let id = IncidentId { org: org.clone(), number: number(key) };
        let device = rows::read(place.lane, &key::device(org, &row.serial_number))?;
        let case: Option<CaseRow> = rows::read(place.lane, &key::case(org, id.number))?;
        let state = case.as_ref().map(|case| case.state.into());
        let incident = Incident::new(id, row, device, case);
        let device = &incident.device;
        let is_wanted = (self.case_state.is_none() || self.case_state == state)
            && passes(self.host_name.as_ref(), &device.host_name)
            && passes(self.product.as_ref(), &device.product);
        let more = device.host_name.len() + device.product.len() + device.platform.len() + device.os_version.len();
        Ok(is_wanted.then_some((incident, more)))
    }

    fn read(key: &[u8], own: &[u8], bytes: &[u8]) -> Vec<Found<IncidentRow>> {
        let numbers = number(own).saturating_mul(PER_PAGE).saturating_add(1)..;
        let rows = numbers.zip(rows_of_page(bytes));
        rows.map(|(number, row)| Ok((number.to_be_bytes().to_vec(), rows::decode(key, row)?, row.len()))).collect()
    }

    fn beside(key: &[u8], is_descending: bool) -> Option<Vec<u8>> {
        let page = number(key).saturating_sub(1) / PER_PAGE;
        let beside = if is_descending { page.checked_add(1) } else { page.checked_sub(1) };
        beside.map(|page| page.to_be_bytes().to_vec())
    }
}

impl Incident {
    fn new(id: IncidentId, row: IncidentRow, device: Option<DeviceRow>, case: Option<CaseRow>) -> Self {
        let (host_name, product, platform, os_version) = device
            .map(|device| (device.host_name, device.product, device.platform, device.os_version))
            .unwrap_or_default();
        Self {
            organization: id.org.clone(),
            id,
            host_event_id: row.host_event_id,
            kind: row.kind,
            device: IncidentDevice { host_name, serial_number: row.serial_number, product, platform, os_version },
            event_type: row.event_type,
            priority: row.priority,
            severity: row.severity,
            synopsis: row.synopsis,
            description: given(row.description),
            status: row.status.into(),
            owner: given(row.owner),
            repeats: row.repeats,
            occurred: row.occurred,
            detected: row.detected,
            case: case.map(IncidentCase::new),
            bundle: row.bundle.into(),
        }
    }
}

impl IncidentCase {
    fn new(row: CaseRow) -> Self {
        Self {
            state: row.state.into(),
            case_id: given(row.case_id),
            case_status: given(row.status),
            link: given(row.link),
            transaction_id: given(row.transaction_id),
        }
    }
}
