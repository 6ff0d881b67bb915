//! `/api/v1/lanes`.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{Fixture, TOKEN, TOKEN_OF_ACME, problem};
use crate::lane::stopped::Stopped;

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
        for why in ["", " ", "a\u{1b}[2J", &"x".repeat(1001)] {
            let (status, _) = way(TOKEN, way_out, json!({"position": 9, "why": why})).await;
            assert_eq!(status, 422, "{way_out}: {why:?}");
        }
        assert_eq!(way(TOKEN_OF_ACME, way_out, json!({"position": 9, "why": "x"})).await.0, 404, "{way_out}");
    }
    let (status, why) = way(TOKEN, "/api/v1/lanes/47/skip", json!({"position": 9, "why": "x"})).await;
    assert_eq!((status, &*why), (404, "there is no such lane"));
}
