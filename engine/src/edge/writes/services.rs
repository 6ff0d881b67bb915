//! What the provider's people do with services as organizations have them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use linesman_domain::activations::LEVEL;
use linesman_domain::preview::Asked;
use linesman_schemas::command::{Rollout, Service, Verb};
use linesman_schemas::{CommandId, OrgName, Place, Right, ServiceName, SubscriptionName};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::preview::{Preview, off_record, run};
use super::{
    Answers, CommandState, CommandStatus, DryRun, IdempotencyKey, Way, command_id, new_id, out_of_bounds, refused,
    stands_at,
};
use crate::edge::lists::rollout::{Plan, Share, Staying, Wanted, plan};
use crate::edge::paths::ServicePath;
use crate::edge::sources::Sources;
use crate::edge::transport::json::{JsonBody, stated};
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;

/// The largest `canary`.
const CANARY_MOST: u32 = 10_000;
/// Of how many organizations it is told what a rollout would do.
const PREVIEWED_MOST: usize = 20;
/// How many organizations are named where one has refused.
const NAMED_MOST: usize = 20;
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
    /// Whether they go over also where values would be at fault by it, or two would set the same differently.
    #[serde(default)]
    force: bool,
}

/// What a rollout comes to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::edge) struct RolloutState {
    /// The version that subscriptions go over to.
    version: String,
    /// The organizations that have subscriptions that go over.
    organizations: Vec<OrganizationRollout>,
    /// The subscriptions that cannot go over, and stay on their version: the first 200.
    staying: Vec<StayingSubscription>,
    /// How many more there are.
    more_staying: u64,
}

/// A subscription that cannot go over to a version.
#[derive(Debug, Serialize, ToSchema)]
struct StayingSubscription {
    /// Where it was made.
    #[schema(schema_with = words::place)]
    place: Place,
    /// Its name.
    #[schema(value_type = String)]
    subscription: SubscriptionName,
    /// Why.
    reason: String,
}

impl From<Staying> for StayingSubscription {
    fn from(Staying { place, subscription, reason }: Staying) -> Self {
        Self { place, subscription, reason }
    }
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

/// What a rollout came to, or would.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes an answer")]
enum RolloutAnswer {
    Begun(RolloutState),
    Preview(RolloutPreview),
}

/// What a rollout would do.
#[derive(Debug, Serialize, ToSchema)]
struct RolloutPreview {
    /// The version that subscriptions would go over to.
    version: String,
    /// Whether all of it was found out: it is ended after 20 organizations, or 5 s.
    complete: bool,
    /// The organizations that have subscriptions that would go over.
    previews: Vec<OrganizationPreview>,
    /// The subscriptions that could not go over: the first 200.
    staying: Vec<StayingSubscription>,
    /// How many more there are.
    more_staying: u64,
}

/// What a rollout would do for an organization.
#[derive(Debug, Serialize, ToSchema)]
struct OrganizationPreview {
    /// Whose.
    #[schema(value_type = String)]
    organization: OrgName,
    /// How many subscriptions would go over.
    subscriptions: u32,
    /// What would come of it; null where that was not found out any more.
    preview: Option<Preview>,
}

/// Lets subscriptions to a service go over to another version of it.
#[utoipa::path(
    post,
    path = "/api/v1/services/{name}/rollout",
    operation_id = "rollout-service",
    tag = "services",
    params(ServicePath, DryRun, IdempotencyKey),
    request_body = Option<RolloutBody>,
    responses(
        Answers,
        (status = 200, description = "It is begun; or, where `dry_run` is asked for, what it would do.", body = RolloutAnswer),
        (status = 202, description = "It is asked for, and not yet decided for all.", body = RolloutState),
    )
)]
pub(in crate::edge) async fn roll_out(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(ServicePath { name }): PathOf<ServicePath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
    body: Option<JsonBody<RolloutBody>>,
) -> Result<Response, Problem> {
    let body = body.map(|JsonBody(body)| body).unwrap_or_default();
    let answer = begin(&sources, &viewer, name, (dry_run, &headers), body).await;
    if dry_run.is_on() { answer.map_err(off_record) } else { answer }
}

/// Begins it, or tells what it would do.
async fn begin(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    name: ServiceName,
    (dry_run, headers): Way<'_>,
    body: RolloutBody,
) -> Result<Response, Problem> {
    let RolloutBody { under, version, canary, force } = body;
    let under = match under {
        None if viewer.effective()?.rights.has(Right::Services) && !viewer.reach().covers(&Place::Provider) => {
            return Err(no_place(viewer));
        }
        under => under.unwrap_or(Place::Provider),
    };
    viewer.may("rollout-service", &under)?;
    let verb = Rollout { service: name.clone(), version: version.clone(), under: under.clone(), canary, force };
    Verb::Service(Service::Rollout(verb)).check().map_err(|fault| out_of_bounds(&fault))?;
    if canary.is_some_and(|canary| !(1..=CANARY_MOST).contains(&canary)) {
        let detail = format!("`canary` is not between 1 and {CANARY_MOST}");
        return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#/canary".to_owned(), detail));
    }
    stands_at(sources, LEVEL)?;
    let key = command_id(headers)?;
    let wanted = Wanted { service: name, version, under, canary, force };
    if dry_run.is_on() {
        return preview(sources, viewer, wanted).await;
    }
    let mut planned = plan(sources, viewer, wanted, move |org| id_for(&key, org)).await?;
    let shares = std::mem::take(&mut planned.shares);
    let asked = stream::iter(shares).map(|share| ask(sources, viewer, share)).buffered(AT_ONCE);
    let organizations = all_or_why(asked.collect().await)?;
    let is_pending = organizations.iter().any(|one| one.verdict == CommandStatus::Pending);
    let status = if is_pending { StatusCode::ACCEPTED } else { StatusCode::OK };
    let Plan { version, staying, more_staying, .. } = planned;
    let staying = staying.into_iter().map(StayingSubscription::from).collect();
    Ok((status, Json(RolloutState { version, organizations, staying, more_staying })).into_response())
}

/// Whoever does not see all organizations says which place they mean.
fn no_place(viewer: &Viewer) -> Problem {
    let detail =
        format!("`{}` does not see all organizations: name the place that is meant with `under`", viewer.principal());
    Problem::new(StatusCode::FORBIDDEN, detail)
}

/// What a rollout would do, organization by organization.
async fn preview(sources: &Arc<Sources>, viewer: &Viewer, wanted: Wanted) -> Result<Response, Problem> {
    // Under a new id nothing was asked before.
    let key = new_id()?;
    let planned = plan(sources, viewer, wanted, move |org| id_for(&key, org)).await?;
    let verb = |rollout: &Rollout| {
        Asked::Command(viewer.principal(), Box::new(Verb::Service(Service::Rollout(rollout.clone()))))
    };
    let first = planned.shares.iter().take(PREVIEWED_MOST);
    let asked = first.map(|share| (share.organization.clone(), verb(&share.rollout))).collect();
    let mut found = run(sources, viewer, asked).await?.into_iter();
    let previews: Vec<OrganizationPreview> = planned
        .shares
        .into_iter()
        .map(|Share { organization, subscriptions, .. }| OrganizationPreview {
            organization,
            subscriptions: subscriptions.unwrap_or_default(),
            preview: found.next().flatten(),
        })
        .collect();
    let complete = previews.iter().all(|one| one.preview.as_ref().is_some_and(Preview::is_complete));
    let Plan { version, more_staying, .. } = planned;
    let staying = planned.staying.into_iter().map(StayingSubscription::from).collect();
    Ok(Json(RolloutPreview { version, complete, previews, staying, more_staying }).into_response())
}

/// What became of all; or why one has refused, and where subscriptions go over all the same.
fn all_or_why(asked: Vec<Result<OrganizationRollout, Problem>>) -> Result<Vec<OrganizationRollout>, Problem> {
    let (mut organizations, mut refused) = (Vec::new(), None);
    for one in asked {
        match one {
            Ok(one) => organizations.push(one),
            Err(problem) => {
                refused.get_or_insert(problem);
            }
        }
    }
    let Some(problem) = refused else { return Ok(organizations) };
    let names: Vec<String> =
        organizations.iter().take(NAMED_MOST).map(|one| format!("`{}`", one.organization)).collect();
    let more = organizations.len().saturating_sub(NAMED_MOST);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    Err(match names.is_empty() {
        true => problem,
        false => problem.adding(&format!("subscriptions of {}{more} go over", names.join(", "))),
    })
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
    // All that could go over have by then, since they were counted.
    let subscriptions = if detail.as_deref() == Some("unchanged") { Some(0) } else { subscriptions };
    Ok(OrganizationRollout { organization, subscriptions, command, verdict })
}

/// The id of an organization's part of what is asked for under a key.
fn id_for(key: &CommandId, org: &OrgName) -> Result<CommandId, Problem> {
    let id = hex::encode(Sha256::digest(format!("{key}\n{org}")));
    format!("rollout-{id}").parse().map_err(|error| Problem::internal(&error))
}
