//! What people do with the values of parameters.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use linesman_domain::services::LEVEL;
use linesman_schemas::command::{Localization, ValueSettings, Values, Verb};
use linesman_schemas::{OrgName, Place, PlacePath, ServiceName, SubscriptionName};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::preview::Answers;
use super::{DryRun, IdempotencyKey, send_or_preview};
use crate::edge::paths::{LinePath, SitePath, TopPath};
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words::Flag;

/// Whose values are given, of those at a place.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::edge) struct GivingQuery {
    /// Of a subscription that is seen there, instead of the place's own.
    #[param(value_type = Option<String>, required = false, pattern = "^[a-z][a-z0-9-]{0,63}$")]
    subscription: Option<SubscriptionName>,
    /// Of a service, as the provider has localized it for the organization.
    #[param(value_type = Option<String>, required = false, pattern = "^[a-z][a-z0-9-]{0,63}$")]
    service: Option<ServiceName>,
    /// Whether it is only to be told what would be done.
    #[param(value_type = Option<bool>, required = false)]
    dry_run: Option<Flag>,
}

/// What is given at a place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct ValuesBody {
    /// The substitutions: `[!]name[:type]*[=expression]`, or `[!]name in expression`.
    #[serde(default)]
    #[schema(required = false, max_items = 256)]
    substitutions: Vec<String>,
    /// The parameters whose substitutions go.
    #[serde(default)]
    #[schema(required = false, max_items = 256)]
    unset: Vec<String>,
    /// Whether substitutions that are named by neither stay; without it they go.
    #[serde(default)]
    #[schema(required = false)]
    keep: bool,
}

/// Gives values at an organization.
#[utoipa::path(
    put, path = "/api/v1/values/{organization}", operation_id = "set-values", tag = "values",
    params(TopPath, GivingQuery, IdempotencyKey), request_body = ValuesBody, responses(Answers)
)]
pub(in crate::edge) async fn set_top(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(TopPath { organization }): PathOf<TopPath>,
    Params(query): Params<GivingQuery>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ValuesBody>,
) -> Result<Response, Problem> {
    let place = Place::Organization(organization.clone());
    set(&sources, &viewer, (organization, place), &headers, query, body).await
}

/// Gives values at a site.
#[utoipa::path(
    put, path = "/api/v1/values/{organization}/{site}", operation_id = "set-values.site", tag = "values",
    params(SitePath, GivingQuery, IdempotencyKey), request_body = ValuesBody, responses(Answers)
)]
pub(in crate::edge) async fn set_site(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SitePath { organization, site }): PathOf<SitePath>,
    Params(query): Params<GivingQuery>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ValuesBody>,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization: organization.clone(), site, line: None });
    set(&sources, &viewer, (organization, place), &headers, query, body).await
}

/// Gives values at an access line.
#[utoipa::path(
    put, path = "/api/v1/values/{organization}/{site}/{line}", operation_id = "set-values.line", tag = "values",
    params(LinePath, GivingQuery, IdempotencyKey), request_body = ValuesBody, responses(Answers)
)]
pub(in crate::edge) async fn set_line(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(LinePath { organization, site, line }): PathOf<LinePath>,
    Params(query): Params<GivingQuery>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ValuesBody>,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization: organization.clone(), site, line: Some(line) });
    set(&sources, &viewer, (organization, place), &headers, query, body).await
}

async fn set(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    (org, place): (OrgName, Place),
    headers: &HeaderMap,
    query: GivingQuery,
    body: ValuesBody,
) -> Result<Response, Problem> {
    let GivingQuery { subscription, service, dry_run } = query;
    let ValuesBody { substitutions, unset, keep } = body;
    let verb = match service {
        None => Values::Set(ValueSettings { place, subscription, substitutions, unset, keep }),
        Some(_) if subscription.is_some() => {
            let detail = "values are those of a subscription or of a service, not of both".to_owned();
            return Err(Problem::parameter("service", detail));
        }
        Some(_) if matches!(place, Place::Below(_)) => {
            let detail = format!("a service is localized for an organization: for `{org}`");
            return Err(Problem::new(StatusCode::CONFLICT, detail).of("localize-service", place));
        }
        Some(service) => Values::Localize(Localization { service, substitutions, unset, keep }),
    };
    send_or_preview(sources, viewer, (DryRun::of(dry_run), headers), LEVEL, org, Verb::Values(verb)).await
}
