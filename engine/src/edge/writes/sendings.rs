//! What people of the provider's do with its messages for organizations: word them, send them, take them back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};
use linesman_domain::intelligence::sent::LEVEL;
use linesman_schemas::command::{MessageName, Sending, Verb, Wording};
use linesman_schemas::{CommandId, OrgName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answers, CommandState, CommandStatus, IdempotencyKey, allow, command_id, refused, send_at, stands_at};
use crate::edge::paths::{AssociationPath, ProvidedPath};
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::{Problem, ProblemBody};
use crate::edge::viewer::Viewer;
use crate::edge::words;

/// How many organizations one request names.
const ORGANIZATIONS_MOST: usize = 1_000;
/// How many of them are asked for at a time.
const AT_ONCE: usize = 16;

/// How a message is worded for an organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct WordingBody {
    /// The title; left out, the message's own.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 1024, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    title: Option<String>,
    /// The text; left out, the message's own.
    #[serde(default)]
    #[schema(max_length = 32768, pattern = "^([^\\u0000-\\u001f\\u007f-\\u009f]|[\\t\\n\\r])*$")]
    text: Option<String>,
}

/// To which organizations.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct OrganizationsBody {
    /// Their names, each once.
    #[schema(schema_with = words::some_names)]
    organizations: Vec<OrgName>,
}

/// What became of it for each organization.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::edge) struct Became {
    /// For each that was named, in that order.
    organizations: Vec<CommandState>,
}

/// Associates an organization with a message of the provider's, in a wording. The organization learns nothing of it.
#[utoipa::path(
    put, path = "/api/v1/intelligence/{message}/associations/{organization}", operation_id = "associate-intelligence",
    tag = "intelligence", params(AssociationPath, IdempotencyKey), request_body = WordingBody,
    responses(Answers, (status = 201, description = "It is associated.", body = CommandState))
)]
pub(in crate::edge) async fn associate(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(AssociationPath { message: id, organization }): PathOf<AssociationPath>,
    headers: HeaderMap,
    JsonBody(WordingBody { title, text }): JsonBody<WordingBody>,
) -> Result<Response, Problem> {
    let verb = Verb::Sending(Sending::Associate(Wording { id, title, text }));
    send_at(&sources, &viewer, LEVEL, Some(organization), command_id(&headers)?, verb).await
}

/// Takes an association back. What was sent stays on record, and is recalled instead.
#[utoipa::path(
    delete,
    path = "/api/v1/intelligence/{message}/associations/{organization}",
    operation_id = "dissociate-intelligence",
    tag = "intelligence",
    params(AssociationPath, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn dissociate(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(AssociationPath { message: id, organization }): PathOf<AssociationPath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let verb = Verb::Sending(Sending::Dissociate(MessageName { id }));
    send_at(&sources, &viewer, LEVEL, Some(organization), command_id(&headers)?, verb).await
}

/// Sends a message of the provider's to organizations, to each as it is worded for it. The same again changes nothing.
///
/// Where it needs approval, each organization has one of its own, which is the provider's.
#[utoipa::path(
    post, path = "/api/v1/intelligence/{message}/send", operation_id = "send-intelligence", tag = "intelligence",
    params(ProvidedPath, IdempotencyKey), request_body = OrganizationsBody,
    responses(
        (status = 200, description = "It is sent to all.", body = Became),
        (status = 202, description = "It is on its way to some, or awaits approval: each names it.", body = Became),
        (status = 207, description = "To some it is not sent: each says why.", body = Became),
        (status = 403, description = "Whoever asked has not the right.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 404, description = "The provider's messages are not told to whoever asked.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 409, description = "It is of another mode, or the engine level is too low.",
            content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "It is beyond its bounds.", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(in crate::edge) async fn send(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(ProvidedPath { message }): PathOf<ProvidedPath>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<OrganizationsBody>,
) -> Result<Response, Problem> {
    to_each(&sources, &viewer, &headers, body, || Sending::Send(MessageName { id: message.clone() })).await
}

/// Takes back what organizations were sent of a message of the provider's.
#[utoipa::path(
    post, path = "/api/v1/intelligence/{message}/recall", operation_id = "recall-intelligence", tag = "intelligence",
    params(ProvidedPath, IdempotencyKey), request_body = OrganizationsBody,
    responses(
        (status = 200, description = "It is recalled from all.", body = Became),
        (status = 202, description = "It is on its way to some.", body = Became),
        (status = 207, description = "From some it is not recalled: each says why.", body = Became),
        (status = 403, description = "Whoever asked has not the right.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 404, description = "The provider's messages are not told to whoever asked.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 409, description = "It is of another mode, or the engine level is too low.",
            content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "It is beyond its bounds.", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(in crate::edge) async fn recall(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(ProvidedPath { message }): PathOf<ProvidedPath>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<OrganizationsBody>,
) -> Result<Response, Problem> {
    to_each(&sources, &viewer, &headers, body, || Sending::Recall(MessageName { id: message.clone() })).await
}

/// Asks for the same of each organization, and tells what became of it for each.
async fn to_each(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    headers: &HeaderMap,
    OrganizationsBody { organizations }: OrganizationsBody,
    verb: impl Fn() -> Sending,
) -> Result<Response, Problem> {
    let verb = || Verb::Sending(verb());
    let named = organizations.len();
    if named == 0 || named > ORGANIZATIONS_MOST {
        let detail = format!("`organizations` must have 1 to {ORGANIZATIONS_MOST} entries and has {named}");
        return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#/organizations".to_owned(), detail));
    }
    for (index, organization) in organizations.iter().enumerate() {
        if organizations.iter().take(index).any(|before| before == organization) {
            let detail = format!("`{organization}` is named twice");
            return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, format!("#/organizations/{index}"), detail));
        }
    }
    allow(sources, viewer, organizations.first(), &verb())?;
    stands_at(sources, LEVEL)?;
    let id = command_id(headers)?;
    let asked = stream::iter(organizations).map(|organization| ask(sources, viewer, organization, id.clone(), verb()));
    let became: Vec<CommandState> =
        asked.buffered(AT_ONCE).collect::<Vec<_>>().await.into_iter().collect::<Result<_, _>>()?;
    let has = |wanted: fn(CommandStatus) -> bool| became.iter().any(|state| wanted(state.verdict));
    let status = if has(|verdict| verdict.refusal().is_some()) {
        StatusCode::MULTI_STATUS
    } else if has(|verdict| verdict != CommandStatus::Done) {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(Became { organizations: became })).into_response())
}

async fn ask(
    sources: &Sources,
    viewer: &Viewer,
    organization: OrgName,
    id: CommandId,
    verb: Verb,
) -> Result<CommandState, Problem> {
    let asked = sources.commands.ask(viewer, Some(organization), id, verb).await.map_err(refused)?;
    Ok(CommandState::from(asked))
}
