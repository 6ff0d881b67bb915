//! `POST /api/v1/dead-letters/{id}/replay`: once more, now that the cause is mended.
//!
//! An input enters the log again as a new one, and a command says so to the audit; a policy that failed is run
//! again by a command, and so is a case or a file of one that was given up. If the engine is killed between the two, an input may enter twice: what is well is
//! then recognised as a repetition, and what is still broken is set aside twice.

use std::sync::Arc;

use async_nats::Client;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use linesman_schemas::command::{
    Case, CaseWish, CaseWords, GivenUp, Input, LetterRef, Policy, PolicyRun, Replay, Verb,
};
use linesman_schemas::{IncidentId, OrgName};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Letter, LetterPath, Replayed, find, log_is_away};
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words::Flag;
use crate::edge::writes::{Answers, IdempotencyKey, command_id, refused, respond, send, wait_for_log};
use crate::log::streams::IN;
use crate::log::{events, inputs};
use linesman_domain::organizations::Standing;
use linesman_domain::{letters, uploads, upstream};

/// The last token of the subject by which an input enters again.
const SOURCE: &str = "replay";

/// Whether it is done though it was done before.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::edge) struct Again {
    /// Whether a letter is replayed that was replayed before: what it decides is decided once more.
    #[param(value_type = Option<bool>, required = false)]
    again: Option<Flag>,
}

impl Again {
    fn is_on(self) -> bool {
        self.again == Some(Flag::True)
    }
}

/// Puts what was set aside to work again.
///
/// An input that could not be decoded, or whose organization was unknown or suspended, enters the log again as a
/// new one. A policy that failed judges again what it failed on, with its present text, if it still matches.
/// From engine level 17 on a case that was given up is submitted again as it was, and so is a file of one.
/// From engine level 16 on one that was replayed is replayed again only where `again` says so.
#[utoipa::path(
    post,
    path = "/api/v1/dead-letters/{id}/replay",
    operation_id = "replay-input",
    tag = "dead letters",
    params(LetterPath, Again, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn replay(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<LetterPath>,
    Params(again): Params<Again>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let command = command_id(&headers)?;
    // One at a time: whether an input has entered already is looked up before it enters.
    let _turn = sources.replaying.lock().await;
    let letter = find(&sources, &viewer, &path.id).await?;
    let (org, kind, verb) = asked(&sources, &letter)?;
    let operation = if kind.is_some() { "replay-input" } else { verb.operation() };
    viewer.may(operation, &org.clone().into())?;
    // Sent again under the same id, it is not done again.
    if let Some(asked) = sources.commands.known(&viewer.principal(), Some(&org), &command, &verb).map_err(refused)? {
        return respond(asked);
    }
    if let Some(replayed) = letter.replayed.as_ref().filter(|replayed| replayed.is_done() && !again.is_on()) {
        let Replayed { by, at, .. } = replayed;
        return Err(conflict(format!("`{by}` has replayed it at {at}; once more only with `--again` (`?again=true`)")));
    }
    if let Some(kind) = kind {
        if let Ok(on_its_way) = sources.commands.find(&viewer, Some(org.clone()), command.clone()) {
            return respond(on_its_way);
        }
        match sources.commands.standing(&viewer, &org).map_err(|error| Problem::internal(&error))? {
            Some(Standing::Active) => {}
            Some(Standing::Suspended) => {
                return Err(conflict(format!("the organization `{org}` is suspended: lift that first")));
            }
            None => return Err(conflict(format!("there is no organization `{org}` yet: create it first"))),
        }
        let bytes = bytes(&sources.client, &letter).await?;
        let put = inputs::put(&sources.client, format!("in.{org}.{kind}.{SOURCE}"), bytes).await;
        put.map_err(|error| wait_for_log(&error))?;
    }
    send(&sources, &viewer, org.into(), command, verb).await
}

/// What is asked of whom to put a letter to work again; of an input its kind too.
fn asked<'a>(sources: &Sources, letter: &'a Letter) -> Result<(OrgName, Option<&'a str>, Verb), Problem> {
    let of = |org: &OrgName| {
        let is_kept = sources.commands.level(Some(org)) >= letters::LEVEL;
        is_kept.then(|| LetterRef { event: letter.event.clone(), time: letter.time, reason: letter.reason })
    };
    if let Some(reaction) = &letter.reaction {
        return given_up(sources, letter, reaction).map(|(org, case)| (org, None, Verb::Case(case)));
    }
    let Some(policy) = &letter.policy else {
        let (org, kind) = origin(letter)?;
        let replay = Replay { event: letter.event.clone(), sequence: letter.input, letter: of(&org) };
        return Ok((org, Some(kind), Verb::Input(Input::Replay(replay))));
    };
    let org = letter.organization.clone().ok_or_else(|| conflict("the policy belongs to no organization"))?;
    let run = PolicyRun {
        policy: policy.name.clone(),
        trigger: policy.on,
        event: policy.trigger.clone(),
        about: policy.about.clone(),
        letter: of(&org),
    };
    Ok((org, None, Verb::Policy(Policy::Run(run))))
}

/// What is asked where a reaction was given up: one that was to bring a case upward, or a file of one.
fn given_up(sources: &Sources, letter: &Letter, reaction: &str) -> Result<(OrgName, Case), Problem> {
    let org = letter.organization.clone().ok_or_else(|| conflict("the reaction belongs to no organization"))?;
    let incident = letter.about.as_ref().and_then(|about| about.parse::<IncidentId>().ok());
    let connector = letter.subject.rsplit('.').next().unwrap_or_default();
    let incident = incident.filter(|_| upstream::is_one(connector));
    let (Some(incident), Ok(reaction)) = (incident, reaction.parse()) else {
        return Err(conflict("a reaction was given up that was to bring no case upward: nothing of it is kept"));
    };
    if sources.commands.level(Some(&org)) < uploads::AGAIN {
        return Err(conflict("a reaction was given up, not an input: submit the incident's case again"));
    }
    let letter = LetterRef { event: letter.event.clone(), time: letter.time, reason: letter.reason };
    let given_up = Some(GivenUp { reaction, letter });
    Ok((org, Case::Submit(CaseWish { incident, case: CaseWords::default(), given_up })))
}

/// Whose input it was, and of which kind.
fn origin(letter: &Letter) -> Result<(OrgName, &str), Problem> {
    if letter.counted.is_some() {
        return Err(conflict("it counts inputs, which stand in IN: publish again what of them is wanted"));
    }
    let mut tokens = letter.subject.split('.');
    match (tokens.next(), tokens.next().map(str::parse), tokens.next(), tokens.next()) {
        (Some("in"), Some(Ok(org)), Some(kind @ ("jmb" | "intel" | "cmd" | "result")), None) => Ok((org, kind)),
        _ => Err(conflict(format!("what came by `{}` can enter by no subject", letter.subject))),
    }
}

/// The input's bytes, as they came.
async fn bytes(client: &Client, letter: &Letter) -> Result<Vec<u8>, Problem> {
    if let Some(bytes) = &letter.bytes {
        return STANDARD.decode(bytes).map_err(|error| Problem::internal(&error));
    }
    let message = events::message(client, IN, letter.input).await.map_err(|error| log_is_away(&error))?;
    let bytes = message.map(|(_, bytes)| bytes).filter(|bytes| bytes.len() == letter.length);
    bytes.ok_or_else(|| conflict("the log has the input no more"))
}

fn conflict(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::CONFLICT, detail)
}
