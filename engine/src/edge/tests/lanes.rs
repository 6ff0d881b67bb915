//! `/api/v1/lanes`.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{Fixture, LANES, TOKEN, TOKEN_OF_ACME, problem, reached};
use crate::lane::stopped::Stopped;
use crate::log::streams::lane_of;

#[tokio::test]
async fn lanes_are_shown_with_where_they_stand_still() {
    let edge = Fixture::new().await;
    let stopped = Stopped { why: "it cannot".to_owned(), position: 9, ..Stopped::default() };
    edge.lanes[1].send_modify(|status| status.stopped = Some(Arc::new(stopped)));
    let lanes: Value = edge.get("/api/v1/lanes").await.json().await.unwrap();
    assert_eq!((&lanes["items"][0]["lane"], &lanes["items"][0]["stopped"]), (&json!(0), &Value::Null));
    assert_eq!(lanes["items"][1]["stopped"]["position"], 9);
    assert_eq!(edge.get_as(TOKEN_OF_ACME, "/api/v1/lanes").await.status(), 404, "it is the provider's");
}

#[tokio::test]
async fn a_way_out_is_refused_where_there_is_nothing_to_get_out_of() {
    let edge = Fixture::new().await;
    let way = |token: &'static str, path: &'static str, body: Value| {
        let request = edge.request(Method::POST, path).bearer_auth(token).json(&body);
        async move { problem(request.send().await.unwrap()).await }
    };
    for way_out in ["/api/v1/lanes/0/skip", "/api/v1/lanes/0/rejudge"] {
        let (status, why) = way(TOKEN, way_out, json!({"position": 9, "why": "x"})).await;
        assert!(status == 409 && why.contains("does not stand still"), "{way_out}: {status} {why}");
        let (status, _) = way(TOKEN, way_out, json!({"position": 9, "why": "x", "force": true})).await;
        assert_eq!(status, if way_out.ends_with("skip") { 409 } else { 422 }, "{way_out}");
        for why in ["", " ", "a\u{1b}[2J", &"x".repeat(1001)] {
            let (status, _) = way(TOKEN, way_out, json!({"position": 9, "why": why})).await;
            assert_eq!(status, 422, "{way_out}: {why:?}");
        }
        assert_eq!(way(TOKEN_OF_ACME, way_out, json!({"position": 9, "why": "x"})).await.0, 404, "{way_out}");
    }
    let (status, why) = way(TOKEN, "/api/v1/lanes/47/skip", json!({"position": 9, "why": "x"})).await;
    assert_eq!((status, &*why), (404, "there is no such lane"));
    // A lane has one name.
    let (status, _) = way(TOKEN, "/api/v1/lanes/00/skip", json!({"position": 9, "why": "x"})).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn no_device_is_reached_by_what_was_to_be_done_once() {
    let edge = Fixture::new().await;
    edge.organization("acme", 1);
    edge.write("acme", reached("acme"));
    let (org, own) = ("acme".parse().unwrap(), lane_of("acme", LANES));
    let is_reached = || edge.hands.reached(&org, "r1").unwrap().is_some();
    for lane in 0..LANES {
        let status = &edge.lanes[lane as usize];
        status.send_modify(|status| status.is_past = true);
        assert_eq!(is_reached(), lane != own, "lane {lane} is decided again");
        status.send_modify(|status| status.is_past = false);
        assert!(is_reached());
    }
}
