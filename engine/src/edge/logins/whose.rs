//! Whose sessions and API tokens are asked for: one's own, or those of a manager one manages.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::Verb;
use linesman_schemas::{Login, ManagerName};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Entry;
use crate::edge::sources::Sources;
use crate::edge::transport::problem::Problem;
use crate::edge::writes::{command_id, refused, respond};

/// Whose.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::edge) struct WhoseQuery {
    /// The manager; without one, whoever asks.
    #[param(value_type = String, required = false, pattern = "^([A-Za-z0-9][A-Za-z0-9_-]{0,63}/)?[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme/ann")]
    pub(super) login: Option<Login>,
}

impl Sources {
    /// Whose is asked for, if they are whoever asks, or managed by them.
    ///
    /// # Errors
    /// For whoever asks there is no such manager, or they may not manage it.
    pub(super) fn owner(&self, entry: &Entry, asked: Option<Login>) -> Result<Login, Problem> {
        let Some(login) = asked else { return entry.login() };
        match self.grants.hold(&entry.principal, &login)? {
            Ok(_) => Ok(login),
            Err(refused) if refused.verdict == Verdict::NotFound => {
                Err(Problem::new(StatusCode::NOT_FOUND, refused.detail))
            }
            Err(refused) => Err(Problem::new(StatusCode::FORBIDDEN, refused.detail)),
        }
    }

    /// Ends something by which a manager comes in, of whoever asks or of one they manage: what `ends` says of it.
    ///
    /// # Errors
    /// As [`Sources::owner`]; or it is not done.
    pub(super) async fn end(
        &self,
        entry: Entry,
        asked: Option<Login>,
        headers: &HeaderMap,
        ends: impl FnOnce(ManagerName) -> Verb,
    ) -> Result<Response, Problem> {
        let id = command_id(headers)?;
        let Login { organization, name } = self.owner(&entry, asked)?;
        respond(self.commands.put(entry.principal, organization, id, ends(name)).await.map_err(refused)?)
    }
}
