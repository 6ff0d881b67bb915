//! `/api/v1/incidents`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_schemas::{IncidentId, OrgName, Priority};
use serde::Serialize;
use utoipa::ToSchema;

use super::chained::Chained;
use super::named::NamedFile;
use super::walk::{OrgRows, Walk, answer};
use super::{Bundle, Error, Found, Stored, given, number, page, seen};
use crate::edge::filters::tables::Incidents;
use crate::edge::filters::{is, lies, passes};
use crate::edge::paging::{Page, Paging, Value};
use crate::edge::paths::IncidentPath;
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;
use crate::store::Lane;
use linesman_domain::bundles::BundleRef;
use linesman_domain::cases::{self, CaseRow};
use linesman_domain::devices::{self, DeviceRow};
use linesman_domain::incidents::IncidentRow;
use linesman_domain::incidents::history::{self, ChangeRow, HistoryRow, LineRow};
use linesman_domain::incidents::notes::{self, NotesRow};
use linesman_domain::incidents::page::{self as pages, PER_PAGE};
use linesman_domain::sight::Sight;
use linesman_domain::state::Base as _;
use linesman_domain::table::Table;

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
    /// `event`, `on-demand`, `event-rma`, `on-demand-rma`, `health-check`; `reported` by an end customer.
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
    /// Its case.
    case: Option<IncidentCase>,
    #[serde(flatten)]
    chained: Chained,
    /// The bundle; none of what an end customer has reported.
    bundle: Option<Bundle>,
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
    /// What was changed of it and its case, oldest first: the last 100 lines.
    history: Vec<HistoryLine>,
    /// How many lines there were before those.
    history_left_out: u64,
    /// Attachments and logs that its bundle only names, and that are fetched from the device.
    files: Vec<NamedFile>,
}

/// What was changed of an incident, or what a policy asked for beside others.
#[derive(Debug, Serialize, ToSchema)]
struct HistoryLine {
    /// When.
    at: Timestamp,
    /// By whom or what: somebody's login, `policy <name>`, `the upstream`, or `the engine` where a setting comes to it.
    actor: String,
    /// The trigger that a policy reacted to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    on: Option<String>,
    /// Id of the event `incident.changed` that told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    event: Option<String>,
    /// What was changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<HistoryChange>,
    /// What the case has of what a policy asked for beside others, by the keys of `submit_case`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    used: Vec<String>,
    /// What it has not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unused: Vec<String>,
}

/// One thing that was changed.
#[derive(Debug, Serialize, ToSchema)]
struct HistoryChange {
    /// What: `priority`, `status`, `owner`; of the case `case` (where it stands), `handling`, `case_id`, `case_status`,
    /// `case_link`, and `case_text` where it is said otherwise; `damaged` of an attachment or a log of its bundle, with its name.
    what: String,
    /// How it was; none: nothing, or a text of a case, which is not repeated.
    old: Option<String>,
    /// How it is since.
    new: Option<String>,
}

impl HistoryLine {
    fn new(row: LineRow) -> Self {
        let change =
            |change: ChangeRow| HistoryChange { what: change.what, old: given(change.old), new: given(change.new) };
        Self {
            at: row.at,
            actor: row.actor,
            on: given(row.on),
            event: given(row.event),
            changes: row.changes.into_iter().map(change).collect(),
            used: row.used,
            unused: row.unused,
        }
    }
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
        (status = 200, description = "A page; `total` is there when nothing but an organization, or nothing, is asked for. Of organizations of which not all is seen it counts what is; not where one of them has more than 20,000 incidents.", body = Page<Incident>),
    )
)]
pub(in crate::edge) async fn incidents(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(mut list): Params<Incidents>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, viewer, move |walk| {
        let mut page = page(walk, &list, &paging)?;
        if is_unfiltered(&list) {
            page.total = seen::total(walk, list.organization())?;
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
    viewer: Viewer,
    PathOf(IncidentPath { id }): PathOf<IncidentPath>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| {
        let nothing = || Error::Nothing(format!("there is no incident `{id}`"));
        let (row, device) = seen::incident(walk, &id)?.ok_or_else(nothing)?;
        let case = walk.some(&id.org, &cases::key(&id.org, id.number))?;
        let notes: NotesRow = walk.some(&id.org, &notes::key(&id.org, id.number))?.unwrap_or_default();
        let notes = notes.notes.into_iter().map(|note| Note { at: note.at, actor: note.actor, text: note.text });
        let history: HistoryRow = walk.some(&id.org, &history::key(&id.org, id.number))?.unwrap_or_default();
        let rows = walk.organizations(Some(&id.org))?;
        let rows = rows.get(&id.org).ok_or_else(nothing)?;
        let chained = Chained::of_incident(rows, &id, case.as_ref())?;
        let files = NamedFile::all(rows.lane, &id)?;
        Ok(IncidentWithNotes {
            incident: Incident::new(walk.viewer(), id, row, device, (case, chained)),
            notes: notes.collect(),
            history: history.lines.into_iter().map(HistoryLine::new).collect(),
            history_left_out: history.left_out,
            files,
        })
    })
    .await
}

/// Whether nothing is asked for but an organization.
fn is_unfiltered(list: &Incidents) -> bool {
    let Incidents { status, owner, priority, kind, event_type, host_name, serial_number, product, .. } = list;
    let texts = [owner, kind, event_type, host_name, serial_number, product];
    status.is_none()
        && priority.is_none()
        && list.case_state.is_none()
        && list.detected_after.is_none()
        && list.detected_before.is_none()
        && texts.iter().all(|text| text.is_none())
}

impl Stored for Incidents {
    type Row = IncidentRow;
    type Item = Incident;
    /// Numbers are given in order of detection.
    const IN_ORDER_BY: Option<&'static str> = Some("detected");

    fn prefix(organization: &str, own: &[u8]) -> Vec<u8> {
        pages::within(organization, own)
    }

    fn organization(&self) -> Option<&OrgName> {
        self.organization.as_ref()
    }

    fn value(by: &str, row: &IncidentRow) -> Value {
        Value::Time(if by == "occurred" { row.occurred } else { row.detected })
    }

    fn item(
        &self,
        rows: &OrgRows<'_>,
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
        let device = Table::read(rows.lane, &devices::key(org, &row.serial_number))?;
        let case: Option<CaseRow> = Table::read(rows.lane, &cases::key(org, id.number))?;
        let state = case.as_ref().map(|case| case.state.into());
        let chained = Chained::of_incident(rows, &id, case.as_ref())?;
        let incident = Incident::new(rows.viewer, id, row, device, (case, chained));
        let device = &incident.device;
        let is_wanted = (self.case_state.is_none() || self.case_state == state)
            && passes(self.host_name.as_ref(), &device.host_name)
            && passes(self.product.as_ref(), &device.product);
        let more = device.host_name.len() + device.product.len() + device.platform.len() + device.os_version.len();
        Ok(is_wanted.then_some((incident, more)))
    }

    fn is_seen(
        rows: &OrgRows<'_>,
        sight: &Sight,
        org: &OrgName,
        _key: &[u8],
        row: &mut IncidentRow,
    ) -> Result<bool, Error> {
        seen::is_device(rows, sight, org, &row.serial_number)
    }

    fn read(key: &[u8], own: &[u8], bytes: &[u8]) -> Vec<Found<IncidentRow>> {
        let numbers = number(own).saturating_mul(PER_PAGE).saturating_add(1)..;
        let rows = numbers.zip(pages::rows(key, bytes));
        // Each for its share of the page.
        let share = bytes.len() / pages::count(bytes).max(1);
        rows.map(|(number, row)| Ok((number.to_be_bytes().to_vec(), row?, share))).collect()
    }

    fn beside(key: &[u8], is_descending: bool) -> Option<Vec<u8>> {
        let page = number(key).saturating_sub(1) / PER_PAGE;
        let beside = if is_descending { page.checked_add(1) } else { page.checked_sub(1) };
        beside.map(|page| page.to_be_bytes().to_vec())
    }

    fn behind(
        walk: &Walk,
        rows: &OrgRows<'_>,
        org: &OrgName,
        last: &Value,
        is_back: bool,
    ) -> Result<Option<Vec<u8>>, Error> {
        let Value::Time(last) = last else { return Ok(None) };
        // How many pages, from the first on, begin in front of the moment; going back also at it.
        let (mut fewest, mut most) = (0, rows.row.incidents.div_ceil(PER_PAGE));
        while fewest < most {
            walk.step()?;
            let page = fewest + (most - fewest) / 2;
            let begins = begins(rows.lane, org, page)?;
            if begins.is_some_and(|begins| if is_back { begins <= *last } else { begins < *last }) {
                fewest = page + 1;
            } else {
                most = page;
            }
        }
        // The last of them may go on behind it.
        let beside = if is_back { Some(fewest) } else { fewest.checked_sub(2) };
        Ok(beside.map(|page| page.to_be_bytes().to_vec()))
    }
}

/// When the first incident of a page was detected.
fn begins(lane: &Lane, org: &OrgName, page: u64) -> Result<Option<Timestamp>, Error> {
    let key = pages::key(org, page).into_bytes();
    let Some(bytes) = lane.get(&key)? else { return Ok(None) };
    let first = pages::rows(&key, &bytes).next().transpose()?;
    Ok(first.map(|row| row.detected))
}

impl Incident {
    fn new(
        viewer: &Viewer,
        id: IncidentId,
        row: IncidentRow,
        device: Option<DeviceRow>,
        (case, chained): (Option<CaseRow>, Chained),
    ) -> Self {
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
            chained,
            bundle: Some(row.bundle).filter(BundleRef::is_there).map(|bundle| Bundle::new(viewer, bundle)),
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
