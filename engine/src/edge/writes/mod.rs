//! What changes something: each request becomes a command, and is answered with what became of it.
//!
//! 200 or 201 when it is done, 202 when it is not yet decided after 2 s, 403, 404, 409 or 422 when it is refused.
//! Sent again under the same `Idempotency-Key` within a day, it is answered as before and done once.

pub(super) mod activations;
pub(super) mod addresses;
pub(super) mod approvals;
pub(super) mod devices;
pub(super) mod gathering;
pub(super) mod groups;
pub(super) mod incidents;
pub(super) mod intelligence;
pub(super) mod managers;
mod on_device;
pub(super) mod organizations;
pub(super) mod outcome;
pub(super) mod places;
mod preview;
pub(super) mod rule_book;
pub(super) mod scripts;
pub(super) mod sendings;
pub(super) mod services;
pub(super) mod subscriptions;
pub(super) mod values;

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use linesman_domain::commands::managers::Refused;
use linesman_domain::table::Table;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Fault, Verb};
use linesman_schemas::name::NameError;
use linesman_schemas::{CommandId, IncidentId, OrgName, Place};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, IntoResponses, ToSchema};

use super::commands::{Asked, Error};
use super::sources::Sources;
use super::transport::problem::{Problem, ProblemBody};
use super::viewer::Viewer;
use crate::data_dir::private::random_hex;
use crate::log::streams::lane_of;
use crate::store::Lane;
pub(super) use preview::DryRun;

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The header by which a command is known again.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header")]
pub(super) struct IdempotencyKey {
    /// The command's id, chosen by the client: 1 to 128 printable characters. Without one the engine makes one,
    /// and a request that is sent again is another command.
    #[param(rename = "Idempotency-Key", required = false, max_length = 128)]
    idempotency_key: String,
}

/// How a command stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CommandState {
    /// Its id.
    #[schema(value_type = String)]
    command: CommandId,
    /// Whose lane decides it; none for a command to the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    organization: Option<OrgName>,
    /// What became of it.
    verdict: CommandStatus,
    /// What was done, or why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
    /// What is to be approved before it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    approval: Option<String>,
    /// When it was decided, by the log's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    decided: Option<Timestamp>,
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Standing)]
pub(super) enum CommandStatus {
    /// It is on its way.
    Pending,
    /// It was done.
    Done,
    /// What it is about does not exist.
    NotFound,
    /// It does not fit how things stand.
    Conflict,
    /// It is beyond its bounds.
    Invalid,
    /// Whoever asked has not the right.
    Forbidden,
    /// It is done once somebody approves it.
    AwaitingApproval,
}

impl CommandStatus {
    /// The status of the answer where it was refused.
    const fn refusal(self) -> Option<StatusCode> {
        match self {
            Self::Pending | Self::Done | Self::AwaitingApproval => None,
            Self::NotFound => Some(StatusCode::NOT_FOUND),
            Self::Conflict => Some(StatusCode::CONFLICT),
            Self::Invalid => Some(StatusCode::UNPROCESSABLE_ENTITY),
            Self::Forbidden => Some(StatusCode::FORBIDDEN),
        }
    }
}

impl From<Verdict> for CommandStatus {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Done => Self::Done,
            Verdict::NotFound => Self::NotFound,
            Verdict::Conflict => Self::Conflict,
            Verdict::Invalid => Self::Invalid,
            Verdict::Forbidden => Self::Forbidden,
            Verdict::AwaitingApproval => Self::AwaitingApproval,
        }
    }
}

impl From<Asked> for CommandState {
    fn from(asked: Asked) -> Self {
        let Asked { id, whose, outcome } = asked;
        let (verdict, detail, decided) = match outcome {
            None => (CommandStatus::Pending, None, None),
            Some(row) => (row.verdict.into(), Some(row.detail), Some(row.decided)),
        };
        // What is kept of one that awaits approval is the approval's id.
        let (approval, detail) = match (verdict, detail) {
            (CommandStatus::AwaitingApproval, Some(id)) => {
                let detail = format!("awaits approval: `{id}`");
                (Some(id), Some(detail))
            }
            (_, detail) => (None, detail),
        };
        Self { command: id, organization: whose, verdict, detail, approval, decided }
    }
}

/// The answers to a write, besides the problems that any request may meet.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers")]
pub(super) enum Answers {
    /// It is done.
    #[response(status = 200)]
    Done(CommandState),
    /// It is on its way, or awaits approval; `Location` tells where its outcome will be, or the approval is.
    #[response(status = 202)]
    Pending(CommandState),
    /// Whoever asked has not the right.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] ProblemBody<'static>),
    /// What it is about does not exist.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemBody<'static>),
    /// It does not fit how things stand, or its `Idempotency-Key` was another command's.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] ProblemBody<'static>),
    /// It is beyond its bounds.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(#[to_schema] ProblemBody<'static>),
}

/// The command's id: the one the client chose, or a new one.
pub(super) fn command_id(headers: &HeaderMap) -> Result<CommandId, Problem> {
    let wrong = |detail: &str| Problem::parameter("Idempotency-Key", format!("`Idempotency-Key` {detail}"));
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let text = match (given.next(), given.next()) {
        (None, _) => return new_id(),
        (Some(text), None) => text.to_str().map_err(|_| wrong("is not printable ASCII"))?.to_owned(),
        (Some(_), Some(_)) => return Err(wrong("is given more than once")),
    };
    text.parse().map_err(|_| wrong("has 1 to 128 printable characters"))
}

/// A new id of a command.
pub(super) fn new_id() -> Result<CommandId, Problem> {
    let id = format!("api-{}", random_hex::<16>().map_err(|error| Problem::internal(&error))?);
    id.parse().map_err(|error: NameError| Problem::internal(&error))
}

/// Sends a command that keeps its bounds, if whoever asks may as far as is known here, and answers with what became of
/// it.
pub(super) async fn send(
    sources: &Sources,
    viewer: &Viewer,
    whose: Option<OrgName>,
    id: CommandId,
    verb: Verb,
) -> Result<Response, Problem> {
    allow(sources, viewer, whose.as_ref(), &verb)?;
    respond(sources.commands.ask(viewer, whose, id, verb).await.map_err(refused)?)
}

/// Lets on what keeps its bounds and is asked by whoever may, as far as is known here.
fn allow(sources: &Sources, viewer: &Viewer, whose: Option<&OrgName>, verb: &Verb) -> Result<(), Problem> {
    let place = verb.place(whose);
    if let Some(place) = &place {
        viewer.may(verb.operation(), place)?;
    }
    let sees = incident(verb).map_or(Ok(()), |incident| sources.commands.sees_incident(viewer, incident));
    let allowed = sees.and_then(|()| verb.check().map_err(|fault| out_of_bounds(&fault)));
    // The lane says the same of what comes to it from level 7 on.
    let allowed = allowed.and_then(|()| sources.is_of_mode(verb.operation()));
    allowed.map_err(|problem| match place {
        Some(place) => problem.of(verb.operation(), place),
        None => problem,
    })
}

/// [`send`], of what there is from an engine level on.
pub(super) async fn send_at(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    level: u32,
    whose: Option<OrgName>,
    id: CommandId,
    verb: Verb,
) -> Result<Response, Problem> {
    send_judged(sources, viewer, level, whose, id, verb, |_| Ok(None)).await
}

/// How a write is asked for: whether to be done at all, and under which headers.
type Way<'a> = (DryRun, &'a HeaderMap);

/// [`send_at`], of an organization's; or where that is asked for, what it would do.
async fn send_or_preview(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    (dry_run, headers): Way<'_>,
    level: u32,
    org: OrgName,
    verb: Verb,
) -> Result<Response, Problem> {
    // What is no command needs no id, but one that is given is one.
    let id = command_id(headers)?;
    if dry_run.is_on() {
        return preview::answer(sources, viewer, level, org, verb).await;
    }
    let given = preview::gives(&verb).then(|| verb.clone());
    match (send_at(sources, viewer, level, Some(org.clone()), id, verb).await, given) {
        (Err(refusal), Some(given)) if refusal.is_of_values() => {
            Err(preview::pointed(sources, viewer, org, given, refusal).await)
        }
        (answer, _) => answer,
    }
}

/// [`send_at`], once `judge` finds nothing wrong with a part of the body. What was decided before under the same id is
/// not judged again; what else is wrong, the lane says.
pub(super) async fn send_judged(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    level: u32,
    whose: Option<OrgName>,
    id: CommandId,
    verb: Verb,
    judge: impl FnOnce(&[Lane]) -> Result<Option<Refused>, linesman_domain::Error> + Send + 'static,
) -> Result<Response, Problem> {
    allow(sources, viewer, whose.as_ref(), &verb)?;
    stands_at(sources, level)?;
    if sources.commands.known(&viewer.principal(), whose.as_ref(), &id, &verb).map_err(refused)?.is_none() {
        let rows = Arc::clone(&sources.rows);
        // The store waits for the disk.
        let judged = tokio::task::spawn_blocking(move || judge(&rows)).await;
        let judged = judged.map_err(|error| Problem::internal(&error))?;
        let judged = judged.map_err(|error| Problem::internal(&error))?;
        if let Some(wrong) = judged.filter(|wrong| !wrong.pointer.is_empty()) {
            let pointer = format!("#{}", wrong.pointer);
            return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, pointer, wrong.detail));
        }
    }
    respond(sources.commands.ask(viewer, whose, id, verb).await.map_err(refused)?)
}

/// Whether there is an organization, for whoever sees it.
///
/// # Errors
/// There is none, or the state cannot be read.
pub(super) fn is_there(sources: &Sources, org: &OrgName) -> Result<(), Problem> {
    let lanes = u32::try_from(sources.rows.len()).unwrap_or(u32::MAX);
    let lane = sources.rows.get(lane_of(org.as_str(), lanes) as usize);
    let row = lane.map(|lane| Table::read(lane, &linesman_domain::organizations::key(org))).transpose();
    match row.map_err(|error| Problem::internal(&error))?.flatten() {
        Some(_) => Ok(()),
        None => Err(Problem::new(StatusCode::NOT_FOUND, format!("there is no organization `{org}`"))),
    }
}

/// The name of a device that whoever may do `operation` names so, or by its serial number.
///
/// # Errors
/// They may not, or there is none.
pub(super) fn reached(
    sources: &Sources,
    viewer: &Viewer,
    operation: &'static str,
    org: &OrgName,
    device: &str,
) -> Result<String, Problem> {
    let place = Place::Organization(org.clone());
    viewer.may(operation, &place)?;
    is_there(sources, org)?;
    let found = sources.hands.named(org, device).map_err(|error| Problem::internal(&error))?;
    let Some(name) = found else {
        let why = sources.hands.unnamed(org, device).map_err(|error| Problem::internal(&error))?;
        return Err(crate::edge::undone::undone(why).of(operation, place));
    };
    Ok(name)
}

/// The engine level from which on what a node does of itself for somebody goes on record.
pub(super) const RECORDED_FROM: u32 = 8;

/// The engine level from which on it goes on record that what belongs to cases was handed out.
pub(super) const HANDED_OUT_FROM: u32 = 10;

/// Puts on record what this node is about to do of itself for somebody, who may; nothing is to be done before.
///
/// # Errors
/// They may not, or it is not decided yet: then nothing is to be done.
pub(super) async fn on_record(
    sources: &Sources,
    viewer: &Viewer,
    whose: Option<OrgName>,
    verb: Verb,
) -> Result<(), Problem> {
    on_record_from(sources, viewer, RECORDED_FROM, whose, verb).await
}

/// [`on_record`], of what goes there from an engine level on.
pub(super) async fn on_record_from(
    sources: &Sources,
    viewer: &Viewer,
    level: u32,
    whose: Option<OrgName>,
    verb: Verb,
) -> Result<(), Problem> {
    on_record_as(sources, viewer, level, whose, new_id()?, verb).await
}

/// [`on_record_from`], under an id of its own.
pub(super) async fn on_record_as(
    sources: &Sources,
    viewer: &Viewer,
    level: u32,
    whose: Option<OrgName>,
    id: CommandId,
    verb: Verb,
) -> Result<(), Problem> {
    allow(sources, viewer, whose.as_ref(), &verb)?;
    stands_at(sources, level)?;
    let asked = sources.commands.ask(viewer, whose, id, verb).await.map_err(refused)?;
    match asked.outcome {
        Some(_) => respond(asked).map(drop),
        None => Err(Problem::busy("the log is behind, and nothing is done before it is on record; ask again later", 2)),
    }
}

/// Lets on where all lanes decide at an engine level or above.
fn stands_at(sources: &Sources, level: u32) -> Result<(), Problem> {
    let lanes = sources.lanes.iter().map(|lane| lane.borrow().level);
    if lanes.min().is_none_or(|found| found < level) {
        let detail = format!("this takes engine level {level}; `linesman level raise` raises it");
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    Ok(())
}

/// What is left out of a body is none, what is null is `Some(None)`.
pub(super) fn or_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The incident that a command is about.
const fn incident(verb: &Verb) -> Option<&IncidentId> {
    match verb {
        Verb::Incident(verb) => Some(verb.incident()),
        Verb::Case(verb) => verb.incident(),
        _ => None,
    }
}

/// The answer to a write.
pub(super) fn respond(asked: Asked) -> Result<Response, Problem> {
    let done = if asked.has_created() { StatusCode::CREATED } else { StatusCode::OK };
    let state = CommandState::from(asked);
    if let Some(status) = state.verdict.refusal() {
        return Err(Problem::new(status, state.detail.unwrap_or_default()).decided());
    }
    match state.verdict {
        CommandStatus::Pending => {
            let id = utf8_percent_encode(state.command.as_str(), NON_ALPHANUMERIC);
            let whose = state.organization.as_ref().map(|org| format!("?organization={org}")).unwrap_or_default();
            let location = format!("/api/v1/commands/{id}{whose}");
            let location = HeaderValue::from_str(&location).map_err(|error| Problem::internal(&error))?;
            Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(state)).into_response())
        }
        CommandStatus::AwaitingApproval => {
            let id = utf8_percent_encode(state.approval.as_deref().unwrap_or_default(), NON_ALPHANUMERIC);
            let location = HeaderValue::from_str(&format!("/api/v1/approvals/{id}"));
            let location = location.map_err(|error| Problem::internal(&error))?;
            Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(state)).into_response())
        }
        _ => Ok((done, Json(state)).into_response()),
    }
}

/// A part of a body is beyond its bounds.
pub(super) fn out_of_bounds(fault: &Fault) -> Problem {
    // A case's words are the whole body of the requests that bring them.
    let of_body = fault.pointer.strip_prefix("/case").filter(|pointer| pointer.starts_with('/'));
    let pointer = of_body.unwrap_or(&fault.pointer);
    let detail = format!("`{}` {}", pointer.trim_start_matches('/'), fault.message);
    Problem::field(StatusCode::UNPROCESSABLE_ENTITY, format!("#{pointer}"), detail)
}

/// Why a command was not sent, or is not known.
pub(super) fn refused(error: Error) -> Problem {
    match &error {
        Error::OtherCommand(_) => Problem::new(StatusCode::CONFLICT, error.to_string()),
        Error::Unknown(_) => Problem::new(StatusCode::NOT_FOUND, error.to_string()),
        Error::Log(source) => wait_for_log(source),
        Error::State(_) | Error::Random(_) | Error::Json(_) => Problem::internal(&error),
    }
}

/// The log is away.
pub(super) fn wait_for_log(error: &async_nats::jetstream::context::PublishError) -> Problem {
    tracing::warn!(%error, "a command does not reach the log");
    Problem::busy(
        "the log takes nothing at the moment; it is safe to send this again under the same `Idempotency-Key`",
        2,
    )
}
