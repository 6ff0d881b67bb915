//! What was refused before it became a command: writes (400, 403, 404, 409, 413, 415, 422), and reads of what is seen and not allowed (403).
//! It is gathered here, and brought to the log as records, each to the lane of whoever tried.
//!
//! ```text
//!  answer --> note: one by one, above 100 a minute of a principal counted together --> every second: record-refusals
//!                   by operation and place, as far as those are few
//! ```
//!
//! No answer waits for it. While the log is away it stays here; what cannot be brought there until the engine ends is told
//! to its own log.
//!
//! | room | what |
//! |---|---|
//! | here | which answers are refusals, of what and where |
//! | `operations`, `place` | what is asked for, where and about what, as far as the answer does not tell |
//! | `gathered` | one by one, or counted together: bounded, with room for everybody |
//! | `recorder` | brings it to the log |

mod gathered;
mod operations;
mod place;
mod recorder;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::http::StatusCode;
use axum::response::Response;
use linesman_schemas::Principal;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::Refusal;

use super::transport::problem::{Decided, Tried};
use gathered::{Gathered, lane_of};
pub(crate) use operations::{Operation, Operations};
use place::{about_of, place_of, worded};
pub(crate) use recorder::Recorder;

/// What was refused and is not in the log yet.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Gathered>);

impl Refusals {
    /// Takes note of an answer, if it is a refusal that no lane has decided. That there is nothing, that things stand
    /// otherwise, that a value is wrong, or the request not understood, is one of writes alone.
    pub(crate) fn note(&self, principal: Principal, operation: &Operation, path: &str, response: &Response) {
        let verdict = match (response.status(), operation.is_write) {
            (StatusCode::FORBIDDEN, _) => Verdict::Forbidden,
            (StatusCode::NOT_FOUND, true) => Verdict::NotFound,
            (StatusCode::CONFLICT, true) => Verdict::Conflict,
            (
                StatusCode::BAD_REQUEST
                | StatusCode::PAYLOAD_TOO_LARGE
                | StatusCode::UNSUPPORTED_MEDIA_TYPE
                | StatusCode::UNPROCESSABLE_ENTITY,
                true,
            ) => Verdict::Invalid,
            _ => return,
        };
        if response.extensions().get::<Decided>().is_some() {
            return;
        }
        let path = &worded(path);
        // Several operations may lead through one path, and not every one is asked for where that says.
        let (operation, place) = match response.extensions().get::<Tried>() {
            Some(tried) => (tried.operation.to_owned(), tried.place.to_string()),
            None => (operation.name.to_string(), place_of(path, lane_of(&principal).as_ref())),
        };
        let about = about_of(path);
        self.gathered().add(Refusal { principal, operation, place, about, verdict, count: 1 }, Instant::now());
    }

    /// Takes note of what was refused without a request that says what for.
    pub(crate) fn add(&self, refusal: Refusal) {
        self.gathered().add(refusal, Instant::now());
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        // Nothing under the lock panics; and it is whole after every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
