//! Requests nobody in good faith would send: each has its proper answer, and others are served on.

use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::Value;

use super::fixture::{Fixture, TOKEN, problem};
use super::transport::answer_to;

/// How a problem is declared.
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

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
        "HTTP/1.1 400 Bad Request",
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

/// A body that is wrong: how it is declared, what it is, and the answer's status, detail and pointer.
const BODIES: [(&str, &str, u16, &str, &str); 8] = [
    ("text/plain", "{}", 415, "the body must be declared as `Content-Type: application/json`", ""),
    ("application/xml", "<note/>", 415, "the body must be declared as `Content-Type: application/json`", ""),
    ("application/json", "", 400, "EOF while parsing a value at line 1 column 0", "#"),
    ("application/json", "{\"note\": ", 400, "EOF while parsing a value at line 1 column 9", "#/note"),
    ("application/json", "{\"note\": \"a\", \"note\": \"b\"}", 400, "`note` is given more than once", "#"),
    ("application/json", "{\"nota\": \"a\"}", 422, "unknown field `nota`, expected `note`", "#/nota"),
    ("application/json", "{\"note\": 7}", 422, "invalid type: integer `7`, expected a string", "#/note"),
    ("application/json", "{\"note\": \"\\u0007\"}", 422, "`note` has control characters", "#/note"),
];

#[tokio::test]
async fn a_body_that_is_wrong_is_refused_with_its_place() {
    let edge = Fixture::new().await;
    edge.organization("acme", 1);
    for (kind, body, status, detail, pointer) in BODIES {
        let request = edge.request(Method::POST, "/api/v1/incidents/acme-1/annotate").bearer_auth(TOKEN);
        let answer = request.header("content-type", kind).body(body).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()["content-type"]), (status, &PROBLEM), "{kind} {body}");
        let said: Value = answer.json().await.unwrap();
        let at = said["errors"][0]["pointer"].as_str().unwrap_or_default();
        assert_eq!((said["detail"].as_str().unwrap(), at), (detail, pointer), "{kind} {body}");
    }
}

#[tokio::test]
async fn an_answer_is_heard_by_whoever_sends_first_and_reads_then() {
    let edge = Fixture::new().await;
    edge.organization("acme", 1);
    for (token, bytes, expected) in [
        (TOKEN, 900_000, "HTTP/1.1 413 Payload Too Large"),
        ("another", 900_000, "HTTP/1.1 401 Unauthorized"),
        // More than lies in buffers on the way.
        (TOKEN, 16_000_000, "HTTP/1.1 413 Payload Too Large"),
        ("another", 16_000_000, "HTTP/1.1 401 Unauthorized"),
        (TOKEN, 60_000, "HTTP/1.1 415 Unsupported Media Type"),
    ] {
        let sent = format!(
            "POST /api/v1/incidents/acme-1/case/submit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\nContent-Length: {bytes}\r\n\r\n{}",
            "x".repeat(bytes)
        );
        let said = answer_to(&edge, sent.into_bytes()).await;
        assert_eq!(said.lines().next(), Some(expected));
    }
}

#[tokio::test]
async fn a_body_that_is_huge_or_slow_is_given_up() {
    let edge = Fixture::new().await;
    edge.organization("acme", 1);
    let head = format!(
        "POST /api/v1/incidents/acme-1/annotate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: application/json\r\nConnection: close\r\n"
    );
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    let huge = format!("{head}Transfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(5));
    let slow = format!("{head}Content-Length: 100\r\n\r\n{{\"note\": ");
    let (huge, slow) = tokio::join!(answer_to(&edge, huge.into_bytes()), answer_to(&edge, slow.into_bytes()));
    for (said, expected) in [(huge, "HTTP/1.1 413 Payload Too Large"), (slow, "HTTP/1.1 408 Request Timeout")] {
        assert_eq!(said.lines().next(), Some(expected), "{said}");
    }
    assert_eq!(edge.request(Method::GET, "/healthz").send().await.unwrap().status(), 200);
}
