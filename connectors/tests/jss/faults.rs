//! Every way the support system fails, and the class it gets.

use std::time::Duration;

use linesman_connectors::jss::Jss;
use linesman_connectors::standin;
use linesman_connectors::tls::{Authority, Trust, http_client};
use linesman_connectors::{Connector as _, Secret};
use linesman_schemas::cascade::CaseStep;
use linesman_schemas::cause::Cause;
use linesman_schemas::outcome::{Done, FailureClass};
use linesman_schemas::reaction::Action;
use serde_json::json;

use crate::world::{World, cases, done, failure, incident, note, poll, submit, tell};

#[tokio::test]
async fn a_case_is_opened() {
    let world = World::new().await;
    let attempted = world.jss().carry_out(&submit(1)).await;
    assert_eq!((attempted.requests, attempted.reports.len()), (2, 0));
    let Done::CaseAccepted { transaction_id, case } = done(attempted) else { panic!("not accepted") };
    let case = case.unwrap();
    assert_eq!((transaction_id.as_str(), case.incident, case.status.as_str()), ("T-00000001", incident(1), "created"));
    assert_eq!(world.requests().await, [1, 1, 0]);
}

#[tokio::test]
async fn a_case_gets_its_id_later() {
    let world = World::new().await;
    world.control(json!({ "assign_after_ms": 50 })).await;
    let jss = world.jss();
    let Done::CaseAccepted { case: None, .. } = done(jss.carry_out(&submit(1)).await) else { panic!("has an id") };
    let shown = async {
        loop {
            let attempted = jss.carry_out(&poll(None)).await;
            if let Some(case) = cases(&attempted).first() {
                break case.clone();
            }
        }
    };
    let case = tokio::time::timeout(Duration::from_secs(10), shown).await.unwrap();
    assert_eq!((case.incident, case.status.as_str()), (incident(1), "created"));
}

/// A fault, and the class and `Retry-After` it must become.
fn faults() -> Vec<(serde_json::Value, FailureClass, Option<u32>)> {
    use FailureClass::{Garbled, Overloaded, Refused, Unauthorized, Unavailable};
    vec![
        (json!({ "status": 500 }), Unavailable, None),
        (json!({ "status": 503 }), Unavailable, None),
        (json!({ "status": 503, "retry_after_s": 30 }), Unavailable, Some(30)),
        (json!({ "status": 429 }), Overloaded, None),
        (json!({ "status": 429, "retry_after_s": 120 }), Overloaded, Some(120)),
        (json!({ "status": 429, "retry_after_s": 7200 }), Overloaded, Some(3600)),
        (json!({ "status": 401 }), Unauthorized, None),
        (json!({ "status": 403 }), Unauthorized, None),
        (json!({ "status": 400 }), Refused, None),
        (json!({ "status": 404 }), Garbled, None),
        (json!({ "garbage": true }), Garbled, None),
        (json!({ "drop_after_accept": true }), Unavailable, None),
        (json!({ "delay_ms": 60_000 }), Unavailable, None),
    ]
}

#[tokio::test]
async fn every_fault_has_its_class_for_cases_and_polls() {
    let world = World::new().await;
    let mut number = 0;
    for (fault, class, retry_after_s) in faults() {
        for endpoint in ["createSR", "updateSR", "querySR"] {
            number += 1;
            let task = match endpoint {
                "createSR" => submit(number),
                // The case that was opened last.
                "updateSR" => {
                    let transaction = format!("T-{:08}", number.div_ceil(3));
                    tell(number - 1, &transaction, CaseStep::Note(note("hot")))
                }
                _ => poll(None),
            };
            let mut control = fault.clone();
            control["only"] = json!(endpoint);
            world.control(control).await;
            let short = world.settings_with(|way| way.timeout = Duration::from_millis(400));
            let settings = if fault.get("delay_ms").is_some() { short } else { world.settings() };
            let failure = failure(Jss::new(settings).unwrap().carry_out(&task).await);
            assert_eq!(
                (failure.class, failure.retry_after_s),
                (class, retry_after_s),
                "{endpoint} {fault} {failure:?}"
            );
            world.control(json!({})).await;
            done(world.jss().carry_out(&task).await);
        }
    }
    let count = world.count().await;
    // Work that was done although its answer failed was not done again.
    let opened = faults().len();
    assert_eq!((count["cases"].as_u64(), count["duplicates_prevented"].as_u64()), (Some(opened as u64), Some(3)));
}

#[tokio::test]
async fn a_retry_after_may_be_a_date() {
    let world = World::new().await;
    world
        .control(json!({ "status": 429, "retry_after_s": 600, "retry_after_as_date": true, "only": "createSR" }))
        .await;
    let failure = failure(world.jss().carry_out(&submit(1)).await);
    assert_eq!(failure.class, FailureClass::Overloaded);
    // The answer's `Date` may be of the second before or after.
    assert!((598..=602).contains(&failure.retry_after_s.unwrap()), "{failure:?}");

    let client = http_client(Some(world.standin.ca_path())).unwrap().build().unwrap();
    let answer = client.post(format!("{}/case/v1/createSR", world.standin.url())).send().await.unwrap();
    assert!(answer.headers()["retry-after"].to_str().unwrap().ends_with(" GMT"), "{:?}", answer.headers());
}

#[tokio::test]
async fn a_lost_answer_does_not_open_a_second_case() {
    let world = World::new().await;
    let jss = Jss::new(world.settings_with(|way| way.timeout = Duration::from_millis(400))).unwrap();
    for (number, fault) in [(1, json!({ "drop_after_accept": true })), (2, json!({ "delay_ms": 60_000 }))] {
        let mut control = fault;
        control["only"] = json!("createSR");
        control["times"] = json!(1);
        world.control(control).await;
        let failure = failure(jss.carry_out(&submit(number)).await);
        assert_eq!(failure.class, FailureClass::Unavailable);
        assert_eq!(world.count().await["cases"], number);
        done(jss.carry_out(&submit(number)).await);
        let count = world.count().await;
        assert_eq!((&count["cases"], &count["duplicates_prevented"]), (&json!(number), &json!(number)));
    }
}

#[tokio::test]
async fn what_cannot_be_reached_says_so() {
    let world = World::new().await;
    let jss = world.jss();
    let addr = world.standin.addr();
    world.standin.shutdown().await;
    let attempted = jss.carry_out(&submit(1)).await;
    assert_eq!(attempted.requests, 1);
    let failure = failure(attempted);
    assert_eq!((failure.class, failure.cause()), (FailureClass::Unavailable, Cause::Refused));
    let expected = format!("`{addr}` cannot be reached: Connection refused (os error 111)");
    assert_eq!(failure.message, expected);
}

#[tokio::test]
async fn time_that_runs_out_is_said() {
    let world = World::new().await;
    world.control(json!({ "delay_ms": 60_000 })).await;
    let jss = Jss::new(world.settings_with(|way| way.timeout = Duration::from_millis(200))).unwrap();
    let failure = failure(jss.carry_out(&submit(1)).await);
    assert_eq!(failure.message, format!("no answer from `{}` in time", world.standin.addr()));
    assert_eq!(failure.cause(), Cause::Timeout);
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_told_from_a_machine_that_is_not_there() {
    let world = World::new().await;
    let jss = Jss::new(world.settings_with(|way| way.url = "https://nobody.invalid:8443".to_owned())).unwrap();
    let failure = failure(jss.carry_out(&submit(1)).await);
    assert_eq!((failure.class, failure.cause()), (FailureClass::Unavailable, Cause::Dns), "{}", failure.message);
    assert!(failure.message.starts_with("`nobody.invalid:8443` cannot be reached: "), "{}", failure.message);
}

#[tokio::test]
async fn what_answers_come_of_is_told() {
    let world = World::new().await;
    for (control, cause) in [
        (json!({ "status": 503 }), Cause::Http5xx),
        (json!({ "status": 404 }), Cause::Http4xx),
        (json!({ "status": 403 }), Cause::Credentials),
        (json!({ "status": 429 }), Cause::Overloaded),
        (json!({ "garbage": true }), Cause::Garbled),
        (json!({ "drop_after_accept": true }), Cause::Lost),
    ] {
        world.control(control.clone()).await;
        assert_eq!(failure(world.jss().carry_out(&submit(1)).await).cause(), cause, "{control}");
    }
}

#[tokio::test]
async fn a_certificate_of_others_is_not_believed() {
    let world = World::new().await;
    let other = world.dir.path().join("other");
    let kept = Authority::open(&other).unwrap().ca_path().to_owned();
    let jss = Jss::new(world.settings_with(|way| way.trust = Trust::Authority(kept.clone()))).unwrap();
    let failure = failure(jss.carry_out(&submit(1)).await);
    assert_eq!((failure.class, failure.cause()), (FailureClass::Unavailable, Cause::Tls));
    let expected = format!(
        "the certificate of `{}` does not validate against the file `{}` (setting `ca`): its issuer is not among those that are \
         believed; its SHA-256 is `sha256:",
        world.standin.addr(),
        kept.display()
    );
    assert!(failure.message.starts_with(&expected), "{}", failure.message);
    assert_eq!(world.requests().await, [0, 0, 0]);
}

#[tokio::test]
async fn a_wrong_password_is_unauthorized_and_not_repeated() {
    let world = World::new().await;
    let settings = world.settings_with(|way| way.password = Secret::new("wrong-password"));
    let attempted = Jss::new(settings).unwrap().carry_out(&submit(1)).await;
    assert_eq!(attempted.requests, 1);
    let failure = failure(attempted);
    assert_eq!(failure.class, FailureClass::Unauthorized);
    assert_eq!(failure.message, "no token is granted, HTTP 401: invalid_client");
}

#[tokio::test]
async fn a_refused_case_names_the_faults() {
    let world = World::new().await;
    let mut task = submit(1);
    if let Action::SubmitCase(request) = &mut task.action {
        request.synopsis = String::new();
    }
    let failure = failure(world.jss().carry_out(&task).await);
    assert_eq!(failure.class, FailureClass::Refused);
    let expected = "answered with status 400: invalid-field: `synopsis` must be 1 to 65536 characters";
    assert_eq!(failure.message, expected);
    assert_eq!(world.count().await["cases"], 0);
}

#[tokio::test]
async fn a_key_used_for_another_case_is_refused() {
    let world = World::new().await;
    let jss = world.jss();
    done(jss.carry_out(&submit(1)).await);
    let mut task = submit(2);
    task.id = submit(1).id;
    let failure = failure(jss.carry_out(&task).await);
    assert_eq!(failure.class, FailureClass::Refused);
    let expected = "answered with status 400: idempotency-key: the key has been used for another request";
    assert_eq!(failure.message, expected);
}

#[tokio::test]
async fn what_was_done_with_a_case_is_known_above_and_what_is_said_there_here() {
    let world = World::new().await;
    let jss = world.jss();
    let transaction = crate::world::transaction(&jss, &submit(1)).await;
    assert_eq!(done(jss.carry_out(&tell(1, &transaction, CaseStep::Close(note("two\nlines")))).await), Done::CaseTold);
    let theirs = json!({ "id": "N-1", "author": "support", "at": "2026-01-02T03:04:06Z", "text": "wait" });
    world.control(json!({ "update": { "tracking": "acme-1", "status": "reopened", "note": theirs } })).await;
    let polled = cases(&jss.carry_out(&poll(None)).await);
    assert_eq!((polled.len(), polled[0].status.as_str()), (1, "reopened"));
    assert_eq!(polled[0].notes[0], note("two\nlines"));
    assert_eq!((polled[0].notes[1].author.as_str(), polled[0].notes[1].text.as_str()), ("support", "wait"));

    let failure = failure(jss.carry_out(&tell(2, "T-9", CaseStep::Close(note("")))).await);
    assert_eq!(failure.class, FailureClass::Refused);
    assert_eq!(failure.message, "answered with status 404: unknown-case: no case has this transaction id");
}

#[tokio::test]
async fn the_authority_outlives_the_stand_in() {
    let dir = tempfile::tempdir().unwrap();
    let settings = || standin::Settings::new("127.0.0.1:0".parse().unwrap(), dir.path());
    let first = standin::start(settings()).await.unwrap();
    let pem = std::fs::read(first.ca_path()).unwrap();
    first.shutdown().await;
    let second = standin::start(settings()).await.unwrap();
    assert_eq!(std::fs::read(second.ca_path()).unwrap(), pem);
    let jss = Jss::new(crate::world::settings(&second.url(), second.ca_path())).unwrap();
    done(jss.carry_out(&submit(1)).await);
}
