//! INVARIANT: what the filter level withholds does not leave. Read at the other side of the wire.

use linesman_connectors::Connector as _;
use linesman_connectors::jss::Jss;
use linesman_schemas::Priority;
use linesman_schemas::cascade::CaseStep;
use linesman_schemas::reaction::{Action, CaseDetails, CaseRequest, FollowUp, Task, WITHHELD};
use serde_json::json;

use crate::scripted::{Scripted, success, token};
use crate::world::{PASSWORD, done, incident, note, poll, task, tell};

fn request(details: Option<CaseDetails>) -> Task {
    let synopsis = if details.is_some() { "fan \"2\" failed".to_owned() } else { WITHHELD.to_owned() };
    let request = CaseRequest {
        incident: incident(17),
        priority: Priority::Critical,
        synopsis,
        details,
        alias: String::new(),
        address: String::new(),
        trace_route: Vec::new(),
    };
    task(7, Action::SubmitCase(Box::new(request)))
}

/// The body of the `createSR` that `task` makes.
async fn sent(task: &Task) -> String {
    sent_to("createSR", task).await
}

/// The body of the request of an endpoint that `task` makes; heads are compared whole here.
async fn sent_to(endpoint: &str, task: &Task) -> String {
    let server = Scripted::new(vec![token(), success(json!({ "transactionId": "T-1" }))]);
    done(Jss::new(server.settings()).unwrap().carry_out(task).await);
    let host = server.host();

    let asked = server.heard();
    let (head, form) = asked.split_once("\r\n\r\n").unwrap();
    assert_eq!(form, format!("grant_type=client_credentials&client_id=noc%40acme.example&client_secret={PASSWORD}"));
    let version = env!("CARGO_PKG_VERSION");
    let expected = [
        "POST /oauth2/token HTTP/1.1".to_owned(),
        "accept: */*".to_owned(),
        format!("content-length: {}", form.len()),
        "content-type: application/x-www-form-urlencoded".to_owned(),
        format!("host: {host}"),
        format!("user-agent: linesman/{version}"),
    ];
    assert_eq!(sorted(head), expected);

    let created = server.heard();
    let (head, body) = created.split_once("\r\n\r\n").unwrap();
    let expected = [
        format!("POST /case/v1/{endpoint} HTTP/1.1"),
        "accept: application/json".to_owned(),
        "application-id: linesman-test".to_owned(),
        "authorization: Bearer t0k3n".to_owned(),
        format!("content-length: {}", body.len()),
        "content-type: application/json".to_owned(),
        format!("host: {host}"),
        format!("idempotency-key: {}", task.id),
        format!("user-agent: linesman/{version}"),
    ];
    assert_eq!(sorted(head), expected);
    assert!(server.has_ended());
    body.to_owned()
}

/// The lines of a head, the first one first.
fn sorted(head: &str) -> Vec<String> {
    let mut lines: Vec<String> = head.split("\r\n").map(str::to_owned).collect();
    lines[1..].sort();
    lines
}

#[tokio::test]
async fn only_the_agreed_fields_leave_when_details_are_withheld() {
    let expected = r#"{"siteId":"SITE-1","userId":"noc@acme.example","customerTrackingNumber":"acme-17","priority":"1 - Critical","synopsis":"withheld by filter level"}"#;
    assert_eq!(sent(&request(None)).await, expected);
}

#[tokio::test]
async fn every_detail_leaves_under_its_name_when_they_may() {
    let details = CaseDetails {
        host_event_id: "r1-JN1-20260102-030405-1".to_owned(),
        host_name: "r1".to_owned(),
        serial_number: "JN1".to_owned(),
        product: "MX240".to_owned(),
        platform: "junos".to_owned(),
        os_version: "23.4R1".to_owned(),
        event_type: "CHASSISD_FRU_OFFLINE".to_owned(),
        description: "two\nlines".to_owned(),
        comments: "please call".to_owned(),
        cc: vec!["a@acme.example".to_owned()],
        follow_up: FollowUp::Phone,
        reference: "CHG-4711".to_owned(),
    };
    let expected = concat!(
        r#"{"siteId":"SITE-1","userId":"noc@acme.example","customerTrackingNumber":"acme-17","#,
        r#""priority":"1 - Critical","synopsis":"fan \"2\" failed","details":{"#,
        r#""hostEventId":"r1-JN1-20260102-030405-1","hostName":"r1","serialNumber":"JN1","product":"MX240","#,
        r#""platform":"junos","osVersion":"23.4R1","eventType":"CHASSISD_FRU_OFFLINE","#,
        r#""description":"two\nlines","customerComments":"please call","ccList":["a@acme.example"],"#,
        r#""followUpMethod":"Phone Call","customerReference":"CHG-4711"}}"#,
    );
    assert_eq!(sent(&request(Some(details))).await, expected);
}

#[tokio::test]
async fn a_case_from_below_says_whose_it_is_and_which_way_it_came() {
    let mut task = request(None);
    if let Action::SubmitCase(request) = &mut task.action {
        request.alias = "ACME/plant".to_owned();
        request.address = "1 Main Street".to_owned();
        request.trace_route = vec!["plant".to_owned(), "acme".to_owned()];
    }
    let expected = concat!(
        r#"{"siteId":"SITE-1","userId":"noc@acme.example","customerTrackingNumber":"acme-17","priority":"1 - Critical","#,
        r#""synopsis":"withheld by filter level","alias":"ACME/plant","traceRoute":["plant","acme"],"#,
        r#""address":"1 Main Street"}"#,
    );
    assert_eq!(sent(&task).await, expected);
}

#[tokio::test]
async fn what_was_done_with_a_case_leaves_with_what_was_said() {
    let start = concat!(
        r#"{"siteId":"SITE-1","userId":"noc@acme.example","customerTrackingNumber":"acme-17","transactionId":"T-1","#,
        r#""step":""#,
    );
    let said = r#","note":{"id":"acme-17-n1","author":"ada","at":"2026-01-02T03:04:05Z","text":"hot"}"#;
    let close = sent_to("updateSR", &tell(17, "T-1", CaseStep::Close(note("hot")))).await;
    assert_eq!(close, format!("{start}close\"{said}}}"));
    let remark = sent_to("updateSR", &tell(17, "T-1", CaseStep::Note(note("hot")))).await;
    assert_eq!(remark, format!("{start}note\"{said}}}"));
    // Where nothing was said, nobody said it.
    let reopen = sent_to("updateSR", &tell(17, "T-1", CaseStep::Reopen(note("")))).await;
    assert_eq!(reopen, format!("{start}reopen\"}}"));
}

#[tokio::test]
async fn a_poll_says_the_site_and_the_cursor() {
    for (cursor, expected) in [(None, r#"{"siteId":"SITE-1"}"#), (Some("c1"), r#"{"siteId":"SITE-1","cursor":"c1"}"#)] {
        let page = success(json!({ "cases": [], "cursor": "c2", "more": false }));
        let server = Scripted::new(vec![token(), page]);
        done(server.jss().carry_out(&poll(cursor)).await);
        server.heard();
        let asked = server.heard();
        assert!(asked.starts_with("POST /case/v1/querySR HTTP/1.1\r\n"), "{asked}");
        assert_eq!(asked.split_once("\r\n\r\n").unwrap().1, expected);
    }
}
