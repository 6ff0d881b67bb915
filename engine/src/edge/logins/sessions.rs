//! The sessions there are, one of them, and ending one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use linesman_domain::sessions::{self, SessionRow};
use linesman_schemas::command::{Session, SessionName, Verb};
use linesman_schemas::{Login, SessionId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::uses::Pass;
use super::whose::WhoseQuery;
use super::{Entry, Way};
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::{Problem, ProblemBody};
use crate::edge::writes::{Answers, IdempotencyKey, command_id};

/// The sessions of a manager.
#[derive(Serialize, ToSchema)]
pub(in crate::edge) struct SessionList {
    /// Those that are good, the latest first.
    items: Vec<SessionItem>,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(in crate::edge) struct SessionItem {
    /// Its id among its owner's.
    #[schema(value_type = String)]
    id: SessionId,
    /// Whose.
    #[schema(value_type = String)]
    login: Login,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it was used last.
    #[schema(value_type = String, format = DateTime)]
    used: Timestamp,
    /// When it ends, however much it is used.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
    /// From where it was begun.
    source: String,
    /// Whether it is the one by which this is asked.
    is_current: bool,
}

/// A session in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::edge) struct SessionPath {
    /// Its id.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    id: SessionId,
}

/// The sessions of whoever asks, or of a manager they manage. To a token its owner's are not shown.
#[utoipa::path(
    get, path = "/api/v1/sessions", tag = "logins", params(WhoseQuery),
    responses((status = 200, description = "the sessions that are good", body = SessionList),
        (status = 404, description = "for whoever asks there is no such manager", body = ProblemBody<'static>, content_type = "application/problem+json"))
)]
pub(in crate::edge) async fn sessions(
    State(sources): State<Arc<Sources>>,
    entry: Entry,
    Params(query): Params<WhoseQuery>,
) -> Result<Json<SessionList>, Problem> {
    let (now, login) = (Timestamp::now(), sources.owner(&entry, query.login)?);
    let mut items = Vec::new();
    for found in
        sources.logins.lane(login.organization.as_ref()).into_iter().flat_map(|lane| sessions::of(lane, &login))
    {
        let (id, row) = found.map_err(|error| Problem::internal(&error))?;
        items.extend(good(&sources, &entry, now, &login, id, row));
    }
    items.sort_by(|one, other| (other.created, &other.id).cmp(&(one.created, &one.id)));
    Ok(Json(SessionList { items }))
}

/// A session of whoever asks, or of a manager they manage.
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}", operation_id = "session", tag = "logins", params(SessionPath, WhoseQuery),
    responses((status = 200, description = "the session, which is good", body = SessionItem),
        (status = 404, description = "for whoever asks there is no such manager, or no such session of theirs", body = ProblemBody<'static>, content_type = "application/problem+json"))
)]
pub(in crate::edge) async fn session(
    State(sources): State<Arc<Sources>>,
    entry: Entry,
    PathOf(path): PathOf<SessionPath>,
    Params(query): Params<WhoseQuery>,
) -> Result<Json<SessionItem>, Problem> {
    let (now, login) = (Timestamp::now(), sources.owner(&entry, query.login)?);
    let row = sources.logins.row(&login, &sessions::key(&login, &path.id))?;
    let nothing = missing(&path.id, &login);
    let item = row.and_then(|row| good(&sources, &entry, now, &login, path.id, row));
    item.map(Json).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, nothing))
}

/// A session as it is shown, if it is good, and not asked for by a token of its owner's.
fn good(
    sources: &Sources,
    entry: &Entry,
    now: Timestamp,
    login: &Login,
    id: SessionId,
    row: SessionRow,
) -> Option<SessionItem> {
    if entry.own_token(login).is_some() {
        return None;
    }
    let SessionRow { created, used, expires, source, .. } = row;
    let last = sources.logins.uses().last(login, &Pass::Session(id.clone()));
    let used = last.map_or(used, |last| last.max(used));
    let is_own = entry.principal.login().as_ref() == Some(login);
    let is_current = is_own && entry.way == Way::Session(id.clone());
    let limits = &sources.logins.limits;
    let is_good = {
        let latest = sources.logins.uses().last_of_session(limits, (login, &id), used, now);
        limits.is_good(expires, latest, now)
    };
    is_good.then(|| SessionItem { id, login: login.clone(), created, used, expires, source, is_current })
}

/// What is said where there is no session of that id.
fn missing(id: &SessionId, login: &Login) -> String {
    format!("there is no session `{id}` of `{login}`")
}

/// Ends a session of whoever asks, or of a manager they manage.
#[utoipa::path(
    delete,
    path = "/api/v1/sessions/{id}",
    operation_id = "revoke-session",
    tag = "logins",
    params(SessionPath, WhoseQuery, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn end_session(
    State(sources): State<Arc<Sources>>,
    entry: Entry,
    PathOf(path): PathOf<SessionPath>,
    Params(query): Params<WhoseQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = command_id(&headers)?;
    let login = sources.owner(&entry, query.login)?;
    let row = sources.logins.row(&login, &sessions::key(&login, &path.id))?;
    let missing = row.is_none().then(|| missing(&path.id, &login));
    let verb = Verb::Session(Session::Revoke(SessionName { manager: login.name.clone(), session: path.id }));
    sources.take_back(entry, (&login, id), verb, missing).await
}
