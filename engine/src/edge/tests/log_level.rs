//! `/api/v1/log-level`.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::fixture::{Fixture, TOKEN, problem};

fn put(edge: &Fixture, body: &str) -> RequestBuilder {
    let request = edge.request(Method::PUT, "/api/v1/log-level").bearer_auth(TOKEN);
    request.header("content-type", "application/json").body(body.to_owned())
}

async fn level(edge: &Fixture) -> Value {
    edge.get("/api/v1/log-level").await.json().await.unwrap()
}

#[tokio::test]
async fn the_level_is_read_and_changed() {
    let edge = Fixture::new().await;
    assert_eq!(level(&edge).await, json!({"level": "info"}));
    let answer = put(&edge, r#"{"level": "linesman=debug,warn"}"#).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"level": "linesman=debug,warn"}));
    assert_eq!(level(&edge).await, json!({"level": "linesman=debug,warn"}));
    let nobody = edge.request(Method::PUT, "/api/v1/log-level").body("{\"level\": \"trace\"}");
    assert_eq!(nobody.send().await.unwrap().status(), 401);
    assert_eq!(level(&edge).await, json!({"level": "linesman=debug,warn"}));
}

#[tokio::test]
async fn what_is_no_level_is_refused_and_changes_nothing() {
    let edge = Fixture::new().await;
    let (status, detail) = problem(put(&edge, r#"{"level": "inof"}"#).send().await.unwrap()).await;
    assert_eq!(status, 422);
    assert!(detail.ends_with("not `inof`; did you mean `info`?"), "{detail}");
    for (body, expected) in [("{", 400), ("{}", 422), (r#"{"level": 5}"#, 422), (r#"{"level": "info", "x": 1}"#, 422)] {
        assert_eq!(problem(put(&edge, body).send().await.unwrap()).await.0, expected, "{body}");
    }
    let text = edge.request(Method::PUT, "/api/v1/log-level").bearer_auth(TOKEN).body("debug");
    assert_eq!(problem(text.send().await.unwrap()).await.0, 415);
    assert_eq!(level(&edge).await, json!({"level": "info"}));
}
