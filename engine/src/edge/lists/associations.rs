//! `/api/v1/intelligence/{message}/associations`: which organizations a message of the provider's is for, in which wording, and
//! what of it each was sent.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_domain::intelligence::provided::{self, ProvidedRow};
use linesman_domain::intelligence::sent::{self, SendingRow, SentRow};
use linesman_domain::table::Table;
use linesman_schemas::{OrgName, Place};
use serde::Serialize;
use utoipa::ToSchema;

use super::Error;
use super::told::{IntelligenceMessage, find};
use super::walk::{Walk, answer};
use crate::edge::paths::{AssociationPath, ProvidedPath};
use crate::edge::sources::Sources;
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::{Problem, ProblemBody};
use crate::edge::viewer::Viewer;

/// Whom a message is for.
#[derive(Debug, Serialize, ToSchema)]
struct Associations {
    /// The organizations, by name.
    organizations: Vec<Association>,
}

/// What becomes of a message for an organization.
#[derive(Debug, Serialize, ToSchema)]
struct Association {
    /// Its name.
    #[schema(value_type = String)]
    organization: OrgName,
    /// The title for it; null: the message's own.
    title: Option<String>,
    /// The text for it; null: the message's own.
    text: Option<String>,
    /// When it was associated.
    associated: Timestamp,
    /// By whom.
    associated_by: String,
    /// Whether the message has changed since: its wording is then to be given anew.
    changed: bool,
    /// Whether the organization has it.
    sent: bool,
    /// What it was sent, the last one last: for ever.
    sendings: Vec<Sending>,
}

/// A message as an organization was sent it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SentMessage)]
struct Sending {
    /// When.
    at: Timestamp,
    /// By whom.
    by: String,
    /// The title it had.
    title: String,
    /// The text it had.
    text: String,
    /// SHA-256 of the message's content that it was made of.
    sha256: String,
    /// When it was recalled; null: it was not.
    recalled: Option<Timestamp>,
    /// By whom; null: it was not.
    recalled_by: Option<String>,
}

impl Association {
    fn new(organization: OrgName, row: SentRow, message: &ProvidedRow) -> Self {
        let (changed, sent) = (row.sha256 != message.sha256, row.stands().is_some());
        let SentRow { title, text, associated, associated_by, sendings, .. } = row;
        let sendings = sendings.into_iter().map(Sending::from).collect();
        Self { organization, title, text, associated, associated_by, changed, sent, sendings }
    }
}

impl From<SendingRow> for Sending {
    fn from(row: SendingRow) -> Self {
        let SendingRow { at, by, sha256, message, recalled } = row;
        let (recalled, recalled_by) = recalled.map(|recall| (recall.at, recall.by)).unzip();
        Self { at, by, title: message.title, text: message.text, sha256, recalled, recalled_by }
    }
}

/// Which organizations a message of the provider's is for, and what of it each was sent.
#[utoipa::path(
    get, path = "/api/v1/intelligence/{message}/associations", operation_id = "associations", tag = "intelligence",
    params(ProvidedPath), responses((status = 200, description = "The organizations.", body = Associations))
)]
pub(in crate::edge) async fn associations(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(ProvidedPath { message }): PathOf<ProvidedPath>,
) -> Result<Response, Problem> {
    viewer.may("associations", &Place::Provider)?;
    answer(&sources, viewer, move |walk| {
        let provided = find(walk, &message)?;
        let mut organizations = Vec::new();
        for (organization, rows) in walk.organizations(None)? {
            walk.step()?;
            if let Some(row) = Table::read(rows.lane, &sent::key(&organization, &message))? {
                organizations.push(Association::new(organization, row, &provided));
            }
        }
        Ok(Associations { organizations })
    })
    .await
}

/// A message of the provider's as an organization would have it: exactly what is sent to it now.
#[utoipa::path(
    get, path = "/api/v1/intelligence/{message}/associations/{organization}/preview",
    operation_id = "association-preview", tag = "intelligence", params(AssociationPath),
    responses(
        (status = 200, description = "The message.", body = IntelligenceMessage),
        (status = 409, description = "It would not be sent; why.", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(in crate::edge) async fn preview(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(AssociationPath { message, organization }): PathOf<AssociationPath>,
) -> Result<Response, Problem> {
    viewer.may("association-preview", &Place::Provider)?;
    answer(&sources, viewer, move |walk| {
        let row = worded(walk, &organization, &message)?;
        Ok(IntelligenceMessage::new(Some(organization.clone()), row.into()))
    })
    .await
}

/// A message as an organization would have it.
fn worded(walk: &Walk, organization: &OrgName, message: &str) -> Result<ProvidedRow, Error> {
    let nobody = || Error::Nothing(format!("there is no organization `{organization}`"));
    let organizations = walk.organizations(Some(organization))?;
    let rows = organizations.get(organization).ok_or_else(nobody)?;
    let nothing = || Error::Nothing(format!("there is no intelligence message `{}`", linesman_rules::excerpt(message)));
    // The lane that sends it has to have it.
    let mut provided = Table::read(rows.lane, &provided::key(message))?.ok_or_else(nothing)?;
    let row = Table::read(rows.lane, &sent::key(organization, message))?;
    let worded = sent::worded(rows.lane, organization, &provided, row.as_ref())?;
    provided.message = worded.map_err(Error::Unfit)?;
    Ok(provided)
}
