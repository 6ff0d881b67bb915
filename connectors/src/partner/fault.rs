//! The class of every answer that is no success.
//!
//! | what was answered | class |
//! |---|---|
//! | 401, 403 | unauthorized |
//! | 429, 503 with `Retry-After` | overloaded, for so long |
//! | 400, 409, 413, 422 | refused |
//! | another 4xx or 5xx, a redirect | unavailable, with `Retry-After` if given |
//! | anything else | garbled |
//!
//! Whatever a problem document (RFC 9457) says goes into the message.

use linesman_schemas::cause::Cause;
use linesman_schemas::outcome::{Failure, FailureClass};
use serde::Deserialize;

use crate::text::excerpt;
use crate::upstream::exchange::Answer;

/// Most characters of a problem in a message.
const PROBLEM: usize = 500;

/// The part of a problem document that people read.
#[derive(Default, Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
}

/// Whether an answer is a success; its body then fits the request.
pub(super) fn judge(answer: &Answer) -> Result<(), Failure> {
    let code = answer.status.as_u16();
    let class = match code {
        200..=299 => return Ok(()),
        401 | 403 => FailureClass::Unauthorized,
        429 => FailureClass::Overloaded,
        503 if answer.retry_after_s.is_some() => FailureClass::Overloaded,
        400 | 409 | 413 | 422 => FailureClass::Refused,
        300..=599 => FailureClass::Unavailable,
        _ => FailureClass::Garbled,
    };
    // An intermediary's page says nothing in our terms.
    let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = problem.detail.or(problem.title).map(|text| format!(": {}", excerpt(&text, PROBLEM)));
    let message = format!("answered with HTTP {code}{}", said.unwrap_or_default());
    Err(Failure { class, message, retry_after_s: answer.retry_after_s, cause: Cause::of_http(code) })
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn judged(status: u16, retry_after_s: Option<u32>, body: &str) -> Failure {
        let status = StatusCode::from_u16(status).unwrap();
        judge(&Answer { status, retry_after_s, body: body.as_bytes().to_vec() }).unwrap_err()
    }

    #[test]
    fn every_status_has_its_class() {
        use FailureClass::{Garbled, Overloaded, Refused, Unauthorized, Unavailable};
        for (status, retry_after_s, class) in [
            (307, None, Unavailable),
            (400, None, Refused),
            (401, None, Unauthorized),
            (403, None, Unauthorized),
            (404, None, Unavailable),
            (409, None, Refused),
            (413, None, Refused),
            (422, None, Refused),
            (429, None, Overloaded),
            (429, Some(7), Overloaded),
            (500, Some(7), Unavailable),
            (503, None, Unavailable),
            (503, Some(7), Overloaded),
            (600, None, Garbled),
        ] {
            let failure = judged(status, retry_after_s, "<html>");
            let expected = (class, retry_after_s, format!("answered with HTTP {status}"));
            assert_eq!((failure.class, failure.retry_after_s, failure.message), expected);
        }
    }

    #[test]
    fn a_problem_says_what_it_is_within_bounds() {
        let both = judged(409, None, r#"{"title":"Conflict","detail":"the key is another case's\n"}"#);
        assert_eq!(both.message, "answered with HTTP 409: the key is another case's\\n");
        assert_eq!(judged(422, None, r#"{"title":"Not taken"}"#).message, "answered with HTTP 422: Not taken");
        let long = judged(400, None, &format!(r#"{{"detail":"{}"}}"#, "x".repeat(10_000)));
        assert!(long.message.len() < 600);
    }
}
