//! `/api/v1/verification`: whether the streams are whole, as far as they were read, and a round through them for somebody.
//!
//! A round changes nothing, so it is on no record of the audit: the engine's log names who asked.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use linesman_schemas::Place;
use serde::Deserialize;
use utoipa::{IntoResponses, ToSchema};

use super::sources::Sources;
use super::transport::json::JsonBody;
use super::transport::problem::{Problem, ProblemBody};
use super::viewer::Viewer;
use crate::scrub::{Busy, Overview};

/// What is to be read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerificationWanted {
    /// Which lane alone is held against its log; null or absent: all.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 47)]
    lane: Option<u32>,
}

/// The answers to whoever asks for a round.
#[derive(IntoResponses)]
#[expect(dead_code, clippy::large_enum_variant, reason = "describes answers, and is never made")]
pub(super) enum Answers {
    /// It is under way: `asked` shows how far.
    #[response(status = 200)]
    Begun(#[to_schema] Overview),
    /// Whoever asked has not the right.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] ProblemBody<'static>),
    /// Another one that was asked for is under way.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] ProblemBody<'static>),
    /// There is no such lane.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(#[to_schema] ProblemBody<'static>),
}

/// Whether the streams are whole, as far as they were read.
#[utoipa::path(
    get, path = "/api/v1/verification", operation_id = "verification", tag = "engine",
    responses((status = 200, description = "What was read and found.", body = Overview))
)]
pub(super) async fn show(State(sources): State<Arc<Sources>>, viewer: Viewer) -> Result<Json<Overview>, Problem> {
    viewer.may("verification", &Place::Provider)?;
    Ok(Json(sources.verification.overview()))
}

/// Read both streams through at once, and hold them against what was decided: all lanes, or one. Who asks for what is under way
/// joins it.
#[utoipa::path(
    post, path = "/api/v1/verification", operation_id = "verify-streams", tag = "engine",
    request_body = VerificationWanted, responses(Answers)
)]
pub(super) async fn ask(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    JsonBody(VerificationWanted { lane }): JsonBody<VerificationWanted>,
) -> Result<Json<Overview>, Problem> {
    viewer.may("verify-streams", &Place::Provider)?;
    if lane.is_some_and(|lane| sources.lanes.get(lane as usize).is_none()) {
        let detail = "there is no such lane".to_owned();
        return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#/lane".to_owned(), detail));
    }
    match sources.verification.ask(lane) {
        Ok(_) => {
            tracing::info!(lane, principal = %viewer.principal(), "the streams are read through for somebody");
            Ok(Json(sources.verification.overview()))
        }
        Err(Busy) => {
            let detail = "another round through the streams is under way for somebody".to_owned();
            Err(Problem::new(StatusCode::CONFLICT, detail))
        }
    }
}
