//! `GET /readyz`: whether the engine serves, lane by lane. Nothing of organizations: anybody may ask.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::routes::Sources;

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    lanes: Vec<LaneReadiness>,
}

#[derive(Serialize)]
struct LaneReadiness {
    lane: u32,
    running: bool,
    /// Sequence in IN of the last input applied.
    position: u64,
    /// Why it was sealed and rebuilt, if it was.
    sealed: Option<String>,
}

/// 200 when the engine serves and every lane runs, 503 otherwise; the detail either way.
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
