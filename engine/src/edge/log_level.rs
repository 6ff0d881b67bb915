//! `/api/v1/log-level`: what the engine's log tells, read and changed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use linesman_schemas::Place;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sources::Sources;
use super::transport::json::JsonBody;
use super::transport::problem::Problem;
use super::viewer::Viewer;
use crate::logging::Error;

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

/// Change what the engine's log tells, until it ends.
#[utoipa::path(
    put, path = "/api/v1/log-level", operation_id = "set-log-level", tag = "engine", request_body = LogLevel,
    responses((status = 200, description = "The level that counts from now on.", body = LogLevel))
)]
pub(super) async fn change(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    JsonBody(wanted): JsonBody<LogLevel>,
) -> Result<Json<LogLevel>, Problem> {
    viewer.may("set-log-level", &Place::Provider)?;
    match sources.logging.set(&wanted.level) {
        Ok(()) => {
            tracing::info!(level = wanted.level, "the log's level was changed");
            Ok(Json(wanted))
        }
        Err(Error::Directives(reason)) => {
            Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#/level".to_owned(), reason))
        }
        Err(error @ (Error::Parse(_) | Error::Gone(_))) => Err(Problem::internal(&error)),
    }
}
