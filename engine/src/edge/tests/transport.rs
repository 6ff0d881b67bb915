//! TLS and nothing else, and clients that dawdle.

use std::io::{ErrorKind, Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use linesman_connectors::tls;
use reqwest::Method;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::{BOUNDS, Bounds};
use super::fixture::{Fixture, TOKEN, nobody};
use crate::metrics::Metrics;

/// The longest that anything may take.
const BOUND: Duration = Duration::from_secs(30);

async fn within(bounds: Bounds) -> Fixture {
    let (_, metrics) = Metrics::recorder().unwrap();
    Fixture::with(bounds, nobody().await, metrics).await
}

async fn is_healthy(edge: &Fixture) -> bool {
    let answer = timeout(BOUND, edge.request(Method::GET, "/healthz").send()).await.unwrap();
    answer.is_ok_and(|answer| answer.status() == 200)
}

/// Waits until the other side ends the connection; what it said before.
async fn heard(client: &mut TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    // A reset is an end as well.
    let _ = timeout(BOUND, client.read_to_end(&mut said)).await.expect("the connection ends");
    said
}

#[tokio::test]
async fn plain_http_gets_no_http_answer() {
    let edge = Fixture::new().await;
    let mut client = TcpStream::connect(edge.addr()).await.unwrap();
    client.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let said = heard(&mut client).await;
    assert!(!String::from_utf8_lossy(&said).contains("HTTP"), "{said:?}");
    assert!(is_healthy(&edge).await);
}

#[tokio::test]
async fn a_thousand_silent_clients_keep_nobody_out() {
    let edge = Fixture::new().await;
    let mut silent = Vec::new();
    for _ in 0..1_024 {
        silent.push(TcpStream::connect(edge.addr()).await.unwrap());
    }
    assert!(is_healthy(&edge).await);
}

#[tokio::test]
async fn the_longest_silent_makes_room_when_every_seat_is_taken() {
    let edge = within(Bounds { connections: 8, ..BOUNDS }).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(edge.addr()).await.unwrap());
    }
    assert!(is_healthy(&edge).await);
    assert_eq!(heard(&mut silent[0]).await, b"");
}

/// A request on a connection that stays; whether it is answered with 200.
async fn is_answered(client: &mut TlsStream<TcpStream>) -> bool {
    let asked = format!("GET /api/v1/devices HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
    if client.write_all(asked.as_bytes()).await.is_err() || client.flush().await.is_err() {
        return false;
    }
    let mut said = Vec::new();
    while !said.ends_with(b"}") {
        let mut part = [0; 4096];
        match timeout(BOUND, client.read(&mut part)).await.expect("it is answered, or ends") {
            Ok(0) | Err(_) => return false,
            Ok(length) => said.extend_from_slice(&part[..length]),
        }
    }
    said.starts_with(b"HTTP/1.1 200 ")
}

#[tokio::test]
async fn whoever_has_shown_a_token_is_displaced_by_none_who_has_not() {
    let edge = within(Bounds { connections: 16, ..BOUNDS }).await;
    let config = Arc::new(tls::client_config(Some(&edge.dir.path().join("tls/ca.pem"))).unwrap());
    let connector = TlsConnector::from(config);
    let connect = async || {
        let tcp = TcpStream::connect(edge.addr()).await.unwrap();
        connector.connect(ServerName::try_from("localhost").unwrap(), tcp).await
    };
    let mut known = Vec::new();
    for _ in 0..8 {
        let mut client = connect().await.unwrap();
        assert!(is_answered(&mut client).await);
        known.push(client);
    }
    // Each ends its handshake, and so was told something later than they were.
    let mut flood = Vec::new();
    for _ in 0..64 {
        flood.push(connect().await);
    }
    for client in &mut known {
        assert!(is_answered(client).await);
    }
}

#[tokio::test]
async fn a_thousand_and_twenty_four_are_served_at_once() {
    // On a busy machine it takes a while until all are there.
    let edge = within(Bounds { head: Duration::from_secs(120), handshake: BOUND, ..BOUNDS }).await;
    let config = Arc::new(tls::client_config(Some(&edge.dir.path().join("tls/ca.pem"))).unwrap());
    let connector = TlsConnector::from(config);
    let mut clients = Vec::new();
    for _ in 0..16 {
        let some = (0..64).map(|_| async {
            let tcp = TcpStream::connect(edge.addr()).await.unwrap();
            connector.connect(ServerName::try_from("localhost").unwrap(), tcp).await.unwrap()
        });
        clients.extend(join_all(some).await);
    }
    // All are connected; each has its answer while all others stay.
    for client in &mut clients {
        client.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        client.flush().await.unwrap();
    }
    for client in &mut clients {
        let mut said = [0; 15];
        timeout(BOUND, client.read_exact(&mut said)).await.expect("it is answered").unwrap();
        assert_eq!(&said, b"HTTP/1.1 200 OK");
    }
    assert_eq!(clients.len(), 1024);
}

#[tokio::test]
async fn a_handshake_has_its_time() {
    let edge = within(Bounds { handshake: Duration::from_millis(50), ..BOUNDS }).await;
    let mut client = TcpStream::connect(edge.addr()).await.unwrap();
    assert_eq!(heard(&mut client).await, b"");
}

/// What the edge says to `sent` over TLS, until it ends the connection.
pub(super) async fn answer_to(edge: &Fixture, sent: Vec<u8>) -> String {
    let (addr, ca) = (edge.addr(), edge.dir.path().join("tls/ca.pem"));
    let exchange = move || {
        let config = Arc::new(tls::client_config(Some(&ca)).unwrap());
        let tls = ClientConnection::new(config, ServerName::try_from("localhost").unwrap()).unwrap();
        let tcp = std::net::TcpStream::connect(addr).unwrap();
        tcp.set_read_timeout(Some(BOUND)).unwrap();
        let mut client = StreamOwned::new(tls, tcp);
        client.write_all(&sent).unwrap();
        let mut said = Vec::new();
        let ended = client.read_to_end(&mut said);
        assert!(ended.as_ref().err().is_none_or(|error| error.kind() != ErrorKind::WouldBlock), "{ended:?}");
        String::from_utf8_lossy(&said).into_owned()
    };
    tokio::task::spawn_blocking(exchange).await.unwrap()
}

#[tokio::test]
async fn the_head_of_a_request_has_its_time() {
    let edge = within(Bounds { head: Duration::from_millis(50), ..BOUNDS }).await;
    let said = answer_to(&edge, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ".to_vec()).await;
    assert_eq!(said, "");
}

#[tokio::test]
async fn the_head_of_a_request_has_its_size() {
    let edge = Fixture::new().await;
    let head = [&b"GET /healthz HTTP/1.1\r\nX-Huge: "[..], &vec![b'x'; 17 * 1024]].concat();
    let said = answer_to(&edge, head).await;
    assert!(said.starts_with("HTTP/1.1 431 "), "{said}");
    assert!(is_healthy(&edge).await);
}

#[tokio::test]
async fn a_shutdown_ends_in_time_and_frees_the_port() {
    let edge = within(Bounds { grace: Duration::from_millis(50), ..BOUNDS }).await;
    assert!(is_healthy(&edge).await);
    let mut silent = TcpStream::connect(edge.addr()).await.unwrap();
    let addr = edge.addr();
    timeout(BOUND, edge.listening.shutdown()).await.expect("it ends");
    assert_eq!(heard(&mut silent).await, b"");
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn the_store_is_let_go_of() {
    let edge = Fixture::new().await;
    edge.organization("acme", 1);
    let answer = edge.get("/api/v1/incidents").await;
    assert_eq!(answer.status(), 200);
    assert!(Arc::into_inner(edge.store).is_some());
}
