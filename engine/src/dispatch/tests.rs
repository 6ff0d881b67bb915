//! The dispatcher on the real server: destinations are served apart, and what they bring is in the log.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use async_nats::jetstream::{self, stream};
use futures_util::TryStreamExt as _;
use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use linesman_connectors::{Attempted, Contents};
use linesman_domain::cases;
use linesman_domain::jobs::{JobRow, Work};
use linesman_domain::reactions::{self, PendingRow};
use linesman_domain::state::Writes;
use linesman_domain::table;
use linesman_schemas::Peer;
use linesman_schemas::cause::Cause;
use linesman_schemas::outcome::{CaseStanding, Done, Failure, FailureClass, Outcome, Report};
use linesman_schemas::reaction::Task;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;
use crate::embedded::{self, Server};
use crate::log::{self, inputs, mark};

/// The longest that anything may take.
const BOUND: Duration = Duration::from_secs(30);

/// A connector of several peers. `dead` never answers, `sick` fails, `deaf` breaks off, `poll` brings a case; the
/// others take what comes. With bytes `slow` goes on until they may not leave any more.
#[derive(Default)]
struct Peers {
    served: Mutex<BTreeMap<String, usize>>,
    contents: Mutex<Vec<Vec<u8>>>,
    hourly: Option<u32>,
}

impl Peers {
    fn served(&self, peer: &str) -> usize {
        self.served.lock().unwrap().get(peer).copied().unwrap_or_default()
    }
}

impl Connector for Peers {
    fn name(&self) -> &'static str {
        "test"
    }

    fn concurrency(&self, _: Option<&Peer>) -> usize {
        2
    }

    fn concurrency_in_all(&self) -> Option<usize> {
        Some(4)
    }

    fn requests_per_hour(&self) -> Option<u32> {
        self.hourly
    }

    fn requests_most(&self) -> u32 {
        1
    }

    fn is_upstream(&self) -> bool {
        true
    }

    fn carry_out<'a>(&'a self, task: &'a Task) -> BoxFuture<'a, Attempted> {
        async {
            let peer = task.peer.as_ref().map_or("", |peer| peer.as_str());
            *self.served.lock().unwrap().entry(peer.to_owned()).or_default() += 1;
            let message = "told to fail".to_owned();
            match peer {
                "dead" => std::future::pending().await,
                "sick" => Attempted::failed(
                    1,
                    Failure { class: FailureClass::Unavailable, message, retry_after_s: None, cause: None },
                ),
                "deaf" => panic!("told to break off"),
                "poll" => Attempted {
                    reports: vec![Report::CaseChanged(CaseStanding {
                        incident: "acme-1".parse().unwrap(),
                        case_id: "C-1".to_owned(),
                        status: "open".to_owned(),
                        link: None,
                        updated: Timestamp::now(),
                        notes: Vec::new(),
                    })],
                    ..Attempted::done(1, Done::Delivered)
                },
                _ => Attempted::done(1, Done::Delivered),
            }
        }
        .boxed()
    }

    fn carry_out_with<'a>(&'a self, task: &'a Task, mut contents: Contents) -> BoxFuture<'a, Attempted> {
        async move {
            let mut wanted = contents.take_wanted();
            let (is_wanted, withdrawn) = wanted.parts();
            assert!(is_wanted());
            if task.peer.as_ref().is_some_and(|peer| peer.as_str() == "slow") {
                *self.served.lock().unwrap().entry("slow".to_owned()).or_default() += 1;
                withdrawn.await;
                assert!(!is_wanted());
                return Attempted { there: Some(7), ..Attempted::withdrawn(2) };
            }
            let pieces: Vec<bytes::Bytes> = contents.into_pieces().try_collect().await.unwrap();
            self.contents.lock().unwrap().push(pieces.concat());
            Attempted::done(1, Done::Delivered)
        }
        .boxed()
    }
}

/// A server with an IN, a store of one lane, and a dispatcher.
struct World {
    server: Option<Server>,
    client: Client,
    store: Arc<Store>,
    peers: Arc<Peers>,
    changes: mpsc::UnboundedSender<Change>,
    failing: Arc<Failing>,
    overview: watch::Receiver<Overview>,
    send: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    dispatcher: Option<JoinHandle<Result<(), Error>>>,
    lane: watch::Sender<LaneStatus>,
    /// How many seconds have passed by the steady clock.
    passed: Arc<AtomicU64>,
    _dir: tempfile::TempDir,
}

impl World {
    /// `before` writes what stands in the state at the start.
    async fn new(tasks_most: usize, before: impl FnOnce(&Store)) -> Self {
        Self::with(tasks_most, before, Peers::default(), LaneStatus::default()).await
    }

    async fn with(tasks_most: usize, before: impl FnOnce(&Store), peers: Peers, status: LaneStatus) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = embedded::start(embedded::Settings::new(dir.path())).await.unwrap();
        let client = log::connect(&server.engine_url(), "test").await.unwrap();
        let config = stream::Config {
            name: "IN".to_owned(),
            subjects: vec!["in.*.*.*".to_owned(), "p.*.ctl".to_owned()],
            ..Default::default()
        };
        jetstream::new(client.clone()).create_stream(config).await.unwrap();
        let store = Arc::new(Store::open(&dir.path().join("state")).unwrap());
        before(&store);
        let peers = Arc::new(peers);
        let began = std::time::Instant::now();
        let (lane, lanes) = watch::channel(LaneStatus { moved: began, ..status });
        let passed = Arc::new(AtomicU64::new(0));
        let failing = Arc::new(Failing::of_destinations());
        let (overview, seen) = watch::channel(Overview::default());
        let (send, sends) = watch::channel(true);
        let (stop, stopped) = watch::channel(false);
        let (changes, changed) = mpsc::unbounded_channel();
        let dispatcher = Dispatcher {
            connectors: vec![Arc::clone(&peers) as Arc<dyn Connector>],
            store: Arc::clone(&store),
            client: client.clone(),
            lanes: vec![lanes],
            sends,
            failing: Arc::clone(&failing),
            overview,
            node: "node".into(),
            steady: Steady::of({
                let passed = Arc::clone(&passed);
                move || began + Duration::from_secs(passed.load(Ordering::Relaxed))
            }),
        };
        let dispatcher = tokio::spawn(dispatcher.run_within(tasks_most, changed, stopped));
        Self {
            server: Some(server),
            client,
            store,
            peers,
            changes,
            failing,
            overview: seen,
            send,
            stop,
            dispatcher: Some(dispatcher),
            lane,
            passed,
            _dir: dir,
        }
    }

    /// A reaction of `acme` becomes pending.
    fn pend(&self, destination: &str, number: u32, action: &str) {
        pend(&self.store, destination, number, action);
        self.tell(destination);
    }

    fn tell(&self, destination: &str) {
        let change = Change { lane: 0, destination: destination.to_owned(), org: "acme".to_owned() };
        self.changes.send(change).unwrap();
    }

    /// The reports in IN, with their subjects.
    async fn reports(&self) -> Vec<Report> {
        let mut reports = Vec::new();
        for sequence in 1.. {
            let Some((_, bytes)) = mark::input(&self.client, sequence).await.unwrap() else { break };
            reports.extend(serde_json::from_slice::<Report>(&bytes).ok());
        }
        reports
    }

    /// The outcome of the reaction `number`, once it is reported.
    async fn outcome(&self, number: u32) -> Outcome {
        let end = Instant::now() + BOUND;
        loop {
            for report in self.reports().await {
                match report {
                    Report::Attempt(attempt) if attempt.reaction.as_str() == id(number) => return attempt.outcome,
                    _ => {}
                }
            }
            assert!(Instant::now() < end, "the reaction {number} is not reported");
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn eventually(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let end = Instant::now() + BOUND;
        while !condition(self) {
            assert!(Instant::now() < end, "still not: {what}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(dispatcher) = self.dispatcher.take() {
            dispatcher.await.unwrap().unwrap();
        }
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }
}

fn id(number: u32) -> String {
    format!("acme-r{number}-1")
}

const SAID: &str = r#"{"log":{"message":"m","fields":{}}}"#;

fn pend(store: &Store, destination: &str, number: u32, action: &str) {
    pend_at(store, destination, number, (Timestamp::UNIX_EPOCH, action));
}

fn pend_at(store: &Store, destination: &str, number: u32, (not_before, action): (Timestamp, &str)) {
    let row = PendingRow {
        org: "acme".parse().ok(),
        destination: destination.to_owned(),
        attempt: 1,
        not_before,
        deadline: Timestamp::MAX,
        is_held: false,
        incident: None,
        action: action.to_owned(),
        misses: 0,
        there: 0,
    };
    let place = reactions::queued(destination, "acme", not_before, &id(number)).into_bytes();
    let row = table::encode(&row).unwrap();
    write(store, vec![(reactions::key(&id(number)).into_bytes(), Some(row)), (place, Some(Vec::new()))]);
}

/// The lane has settled a reaction.
fn settle(store: &Store, destination: &str, number: u32) {
    settle_at(store, destination, number, Timestamp::UNIX_EPOCH);
}

fn settle_at(store: &Store, destination: &str, number: u32, not_before: Timestamp) {
    let place = reactions::queued(destination, "acme", not_before, &id(number)).into_bytes();
    write(store, vec![(reactions::key(&id(number)).into_bytes(), None), (place, None)]);
}

fn write(store: &Store, rows: Vec<(Vec<u8>, Option<Vec<u8>>)>) {
    store.lane(0).unwrap().apply(&Writes { batch: 1, rows }).unwrap();
}

fn failed(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Failed(failure) => failure,
        Outcome::Done(done) => panic!("{done:?}"),
    }
}

#[tokio::test]
async fn one_dead_peer_rests_alone() {
    // What stood in the state before the start is found.
    let world = World::new(16, |store| (1..=3).for_each(|number| pend(store, "test/dead", number, SAID))).await;
    world.pend("test/deaf", 10, SAID);
    world.pend("test/sick", 11, SAID);
    (20..40).for_each(|number| world.pend("test/well", number, SAID));
    for number in 20..40 {
        assert_eq!(world.outcome(number).await, Outcome::Done(Done::Delivered));
    }
    assert_eq!(failed(world.outcome(10).await).class, FailureClass::Garbled);
    assert_eq!(failed(world.outcome(11).await).class, FailureClass::Unavailable);
    let known = world.failing.all();
    assert_eq!(known.keys().collect::<Vec<_>>(), ["test/deaf", "test/sick"], "those that answer do not fail");
    assert_eq!((known["test/sick"].cause, &*known["test/sick"].words), (Cause::Other, "told to fail"));
    // Its own bound, not the others'.
    assert_eq!(world.peers.served("dead"), 2);
    // A connector that there is not: its reactions wait.
    world.pend("fax/noc", 50, SAID);
    assert_eq!(world.overview.borrow().connectors, ["test"]);
    assert_eq!(world.overview.borrow().tasks, 4);
    let World { stop, dispatcher, .. } = &world;
    stop.send_replace(true);
    // The dead ones are left after the drain's bound.
    assert!(dispatcher.is_some());
    drop(world);
}

#[tokio::test]
async fn what_leads_upstream_waits_as_long_as_nothing_may_leave() {
    let world = World::new(16, |_| {}).await;
    world.send.send_replace(false);
    for number in 1..4 {
        world.pend("test/well", number, SAID);
        world.eventually("it is looked at", |world| world.overview.borrow().tasks == 1).await;
    }
    assert_eq!((world.peers.served("well"), world.reports().await), (0, Vec::new()));
    world.send.send_replace(true);
    world.tell("test/well");
    for number in 1..4 {
        assert_eq!(world.outcome(number).await, Outcome::Done(Done::Delivered));
    }
    world.stop().await;
}

#[tokio::test]
async fn more_destinations_than_tasks_are_all_served() {
    let world = World::new(2, |_| {}).await;
    for number in 0..12 {
        world.pend(&format!("test/peer-{number}"), number, SAID);
    }
    for number in 0..12 {
        assert_eq!(world.outcome(number).await, Outcome::Done(Done::Delivered));
        settle(&world.store, &format!("test/peer-{number}"), number);
        world.tell(&format!("test/peer-{number}"));
    }
    world.eventually("nobody waits", |world| world.overview.borrow().waiting == 0).await;
    let overview = world.overview.borrow().clone();
    assert!(overview.tasks <= 2 && overview.ended >= 10, "{overview:?}");
    let served: usize = (0..12).map(|number| world.peers.served(&format!("peer-{number}"))).sum();
    assert_eq!(served, 12, "each once");
    world.stop().await;
}

#[tokio::test]
async fn an_action_that_cannot_be_read_is_reported_once_as_refused() {
    let world = World::new(16, |_| {}).await;
    world.pend("test/well", 1, r#"{"fax":{}}"#);
    let failure = failed(world.outcome(1).await);
    assert_eq!(failure.class, FailureClass::Refused);
    assert!(failure.message.starts_with("the action cannot be read: there is no action `fax`"), "{failure:?}");
    // It stands until the lane has settled it; others go on.
    world.pend("test/well", 2, SAID);
    assert_eq!(world.outcome(2).await, Outcome::Done(Done::Delivered));
    assert_eq!(world.reports().await.len(), 2);
    world.stop().await;
}

#[tokio::test]
async fn a_damaged_row_holds_up_no_other() {
    let world = World::new(16, |_| {}).await;
    write(&world.store, vec![(reactions::key(&id(1)).into_bytes(), Some(vec![0xff; 3]))]);
    let place = reactions::queued("test/well", "acme", Timestamp::UNIX_EPOCH, &id(1)).into_bytes();
    write(&world.store, vec![(place, Some(Vec::new()))]);
    world.pend("test/well", 2, SAID);
    assert_eq!(world.outcome(2).await, Outcome::Done(Done::Delivered));
    world.stop().await;
}

#[tokio::test]
async fn a_case_that_cannot_be_compared_fails_the_poll_as_a_whole() {
    let world = World::new(16, |_| {}).await;
    let case = cases::key(&"acme".parse().unwrap(), 1).into_bytes();
    write(&world.store, vec![(case.clone(), Some(vec![0xff; 3]))]);
    world.pend("test/poll", 1, SAID);
    let failure = failed(world.outcome(1).await);
    assert_eq!(failure.class, FailureClass::Unavailable);
    assert!(failure.message.starts_with("what is known of a case cannot be read: "), "{failure:?}");
    // Without a row it is nobody's of ours.
    write(&world.store, vec![(case, None)]);
    world.pend("test/poll", 2, SAID);
    assert_eq!(world.outcome(2).await, Outcome::Done(Done::Delivered));
    assert_eq!(world.reports().await.len(), 2, "only the attempts are reported");
    world.stop().await;
}

#[tokio::test]
async fn bytes_of_a_bundle_come_as_they_stand_in_the_log_or_not_at_all() {
    let world = World::new(16, |_| {}).await;
    let bundle = vec![7_u8; 300_000];
    let sequence = inputs::put(&world.client, "in.acme.jmb.edge-1".to_owned(), bundle.clone()).await.unwrap();
    let sha256 = {
        use sha2::Digest as _;
        hex::encode(sha2::Sha256::digest(&bundle))
    };
    let said = |sequence: u64, sha256: &str| {
        let bundle = format!(r#"{{"sequence":{sequence},"length":300000,"sha256":"{sha256}","start":1,"end":200001}}"#);
        format!(r#"{{"log":{{"message":"m","fields":{{}},"bundle":{bundle}}}}}"#)
    };
    world.pend("test/well", 1, &said(sequence, &sha256));
    assert_eq!(world.outcome(1).await, Outcome::Done(Done::Delivered));
    assert_eq!(*world.peers.contents.lock().unwrap(), [bundle[1..200_001].to_vec()]);
    world.pend("test/well", 2, &said(sequence, &"0".repeat(64)));
    let other = failed(world.outcome(2).await).message;
    assert_eq!(other, format!("the message {sequence} of IN is not the bundle: its SHA-256 differs"));
    world.pend("test/well", 3, &said(9_999, &sha256));
    assert_eq!(failed(world.outcome(3).await).message, "the message 9999 of IN is gone");
    assert_eq!(world.peers.contents.lock().unwrap().len(), 1);
    world.stop().await;
}

/// Whether what is under way is broken off by `change`, told of by the lane or by the licence.
async fn breaks_off(what: &str, change: impl FnOnce(&World)) {
    let world = World::new(16, |_| {}).await;
    let bundle = b"a bundle".to_vec();
    let sequence = inputs::put(&world.client, "in.acme.jmb.edge-1".to_owned(), bundle.clone()).await.unwrap();
    let sha256 = {
        use sha2::Digest as _;
        hex::encode(sha2::Sha256::digest(&bundle))
    };
    let bytes = format!(r#"{{"sequence":{sequence},"length":8,"sha256":"{sha256}","start":0,"end":8}}"#);
    world.pend("test/slow", 1, &format!(r#"{{"log":{{"message":"m","fields":{{}},"bundle":{bytes}}}}}"#));
    world.eventually("it is under way", |world| world.peers.served("slow") == 1).await;
    // News of others break nothing off.
    world.lane.send_modify(|status| status.position += 1);
    change(&world);
    world.lane.send_modify(|status| status.position += 1);
    let failure = failed(world.outcome(1).await);
    assert_eq!(failure.message, "what may leave has changed meanwhile; the next attempt goes by that", "{what}");
    let told = world.reports().await.into_iter().find_map(|report| match report {
        Report::Attempt(attempt) => Some((attempt.requests, attempt.there, attempt.is_withdrawn)),
        _ => None,
    });
    assert_eq!(told, Some((2, Some(7), true)), "{what}");
    world.stop().await;
}

/// The pending row as it is changed.
fn rewrite(world: &World, change: impl FnOnce(&mut PendingRow)) {
    let key = reactions::key(&id(1));
    let mut row = linesman_domain::table::Table::read(&world.store.lane(0).unwrap(), &key).unwrap().unwrap();
    change(&mut row);
    write(&world.store, vec![(key.into_bytes(), Some(table::encode(&row).unwrap()))]);
}

#[tokio::test]
async fn what_is_under_way_is_broken_off_once_it_may_not_leave() {
    breaks_off("nothing may leave", |world| settle(&world.store, "test/slow", 1)).await;
    breaks_off("the organization is suspended", |world| rewrite(world, |row| row.is_held = true)).await;
    breaks_off("another level", |world| rewrite(world, |row| row.action = SAID.to_owned())).await;
    breaks_off("it is tried anew", |world| rewrite(world, |row| row.attempt = 2)).await;
    breaks_off("the licence has lapsed", |world| {
        world.send.send_replace(false);
    })
    .await;
    breaks_off("its organization is under review", |world| {
        let work = Work::ReviewPending("acme".parse().unwrap());
        let job = JobRow { work, cursor: Vec::new(), done: 0, started: Timestamp::UNIX_EPOCH, advanced: 0 };
        write(&world.store, vec![([&b"j"[..], &9_u64.to_be_bytes()].concat(), Some(table::encode(&job).unwrap()))]);
    })
    .await;
    breaks_off("its row is damaged", |world| {
        write(&world.store, vec![(reactions::key(&id(1)).into_bytes(), Some(vec![0xff; 3]))]);
    })
    .await;
}

/// The log's clock is decades behind the machine's time of day, and a century ahead of it.
#[tokio::test]
async fn rows_are_due_by_the_logs_time_whatever_the_machine_says_of_the_day() {
    for now in ["1991-05-01T00:00:00Z", "2126-05-01T00:00:00Z"] {
        let now: Timestamp = now.parse().unwrap();
        let status = LaneStatus { now, ..LaneStatus::default() };
        let world = World::with(16, |_| {}, Peers::default(), status).await;
        let in_ten_minutes = now.checked_add(Duration::from_secs(600)).unwrap();
        pend_at(&world.store, "test/well", 1, (in_ten_minutes, SAID));
        // One that is due shows that it was looked.
        pend_at(&world.store, "test/well", 2, (now, SAID));
        world.tell("test/well");
        assert_eq!(world.outcome(2).await, Outcome::Done(Done::Delivered));
        settle_at(&world.store, "test/well", 2, now);
        world.passed.store(598, Ordering::Relaxed);
        pend_at(&world.store, "test/well", 3, (now, SAID));
        world.tell("test/well");
        assert_eq!(world.outcome(3).await, Outcome::Done(Done::Delivered));
        assert_eq!(world.peers.served("well"), 2, "of {now}");
        world.passed.store(601, Ordering::Relaxed);
        world.tell("test/well");
        assert_eq!(world.outcome(1).await, Outcome::Done(Done::Delivered));
        world.stop().await;
    }
}

#[tokio::test]
async fn an_hour_that_the_logs_clock_is_ahead_frees_nothing_of_the_hourly_bound() {
    let peers = Peers { hourly: Some(4), ..Peers::default() };
    let world = World::with(16, |_| {}, peers, LaneStatus::default()).await;
    (1..=10).for_each(|number| world.pend("test/well", number, SAID));
    world.eventually("half of it is asked for at once", |world| world.peers.served("well") == 2).await;
    let ahead = Timestamp::UNIX_EPOCH.checked_add(Duration::from_secs(3 * 3_600)).unwrap();
    world.lane.send_modify(|status| status.now = ahead);
    world.tell("test/well");
    // The other half has its turns by the steady clock.
    world.passed.store(1_801, Ordering::Relaxed);
    world.tell("test/well");
    world.eventually("a turn", |world| world.peers.served("well") == 3).await;
    let peers = Arc::clone(&world.peers);
    world.stop().await;
    assert_eq!(peers.served("well"), 3);
}
