//! API tokens: the ones there are, one of them, a new one, and taking one back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use linesman_domain::tokens::{self, TokenRow};
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Token, TokenIssue, TokenRevocation, Verb};
use linesman_schemas::directory::Attenuation;
use linesman_schemas::{Login, Place, Privileges, Rights, Sphere, TokenName};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Entry;
use super::bearer::Bearer;
use super::uses::Pass;
use super::whose::WhoseQuery;
use crate::edge::commands::Error;
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::{Problem, ProblemBody};
use crate::edge::writes::{Answers, IdempotencyKey, command_id, out_of_bounds, refused, respond};

/// The API tokens of a manager.
#[derive(Serialize, ToSchema)]
pub(in crate::edge) struct TokenList {
    /// They, by name.
    items: Vec<TokenItem>,
}

/// An API token.
#[derive(Serialize, ToSchema)]
pub(in crate::edge) struct TokenItem {
    /// Its name among its owner's.
    #[schema(value_type = String)]
    name: TokenName,
    /// Whose.
    #[schema(value_type = String)]
    login: Login,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it was used last; null for never.
    #[schema(value_type = Option<String>, format = DateTime)]
    used: Option<Timestamp>,
    #[serde(flatten)]
    allowed: Allowed,
}

/// What a token may do; null: what its owner may.
#[derive(Serialize, ToSchema)]
pub(in crate::edge) struct Allowed {
    /// Until when it is good; null: until it is taken back.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
    /// Where.
    #[schema(value_type = Option<Vec<String>>)]
    sphere: Option<Sphere>,
    /// What.
    #[schema(value_type = Option<Vec<String>>)]
    privileges: Option<Privileges>,
    /// What else; of an organization's managers never null, as they have none.
    #[schema(value_type = Option<Object>)]
    rights: Option<Rights>,
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
pub(in crate::edge) struct TokenMade {
    /// Its name among its owner's.
    #[schema(value_type = String)]
    name: TokenName,
    /// What its requests bear. It is shown once.
    token: String,
    #[serde(flatten)]
    allowed: Allowed,
}

/// A token as it is to be; what is left out is what its owner is granted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct TokenBody {
    /// Its name among its owner's.
    #[schema(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "nightly-report")]
    name: TokenName,
    /// Until when it is good; without it, until it is taken back.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
    /// Where: places, and all that lies below them.
    #[schema(value_type = Option<Vec<String>>, max_items = 64, example = json!(["acme/berlin"]))]
    sphere: Option<Vec<Place>>,
    /// What: of `subscription`, `substitution`, `activation`, `managers`.
    #[schema(value_type = Option<Vec<String>>, example = json!([]))]
    privileges: Option<Privileges>,
    /// What else; of the provider's people only. A right that is absent is no.
    #[schema(value_type = Option<Object>)]
    rights: Option<Rights>,
}

/// A token in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::edge) struct TokenPath {
    /// Its name.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "nightly-report")]
    name: TokenName,
}

impl Allowed {
    /// What a token of `owner` was given. An organization's manager has no rights, and so it has none.
    fn of(owner: &Login, given: Attenuation) -> Self {
        let Attenuation { expires, sphere, privileges, rights } = given;
        let rights = rights.or_else(|| owner.organization.is_some().then(Rights::default));
        Self { expires, sphere, privileges, rights }
    }
}

/// The API tokens of whoever asks, or of a manager they manage. Asked by a token of one's own, that one alone.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "logins", params(WhoseQuery),
    responses((status = 200, description = "the tokens there are", body = TokenList),
        (status = 404, description = "for whoever asks there is no such manager", body = ProblemBody<'static>, content_type = "application/problem+json"))
)]
pub(in crate::edge) async fn tokens(
    State(sources): State<Arc<Sources>>,
    entry: Entry,
    Params(query): Params<WhoseQuery>,
) -> Result<Json<TokenList>, Problem> {
    let login = sources.owner(&entry, query.login)?;
    let mut items = Vec::new();
    for found in sources.logins.lane(login.organization.as_ref()).into_iter().flat_map(|lane| tokens::of(lane, &login))
    {
        let (name, row) = found.map_err(|error| Problem::internal(&error))?;
        if entry.own_token(&login).is_none_or(|own| *own == name) {
            items.push(item(&sources, &login, name, row));
        }
    }
    Ok(Json(TokenList { items }))
}

/// An API token of whoever asks, or of a manager they manage. Its secret is not shown.
#[utoipa::path(
    get, path = "/api/v1/tokens/{name}", operation_id = "token", tag = "logins", params(TokenPath, WhoseQuery),
    responses((status = 200, description = "the token", body = TokenItem),
        (status = 404, description = "for whoever asks there is no such manager, or no such token of theirs", body = ProblemBody<'static>, content_type = "application/problem+json"))
)]
pub(in crate::edge) async fn token(
    State(sources): State<Arc<Sources>>,
    entry: Entry,
    PathOf(path): PathOf<TokenPath>,
    Params(query): Params<WhoseQuery>,
) -> Result<Json<TokenItem>, Problem> {
    let login = sources.owner(&entry, query.login)?;
    let row = sources.logins.row(&login, &tokens::key(&login, &path.name))?;
    let row = row.filter(|_| entry.own_token(&login).is_none_or(|own| *own == path.name));
    let row = row.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, missing(&path.name, &login)))?;
    Ok(Json(item(&sources, &login, path.name, row)))
}

fn item(sources: &Sources, login: &Login, name: TokenName, row: TokenRow) -> TokenItem {
    let used = sources.logins.uses().last(login, &Pass::Token(name.clone())).max(row.used);
    let (created, allowed) = (row.created, Allowed::of(login, row.attenuation()));
    TokenItem { name, login: login.clone(), created, used, allowed }
}

/// What is said where there is no token of that name.
fn missing(name: &TokenName, login: &Login) -> String {
    format!("there is no token `{name}` of `{login}`")
}

/// Makes an API token of whoever asks, who logs in by a password or has the engine's token. It may do nothing that its
/// owner may not.
#[utoipa::path(
    post, path = "/api/v1/tokens", operation_id = "issue-token", tag = "logins", params(IdempotencyKey), request_body = TokenBody,
    responses(Answers, (status = 201, description = "it is made", body = TokenMade))
)]
pub(in crate::edge) async fn make_token(
    State(sources): State<Arc<Sources>>,
    entry: Entry,
    headers: HeaderMap,
    JsonBody(body): JsonBody<TokenBody>,
) -> Result<Response, Problem> {
    let (login, id) = (entry.login()?, command_id(&headers)?);
    let TokenBody { name, expires, sphere, privileges, rights } = body;
    let bearer = Bearer::token(&login, &name).map_err(|error| Problem::internal(&error))?;
    let attenuation = Attenuation { expires, sphere: sphere.clone().map(Sphere::of), privileges, rights };
    let hash = hex::encode(bearer.hash());
    let allowed = Allowed::of(&login, attenuation);
    let owner = login.clone();
    let (manager, token) = (login.name, name.clone());
    let issue = TokenIssue { manager, token, hash, expires, sphere, privileges, rights };
    let verb = Verb::Token(Token::Issue(issue));
    verb.check().map_err(|fault| out_of_bounds(&fault))?;
    if expires.is_some_and(|expires| expires <= Timestamp::now()) {
        return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#/expires".to_owned(), "`expires` is past"));
    }
    let asked = sources.commands.put(entry.principal, login.organization, id, verb).await.map_err(|error| match error {
        // Sent again it has another secret, and so asks for something else.
        Error::OtherCommand(id) => {
            let detail = format!(
                "the command `{id}` was sent within the last day: if it made this token, its secret was shown then, and is \
                 not again; take the token back, and make one under an id of its own"
            );
            Problem::new(StatusCode::CONFLICT, detail)
        }
        error => refused(error),
    })?;
    match asked.outcome.as_ref().map(|row| row.verdict) {
        Some(Verdict::Done) => {
            let row = sources.logins.row(&owner, &tokens::key(&owner, &name))?;
            let allowed = row.map_or(allowed, |row| Allowed::of(&owner, row.attenuation()));
            let token = bearer.text().expose().to_owned();
            let made = TokenMade { name, token, allowed };
            Ok((StatusCode::CREATED, Json(made)).into_response())
        }
        Some(_) => respond(asked),
        // What it would bear is not told by the command's outcome later.
        None => Err(Problem::busy("the engine is behind: see whether the token is there, and take it back", 2)),
    }
}

/// Takes an API token back, of whoever asks or of a manager they manage.
#[utoipa::path(
    delete,
    path = "/api/v1/tokens/{name}",
    operation_id = "revoke-token",
    tag = "logins",
    params(TokenPath, WhoseQuery, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn revoke_token(
    State(sources): State<Arc<Sources>>,
    entry: Entry,
    PathOf(path): PathOf<TokenPath>,
    Params(query): Params<WhoseQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = command_id(&headers)?;
    let login = sources.owner(&entry, query.login)?;
    let row = sources.logins.row(&login, &tokens::key(&login, &path.name))?;
    let missing = row.is_none().then(|| missing(&path.name, &login));
    let verb = Verb::Token(Token::Revoke(TokenRevocation { manager: login.name.clone(), token: path.name }));
    sources.take_back(entry, (&login, id), verb, missing).await
}
