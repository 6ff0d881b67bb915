//! What people do with subscriptions.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use linesman_domain::{activations, services};
use linesman_schemas::command::{Subscription, SubscriptionPath as Path, SubscriptionSettings, Verb};
use linesman_schemas::schedule::Schedule;
use linesman_schemas::{OrgName, Place, PlacePath, ServiceName};
use serde::Deserialize;
use utoipa::ToSchema;

use super::preview::Answers;
use super::{DryRun, IdempotencyKey, Way, or_null, send_or_preview};
use crate::edge::paths::{LineSubscriptionPath, SiteSubscriptionPath, SubscriptionPath};
use crate::edge::sources::Sources;
use crate::edge::transport::json::{JsonBody, stated};
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words::ScheduleBody;

/// A subscription as it is to be; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct SubscriptionBody {
    /// The service. Of a subscription that is there it does not change.
    #[schema(value_type = String, pattern = "^[a-z][a-z0-9-]{0,63}$")]
    service: ServiceName,
    /// Its substitutions at its own place, all of them.
    #[serde(default, deserialize_with = "stated")]
    #[schema(required = false, nullable = false, max_items = 256)]
    substitutions: Option<Vec<String>>,
    /// Whether it is to be active.
    #[serde(default, deserialize_with = "stated")]
    #[schema(required = false, nullable = false)]
    active: Option<bool>,
    /// When it is active, as long as it is to be; null for always.
    #[serde(default, deserialize_with = "or_null")]
    #[schema(value_type = Option<ScheduleBody>, required = false)]
    schedule: Option<Option<Schedule>>,
}

/// Sends what is asked of a subscription of an organization.
async fn ask(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    org: OrgName,
    way: Way<'_>,
    verb: Subscription,
) -> Result<Response, Problem> {
    let level = match &verb {
        Subscription::Set(settings) if settings.schedule.is_some() => activations::LEVEL,
        _ => services::LEVEL,
    };
    send_or_preview(sources, viewer, way, level, org, Verb::Subscription(verb)).await
}

fn set(path: Path, body: SubscriptionBody) -> Subscription {
    let (Path { place, name }, SubscriptionBody { service, substitutions, active, schedule }) = (path, body);
    Subscription::Set(SubscriptionSettings { place, name, service, substitutions, active, schedule })
}

/// Subscribes an organization to a service, or changes a subscription of it.
#[utoipa::path(
    put, path = "/api/v1/subscriptions/{organization}/{name}", operation_id = "set-subscription", tag = "subscriptions",
    params(SubscriptionPath, DryRun, IdempotencyKey), request_body = SubscriptionBody,
    responses(Answers, (status = 201, description = "it is created", body = super::CommandState))
)]
pub(in crate::edge) async fn set_top(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SubscriptionPath { organization, name }): PathOf<SubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SubscriptionBody>,
) -> Result<Response, Problem> {
    let place = Place::Organization(organization.clone());
    ask(&sources, &viewer, organization, (dry_run, &headers), set(Path { place, name }, body)).await
}

/// Subscribes a site to a service, or changes a subscription of it.
#[utoipa::path(
    put, path = "/api/v1/subscriptions/{organization}/{site}/{name}", operation_id = "set-subscription.site", tag = "subscriptions",
    params(SiteSubscriptionPath, DryRun, IdempotencyKey), request_body = SubscriptionBody,
    responses(Answers, (status = 201, description = "it is created", body = super::CommandState))
)]
pub(in crate::edge) async fn set_site(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SiteSubscriptionPath { organization, site, name }): PathOf<SiteSubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SubscriptionBody>,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization: organization.clone(), site, line: None });
    ask(&sources, &viewer, organization, (dry_run, &headers), set(Path { place, name }, body)).await
}

/// Subscribes an access line to a service, or changes a subscription of it.
#[utoipa::path(
    put, path = "/api/v1/subscriptions/{organization}/{site}/{line}/{name}", operation_id = "set-subscription.line", tag = "subscriptions",
    params(LineSubscriptionPath, DryRun, IdempotencyKey), request_body = SubscriptionBody,
    responses(Answers, (status = 201, description = "it is created", body = super::CommandState))
)]
pub(in crate::edge) async fn set_line(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(LineSubscriptionPath { organization, site, line, name }): PathOf<LineSubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SubscriptionBody>,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization: organization.clone(), site, line: Some(line) });
    ask(&sources, &viewer, organization, (dry_run, &headers), set(Path { place, name }, body)).await
}

/// Removes a subscription of an organization.
#[utoipa::path(
    delete,
    path = "/api/v1/subscriptions/{organization}/{name}",
    operation_id = "remove-subscription",
    tag = "subscriptions",
    params(SubscriptionPath, DryRun, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn remove_top(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SubscriptionPath { organization, name }): PathOf<SubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Place::Organization(organization.clone());
    ask(&sources, &viewer, organization, (dry_run, &headers), Subscription::Remove(Path { place, name })).await
}

/// Removes a subscription of a site.
#[utoipa::path(
    delete,
    path = "/api/v1/subscriptions/{organization}/{site}/{name}",
    operation_id = "remove-subscription.site",
    tag = "subscriptions",
    params(SiteSubscriptionPath, DryRun, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn remove_site(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SiteSubscriptionPath { organization, site, name }): PathOf<SiteSubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization: organization.clone(), site, line: None });
    ask(&sources, &viewer, organization, (dry_run, &headers), Subscription::Remove(Path { place, name })).await
}

/// Removes a subscription of an access line.
#[utoipa::path(
    delete,
    path = "/api/v1/subscriptions/{organization}/{site}/{line}/{name}",
    operation_id = "remove-subscription.line",
    tag = "subscriptions",
    params(LineSubscriptionPath, DryRun, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn remove_line(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(LineSubscriptionPath { organization, site, line, name }): PathOf<LineSubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization: organization.clone(), site, line: Some(line) });
    ask(&sources, &viewer, organization, (dry_run, &headers), Subscription::Remove(Path { place, name })).await
}

/// Lets rest a subscription of an organization.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{organization}/{name}/suspend",
    operation_id = "suspend-subscription",
    tag = "subscriptions",
    params(SubscriptionPath, DryRun, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn suspend_top(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SubscriptionPath { organization, name }): PathOf<SubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Place::Organization(organization.clone());
    ask(&sources, &viewer, organization, (dry_run, &headers), Subscription::Suspend(Path { place, name })).await
}

/// Lets rest a subscription of a site.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{organization}/{site}/{name}/suspend",
    operation_id = "suspend-subscription.site",
    tag = "subscriptions",
    params(SiteSubscriptionPath, DryRun, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn suspend_site(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SiteSubscriptionPath { organization, site, name }): PathOf<SiteSubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization: organization.clone(), site, line: None });
    ask(&sources, &viewer, organization, (dry_run, &headers), Subscription::Suspend(Path { place, name })).await
}

/// Lets rest a subscription of an access line.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{organization}/{site}/{line}/{name}/suspend",
    operation_id = "suspend-subscription.line",
    tag = "subscriptions",
    params(LineSubscriptionPath, DryRun, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn suspend_line(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(LineSubscriptionPath { organization, site, line, name }): PathOf<LineSubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization: organization.clone(), site, line: Some(line) });
    ask(&sources, &viewer, organization, (dry_run, &headers), Subscription::Suspend(Path { place, name })).await
}

/// Lets rest no longer a subscription of an organization.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{organization}/{name}/resume",
    operation_id = "resume-subscription",
    tag = "subscriptions",
    params(SubscriptionPath, DryRun, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn resume_top(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SubscriptionPath { organization, name }): PathOf<SubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Place::Organization(organization.clone());
    ask(&sources, &viewer, organization, (dry_run, &headers), Subscription::Resume(Path { place, name })).await
}

/// Lets rest no longer a subscription of a site.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{organization}/{site}/{name}/resume",
    operation_id = "resume-subscription.site",
    tag = "subscriptions",
    params(SiteSubscriptionPath, DryRun, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn resume_site(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SiteSubscriptionPath { organization, site, name }): PathOf<SiteSubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization: organization.clone(), site, line: None });
    ask(&sources, &viewer, organization, (dry_run, &headers), Subscription::Resume(Path { place, name })).await
}

/// Lets rest no longer a subscription of an access line.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{organization}/{site}/{line}/{name}/resume",
    operation_id = "resume-subscription.line",
    tag = "subscriptions",
    params(LineSubscriptionPath, DryRun, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn resume_line(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(LineSubscriptionPath { organization, site, line, name }): PathOf<LineSubscriptionPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization: organization.clone(), site, line: Some(line) });
    ask(&sources, &viewer, organization, (dry_run, &headers), Subscription::Resume(Path { place, name })).await
}
