//! `/api/v1/log-level`: what the engine's log tells, read and changed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use linesman_schemas::Place;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Engine, LogLevelChange, Verb};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sources::Sources;
use super::transport::json::JsonBody;
use super::transport::problem::Problem;
use super::viewer::Viewer;
use super::writes::{new_id, refused, respond};
use crate::config::check_log_level;
use crate::logging::Error;

/// The engine level from which on a change of it is in the audit.
const RECORDED_FROM: u32 = 5;

/// What the engine's log tells.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogLevel {
    /// `level` or `target=level`, separated by commas, as the setting `log.level` takes them.
    #[schema(max_length = 4096, example = "linesman::lane=debug,info")]
    level: String,
}

/// What the engine's log tells.
#[utoipa::path(
    get, path = "/api/v1/log-level", operation_id = "log-level", tag = "engine",
    responses((status = 200, description = "The level that counts.", body = LogLevel))
)]
pub(super) async fn show(State(sources): State<Arc<Sources>>, viewer: Viewer) -> Result<Json<LogLevel>, Problem> {
    viewer.may("log-level", &Place::Provider)?;
    Ok(Json(LogLevel { level: sources.logging.current() }))
}

/// Change what the engine's log tells, until it ends. It is in the audit before it is done; while the lanes' log takes
/// nothing, nothing is changed.
#[utoipa::path(
    put, path = "/api/v1/log-level", operation_id = "set-log-level", tag = "engine", request_body = LogLevel,
    responses((status = 200, description = "The level that counts from now on.", body = LogLevel))
)]
pub(super) async fn change(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    JsonBody(wanted): JsonBody<LogLevel>,
) -> Result<Response, Problem> {
    viewer.may("set-log-level", &Place::Provider)?;
    let wrong = |reason| Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#/level".to_owned(), reason);
    check_log_level(&wanted.level).map_err(wrong)?;
    if sources.commands.level(None) >= RECORDED_FROM {
        let change = LogLevelChange { old: sources.logging.current(), new: wanted.level.clone() };
        let verb = Verb::Engine(Engine::SetLogLevel(change));
        let asked = sources.commands.ask(&viewer, None, new_id()?, verb).await.map_err(refused)?;
        // Where the lane is behind its record will come: that is when people want to be told more.
        if asked.outcome.as_ref().is_some_and(|row| row.verdict != Verdict::Done) {
            return respond(asked);
        }
    }
    match sources.logging.set(&wanted.level) {
        Ok(()) => {
            tracing::info!(level = wanted.level, "the log's level was changed");
            Ok(Json(wanted).into_response())
        }
        Err(Error::Directives(reason)) => Err(wrong(reason)),
        Err(error @ (Error::Parse(_) | Error::Gone(_) | Error::Thread(_))) => Err(Problem::internal(&error)),
    }
}
