//! Killed at any moment, the engine goes on where it was: nothing is lost and nothing said twice, and of people, places
//! and sessions there is what was answered.
//!
//! `LINESMAN_CRASHES` chooses how many crashes, `LINESMAN_SEED` which.

mod wrong;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use async_nats::{Client, HeaderMap};
use futures_util::StreamExt;
use futures_util::future::join_all;
use linesman::log::mark::Mark;
use linesman::log::streams::{lane_of, last_of_lane};
use linesman_tests::{
    Engine, LANES, Launch, Load, OPEN_CASE, Out, Random, Staff, Strays, Upstream, World, flip, run, until,
    wait_accounted,
};

use super::verified::verify;

/// Crashes of an ordinary run.
const CRASHES: usize = 20;
/// Bundles of each organization that are there before each crash.
const BUNDLES: usize = 6;
const ORGANIZATIONS: [&str; 2] = ["acme", "bolt"];
/// Whose policy takes too long for each of its bundles.
const SLOW_ORGANIZATION: &str = "cobalt";
/// More of the processor's time than the millisecond there is. The other policy is over before the clock is looked at.
const SLOW: &str = r#"
policy(#{ on: "incident.detected", where: #{ organization: "cobalt" } });
fn react(incident, org) { let n = 0; for i in 0..9000 { n += 1; } publish("slow", #{ n: n, version: VERSION }); }
"#;
/// How often a policy may be set aside before it is suspended, which an engine that is to be killed there never reaches.
const ASIDES: u64 = 3;
/// How many consumers somebody makes of OUT at a time.
const CONSUMERS: usize = 100;
/// How many bits of a damaged store are flipped.
const FLIPS: usize = 24;
/// How large the disk is that is full for a while, in MiB.
const DISK: u32 = 384;
/// How many looks at its log at most an engine may be about to start when it is killed; one takes some
/// tens of milliseconds.
const STARTING_LOOKS: u64 = 40;
/// How long the dead are left alone where they are: beyond what clients and the engine wait for an answer.
const A_WHILE: Duration = Duration::from_secs(6);
/// How many of a run's crashes are followed by such a while, rather than by a restart at once.
const WHILES: usize = 4;

/// What is asked for of people and places while the server is away or an engine runs into a crash point.
const STAFF_STEPS: u64 = 4;

/// Bundles of an engine that is behind, several batches of one lane.
const BACKLOG: usize = 10_000;
/// How often it is killed while it catches up.
const KILLS: usize = 4;

/// How many batches a stream has room for.
const OPEN_BATCHES: u32 = 50;

/// How it ends.
#[derive(Debug, Clone, Copy)]
enum Crash {
    /// At a point of the code.
    Point(&'static str),
    /// The engine is killed amid the load.
    Engine,
    /// Its NATS server is killed amid the load, and the engine goes on.
    Nats,
    /// Both are killed amid the load.
    Both,
    /// The engine is killed while it starts.
    Starting,
    /// The engine is killed amid the load, and bits of its store are flipped.
    Store,
    /// The engine is killed once somebody has made consumers of OUT, amid the load.
    Consumers,
    /// The engine is killed while the disk of the data directory is full.
    Disk,
    /// The engine is killed while the server's clock is wrong.
    Skew,
    /// The engine is killed once the server's clock was far ahead for a few messages.
    Jump,
    /// Bytes of a stream are flipped while nobody runs, and are put back behind a run that tells it.
    Damage(&'static str),
}

const MIX: [Crash; 20] = [
    Crash::Point("receive"),
    Crash::Point("decode"),
    Crash::Point("decide"),
    Crash::Point("emit::before-mark"),
    Crash::Point("emit::after-mark"),
    Crash::Point("apply"),
    Crash::Point("dispatch::before-report"),
    Crash::Point("override::before"),
    Crash::Point("override::after"),
    Crash::Engine,
    Crash::Nats,
    Crash::Both,
    Crash::Starting,
    Crash::Store,
    Crash::Consumers,
    Crash::Disk,
    Crash::Skew,
    Crash::Jump,
    Crash::Damage("IN"),
    Crash::Damage("OUT"),
];

struct Site {
    world: World,
    upstream: Upstream,
    load: Load,
    /// People, places and sessions that change meanwhile.
    staff: Staff,
    /// Messages that lead to no lane.
    strays: Strays,
    /// Checkpoints of the audit that somebody has kept, by whose log it is.
    kept: Vec<(&'static str, String)>,
    /// How many texts the policy that takes too long has had.
    texts: u64,
    /// When the server's clock was how wrong, as the crash point takes it: whoever decides again has to find it so too.
    skews: String,
    random: Random,
}

impl Site {
    async fn new(random: Random) -> Self {
        let mut world = World::new().unwrap();
        world.mount(DISK).unwrap();
        world.configure("policy_time_ms = 1\n\n[settings]\ncase_poll_s = 1\nretry_base_s = 1\n");
        world.policy("open-case", OPEN_CASE).unwrap();
        let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
        let mut site = Self {
            world,
            upstream,
            load: Load::default(),
            staff: Staff::default(),
            strays: Strays::default(),
            kept: Vec::new(),
            texts: 0,
            skews: String::new(),
            random,
        };
        site.change_slow_policy();
        site
    }

    /// Gives the policy that takes too long another text: it counts as another policy then.
    fn change_slow_policy(&mut self) {
        self.texts += 1;
        self.world.policy("slow", &SLOW.replace("VERSION", &self.texts.to_string())).unwrap();
    }

    async fn start(&self) -> Engine {
        let launch = Launch { crash_points: &self.points(""), ..Launch::default() };
        self.world.start_with(Some(&self.upstream), launch).await.unwrap()
    }

    fn spawn(&self, point: &str) -> Engine {
        let launch = Launch { crash_points: &self.points(point), ..Launch::default() };
        self.world.spawn(Some(&self.upstream), launch).unwrap()
    }

    /// A crash point, behind that by which the server's clock was as wrong as it was.
    fn points(&self, point: &str) -> String {
        match &*self.skews {
            "" => point.to_owned(),
            skews => format!("decode::skew=return({});{point}", skews.trim()),
        }
    }

    async fn suffer(&mut self, crash: Crash) {
        for org in ORGANIZATIONS {
            self.load.add(org, BUNDLES);
        }
        self.load.add(SLOW_ORGANIZATION, 1);
        let most = BUNDLES * ORGANIZATIONS.len();
        let acknowledgements = usize::try_from(self.random.below(most as u64)).unwrap();
        match crash {
            Crash::Point(point) => self.reach(point).await,
            Crash::Disk if self.world.disk().is_none() => {}
            Crash::Skew | Crash::Jump => self.set_wrong(crash).await,
            Crash::Damage(stream) => self.damage(stream).await,
            Crash::Engine | Crash::Both | Crash::Store | Crash::Consumers | Crash::Disk => {
                let mut engine = self.start().await;
                self.keep_checkpoints(&engine).await;
                let (client, api) = (engine.nats().await.unwrap(), engine.api().unwrap());
                let killing = async {
                    self.strays.publish(&client).await;
                    if let (Crash::Disk, Some(disk)) = (crash, self.world.disk()) {
                        disk.fill().unwrap();
                    }
                    self.load.publish(&client, acknowledgements).await;
                    match crash {
                        Crash::Both => engine.kill_nats().unwrap(),
                        Crash::Consumers => flood(&client, self.random.below(CONSUMERS as u64)).await,
                        _ => {}
                    }
                    engine.kill().unwrap();
                };
                let ((), worked) = tokio::join!(killing, self.staff.work(&api, u64::MAX));
                worked.unwrap();
                if let Some(disk) = self.world.disk() {
                    disk.make_room().unwrap();
                }
                if matches!(crash, Crash::Store) {
                    flip(&self.world.data().join("state/db"), FLIPS, &mut self.random).unwrap();
                }
            }
            Crash::Nats => {
                let mut engine = self.start().await;
                let (client, api) = (engine.nats().await.unwrap(), engine.api().unwrap());
                let killing = async {
                    self.load.publish(&client, acknowledgements).await;
                    engine.kill_nats().unwrap();
                };
                let ((), worked) = tokio::join!(killing, self.staff.work(&api, STAFF_STEPS));
                worked.unwrap();
                self.load.publish_all(&client).await;
                assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
            }
            Crash::Starting => {
                let mut engine = self.spawn("");
                // Any moment is the right one.
                let mut looks = self.random.below(STARTING_LOOKS);
                until("as many looks as chance has it", || {
                    let is_over = looks == 0 || !engine.is_running();
                    looks = looks.saturating_sub(1);
                    async move { is_over.then_some(()) }
                })
                .await;
                engine.kill().unwrap();
            }
        }
    }

    /// Somebody keeps checkpoints of the audit, an organization's and the provider's.
    async fn keep_checkpoints(&mut self, engine: &Engine) {
        for log in ["acme", "_provider"] {
            let note = engine.get_text(&format!("/api/v1/audit/{log}/checkpoint")).await.unwrap();
            self.kept.push((log, note));
        }
    }

    /// Whether what is in the audit now is what it was at each checkpoint that was kept.
    async fn check_audit(&self) {
        for log in ["acme", "_provider"] {
            let export = self.world.path("export.jsonl");
            let (path, data) = (export.to_str().unwrap(), self.world.data());
            let args = ["audit", "export", "--organization", log, "--output", path, "--data-dir"];
            let ended = run(&[&args[..], &[data.to_str().unwrap()]].concat()).await.unwrap();
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            let mut args = vec!["audit".to_owned(), "verify".to_owned(), path.to_owned()];
            for (number, (_, note)) in self.kept.iter().filter(|(of, _)| *of == log).enumerate() {
                let kept = self.world.path(&format!("checkpoint-{number}"));
                std::fs::write(&kept, note).unwrap();
                args.extend(["--checkpoint".to_owned(), kept.to_str().unwrap().to_owned()]);
            }
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let ended = run(&args).await.unwrap();
            assert_eq!(ended.code, Some(0), "{log}: {}", ended.stdout);
        }
    }

    /// Leaves the dead alone; where the server lives on, publishers go on.
    async fn pass_a_while(&mut self) {
        let since = Instant::now();
        if let Ok(url) = self.world.engine_url()
            && let Ok(client) = linesman::log::connect(&url, "publisher").await
        {
            self.load.add("bolt", BUNDLES);
            self.load.publish(&client, usize::MAX).await;
        }
        until("a while has passed", || async move { (since.elapsed() > A_WHILE).then_some(()) }).await;
    }

    /// Lets the engine run into a crash point, maybe while it starts.
    async fn reach(&mut self, point: &str) {
        let most = if point.starts_with("override::") { ASIDES } else { 16 };
        let crash_points = format!("{point}={}*off->panic", self.random.below(most));
        self.change_slow_policy();
        let mut engine = self.spawn(&crash_points);
        if engine.wait_ready().await.is_ok() {
            let client = engine.nats().await.unwrap();
            self.publish_until_it_ends(&mut engine, &client).await;
        }
        engine.ended().await;
    }

    /// Publishes bundle after bundle, each when the one before is an incident; people and places change meanwhile.
    async fn publish_until_it_ends(&mut self, engine: &mut Engine, client: &Client) {
        let api = engine.api().unwrap();
        while engine.is_running() {
            self.load.publish(client, usize::MAX).await;
            self.staff.work(&api, STAFF_STEPS).await.unwrap();
            let wanted = self.load.incidents()["acme"];
            until("the bundle is an incident, or the engine has ended", async || {
                let is_behind = engine.incidents("acme").await.is_ok_and(|count| count < wanted);
                (!is_behind).then_some(())
            })
            .await;
            self.load.add("acme", 1);
            self.load.add(SLOW_ORGANIZATION, 1);
        }
    }

    /// Waits until everything is done, and looks whether it was done once.
    async fn check(&mut self) {
        let mut engine = self.start().await;
        self.load.publish_all(&engine.nats().await.unwrap()).await;
        self.load.wait_for_incidents(&engine).await.unwrap();
        let as_engine = engine.nats_as_engine().await.unwrap();
        let out = until("every case is submitted", async || {
            let out = Out::read(&as_engine).await.unwrap();
            let on = |org| out.on(&format!("out.{org}.trigger.incident.submitted")).count() as u64;
            let submitted: u64 = ORGANIZATIONS.into_iter().chain([SLOW_ORGANIZATION]).map(on).sum();
            (submitted >= self.load.cases()).then_some(out)
        })
        .await;
        self.load.check(&out).unwrap();
        let letters: Vec<u64> =
            out.on("out.cobalt.dead.policy-failed").map(|letter| letter.data["sequence"].as_u64().unwrap()).collect();
        let inputs: BTreeSet<u64> = letters.iter().copied().collect();
        assert_eq!((letters.len(), inputs.len() as u64), (inputs.len(), self.load.incidents()[SLOW_ORGANIZATION]));
        self.strays.check(&as_engine).await.unwrap();
        wait_accounted(&engine).await.unwrap();
        let count = self.upstream.count().await.unwrap();
        let cases = count["cases_by_tracking"].as_object().unwrap();
        assert_eq!(cases.len() as u64, self.load.cases());
        assert!(cases.values().all(|count| count == 1), "{cases:?}");
        self.staff.check(&engine).await.unwrap();
        self.check_audit().await;
        let (code, round) = verify(&self.world, &[]).await;
        assert_eq!(code, Some(0), "{round}");
        assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    }
}

/// Makes so many consumers of OUT, with anybody's login.
async fn flood(client: &Client, most: u64) {
    let body = r#"{"stream_name": "OUT", "config": {"ack_policy": "explicit"}}"#;
    let made = (0..most).map(|_| client.request("$JS.API.CONSUMER.CREATE.OUT", body.into()));
    join_all(made).await;
}

#[tokio::test]
async fn nothing_is_lost_or_said_twice() {
    let crashes = std::env::var("LINESMAN_CRASHES").map_or(CRASHES, |count| count.parse().unwrap());
    let mut site = Site::new(Random::from_environment()).await;
    let mut left = crashes;
    while left > 0 {
        let mut mix = MIX;
        site.random.shuffle(&mut mix);
        for crash in mix.into_iter().take(left) {
            println!("{crash:?}");
            site.suffer(crash).await;
            left -= 1;
            if left.is_multiple_of(CRASHES / WHILES) {
                site.pass_a_while().await;
            }
        }
    }
    site.check().await;
}

/// An engine with much to catch up reads beside its lanes, gathers batches and cuts them: killed amid
/// that, again and again, it loses and doubles nothing either.
#[tokio::test]
async fn an_engine_that_is_behind_is_killed_too() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let client = engine.nats_as_engine().await.unwrap();
    engine.kill().unwrap();
    let mut load = Load::default();
    load.add("acme", BACKLOG);
    load.publish_all(&client).await;
    let lane = lane_of("acme", LANES);
    let mut marks = client.subscribe(format!("out._mark.{lane}")).await.unwrap();
    client.flush().await.unwrap();
    let mut random = Random::from_environment();
    let url = world.engine_url().unwrap();
    let launch = Launch { flags: &["--nats", &url], ..Launch::default() };
    let end = last_of_lane(&client, lane).await.unwrap();
    let mut position = 0;
    let mut kills = 0;
    while position < end && kills < KILLS {
        let mut engine = world.spawn(None, launch).unwrap();
        // The lane is taken up with a mark; then comes a commit, or none.
        let mut left = 1 + random.below(2);
        while left > 0 && position < end {
            let mark = tokio::time::timeout(Duration::from_secs(60), marks.next()).await;
            let mark: Mark = serde_json::from_slice(&mark.expect("the lane is taken up").unwrap().payload).unwrap();
            position = position.max(mark.position);
            left -= 1;
        }
        engine.kill().unwrap();
        kills += 1;
    }
    assert!(kills > 1, "the first caught up");
    let mut engine = world.start_with(None, launch).await.unwrap();
    load.wait_for_incidents(&engine).await.unwrap();
    load.check(&Out::read(&client).await.unwrap()).unwrap();
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// After a failed flush nobody knows what the disk has: the engine stops at once, and the next one goes
/// on from the log.
#[tokio::test]
async fn a_failed_flush_stops_the_engine() {
    let world = World::new().unwrap();
    let launch = Launch { crash_points: "store::flush=1*off->return", ..Launch::default() };
    let mut engine = world.spawn(None, launch).unwrap();
    assert_eq!(engine.ended().await.code(), Some(70), "{}", engine.log_tail());
    assert!(engine.log().contains("the store cannot be flushed"), "{}", engine.log_tail());
    let mut engine = world.start(None).await.unwrap();
    let mut load = Load::default();
    load.add("acme", 6);
    load.publish_all(&engine.nats().await.unwrap()).await;
    load.wait_for_incidents(&engine).await.unwrap();
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// Batches that a killed engine left open stay in the server for some seconds, and it has room for
/// fifty: the next engine waits until there is room again, and loses nothing.
#[tokio::test]
async fn open_batches_are_outlived() {
    let mut site = Site::new(Random::from_environment()).await;
    let launch = Launch { crash_points: "emit::before-mark=20*off->panic", ..Launch::default() };
    let mut engine = site.world.start_with(Some(&site.upstream), launch).await.unwrap();
    let client = engine.nats().await.unwrap();
    let as_engine = engine.nats_as_engine().await.unwrap();
    site.load.add("acme", 1);
    site.publish_until_it_ends(&mut engine, &client).await;
    let mut abandoned = as_engine.subscribe("$JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.OUT").await.unwrap();
    for number in 0..OPEN_BATCHES {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Batch-Id", format!("left-{number}"));
        headers.insert("Nats-Batch-Sequence", "1");
        as_engine.publish_with_headers("w._provider.audit.left", headers, "{}".into()).await.unwrap();
    }
    as_engine.flush().await.unwrap();
    drop(engine);
    // A server that the next engine started anew would have forgotten them: this one is outside.
    let url = site.world.engine_url().unwrap();
    let launch = Launch { flags: &["--nats", &url], ..Launch::default() };
    let mut engine = site.world.spawn(Some(&site.upstream), launch).unwrap();
    engine.wait_ready().await.unwrap();
    let given_up = tokio::time::timeout(Duration::from_secs(60), abandoned.next()).await;
    given_up.expect("the server gives the batches up").unwrap();
    engine.tells("a batch is not acknowledged").await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    site.check().await;
}
