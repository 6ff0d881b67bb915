//! Giving another manager a password, which is to be changed by its owner.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use linesman_connectors::Secret;
use linesman_schemas::command::{Manager, PasswordChange, Verb};
use linesman_schemas::{Login, Principal};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Entry, Way};
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::problem::Problem;
use crate::edge::writes::{Answers, IdempotencyKey, command_id, refused, respond};

/// Whose password, and which.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct ResetBody {
    /// The manager.
    #[schema(value_type = String, example = "acme/ann")]
    login: Login,
    /// Its password until its owner has logged in: at least 12 characters, none of control, and none of the commonest.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 1024)]
    password: Secret,
}

/// Gives a manager another password. Its owner logs in by it and has to change it; all sessions of it end, and who was
/// locked out is let in. Who has the engine's token may do so for everybody, `admin` included.
#[utoipa::path(
    post, path = "/api/v1/password-resets", operation_id = "set-password.reset", tag = "logins", params(IdempotencyKey), request_body = ResetBody,
    responses(Answers)
)]
pub(in crate::edge) async fn reset_password(
    State(sources): State<Arc<Sources>>,
    entry: Entry,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ResetBody>,
) -> Result<Response, Problem> {
    let id = command_id(&headers)?;
    let principal = match entry.way {
        Way::Machine if entry.principal == Principal::admin() => Principal::Machine,
        _ if entry.login()? == body.login => {
            let detail = "one's own password is changed by `PUT /api/v1/me/password`";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        _ => entry.principal.clone(),
    };
    // Whoever may not is told so before anything is said of the password.
    let login = sources.owner(&Entry { principal: principal.clone(), way: entry.way }, Some(body.login))?;
    let password = sources.logins.new_hash(&body.password, "#/password", (&login, &id)).await?;
    let verb = Verb::Manager(Manager::SetPassword(PasswordChange { manager: login.name.clone(), password }));
    let asked = sources.commands.put(principal, login.organization.clone(), id, verb).await.map_err(refused)?;
    let response = respond(asked)?;
    sources.logins.changed(&login);
    Ok(response)
}
