//! The endpoints of uploads.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use super::super::desk::{Desk, Endpoint};
use super::super::uploads::{NotTaken, OpenUpload, PIECE, Standing};
use super::{
    KEY_NEEDED, KEY_REUSED, REQUEST_BYTES, answer, done, key, refusal, refused, refused_with, serve_up_to, text,
};

/// `POST /case/v1/uploads`
pub(in crate::standin) async fn open(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let work = |headers: &HeaderMap, body: &[u8]| {
        if let Some(refusal) = refusal(&desk, headers) {
            return refusal;
        }
        let Some(key) = key(headers) else { return refused(400, "idempotency-key", KEY_NEEDED) };
        let request: OpenUpload = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(error) => return refused(400, "invalid-body", &error.to_string()),
        };
        let faults = request.faults();
        if !faults.is_empty() {
            return refused_with(400, &faults);
        }
        let mut state = desk.state();
        if request.case_id.as_ref().is_some_and(|case| !state.cases.has(&request.site_id, case)) {
            return not_done(404, "unknown-case", "no case has this id");
        }
        match state.uploads.open(key, request) {
            Some(standing) => shown(&standing),
            None => refused(400, "idempotency-key", KEY_REUSED),
        }
    };
    serve_up_to(REQUEST_BYTES, &desk, Endpoint::OpenUpload, request, work).await
}

/// `GET /case/v1/uploads/{upload}`
pub(in crate::standin) async fn query(
    State(desk): State<Arc<Desk>>,
    Path(upload): Path<String>,
    request: Request,
) -> Response {
    let work = |headers: &HeaderMap, _: &[u8]| {
        refusal(&desk, headers).unwrap_or_else(|| match desk.state().uploads.find(&upload) {
            Some(standing) => shown(&standing),
            None => unknown(),
        })
    };
    serve_up_to(REQUEST_BYTES, &desk, Endpoint::QueryUpload, request, work).await
}

/// `PATCH /case/v1/uploads/{upload}`
pub(in crate::standin) async fn append(
    State(desk): State<Arc<Desk>>,
    Path(upload): Path<String>,
    request: Request,
) -> Response {
    let work = |headers: &HeaderMap, piece: &[u8]| {
        if let Some(refusal) = refusal(&desk, headers) {
            return refusal;
        }
        let Some(offset) = text(headers, "upload-offset").and_then(|offset| offset.parse().ok()) else {
            return refused(400, "upload-offset", "an `Upload-Offset` is needed");
        };
        match desk.state().uploads.take(&upload, offset, piece) {
            Ok(standing) => shown(&standing),
            Err(NotTaken::Unknown) => unknown(),
            Err(NotTaken::Elsewhere(offset)) => {
                let faults = json!([{ "code": "upload-offset", "message": "the upload goes on elsewhere" }]);
                let details = json!({ "statusCode": 409, "faults": faults });
                answer(400, &json!({ "responseDetails": details, "offset": offset }))
            }
            Err(NotTaken::TooLong) => refused(400, "invalid-body", "the piece is longer than one may be"),
            Err(NotTaken::OtherBytes) => not_done(422, "sha256", "the bytes are not those that were announced"),
        }
    };
    serve_up_to(usize::try_from(PIECE).unwrap_or(REQUEST_BYTES), &desk, Endpoint::AppendUpload, request, work).await
}

fn shown(standing: &Standing) -> Response {
    let mut shown = json!(standing);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("responseDetails".to_owned(), done());
    }
    answer(200, &shown)
}

fn unknown() -> Response {
    not_done(404, "unknown-upload", "there is no such upload")
}

/// HTTP 400 with a payload of another status.
fn not_done(status: u16, code: &str, message: &str) -> Response {
    let faults: Value = json!([{ "code": code, "message": message }]);
    answer(400, &json!({ "responseDetails": { "statusCode": status, "faults": faults } }))
}
