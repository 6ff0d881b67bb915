//! Requests nobody in good faith would send: each has its proper answer, and others are served on.

use reqwest::Method;

use super::fixture::{Fixture, TOKEN, problem};
use super::transport::answer_to;

/// A request over one connection, and the answer's first line; empty: the connection ends.
const RAW: [(&str, &str); 12] = [
    ("GARBAGE\r\n\r\n", "HTTP/1.1 400 Bad Request"),
    ("\x16\x03\x01\x02\r\n\r\n", "HTTP/1.1 400 Bad Request"),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
    ("GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n", "HTTP/1.1 400 Bad Request"),
    ("GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 400 Bad Request"),
    ("GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 400 Bad Request"),
    ("GET /healthz HTTP/1.1\r\nHost: x\r\nX: \x00\r\n\r\n", "HTTP/1.1 400 Bad Request"),
    ("GET /health z HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400 Bad Request"),
    ("BREW /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"),
    ("POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", "HTTP/1.1 413 Payload Too Large"),
    // The body never comes, and nobody waits for it.
    ("GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK"),
    (
        "POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n",
        "HTTP/1.1 405 Method Not Allowed",
    ),
];

#[tokio::test]
async fn what_is_no_request_is_refused_and_others_are_served_on() {
    let edge = Fixture::new().await;
    for (sent, expected) in RAW {
        let said = answer_to(&edge, sent.as_bytes().to_vec()).await;
        let first = said.lines().next().unwrap_or_default();
        assert_eq!(first, expected, "{}", sent.escape_debug());
        assert_eq!(edge.request(Method::GET, "/healthz").send().await.unwrap().status(), 200);
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(17 * 1024));
    let said = answer_to(&edge, long.into_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 431 ") || said.starts_with("HTTP/1.1 414 "), "{said}");
}

/// What is said of a parameter that the list of devices does not have.
const UNKNOWN: &str = "unknown parameter `x`: known are ";

#[tokio::test]
async fn strange_requests_have_their_proper_answer() {
    let edge = Fixture::new().await;
    edge.organization("acme", 3);
    for (method, path, status, detail) in [
        ("DELETE", "/api/v1/incidents", 405, "this path does not take this method"),
        ("PUT", "/api/v1/openapi.json", 405, "this path does not take this method"),
        ("OPTIONS", "/api/v1/devices", 405, "this path does not take this method"),
        ("GET", "/api/v1/incidents/", 404, "there is nothing under this path"),
        ("GET", "/api/v1/incidents/acme-1/x", 404, "there is nothing under this path"),
        ("GET", "/api/v1/incidents/%ff", 400, "the path is not UTF-8"),
        ("GET", "/api/v1/incidents/acme", 400, "`id`: `acme` is not an incident id (`<organization>-<number>`)"),
        ("GET", "/api/v1/devices?host_name=%ff", 400, "the query is not UTF-8"),
        ("GET", "/api/v1/devices?x=1", 400, UNKNOWN),
    ] {
        let method: Method = method.parse().unwrap();
        let answer = edge.request(method.clone(), path).bearer_auth(TOKEN).send().await.unwrap();
        if status == 405 {
            assert_eq!(answer.headers()["allow"], "GET,HEAD", "{method} {path}");
        }
        let (found, said) = problem(answer).await;
        assert_eq!(found, status, "{method} {path}");
        assert!(said == detail || detail == UNKNOWN && said.starts_with(UNKNOWN), "{method} {path}: {said}");
    }
    // What a client would accept does not matter: there is one form.
    let answer = edge.request(Method::GET, "/api/v1/incidents").bearer_auth(TOKEN).header("accept", "image/png");
    assert_eq!(answer.send().await.unwrap().headers()["content-type"], "application/json");
}
