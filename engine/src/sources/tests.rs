//! A source on the real server and the real lane 0: what it finds is decided once, whatever breaks off in between.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use async_nats::jetstream;
use linesman_schemas::control::{Control, Settings};
use linesman_schemas::{Mode, event};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::*;
use crate::embedded::{self, Server};
use crate::lane::executor::{Context, Executors};
use crate::lane::status::Changes;
use crate::log::books::Books;
use crate::log::consumers::Bounds;
use crate::log::streams::{self, Layout};
use crate::log::{self, mark};
use crate::store::Store;
use linesman_domain::level;

/// The longest that anything may take.
const BOUND: Duration = Duration::from_secs(30);
/// How many messages there are to be found, three at a poll.
const MESSAGES: usize = 9;
const LAYOUT: Layout =
    Layout { lanes: 1, out_age_s: 86_400, replicas: 1, consumers: Bounds { most: 256, idle_s: 604_800 } };

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
            let input = |number: usize| {
                let message = json!({
                    "id": format!("m-{number}"), "kind": "bug-notice", "title": "t", "issued": "2026-11-20T08:00:00Z",
                });
                Input {
                    whose: Whose::Organization("acme".parse().unwrap()),
                    kind: "intel",
                    payload: message.to_string().into(),
                }
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

/// The lane's cursors; the second report does not get into the log, and does not return.
struct Lossy {
    cursors: LaneCursors,
    reports: AtomicUsize,
}

impl Cursors for Lossy {
    fn read(&self, source: &str) -> Result<Known, String> {
        self.cursors.read(source)
    }

    fn report<'a>(&'a self, source: &'a str, next: Known) -> BoxFuture<'a, Result<(), String>> {
        async move {
            if self.reports.fetch_add(1, SeqCst) == 1 {
                // Killed behind its inputs and before its cursor.
                std::future::pending::<()>().await;
            }
            self.cursors.report(source, next).await
        }
        .boxed()
    }
}

/// A server, and a lane on a log with an organization.
struct World {
    dir: tempfile::TempDir,
    server: Server,
    client: Client,
    store: Arc<Store>,
    executors: Executors,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = embedded::start(embedded::Settings::new(dir.path())).await.unwrap();
        let client = log::connect(&server.engine_url(), "test").await.unwrap();
        streams::ensure(&client, &LAYOUT).await.unwrap();
        streams::open(&client, &LAYOUT).await.unwrap();
        let level = serde_json::to_vec(&Control::Level(level::NEWEST)).unwrap();
        inputs::put(&client, "p.0.ctl".to_owned(), level).await.unwrap();
        let settings = json!({"display_name": "Acme", "is_proxy": true, "filter_level": "Send all information"});
        let command = json!({"id": "c-1", "actor": "admin", "node": "test", "verb": {"set_organization": settings}});
        inputs::put(&client, "in.acme.cmd.test".to_owned(), command.to_string().into_bytes()).await.unwrap();
        let (store, executors) = lane(&server, &client, &dir.path().join("state"));
        let mut first = executors.lanes[0].clone();
        tokio::time::timeout(BOUND, first.wait_for(|lane| lane.level >= level::NEWEST)).await.unwrap().unwrap();
        Self { dir, server, client, store, executors }
    }

    fn cursors(&self) -> LaneCursors {
        let rows = self.store.lane(0).unwrap();
        LaneCursors::new(self.client.clone(), rows, self.executors.lanes[0].clone())
    }

    fn run(
        &self,
        feed: &Arc<Feed>,
        cursors: Arc<dyn Cursors>,
        stop: &watch::Receiver<bool>,
    ) -> JoinHandle<Result<(), JoinError>> {
        let sources: Vec<Arc<dyn Source>> = vec![Arc::clone(feed) as Arc<dyn Source>];
        let (client, overview) = (self.client.clone(), watch::channel(Overview::default()).0);
        let intake = Arc::new(Intake {
            client: client.clone(),
            books: Arc::new(Books::new(client.clone(), 1)),
            node: "test".into(),
            lanes: self.executors.lanes.clone(),
            rows: vec![self.store.lane(0).unwrap()],
            mode: Mode::Direct,
        });
        tokio::spawn(Sources { sources, client, cursors, intake, pace: pace(), overview }.run(stop.clone()))
    }

    /// The ids of what the source brought, in the order of IN.
    async fn brought(&self) -> Vec<String> {
        let mut brought = Vec::new();
        for sequence in 1.. {
            let Some((_, bytes)) = mark::input(&self.client, sequence).await.unwrap() else { break };
            let message = serde_json::from_slice::<Value>(&bytes).unwrap();
            brought.extend(message["id"].as_str().filter(|id| id.starts_with("m-")).map(str::to_owned));
        }
        brought
    }

    /// The ids of the intelligence messages that the lane told of, in its order.
    async fn told(&self) -> Vec<String> {
        let stream = jetstream::new(self.client.clone()).get_stream("OUT").await.unwrap();
        let last = stream.get_info().await.unwrap().state.last_sequence;
        let mut told = Vec::new();
        for sequence in 1..=last {
            let Ok(message) = stream.get_raw_message(sequence).await else { continue };
            if message.subject.as_str() == "out.acme.trigger.intelligence.received" {
                let events = event::read(&message.payload).unwrap();
                told.extend(events.iter().map(|event| event.data["id"].as_str().unwrap().to_owned()));
            }
        }
        told
    }
}

fn lane(server: &Server, client: &Client, state: &Path) -> (Arc<Store>, Executors) {
    let store = Arc::new(Store::open(state).unwrap());
    let context = Context {
        servers: (&server.engine_url()).into(),
        store: Arc::clone(&store),
        books: Arc::new(Books::new(client.clone(), 1)),
        owner: state.display().to_string().into(),
        changes: Changes::channel().0,
        since: 0,
        failures: Default::default(),
        troubles: Default::default(),
        ends: Default::default(),
        lanes: LAYOUT.lanes,
        threads: 1,
        replicas: 1,
        policy_time: Duration::from_secs(1),
        remembered_bytes: 1 << 20,
        runtime: tokio::runtime::Handle::current(),
    };
    let executors = Executors::start(&context).unwrap();
    (store, executors)
}

async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    let end = Instant::now() + BOUND;
    while !condition().await {
        assert!(Instant::now() < end, "still not: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

fn known(cursor: &str, number: u64) -> Known {
    Known { cursor: Some(cursor.to_owned()), number }
}

/// Fails fast: one second is the least that settings say.
fn pace() -> Pace {
    Pace::of(&Settings { retry_base_s: 1, retry_most_s: 1, circuit_rest_s: 1, ..Settings::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_fails_breaks_off_is_killed_and_skips_nothing() {
    let world = World::new().await;
    let (feed, (stop, stopped)) = (Arc::new(Feed::default()), watch::channel(false));
    let lossy = Arc::new(Lossy { cursors: world.cursors(), reports: AtomicUsize::new(0) });
    let killed = world.run(&feed, Arc::clone(&lossy) as Arc<dyn Cursors>, &stopped);
    // The first poll is kept, the second failed, the third broke off, of the fourth the cursor is being reported.
    eventually("the second cursor is reported", async || lossy.reports.load(SeqCst) == 2).await;
    assert_eq!(feed.polls.load(SeqCst), 4);
    killed.abort();
    assert!(killed.await.unwrap_err().is_cancelled());
    assert_eq!(world.cursors().read("feed").unwrap(), known("3", 1), "the second cursor is lost");

    let again = world.run(&feed, Arc::new(world.cursors()), &stopped);
    eventually("all are found", async || world.cursors().read("feed").unwrap() == known("9", 3)).await;
    stop.send_replace(true);
    again.await.unwrap().unwrap();
    // What was published without its cursor came again: by id nothing is new in it.
    let expected = [0, 1, 2, 3, 3, 4, 5, 3, 4, 5, 6, 7, 8].map(|number| format!("m-{number}"));
    assert_eq!(world.brought().await, expected);
    assert_eq!(world.told().await, (0..MESSAGES).map(|number| format!("m-{number}")).collect::<Vec<_>>());

    // The cursor is in the log: a state made anew has it, and whoever goes on from there finds nothing more.
    let World { dir, server, client, store, executors } = world;
    executors.drain().await;
    store.close().unwrap();
    let (store, executors) = lane(&server, &client, &dir.path().join("state-anew"));
    let world = World { dir, server, client, store, executors };
    eventually("the cursor is back", async || world.cursors().read("feed").unwrap() == known("9", 3)).await;
    world.executors.drain().await;
    world.server.stop().await;
}

/// Two that polled from the same cursor, or one whose report was not acknowledged: the later one is passed over.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_was_overtaken_ends_and_leaves_the_other() {
    let world = World::new().await;
    let cursors = world.cursors();
    for (next, expected) in [
        (known("a", 1), known("a", 1)),
        (known("b", 1), known("a", 1)),
        (known("c", 2), known("c", 2)),
        (known("a", 1), known("c", 2)),
    ] {
        cursors.report("feed", next).await.unwrap();
        assert_eq!(cursors.read("feed").unwrap(), expected);
    }
    assert_eq!(cursors.read("other").unwrap(), Known::default());
    let error = cursors.read("a feed").unwrap_err();
    assert!(error.starts_with("`a feed` is not a source's name"), "{error}");
    world.executors.drain().await;
    world.server.stop().await;
}
