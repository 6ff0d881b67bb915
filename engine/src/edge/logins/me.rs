//! Who asks, and their password.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use linesman_connectors::Secret;
use linesman_domain::rights::Effective;
use linesman_schemas::command::{Manager, PasswordChange, Verb};
use linesman_schemas::{Login, Privileges, Rights, Sphere};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::gate::Denied;
use super::{Entry, Way, cookie};
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::problem::{Problem, ProblemBody};
use crate::edge::viewer::Viewer;
use crate::edge::writes::{Answers, IdempotencyKey, command_id, refused, respond};

/// Who asks, and what they may: as far as all granters above them may, and the token by which they ask.
#[derive(Serialize, ToSchema)]
pub(in crate::edge) struct Me {
    /// As whom they log in.
    #[schema(value_type = String, example = "acme/ann")]
    login: Login,
    /// Where they may do something: places, and all that lies below them.
    #[schema(value_type = Vec<String>, example = json!(["acme/berlin"]))]
    sphere: Sphere,
    /// What they may do there.
    #[schema(value_type = Vec<String>, example = json!(["subscription"]))]
    privileges: Privileges,
    /// What else; of the provider's people only. Each is true or false, `incidents` is `none`, `own`, `any` or `delegate`.
    #[schema(value_type = Object)]
    rights: Rights,
    /// Who granted it; null for the provider's first manager.
    #[schema(value_type = Option<String>)]
    granted_by: Option<Login>,
}

/// A password and the one before.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct PasswordBody {
    /// The password of now.
    #[schema(value_type = String, format = Password)]
    old: Secret,
    /// The one from here on: at least 12 characters, none of control, and none of the commonest.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 1024)]
    new: Secret,
}

/// Who asks.
#[utoipa::path(
    get, path = "/api/v1/me", tag = "logins",
    responses((status = 200, description = "who asks, and what they may", body = Me))
)]
pub(in crate::edge) async fn me(viewer: Viewer, entry: Entry) -> Result<Json<Me>, Problem> {
    let Effective { sphere, privileges, rights, chain } = viewer.effective()?;
    let granted_by = chain.into_iter().next();
    Ok(Json(Me { login: entry.login()?, sphere, privileges, rights, granted_by }))
}

/// Changes the password of whoever asks. All their sessions end, this one too.
#[utoipa::path(
    put, path = "/api/v1/me/password", operation_id = "set-password.own", tag = "logins", params(IdempotencyKey), request_body = PasswordBody,
    responses(
        Answers,
        (status = 429, description = "Too many passwords were wrong; `Retry-After` says when it is worth another try.", body = ProblemBody<'static>, content_type = "application/problem+json"),
    )
)]
pub(in crate::edge) async fn change_password(
    State(sources): State<Arc<Sources>>,
    entry: Entry,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<PasswordBody>,
) -> Result<Response, Problem> {
    let (login, id) = (entry.login()?, command_id(&headers)?);
    if entry.way == Way::Token {
        return Err(Problem::new(StatusCode::FORBIDDEN, "one's own password is not changed by an API token"));
    }
    let field = |name: &str, detail: &str| {
        Problem::field(StatusCode::UNPROCESSABLE_ENTITY, format!("#/{name}"), detail.to_owned())
    };
    if body.new == body.old {
        return Err(field("new", "the new password is the old one"));
    }
    let verified = sources.logins.verify(&login.to_string(), body.old, peer.ip().to_canonical()).await;
    verified.map_err(|denied| match denied {
        Denied::Wrong => field("old", "this is not the password of now"),
        Denied::Unasked(problem) => problem,
    })?;
    let password = sources.logins.new_hash(&body.new, "#/new", (&login, &id)).await?;
    let verb = Verb::Manager(Manager::SetPassword(PasswordChange { manager: login.name.clone(), password }));
    let asked = sources.commands.put(entry.principal, login.organization.clone(), id, verb).await.map_err(refused)?;
    let response = respond(asked)?;
    sources.logins.changed(&login);
    cookie::forget(response)
}
