//! How long a bundle takes to its trigger while lines of another organization in the same lane are rendered.
//!
//! A whole engine, one bundle at a time: first while nothing else is done, then while a change at an enterprise's level
//! is rendered for all of its access lines.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use async_nats::jetstream::{self, Context as JetStream};
use async_nats::{Client, Subscriber};
use futures_util::StreamExt;
use linesman::log::streams::lane_of;
use linesman_benches::load::Load;
use linesman_benches::stage::{LANES, Stage};
use linesman_benches::turns::Engine;
use linesman_schemas::service::ServiceSource;
use tokio::time::{interval, timeout};

/// How many access lines a site has, all on one device.
const LINES: usize = 200;
/// How many bundles are measured in the quiet, and how many at the most meanwhile.
const BUNDLES: usize = 2_000;
/// How far bundles lie apart at the least.
const APART: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(300);

/// What bundles waited: 99 in a hundred at most so long.
pub(crate) struct Waits {
    pub(crate) quiet: Duration,
    pub(crate) meanwhile: Duration,
    /// How many were measured meanwhile.
    pub(crate) bundles: usize,
}

/// Measures with so many access lines of a service.
pub(crate) async fn run(service: &ServiceSource, lines: usize) -> anyhow::Result<Waits> {
    let load = Load { organizations: 64, policies: 1, is_own: false, is_mixed: false, bundles: 0 };
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
        heard: stage.client.subscribe(format!("out.{neighbour}.incident.detected")).await?,
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
    bench.ask(&format!(r#"{{"set_values":{{"place":"{org}","substitutions":["p0=2m","p4=4"]}}}}"#)).await?;
    let all = sites * LINES;
    let meanwhile = bench.measure(|_, rendered| rendered < all).await?;
    engine.stop().await?;
    stage.strike().await;
    Ok(Waits { bundles: meanwhile.len(), quiet: p99(quiet)?, meanwhile: p99(meanwhile)? })
}

fn p99(mut waits: Vec<Duration>) -> anyhow::Result<Duration> {
    waits.sort_unstable();
    waits.get(waits.len() * 99 / 100).copied().context("no bundle was measured")
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
    async fn ask(&mut self, verb: &str) -> anyhow::Result<()> {
        self.asked += 1;
        let command = format!(r#"{{"id":"c{}","actor":"admin","node":"bench","verb":{verb}}}"#, self.asked);
        let subject = format!("in.{}.cmd.bench", self.changed);
        self.jetstream.publish(subject, command.into()).await?.await?;
        Ok(())
    }

    /// Sites of [`LINES`] access lines each, and a subscription that is active; until all devices were told.
    async fn fill(&mut self, service: &ServiceSource, sites: usize) -> anyhow::Result<()> {
        let org = self.changed.clone();
        for site in 0..sites {
            self.ask(&format!(r#"{{"set_place":{{"place":"{org}/s{site}","device":"pe-{site}"}}}}"#)).await?;
            for line in 0..LINES {
                self.ask(&format!(
                    r#"{{"set_place":{{"place":"{org}/s{site}/l{line}","device":"pe-{site}","interface":"ge-0/0/{line}","speed":100000000}}}}"#
                ))
                .await?;
            }
        }
        let name = &service.name;
        self.ask(&format!(r#"{{"set_subscription":{{"place":"{org}","name":"{name}","service":"{name}"}}}}"#)).await?;
        self.ask(&format!(r#"{{"activate_subscription":{{"place":"{org}","name":"{name}"}}}}"#)).await?;
        for _ in 0..sites * LINES {
            timeout(PATIENCE, self.told.next()).await.context("devices are not told")?.context("the server is gone")?;
        }
        Ok(())
    }

    /// Publishes bundles of the neighbour, one after the other, while `goes_on` says so of how many were measured and how
    /// many lines were rendered since; how long each took to its trigger.
    async fn measure(&mut self, goes_on: impl Fn(usize, usize) -> bool) -> anyhow::Result<Vec<Duration>> {
        let (mut waits, mut rendered) = (Vec::new(), 0);
        let mut apart = interval(APART);
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
                        told.context("the server is gone")?;
                        rendered += 1;
                    }
                    () = &mut deadline => bail!("a bundle has no trigger"),
                }
            }
        }
        Ok(waits)
    }
}
