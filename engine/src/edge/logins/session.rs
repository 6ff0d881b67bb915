//! Logging in and out.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use linesman_connectors::Secret;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Session, SessionName, SessionOpening, Verb};
use linesman_schemas::name::NameError;
use linesman_schemas::{CommandId, Login, Principal, SessionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bearer::Bearer;
use super::gate::Denied;
use super::uses::Pass;
use super::{Entry, Way, cookie};
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::problem::{Problem, ProblemBody};
use crate::edge::writes::{Answers, IdempotencyKey, command_id, refused, respond};

/// Who comes, and what shows it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct LoginBody {
    /// `<name>` of one of the provider's people, `<organization>/<name>` of an organization's manager.
    #[schema(example = "acme/ann")]
    login: String,
    /// The password.
    #[schema(value_type = String, format = Password)]
    password: Secret,
}

/// A session that has begun.
#[derive(Serialize, ToSchema)]
pub(in crate::edge) struct SessionBegun {
    /// What its requests bear. It is shown once.
    token: String,
    /// When it ends, however much it is used.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
    /// Whether the password was set by somebody else: until it is changed nothing else is done.
    must_change_password: bool,
}

/// Logs in. Browsers are given the session as a cookie too.
///
/// A few failures are free; after more of them the next attempt has to wait, and after many nobody is let in for a
/// quarter of an hour: at this login, or from this address.
#[utoipa::path(
    post,
    path = "/api/v1/session", operation_id = "login",
    tag = "logins",
    security(()),
    request_body = LoginBody,
    responses(
        (status = 201, description = "a session has begun", body = SessionBegun),
        (status = 401, description = "There is no such login, or it has another password.", body = ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 429, description = "Too many logins have failed; `Retry-After` says when it is worth another try.", body = ProblemBody<'static>, content_type = "application/problem+json"),
    )
)]
pub(in crate::edge) async fn log_in(
    State(sources): State<Arc<Sources>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    JsonBody(body): JsonBody<LoginBody>,
) -> Result<Response, Problem> {
    let source = peer.ip().to_canonical();
    let (login, must_change_password) = sources.logins.verify(&body.login, body.password, source).await?;
    let bearer = Bearer::session(&login).map_err(|error| Problem::internal(&error))?;
    let expires = sources.logins.limits.end(Timestamp::now());
    let opening = SessionOpening {
        manager: login.name.clone(),
        session: session_id(&bearer)?,
        hash: hex::encode(bearer.hash()),
        source: source.to_string(),
        expires,
    };
    let begun = (login.clone(), Pass::Session(opening.session.clone()));
    begin(&sources, &login, opening).await?;
    let (now, limits) = (Timestamp::now(), &sources.logins.limits);
    sources.logins.uses().add(now, begun, now, limits.noted_every());
    let token = bearer.text().expose().to_owned();
    let cookie = cookie::keep(&token, sources.logins.limits.absolute_s())?;
    let begun = SessionBegun { token, expires, must_change_password };
    Ok((StatusCode::CREATED, [(SET_COOKIE, cookie)], Json(begun)).into_response())
}

/// The lane has the session before it is answered: whoever asks next is known.
async fn begin(sources: &Sources, login: &Login, opening: SessionOpening) -> Result<(), Problem> {
    let id: CommandId = command_id(&HeaderMap::new())?;
    let principal = Principal::of_login(login, None);
    let verb = Verb::Session(Session::Open(opening));
    let asked = sources.commands.put(principal, login.organization.clone(), id, verb).await.map_err(refused)?;
    match asked.outcome.map(|row| row.verdict) {
        Some(Verdict::Done) => Ok(()),
        // Whoever granted them anything is gone, or they were removed just now.
        Some(_) => Err(Denied::Wrong.into()),
        None => Err(Problem::busy("the engine is behind: try again in a while", 2)),
    }
}

fn session_id(bearer: &Bearer) -> Result<SessionId, Problem> {
    bearer.name.parse().map_err(|error: NameError| Problem::internal(&error))
}

/// Logs out: the session by which this is asked ends.
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    operation_id = "logout",
    tag = "logins",
    params(IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn log_out(
    State(sources): State<Arc<Sources>>,
    entry: Entry,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let login = entry.login()?;
    let Way::Session(session) = entry.way else {
        return Err(Problem::new(StatusCode::CONFLICT, "this was not asked by a session: a token is not logged out"));
    };
    let verb = Verb::Session(Session::Close(SessionName { manager: login.name, session }));
    let id = command_id(&headers)?;
    let asked = sources.commands.put(entry.principal, login.organization, id, verb).await.map_err(refused)?;
    cookie::forget(respond(asked)?)
}
