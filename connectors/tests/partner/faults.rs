//! Every way the partner fails, and the class it gets.

use std::time::Duration;

use linesman_connectors::Connector as _;
use linesman_connectors::partner::Partner;
use linesman_schemas::cascade::CaseStep;
use linesman_schemas::outcome::FailureClass::{Garbled, Overloaded, Refused, Unauthorized, Unavailable};
use linesman_schemas::reaction::Task;
use serde_json::json;

use crate::scripted::*;

fn tasks() -> [Task; 3] {
    [submit(1), poll(None), tell(1, "T-1", CaseStep::Close(note("")))]
}

#[tokio::test]
async fn every_answer_has_its_class_for_cases_polls_and_tellings() {
    for (status, head, class, retry_after_s) in [
        (400, "", Refused, None),
        (401, "", Unauthorized, None),
        (403, "", Unauthorized, None),
        (404, "", Unavailable, None),
        (409, "", Refused, None),
        (422, "", Refused, None),
        (429, "", Overloaded, None),
        (429, "Retry-After: 120\r\n", Overloaded, Some(120)),
        (500, "", Unavailable, None),
        (503, "", Unavailable, None),
        (503, "Retry-After: 7200\r\n", Overloaded, Some(3600)),
    ] {
        for task in tasks() {
            let failure = failure(answered(&task, vec![problem(status, head, "so it is\n")]).await);
            assert_eq!((failure.class, failure.retry_after_s), (class, retry_after_s), "{status} {failure:?}");
            assert_eq!(failure.message, format!("answered with HTTP {status}: so it is\\n"));
        }
    }
}

#[tokio::test]
async fn nonsense_is_garbled() {
    for task in tasks() {
        let failure = failure(answered(&task, vec![says(answer(200, "", "<html>"))]).await);
        assert_eq!(failure.class, Garbled);
        assert!(failure.message.starts_with("the answer cannot be read: "), "{failure:?}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_left() {
    let body = format!("{{\"x\": \"{}\"}}", "x".repeat(8 * 1024 * 1024));
    for task in tasks() {
        let failure = failure(answered(&task, vec![says(answer(200, "", &body))]).await);
        assert_eq!((failure.class, failure.message.as_str()), (Garbled, "the answer is longer than 8388608 bytes"));
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_no_answer() {
    for task in tasks() {
        let server = Scripted::registering(vec![reset()]);
        let failure = failure(server.partner().carry_out(&task).await);
        assert_eq!(failure.class, Unavailable);
        assert!(failure.message.starts_with(&format!("`{}` did not answer: ", server.host())), "{failure:?}");
    }
}

#[tokio::test]
async fn time_that_runs_out_is_said() {
    let server = Scripted::registering(vec![silence()]);
    let mut settings = server.settings();
    settings.way.timeout = Duration::from_millis(400);
    let failure = failure(Partner::new(&settings).unwrap().carry_out(&submit(1)).await);
    assert_eq!(failure.class, Unavailable);
    assert_eq!(failure.message, format!("no answer from `{}` in time", server.host()));
}

#[tokio::test]
async fn a_cursor_that_stays_is_garbled() {
    let attempted = answered(&poll(Some("c1")), vec![page(&[view(1)], "c1", true)]).await;
    assert!(attempted.reports.is_empty());
    let failure = failure(attempted);
    assert_eq!(failure.class, Garbled);
    assert_eq!(failure.message, "there is more behind the cursor, but the cursor stays");
}

#[tokio::test]
async fn a_tracking_number_that_is_no_incident_is_garbled() {
    let mut wrong = view(1);
    wrong["tracking_number"] = json!("PO 4711");
    let failure = failure(answered(&poll(None), vec![page(&[wrong], "c1", false)]).await);
    assert_eq!(failure.class, Garbled);
    assert!(failure.message.starts_with("the answer cannot be read: "), "{failure:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Scripted::registering(vec![receipt()]);
    let location = format!("Location: https://{}/partner/v1/cases\r\n", elsewhere.host());
    let failure = failure(answered(&submit(1), vec![says(answer(307, &location, ""))]).await);
    assert_eq!((failure.class, failure.message.as_str()), (Unavailable, "answered with HTTP 307"));
    assert!(elsewhere.is_silent());
}

#[tokio::test]
async fn a_case_whose_answer_was_lost_is_reported_again_under_the_same_key() {
    let server = Scripted::registering(vec![reset(), receipt()]);
    let partner = server.partner();
    failure(partner.carry_out(&submit(1)).await);
    done(partner.carry_out(&submit(1)).await);
    server.heard();
    assert_eq!(server.heard(), server.heard());
}

#[tokio::test]
async fn a_connection_begins_at_the_source_address() {
    let (came, whence) = std::sync::mpsc::channel();
    let reply: Reply = Box::new(move |connection| {
        came.send(connection.sock.peer_addr().unwrap().ip().to_string()).unwrap();
        receipt()(connection);
    });
    let server = Scripted::registering(vec![reply]);
    let mut settings = server.settings();
    settings.way.source_address = Some("127.0.0.9".parse().unwrap());
    done(Partner::new(&settings).unwrap().carry_out(&submit(1)).await);
    assert_eq!(whence.recv().unwrap(), "127.0.0.9");
}
