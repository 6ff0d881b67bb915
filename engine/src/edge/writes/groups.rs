//! What people do with user groups.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use linesman_domain as domain;
use linesman_domain::commands::groups::judge;
use linesman_domain::commands::managers::Refused;
use linesman_domain::directory::Directory;
use linesman_domain::managers::Known;
use linesman_domain::organizations::{self, OrgRow};
use linesman_domain::table::Table;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{DeviceGroupName, Group, GroupRemoval, GroupSettings, Verb};
use linesman_schemas::{ManagerName, OrgName, Principal};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Answers, IdempotencyKey, command_id, send_at, send_judged};
use crate::edge::members::lane_of_owner;
use crate::edge::paths::GroupPath;
use crate::edge::sources::Sources;
use crate::edge::transport::json::{JsonBody, stated};
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words::{self, TiedGroupBody};
use crate::store::Lane;

/// The engine level from which on there are groups.
const LEVEL: u32 = 3;

/// A user group as it is to be; what is left out stays, of a new one it is nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct GroupBody {
    /// Who of the provider's people is in it.
    #[serde(default, deserialize_with = "stated")]
    #[schema(schema_with = words::names, required = false)]
    members: Option<Vec<ManagerName>>,
    /// The organizations that its members see.
    #[serde(default, deserialize_with = "stated")]
    #[schema(schema_with = words::names, required = false)]
    organizations: Option<Vec<OrgName>>,
    /// The device groups that its members see.
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = Vec<TiedGroupBody>, required = false, max_items = 1000)]
    device_groups: Option<Vec<TiedGroupBody>>,
}

/// Makes a user group, or changes it.
#[utoipa::path(
    put, path = "/api/v1/groups/{name}", operation_id = "set-group", tag = "groups", params(GroupPath, IdempotencyKey), request_body = GroupBody,
    responses(Answers, (status = 201, description = "it is created", body = super::CommandState))
)]
pub(in crate::edge) async fn set_group(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(GroupPath { name }): PathOf<GroupPath>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<GroupBody>,
) -> Result<Response, Problem> {
    let id = command_id(&headers)?;
    let GroupBody { members, organizations, device_groups } = body;
    let device_groups = device_groups.map(|groups| groups.into_iter().map(DeviceGroupName::from).collect());
    let settings = GroupSettings { group: name, members, organizations, device_groups };
    let verb = Verb::Group(Group::Set(settings.clone()));
    let principal = viewer.principal();
    let directory = sources.grants.directory()?;
    let level = sources.commands.level(None);
    let judge = move |lanes: &[Lane]| wrong(level, (&directory, lanes), &principal, &settings);
    send_judged(&sources, &viewer, LEVEL, None, id, verb, judge).await
}

/// Removes a user group.
#[utoipa::path(
    delete,
    path = "/api/v1/groups/{name}",
    operation_id = "remove-group",
    tag = "groups",
    params(GroupPath, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn remove_group(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(GroupPath { name }): PathOf<GroupPath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let verb = Verb::Group(Group::Remove(GroupRemoval { group: name }));
    send_at(&sources, &viewer, LEVEL, None, command_id(&headers)?, verb).await
}

/// What of a body is wrong.
fn wrong(
    level: u32,
    (directory, lanes): (&Directory, &[Lane]),
    principal: &Principal,
    settings: &GroupSettings,
) -> Result<Option<Refused>, domain::Error> {
    let Some(first) = lanes.first() else { return Ok(None) };
    let known = Known::new(directory, first);
    // A name that somebody has who is not seen is found wrong in nothing that one that nobody has is not.
    if let Err(refused) = judge((&known, directory), principal, settings, (Timestamp::now(), level))?
        && refused.verdict != Verdict::NotFound
    {
        return Ok(Some(refused));
    }
    // Lane 0 does not know the organizations of all the others.
    let invalid = |pointer, detail| Ok(Some(Refused { verdict: Verdict::Invalid, pointer, detail }));
    for (at, org) in settings.organizations.iter().flatten().enumerate() {
        if row(lanes, org)?.is_none() {
            return invalid(format!("/organizations/{at}"), format!("there is no organization `{org}`"));
        }
    }
    for (at, DeviceGroupName { organization: org, name }) in settings.device_groups.iter().flatten().enumerate() {
        let Some(row) = row(lanes, org)? else {
            return invalid(format!("/device_groups/{at}/organization"), format!("there is no organization `{org}`"));
        };
        if !row.device_groups.iter().any(|group| group.name == *name) {
            return invalid(format!("/device_groups/{at}/name"), format!("`{org}` has no device group `{name}`"));
        }
    }
    Ok(None)
}

fn row(lanes: &[Lane], org: &OrgName) -> Result<Option<OrgRow>, domain::Error> {
    match lane_of_owner(lanes, Some(org)) {
        Some(lane) => Table::read(lane, &organizations::key(org)),
        None => Ok(None),
    }
}
