//! What people do with the provider's intelligence messages.

use std::sync::Arc;

use axum::extract::State as HasState;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use linesman_domain::intelligence::provided::LEVEL;
use linesman_domain::intelligence::standing;
use linesman_schemas::command::{IntelligenceStanding, Message, MessageGiven, Received, Verb};
use linesman_schemas::intelligence::{self, Intelligence, Kind, Relevance, State};
use linesman_schemas::{CommandId, Login, Place};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Answers, IdempotencyKey, command_id, send_at, stands_at};
use crate::edge::paths::MessagePath;
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;
use crate::log::books::pack;

/// An intelligence message of the provider's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct MessageBody {
    /// Its id at its source; the same id again replaces the message.
    #[schema(min_length = 1, max_length = 256)]
    id: String,
    /// What kind of message.
    #[schema(schema_with = words::kind)]
    kind: Kind,
    /// One line.
    #[schema(min_length = 1, max_length = 1024)]
    title: String,
    /// The message.
    #[serde(default)]
    text: String,
    /// When the source issued it.
    #[schema(value_type = String, format = DateTime)]
    issued: Timestamp,
    /// Whom it concerns; what is left out concerns everybody.
    #[serde(default)]
    #[schema(required = false)]
    relevance: RelevanceBody,
    /// Where to read more.
    #[serde(default)]
    links: Vec<String>,
}

/// Whom a message concerns: whoever meets all lists that are given, each by any of its entries.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct RelevanceBody {
    /// Chassis serial numbers.
    serial_numbers: Vec<String>,
    /// Models; `*` stands for any text.
    products: Vec<String>,
    /// System families.
    platforms: Vec<String>,
    /// Versions of the operating system: expressions such as `>= 21.2R1, < 21.4R3-S5`. A text that is none means itself.
    os_versions: Vec<String>,
}

impl From<MessageBody> for Intelligence {
    fn from(body: MessageBody) -> Self {
        let MessageBody { id, kind, title, text, issued, relevance, links } = body;
        let RelevanceBody { serial_numbers, products, platforms, os_versions } = relevance;
        let relevance = Relevance { serial_numbers, products, platforms, os_versions };
        Self { id, kind, title, text, issued, relevance, links }
    }
}

/// Takes in an intelligence message of the provider's, or another text of one; every lane gets it.
#[utoipa::path(
    post, path = "/api/v1/intelligence", operation_id = "add-intelligence", tag = "intelligence", params(IdempotencyKey),
    request_body = MessageBody,
    responses(Answers, (status = 201, description = "It is taken in.", body = super::CommandState))
)]
pub(in crate::edge) async fn add(
    HasState(sources): HasState<Arc<Sources>>,
    viewer: Viewer,
    headers: HeaderMap,
    JsonBody(body): JsonBody<MessageBody>,
) -> Result<Response, Problem> {
    viewer.may("add-intelligence", &Place::Provider)?;
    let id = command_id(&headers)?;
    take_in(&sources, &viewer, id, &body.into())
        .await
        .map_err(|problem| problem.of("add-intelligence", Place::Provider))
}

/// Where an organization stands with a message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct StateBody {
    /// Where it stands.
    #[schema(schema_with = words::intelligence_state)]
    state: State,
    /// The login whose it is, of the organization or the provider; `assigned` takes one. Where it is left out, whose it was.
    #[schema(value_type = String, required = false)]
    assignee: Option<Login>,
}

/// Says where an organization stands with an intelligence message it has.
#[utoipa::path(
    put, path = "/api/v1/intelligence/{organization}/{id}/state", operation_id = "set-intelligence-state",
    tag = "intelligence", params(MessagePath, IdempotencyKey), request_body = StateBody, responses(Answers)
)]
pub(in crate::edge) async fn set_state(
    HasState(sources): HasState<Arc<Sources>>,
    viewer: Viewer,
    PathOf(MessagePath { organization, id: message }): PathOf<MessagePath>,
    headers: HeaderMap,
    JsonBody(StateBody { state, assignee }): JsonBody<StateBody>,
) -> Result<Response, Problem> {
    let id = command_id(&headers)?;
    let verb = Verb::Received(Received::SetState(IntelligenceStanding { id: message, state, assignee }));
    send_at(&sources, &viewer, standing::LEVEL, Some(organization), id, verb).await
}

async fn take_in(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    id: CommandId,
    message: &Intelligence,
) -> Result<Response, Problem> {
    intelligence::check(message).map_err(|error| {
        let pointer = format!("#/{}", error.field().replace('.', "/"));
        Problem::field(StatusCode::UNPROCESSABLE_ENTITY, pointer, error.to_string())
    })?;
    stands_at(sources, LEVEL)?;
    let (sha256, content) = pack(message).map_err(|error| Problem::internal(&error))?;
    // Whoever is told of it finds it there.
    sources.books.put(&sha256, &content).await.map_err(|error| {
        tracing::warn!(%error, "an intelligence message is not taken in");
        Problem::busy("the log takes no contents at the moment; ask again later", 2)
    })?;
    let given = MessageGiven { id: message.id.clone(), sha256, bytes: content.len() as u64 };
    send_at(sources, viewer, LEVEL, None, id, Verb::Message(Message::Add(given))).await
}
