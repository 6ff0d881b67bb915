//! Answers that no support system should give.

use linesman_connectors::{Attempted, Connector as _};
use linesman_schemas::outcome::{Done, FailureClass};
use linesman_schemas::reaction::Task;
use serde_json::{Value, json};

use crate::scripted::{Scripted, answer, success, token};
use crate::world::{done, failure, poll, submit, task};

/// How `task` ends when its token is granted and it is then answered so.
async fn answered(task: &Task, answers: Vec<String>) -> Attempted {
    let server = Scripted::new([vec![token()], answers].concat());
    server.jss().carry_out(task).await
}

fn case(tracking: &str) -> Value {
    json!({
        "caseId": "C-1", "customerTrackingNumber": tracking, "status": "created",
        "updated": "2026-01-02T03:04:05Z",
    })
}

fn page(cases: &[Value], cursor: &str, more: bool) -> String {
    success(json!({ "cases": cases, "cursor": cursor, "more": more }))
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Scripted::new(vec![success(json!({ "transactionId": "T-1" }))]);
    let location = format!("Location: https://{}/case/v1/createSR\r\n", elsewhere.host());
    let failure = failure(answered(&submit(1), vec![answer(307, &location, "")]).await);
    assert_eq!((failure.class, failure.message.as_str()), (FailureClass::Garbled, "answered with HTTP 307"));
    assert!(elsewhere.is_silent());
}

#[tokio::test]
async fn a_payload_may_refuse_under_http_200() {
    let faults = json!([{ "code": "site", "message": "is closed" }]);
    let body = json!({ "responseDetails": { "statusCode": 422, "faults": faults } }).to_string();
    for task in [submit(1), poll(None)] {
        let failure = failure(answered(&task, vec![answer(200, "", &body)]).await);
        assert_eq!(failure.class, FailureClass::Refused);
        assert_eq!(failure.message, "answered with status 422: site: is closed");
    }
}

#[tokio::test]
async fn an_endless_answer_is_left() {
    let body = format!("{{\"x\": \"{}\"}}", "x".repeat(1024 * 1024));
    let failure = failure(answered(&submit(1), vec![answer(200, "", &body)]).await);
    assert_eq!(failure.class, FailureClass::Garbled);
    assert_eq!(failure.message, "the answer is longer than 1048576 bytes");
}

#[tokio::test]
async fn an_answer_cut_short_is_no_answer() {
    let whole = success(json!({ "transactionId": "T-1" }));
    let failure = failure(answered(&submit(1), vec![whole[..whole.len() - 5].to_owned()]).await);
    assert_eq!(failure.class, FailureClass::Unavailable);
}

#[tokio::test]
async fn a_retry_after_date_counts_from_the_answers_date() {
    let head = "Date: Sun, 06 Nov 1994 08:49:00 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let failure = failure(answered(&submit(1), vec![answer(429, head, "")]).await);
    assert_eq!((failure.class, failure.retry_after_s), (FailureClass::Overloaded, Some(37)));
}

#[tokio::test]
async fn a_case_of_another_incident_is_not_taken() {
    let body = json!({ "transactionId": "T-1", "case": case("acme-2") });
    let failure = failure(answered(&submit(1), vec![success(body)]).await);
    assert_eq!(failure.class, FailureClass::Garbled);
    assert_eq!(failure.message, "the answer is about `acme-2`, the request was about `acme-1`");
}

#[tokio::test]
async fn cases_of_others_are_passed_over() {
    let cases = [case("PO 4711"), case("acme-1"), case("")];
    let attempted = answered(&poll(None), vec![page(&cases[..2], "c1", false)]).await;
    assert_eq!(attempted.reports.len(), 1);
    assert_eq!(done(attempted), Done::Polled { cursor: Some("c1".to_owned()) });
    // An empty tracking number is not another's but broken.
    let attempted = answered(&poll(None), vec![page(&cases, "c1", false)]).await;
    assert_eq!(failure(attempted).class, FailureClass::Garbled);
}

#[tokio::test]
async fn a_poll_that_fails_midway_brings_what_it_has() {
    let answers = vec![page(&[case("acme-1")], "c1", true), answer(429, "Retry-After: 5\r\n", "")];
    let attempted = answered(&poll(None), answers).await;
    assert_eq!((attempted.requests, attempted.reports.len()), (3, 1));
    let failure = failure(attempted);
    assert_eq!((failure.class, failure.retry_after_s), (FailureClass::Overloaded, Some(5)));
}

#[tokio::test]
async fn nothing_secret_is_said_of_a_failure() {
    let echo = "client_secret=hunter2-hunter2 t0k3n";
    let server = Scripted::new(vec![answer(400, "", echo)]);
    let refused = failure(server.jss().carry_out(&submit(1)).await);
    let server = Scripted::new(vec![token(), answer(500, "", echo)]);
    let failed = failure(server.jss().carry_out(&submit(1)).await);
    for message in [refused.message, failed.message] {
        assert!(!message.contains("hunter2") && !message.contains("t0k3n"), "{message}");
    }
}

#[tokio::test]
async fn an_action_of_another_connector_is_refused_without_a_request() {
    let action = serde_json::from_value(serde_json::json!({"log": {"message": "hello"}})).unwrap();
    let server = Scripted::new(vec![token()]);
    let attempted = server.jss().carry_out(&task(1, action)).await;
    assert_eq!(attempted.requests, 0);
    let failure = failure(attempted);
    assert_eq!(failure.class, FailureClass::Refused);
    assert_eq!(failure.message, "the connector `jss` has no use for `log`");
    assert!(server.is_silent());
}
