//! `/api/v1/groups`: the user groups of the provider's people.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use linesman_domain::directory::Directory;
use linesman_domain::rights::{Asker, heir};
use linesman_schemas::command::DeviceGroupName;
use linesman_schemas::directory::Group;
use linesman_schemas::{GroupName, Login, ManagerName, OrgName};
use serde::Serialize;
use utoipa::ToSchema;

use super::Error;
use super::walk::{Walk, answer};
use crate::edge::filters::passes;
use crate::edge::filters::tables::Groups;
use crate::edge::members::{Members, is_group_shown};
use crate::edge::paging::{Offered, Page, Pager, Paging, Rank, Value};
use crate::edge::paths::GroupPath;
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;

/// A user group: its members see what it is tied to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Group)]
struct Item {
    /// Its name.
    #[schema(value_type = String)]
    name: GroupName,
    /// Who of the provider's people is in it.
    #[schema(schema_with = words::names)]
    members: Vec<ManagerName>,
    /// The organizations it is tied to.
    #[schema(schema_with = words::names)]
    organizations: Vec<OrgName>,
    /// The device groups it is tied to.
    device_groups: Vec<TiedGroup>,
    /// Who made it, or stands for whoever did and is gone: its members see no more by it than they do.
    #[schema(value_type = String)]
    granted_by: Login,
}

/// A device group of an organization.
#[derive(Debug, Serialize, ToSchema)]
struct TiedGroup {
    /// Whose.
    #[schema(value_type = String)]
    organization: OrgName,
    /// Its name.
    name: String,
}

/// User groups, page by page.
#[utoipa::path(
    get, path = "/api/v1/groups", operation_id = "groups", tag = "groups", params(Groups),
    responses((status = 200, description = "A page.", body = Page<Item>))
)]
pub(in crate::edge) async fn groups(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(mut list): Params<Groups>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    let directory = sources.grants.directory()?;
    answer(&sources, viewer, move |walk| page(walk, &directory, &list, &paging)).await
}

/// One user group.
#[utoipa::path(
    get, path = "/api/v1/groups/{name}", operation_id = "group", tag = "groups", params(GroupPath),
    responses((status = 200, description = "The group.", body = Item))
)]
pub(in crate::edge) async fn group(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(GroupPath { name }): PathOf<GroupPath>,
) -> Result<Response, Problem> {
    let directory = sources.grants.directory()?;
    answer(&sources, viewer, move |walk| {
        let nothing = || Error::Nothing(format!("there is no group `{name}`"));
        let known = Members::new(&directory, walk.lanes());
        let asker = asker(&known, walk)?.ok_or_else(nothing)?;
        let group = directory.group(&name).filter(|group| is_group_shown(&asker, group)).ok_or_else(nothing)?;
        Ok(Item::new(&known, group)?)
    })
    .await
}

fn page(walk: &Walk, directory: &Arc<Directory>, list: &Groups, paging: &Paging) -> Result<Page<Item>, Error> {
    let mut pager = Pager::new(paging, Offered::AnyHow);
    let known = Members::new(directory, walk.lanes());
    let Some(asker) = asker(&known, walk)? else { return Ok(pager.page()) };
    // There are a thousand at most.
    for group in directory.groups() {
        walk.step()?;
        let key = group.name.as_str().as_bytes().to_vec();
        // All are offered: there is nothing to be spared where all are in memory.
        let _ = pager.offer(Rank { value: Value::Key, organization: String::new(), key }, |_| {
            let bytes = 32 * (group.members.len() + group.organizations.len() + 2 * group.device_groups.len());
            let is_wanted = passes(list.name.as_ref(), group.name.as_str()) && is_group_shown(&asker, group);
            Ok::<_, Error>(if is_wanted { Some((Item::new(&known, group)?, bytes)) } else { None })
        })?;
    }
    Ok(pager.page())
}

fn asker(known: &Members<'_>, walk: &Walk) -> Result<Option<Asker>, Error> {
    let asker = known.asker(walk.viewer())?;
    Ok(asker.filter(Asker::is_of_provider))
}

impl Item {
    fn new(known: &Members<'_>, group: &Group) -> Result<Self, linesman_domain::Error> {
        let tied = |tie: &DeviceGroupName| TiedGroup { organization: tie.organization.clone(), name: tie.name.clone() };
        let granter = heir(known, &group.granter)?.unwrap_or_else(|| group.granter.clone());
        Ok(Self {
            name: group.name.clone(),
            members: group.members.clone(),
            organizations: group.organizations.clone(),
            device_groups: group.device_groups.iter().map(tied).collect(),
            granted_by: granter.login,
        })
    }
}
