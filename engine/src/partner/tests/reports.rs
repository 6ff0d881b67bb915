//! What an end customer does, as far as it is settled before a lane decides.

use std::num::NonZeroU32;

use linesman_domain::cases::chain::Side;
use linesman_domain::commands::{self, CommandRow};
use linesman_domain::table;
use linesman_schemas::audit::Verdict;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::BOUNDS_HERE;
use super::fixture::{Fixture, HERE, Known, at, note, problem};

fn report() -> Value {
    json!({
        "tracking_number": "own-101",
        "priority": "2 - High",
        "synopsis": "FRU offline",
        "trace_route": ["their"],
    })
}

fn with(mut report: Value, name: &str, value: Value) -> Value {
    report[name] = value;
    report
}

/// The id in the log of a command that `acme` asks for under a key.
fn id(of: &str, key: &str) -> String {
    let who = hex::encode(Sha256::digest("end customer acme\n"));
    format!("~{}:{}", &who[..32], hex::encode(Sha256::digest(format!("{of}\n{key}"))))
}

#[tokio::test]
async fn a_case_that_is_known_is_answered_by_its_receipt_without_a_command() {
    let partner = Fixture::new().await;
    partner.reported("acme", 1, 1, Vec::new());
    // Whatever is asked under the key by now: what was asked is no longer kept, the case is.
    for body in [report(), with(report(), "synopsis", json!("other"))] {
        let answer = partner.post("acme", "cases", "k-1", &body).await;
        assert_eq!(answer.status(), 202);
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({"transaction_id": "T-acme-1"}));
    }
}

#[tokio::test]
async fn what_a_lane_has_decided_is_answered_again() {
    let partner = Fixture::new().await;
    let asked = [7; 32];
    let row =
        |verdict, detail: &str| CommandRow { verdict, is_new: false, detail: detail.to_owned(), asked, decided: at(0) };
    let acme = "acme".parse().unwrap();
    let key = commands::key(Some(&acme), &id("report", "k"));
    partner.write("acme", vec![(key.into_bytes(), table::encode(&row(Verdict::Conflict, "no")).unwrap())]);
    let other = "this `Idempotency-Key` was another request's; a new one needs its own";
    assert_eq!(problem(partner.post("acme", "cases", "k", &report()).await).await, (409, other.to_owned(), None));
}

#[tokio::test]
async fn a_case_that_would_go_in_a_circle_is_refused() {
    let partner = Fixture::new().await;
    let looping = with(report(), "trace_route", json!(["their", HERE, "another"]));
    let detail = "the case has passed this controller already: their > partner-1 > another > partner-1; an upstream leads \
        back here";
    assert_eq!(problem(partner.post("acme", "cases", "k", &looping).await).await, (409, detail.to_owned(), None));
}

#[tokio::test]
async fn what_is_wrong_with_a_report_is_said_where_it_is() {
    let partner = Fixture::new().await;
    let long = "x".repeat(70_000);
    for (body, status, at, detail) in [
        (with(report(), "synopsis", json!(long)), 422, "#/synopsis", None),
        (with(report(), "trace_route", json!([])), 422, "#/trace_route", Some("`trace_route` has not 1 to 16 entries")),
        (with(report(), "trace_route", json!([""])), 422, "#/trace_route/0", Some("`trace_route/0` is empty")),
        (with(report(), "tracking_number", json!("x")), 422, "#/tracking_number", None),
        (with(report(), "priority", json!("urgent")), 422, "#/priority", None),
        (json!({}), 422, "#/tracking_number", Some("`tracking_number` is missing")),
    ] {
        let (found, said, place) = problem(partner.post("acme", "cases", "k", &body).await).await;
        assert_eq!((found, place.as_deref()), (status, Some(at)), "{said}");
        assert!(detail.is_none_or(|detail| detail == said), "{said}");
    }
    let keyless = partner.request("acme", reqwest::Method::POST, "cases").json(&report()).send().await.unwrap();
    let missing = (400, "`Idempotency-Key` is missing".to_owned(), Some("Idempotency-Key".to_owned()));
    assert_eq!(problem(keyless).await, missing);
}

#[tokio::test]
async fn before_its_engine_level_nothing_is_taken_and_the_end_customer_tries_again() {
    let partner = Fixture::new().await;
    for lane in &partner.lanes {
        lane.send_modify(|lane| lane.level = 5);
    }
    let answer = partner.post("acme", "cases", "k", &report()).await;
    assert_eq!(answer.headers()["retry-after"], "60");
    let detail = "the partner takes cases from engine level 6 on, and is at 5: it must raise it";
    assert_eq!(problem(answer).await, (503, detail.to_owned(), None));
}

#[tokio::test]
async fn a_note_that_is_known_is_said_no_more() {
    let partner = Fixture::new().await;
    partner.reported("acme", 1, 1, vec![note("n-1", Side::Below, "ours"), note("n-2", Side::Here, "yours")]);
    let step =
        |id: &str, text: &str| json!({"note": {"id": id, "author": "ann", "at": at(0).to_string(), "text": text}});
    let answer = partner.post("acme", "cases/T-acme-1/changes", "k", &step("n-1", "ours")).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.unwrap()["notes"][0]["id"], "n-2");
    for (id, text, at, detail) in
        [("", "ours", "#/note/id", "`note/id` is empty"), ("n-3", " ", "#/note/text", "`note/text` is empty")]
    {
        let answer = partner.post("acme", "cases/T-acme-1/changes", "k", &step(id, text)).await;
        assert_eq!(problem(answer).await, (422, detail.to_owned(), Some(at.to_owned())));
    }
}

#[tokio::test]
async fn what_is_reported_in_a_day_is_bounded_and_a_synopsis_is_one_line() {
    let known = Known { reported_most_bytes: NonZeroU32::new(100), ..Known::default() };
    let partner = Fixture::knowing(BOUNDS_HERE, 1000, &known).await;
    let answer = partner.post("acme", "cases", "k", &report()).await;
    assert!(answer.headers().contains_key("retry-after"));
    let most = "an end customer may report 100 bytes a day (`partner.reported_most_bytes`)";
    assert_eq!(problem(answer).await, (429, most.to_owned(), None));
    for (count, status) in [(1_000, 429), (1_001, 422)] {
        let answer = partner.post("acme", "cases", "k", &with(report(), "synopsis", json!("s".repeat(count)))).await;
        assert_eq!(answer.status(), status, "{count} characters");
    }
}
