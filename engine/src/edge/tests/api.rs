//! Health, readiness, the token, and paths that lead nowhere.

use std::sync::Arc;

use linesman_schemas::control::{RefusedPolicy, Section};
use linesman_schemas::service::RefusedService;
use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{Fixture, LANES, TOKEN, TOKEN_OF_ACME, problem};
use crate::edge::PolicyStatus;
use crate::lane::stopped::Stopped;

#[tokio::test]
async fn health_is_for_everybody() {
    let edge = Fixture::new().await;
    let answer = edge.request(Method::GET, "/healthz").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "ok"));
}

#[tokio::test]
async fn readiness_follows_the_engine_and_its_lanes() {
    let edge = Fixture::new().await;
    edge.organization("acme", 1);
    let readiness = async || {
        let answer = edge.request(Method::GET, "/readyz").send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    for lane in &edge.lanes {
        lane.send_modify(|status| status.is_running = true);
    }
    let (status, body) = readiness().await;
    assert_eq!((status, &body["ready"]), (503, &json!(false)), "the engine does not serve yet");
    edge.ready.send_replace(true);
    edge.lanes[2].send_modify(|status| {
        status.position = 17;
        status.sealed = Some("the log lost messages".into());
    });
    let (status, body) = readiness().await;
    assert_eq!((status, &body["ready"]), (200, &json!(true)));
    assert_eq!(body["lanes"].as_array().unwrap().len(), LANES as usize);
    // How far lanes have come counts what everybody does: it is not for anybody.
    assert_eq!(body["lanes"][0], json!({"lane": 0, "running": true, "sealed": null}));
    let sealed = json!({"lane": 2, "running": true, "sealed": "the log lost messages"});
    assert_eq!(body["lanes"][2], sealed);
    assert!(!body.to_string().contains("acme"));
    for (token, position) in [(TOKEN, Some(17)), (TOKEN_OF_ACME, None)] {
        let body = edge.get_as(token, "/readyz").await.json::<Value>().await.unwrap();
        assert_eq!(body["lanes"][2].get("position").and_then(Value::as_u64), position, "{token}");
        assert_eq!(body["policies"].get("rule_book").is_some(), position.is_some(), "{token}");
    }
    let why = "lane 3 cannot decide the message 9 of IN";
    edge.lanes[3].send_modify(|status| {
        status.is_running = false;
        status.stopped = Some(Arc::new(Stopped { why: why.to_owned(), ..Stopped::default() }));
    });
    let (status, body) = readiness().await;
    assert_eq!((status, &body["lanes"][3]["stopped"]), (503, &json!("it cannot decide an input")));
    for (token, told) in [(TOKEN, why), (TOKEN_OF_ACME, "it cannot decide an input")] {
        let body = edge.get_as(token, "/readyz").await.json::<Value>().await.unwrap();
        assert_eq!(body["lanes"][3]["stopped"], told, "{token}");
    }
}

#[tokio::test]
async fn refused_policies_are_counted_for_everybody_and_named_for_the_token() {
    let edge = Fixture::new().await;
    let refused = RefusedPolicy {
        path: "acme/own.rhai".to_owned(),
        owner: Some("acme".parse().unwrap()),
        hash: "0a".to_owned(),
        line: 3,
        column: 7,
        message: "unknown trigger `incident`".to_owned(),
        help: None,
        stays: Some("acme/own".parse().unwrap()),
    };
    let directory = Some("the rules in `R` cannot be read: gone".to_owned());
    let service = RefusedService {
        path: "services/nat/main.j2".to_owned(),
        hash: "0b".to_owned(),
        line: 2,
        column: 5,
        message: "there is no parameter `raet`".to_owned(),
        help: None,
        stays: true,
    };
    edge.policies.send_replace(PolicyStatus {
        version: 4,
        directory,
        count: 1,
        refused: [refused].into(),
        services: [service].into(),
        differing: vec![Section::Settings],
    });
    let answer = edge.request(Method::GET, "/readyz").send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(answer["policies"], json!({"refused": 1, "differing": ["settings"]}));
    assert_eq!(answer["services"], json!({"refused": 1}));
    let answer = edge.get("/readyz").await.json::<Value>().await.unwrap();
    let service = json!({
        "path": "services/nat/main.j2", "hash": "0b", "line": 2, "column": 5,
        "message": "there is no parameter `raet`", "stays": true,
    });
    assert_eq!(answer["services"], json!({"refused": 1, "files": [service]}));
    let file = json!({
        "path": "acme/own.rhai", "hash": "0a", "line": 3, "column": 7,
        "message": "unknown trigger `incident`", "stays": "acme/own",
    });
    let directory = "the rules in `R` cannot be read: gone";
    let expected = json!({
        "rule_book": 4, "refused": 1, "differing": ["settings"], "files": [file], "directory": directory,
    });
    assert_eq!(answer["policies"], expected);
}

#[tokio::test]
async fn everything_else_needs_the_token() {
    let edge = Fixture::new().await;
    let longer = format!("Bearer {TOKEN}x");
    let (shorter, bare) = (format!("Bearer {}", &TOKEN[1..]), TOKEN.to_owned());
    let wrong = ["", "Bearer", "Bearer ", &longer, &shorter, &bare, &format!("Basic {TOKEN}")];
    for path in ["/metrics", "/api/v1/incidents", "/api/v1/nothing", "/healthz/", "/"] {
        for offer in wrong.map(Some).into_iter().chain([None]) {
            let mut request = edge.request(Method::GET, path);
            if let Some(offer) = offer {
                request = request.header("authorization", offer);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.headers()["www-authenticate"], "Bearer realm=\"linesman\"", "{path} {offer:?}");
            assert_eq!(problem(answer).await, (401, "a bearer token is needed".to_owned()));
        }
    }
    let right = format!("Bearer {TOKEN}");
    let twice = edge.request(Method::GET, "/metrics").header("authorization", &right).header("authorization", &right);
    assert_eq!(twice.send().await.unwrap().status(), 401);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = edge.request(Method::GET, "/metrics").header("authorization", format!("{scheme} {TOKEN}"));
        let answer = request.send().await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()["cache-control"]), (200, &"no-store".parse().unwrap()));
    }
}

#[tokio::test]
async fn every_route_is_described_and_all_but_four_need_the_token() {
    // What is added by `routes` is described: there is one list.
    assert!(!include_str!("../routes.rs").contains(".route("));
    let edge = Fixture::new().await;
    let answer = edge.request(Method::GET, "/api/v1/openapi.json").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    let document: Value = answer.json().await.unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut open = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let some = path.replace("{id}", "acme-1").replace(['{', '}'], "");
            let answer = edge.request(method.clone(), &some).bearer_auth(TOKEN).send().await.unwrap();
            let text = answer.text().await.unwrap();
            for nothing in ["there is nothing under this path", "this path does not take this method"] {
                assert!(!text.contains(nothing), "{method} {path}: {text}");
            }
            if edge.request(method.clone(), &some).send().await.unwrap().status() != 401 {
                open.push(format!("{method} {path}"));
            }
        }
    }
    assert_eq!(open, ["GET /api/v1/openapi.json", "POST /api/v1/session", "GET /healthz", "GET /readyz"]);
}

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let edge = Fixture::new().await;
    let gone = edge.get("/api/v1/nothing").await;
    assert_eq!(problem(gone).await, (404, "there is nothing under this path".to_owned()));
    let post = edge.request(Method::POST, "/api/v1/incidents").bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(post.headers()["allow"], "GET,HEAD");
    assert_eq!(problem(post).await, (405, "this path does not take this method".to_owned()));
    let large = edge.request(Method::GET, "/healthz").body(vec![b'x'; 64 * 1024 + 1]).send().await.unwrap();
    assert_eq!(problem(large).await, (413, "a request's body may have 65536 bytes at most".to_owned()));
}

/// What a plan shows can be confirmed, however many files that are.
#[tokio::test]
async fn as_many_files_are_confirmed_as_a_plan_may_tell_of() {
    let edge = Fixture::new().await;
    let file = json!({"device": "d".repeat(64), "kind": "event", "name": "s".repeat(64), "sha256": "0".repeat(64)});
    let body = json!({"bundle": "ops", "version": "1", "overwrites": vec![file; 1_000]});
    let asked = edge.request(Method::PUT, "/api/v1/organizations/acme/scripts/core").bearer_auth(TOKEN).json(&body);
    let answer = asked.send().await.unwrap();
    assert_ne!(answer.status(), 413);
    // As far as its fields: nothing is there to install.
    assert!(answer.status().is_client_error() || answer.status().is_success(), "{}", answer.status());
}
