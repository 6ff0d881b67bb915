//! `POST /api/v1/dead-letters/{id}/replay`: once more, now that the cause is mended.
//!
//! An input enters the log again as a new one, and a command says so to the audit; a policy that failed is run
//! again by a command. If the engine is killed between the two, an input may enter twice: what is well is
//! then recognised as a repetition, and what is still broken is set aside twice.

use std::sync::Arc;

use async_nats::Client;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use linesman_schemas::OrgName;
use linesman_schemas::command::{Input, Policy, PolicyRun, Replay, Verb};

use super::{Letter, LetterPath, find, log_is_away};
use crate::edge::sources::Sources;
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::writes::{Answers, IdempotencyKey, command_id, refused, respond, send, wait_for_log};
use crate::log::streams::IN;
use crate::log::{events, inputs};
use linesman_domain::organizations::Standing;

/// The last token of the subject by which an input enters again.
const SOURCE: &str = "replay";

/// Puts what was set aside to work again.
///
/// An input that could not be decoded, or whose organization was unknown or suspended, enters the log again as a
/// new one. A policy that failed judges again what it failed on, with its present text, if it still matches.
#[utoipa::path(
    post,
    path = "/api/v1/dead-letters/{id}/replay",
    operation_id = "replay-input",
    tag = "dead letters",
    params(LetterPath, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn replay(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<LetterPath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let command = command_id(&headers)?;
    // One at a time: whether an input has entered already is looked up before it enters.
    let _turn = sources.replaying.lock().await;
    let letter = find(&sources, &viewer, &path.id).await?;
    let (org, verb) = match &letter.policy {
        Some(policy) => {
            let org = letter.organization.clone().ok_or_else(|| conflict("the policy belongs to no organization"))?;
            let run = PolicyRun {
                policy: policy.name.clone(),
                trigger: policy.on,
                event: policy.trigger.clone(),
                about: policy.about.clone(),
            };
            viewer.may("run-policy", &org.clone().into())?;
            (org, Verb::Policy(Policy::Run(run)))
        }
        None => {
            let (org, kind) = origin(&letter)?;
            viewer.may("replay-input", &org.clone().into())?;
            let replay = Replay { event: letter.event.clone(), sequence: letter.input };
            let (whose, verb) = (Some(org.clone()), Verb::Input(Input::Replay(replay)));
            // Sent again under the same id, it does not enter again.
            if let Some(asked) =
                sources.commands.known(&viewer.principal(), whose.as_ref(), &command, &verb).map_err(refused)?
            {
                return respond(asked);
            }
            if let Ok(on_its_way) = sources.commands.find(&viewer, whose, command.clone()) {
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
            (org, verb)
        }
    };
    send(&sources, &viewer, org.into(), command, verb).await
}

/// Whose input it was, and of which kind.
fn origin(letter: &Letter) -> Result<(OrgName, &str), Problem> {
    if letter.reaction.is_some() {
        return Err(conflict("a reaction was given up, not an input: submit the incident's case again"));
    }
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
