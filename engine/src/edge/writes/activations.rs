//! What people do for subscriptions to become configuration of devices, and no longer.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use linesman_domain::activations::LEVEL;
use linesman_schemas::command::{Activation, Deactivation, Subscription, SubscriptionPath as Path, Verb};
use linesman_schemas::schedule::Schedule;
use linesman_schemas::{OrgName, Place, PlacePath, SubscriptionName};
use serde::Deserialize;
use utoipa::ToSchema;

use super::preview::Answers;
use super::{DryRun, IdempotencyKey, Way, send_or_preview};
use crate::edge::paths::{LineSubscriptionPath, SiteSubscriptionPath, SubscriptionPath};
use crate::edge::sources::Sources;
use crate::edge::transport::json::{JsonBody, stated};
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words::ScheduleBody;

/// How a subscription is to be activated; without a body it is as it is subscribed to, from now on.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct ActivationBody {
    /// Values for this activation alone; with others there is another one beside it.
    #[serde(default)]
    #[schema(required = false, max_items = 256)]
    substitutions: Vec<String>,
    /// When it counts; without one always.
    #[serde(default)]
    #[schema(value_type = Option<ScheduleBody>, required = false)]
    schedule: Option<Schedule>,
}

/// What of a subscription is to be deactivated; without a body all of it.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct DeactivationBody {
    /// The one activation of that place with these values.
    #[serde(default, deserialize_with = "stated")]
    #[schema(required = false, nullable = false, max_items = 256)]
    substitutions: Option<Vec<String>>,
}

/// Sends what is asked of a subscription at a place.
async fn ask(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    org: OrgName,
    way: Way<'_>,
    verb: Subscription,
) -> Result<Response, Problem> {
    send_or_preview(sources, viewer, way, LEVEL, org, Verb::Subscription(verb)).await
}

fn activation(place: Place, name: SubscriptionName, body: Option<JsonBody<ActivationBody>>) -> Subscription {
    let ActivationBody { substitutions, schedule } = body.map(|JsonBody(body)| body).unwrap_or_default();
    Subscription::Activate(Activation { place, name, substitutions, schedule })
}

fn deactivation(place: Place, name: SubscriptionName, body: Option<JsonBody<DeactivationBody>>) -> Subscription {
    let DeactivationBody { substitutions } = body.map(|JsonBody(body)| body).unwrap_or_default();
    Subscription::Deactivate(Deactivation { place, name, substitutions })
}

/// Activates a subscription at an organization and below.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{organization}/{name}/activate",
    operation_id = "activate-subscription",
    tag = "subscriptions",
    params(SubscriptionPath, DryRun, IdempotencyKey),
    request_body = Option<ActivationBody>,
    responses(Answers)
)]
pub(in crate::edge) async fn activate_top(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SubscriptionPath { organization, name }): PathOf<SubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
    body: Option<JsonBody<ActivationBody>>,
) -> Result<Response, Problem> {
    let place = Place::Organization(organization.clone());
    ask(&sources, &viewer, organization, (dry_run, &headers), activation(place, name, body)).await
}

/// Activates a subscription at a site and below.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{organization}/{site}/{name}/activate",
    operation_id = "activate-subscription.site",
    tag = "subscriptions",
    params(SiteSubscriptionPath, DryRun, IdempotencyKey),
    request_body = Option<ActivationBody>,
    responses(Answers)
)]
pub(in crate::edge) async fn activate_site(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SiteSubscriptionPath { organization, site, name }): PathOf<SiteSubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
    body: Option<JsonBody<ActivationBody>>,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization: organization.clone(), site, line: None });
    ask(&sources, &viewer, organization, (dry_run, &headers), activation(place, name, body)).await
}

/// Activates a subscription at an access line and below.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{organization}/{site}/{line}/{name}/activate",
    operation_id = "activate-subscription.line",
    tag = "subscriptions",
    params(LineSubscriptionPath, DryRun, IdempotencyKey),
    request_body = Option<ActivationBody>,
    responses(Answers)
)]
pub(in crate::edge) async fn activate_line(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(LineSubscriptionPath { organization, site, line, name }): PathOf<LineSubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
    body: Option<JsonBody<ActivationBody>>,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization: organization.clone(), site, line: Some(line) });
    ask(&sources, &viewer, organization, (dry_run, &headers), activation(place, name, body)).await
}

/// Deactivates a subscription at an organization and below.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{organization}/{name}/deactivate",
    operation_id = "deactivate-subscription",
    tag = "subscriptions",
    params(SubscriptionPath, DryRun, IdempotencyKey),
    request_body = Option<DeactivationBody>,
    responses(Answers)
)]
pub(in crate::edge) async fn deactivate_top(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SubscriptionPath { organization, name }): PathOf<SubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
    body: Option<JsonBody<DeactivationBody>>,
) -> Result<Response, Problem> {
    let place = Place::Organization(organization.clone());
    ask(&sources, &viewer, organization, (dry_run, &headers), deactivation(place, name, body)).await
}

/// Deactivates a subscription at a site and below.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{organization}/{site}/{name}/deactivate",
    operation_id = "deactivate-subscription.site",
    tag = "subscriptions",
    params(SiteSubscriptionPath, DryRun, IdempotencyKey),
    request_body = Option<DeactivationBody>,
    responses(Answers)
)]
pub(in crate::edge) async fn deactivate_site(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SiteSubscriptionPath { organization, site, name }): PathOf<SiteSubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
    body: Option<JsonBody<DeactivationBody>>,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization: organization.clone(), site, line: None });
    ask(&sources, &viewer, organization, (dry_run, &headers), deactivation(place, name, body)).await
}

/// Deactivates a subscription at an access line and below.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{organization}/{site}/{line}/{name}/deactivate",
    operation_id = "deactivate-subscription.line",
    tag = "subscriptions",
    params(LineSubscriptionPath, DryRun, IdempotencyKey),
    request_body = Option<DeactivationBody>,
    responses(Answers)
)]
pub(in crate::edge) async fn deactivate_line(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(LineSubscriptionPath { organization, site, line, name }): PathOf<LineSubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
    body: Option<JsonBody<DeactivationBody>>,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization: organization.clone(), site, line: Some(line) });
    ask(&sources, &viewer, organization, (dry_run, &headers), deactivation(place, name, body)).await
}

/// Tells devices of an organization and below all of a subscription once more.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{organization}/{name}/redeploy",
    operation_id = "redeploy-subscription",
    tag = "subscriptions",
    params(SubscriptionPath, DryRun, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn redeploy_top(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SubscriptionPath { organization, name }): PathOf<SubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Place::Organization(organization.clone());
    ask(&sources, &viewer, organization, (dry_run, &headers), Subscription::Redeploy(Path { place, name })).await
}

/// Tells devices of a site and below all of a subscription once more.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{organization}/{site}/{name}/redeploy",
    operation_id = "redeploy-subscription.site",
    tag = "subscriptions",
    params(SiteSubscriptionPath, DryRun, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn redeploy_site(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SiteSubscriptionPath { organization, site, name }): PathOf<SiteSubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization: organization.clone(), site, line: None });
    ask(&sources, &viewer, organization, (dry_run, &headers), Subscription::Redeploy(Path { place, name })).await
}

/// Tells devices of an access line and below all of a subscription once more.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{organization}/{site}/{line}/{name}/redeploy",
    operation_id = "redeploy-subscription.line",
    tag = "subscriptions",
    params(LineSubscriptionPath, DryRun, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn redeploy_line(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(LineSubscriptionPath { organization, site, line, name }): PathOf<LineSubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization: organization.clone(), site, line: Some(line) });
    ask(&sources, &viewer, organization, (dry_run, &headers), Subscription::Redeploy(Path { place, name })).await
}
