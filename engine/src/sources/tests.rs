//! A source on the real server: what it finds is in the log, whatever breaks off in between.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use async_nats::jetstream::{self, stream};
use linesman_schemas::control::Settings;

use super::*;
use crate::embedded;
use crate::log::{self, mark};

/// The longest that anything may take.
const BOUND: Duration = Duration::from_secs(30);
/// How many messages there are to be found, three at a poll.
const MESSAGES: usize = 9;

/// Finds the messages 0 to 8, three at a time from its cursor on. Its second poll fails midway, its third breaks off.
#[derive(Default)]
struct Feed {
    polls: AtomicUsize,
}

impl Source for Feed {
    fn name(&self) -> &'static str {
        "feed"
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(10)
    }

    fn poll<'a>(&'a self, cursor: Option<&'a str>) -> BoxFuture<'a, Polled> {
        async move {
            let from: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
            let input = |number: usize| Input {
                org: "acme".parse().unwrap(),
                kind: "intel",
                payload: format!("{{\"id\":\"m-{number}\"}}").into(),
            };
            let to = (from + 3).min(MESSAGES);
            match self.polls.fetch_add(1, SeqCst) {
                1 => Polled { inputs: vec![input(from)], outcome: Err(unavailable("told to fail".to_owned())) },
                2 => panic!("told to break off"),
                _ => Polled {
                    inputs: (from..to).map(input).collect(),
                    outcome: Ok(Next { cursor: Some(to.to_string()), has_more: to < MESSAGES }),
                },
            }
        }
        .boxed()
    }
}

/// A cursor that comes to stand in the log, as a lane would have it; the `lost`th report does not return.
struct Kept {
    client: Client,
    cursor: Mutex<Option<String>>,
    reports: AtomicUsize,
    lost: usize,
}

impl Kept {
    fn new(client: &Client, lost: usize) -> Arc<Self> {
        let (cursor, reports) = (Mutex::default(), AtomicUsize::new(0));
        Arc::new(Self { client: client.clone(), cursor, reports, lost })
    }
}

impl Cursors for Kept {
    fn read(&self, _: &str) -> Result<Option<String>, String> {
        Ok(self.cursor.lock().unwrap().clone())
    }

    fn report<'a>(&'a self, source: &'a str, cursor: Option<&'a str>) -> BoxFuture<'a, Result<(), String>> {
        async move {
            if self.reports.fetch_add(1, SeqCst) == self.lost {
                // Killed behind its inputs and before its cursor.
                std::future::pending::<()>().await;
            }
            let payload = cursor.unwrap_or_default().to_owned().into_bytes();
            inputs::put(&self.client, format!("in.acme.result.{source}"), payload).await.map_err(|e| e.to_string())?;
            *self.cursor.lock().unwrap() = cursor.map(str::to_owned);
            Ok(())
        }
        .boxed()
    }
}

/// The ids of the messages in IN, in their order.
async fn found(client: &Client) -> Vec<String> {
    let mut found = Vec::new();
    for sequence in 1.. {
        let Some((_, bytes)) = mark::input(client, sequence).await.unwrap() else { break };
        let message = serde_json::from_slice::<serde_json::Value>(&bytes).unwrap();
        found.extend(message["id"].as_str().map(str::to_owned));
    }
    found
}

async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    let end = Instant::now() + BOUND;
    while !condition().await {
        assert!(Instant::now() < end, "still not: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Fails fast: one second is the least that settings say.
fn pace() -> Pace {
    Pace::of(&Settings { retry_base_s: 1, retry_most_s: 1, circuit_rest_s: 1, ..Settings::default() })
}

#[tokio::test]
async fn a_source_fails_breaks_off_is_killed_and_skips_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = embedded::start(embedded::Settings::new(dir.path())).await.unwrap();
    let client = log::connect(&server.engine_url(), "test").await.unwrap();
    let config = stream::Config { name: "IN".to_owned(), subjects: vec!["in.*.*.*".to_owned()], ..Default::default() };
    jetstream::new(client.clone()).create_stream(config).await.unwrap();
    let (feed, kept) = (Arc::new(Feed::default()), Kept::new(&client, 1));
    let run = |stop| {
        let sources: Vec<Arc<dyn Source>> = vec![Arc::clone(&feed) as Arc<dyn Source>];
        let cursors = Arc::clone(&kept) as Arc<dyn Cursors>;
        tokio::spawn(Sources { sources, client: client.clone(), cursors, pace: pace() }.run(stop))
    };
    let (stop, stopped) = watch::channel(false);
    let killed = run(stopped.clone());
    // The first poll is kept, the second failed, the third broke off, of the fourth the cursor is being reported.
    eventually("the second cursor is reported", async || kept.reports.load(SeqCst) == 2).await;
    assert_eq!(feed.polls.load(SeqCst), 4);
    killed.abort();
    assert!(killed.await.unwrap_err().is_cancelled());
    assert_eq!(kept.cursor.lock().unwrap().as_deref(), Some("3"), "the second cursor is lost");

    let again = run(stopped);
    eventually("all are found", async || kept.cursor.lock().unwrap().as_deref() == Some("9")).await;
    stop.send_replace(true);
    again.await.unwrap().unwrap();
    let found = found(&client).await;
    let distinct: BTreeSet<&String> = found.iter().collect();
    assert_eq!(distinct.len(), MESSAGES, "{found:?}");
    // What was published without its cursor came again: by id nothing is new in it.
    assert_eq!(found[..7], ["m-0", "m-1", "m-2", "m-3", "m-3", "m-4", "m-5"]);
    assert_eq!(found[7..10], ["m-3", "m-4", "m-5"]);
    server.stop().await;
}
