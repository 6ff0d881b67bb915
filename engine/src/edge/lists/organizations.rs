//! `/api/v1/organizations`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use linesman_schemas::command::{Handling, SubmitCaseAs};
use linesman_schemas::{ApprovalRules, FilterLevel, OrgName, Quotas};
use serde::Serialize;
use utoipa::ToSchema;

use super::walk::{OrgRows, Walk, answer, unknown};
use super::{Error, seen};
use crate::edge::filters::tables::Organizations;
use crate::edge::filters::{is, passes};
use crate::edge::paging::{Offered, Page, Pager, Paging, Rank, Value};
use crate::edge::paths::OrganizationPath;
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;
use linesman_domain::organizations::{GroupRow, OrgRow};
use linesman_domain::quotas::{self, QuotaRow};
use linesman_domain::remembered;
use linesman_domain::table::Table;

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
struct Organization {
    /// Its name, a token of its subjects.
    #[schema(value_type = String)]
    name: OrgName,
    /// The name people see.
    display_name: String,
    /// Whether it stands for an end customer of the partner.
    proxy: bool,
    /// What may leave of its bundles.
    #[schema(schema_with = words::filter_level)]
    filter_level: FilterLevel,
    /// Whether it takes part.
    standing: words::OrganizationStanding,
    /// Those of its device groups that are seen; a device belongs to the first whose pattern its host name matches.
    device_groups: Vec<DeviceGroup>,
    /// By what those above know it; empty: its name.
    alias: String,
    /// Who solves what it reports, where nobody says otherwise.
    #[schema(schema_with = words::handling)]
    handling: Handling,
    /// Whether its cases are real.
    #[schema(schema_with = words::submit_case_as)]
    submit_case_as: SubmitCaseAs,
    /// Where spare parts go for it; empty: where the upstream knows.
    address: String,
    /// Whether the bundles of its cases, and what else belongs to them, go to the upstream too.
    upload: bool,
    /// How often the newest information bundle of each of its devices goes there, in seconds; 0 for never.
    snapshot_interval_s: u64,
    /// What needs approval here, beside what needs it everywhere.
    #[schema(schema_with = words::approval_rules)]
    approvals: ApprovalRules,
    /// Its quotas, as it was given them.
    #[schema(schema_with = words::quotas)]
    quotas: Quotas,
    /// What its publishers have sent on the last day on which that was counted; not of one of which not all is seen, and not
    /// where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sent: Option<Sent>,
    /// How many host-event-IDs of its problems count towards its quota of those that are remembered, as of the last that came; not
    /// of one of which not all is seen, and not where none was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    remembered_ids: Option<u64>,
    /// Whether the configuration file names it.
    configured: bool,
    /// How many incidents it has had; of one of which not all is seen those that are, and not where they would have to be
    /// looked for among more than 20,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    incidents: Option<u64>,
    /// How many events it has emitted; not of one of which not all is seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    events: Option<u64>,
    /// How many reactions were decided for it; not of one of which not all is seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reactions: Option<u64>,
}

/// What an organization's publishers have sent on a day.
#[derive(Debug, Serialize, ToSchema)]
struct Sent {
    /// The day by UTC: `YYYY-MM-DD`.
    day: String,
    /// How many messages were decided.
    messages: u64,
    /// How many bytes they had.
    bytes: u64,
    /// How many messages came beyond a quota and were left undecided.
    left_messages: u64,
    /// How many bytes they had.
    left_bytes: u64,
}

impl From<QuotaRow> for Sent {
    fn from(row: QuotaRow) -> Self {
        let (left_messages, left_bytes) = row.left.as_ref().map_or((0, 0), |left| (left.messages, left.bytes));
        Self { day: quotas::text_of(row.day), messages: row.messages, bytes: row.bytes, left_messages, left_bytes }
    }
}

/// A group of devices.
#[derive(Debug, Serialize, ToSchema)]
struct DeviceGroup {
    /// Its name.
    name: String,
    /// Host names, `*` standing for any text.
    devices: Vec<String>,
}

/// Organizations, page by page.
#[utoipa::path(
    get, path = "/api/v1/organizations", tag = "organizations", params(Organizations),
    responses((status = 200, description = "A page.", body = Page<Organization>))
)]
pub(in crate::edge) async fn organizations(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(mut list): Params<Organizations>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, viewer, move |walk| page(&list, walk, &paging)).await
}

/// One organization.
#[utoipa::path(
    get, path = "/api/v1/organizations/{name}", tag = "organizations", params(OrganizationPath),
    responses((status = 200, description = "The organization.", body = Organization))
)]
pub(in crate::edge) async fn organization(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(OrganizationPath { name }): PathOf<OrganizationPath>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| {
        let mut rows = walk.organizations(Some(&name))?;
        let rows = rows.remove(&name).ok_or_else(|| unknown(&name))?;
        let incidents = seen::incidents(walk, &rows, &name)?;
        let (sent, remembered_ids) = (sent(&rows, &name)?, remembered_ids(&rows, &name)?);
        let ids = remembered::given(rows.lane, &name)?;
        Ok(Organization { sent, remembered_ids, ..Organization::new(walk, name, (rows.row, ids), incidents) })
    })
    .await
}

/// What an organization that is seen as a whole has sent.
fn sent(rows: &OrgRows<'_>, org: &OrgName) -> Result<Option<Sent>, Error> {
    if rows.sight.is_some() {
        return Ok(None);
    }
    Ok(Table::read(rows.lane, &quotas::key(org))?.map(Sent::from))
}

/// How many ids of an organization that is seen as a whole are remembered and count.
fn remembered_ids(rows: &OrgRows<'_>, org: &OrgName) -> Result<Option<u64>, Error> {
    if rows.sight.is_some() {
        return Ok(None);
    }
    Ok(remembered::counted(rows.lane, org)?)
}

/// A page of those that are seen.
fn page(list: &Organizations, walk: &Walk, paging: &Paging) -> Result<Page<Organization>, Error> {
    let mut pager = Pager::new(paging, Offered::AnyHow);
    for (name, rows) in walk.organizations(None)? {
        walk.step()?;
        let rank = Rank { value: Value::Key, organization: name.as_str().to_owned(), key: Vec::new() };
        // All are offered: there is nothing to be spared where all were read.
        let _ = pager.offer(rank, |_| {
            let row = &rows.row;
            let is_wanted = passes(list.name.as_ref(), name.as_str())
                && is(list.standing, row.standing.into())
                && is(list.proxy, words::Flag::of(row.is_proxy));
            let groups = row.device_groups.iter().flat_map(|group| &group.devices).map(String::len);
            let bytes = row.display_name.len() + groups.sum::<usize>();
            if !is_wanted {
                return Ok(None);
            }
            let (incidents, sent) = (seen::incidents(walk, &rows, &name)?, sent(&rows, &name)?);
            let (ids, remembered_ids) = (remembered::given(rows.lane, &name)?, remembered_ids(&rows, &name)?);
            let organization = Organization::new(walk, name, (rows.row, ids), incidents);
            let organization = Organization { sent, remembered_ids, ..organization };
            Ok::<_, Error>(Some((organization, bytes)))
        })?;
    }
    Ok(pager.page())
}

impl Organization {
    fn new(walk: &Walk, name: OrgName, (row, ids): (OrgRow, Option<u64>), incidents: Option<u64>) -> Self {
        let is_whole = walk.sees_whole(Some(&name));
        let seen = |group: &GroupRow| is_whole || walk.sees_group(&name, &group.name);
        let groups: Vec<_> = row.device_groups.into_iter().filter(seen).collect();
        let group = |group: GroupRow| DeviceGroup { name: group.name, devices: group.devices };
        Self {
            name,
            display_name: row.display_name,
            proxy: row.is_proxy,
            filter_level: row.filter_level,
            standing: row.standing.into(),
            device_groups: groups.into_iter().map(group).collect(),
            alias: row.alias,
            handling: row.handling,
            submit_case_as: row.submit_case_as,
            address: row.address,
            upload: row.upload,
            snapshot_interval_s: row.snapshot_interval_s,
            approvals: row.approvals.into(),
            quotas: Quotas { remembered_ids: ids, ..row.quotas.into() },
            sent: None,
            remembered_ids: None,
            configured: row.loaded.is_some(),
            incidents,
            events: is_whole.then_some(row.events),
            reactions: is_whole.then_some(row.reactions),
        }
    }
}
