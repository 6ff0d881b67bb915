//! The class of every way a request can fail; what fails without an answer is `upstream`'s.
//!
//! | what happened | class |
//! |---|---|
//! | not reached, certificate not believed, no answer in time, connection lost | unavailable |
//! | HTTP 408, 5xx, or a payload status of that kind | unavailable, with `Retry-After` if given |
//! | 429 | overloaded, with `Retry-After` if given |
//! | 401, 403; a token refused with 400 | unauthorized |
//! | HTTP 200 or 400 whose payload names another 4xx | refused, with the fault list |
//! | everything else: another status, an answer unread, too long or at odds with itself | garbled |

use linesman_schemas::cause::Cause;
use linesman_schemas::outcome::{Failure, FailureClass};
use reqwest::StatusCode;

use super::wire::{Answered, Fault};
use crate::text::excerpt;
use crate::upstream::checked::parsed;
use crate::upstream::exchange::Answer;
use crate::upstream::fault::garbled;

/// Most characters of a fault list in a message.
const FAULTS: usize = 500;

/// Whether an answer of the case API is a success; its body then fits the request.
pub(super) fn judge(answer: &Answer) -> Result<(), Failure> {
    if !matches!(answer.status.as_u16(), 200 | 400) {
        return Err(of_status(answer));
    }
    let details = parsed::<Answered>(&answer.body)?.response_details;
    let code = details.status_code;
    if code == 200 {
        if answer.status == StatusCode::OK && details.faults.is_empty() {
            return Ok(());
        }
        let (http, faults) = (answer.status.as_u16(), listed(&details.faults));
        return Err(garbled(format!("HTTP {http} and payload status 200 contradict each other{faults}")));
    }
    let class = match code {
        429 => FailureClass::Overloaded,
        401 | 403 => FailureClass::Unauthorized,
        408 | 500..=599 => FailureClass::Unavailable,
        400..=499 => FailureClass::Refused,
        _ => FailureClass::Garbled,
    };
    let message = format!("answered with status {code}{}", listed(&details.faults));
    let cause = Cause::of_http(code);
    Err(Failure { class, message, retry_after_s: answer.retry_after_s, cause })
}

/// The failure that an HTTP status outside the contract's 200 and 400 is.
pub(super) fn of_status(answer: &Answer) -> Failure {
    let code = answer.status.as_u16();
    let class = match code {
        429 => FailureClass::Overloaded,
        401 | 403 => FailureClass::Unauthorized,
        408 | 500..=599 => FailureClass::Unavailable,
        _ => FailureClass::Garbled,
    };
    // An intermediary's page says nothing in our terms, the support system's fault list does.
    let faults = parsed::<Answered>(&answer.body).map(|answered| listed(&answered.response_details.faults));
    let message = format!("answered with HTTP {code}{}", faults.unwrap_or_default());
    Failure { class, message, retry_after_s: answer.retry_after_s, cause: Cause::of_http(code) }
}

/// `: code: message; code: message`, or nothing.
fn listed(faults: &[Fault]) -> String {
    if faults.is_empty() {
        return String::new();
    }
    let one = |fault: &Fault| format!("{}: {}", excerpt(&fault.code, 64), excerpt(&fault.message, FAULTS));
    let all: Vec<String> = faults.iter().take(10).map(one).collect();
    format!(": {}", excerpt(&all.join("; "), FAULTS))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: String) -> Answer {
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, retry_after_s: Some(7), body: body.into_bytes() }
    }

    fn payload(code: u16, faults: &[(&str, &str)]) -> String {
        let faults: Vec<_> = faults.iter().map(|(code, message)| json!({ "code": code, "message": message })).collect();
        json!({ "responseDetails": { "statusCode": code, "faults": faults } }).to_string()
    }

    #[test]
    fn every_status_has_its_class() {
        use FailureClass::{Garbled, Overloaded, Refused, Unauthorized, Unavailable};
        let by_http = [
            (301, Garbled),
            (401, Unauthorized),
            (403, Unauthorized),
            (404, Garbled),
            (408, Unavailable),
            (413, Garbled),
            (429, Overloaded),
            (500, Unavailable),
            (502, Unavailable),
            (503, Unavailable),
        ];
        for (code, class) in by_http {
            assert_eq!(judge(&answer(code, "<html>".to_owned())).unwrap_err().class, class, "HTTP {code}");
        }
        let by_payload = [
            (302, Garbled),
            (400, Refused),
            (401, Unauthorized),
            (403, Unauthorized),
            (404, Refused),
            (408, Unavailable),
            (422, Refused),
            (429, Overloaded),
            (500, Unavailable),
            (9999, Garbled),
        ];
        for (code, class) in by_payload {
            for http in [200, 400] {
                assert_eq!(judge(&answer(http, payload(code, &[]))).unwrap_err().class, class, "{http} with {code}");
            }
        }
        assert!(judge(&answer(200, payload(200, &[]))).is_ok());
    }

    #[test]
    fn a_retry_after_is_kept() {
        assert_eq!(judge(&answer(503, String::new())).unwrap_err().retry_after_s, Some(7));
        assert_eq!(judge(&answer(200, payload(429, &[]))).unwrap_err().retry_after_s, Some(7));
    }

    #[test]
    fn success_that_contradicts_itself_is_garbled() {
        let failure = judge(&answer(400, payload(200, &[]))).unwrap_err();
        assert_eq!(failure.message, "HTTP 400 and payload status 200 contradict each other");
        assert_eq!(failure.class, FailureClass::Garbled);
        let failure = judge(&answer(200, payload(200, &[("x", "y")]))).unwrap_err();
        assert_eq!(failure.message, "HTTP 200 and payload status 200 contradict each other: x: y");
    }

    #[test]
    fn a_refusal_names_its_faults_within_bounds() {
        let failure =
            judge(&answer(400, payload(400, &[("priority", "unknown\nword"), ("site", "closed")]))).unwrap_err();
        assert_eq!(failure.message, "answered with status 400: priority: unknown\\nword; site: closed");
        let long = "x".repeat(10_000);
        let failure = judge(&answer(400, payload(400, &[(long.as_str(), long.as_str()); 50]))).unwrap_err();
        assert!(failure.message.len() < 600, "{}", failure.message.len());
    }

    #[test]
    fn a_400_that_is_not_the_contracts_is_garbled() {
        assert_eq!(judge(&answer(400, "<html>".to_owned())).unwrap_err().class, FailureClass::Garbled);
    }
}
