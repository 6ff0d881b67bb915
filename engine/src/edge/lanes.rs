//! `/api/v1/lanes`: how the lanes are, and the ways out of where one stands still.
//!
//! A way out is written outside the lanes' order, so it needs none of them; the lane that it is of puts it on record when it
//! comes to it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use linesman_schemas::Place;
use linesman_schemas::lane_override::{Overridden, Override, WHY_MOST};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, IntoResponses, ToSchema};

use super::sources::Sources;
use super::transport::json::JsonBody;
use super::transport::params::PathOf;
use super::transport::problem::{Problem, ProblemBody};
use super::viewer::Viewer;
use crate::lane::status::LaneStatus;
use crate::lane::stopped::{self, Refused, Stopped, Way};
use crate::logging::full;

/// The lanes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Lanes {
    /// Each, by its number.
    items: Vec<Lane>,
}

/// How a lane is.
#[derive(Debug, Serialize, ToSchema)]
struct Lane {
    /// Which.
    lane: u32,
    /// Whether it is at work.
    running: bool,
    /// Sequence in IN of the last input applied.
    position: u64,
    /// At which engine level it decides.
    level: u32,
    /// Why it was sealed and rebuilt, if it was.
    sealed: Option<String>,
    /// Where and why it stands still, if it does.
    stopped: Option<Stopped>,
}

/// Which input is skipped, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Skipped {
    /// Sequence in IN of the input.
    #[schema(minimum = 1)]
    position: u64,
    /// Why, for the audit.
    #[schema(min_length = 1, max_length = 1000)]
    why: String,
    /// Whether it is skipped although reports of what was carried out stand behind it: what they are of is decided again, with
    /// other numbers, and sent once more.
    #[serde(default)]
    force: bool,
}

/// Up to where what is decided is accepted, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WayOut {
    /// Sequence in IN up to where it was committed.
    #[schema(minimum = 1)]
    position: u64,
    /// Why, for the audit.
    #[schema(min_length = 1, max_length = 1000)]
    why: String,
}

/// The answers to whoever asks for a way out.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers")]
enum Answers {
    /// It is written; the lane is taken up again.
    #[response(status = 200)]
    Written(#[to_schema] Lanes),
    /// Whoever asked has not the right.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] ProblemBody<'static>),
    /// There is no such lane.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemBody<'static>),
    /// The lane does not stand still there, has decided nothing otherwise that could be accepted, or reports of what was carried
    /// out stand behind what is to be skipped.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] ProblemBody<'static>),
    /// There is no reason.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(#[to_schema] ProblemBody<'static>),
    /// The log takes nothing.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] ProblemBody<'static>),
}

/// Which lane.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct LanePath {
    /// Which lane.
    #[param(value_type = u32, minimum = 0, maximum = 47)]
    lane: String,
}

impl Lane {
    fn of(lane: u32, status: &LaneStatus) -> Self {
        Self {
            lane,
            running: status.is_running,
            position: status.position,
            level: status.level,
            sealed: status.sealed.clone(),
            stopped: status.stopped.as_deref().cloned(),
        }
    }
}

/// How the lanes are; where one stands still, at which input and why.
#[utoipa::path(
    get, path = "/api/v1/lanes", operation_id = "lanes", tag = "engine",
    responses((status = 200, description = "The lanes.", body = Lanes))
)]
pub(super) async fn lanes(State(sources): State<Arc<Sources>>, viewer: Viewer) -> Result<Json<Lanes>, Problem> {
    viewer.may("lanes", &Place::Provider)?;
    let items = (0..).zip(&sources.lanes).map(|(lane, status)| Lane::of(lane, &status.borrow()));
    Ok(Json(Lanes { items: items.collect() }))
}

/// Set an input aside that its lane cannot pass. It becomes a dead letter, and the lane goes on behind it. Where it is something
/// that fell due with the input (`timer`), that is set aside, and the input is decided; where it is a slice of a job (`job`), what is
/// left of the job goes with it, from engine level 15 on. Of what was
/// committed the lane then decides otherwise, which is accepted with it; where reports of what was carried out stand behind it,
/// only if that is forced.
#[utoipa::path(
    post, path = "/api/v1/lanes/{lane}/skip", operation_id = "skip-input", tag = "engine",
    params(LanePath), request_body = Skipped,
    responses(Answers)
)]
pub(super) async fn skip(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(LanePath { lane }): PathOf<LanePath>,
    JsonBody(body): JsonBody<Skipped>,
) -> Result<Json<Lanes>, Problem> {
    viewer.may("skip-input", &Place::Provider)?;
    let Skipped { position, why, force } = body;
    take(sources, viewer, &lane, Way::Skip { is_forced: force }, WayOut { position, why }).await
}

/// Accept what a lane decides otherwise than was committed: it counts from here on.
#[utoipa::path(
    post, path = "/api/v1/lanes/{lane}/rejudge", operation_id = "rejudge-lane", tag = "engine",
    params(LanePath), request_body = WayOut,
    responses(Answers)
)]
pub(super) async fn rejudge(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(LanePath { lane }): PathOf<LanePath>,
    JsonBody(body): JsonBody<WayOut>,
) -> Result<Json<Lanes>, Problem> {
    viewer.may("rejudge-lane", &Place::Provider)?;
    take(sources, viewer, &lane, Way::Rejudge, body).await
}

/// Writes a way out; how the lanes then are.
async fn take(
    sources: Arc<Sources>,
    viewer: Viewer,
    named: &str,
    way: Way,
    body: WayOut,
) -> Result<Json<Lanes>, Problem> {
    let WayOut { position, why } = body;
    let number = named.parse::<u32>().ok().filter(|number| number.to_string() == named);
    let found = number.and_then(|lane| Some((lane, sources.lanes.get(lane as usize)?)));
    let Some((lane, status)) = found else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "there is no such lane".to_owned()));
    };
    if why.trim().is_empty() || why.chars().count() > WHY_MOST || why.chars().any(char::is_control) {
        let detail = format!("a reason has 1 to {WHY_MOST} characters, none of them control characters");
        return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#/why".to_owned(), detail));
    }
    // Two ways out of one place would be two records of one.
    let alone = sources.replaying.lock().await;
    let status = status.borrow().clone();
    let one = Override {
        lane,
        position,
        message: String::new(),
        what: Overridden::SkipInput,
        by: viewer.principal(),
        node: sources.commands.node().to_owned(),
        at: Timestamp::now(),
        why,
    };
    let count = u32::try_from(sources.lanes.len()).unwrap_or(u32::MAX);
    match stopped::take((sources.client.clone(), count), &status, way, one).await {
        Ok(()) => {
            tracing::warn!(lane, position, ?way, principal = %viewer.principal(), "a way out was written");
            drop(alone);
            lanes(State(sources), viewer).await
        }
        Err(Refused::Conflict(detail)) => Err(Problem::new(StatusCode::CONFLICT, detail)),
        Err(error) => {
            tracing::warn!(lane, error = full(&error), "a way out cannot be written");
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the log takes nothing: try again".to_owned()))
        }
    }
}
