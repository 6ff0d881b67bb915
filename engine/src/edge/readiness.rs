//! `/healthz` and `/readyz`: whether the engine answers, and whether it serves, lane by lane. Nothing of organizations: anybody may ask.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::routes::Sources;

/// How ready the engine is.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
    /// Whether it serves and every lane runs.
    ready: bool,
    /// Lane by lane.
    lanes: Vec<LaneReadiness>,
}

/// How ready a lane is.
#[derive(Serialize, ToSchema)]
struct LaneReadiness {
    /// Which lane.
    lane: u32,
    /// Whether it has been taken up.
    running: bool,
    /// Sequence in IN of the last input applied.
    position: u64,
    /// Why it was sealed and rebuilt, if it was.
    sealed: Option<String>,
}

/// Whether the engine answers at all.
#[utoipa::path(
    get, path = "/healthz", tag = "engine", security(()),
    responses((status = 200, description = "It does.", body = String, content_type = "text/plain"))
)]
pub(super) async fn healthz() -> &'static str {
    "ok"
}

/// Whether the engine serves and every lane runs.
///
/// 200 when the engine serves and every lane runs, 503 otherwise; the detail either way.
#[utoipa::path(
    get, path = "/readyz", tag = "engine", security(()),
    responses(
        (status = 200, description = "It does.", body = Readiness),
        (status = 503, description = "It does not yet, or no more.", body = Readiness),
    )
)]
pub(super) async fn readyz(State(sources): State<Arc<Sources>>) -> Response {
    let lanes: Vec<_> = (0..)
        .zip(&sources.lanes)
        .map(|(lane, status)| {
            let status = status.borrow();
            let (running, position, sealed) = (status.is_running, status.position, status.sealed.clone());
            LaneReadiness { lane, running, position, sealed }
        })
        .collect();
    let ready = *sources.ready.borrow() && lanes.iter().all(|lane| lane.running);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, lanes })).into_response()
}
