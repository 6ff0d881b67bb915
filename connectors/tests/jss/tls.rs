//! What the port answers to whom.

use std::time::Duration;

use linesman_connectors::jss::Jss;
use linesman_connectors::{Connector as _, Settings, connectors, tls, upstream};
use linesman_schemas::outcome::FailureClass;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::{World, failure, submit};

#[tokio::test]
async fn http_on_the_tls_port_gets_no_http_answer() {
    let world = World::new().await;
    let mut socket = TcpStream::connect(world.standin.addr()).await.unwrap();
    socket.write_all(b"GET /_count HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(10), socket.read_to_end(&mut answer)).await;
    // A reset is as good as an end; at most a TLS alert comes before it.
    assert!(closed.is_ok(), "the connection stays open");
    assert!(answer.len() <= 7 && !answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn a_long_body_is_refused() {
    let world = World::new().await;
    let client = tls::http_client(Some(world.standin.ca_path())).unwrap().build().unwrap();
    for path in ["_control", "oauth2/token", "case/v1/createSR"] {
        let url = format!("{}/{path}", world.standin.url());
        // Over the bound either answers 413 or closes while we still write.
        if let Ok(answer) = client.post(url).body("x".repeat(1024 * 1024 + 1)).send().await {
            assert_eq!(answer.status(), 413, "{path}");
        }
    }
    assert_eq!(world.requests().await, [0, 0, 0]);
}

#[tokio::test]
async fn a_misspelt_control_is_refused() {
    let world = World::new().await;
    let client = tls::http_client(Some(world.standin.ca_path())).unwrap().build().unwrap();
    let wrong = [
        json!({ "delay": 1 }),
        json!({ "status": 200 }),
        json!({ "only": "escalateSR", "status": 500 }),
        json!({ "delay_ms": 3_600_000 }),
        json!({ "page_size": 0 }),
    ];
    for control in wrong {
        let answer = client.post(format!("{}/_control", world.standin.url())).json(&control).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{control}");
    }
}

#[tokio::test]
async fn the_list_has_the_support_system_where_there_is_one() {
    let world = World::new().await;
    let names = |settings: &Settings| {
        let mut names: Vec<&str> = connectors(settings).unwrap().iter().map(|connector| connector.name()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(&Settings::default()), ["log"]);
    let upstream = Settings { upstream: Some(upstream::Settings::Jss(world.settings())), ..Settings::default() };
    assert_eq!(names(&upstream), ["jss", "log"]);
    let jss = connectors(&upstream).unwrap().into_iter().find(|connector| connector.name() == "jss").unwrap();
    assert_eq!((jss.concurrency(None), jss.requests_per_hour()), (8, Some(300)));
}

#[tokio::test]
async fn without_a_ca_of_its_own_it_has_to_be_one_of_the_systems() {
    let world = World::new().await;
    // A system without any certificate of an authority is refused before the first request.
    let Ok(jss) = Jss::new(world.settings_with(|way| way.trust = tls::Trust::System)) else { return };
    let failure = failure(jss.carry_out(&submit(1)).await);
    assert_eq!(failure.class, FailureClass::Unavailable);
    assert!(failure.message.contains("certificate"), "{}", failure.message);
    assert_eq!(world.requests().await, [0, 0, 0]);
}
