//! `GET /api/v1/status`: how far the lanes are, and what waits for whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::gauges::{self, Seen};
use super::sources::Sources;
use super::transport::problem::Problem;
use super::viewer::Viewer;
use crate::store::Lane;
use linesman_domain::rows::{self, CircuitRow};
use linesman_domain::{self as domain, Error};

/// How the engine is.
#[derive(Debug, Serialize, ToSchema)]
struct Status {
    /// Whether it serves.
    ready: bool,
    /// Lane by lane.
    lanes: Vec<LaneState>,
    /// Reactions to be carried out, by destination.
    pending: Vec<Pending>,
    /// Destinations that are left alone for a while.
    circuits: Vec<Circuit>,
}

/// How a lane is.
#[derive(Debug, Serialize, ToSchema)]
struct LaneState {
    /// Which lane.
    lane: u32,
    /// Whether it has been taken up.
    running: bool,
    /// Why it was sealed and rebuilt, if it was.
    sealed: Option<String>,
    /// Sequence in IN of the last input applied.
    position: u64,
    /// The last sequence of the lane in IN; none when the log does not tell.
    end: Option<u64>,
    /// How far it is behind, in sequences of IN; none when the log does not tell.
    lag: Option<u64>,
    /// How far it is behind, in seconds; none when that is not known.
    lag_s: Option<f64>,
    /// The rule book it judges by.
    rule_book: Option<RuleBook>,
}

/// A rule book.
#[derive(Debug, Serialize, ToSchema)]
struct RuleBook {
    /// Counts up.
    version: u64,
    /// SHA-256 of its content, in hexadecimal.
    hash: String,
}

/// What waits for a destination.
#[derive(Debug, Serialize, ToSchema)]
struct Pending {
    /// The connector's name.
    destination: String,
    /// How many reactions.
    reactions: u64,
}

/// A destination that fails.
#[derive(Debug, Serialize, ToSchema)]
struct Circuit {
    /// The connector's name.
    destination: String,
    /// Failures in a row, in the lane that had most.
    failures: u32,
    /// It is left alone until then.
    open_until: Timestamp,
}

/// How far the lanes are, what waits for whom, and which destinations fail.
#[utoipa::path(
    get, path = "/api/v1/status", tag = "engine",
    responses((status = 200, description = "How the engine is.", body = Status))
)]
pub(super) async fn status(State(sources): State<Arc<Sources>>, viewer: Viewer) -> Result<Response, Problem> {
    viewer.sees_provider()?;
    let lanes = Arc::clone(&sources.rows);
    let read = tokio::task::spawn_blocking(move || read(&lanes)).await;
    let (books, circuits) =
        read.map_err(|error| Problem::internal(&error))?.map_err(|error| Problem::internal(&error))?;
    let seen = sources.gauges.look().await;
    let lanes = lanes_of(&sources, &seen, books);
    let pending = seen.pending.iter();
    let pending = pending.map(|(destination, count)| Pending { destination: destination.clone(), reactions: *count });
    let ready = *sources.ready.borrow();
    Ok((StatusCode::OK, Json(Status { ready, lanes, pending: pending.collect(), circuits })).into_response())
}

/// The rule book of each lane, and the open circuits.
fn read(lanes: &[Lane]) -> Result<(Vec<Option<RuleBook>>, Vec<Circuit>), Error> {
    let mut books = Vec::new();
    let mut circuits: BTreeMap<String, Circuit> = BTreeMap::new();
    for lane in lanes {
        books.push(domain::rule_book(lane)?.map(|row| RuleBook { version: row.version, hash: row.hash }));
        for row in lane.rows(b"x", None) {
            let (key, bytes) = row?;
            let row: CircuitRow = rows::decode(&key, &bytes)?;
            let Some(until) = row.open_until else { continue };
            let destination = String::from_utf8_lossy(key.get(1..).unwrap_or_default()).into_owned();
            let circuit = Circuit { destination: destination.clone(), failures: row.failures, open_until: until };
            let known = circuits.entry(destination).or_insert(circuit);
            known.failures = known.failures.max(row.failures);
            known.open_until = known.open_until.max(until);
        }
    }
    Ok((books, circuits.into_values().collect()))
}

fn lanes_of(sources: &Sources, seen: &Seen, books: Vec<Option<RuleBook>>) -> Vec<LaneState> {
    let lanes = (0..).zip(&sources.lanes).zip(&seen.ends).zip(books);
    let lanes = lanes.map(|(((lane, status), end), rule_book)| {
        let status = status.borrow();
        let (_, seconds) = gauges::lag(&status, *end, Timestamp::now());
        LaneState {
            lane,
            running: status.is_running,
            sealed: status.sealed.clone(),
            position: status.position,
            end: *end,
            lag: end.map(|end| end.saturating_sub(status.position)),
            lag_s: Some(seconds).filter(|seconds| seconds.is_finite()),
            rule_book,
        }
    });
    lanes.collect()
}
