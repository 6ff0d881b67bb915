//! `/api/v1/level`: at which engine level the lanes decide, and raising it.
//!
//! The provider's command is decided on lane 0, which is at the level from there on; the other lanes follow.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use linesman_domain::level::{LEVELS, NEWEST, OLDEST};
use linesman_schemas::Place;
use linesman_schemas::command::{Engine, LevelRaise, Verb};
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;

use super::sources::Sources;
use super::transport::json::JsonBody;
use super::transport::problem::Problem;
use super::viewer::Viewer;
use super::writes::{Answers, IdempotencyKey, command_id, send};

/// At which engine level the log is decided.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Level {
    /// The level of the whole: what every lane decides at, or above it.
    level: u32,
    /// The lowest level that this engine decides at.
    oldest: u32,
    /// The highest; where it is above `level`, that may be raised.
    newest: u32,
    /// Lane by lane.
    lanes: Vec<LaneLevel>,
}

/// At which engine level a lane decides.
#[derive(Debug, Serialize, ToSchema)]
struct LaneLevel {
    /// Which lane.
    lane: u32,
    /// Its level.
    level: u32,
}

/// The level that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LevelBody {
    /// Above the present one, and at most the engine's newest.
    #[serde(deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 1000)]
    level: u32,
}

/// A whole number: JSON has but one kind of them, so `2.0` is `2` (RFC 8259, section 6).
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let number = value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number));
    number.map(|number| number as u32).ok_or_else(|| de::Error::custom("a level is a whole number such as 2"))
}

/// At which engine level the lanes decide, and which this engine knows.
#[utoipa::path(
    get, path = "/api/v1/level", operation_id = "level", tag = "engine",
    responses((status = 200, description = "The levels.", body = Level))
)]
pub(super) async fn show_level(State(sources): State<Arc<Sources>>, viewer: Viewer) -> Result<Json<Level>, Problem> {
    viewer.may("level", &Place::Provider)?;
    let lanes = (0..).zip(&sources.lanes).map(|(lane, status)| LaneLevel { lane, level: status.borrow().level });
    let lanes: Vec<_> = lanes.collect();
    let level = lanes.iter().map(|lane| lane.level).min().unwrap_or(OLDEST);
    Ok(Json(Level { level, oldest: OLDEST, newest: NEWEST, lanes }))
}

/// Raises the engine level, for good: an engine that does not know it refuses the log from then on.
#[utoipa::path(
    put, path = "/api/v1/level", operation_id = "raise-level", tag = "engine", params(IdempotencyKey), request_body = LevelBody,
    responses(Answers)
)]
pub(super) async fn raise_level(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    headers: HeaderMap,
    JsonBody(body): JsonBody<LevelBody>,
) -> Result<Response, Problem> {
    viewer.may("raise-level", &Place::Provider)?;
    let id = command_id(&headers)?;
    if !LEVELS.contains(&body.level) {
        let detail = format!("this engine does not know level {}; it knows {OLDEST} to {NEWEST}", body.level);
        return Err(Problem::field(StatusCode::CONFLICT, "#/level".to_owned(), detail));
    }
    let verb = Verb::Engine(Engine::RaiseLevel(LevelRaise { level: body.level }));
    send(&sources, &viewer, None, id, verb).await
}
