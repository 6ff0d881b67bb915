//! What the stand-in can be told and asked, on its own port and without a token.
//!
//! | request | does |
//! |---|---|
//! | `POST /_control` | a JSON object of [`Control`] |
//! | `GET /_count` | counts of cases, duplicates prevented, requests, uses of each key, cases per tracking number |
//! | `GET /_cases` | every case with the request that opened it and what is said of it |

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use linesman_schemas::outcome::CaseNote;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::{answer, read};
use super::cases::Move;
use super::desk::{Desk, Fault};
use super::uploads::PIECE;

pub use super::desk::Endpoint;

/// The longest delay, in milliseconds.
const LONGEST_DELAY_MS: u64 = 10 * 60 * 1000;

/// What it is told. A message that says anything of a fault, and the empty message, replaces the
/// fault that stands (the empty one by none); other messages leave it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Control {
    /// Fault: answer only after so many milliseconds, the work being done at once.
    pub delay_ms: Option<u64>,
    /// Fault: answer with this status, 400 to 599, and do nothing.
    pub status: Option<u16>,
    /// With `status`: a `Retry-After` of so many seconds.
    pub retry_after_s: Option<u32>,
    /// With `retry_after_s`: say it as a date.
    pub retry_after_as_date: bool,
    /// Fault: do the work, then close the connection without an answer.
    pub drop_after_accept: bool,
    /// Fault: do the work, then answer nonsense.
    pub garbage: bool,
    /// Fault: close the connection in the middle of the request, and do nothing.
    pub cut_request: bool,
    /// The fault is for the next so many requests; without it until changed.
    pub times: Option<u32>,
    /// The fault is for this endpoint; without it for all.
    pub only: Option<Endpoint>,
    /// The fault is for requests whose body holds this text; without it for all.
    pub about: Option<String>,
    /// Move the cases of a tracking number on.
    pub update: Option<Update>,
    /// Intelligence messages to be told from now on, each in place of one of the same id. What is none is told all the same.
    pub intelligence: Vec<Value>,
    /// How long new cases are without an id, in milliseconds.
    pub assign_after_ms: Option<u64>,
    /// How long new tokens live, in seconds.
    pub token_life_s: Option<u64>,
    /// End every token.
    pub revoke_tokens: bool,
    /// Cases, or messages, on a page.
    pub page_size: Option<usize>,
    /// The most bytes of a piece of an upload.
    pub piece_bytes: Option<u64>,
    /// Keep the bytes that are uploaded from now on, for `GET /_uploads/{upload}`.
    pub keep_uploads: bool,
    /// Forget every case, count, token and fault first.
    pub reset: bool,
}

/// How cases move on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// The customer tracking number of the cases.
    pub tracking: String,
    /// Their new status; `closed` closes them.
    #[serde(default)]
    pub status: Option<String>,
    /// Their new link.
    #[serde(default)]
    pub link: Option<String>,
    /// What the support system says of them, beside what is said already.
    #[serde(default)]
    pub note: Option<CaseNote>,
}

impl Control {
    /// The fault that stands from now on; `None` leaves the one that does.
    fn fault(&self) -> Option<Fault> {
        let is_fault = self.delay_ms.is_some()
            || self.status.is_some()
            || self.drop_after_accept
            || self.garbage
            || self.cut_request;
        if !is_fault && *self != Self::default() {
            return None;
        }
        Some(Fault {
            delay: Duration::from_millis(self.delay_ms.unwrap_or(0)),
            status: self.status,
            retry_after_s: self.retry_after_s,
            is_retry_after_a_date: self.retry_after_as_date,
            drops_answer: self.drop_after_accept,
            garbles_answer: self.garbage,
            cuts_request: self.cut_request,
            times: self.times,
            only: self.only,
            about: self.about.clone(),
        })
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.status.is_some_and(|status| !(400..=599).contains(&status)) {
            return Err("`status` must be 400 to 599");
        }
        let delays = [self.delay_ms, self.assign_after_ms];
        if delays.into_iter().flatten().any(|delay| delay > LONGEST_DELAY_MS) {
            return Err("a delay may not be longer than ten minutes");
        }
        if self.page_size.is_some_and(|size| !(1..=1000).contains(&size)) {
            return Err("`page_size` must be 1 to 1000");
        }
        if self.piece_bytes.is_some_and(|bytes| !(1..=PIECE).contains(&bytes)) {
            return Err("`piece_bytes` must be 1 to 8388608");
        }
        if self.token_life_s.is_some_and(|life| !(1..=86_400).contains(&life)) {
            return Err("`token_life_s` must be 1 to 86400");
        }
        Ok(())
    }
}

/// `POST /_control`
pub(super) async fn control(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let refused = |status, error: &str| answer(status, &json!({ "error": error }));
    let body = match read(request.into_body()).await {
        Ok(body) => body,
        Err(status) => return refused(status.as_u16(), "the body is too long or too slow"),
    };
    let control: Control = match serde_json::from_slice(&body) {
        Ok(control) => control,
        Err(error) => return refused(400, &error.to_string()),
    };
    if let Err(error) = control.check() {
        return refused(400, error);
    }
    match obey(&desk, &control) {
        Some(0) => refused(404, "no case has this tracking number"),
        updated => answer(200, &json!({ "updated": updated.unwrap_or(0) })),
    }
}

/// Does as told; the number of cases moved on, if any were to be.
fn obey(desk: &Desk, control: &Control) -> Option<usize> {
    if control.reset {
        desk.reset();
    }
    let mut state = desk.state();
    if let Some(fault) = control.fault() {
        state.fault = fault;
    }
    for message in &control.intelligence {
        state.messages.tell(message);
    }
    if let Some(delay) = control.assign_after_ms {
        state.assign_after = Duration::from_millis(delay);
    }
    if let Some(life) = control.token_life_s {
        state.token_life = Duration::from_secs(life);
    }
    if let Some(size) = control.page_size {
        state.page_size = size;
    }
    if let Some(bytes) = control.piece_bytes {
        state.uploads.piece = bytes;
    }
    if control.keep_uploads {
        state.uploads.keeps = true;
    }
    if control.revoke_tokens {
        state.tokens.revoke();
    }
    let Update { tracking, status, link, note } = control.update.clone()?;
    Some(state.cases.update(&tracking, &Move { status, link, note }, Timestamp::now()))
}

/// `GET /_count`
pub(super) async fn count(State(desk): State<Arc<Desk>>) -> Response {
    let state = desk.state();
    answer(
        200,
        &json!({
            "cases": state.cases.all().len(),
            "duplicates_prevented": state.cases.duplicates_prevented,
            "requests": state.requests,
            "by_key": state.cases.by_key(),
            "cases_by_tracking": state.cases.by_tracking(),
        }),
    )
}

/// `GET /_uploads`
pub(super) async fn uploads(State(desk): State<Arc<Desk>>) -> Response {
    answer(200, &json!(desk.state().uploads.all()))
}

/// `GET /_uploads/{upload}`: its bytes, as far as they were kept.
pub(super) async fn uploaded(State(desk): State<Arc<Desk>>, Path(upload): Path<String>) -> Response {
    match desk.state().uploads.bytes(&upload) {
        Some(bytes) => bytes.to_vec().into_response(),
        None => answer(404, &json!({ "error": "there is no such upload" })),
    }
}

/// `GET /_cases`
pub(super) async fn cases(State(desk): State<Arc<Desk>>) -> Response {
    answer(200, &json!(desk.state().cases.all()))
}
