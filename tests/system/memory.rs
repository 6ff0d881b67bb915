//! What memory comes back after a flood, of the engine and of its NATS server: measured and printed, not judged. For
//! `docs/operations.md` and `docs/nats.md`: `cargo test --test system -- --ignored --nocapture memory::`.

use std::time::{Duration, Instant};

use async_nats::jetstream;
use futures_util::StreamExt as _;
use futures_util::stream;
use linesman_tests::{Engine, Load, World};

/// Connections that nobody has shown a token on, and how many are begun at a time.
const HANDSHAKES: usize = 4_300;
const AT_ONCE: usize = 64;
/// Messages of a flood, how large each is in bytes, and how many wait for their acknowledgement at a time.
const MESSAGES: usize = 60_000;
const SIZE: usize = 16 * 1024;
const FLIGHT: usize = 256;
/// When it is looked at behind it.
const BEHIND: [u64; 4] = [5, 60, 150, 300];

/// What a process has in memory, in megabytes of 2^20 bytes.
fn resident_mb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or_default() / 1024
}

/// The most that a process has while something is done.
async fn most<T>(pid: u32, done: impl Future<Output = T>) -> (u64, T) {
    let mut done = std::pin::pin!(done);
    let mut most = resident_mb(pid);
    loop {
        match tokio::time::timeout(Duration::from_millis(50), &mut done).await {
            Ok(output) => return (most.max(resident_mb(pid)), output),
            Err(_) => most = most.max(resident_mb(pid)),
        }
    }
}

/// What it has after so many seconds each.
async fn behind(pid: u32) -> String {
    let since = Instant::now();
    let mut told = Vec::new();
    for seconds in BEHIND {
        let left = Duration::from_secs(seconds).saturating_sub(since.elapsed());
        tokio::time::sleep(left).await;
        told.push(format!("{} after {seconds} s", resident_mb(pid)));
    }
    told.join(", ")
}

/// Begins so many connections and holds them; how many were answered.
async fn shake_hands(engine: &Engine) -> usize {
    let ready = engine.ready().unwrap().clone();
    let connect = |_| {
        let client = linesman_connectors::tls::http_client(Some(&ready.ca)).unwrap().build().unwrap();
        let url = format!("{}/healthz", ready.api);
        async move { client.get(url).send().await.is_ok().then_some(client) }
    };
    let held: Vec<_> = stream::iter(0..HANDSHAKES).map(connect).buffer_unordered(AT_ONCE).collect().await;
    held.iter().flatten().count()
}

#[tokio::test]
#[ignore = "it measures, and judges nothing"]
async fn handshakes_without_a_token() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let pid = engine.pid();
    for _ in 0..2 {
        let before = resident_mb(pid);
        let (at, answered) = most(pid, shake_hands(&engine)).await;
        let after = behind(pid).await;
        println!("handshakes {HANDSHAKES}, answered {answered}: engine {before} MB before, {at} at most, {after}");
    }
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
#[ignore = "it measures, and judges nothing"]
async fn a_flood_of_the_embedded_server() {
    for megabytes in [256_u64, 1_024] {
        let mut world = World::new().unwrap();
        world.configure(&format!("[nats]\nmemory_bytes = {}\n", megabytes << 20));
        let mut engine = world.start(None).await.unwrap();
        let pid = engine.nats_pid().unwrap();
        let before = resident_mb(pid);
        let client = engine.nats().await.unwrap();
        let context = jetstream::new(client.clone());
        // Bundles that say nothing become dead letters: they are read and written as others are.
        let publish = |number: usize| {
            let (context, text) = (context.clone(), format!("{number:>SIZE$}"));
            async move { Some(context.publish("in.acme.jmb.flood", text.into()).await.ok()?.await.is_ok()) }
        };
        let flood = stream::iter(0..MESSAGES).map(publish).buffer_unordered(FLIGHT).filter(|sent| {
            let is_sent = *sent == Some(true);
            async move { is_sent }
        });
        let (at, sent) = most(pid, flood.count()).await;
        let decided = async {
            let mut load = Load::default();
            load.add("acme", 1);
            load.publish_all(&client).await;
            load.wait_for_incidents(&engine).await
        };
        let (deciding, decided) = most(pid, decided).await;
        let after = behind(pid).await;
        println!(
            "flood of {sent} messages of {SIZE} bytes, memory_bytes {megabytes} MB: nats-server {before} MB before, {at} at most, \
             {deciding} while it is decided ({}), {after}",
            decided.is_ok()
        );
        assert!(engine.terminate().await.unwrap().0.success());
    }
}
