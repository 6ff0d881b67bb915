//! What leaves for the partner, and what of its answers goes on. Read at the other side of the wire.

use linesman_connectors::Connector as _;
use linesman_schemas::cascade::CaseStep;
use linesman_schemas::outcome::{CaseStanding, Done, FailureClass};
use linesman_schemas::reaction::{Action, CaseDetails, FollowUp};
use serde_json::{Value, json};

use crate::scripted::*;

/// The lines of a head, the first one first.
fn sorted(head: &str) -> Vec<String> {
    let mut lines: Vec<String> = head.split("\r\n").map(str::to_owned).collect();
    lines[1..].sort();
    lines
}

/// What the head of a request with a body of JSON says; `key` stands among it.
fn head(server: &Scripted, path: &str, body: &str, key: Option<&str>) -> Vec<String> {
    let key = key.map(|key| format!("idempotency-key: {key}"));
    let lines = [
        format!("POST /partner/v1/{path} HTTP/1.1"),
        "accept: application/json, application/problem+json".to_owned(),
        "authorization: Basic YWNtZTpodW50ZXIyLWh1bnRlcjI=".to_owned(),
        format!("content-length: {}", body.len()),
        "content-type: application/json".to_owned(),
        format!("host: {}", server.host()),
    ];
    let agent = format!("user-agent: linesman/{}", env!("CARGO_PKG_VERSION"));
    lines.into_iter().chain(key).chain([agent]).collect()
}

#[tokio::test]
async fn a_case_is_reported_once_the_partner_knows_who_comes() {
    let mut task = submit(17);
    let details = CaseDetails {
        host_event_id: "r1-JN1-20260102-030405-1".to_owned(),
        host_name: "r1".to_owned(),
        serial_number: "JN1".to_owned(),
        product: "MX240".to_owned(),
        platform: "junos".to_owned(),
        os_version: "23.4R1".to_owned(),
        event_type: "CHASSISD_FRU_OFFLINE".to_owned(),
        description: "two\nlines".to_owned(),
        comments: String::new(),
        cc: Vec::new(),
        follow_up: FollowUp::Phone,
        reference: "CHG-4711".to_owned(),
    };
    if let Action::SubmitCase(request) = &mut task.action {
        request.details = Some(details.clone());
        request.alias = "ACME".to_owned();
        request.address = "1 Main Street".to_owned();
        request.trace_route = vec!["site".to_owned(), "plant".to_owned()];
    }
    let server = Scripted::registering(vec![receipt()]);
    let attempted = server.partner().carry_out(&task).await;
    assert_eq!((attempted.requests, attempted.reports.len()), (2, 0));
    assert_eq!(done(attempted), Done::CaseAccepted { transaction_id: "T-1".to_owned(), case: None });

    let asked = server.heard();
    let (said, body) = asked.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, r#"{"controller":"plant"}"#);
    assert_eq!(sorted(said), head(&server, "registration", body, None));
    let asked = server.heard();
    let (said, body) = asked.split_once("\r\n\r\n").unwrap();
    assert_eq!(sorted(said), head(&server, "cases", body, Some("acme-r17-18f0")));
    let expected = json!({
        "tracking_number": "acme-17", "priority": "High", "synopsis": "fan 17 failed", "details": details,
        "alias": "ACME", "trace_route": ["site", "plant"],
    });
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), expected);
    assert!(server.has_ended());
}

#[tokio::test]
async fn what_is_withheld_does_not_leave() {
    let server = Scripted::registering(vec![receipt()]);
    done(server.partner().carry_out(&submit(17)).await);
    server.heard();
    let expected = r#"{"tracking_number":"acme-17","priority":"High","synopsis":"fan 17 failed","trace_route":[]}"#;
    assert_eq!(server.heard().split_once("\r\n\r\n").unwrap().1, expected);
}

#[tokio::test]
async fn what_was_done_with_a_case_is_told_under_its_transaction_id() {
    for (step, name) in [
        (CaseStep::Note(note("hot")), "note"),
        (CaseStep::Close(note("hot")), "close"),
        (CaseStep::Reopen(note("hot")), "reopen"),
    ] {
        let mut answer = view(17);
        answer["transaction_id"] = json!("acme/1 7");
        let server = Scripted::registering(vec![success(200, &answer)]);
        let attempted = server.partner().carry_out(&tell(17, "acme/1 7", step)).await;
        let found = cases(&attempted);
        assert_eq!((found.len(), found[0].incident.number), (1, 17), "how it stands then is known with the answer");
        assert_eq!(done(attempted), Done::CaseTold);
        server.heard();
        let asked = server.heard();
        let (said, body) = asked.split_once("\r\n\r\n").unwrap();
        assert_eq!(sorted(said), head(&server, "cases/acme%2F1%207/changes", body, Some("acme-r1017-18f0")));
        let said = r#"{"id":"acme-17-n1","author":"ada","at":"2026-01-02T03:04:05Z","text":"hot"}"#;
        assert_eq!(body, format!("{{\"{name}\":{said}}}"));
    }
}

#[tokio::test]
async fn the_answer_to_what_was_told_is_about_that_case() {
    let other = CaseStep::Close(note(""));
    let attempted = answered(&tell(1, "T-1", other), vec![success(200, &view(2))]).await;
    let failure = failure(attempted);
    assert_eq!(failure.class, FailureClass::Garbled);
    let expected = "the answer is about `acme-2` (`T-2`), the request was about `acme-1` (`T-1`)";
    assert_eq!(failure.message, expected);
}

#[tokio::test]
async fn a_poll_brings_what_changed_page_by_page() {
    let mut last = view(2);
    last["case_id"] = json!("C-2");
    last["status"] = json!("closed");
    last["link"] = json!("https://partner.example/C-2");
    last["notes"] = json!([note("hot")]);
    let server = Scripted::registering(vec![page(&[view(1)], "c 2&", true), page(&[last], "c3", false)]);
    let attempted = server.partner().carry_out(&poll(Some("c1"))).await;
    assert_eq!(attempted.requests, 3);
    let standing = CaseStanding {
        incident: incident(2),
        case_id: "C-2".to_owned(),
        status: "closed".to_owned(),
        link: Some("https://partner.example/C-2".to_owned()),
        updated: "2026-01-02T03:04:05Z".parse().unwrap(),
        notes: vec![note("hot")],
    };
    let found = cases(&attempted);
    assert_eq!((found[0].incident.number, found[0].case_id.as_str()), (1, ""));
    assert_eq!(found[1..], [standing]);
    assert_eq!(done(attempted), Done::Polled { cursor: Some("c3".to_owned()) });
    server.heard();
    for query in ["c1", "c+2%26"] {
        let asked = server.heard();
        assert!(asked.starts_with(&format!("GET /partner/v1/cases?cursor={query} HTTP/1.1\r\n")), "{asked}");
    }

    let server = Scripted::registering(vec![page(&[], "c1", false)]);
    done(server.partner().carry_out(&poll(None)).await);
    server.heard();
    assert!(server.heard().starts_with("GET /partner/v1/cases HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_case_that_is_told_of_again_and_again_is_one_change() {
    let case = |status: &str| {
        let mut case = view(1);
        case["status"] = json!(status);
        case
    };
    let pages = (1..=10).map(|number| {
        let many: Vec<_> = (0..200).map(|at| case(&format!("{number}-{at}"))).collect();
        page(&many, &format!("c{number}"), true)
    });
    let server = Scripted::registering(pages.collect());
    let found = cases(&server.partner().carry_out(&poll(None)).await);
    assert_eq!((found.len(), found[0].status.as_str()), (1, "10-199"));
}

#[tokio::test]
async fn a_poll_reads_ten_pages_and_the_next_one_goes_on() {
    let pages = (1..=10).map(|number| page(&[view(number)], &format!("c{number}"), true)).collect();
    let server = Scripted::registering(pages);
    let partner = server.partner();
    let attempted = partner.carry_out(&poll(None)).await;
    assert_eq!((attempted.requests, attempted.reports.len()), (11, 10));
    assert!(attempted.requests <= partner.requests_most());
    assert_eq!(done(attempted), Done::Polled { cursor: Some("c10".to_owned()) });
}

#[tokio::test]
async fn a_poll_that_fails_midway_brings_what_it_has() {
    let replies = vec![page(&[view(1)], "c1", true), problem(429, "Retry-After: 5\r\n", "slower")];
    let attempted = answered(&poll(None), replies).await;
    assert_eq!((attempted.requests, attempted.reports.len()), (3, 1));
    let failure = failure(attempted);
    assert_eq!((failure.class, failure.retry_after_s), (FailureClass::Overloaded, Some(5)));
}

#[tokio::test]
async fn an_action_of_another_connector_is_refused_without_a_request() {
    let action = serde_json::from_value(json!({"log": {"message": "hello"}})).unwrap();
    let server = Scripted::registering(Vec::new());
    let attempted = server.partner().carry_out(&task(1, action)).await;
    assert_eq!(attempted.requests, 0);
    assert_eq!(failure(attempted).message, "the connector `partner` has no use for `log`");
    assert!(server.is_silent());
}

/// The partner's log was begun anew, or it is another: what changed there is read from the beginning.
#[tokio::test]
async fn a_cursor_that_the_partner_does_not_know_begins_anew() {
    let server = Scripted::registering(vec![problem(400, "", "it is none"), page(&[view(1)], "c9", false)]);
    let attempted = server.partner().carry_out(&poll(Some("c1"))).await;
    assert_eq!((attempted.requests, attempted.reports.len()), (3, 1));
    assert_eq!(done(attempted), Done::Polled { cursor: Some("c9".to_owned()) });
    server.heard();
    for path in ["/partner/v1/cases?cursor=c1", "/partner/v1/cases"] {
        assert!(server.heard().starts_with(&format!("GET {path} HTTP/1.1\r\n")));
    }
}
