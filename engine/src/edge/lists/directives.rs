//! `/api/v1/directives-groups`: an organization's groups of the commands by which data is gathered, whole: there are few enough.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use linesman_domain::reached::{self, DirectivesRow};
use linesman_domain::table::Table;
use linesman_schemas::{OrgName, Place};
use serde::Serialize;
use utoipa::ToSchema;

use super::Error;
use super::walk::{answer, whole_lane};
use crate::edge::paths::{DirectivesPath, OfOrganizationPath};
use crate::edge::sources::Sources;
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;

const OPERATION: &str = "directives-groups";

/// An organization's groups of commands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DirectivesGroups {
    /// Each of them, by name.
    groups: Vec<DirectivesGroup>,
}

/// A group of commands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DirectivesGroup {
    /// Whose it is.
    #[schema(value_type = String)]
    organization: OrgName,
    /// Its name.
    name: String,
    /// The commands in their order.
    commands: Vec<String>,
}

/// An organization's groups of the commands by which data is gathered.
#[utoipa::path(
    get, path = "/api/v1/directives-groups/{organization}", operation_id = "directives-groups", tag = "devices",
    params(OfOrganizationPath), responses((status = 200, description = "All of them.", body = DirectivesGroups))
)]
pub(in crate::edge) async fn all(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(OfOrganizationPath { organization }): PathOf<OfOrganizationPath>,
) -> Result<Response, Problem> {
    viewer.may(OPERATION, &Place::Organization(organization.clone()))?;
    answer(&sources, viewer, move |walk| {
        let rows = reached::directives(whole_lane(walk, &organization)?, &organization);
        let group =
            |(name, DirectivesRow { commands })| DirectivesGroup { organization: organization.clone(), name, commands };
        Ok(DirectivesGroups { groups: rows.map(|row| row.map(group)).collect::<Result<_, _>>()? })
    })
    .await
}

/// One group of commands.
#[utoipa::path(
    get, path = "/api/v1/directives-groups/{organization}/{group}", operation_id = "directives-groups.one",
    tag = "devices", params(DirectivesPath),
    responses((status = 200, description = "The group.", body = DirectivesGroup))
)]
pub(in crate::edge) async fn one(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DirectivesPath { organization, group }): PathOf<DirectivesPath>,
) -> Result<Response, Problem> {
    viewer.may(OPERATION, &Place::Organization(organization.clone()))?;
    answer(&sources, viewer, move |walk| {
        let row = Table::read(whole_lane(walk, &organization)?, &reached::directives_key(&organization, &group))?;
        let Some(DirectivesRow { commands }) = row else {
            let group = linesman_rules::excerpt(&group);
            return Err(Error::Nothing(format!("`{organization}` has no directives group `{group}`")));
        };
        Ok(DirectivesGroup { organization, name: group, commands })
    })
    .await
}
