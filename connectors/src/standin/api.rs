//! The endpoints of the contract, and the faults laid over them.

pub(super) mod uploads;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::READ_TIMEOUT;
use super::cases::{CreateSr, KeyReused, NotTold, UpdateSr};
use super::desk::{Desk, Endpoint, Fault};

/// Most bytes a request may have.
const REQUEST_BYTES: usize = 1024 * 1024;
const KEY_NEEDED: &str = "an `Idempotency-Key` is needed";
const KEY_REUSED: &str = "the key has been used for another request";

/// `POST /oauth2/token`
pub(super) async fn token(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    serve(&desk, Endpoint::Token, request, |_, body| grant(&desk, body)).await
}

/// `POST /case/v1/createSR`
pub(super) async fn create_sr(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    serve(&desk, Endpoint::CreateSr, request, |headers, body| open(&desk, headers, body)).await
}

/// `POST /case/v1/updateSR`
pub(super) async fn update_sr(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    serve(&desk, Endpoint::UpdateSr, request, |headers, body| update(&desk, headers, body)).await
}

/// `POST /case/v1/querySR`
pub(super) async fn query_sr(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    serve(&desk, Endpoint::QuerySr, request, |headers, body| changed(&desk, headers, body)).await
}

/// `GET /case/v1/intelligence`
pub(super) async fn intelligence(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let uri = request.uri().clone();
    serve(&desk, Endpoint::Intelligence, request, |headers, _| messages(&desk, headers, &uri)).await
}

/// Reads a request, does its work unless a fault forbids, and answers unless a fault forbids that.
async fn serve(
    desk: &Desk,
    endpoint: Endpoint,
    request: Request,
    work: impl FnOnce(&HeaderMap, &[u8]) -> Response,
) -> Response {
    serve_up_to(REQUEST_BYTES, desk, endpoint, request, work).await
}

/// The same of a request of at most so many bytes.
async fn serve_up_to(
    most: usize,
    desk: &Desk,
    endpoint: Endpoint,
    request: Request,
    work: impl FnOnce(&HeaderMap, &[u8]) -> Response,
) -> Response {
    let (parts, body) = request.into_parts();
    if desk.state().cuts(endpoint) {
        // Its first bytes are read, so that the client is in the middle of it.
        let _ = body.into_data_stream().next().await;
        return unanswered();
    }
    let body = match read_up_to(most, body).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    let fault = desk.state().arrive(endpoint, &body);
    let response = match fault.status {
        Some(status) => failing(endpoint, status, &fault),
        None => work(&parts.headers, &body),
    };
    // Behind the work: a client that has gone away meanwhile has its case all the same.
    tokio::time::sleep(fault.delay).await;
    if fault.drops_answer {
        return unanswered();
    }
    if fault.garbles_answer {
        return ([(CONTENT_TYPE, "application/json")], "{\"responseDetails\": <html>").into_response();
    }
    response
}

/// The body of a request, bounded in size and time.
pub(super) async fn read(body: Body) -> Result<Bytes, StatusCode> {
    read_up_to(REQUEST_BYTES, body).await
}

async fn read_up_to(most: usize, body: Body) -> Result<Bytes, StatusCode> {
    match tokio::time::timeout(READ_TIMEOUT, to_bytes(body, most)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

fn failing(endpoint: Endpoint, status: u16, fault: &Fault) -> Response {
    let mut response = match endpoint {
        Endpoint::Token => answer(status, &json!({ "error": "told-to-fail" })),
        Endpoint::CreateSr
        | Endpoint::UpdateSr
        | Endpoint::QuerySr
        | Endpoint::Intelligence
        | Endpoint::OpenUpload
        | Endpoint::QueryUpload
        | Endpoint::AppendUpload => refused(status, "told-to-fail", "the stand-in has been told to fail"),
    };
    if let Some(seconds) = fault.retry_after_s {
        let text = match Timestamp::now().saturating_add(Duration::from_secs(seconds.into())) {
            Ok(until) if fault.is_retry_after_a_date => DateTimePrinter::new().timestamp_to_rfc9110_string(&until).ok(),
            _ => Some(seconds.to_string()),
        };
        if let Some(value) = text.and_then(|text| text.parse().ok()) {
            response.headers_mut().insert(RETRY_AFTER, value);
        }
    }
    response
}

/// A response whose body fails before its first byte: the connection closes with nothing sent.
fn unanswered() -> Response {
    let failure = stream::iter([Err::<Bytes, _>(std::io::Error::other("told to drop the answer"))]);
    Body::from_stream(failure).into_response()
}

fn grant(desk: &Desk, body: &[u8]) -> Response {
    let refused = |status, error: &str| answer(status, &json!({ "error": error }));
    // A form is spelled as an address's query is.
    let Ok(mut form) = Url::parse("form:") else { return refused(500, "server_error") };
    form.set_query(Some(&String::from_utf8_lossy(body)));
    let field = |name| form.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    if field("grant_type").as_deref() != Some("client_credentials") {
        return refused(400, "unsupported_grant_type");
    }
    let (Some(user), Some(password)) = (field("client_id"), field("client_secret")) else {
        return refused(400, "invalid_request");
    };
    if user.is_empty() || desk.password.as_ref().is_some_and(|right| right.expose() != password) {
        return refused(401, "invalid_client");
    }
    let mut state = desk.state();
    let life = state.token_life;
    match state.tokens.issue(life, Instant::now()) {
        Some(token) => {
            answer(200, &json!({ "access_token": token, "token_type": "Bearer", "expires_in": life.as_secs() }))
        }
        None => refused(500, "server_error"),
    }
}

fn open(desk: &Desk, headers: &HeaderMap, body: &[u8]) -> Response {
    if let Some(refusal) = refusal(desk, headers) {
        return refusal;
    }
    let Some(key) = key(headers) else { return refused(400, "idempotency-key", KEY_NEEDED) };
    let request: CreateSr = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(error) => return refused(400, "invalid-body", &error.to_string()),
    };
    let faults = request.faults();
    if !faults.is_empty() {
        return refused_with(400, &faults);
    }
    let mut state = desk.state();
    let assign_after = state.assign_after;
    match state.cases.open(key, request, assign_after, (Instant::now(), Timestamp::now())) {
        Ok(accepted) => {
            let mut done = json!({ "responseDetails": done(), "transactionId": accepted.transaction_id });
            if let (Some(case), Some(fields)) = (accepted.case, done.as_object_mut()) {
                fields.insert("case".to_owned(), json!(case));
            }
            answer(200, &done)
        }
        Err(KeyReused) => refused(400, "idempotency-key", KEY_REUSED),
    }
}

fn update(desk: &Desk, headers: &HeaderMap, body: &[u8]) -> Response {
    if let Some(refusal) = refusal(desk, headers) {
        return refusal;
    }
    let Some(key) = key(headers) else { return refused(400, "idempotency-key", KEY_NEEDED) };
    let update: UpdateSr = match serde_json::from_slice(body) {
        Ok(update) => update,
        Err(error) => return refused(400, "invalid-body", &error.to_string()),
    };
    let faults = update.faults();
    if !faults.is_empty() {
        return refused_with(400, &faults);
    }
    match desk.state().cases.tell(key, update, Timestamp::now()) {
        Ok(()) => answer(200, &json!({ "responseDetails": done() })),
        Err(NotTold::KeyReused) => refused(400, "idempotency-key", KEY_REUSED),
        Err(NotTold::Unknown) => {
            let faults = json!([{ "code": "unknown-case", "message": "no case has this transaction id" }]);
            answer(400, &json!({ "responseDetails": { "statusCode": 404, "faults": faults } }))
        }
    }
}

/// What makes a request be done once.
fn key(headers: &HeaderMap) -> Option<&str> {
    text(headers, "idempotency-key").filter(|key| (1..=128).contains(&key.len()))
}

/// What `querySR` takes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct QuerySr {
    site_id: String,
    cursor: Option<String>,
}

fn changed(desk: &Desk, headers: &HeaderMap, body: &[u8]) -> Response {
    if let Some(refusal) = refusal(desk, headers) {
        return refusal;
    }
    let query: QuerySr = match serde_json::from_slice(body) {
        Ok(query) => query,
        Err(error) => return refused(400, "invalid-body", &error.to_string()),
    };
    let state = desk.state();
    let prefix = format!("{}-", state.epoch);
    let cursor = query.cursor.as_deref().and_then(|cursor| cursor.strip_prefix(&prefix)?.parse().ok());
    let page = state.cases.changed(&query.site_id, cursor.unwrap_or(0), state.page_size);
    let cursor = format!("{prefix}{}", page.cursor);
    answer(200, &json!({ "responseDetails": done(), "cases": page.cases, "cursor": cursor, "more": page.more }))
}

/// What `intelligence` takes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Messages {
    #[serde(rename = "siteId")]
    _site_id: String,
    cursor: Option<String>,
}

fn messages(desk: &Desk, headers: &HeaderMap, uri: &Uri) -> Response {
    if let Some(refusal) = refusal(desk, headers) {
        return refusal;
    }
    let query = match Query::<Messages>::try_from_uri(uri) {
        Ok(Query(query)) => query,
        Err(error) => return refused(400, "invalid-query", &error.to_string()),
    };
    let state = desk.state();
    let prefix = format!("{}-", state.epoch);
    let cursor = query.cursor.as_deref().and_then(|cursor| cursor.strip_prefix(&prefix)?.parse().ok());
    let page = state.messages.changed(cursor.unwrap_or(0), state.page_size);
    let cursor = format!("{prefix}{}", page.cursor);
    answer(200, &json!({ "responseDetails": done(), "messages": page.messages, "cursor": cursor, "more": page.more }))
}

/// The answer to a request that may not be served.
fn refusal(desk: &Desk, headers: &HeaderMap) -> Option<Response> {
    if text(headers, "application-id").is_none_or(str::is_empty) {
        return Some(refused(403, "application-id", "an `Application-Id` is needed"));
    }
    let is_admitted = desk.state().tokens.admits(text(headers, AUTHORIZATION.as_str()), Instant::now());
    (!is_admitted).then(|| refused(401, "token", "the token is missing or not valid any more"))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn done() -> Value {
    json!({ "statusCode": 200, "faults": [] })
}

fn refused(status: u16, code: &'static str, message: &str) -> Response {
    refused_with(status, &[(code, message.to_owned())])
}

fn refused_with(status: u16, faults: &[(&'static str, String)]) -> Response {
    let faults: Vec<Value> = faults.iter().map(|(code, message)| json!({ "code": code, "message": message })).collect();
    answer(status, &json!({ "responseDetails": { "statusCode": status, "faults": faults } }))
}

/// A JSON answer; a status that is none becomes 500.
pub(super) fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
