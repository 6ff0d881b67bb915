//! What people do with data of devices without scripts: say by which commands it is gathered, and ask for it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use linesman_domain::reached::GATHERED_FROM;
use linesman_schemas::Priority;
use linesman_schemas::command::{DeviceVerb, Directives, DirectivesGroup, DirectivesName, Gathering, Verb};
use linesman_schemas::gathering::GatheringKind;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Answers, IdempotencyKey, command_id, reached, send_at};
use crate::edge::paths::{DevicePath, DirectivesPath};
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;

/// The commands of a group.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct DirectivesBody {
    /// The commands in their order, each a line of at most 255 characters.
    #[schema(min_items = 1, max_items = 64)]
    commands: Vec<String>,
}

/// What is to be gathered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct GatheringBody {
    /// What kind of bundle it becomes.
    kind: KindWord,
    /// The problem in one line; not of information.
    #[schema(max_length = 255, nullable = false)]
    synopsis: Option<String>,
    /// How urgent; `3 - Medium`. Not of information.
    #[schema(value_type = Option<String>, nullable = false, example = "2 - High")]
    priority: Option<Priority>,
}

/// What kind of bundle it becomes.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = GatheringKind)]
pub(in crate::edge) enum KindWord {
    /// As scripts make one when something happens: it becomes an incident.
    Event,
    /// What the device is: it becomes a snapshot.
    Information,
    /// As scripts make one when a component failed: it becomes an incident.
    Rma,
}

impl From<KindWord> for GatheringKind {
    fn from(word: KindWord) -> Self {
        match word {
            KindWord::Event => Self::Event,
            KindWord::Information => Self::Information,
            KindWord::Rma => Self::Rma,
        }
    }
}

/// Makes a group of commands, or lets it have others.
#[utoipa::path(
    put, path = "/api/v1/directives-groups/{organization}/{group}", operation_id = "set-directives-group",
    tag = "devices", params(DirectivesPath, IdempotencyKey), request_body = DirectivesBody,
    responses(Answers, (status = 201, description = "it is created", body = super::CommandState))
)]
pub(in crate::edge) async fn set_directives(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DirectivesPath { organization, group }): PathOf<DirectivesPath>,
    headers: HeaderMap,
    JsonBody(DirectivesBody { commands }): JsonBody<DirectivesBody>,
) -> Result<Response, Problem> {
    let verb = Verb::Directives(Directives::Set(DirectivesGroup { name: group, commands }));
    send_at(&sources, &viewer, GATHERED_FROM, Some(organization), command_id(&headers)?, verb).await
}

/// Removes a group of commands that no device names.
#[utoipa::path(
    delete,
    path = "/api/v1/directives-groups/{organization}/{group}",
    operation_id = "remove-directives-group",
    tag = "devices",
    params(DirectivesPath, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn remove_directives(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DirectivesPath { organization, group }): PathOf<DirectivesPath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let verb = Verb::Directives(Directives::Remove(DirectivesName { name: group }));
    send_at(&sources, &viewer, GATHERED_FROM, Some(organization), command_id(&headers)?, verb).await
}

/// Asks for data of a device: its commands are run, and what they tell becomes a bundle. How far it is tells the device.
#[utoipa::path(
    post, path = "/api/v1/devices/{organization}/{device}/gather", operation_id = "collect-device", tag = "devices",
    params(DevicePath, IdempotencyKey), request_body = GatheringBody, responses(Answers)
)]
pub(in crate::edge) async fn gather(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DevicePath { organization, device }): PathOf<DevicePath>,
    headers: HeaderMap,
    JsonBody(GatheringBody { kind, synopsis, priority }): JsonBody<GatheringBody>,
) -> Result<Response, Problem> {
    let name = reached(&sources, &viewer, "collect-device", &organization, &device)?;
    let asked = Gathering { name, kind: kind.into(), synopsis, priority, unless_since: None };
    let verb = Verb::Device(DeviceVerb::Gather(asked));
    send_at(&sources, &viewer, GATHERED_FROM, Some(organization), command_id(&headers)?, verb).await
}
