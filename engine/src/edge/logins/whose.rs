//! Whose sessions and API tokens are asked for: one's own, or those of a manager one manages. And taking one of them
//! back.

use axum::http::StatusCode;
use axum::response::Response;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::Verb;
use linesman_schemas::{CommandId, Login, TokenName};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Entry, Way};
use crate::edge::sources::Sources;
use crate::edge::transport::problem::Problem;
use crate::edge::writes::{refused, respond};

/// Whose.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::edge) struct WhoseQuery {
    /// The manager; without one, whoever asks.
    #[param(value_type = String, required = false, pattern = "^([A-Za-z0-9][A-Za-z0-9_-]{0,63}/)?[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme/ann")]
    pub(super) login: Option<Login>,
}

impl Entry {
    /// By which API token of `login` itself this is asked: it is shown nothing else of how its owner comes in, for that
    /// may do more than it may.
    pub(super) fn own_token(&self, login: &Login) -> Option<&TokenName> {
        self.principal.token().filter(|_| self.principal.login().as_ref() == Some(login))
    }
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

    /// Takes back a session or token of `login`. One that is `missing` - in these words - is not asked of the lane, unless
    /// it is missing because the same was asked before: what anybody may ask for without end is no command.
    ///
    /// IMPORTANT: whether it is missing is read before this, or it may be taken back between the two looks and would count
    /// as one that never was.
    ///
    /// # Errors
    /// It is missing, or the lane refuses; or log or state are away.
    pub(super) async fn take_back(
        &self,
        entry: Entry,
        (login, id): (&Login, CommandId),
        verb: Verb,
        missing: Option<String>,
    ) -> Result<Response, Problem> {
        let whose = login.organization.as_ref();
        let known = self.commands.known(&entry.principal, whose, &id, &verb).map_err(refused)?;
        if let Some(known) = known {
            return respond(known);
        }
        if entry.way == Way::Token && entry.login()? == *login {
            let detail = "an API token does nothing with how its owner comes in";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        if let Some(missing) = missing {
            return Err(Problem::new(StatusCode::NOT_FOUND, missing));
        }
        respond(self.commands.put(entry.principal, whose.cloned(), id, verb).await.map_err(refused)?)
    }
}
