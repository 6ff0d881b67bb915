//! What end customers do: report cases, and say what they have done with them. Each becomes a command, and is answered
//! once its lane has applied it; sent again under the same key, it is answered as before.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use linesman_domain::cases::chain;
use linesman_domain::table::Table;
use linesman_schemas::audit::Verdict;
use linesman_schemas::cascade::{CaseReport, CaseStep, CaseView, Receipt, SYNOPSIS_MOST};
use linesman_schemas::command::{Case, CaseRemark, Fault, RemarkOrigin, Reported, Verb};
use linesman_schemas::outcome::CaseNote;
use linesman_schemas::{CommandId, IncidentId, OrgName};

use super::access::Asker;
use super::keys::IdempotencyKey;
use super::sources::Sources;
use super::view;
use super::{cases, keys};
use crate::edge::commands::Error;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::Problem;

/// The engine level from which on cases are reported.
const LEVEL: u32 = 6;

/// Takes a case. The key of a case holds as long as the case does.
#[utoipa::path(
    post, path = "/partner/v1/cases", tag = "cases", operation_id = "report-case", params(IdempotencyKey),
    request_body(content = ref("#/components/schemas/CaseReport"), content_type = "application/json"),
    responses(
        (status = 202, description = "It is taken.", content_type = "application/json",
            body = ref("#/components/schemas/Receipt")),
        (status = 409, description = "It has passed this controller already, or the key is another request's.",
            content_type = "application/problem+json", body = ref("#/components/schemas/Problem")),
    )
)]
pub(super) async fn report_case(
    State(sources): State<Arc<Sources>>,
    asker: Asker,
    headers: HeaderMap,
    JsonBody(report): JsonBody<CaseReport>,
) -> Result<(StatusCode, Json<Receipt>), Problem> {
    let key = keys::key(&headers)?;
    let org = asker.org();
    let id = keys::command("report", &key)?;
    let is_loop = report.trace_route.iter().any(|passed| **passed == *sources.controller);
    let is_long = report.synopsis.chars().count() > SYNOPSIS_MOST;
    let route = report.trace_route.join(" > ");
    let verb = Verb::Case(Case::Report(Box::new(Reported { key: key.clone(), report })));
    verb.check().map_err(|fault| out_of_bounds(&fault, "/report", ""))?;
    if is_long {
        let detail = format!("`synopsis` has more than {SYNOPSIS_MOST} characters");
        return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#/synopsis".to_owned(), detail));
    }
    if is_loop {
        let here = &sources.controller;
        let detail =
            format!("the case has passed this controller already: {route} > {here}; an upstream leads back here");
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    // What was taken is known for longer than what was asked.
    let receipt = match known(&sources, &asker, &id, &verb)? {
        true => receipt(&sources, org, &key)?,
        false => match receipt(&sources, org, &key)? {
            Some(receipt) => Some(receipt),
            None => {
                do_now(&sources, &asker, id, verb).await?;
                receipt(&sources, org, &key)?
            }
        },
    };
    receipt.map(|receipt| (StatusCode::ACCEPTED, Json(receipt))).ok_or_else(on_its_way)
}

/// Takes what the end customer has done with a case. What it says keeps its id, and is said once.
#[utoipa::path(
    post, path = "/partner/v1/cases/{transaction_id}/changes", tag = "cases", operation_id = "change-case",
    params(("transaction_id" = String, Path, description = "The receipt of the case."), IdempotencyKey),
    request_body(content = ref("#/components/schemas/CaseStep"), content_type = "application/json"),
    responses(
        (status = 200, description = "It is done; how the case stands now.", content_type = "application/json",
            body = ref("#/components/schemas/CaseView")),
        (status = 409, description = "It does not fit how the case stands, or the key is another request's.",
            content_type = "application/problem+json", body = ref("#/components/schemas/Problem")),
    )
)]
pub(super) async fn change_case(
    State(sources): State<Arc<Sources>>,
    asker: Asker,
    PathOf(cases::Receipts { transaction_id }): PathOf<cases::Receipts>,
    headers: HeaderMap,
    JsonBody(step): JsonBody<CaseStep>,
) -> Result<Json<CaseView>, Problem> {
    let key = keys::key(&headers)?;
    let (_, reported) = cases::find(&sources, asker.org(), &transaction_id)?;
    let id = keys::command("change", &key)?;
    let verb = verb(reported.incident.clone(), &step)?;
    let is_done = known(&sources, &asker, &id, &verb)? || reported.has_note(&step.note().id);
    if !is_done {
        do_now(&sources, &asker, id, verb).await?;
    }
    let (lane, reported) = cases::find(&sources, asker.org(), &transaction_id)?;
    cases::shown(lane, &reported)
}

/// What is asked for by a step.
fn verb(incident: IncidentId, step: &CaseStep) -> Result<Verb, Problem> {
    let CaseNote { id, author, at, text } = step.note().clone();
    let (name, make): (&str, fn(CaseRemark) -> Case) = match step {
        CaseStep::Note(_) => ("note", Case::Note),
        CaseStep::Close(_) => ("close", Case::Close),
        CaseStep::Reopen(_) => ("reopen", Case::Reopen),
    };
    let front = format!("/{name}");
    if id.is_empty() {
        let detail = format!("`{name}/id` is empty");
        return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, format!("#{front}/id"), detail));
    }
    let verb = Verb::Case(make(CaseRemark { incident, text, origin: Some(RemarkOrigin { id, author, at }) }));
    verb.check().map_err(|fault| out_of_bounds(&fault, "/origin", &front))?;
    Ok(verb)
}

/// Whether a command was done that was sent under this id before.
///
/// # Errors
/// It was refused, or another one was.
pub(super) fn known(sources: &Sources, asker: &Asker, id: &CommandId, verb: &Verb) -> Result<bool, Problem> {
    let known = sources.commands.known(&asker.principal(), Some(asker.org()), id, verb).map_err(refused)?;
    match known.and_then(|known| known.outcome) {
        Some(outcome) => done(outcome.verdict, outcome.detail).map(|()| true),
        None => Ok(false),
    }
}

/// Sends a command and waits until its lane has applied it.
///
/// # Errors
/// It was refused, is still on its way, or is more than the end customer may report in a day.
pub(super) async fn do_now(sources: &Sources, asker: &Asker, id: CommandId, verb: Verb) -> Result<(), Problem> {
    let org = asker.org();
    at_level(sources, org, LEVEL, "cases")?;
    // INVARIANT (bounds on everything): what reaches the log is kept for ever, so it is bounded in bytes and not in time alone.
    let bytes = serde_json::to_vec(&verb).map_err(|error| Problem::internal(&error))?.len();
    asker.report(bytes).map_err(|wait| {
        let most = sources.reported_most_bytes;
        let detail = format!("an end customer may report {most} bytes a day (`partner.reported_most_bytes`)");
        Problem::too_soon(detail, wait)
    })?;
    let asked = sources.commands.put(asker.principal(), Some(org.clone()), id, verb).await.map_err(refused)?;
    let outcome = asked.outcome.ok_or_else(on_its_way)?;
    done(outcome.verdict, outcome.detail)
}

/// Lets a request through that makes sense from an engine level on.
///
/// # Errors
/// The organization's lane is not at it.
pub(super) fn at_level(sources: &Sources, org: &OrgName, wanted: u32, what: &str) -> Result<(), Problem> {
    let level = sources.commands.level(Some(org));
    if level >= wanted {
        return Ok(());
    }
    let detail = format!("the partner takes {what} from engine level {wanted} on, and is at {level}: it must raise it");
    Err(Problem::busy(detail, 60))
}

/// What a lane has decided, where that is no.
fn done(verdict: Verdict, detail: String) -> Result<(), Problem> {
    let status = match verdict {
        Verdict::Done => return Ok(()),
        Verdict::NotFound => StatusCode::NOT_FOUND,
        Verdict::Conflict => StatusCode::CONFLICT,
        Verdict::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        // What end customers' controllers ask for needs no approval.
        Verdict::Forbidden | Verdict::AwaitingApproval => StatusCode::FORBIDDEN,
    };
    Err(Problem::new(status, detail).decided())
}

/// The receipt of the case that was reported under a key.
fn receipt(sources: &Sources, org: &OrgName, key: &str) -> Result<Option<Receipt>, Problem> {
    let Some(lane) = sources.lane(org) else { return Ok(None) };
    let read = || {
        let Some(leads) = Table::read(lane, &chain::key_of(org, key))? else { return Ok(None) };
        view::receipt(lane, org, leads.incident)
    };
    let transaction_id = read().map_err(|error: linesman_domain::Error| Problem::internal(&error))?;
    Ok(transaction_id.map(|transaction_id| Receipt { transaction_id }))
}

/// The lane has not applied it in time.
fn on_its_way() -> Problem {
    Problem::busy("it is on its way; send it again under the same `Idempotency-Key`", 1)
}

/// A part of the body is beyond its bounds: what is wrong with the command, said of the body it was made of.
fn out_of_bounds(fault: &Fault, of_command: &str, of_body: &str) -> Problem {
    let own = fault.pointer.strip_prefix(of_command).unwrap_or(&fault.pointer);
    let pointer = format!("{of_body}{own}");
    let detail = format!("`{}` {}", pointer.trim_start_matches('/'), fault.message);
    Problem::field(StatusCode::UNPROCESSABLE_ENTITY, format!("#{pointer}"), detail)
}

/// Why a command was not sent.
fn refused(error: Error) -> Problem {
    match &error {
        Error::OtherCommand(_) => {
            Problem::new(StatusCode::CONFLICT, "this `Idempotency-Key` was another request's; a new one needs its own")
        }
        Error::Unknown(_) => on_its_way(),
        Error::Log(source) => {
            tracing::warn!(error = %source, "a command of an end customer does not reach the log");
            let detail = "the log takes nothing at the moment; send this again under the same `Idempotency-Key`";
            Problem::busy(detail, 2)
        }
        Error::State(_) | Error::Random(_) | Error::Json(_) => Problem::internal(&error),
    }
}
