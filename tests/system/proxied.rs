//! An upstream that is reached through an HTTP proxy and no other way.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use linesman_tests::{OPEN_CASE, Upstream, World, event, run, until};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// A proxy that lets `linesman` through to one address, whatever the name that is asked for.
struct Gate {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Gate {
    async fn to(upstream: &str) -> anyhow::Result<Self> {
        let upstream = upstream.trim_start_matches("https://").trim_end_matches('/').replace("localhost", "127.0.0.1");
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, asked) = (listener.local_addr()?, Arc::new(Mutex::new(Vec::new())));
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (upstream, heard) = (upstream.clone(), Arc::clone(&heard));
                tokio::spawn(async move { let_through(stream, &upstream, &heard).await });
            }
        });
        Ok(Self { address, asked })
    }

    /// What it was asked for: the first line of each request.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn let_through(mut stream: TcpStream, upstream: &str, heard: &Mutex<Vec<String>>) -> anyhow::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head)?;
    heard.lock().unwrap_or_else(PoisonError::into_inner).push(head.lines().next().unwrap_or_default().to_owned());
    if !head.to_ascii_lowercase().contains("\r\nproxy-authorization: basic ") {
        stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n").await?;
        return Ok(());
    }
    let mut beyond = TcpStream::connect(upstream).await?;
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut stream, &mut beyond).await?;
    Ok(())
}

#[tokio::test]
async fn cases_reach_an_upstream_through_a_proxy() {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    let mut upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let gate = Gate::to(&upstream.url()).await.unwrap();
    upstream.proxy = Some(format!("http://{}", gate.address));
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    let jetstream = async_nats::jetstream::new(engine.nats().await.unwrap());
    jetstream.publish("in.acme.jmb.test", event("a", 1, "A", "High").into()).await.unwrap().await.unwrap();
    until("the case is open", async || (upstream.cases().await.unwrap() == 1).then_some(())).await;
    let url = upstream.url();
    let host = url.trim_start_matches("https://").trim_end_matches('/');
    assert!(gate.asked().contains(&format!("CONNECT {host} HTTP/1.1")), "{:?}", gate.asked());
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn a_certificate_is_looked_at_through_a_proxy() {
    let world = World::new().unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let gate = Gate::to(&upstream.url()).await.unwrap();
    let proxy = format!("http://{}", gate.address);
    // A name that only the proxy knows.
    let look = ["upstream", "fingerprint", "https://jss.invalid", "--json", "--proxy", &proxy];
    let refused = run(&look).await.unwrap();
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("lets nobody through: HTTP/1.1 407"), "{}", refused.stderr);
    let password = world.path("proxy.password");
    std::fs::write(&password, "secret\n").unwrap();
    let with = ["--proxy-user", "linesman", "--proxy-password-file", password.to_str().unwrap()];
    let shown = run(&[&look[..], &with].concat()).await.unwrap();
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert!(shown["fingerprint"].as_str().unwrap().starts_with("sha256:"), "{shown}");
    assert_eq!(gate.asked(), vec!["CONNECT jss.invalid:443 HTTP/1.1"; 2]);
}
