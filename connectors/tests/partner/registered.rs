//! The registration: before the first request, and anew once the partner did not know us.

use futures_util::future::join_all;
use linesman_connectors::Connector as _;
use linesman_schemas::outcome::FailureClass;
use serde_json::json;

use crate::scripted::*;

/// The paths of the next `count` requests.
fn paths(server: &Scripted, count: usize) -> Vec<String> {
    let path = |request: String| request.split(' ').nth(1).unwrap().rsplit('/').next().unwrap().to_owned();
    (0..count).map(|_| path(server.heard())).collect()
}

#[tokio::test]
async fn one_registration_serves_all_tasks() {
    let server = Scripted::registering((0..4).map(|_| receipt()).collect());
    let partner = server.partner();
    let tasks: Vec<_> = (1..=4).map(submit).collect();
    let attempts = join_all(tasks.iter().map(|task| partner.carry_out(task))).await;
    assert_eq!(attempts.iter().map(|attempted| attempted.requests).sum::<u32>(), 5);
    attempts.into_iter().for_each(|attempted| drop(done(attempted)));
    assert_eq!(paths(&server, 5), ["registration", "cases", "cases", "cases", "cases"]);
}

#[tokio::test]
async fn a_registration_that_fails_is_the_tasks_failure_and_is_made_again() {
    let server = Scripted::new(vec![problem(401, "", "the password is wrong"), registered(), receipt()]);
    let partner = server.partner();
    let attempted = partner.carry_out(&submit(1)).await;
    assert_eq!(attempted.requests, 1);
    let failure = failure(attempted);
    assert_eq!(failure.class, FailureClass::Unauthorized);
    assert_eq!(failure.message, "the registration was answered with HTTP 401: the password is wrong");
    done(partner.carry_out(&submit(1)).await);
    assert_eq!(paths(&server, 3), ["registration", "registration", "cases"]);
}

#[tokio::test]
async fn whom_the_partner_did_not_know_registers_again() {
    let server = Scripted::registering(vec![problem(401, "", "who?"), registered(), receipt(), receipt()]);
    let partner = server.partner();
    assert_eq!(failure(partner.carry_out(&submit(1)).await).message, "answered with HTTP 401: who?");
    done(partner.carry_out(&submit(1)).await);
    done(partner.carry_out(&submit(2)).await);
    assert_eq!(paths(&server, 5), ["registration", "cases", "registration", "cases", "cases"]);
}

#[tokio::test]
async fn nobody_sends_faster_than_the_partner_bears() {
    let slow = success(200, &json!({ "id": "acme", "controller": "hub", "requests_per_second": 1 }));
    let server = Scripted::new(vec![slow, receipt()]);
    let mut settings = server.settings();
    settings.way.timeout = std::time::Duration::from_millis(900);
    let partner = linesman_connectors::partner::Partner::new(&settings).unwrap();
    done(partner.carry_out(&submit(1)).await);
    // The next place is a second away, further than a request may take: it is told so and nothing is sent.
    let attempted = partner.carry_out(&submit(2)).await;
    assert_eq!(attempted.requests, 0);
    let failure = failure(attempted);
    assert_eq!((failure.class, failure.retry_after_s), (FailureClass::Overloaded, Some(1)));
    assert_eq!(failure.message, "more requests wait than the partner bears");
}

#[tokio::test]
async fn a_pace_that_cannot_be_is_garbled() {
    let none = success(200, &json!({ "id": "acme", "controller": "hub", "requests_per_second": 0 }));
    let server = Scripted::new(vec![none]);
    let failure = failure(server.partner().carry_out(&submit(1)).await);
    assert_eq!(failure.class, FailureClass::Garbled);
    assert_eq!(failure.message, "`requests_per_second` is not 1 to 10000 but 0");
    assert!(!failure.message.contains(PASSWORD));
}
