//! What is done on devices at once for somebody: its operation, who may, that it is on record before, and what was not done as
//! the API answers it.

use axum::http::StatusCode;
use linesman_schemas::OrgName;
use linesman_schemas::command::{DeviceUse, DeviceVerb, UseKind, Verb};
use utoipa::IntoResponses;

use super::sources::Sources;
use super::transport::problem::{Problem, ProblemBody};
use super::viewer::Viewer;
use super::writes::{on_record_from, reached};
use crate::reach::{Undone, suspended};

/// What it is called where rights and the audit name it.
pub(super) const OPERATION: &str = "use-device";

/// What may become of it instead, besides the problems that any request may meet.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers")]
pub(super) enum Refusals {
    /// Whoever asked has not the right.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] ProblemBody<'static>),
    /// There is no such device, or no such file.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemBody<'static>),
    /// The log is of an earlier level, or the organization is suspended.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] ProblemBody<'static>),
    /// The device refuses, or does not answer.
    #[response(status = 502, content_type = "application/problem+json")]
    Undone(#[to_schema] ProblemBody<'static>),
}

pub(super) fn undone(undone: Undone) -> Problem {
    match undone {
        Undone::Nothing(what) => Problem::new(StatusCode::NOT_FOUND, what),
        Undone::Unfit(why) => Problem::new(StatusCode::CONFLICT, why),
        Undone::Failed(why) => Problem::new(StatusCode::BAD_GATEWAY, why),
        Undone::Refused(why, reply) => Problem::new(StatusCode::BAD_GATEWAY, why).replied(reply),
    }
}

/// Lets on whoever may use a device; the name by which it is reached. Nothing is done on devices of an organization that is
/// suspended.
pub(super) fn usable(sources: &Sources, viewer: &Viewer, org: &OrgName, device: &str) -> Result<String, Problem> {
    let name = reached(sources, viewer, OPERATION, org, device)?;
    match sources.hands.is_suspended(org).map_err(|error| Problem::internal(&error))? {
        false => Ok(name),
        true => Err(Problem::new(StatusCode::CONFLICT, suspended(org))),
    }
}

/// What is done on a device that is reached by a name, as records name it.
pub(super) fn using(name: &str, what: UseKind, sha256: String) -> DeviceUse {
    let id = String::new();
    DeviceUse { name: name.to_owned(), what, sha256, asks_only: false, id, added: None, removed: None }
}

/// Puts on record what somebody is about to do on a device, from a level on.
pub(super) async fn recorded(
    sources: &Sources,
    viewer: &Viewer,
    level: u32,
    (org, using): (&OrgName, DeviceUse),
) -> Result<(), Problem> {
    on_record_from(sources, viewer, level, Some(org.clone()), Verb::Device(DeviceVerb::Use(using))).await
}
