//! `/api/v1/organizations`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use linesman_schemas::{FilterLevel, OrgName};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::best::{Best, Rank, Value, Wanted};
use super::query::{Glob, Paging, is, passes, query};
use super::walk::{Walk, answer, unknown};
use super::{Error, Page, TEXT_MOST, words};
use crate::edge::params::{Params, PathOf};
use crate::edge::problem::Problem;
use crate::edge::routes::Sources;
use linesman_domain::rows::{OrgRow, key};

query! {
    /// Which organizations.
    Organizations sorted by ["name"], {
        /// The name.
        #[param(value_type = Option<String>)]
        name: Glob,
        /// Whether they take part.
        #[param(inline)]
        standing: words::Standing,
        /// Whether they stand for an end customer.
        #[param(schema_with = words::flag, required = false)]
        proxy: words::Flag,
    }
}

/// An organization in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::edge) struct OrganizationPath {
    /// Its name.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    name: OrgName,
}

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
    standing: words::Standing,
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
    Params(mut list): Params<Organizations>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, move |walk| list.page(walk, &paging)).await
}

/// One organization.
#[utoipa::path(
    get, path = "/api/v1/organizations/{name}", tag = "organizations", params(OrganizationPath),
    responses((status = 200, description = "The organization.", body = Organization))
)]
pub(in crate::edge) async fn organization(
    State(sources): State<Arc<Sources>>,
    PathOf(OrganizationPath { name }): PathOf<OrganizationPath>,
) -> Result<Response, Problem> {
    answer(&sources, move |walk| {
        let row = walk.one(&name, &key::org(&name), || unknown(&name).to_string())?;
        Ok(Organization::new(name.clone(), row))
    })
    .await
}

impl Organizations {
    fn page(&self, walk: &Walk, paging: &Paging) -> Result<Page<Organization>, Error> {
        let mut best = Best::new(paging.limit, TEXT_MOST, paging.is_descending, paging.after.clone());
        for (name, place) in walk.places(None)? {
            walk.step()?;
            let rank = Rank { value: Value::Key, organization: name.as_str().to_owned(), key: Vec::new() };
            let row = place.row;
            if best.wants(&rank) == Wanted::Yes
                && passes(self.name.as_ref(), name.as_str())
                && is(self.standing, row.standing.into())
                && is(self.proxy, words::Flag::of(row.is_proxy))
            {
                let groups = row.device_groups.iter().flat_map(|group| &group.devices).map(String::len);
                let bytes = row.display_name.len() + groups.sum::<usize>();
                best.put(rank, Organization::new(name, row), bytes);
            }
        }
        let (items, last) = best.page();
        Ok(Page { items, next: last.and_then(|last| paging.cursor(last)), total: None })
    }
}

impl Organization {
    fn new(name: OrgName, row: OrgRow) -> Self {
        let group =
            |group: linesman_schemas::command::DeviceGroup| DeviceGroup { name: group.name, devices: group.devices };
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
