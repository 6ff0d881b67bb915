//! `/api/v1/clock`: what time it is in each lane's log, by the NATS server and by this engine; and that somebody confirms the
//! server's, where a lane does not go by it.
//!
//! What is confirmed is a message in the log of the lane, which puts it on record when it comes to it.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use linesman_domain::clock::FAR_LEVEL;
use linesman_schemas::Place;
use linesman_schemas::control::ClockConfirmed;
use serde::{Deserialize, Serialize};
use utoipa::{IntoResponses, ToSchema};

use super::sources::Sources;
use super::transport::json::JsonBody;
use super::transport::problem::{Problem, ProblemBody};
use super::viewer::Viewer;
use crate::lane::status::LaneStatus;
use crate::lane::today;
use crate::log::readings;
use crate::logging::full;

/// How far apart clocks may be that say the same.
const SAME: SignedDuration = SignedDuration::from_mins(5);

/// What time it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Clocks {
    /// By the NATS server's clock; null where it does not answer.
    #[schema(value_type = Option<String>, format = DateTime)]
    server: Option<Timestamp>,
    /// By this engine's clock.
    #[schema(value_type = String, format = DateTime)]
    engine: Timestamp,
    /// In each lane, by its number.
    lanes: Vec<LaneClock>,
}

/// What time it is in a lane.
#[derive(Debug, Serialize, ToSchema)]
struct LaneClock {
    /// Which.
    lane: u32,
    /// By its clock, as the log has moved it on last, and what has passed since.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// How far the server's clock is ahead of it, in seconds; less than 0 where it is behind, 0 while the lane goes by it.
    ahead_s: i64,
    /// Since when the lane does not go by the server's clock, by its own; null while it does.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Whether server and engine say alike that it is more than a week later: that waits to be confirmed.
    waits: bool,
}

/// What is confirmed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeConfirmed {
    /// What time it is, by the NATS server's clock.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// In which lane alone; null or absent: in all that do not go by that clock.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 47)]
    lane: Option<u32>,
    /// Whether it is confirmed although this engine's clock says something else, and in lanes that do not wait for it.
    #[serde(default)]
    force: bool,
}

/// What was confirmed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Confirmed {
    /// The lanes that are told.
    lanes: Vec<u32>,
}

/// The answers to whoever confirms what time it is.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers")]
enum Answers {
    /// It is in the log of each of these lanes.
    #[response(status = 200)]
    Written(#[to_schema] Confirmed),
    /// Whoever asked has not the right.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] ProblemBody<'static>),
    /// The server's clock says something else, or this engine's does and that is not forced; or nothing waits to be confirmed.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] ProblemBody<'static>),
    /// There is no such lane.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(#[to_schema] ProblemBody<'static>),
    /// The log does not answer, or takes nothing.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] ProblemBody<'static>),
}

impl LaneClock {
    fn of(lane: u32, status: &LaneStatus) -> Self {
        let doubt = status.doubt;
        Self {
            lane,
            time: seconds(time_in(status)),
            ahead_s: doubt.map_or(0, |doubt| doubt.ahead.as_secs()),
            since: doubt.map(|doubt| seconds(doubt.since)),
            waits: waits(status),
        }
    }
}

/// What time it is in a lane.
fn time_in(status: &LaneStatus) -> Timestamp {
    let passed = Instant::now().saturating_duration_since(status.moved);
    status.now.checked_add(passed).unwrap_or(Timestamp::MAX)
}

/// Whether nothing but a confirmation is missing for a lane to go by the server's clock: this engine's says the same.
pub(super) fn waits(status: &LaneStatus) -> bool {
    let Some(doubt) = status.doubt.filter(|doubt| doubt.is_far(status.level)) else { return false };
    let heard = time_in(status).checked_add(doubt.ahead).unwrap_or(Timestamp::MAX);
    agree(heard, today())
}

/// Whether two clocks say the same.
fn agree(one: Timestamp, other: Timestamp) -> bool {
    one.duration_since(other).abs() <= SAME
}

fn seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// What time it is: in each lane, by the NATS server, and by this engine.
#[utoipa::path(
    get, path = "/api/v1/clock", operation_id = "clock", tag = "engine",
    responses((status = 200, description = "What the clocks say.", body = Clocks))
)]
pub(super) async fn show(State(sources): State<Arc<Sources>>, viewer: Viewer) -> Result<Json<Clocks>, Problem> {
    viewer.may("clock", &Place::Provider)?;
    let server = readings::server_time(&sources.client).await.ok();
    let lanes = (0..).zip(&sources.lanes).map(|(lane, status)| LaneClock::of(lane, &status.borrow())).collect();
    Ok(Json(Clocks { server: server.map(seconds), engine: seconds(today()), lanes }))
}

/// Confirm what time it is by the NATS server's clock, in lanes that do not go by it since it is far ahead: from there on they do.
/// Where this engine's clock says something else, and in lanes that do not wait for it, only if that is forced.
/// Their clock never goes back, so a time that is wrong is right again only after it has come, or twice as late.
#[utoipa::path(
    post, path = "/api/v1/clock/confirm", operation_id = "confirm-clock", tag = "engine", request_body = TimeConfirmed,
    responses(Answers)
)]
pub(super) async fn confirm(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    JsonBody(TimeConfirmed { time, lane, force }): JsonBody<TimeConfirmed>,
) -> Result<Json<Confirmed>, Problem> {
    viewer.may("confirm-clock", &Place::Provider)?;
    if lane.is_some_and(|lane| sources.lanes.get(lane as usize).is_none()) {
        let detail = "there is no such lane".to_owned();
        return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#/lane".to_owned(), detail));
    }
    let conflict = |detail: String| Problem::new(StatusCode::CONFLICT, detail);
    let behind = lanes_behind(&sources, lane, |_| true);
    if behind.is_empty() {
        return Err(conflict(match lane {
            Some(lane) => format!(
                "nothing waits to be confirmed: the server's clock is not ahead of lane {lane}, or that is below engine level \
                 {FAR_LEVEL}"
            ),
            None => format!(
                "nothing waits to be confirmed: the server's clock is ahead of no lane at engine level {FAR_LEVEL}, or above it"
            ),
        }));
    }
    let unavailable = |error: &dyn std::error::Error| {
        tracing::warn!(error = full(error), "what time it is cannot be confirmed");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the log does not answer: try again".to_owned())
    };
    let server = readings::server_time(&sources.client).await.map_err(|error| unavailable(&error))?;
    if !agree(server, time) {
        return Err(conflict(format!("by the NATS server's clock it is {}, not {}", seconds(server), seconds(time))));
    }
    let told = if force { behind } else { agreed(&sources, lane, server).map_err(conflict)? };
    let confirmed = ClockConfirmed { time: server, by: viewer.principal(), node: sources.commands.node().to_owned() };
    for lane in &told {
        readings::confirm(&sources.client, *lane, confirmed.clone()).await.map_err(|error| unavailable(&error))?;
    }
    tracing::warn!(time = %server, lanes = ?told, principal = %viewer.principal(), "it was confirmed what time it is");
    Ok(Json(Confirmed { lanes: told }))
}

/// The lanes that wait for the server's time to be confirmed, which this engine's clock says too.
///
/// # Errors
/// It says something else, or none waits.
fn agreed(sources: &Sources, lane: Option<u32>, server: Timestamp) -> Result<Vec<u32>, String> {
    let engine = today();
    if !agree(server, engine) {
        return Err(format!(
            "by the NATS server's clock it is {}, by this engine's {}: set the wrong one right; only where that cannot be done, \
             and the server's is right, confirm it with `force`, which cannot be taken back",
            seconds(server),
            seconds(engine)
        ));
    }
    let told = lanes_behind(sources, lane, waits);
    match told.is_empty() {
        true => {
            Err("nothing waits to be confirmed: what the server's clock is ahead by is believed without".to_owned())
        }
        false => Ok(told),
    }
}

/// The lanes that the server's clock is ahead of, that do not go by it and of which something holds; of one alone, whether it is one.
fn lanes_behind(sources: &Sources, lane: Option<u32>, holds: impl Fn(&LaneStatus) -> bool) -> Vec<u32> {
    let is_behind = |status: &LaneStatus| {
        let is_ahead = status.doubt.is_some_and(|doubt| doubt.ahead.is_positive() && !doubt.is_slow);
        is_ahead && status.level >= FAR_LEVEL && holds(status)
    };
    let all = (0_u32..).zip(&sources.lanes).filter(|(_, status)| is_behind(&status.borrow()));
    all.map(|(number, _)| number).filter(|number| lane.is_none_or(|lane| lane == *number)).collect()
}
