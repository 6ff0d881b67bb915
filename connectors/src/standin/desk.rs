//! The state behind the stand-in's endpoints, and what it has been told to do wrong.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::Settings;
use super::cases::Cases;
use super::messages::Messages;
use super::tokens::Tokens;
use super::uploads::Uploads;
use crate::Secret;

/// Cases, or messages, on a page where nothing else is said.
const PAGE_SIZE: usize = 100;
/// Life of a token where nothing else is said.
const TOKEN_LIFE: Duration = Duration::from_secs(3600);

/// The endpoints of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Endpoint {
    /// `POST /oauth2/token`
    #[serde(rename = "token")]
    Token,
    /// `POST /case/v1/createSR`
    #[serde(rename = "createSR")]
    CreateSr,
    /// `POST /case/v1/updateSR`
    #[serde(rename = "updateSR")]
    UpdateSr,
    /// `POST /case/v1/querySR`
    #[serde(rename = "querySR")]
    QuerySr,
    /// `GET /case/v1/intelligence`
    #[serde(rename = "intelligence")]
    Intelligence,
    /// `POST /case/v1/uploads`
    #[serde(rename = "openUpload")]
    OpenUpload,
    /// `GET /case/v1/uploads/{upload}`
    #[serde(rename = "queryUpload")]
    QueryUpload,
    /// `PATCH /case/v1/uploads/{upload}`
    #[serde(rename = "appendUpload")]
    AppendUpload,
}

impl Endpoint {
    const ALL: [Self; 8] = [
        Self::Token,
        Self::CreateSr,
        Self::UpdateSr,
        Self::QuerySr,
        Self::Intelligence,
        Self::OpenUpload,
        Self::QueryUpload,
        Self::AppendUpload,
    ];
}

/// What goes wrong with a request. The default is nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Fault {
    pub(super) delay: Duration,
    /// Answered instead of doing the work.
    pub(super) status: Option<u16>,
    pub(super) retry_after_s: Option<u32>,
    pub(super) is_retry_after_a_date: bool,
    pub(super) drops_answer: bool,
    pub(super) garbles_answer: bool,
    /// The connection is closed in the middle of the request.
    pub(super) cuts_request: bool,
    /// For how many requests more; `None` is until changed.
    pub(super) times: Option<u32>,
    /// For which endpoint; `None` is all.
    pub(super) only: Option<Endpoint>,
    /// For requests whose body holds this text; `None` is all.
    pub(super) about: Option<String>,
}

/// Everything a request may touch.
#[derive(Debug)]
pub(super) struct State {
    pub(super) cases: Cases,
    pub(super) uploads: Uploads,
    pub(super) messages: Messages,
    pub(super) tokens: Tokens,
    pub(super) requests: BTreeMap<Endpoint, u64>,
    pub(super) fault: Fault,
    pub(super) assign_after: Duration,
    pub(super) token_life: Duration,
    pub(super) page_size: usize,
    /// Which life this is: a cursor of an earlier one means the beginning.
    pub(super) epoch: i64,
}

impl State {
    fn new(assign_after: Duration, epoch: i64) -> Self {
        Self {
            cases: Cases::default(),
            uploads: Uploads::default(),
            messages: Messages::default(),
            tokens: Tokens::default(),
            requests: Endpoint::ALL.into_iter().map(|endpoint| (endpoint, 0)).collect(),
            fault: Fault::default(),
            assign_after,
            token_life: TOKEN_LIFE,
            page_size: PAGE_SIZE,
            epoch,
        }
    }

    /// Whether a request is cut before it is there; it then counts.
    pub(super) fn cuts(&mut self, endpoint: Endpoint) -> bool {
        self.fault.cuts_request && self.arrive(endpoint, &[]).cuts_request
    }

    /// Counts a request and says what goes wrong with it.
    pub(super) fn arrive(&mut self, endpoint: Endpoint, body: &[u8]) -> Fault {
        *self.requests.entry(endpoint).or_default() += 1;
        let is_about = |about: &str| String::from_utf8_lossy(body).contains(about);
        let is_other = self.fault.about.as_deref().is_some_and(|about| !is_about(about));
        if is_other || self.fault.only.is_some_and(|only| only != endpoint) {
            return Fault::default();
        }
        match &mut self.fault.times {
            None => {}
            Some(0) => return Fault::default(),
            Some(times) => *times -= 1,
        }
        self.fault.clone()
    }
}

/// The state, shared by all requests.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) password: Option<Secret>,
    assign_after: Duration,
    state: Mutex<State>,
}

impl Desk {
    pub(super) fn new(settings: &Settings) -> Self {
        let epoch = Timestamp::now().as_microsecond();
        let state = Mutex::new(State::new(settings.assign_after, epoch));
        Self { password: settings.password.clone(), assign_after: settings.assign_after, state }
    }

    /// The state as of now: cases whose time has come have their id.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.cases.assign(Instant::now(), Timestamp::now());
        state
    }

    /// Forgets everything but the settings.
    pub(super) fn reset(&self) {
        let mut state = self.state();
        *state = State::new(self.assign_after, state.epoch + 1);
    }
}
