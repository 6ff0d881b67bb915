//! What people do with approvals.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use linesman_domain::approvals::{LEVEL, SENDINGS};
use linesman_schemas::command::{Approval, ApprovalDecision, Verb};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Answers, IdempotencyKey, command_id, send_at};
use crate::edge::paths::ApprovalPath;
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;

/// What is said of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct DecisionBody {
    /// What is said of it; empty for nothing.
    #[serde(default)]
    #[schema(max_length = 4096, pattern = "^([^\\u0000-\\u001f\\u007f-\\u009f]|[\\t\\n\\r])*$")]
    comment: String,
}

/// Approves: what was asked for is done, as whoever asked, by the rights they have now.
///
/// Where it would come to something else than when it was asked for, it is asked for anew (409).
#[utoipa::path(
    post,
    path = "/api/v1/approvals/{id}/approve",
    operation_id = "approve-approval",
    tag = "approvals",
    params(ApprovalPath, IdempotencyKey),
    request_body = DecisionBody,
    responses(Answers)
)]
pub(in crate::edge) async fn approve(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<ApprovalPath>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<DecisionBody>,
) -> Result<Response, Problem> {
    decide(&sources, &viewer, path, &headers, body, Approval::Approve).await
}

/// Rejects: what was asked for is not done.
#[utoipa::path(
    post,
    path = "/api/v1/approvals/{id}/reject",
    operation_id = "reject-approval",
    tag = "approvals",
    params(ApprovalPath, IdempotencyKey),
    request_body = DecisionBody,
    responses(Answers)
)]
pub(in crate::edge) async fn reject(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<ApprovalPath>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<DecisionBody>,
) -> Result<Response, Problem> {
    decide(&sources, &viewer, path, &headers, body, Approval::Reject).await
}

async fn decide(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    ApprovalPath { id: approval }: ApprovalPath,
    headers: &HeaderMap,
    DecisionBody { comment }: DecisionBody,
    verb: fn(ApprovalDecision) -> Approval,
) -> Result<Response, Problem> {
    let (id, org) = (command_id(headers)?, approval.org.clone());
    let level = if approval.is_providers { SENDINGS } else { LEVEL };
    let verb = Verb::Approval(verb(ApprovalDecision { approval, comment }));
    send_at(sources, viewer, level, Some(org), id, verb).await
}
