//! What became of a command.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use linesman_schemas::{CommandId, OrgName};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{CommandState, refused};
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;

/// Which command.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::edge) struct CommandPath {
    /// Its id.
    #[param(value_type = String)]
    id: CommandId,
}

/// Whose command.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::edge) struct CommandQuery {
    /// The organization whose lane decides it; without one, it is the provider's.
    #[param(value_type = String, required = false, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    organization: Option<OrgName>,
}

/// What became of a command of the last day.
#[utoipa::path(
    get,
    path = "/api/v1/commands/{id}",
    tag = "commands",
    params(CommandPath, CommandQuery),
    responses((status = 200, description = "how it stands", body = CommandState))
)]
pub(in crate::edge) async fn command(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<CommandPath>,
    Params(query): Params<CommandQuery>,
) -> Result<Json<CommandState>, Problem> {
    let asked = sources.commands.find(&viewer, query.organization, path.id).map_err(refused)?;
    Ok(Json(asked.into()))
}
