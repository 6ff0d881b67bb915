//! `GET /api/v1/status`.

use jiff::Timestamp;
use linesman_schemas::cause::Cause;
use linesman_schemas::control::RefusedPolicy;
use linesman_schemas::outcome::{Failure, FailureClass};
use serde_json::{Value, json};

use super::fixture::Fixture;
use linesman_domain::reactions::{self, CircuitRow, PendingRow};
use linesman_domain::rule_book::{self, BookRow};
use linesman_domain::sources::{self, CursorRow};
use linesman_domain::state::Writes;
use linesman_domain::table;

#[tokio::test]
async fn lanes_what_is_pending_and_open_circuits_are_told() {
    let edge = Fixture::new().await;
    let until = Timestamp::from_second(1_800_000_000).unwrap();
    let book = BookRow { version: 3, hash: "ab".repeat(32), sections: Vec::new() };
    for (org, failures, open_until) in [("acme", 5, Some(until)), ("zulu", 7, None), ("bolt", 6, Some(until))] {
        let circuit = CircuitRow { failures, open_until, rest_s: 30 };
        let pending = PendingRow {
            org: None,
            destination: "jss".into(),
            attempt: 1,
            not_before: until,
            deadline: until,
            is_held: false,
            incident: None,
            action: String::new(),
            misses: 0,
            there: 0,
        };
        edge.write(
            org,
            vec![
                (
                    reactions::circuit(if open_until.is_some() { "jss" } else { "log" }).into_bytes(),
                    table::encode(&circuit).unwrap(),
                ),
                (reactions::key(org).into_bytes(), table::encode(&pending).unwrap()),
                (rule_book::key().into_bytes(), table::encode(&book).unwrap()),
            ],
        );
    }
    edge.lanes[1].send_modify(|status| {
        status.is_running = true;
        status.position = 17;
        status.sealed = Some("the log lost messages".into());
    });
    let answer = edge.get("/api/v1/status").await;
    assert_eq!(answer.status(), 200);
    let status: Value = answer.json().await.unwrap();
    assert_eq!(status["ready"], false);
    assert_eq!(status["pending"], json!([{"destination": "jss", "reactions": 3}]));
    let open =
        json!([{"destination": "jss", "failures": 6, "open_until": "2027-01-15T08:00:00Z", "organization": null}]);
    assert_eq!(status["circuits"], open);
    let waiting = json!([{
        "destination": "jss", "connector": "jss", "peer": null, "served": false, "reactions": 3,
        "open_until": "2027-01-15T08:00:00Z", "failing": null,
    }]);
    assert_eq!(status["destinations"], waiting);
    assert_eq!(status["dispatch"], json!({"tasks": 0, "waiting": 0, "displaced": 0}));
    let mut lane = status["lanes"][1].clone();
    let its_book = lane.as_object_mut().unwrap().remove("rule_book").unwrap();
    assert!(its_book.is_null() || its_book == json!({"version": 3, "hash": "ab".repeat(32)}), "{its_book}");
    // The log does not answer: nobody knows how far it is.
    let expected = json!({
        "lane": 1, "running": true, "sealed": "the log lost messages", "position": 17, "level": 1, "end": null, "lag": null,
        "lag_s": null,
    });
    assert_eq!(lane, expected);
    let books = status["lanes"].as_array().unwrap().iter().filter(|lane| lane["rule_book"]["version"] == 3);
    assert!(books.count() > 0, "{status}");
}

#[tokio::test]
async fn sources_are_told_with_where_they_go_on() {
    let edge = Fixture::new().await;
    let reported = Timestamp::from_second(1_800_000_000).unwrap();
    let rows = ["bulletins", "gone"].map(|name| {
        let row = CursorRow { cursor: Some(format!("{name}-7")), number: 7, reported };
        (sources::key(&name.parse().unwrap()).into_bytes(), Some(table::encode(&row).unwrap()))
    });
    edge.store.lane(0).unwrap().apply(&Writes { batch: 1, rows: rows.into() }).unwrap();
    let status: Value = edge.get("/api/v1/status").await.json().await.unwrap();
    let reported = "2027-01-15T08:00:00Z";
    let expected = json!([
        {"source": "bulletins", "served": true, "resting": true, "failing": null, "cursor": "bulletins-7", "reported": reported},
        {"source": "gone", "served": false, "resting": false, "failing": null, "cursor": "gone-7", "reported": reported},
        {"source": "notices", "served": true, "resting": false, "failing": null, "cursor": null, "reported": null},
    ]);
    assert_eq!(status["sources"], expected);
}

#[tokio::test]
async fn what_fails_is_told_with_since_when_and_why() {
    let edge = Fixture::new().await;
    let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
    let failure = Failure {
        class: FailureClass::Unavailable,
        message: "`jss.example` cannot be reached".to_owned(),
        retry_after_s: None,
        cause: Some(Cause::Refused),
    };
    for second in [0, 30] {
        edge.failing.failed("jss", &failure, at(second));
    }
    let failed = edge.failing.of("jss");
    edge.brought.send_modify(|sources| sources.get_mut("bulletins").unwrap().failed = failed);
    let status: Value = edge.get("/api/v1/status").await.json().await.unwrap();
    let failing = json!({
        "class": "refused", "error": "`jss.example` cannot be reached", "since": "2027-01-15T08:00:00Z",
        "last": "2027-01-15T08:00:30Z", "tries": 2,
    });
    let expected = json!([{
        "destination": "jss", "connector": "jss", "peer": null, "served": false, "reactions": 0, "open_until": null,
        "failing": failing,
    }]);
    assert_eq!(status["destinations"], expected);
    assert_eq!((&status["sources"][0]["failing"], &status["sources"][1]["failing"]), (&failing, &Value::Null));
}

#[tokio::test]
async fn what_waits_for_somebody_is_told() {
    let edge = Fixture::new().await;
    let none = json!({
        "rule_directory": null, "refused_policies": [], "refused_policies_count": 0, "refused_services": [],
        "failed_policies": [], "withheld_cases": 0, "unreplayed": {},
    });
    let status: Value = edge.get("/api/v1/status").await.json().await.unwrap();
    assert_eq!(status["attention"], none);
    let now = Timestamp::now();
    let (acme, bolt) = ("acme".parse().unwrap(), "bolt".parse().unwrap());
    edge.policy_failures.add("acme/own", 1, (&acme, "oh"), now);
    edge.policy_failures.add("open-case", 2, (&acme, "no"), now);
    edge.policy_failures.add("open-case", 1, (&bolt, "never"), now);
    edge.policies.send_modify(|policies| {
        policies.count = 1;
        policies.refused = [RefusedPolicy {
            owner: None,
            path: "broken.rhai".to_owned(),
            hash: "ab".repeat(32),
            line: 3,
            column: 1,
            message: "unexpected `)`".to_owned(),
            help: None,
            stays: None,
        }]
        .into();
    });
    let status: Value = edge.get("/api/v1/status").await.json().await.unwrap();
    let attention = &status["attention"];
    let failed = json!([
        {"policy": "open-case", "failures": 3, "last": now, "organization": "bolt", "error": "never"},
        {"policy": "acme/own", "failures": 1, "last": now, "organization": "acme", "error": "oh"},
    ]);
    assert_eq!(attention["failed_policies"], failed);
    let refused = json!([{"path": "broken.rhai", "line": 3, "column": 1, "message": "unexpected `)`"}]);
    assert_eq!((&attention["refused_policies"], &attention["refused_policies_count"]), (&refused, &json!(1)));
}

/// The poll that is always there is no reaction that waits.
#[tokio::test]
async fn polls_are_no_reactions() {
    let edge = Fixture::new().await;
    let poll = PendingRow {
        org: None,
        destination: "jss".into(),
        attempt: 1,
        not_before: Timestamp::UNIX_EPOCH,
        deadline: Timestamp::MAX,
        is_held: false,
        incident: None,
        action: r#"{"poll_cases":{"cursor":null}}"#.to_owned(),
        misses: 0,
        there: 0,
    };
    edge.write("acme", vec![(reactions::key("p-1").into_bytes(), table::encode(&poll).unwrap())]);
    let status: Value = edge.get("/api/v1/status").await.json().await.unwrap();
    assert_eq!(status["pending"], json!([{"destination": "jss", "reactions": 0}]));
}
