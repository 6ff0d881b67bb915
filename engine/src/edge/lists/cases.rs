//! `/api/v1/cases`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_schemas::{IncidentId, OrgName, PolicyName, Priority};
use serde::Serialize;
use utoipa::ToSchema;

use super::chained::{CaseNote, Chained};
use super::uploaded::Uploaded;
use super::walk::{OrgRows, answer};
use super::{Error, Stored, given, number, page, seen};
use crate::edge::failing::FailingTold;
use crate::edge::filters::tables::Cases;
use crate::edge::filters::{is, lies, passes};
use crate::edge::paging::{Page, Paging, Value};
use crate::edge::paths::IncidentPath;
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;
use crate::failing::Failing;
use crate::store::Lane;
use linesman_domain::cases::{self, CaseRow, chain};
use linesman_domain::incidents::page as incident_page;
use linesman_domain::organizations;
use linesman_domain::reactions;
use linesman_domain::sight::Sight;
use linesman_domain::table::Table;

/// An incident's case at the upstream.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Case {
    /// The incident it was opened for, which is also its own key.
    #[schema(value_type = String, example = "acme-17")]
    incident: IncidentId,
    /// Whose it is.
    #[schema(value_type = String)]
    organization: OrgName,
    /// Where it stands.
    state: words::CaseState,
    /// The policy that wanted it; none where somebody did.
    #[schema(value_type = Option<String>)]
    policy: Option<PolicyName>,
    /// The reaction that opens it; none for a draft.
    reaction: Option<String>,
    /// One line on the problem, as it was decided.
    synopsis: String,
    /// What the customer adds.
    comments: String,
    /// How urgent; none: as the incident.
    #[schema(schema_with = words::priority_or_none)]
    priority: Option<Priority>,
    /// Who else hears of it.
    cc: Vec<String>,
    /// Whether the attachments and logs of its incident's bundle go along.
    attachments: bool,
    /// Whether what that bundle's manifest says of core files does.
    core_files: bool,
    /// What the customer's own system calls it.
    reference: Option<String>,
    /// The address group whose address it carries; none: where spare parts of its device go.
    address: Option<String>,
    /// The upstream's word before that.
    previous_status: Option<String>,
    /// The upstream's link to it.
    link: Option<String>,
    #[serde(flatten)]
    chained: Chained,
    /// When it was decided.
    opened: Timestamp,
    /// When the upstream changed it last.
    updated: Option<Timestamp>,
}

/// A case with what was said of it.
#[derive(Debug, Serialize, ToSchema)]
struct CaseWithNotes {
    #[serde(flatten)]
    case: Case,
    /// What was said of it, oldest first.
    notes: Vec<CaseNote>,
    /// The bytes that go upward with it, in the order they came.
    uploads: Vec<Uploaded>,
    /// Why it is still on its way: how tries at it have failed, or else how whom it goes to fails others. Null where neither
    /// does, or it is not on its way.
    failing: Option<FailingTold>,
}

/// Cases, page by page.
#[utoipa::path(
    get, path = "/api/v1/cases", tag = "cases", params(Cases),
    responses((status = 200, description = "A page.", body = Page<Case>))
)]
pub(in crate::edge) async fn cases(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(mut list): Params<Cases>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, viewer, move |walk| page(walk, &list, &paging)).await
}

/// The case of one incident.
#[utoipa::path(
    get, path = "/api/v1/cases/{id}", tag = "cases", params(IncidentPath),
    responses((status = 200, description = "The case.", body = CaseWithNotes))
)]
pub(in crate::edge) async fn case(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(IncidentPath { id }): PathOf<IncidentPath>,
) -> Result<Response, Problem> {
    let failing = Arc::clone(&sources.failing);
    answer(&sources, viewer, move |walk| {
        let nothing = || format!("there is no case of an incident `{id}`");
        let incident = seen::incident(walk, &id)?;
        let row = walk.one(&id.org, &cases::key(&id.org, id.number), nothing);
        // A case without its incident is nobody's but whoever's who sees all.
        if incident.is_none() && !walk.sees_whole(Some(&id.org)) {
            return Err(Error::Nothing(nothing()));
        }
        let chain = walk.some(&id.org, &chain::key(&id.org, id.number))?;
        let org = walk.some(&id.org, &organizations::key(&id.org))?;
        let alias = org.map(|org| org.alias).unwrap_or_default();
        let row = row?;
        let chained = Chained::new(&row, chain.as_ref(), &alias);
        let uploads = walk.lane(&id.org).map(|lane| Uploaded::all(lane, &id)).transpose()?.unwrap_or_default();
        let failing = walk.lane(&id.org).map(|lane| of_case(lane, &failing, &row.reaction)).transpose()?.flatten();
        let case = Case::new(id.clone(), row, chained);
        Ok(CaseWithNotes { case, notes: CaseNote::all(chain), uploads, failing })
    })
    .await
}

/// How what opens a case fails, as long as that is to be done.
fn of_case(lane: &Lane, failing: &Failing, reaction: &str) -> Result<Option<FailingTold>, Error> {
    let pending = Table::read(lane, &reactions::key(reaction))?;
    Ok(pending.and_then(|row| match failing.of_reaction(reaction) {
        Some(failed) => Some(FailingTold::of(failed)),
        None => failing.of(&row.destination).map(FailingTold::of_others),
    }))
}

impl Stored for Cases {
    type Row = CaseRow;
    type Item = Case;

    fn prefix(organization: &str, own: &[u8]) -> Vec<u8> {
        cases::within(organization, own)
    }

    fn organization(&self) -> Option<&OrgName> {
        self.organization.as_ref()
    }

    fn is_seen(rows: &OrgRows<'_>, sight: &Sight, org: &OrgName, key: &[u8], _: &mut CaseRow) -> Result<bool, Error> {
        let incident = incident_page::find(rows.lane, &IncidentId { org: org.clone(), number: number(key) })?;
        incident.map_or(Ok(false), |incident| seen::is_device(rows, sight, org, &incident.serial_number))
    }

    fn value(by: &str, row: &CaseRow) -> Value {
        Value::Time(if by == "opened" { row.opened } else { row.updated })
    }

    fn item(
        &self,
        rows: &OrgRows<'_>,
        org: &OrgName,
        key: &[u8],
        row: CaseRow,
    ) -> Result<Option<(Case, usize)>, Error> {
        let is_wanted = is(self.state, row.state.into())
            && passes(self.case_id.as_ref(), &row.case_id)
            && passes(self.status.as_ref(), &row.status)
            && lies(row.opened, self.opened_after.as_ref(), self.opened_before.as_ref());
        let id = IncidentId { org: org.clone(), number: number(key) };
        if !is_wanted {
            return Ok(None);
        }
        let chained = Chained::of_incident(rows, &id, Some(&row))?;
        Ok(Some((Case::new(id, row, chained), 0)))
    }
}

impl Case {
    fn new(incident: IncidentId, row: CaseRow, chained: Chained) -> Self {
        Self {
            organization: incident.org.clone(),
            incident,
            state: row.state.into(),
            policy: row.policy,
            reaction: given(row.reaction),
            synopsis: row.request.synopsis,
            comments: row.request.comments,
            priority: row.request.priority,
            cc: row.request.cc,
            attachments: !row.stays.attachments,
            core_files: !row.stays.core_files,
            reference: given(row.further.reference),
            address: given(row.further.address),
            previous_status: given(row.previous_status),
            link: given(row.link),
            chained,
            opened: row.opened,
            updated: Some(row.updated).filter(|updated| *updated > Timestamp::UNIX_EPOCH),
        }
    }
}
