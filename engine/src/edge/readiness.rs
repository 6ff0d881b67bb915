//! `/healthz` and `/readyz`: whether the engine answers, and whether it serves, lane by lane, and how
//! its policies are. Nothing of organizations to anybody who asks: which policies are refused is told
//! to whoever bears the token; how far lanes and rule book have come, which counts what everybody does, to
//! whoever sees everything.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{Extensions, StatusCode};
use axum::response::{IntoResponse, Response};
use linesman_schemas::control::{RefusedPolicy, Section};
use linesman_schemas::service::RefusedService;
use serde::Serialize;
use utoipa::ToSchema;

use super::faults::FaultTold;
use super::sources::Sources;
use super::viewer::Viewer;
use crate::lane::stopped::Stopped;

/// How ready the engine is.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
    /// Whether it serves, can work, and every lane runs.
    ready: bool,
    /// By what it cannot work, and what is to be done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    faults: Vec<FaultTold>,
    /// Lane by lane.
    lanes: Vec<LaneReadiness>,
    /// How the policies are.
    policies: PolicyReadiness,
    /// How the services are.
    services: ServiceReadiness,
}

/// How the policies are.
#[derive(Serialize, ToSchema)]
struct PolicyReadiness {
    /// For whoever sees everything: the version of the rule book that every lane judges by.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rule_book: Option<u64>,
    /// How many files are refused; for each, what was good last stays.
    refused: usize,
    /// The sections of the rule book that this node's files have otherwise than what another has loaded since; the
    /// log decides. `POST /api/v1/policies/load` loads the files of this node.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, required = false)]
    differing: Vec<Section>,
    /// With the token only: which they are, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<RefusedFile>>,
    /// With the token only: why the rule directory cannot be read, if it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<String>,
}

/// How the services are.
#[derive(Serialize, ToSchema)]
struct ServiceReadiness {
    /// How many are refused; each goes on as it was good last.
    refused: usize,
    /// For whoever sees the provider's: which they are, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<RefusedServiceFile>>,
}

/// A service that is refused, or the parameters of all, with the first fault.
#[derive(Serialize, ToSchema)]
struct RefusedServiceFile {
    /// Where it lies in the rule directory.
    path: String,
    /// SHA-256 of what was refused, in hexadecimal.
    hash: String,
    /// The fault's line, from 1.
    line: u32,
    /// Its column in characters, from 1.
    column: u32,
    /// What is wrong there.
    message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// Whether it goes on as it was good last.
    stays: bool,
}

impl From<&RefusedService> for RefusedServiceFile {
    fn from(refused: &RefusedService) -> Self {
        let RefusedService { path, hash, line, column, message, help, stays } = refused.clone();
        Self { path, hash, line, column, message, help, stays }
    }
}

/// A policy file that is refused, with its first fault.
#[derive(Serialize, ToSchema)]
struct RefusedFile {
    /// Where it lies in the rule directory.
    path: String,
    /// SHA-256 of the text that was refused, in hexadecimal.
    hash: String,
    /// The fault's line, from 1.
    line: u32,
    /// Its column in characters, from 1.
    column: u32,
    /// What is wrong there.
    message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// The policy that goes on with its last good text; none when it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    stays: Option<String>,
}

impl From<&RefusedPolicy> for RefusedFile {
    fn from(refused: &RefusedPolicy) -> Self {
        Self {
            path: refused.path.clone(),
            hash: refused.hash.clone(),
            line: refused.line,
            column: refused.column,
            message: refused.message.clone(),
            help: refused.help.clone(),
            stays: refused.stays.as_ref().map(ToString::to_string),
        }
    }
}

/// How ready a lane is.
#[derive(Serialize, ToSchema)]
struct LaneReadiness {
    /// Which lane.
    lane: u32,
    /// Whether it has been taken up.
    running: bool,
    /// For whoever sees everything: sequence in IN of the last input applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    position: Option<u64>,
    /// Why it was sealed and rebuilt, if it was.
    sealed: Option<String>,
    /// Why it stands still, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    stopped: Option<String>,
}

/// Why a lane stands still. What it is about is for whoever sees everything.
fn readable(stopped: &Stopped, of_provider: bool) -> String {
    match (&stopped.diverged, of_provider) {
        (_, true) => stopped.why.clone(),
        (Some(_), false) => "it decides otherwise than was committed".to_owned(),
        (None, false) => "it cannot decide an input".to_owned(),
    }
}

/// Whether the engine answers at all.
#[utoipa::path(
    get, path = "/healthz", tag = "engine", security(()),
    responses((status = 200, description = "It does.", body = String, content_type = "text/plain"))
)]
pub(super) async fn healthz() -> &'static str {
    "ok"
}

/// Whether the engine serves, can work, and every lane runs.
///
/// 200 when the engine serves, can work, and every lane runs, 503 otherwise; the detail either way. It cannot work while the
/// NATS server does not answer or has no room, a stream is gone or otherwise than it must be, or a lane makes no
/// progress. Refused
/// policies and services do not make it unready: it serves with those that were good last. Which they are is told
/// to whoever bears the token.
#[utoipa::path(
    get, path = "/readyz", tag = "engine", security(()),
    responses(
        (status = 200, description = "It does.", body = Readiness),
        (status = 503, description = "It does not yet, or no more.", body = Readiness),
    )
)]
pub(super) async fn readyz(State(sources): State<Arc<Sources>>, extensions: Extensions) -> Response {
    let viewer: Option<&Viewer> = extensions.get();
    let of_provider = viewer.is_some_and(|viewer| viewer.sees(None));
    let lanes: Vec<_> = (0..)
        .zip(&sources.lanes)
        .map(|(lane, status)| {
            let status = status.borrow();
            let (running, sealed) = (status.is_running, status.sealed.clone());
            let position = of_provider.then_some(status.position);
            let stopped = status.stopped.as_deref().map(|stopped| readable(stopped, of_provider));
            LaneReadiness { lane, running, position, sealed, stopped }
        })
        .collect();
    let faults: Vec<_> = sources.faults.borrow().iter().map(|fault| FaultTold::of(fault, of_provider)).collect();
    let ready = *sources.ready.borrow() && faults.is_empty() && lanes.iter().all(|lane| lane.running);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let known = sources.policies.borrow().clone();
    let files = |viewer: &Viewer| {
        let seen = known.refused.iter().filter(|refused| viewer.sees_whole(refused.owner.as_ref()));
        seen.map(RefusedFile::from).collect()
    };
    let policies = PolicyReadiness {
        rule_book: of_provider.then_some(known.version),
        refused: known.count,
        differing: known.differing.clone(),
        files: viewer.map(files),
        directory: known.directory.clone().filter(|_| of_provider),
    };
    let services = ServiceReadiness {
        refused: known.services.len(),
        files: of_provider.then(|| known.services.iter().map(RefusedServiceFile::from).collect()),
    };
    (status, Json(Readiness { ready, faults, lanes, policies, services })).into_response()
}
