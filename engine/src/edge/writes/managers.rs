//! What people do with managers: of organizations, and the provider's people.
//!
//! What of a body is wrong is said with its place before it is sent, by what the lane judges by; who may not is told by
//! the lane.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use linesman_connectors::Secret;
use linesman_domain as domain;
use linesman_domain::commands::managers::{Refused, judge};
use linesman_domain::directory::Directory;
use linesman_domain::level::NEWEST;
use linesman_domain::managers::Known;
use linesman_domain::places;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Manager, ManagerRemoval, ManagerSettings, Verb};
use linesman_schemas::{Login, Place, Principal, Privileges, Rights};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Answers, IdempotencyKey, command_id, send_at, send_judged};
use crate::edge::members::lane_of_owner;
use crate::edge::paths::{ManagerPath, PersonPath};
use crate::edge::sources::Sources;
use crate::edge::transport::json::{JsonBody, stated};
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;
use crate::store::Lane;

/// The engine level from which on there are managers.
const LEVEL: u32 = 3;

/// A manager as it is to be; what is left out stays, of a new one it is nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct ManagerBody {
    /// Places, and all that lies below them; of the provider's people, none for what their groups are tied to alone.
    #[serde(default, deserialize_with = "stated")]
    #[schema(schema_with = words::sphere, required = false)]
    sphere: Option<Vec<Place>>,
    /// What it may do there; without one it may read.
    #[serde(default, deserialize_with = "stated")]
    #[schema(schema_with = words::privileges, required = false)]
    privileges: Option<Privileges>,
    /// What else it may do there, of the provider's people only; a right that is absent is no.
    #[serde(default, deserialize_with = "stated")]
    #[schema(schema_with = words::rights, required = false)]
    rights: Option<Rights>,
    /// Its password until its owner has logged in: at least 12 characters, none of control, and none of the commonest.
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 1024, required = false)]
    password: Option<Secret>,
}

/// Makes one of the provider's people, or changes it.
#[utoipa::path(
    put, path = "/api/v1/managers/{name}", operation_id = "set-manager.person", tag = "managers", params(PersonPath, IdempotencyKey),
    request_body = ManagerBody,
    responses(Answers, (status = 201, description = "it is created", body = super::CommandState))
)]
pub(in crate::edge) async fn set_person(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(PersonPath { name }): PathOf<PersonPath>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ManagerBody>,
) -> Result<Response, Problem> {
    set(&sources, &viewer, Login::new(None, name), &headers, body).await
}

/// Makes a manager of an organization, or changes it.
#[utoipa::path(
    put, path = "/api/v1/managers/{organization}/{name}", operation_id = "set-manager", tag = "managers", params(ManagerPath, IdempotencyKey),
    request_body = ManagerBody,
    responses(Answers, (status = 201, description = "it is created", body = super::CommandState))
)]
pub(in crate::edge) async fn set_manager(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(ManagerPath { organization, name }): PathOf<ManagerPath>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ManagerBody>,
) -> Result<Response, Problem> {
    set(&sources, &viewer, Login::new(Some(organization), name), &headers, body).await
}

/// Removes one of the provider's people; whom it has granted anything is handed to its granter.
#[utoipa::path(
    delete,
    path = "/api/v1/managers/{name}",
    operation_id = "remove-manager.person",
    tag = "managers",
    params(PersonPath, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn remove_person(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(PersonPath { name }): PathOf<PersonPath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    remove(&sources, &viewer, Login::new(None, name), &headers).await
}

/// Removes a manager of an organization; whom it has granted anything is handed to its granter.
#[utoipa::path(
    delete,
    path = "/api/v1/managers/{organization}/{name}",
    operation_id = "remove-manager",
    tag = "managers",
    params(ManagerPath, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn remove_manager(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(ManagerPath { organization, name }): PathOf<ManagerPath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    remove(&sources, &viewer, Login::new(Some(organization), name), &headers).await
}

async fn set(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    login: Login,
    headers: &HeaderMap,
    body: ManagerBody,
) -> Result<Response, Problem> {
    let id = command_id(headers)?;
    let ManagerBody { sphere, privileges, rights, password } = body;
    let password = match &password {
        Some(password) => {
            // Whoever may not is told so before anything is said of the password.
            viewer.may("set-manager", &login.organization.clone().map_or(Place::Provider, Place::Organization))?;
            Some(sources.logins.new_hash(password, "#/password", (&login, &id)).await?)
        }
        None => None,
    };
    let (is_new_password, whose_password) = (password.is_some(), login.clone());
    let Login { organization, name } = login;
    let settings = ManagerSettings { manager: name, sphere, privileges, rights, password };
    let verb = Verb::Manager(Manager::Set(settings.clone()));
    let (whose, principal) = (organization.clone(), viewer.principal());
    let directory = sources.grants.directory()?;
    let judge = move |lanes: &[Lane]| {
        let login = Login::new(whose, settings.manager.clone());
        wrong((&directory, lanes), &login, &principal, &settings)
    };
    let response = send_judged(sources, viewer, LEVEL, organization, id, verb, judge).await?;
    if is_new_password {
        sources.logins.changed(&whose_password);
    }
    Ok(response)
}

async fn remove(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    login: Login,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let verb = Verb::Manager(Manager::Remove(ManagerRemoval { manager: login.name }));
    send_at(sources, viewer, LEVEL, login.organization, command_id(headers)?, verb).await
}

/// What of a body is wrong.
fn wrong(
    (directory, lanes): (&Directory, &[Lane]),
    login: &Login,
    principal: &Principal,
    settings: &ManagerSettings,
) -> Result<Option<Refused>, domain::Error> {
    let org = login.organization.as_ref();
    let Some(lane) = lane_of_owner(lanes, org) else { return Ok(None) };
    let known = Known::new(directory, lane);
    // A name that somebody has who is not seen is found wrong in nothing that one that nobody has is not.
    if let Err(refused) = judge((&known, lane), org, principal, settings, (Timestamp::now(), NEWEST))?
        && refused.verdict != Verdict::NotFound
    {
        return Ok(Some(refused));
    }
    // Lane 0 does not know the places of all the others.
    for (at, place) in settings.sphere.iter().flatten().enumerate().filter(|_| org.is_none()) {
        let lane = lane_of_owner(lanes, place.organization());
        if !lane.map_or(Ok(true), |lane| places::is_there(lane, place))? {
            let (pointer, detail) = (format!("/sphere/{at}"), format!("there is no place `{place}`"));
            return Ok(Some(Refused { verdict: Verdict::Invalid, pointer, detail }));
        }
    }
    Ok(None)
}
