//! What the provider's people do with services as organizations have them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use linesman_domain::activations::LEVEL;
use linesman_schemas::command::{Rollout, Service, Verb};
use linesman_schemas::{CommandId, OrgName, Place};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::{
    Answers, CommandState, CommandStatus, IdempotencyKey, command_id, out_of_bounds, refused, stands_at, stated,
};
use crate::edge::lists::rollout::{Share, Wanted, plan};
use crate::edge::paths::ServicePath;
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;

/// The largest `canary`.
const CANARY_MOST: u32 = 10_000;
/// How many organizations' lanes are asked at a time.
const AT_ONCE: usize = 16;

/// Which subscriptions are to be on which version; without a body all are to be on the newest.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct RolloutBody {
    /// Those that were made at this place and below it; of all organizations where nothing is said.
    #[serde(default, deserialize_with = "stated")]
    #[schema(schema_with = words::place, required = false)]
    under: Option<Place>,
    /// The version; the newest where nothing is said.
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = String, required = false, pattern = "^[0-9a-f]{12}$")]
    version: Option<String>,
    /// So many of them at the most, in the order of organizations, places and names.
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = u32, required = false, minimum = 1, maximum = 10_000)]
    canary: Option<u32>,
}

/// What a rollout comes to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::edge) struct RolloutState {
    /// The version that subscriptions go over to.
    version: String,
    /// The organizations that have subscriptions that go over.
    organizations: Vec<OrganizationRollout>,
}

/// What a rollout comes to for an organization.
#[derive(Debug, Serialize, ToSchema)]
struct OrganizationRollout {
    /// Whose.
    #[schema(value_type = String)]
    organization: OrgName,
    /// How many subscriptions go over; null where all of them were asked to before, under the same `Idempotency-Key`.
    subscriptions: Option<u32>,
    /// The id of the command that it is asked by.
    #[schema(value_type = String)]
    command: CommandId,
    /// What became of that.
    verdict: CommandStatus,
}

/// Lets subscriptions to a service go over to another version of it.
#[utoipa::path(
    post,
    path = "/api/v1/services/{name}/rollout",
    operation_id = "rollout-service",
    tag = "services",
    params(ServicePath, IdempotencyKey),
    request_body = Option<RolloutBody>,
    responses(
        Answers,
        (status = 200, description = "It is begun.", body = RolloutState),
        (status = 202, description = "It is asked for, and not yet decided for all.", body = RolloutState),
    )
)]
pub(in crate::edge) async fn roll_out(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(ServicePath { name }): PathOf<ServicePath>,
    headers: HeaderMap,
    body: Option<JsonBody<RolloutBody>>,
) -> Result<Response, Problem> {
    let RolloutBody { under, version, canary } = body.map(|JsonBody(body)| body).unwrap_or_default();
    let under = under.unwrap_or(Place::Provider);
    viewer.may("rollout-service", &under)?;
    let verb = Rollout { service: name.clone(), version: version.clone(), under: under.clone(), canary };
    Verb::Service(Service::Rollout(verb)).check().map_err(|fault| out_of_bounds(&fault))?;
    if canary.is_some_and(|canary| !(1..=CANARY_MOST).contains(&canary)) {
        let detail = format!("`canary` is not between 1 and {CANARY_MOST}");
        return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#/canary".to_owned(), detail));
    }
    stands_at(&sources, LEVEL)?;
    let key = command_id(&headers)?;
    let wanted = Wanted { service: name, version, under, canary };
    let planned = plan(&sources, &viewer, wanted, move |org| id_for(&key, org)).await?;
    let asked = stream::iter(planned.shares).map(|share| ask(&sources, &viewer, share)).buffered(AT_ONCE);
    let organizations: Vec<OrganizationRollout> = asked.try_collect().await?;
    let is_pending = organizations.iter().any(|one| one.verdict == CommandStatus::Pending);
    let status = if is_pending { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, Json(RolloutState { version: planned.version, organizations })).into_response())
}

/// Asks an organization's lane; what it refuses is the answer to all.
async fn ask(sources: &Sources, viewer: &Viewer, share: Share) -> Result<OrganizationRollout, Problem> {
    let Share { organization, id, rollout, subscriptions } = share;
    let verb = Verb::Service(Service::Rollout(rollout));
    let asked = sources.commands.ask(viewer, Some(organization.clone()), id, verb).await.map_err(refused)?;
    let CommandState { command, verdict, detail, .. } = asked.into();
    if let Some(status) = verdict.refusal() {
        return Err(Problem::new(status, detail.unwrap_or_default()).decided());
    }
    Ok(OrganizationRollout { organization, subscriptions, command, verdict })
}

/// The id of an organization's part of what is asked for under a key.
fn id_for(key: &CommandId, org: &OrgName) -> Result<CommandId, Problem> {
    let id = hex::encode(Sha256::digest(format!("{key}\n{org}")));
    format!("rollout-{id}").parse().map_err(|error| Problem::internal(&error))
}
