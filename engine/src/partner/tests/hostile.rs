//! What clients do that mean no good.

use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::super::{BOUNDS_HERE, Bounds};
use super::fixture::{Fixture, problem, soon};

#[tokio::test]
async fn a_body_has_its_size() {
    let partner = Fixture::new().await;
    let most = 512 * 1024;
    let send = async |length: usize| {
        let request = partner.request("acme", Method::POST, "registration").header("content-type", "application/json");
        problem(request.body("x".repeat(length)).send().await.unwrap()).await
    };
    assert_eq!(send(most + 1).await, (413, "a request's body may have 524288 bytes at most".to_owned(), None));
    assert_eq!(send(most).await.0, 400);
    // Deep nesting costs no more than its length.
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    let request = partner.request("acme", Method::POST, "registration").header("content-type", "application/json");
    assert_eq!(soon(request.body(deep).send()).await.unwrap().status(), 400);
}

#[tokio::test]
async fn who_only_connects_keeps_nobody_out() {
    let partner = Fixture::within(Bounds { connections: 8, ..BOUNDS_HERE }, 1000).await;
    assert_eq!(partner.get("acme", "cases").await.status(), 200);
    let address = partner.listening.overview().address();
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    // The first of them had to go for the others; who has logged in did not.
    let first = &mut idle[0];
    assert!(matches!(soon(first.read(&mut [0; 1])).await, Ok(0) | Err(_)));
    let answer = partner.request("acme", Method::POST, "registration").json(&json!({"controller": "a"}));
    assert_eq!(soon(answer.send()).await.unwrap().status(), 200);
}
