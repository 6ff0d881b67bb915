//! `/api/v1/organizations`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use linesman_schemas::{FilterLevel, OrgName};
use serde::Serialize;
use utoipa::ToSchema;

use super::Error;
use super::walk::{OrgRows, Walk, answer, unknown};
use crate::edge::filters::tables::Organizations;
use crate::edge::filters::{is, passes};
use crate::edge::paging::{Offered, Page, Pager, Paging, Rank, Value};
use crate::edge::paths::OrganizationPath;
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;
use linesman_domain::organizations::{self, GroupRow, OrgRow};

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
    /// Its device groups; a device belongs to the first whose pattern its host name matches.
    device_groups: Vec<DeviceGroup>,
    /// Whether the configuration file names it.
    configured: bool,
    /// How many incidents it has had.
    incidents: u64,
    /// How many events it has emitted.
    events: u64,
    /// How many reactions were decided for it.
    reactions: u64,
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
        let row = walk.one(&name, &organizations::key(&name), || unknown(&name).to_string())?;
        Ok(Organization::new(name.clone(), row))
    })
    .await
}

/// A page of those that are seen.
fn page(list: &Organizations, walk: &Walk, paging: &Paging) -> Result<Page<Organization>, Error> {
    let mut pager = Pager::new(paging, Offered::AnyHow);
    for (name, OrgRows { row, .. }) in walk.organizations(None)? {
        walk.step()?;
        let rank = Rank { value: Value::Key, organization: name.as_str().to_owned(), key: Vec::new() };
        // All are offered: there is nothing to be spared where all were read.
        let _ = pager.offer(rank, |_| {
            let is_wanted = passes(list.name.as_ref(), name.as_str())
                && is(list.standing, row.standing.into())
                && is(list.proxy, words::Flag::of(row.is_proxy));
            let groups = row.device_groups.iter().flat_map(|group| &group.devices).map(String::len);
            let bytes = row.display_name.len() + groups.sum::<usize>();
            Ok::<_, Error>(is_wanted.then(|| (Organization::new(name, row), bytes)))
        })?;
    }
    Ok(pager.page())
}

impl Organization {
    fn new(name: OrgName, row: OrgRow) -> Self {
        let group = |group: GroupRow| DeviceGroup { name: group.name, devices: group.devices };
        Self {
            name,
            display_name: row.display_name,
            proxy: row.is_proxy,
            filter_level: row.filter_level,
            standing: row.standing.into(),
            device_groups: row.device_groups.into_iter().map(group).collect(),
            configured: row.loaded.is_some(),
            incidents: row.incidents,
            events: row.events,
            reactions: row.reactions,
        }
    }
}
