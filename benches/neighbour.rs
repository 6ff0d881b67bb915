//! How long a bundle takes to its trigger while lines of another organization in the same lane are rendered.
//!
//! A whole engine, one bundle at a time: first while nothing else is done, then while a change at an enterprise's level
//! is rendered for all of its access lines.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use async_nats::jetstream::{self, Context as JetStream};
use async_nats::{Client, Message, Subscriber};
use futures_util::StreamExt;
use linesman::log::streams::lane_of;
use linesman_benches::load::Load;
use linesman_benches::stage::{LANES, Stage};
use linesman_benches::turns::Engine;
use linesman_schemas::event;
use linesman_schemas::service::ServiceSource;
use tokio::time::{interval, timeout};

/// How many access lines a site has, all on one device.
const LINES: usize = 200;
/// How many bundles are measured in the quiet.
const BUNDLES: usize = 2_000;
/// How far bundles lie apart at the least.
const APART: Duration = Duration::from_millis(5);
/// How many commands wait for their acknowledgement.
const FLIGHT: usize = 500;
/// How long nothing may come of what is waited for.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a neighbour's bundles waited for their triggers.
pub(crate) struct Waits {
    quiet: Spread,
    meanwhile: Spread,
    lines: usize,
    /// How long the lines took until the last of their devices was told.
    told: Duration,
}

/// How long half of some bundles waited at most, and how long 99 in a hundred.
struct Spread {
    median: Duration,
    most: Duration,
    bundles: usize,
}

impl Spread {
    fn of(mut waits: Vec<Duration>) -> anyhow::Result<Self> {
        waits.sort_unstable();
        let at = |percent| waits.get(waits.len() * percent / 100).copied().context("no bundle was measured");
        Ok(Self { median: at(50)?, most: at(99)?, bundles: waits.len() })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, most] = [self.median, self.most].map(|wait| wait.as_secs_f64() * 1e3);
        write!(f, "p50 {median:.1} ms p99 {most:.1} ms of {} bundles", self.bundles)
    }
}

impl Waits {
    /// How much longer 99 in a hundred wait meanwhile.
    pub(crate) fn ratio(&self) -> f64 {
        self.meanwhile.most.as_secs_f64() / self.quiet.most.as_secs_f64()
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { quiet, meanwhile, lines, told } = self;
        let ratio = self.ratio();
        let told = told.as_secs_f64();
        write!(f, "quiet {quiet}, while {lines} lines are rendered in {told:.2} s {meanwhile}, ratio {ratio:.2}")
    }
}

/// Measures with so many access lines of a service.
pub(crate) async fn run(service: &ServiceSource, lines: usize) -> anyhow::Result<Waits> {
    let load = Load { organizations: 64, policies: 1, is_own: false, is_mixed: false, bundles: 0, quota: None };
    let changed = load.organization(0);
    let lane = lane_of(&changed, LANES);
    let neighbour = (1..load.organizations)
        .map(|number| load.organization(number))
        .find(|org| lane_of(org, LANES) == lane)
        .context("no two organizations share a lane")?;
    let stage = Stage::set(&load).await?;
    let folder = stage.path().join("rules/services").join(service.name.as_str());
    std::fs::create_dir_all(&folder)?;
    for (file, text) in &service.files {
        std::fs::write(folder.join(file), text)?;
    }
    let mut engine = Engine::spawn(&stage, "neighbour")?;
    engine.ready().await?;
    let mut bench = Bench {
        jetstream: jetstream::new(stage.client.clone()),
        told: stage.client.subscribe(format!("out.{changed}.reaction.device")).await?,
        heard: stage.client.subscribe(format!("out.{neighbour}.trigger.incident.detected")).await?,
        client: stage.client.clone(),
        load,
        changed,
        neighbour,
        asked: 0,
        published: 0,
    };
    let sites = lines.div_ceil(LINES);
    bench.fill(service, sites).await?;
    let quiet = bench.measure(|at, _| at < BUNDLES).await?;
    let org = &bench.changed;
    bench.ask(vec![format!(r#"{{"set_values":{{"place":"{org}","substitutions":["p0=2m","p4=4"]}}}}"#)]).await?;
    let (all, since) = (sites * LINES, Instant::now());
    let meanwhile = bench.measure(|_, rendered| rendered < all).await?;
    let told = since.elapsed();
    engine.stop().await?;
    stage.strike().await;
    Ok(Waits { quiet: Spread::of(quiet)?, meanwhile: Spread::of(meanwhile)?, lines: all, told })
}

/// How many events a message carries: one, or several.
fn events(message: &Message) -> anyhow::Result<usize> {
    Ok(event::read(&message.payload)?.len())
}

struct Bench {
    client: Client,
    jetstream: JetStream,
    /// What devices of the organization that is changed are told.
    told: Subscriber,
    /// What becomes of the neighbour's bundles.
    heard: Subscriber,
    load: Load,
    changed: String,
    neighbour: String,
    asked: usize,
    published: usize,
}

impl Bench {
    async fn ask(&mut self, verbs: Vec<String>) -> anyhow::Result<()> {
        let subject = format!("in.{}.cmd.bench", self.changed);
        for some in verbs.chunks(FLIGHT) {
            let mut waiting = Vec::with_capacity(FLIGHT);
            for verb in some {
                self.asked += 1;
                let command = format!(r#"{{"id":"c{}","actor":"admin","node":"bench","verb":{verb}}}"#, self.asked);
                waiting.push(self.jetstream.publish(subject.clone(), command.into()).await?);
            }
            for acknowledged in waiting {
                acknowledged.await?;
            }
        }
        Ok(())
    }

    /// Sites of [`LINES`] access lines each, and a subscription that is active; until all devices were told.
    async fn fill(&mut self, service: &ServiceSource, sites: usize) -> anyhow::Result<()> {
        let (org, name) = (self.changed.clone(), &service.name);
        for site in 0..sites {
            let mut verbs = vec![format!(r#"{{"set_place":{{"place":"{org}/s{site}","device":"pe-{site}"}}}}"#)];
            verbs.extend((0..LINES).map(|line| {
                format!(
                    r#"{{"set_place":{{"place":"{org}/s{site}/l{line}","device":"pe-{site}","interface":"ge-0/0/{line}","speed":100000000}}}}"#
                )
            }));
            self.ask(verbs).await?;
        }
        self.ask(vec![
            format!(r#"{{"set_subscription":{{"place":"{org}","name":"{name}","service":"{name}"}}}}"#),
            format!(r#"{{"activate_subscription":{{"place":"{org}","name":"{name}"}}}}"#),
        ])
        .await?;
        let (mut told, all) = (0, sites * LINES);
        while told < all {
            let message = timeout(PATIENCE, self.told.next()).await;
            let message =
                message.with_context(|| format!("devices are told of {told} lines of {all}, then no more"))?;
            told += events(&message.context("the server is gone")?)?;
        }
        Ok(())
    }

    /// Publishes bundles of the neighbour, one after the other, while `goes_on` says so of how many were measured and how
    /// many lines were rendered since; how long each took to its trigger.
    async fn measure(&mut self, goes_on: impl Fn(usize, usize) -> bool) -> anyhow::Result<Vec<Duration>> {
        let (mut waits, mut rendered) = (Vec::new(), 0);
        let (mut apart, mut progress) = (interval(APART), Instant::now());
        while goes_on(waits.len(), rendered) {
            apart.tick().await;
            // Of the load's bundles those of its first organization have a number for each.
            let (_, bundle) = self.load.bundle(self.published * self.load.organizations);
            self.published += 1;
            let since = Instant::now();
            self.client.publish(format!("in.{}.jmb.bench", self.neighbour), bundle.into()).await?;
            let deadline = tokio::time::sleep(PATIENCE);
            tokio::pin!(deadline);
            loop {
                tokio::select! {
                    biased;
                    heard = self.heard.next() => {
                        heard.context("the server is gone")?;
                        break waits.push(since.elapsed());
                    }
                    told = self.told.next() => {
                        rendered += events(&told.context("the server is gone")?)?;
                        progress = Instant::now();
                    }
                    () = &mut deadline => bail!("a bundle has no trigger within {} s", PATIENCE.as_secs()),
                }
            }
            let silent = progress.elapsed();
            anyhow::ensure!(silent < PATIENCE, "devices are told of {rendered} lines, then no more for {silent:?}");
        }
        Ok(waits)
    }
}
