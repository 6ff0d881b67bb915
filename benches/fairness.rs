//! How long bundles of others take to their incidents while one organization floods IN.
//!
//! A whole engine. In the quiet one organization sends now and then; then another one sends at full rate, and meanwhile that
//! one, in another lane of the flooded lane's thread where there is one, and one in the flooded lane send at the same pace.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use async_nats::jetstream;
use async_nats::{Client, Message, Subscriber};
use futures_util::StreamExt;
use linesman::log;
use linesman::log::streams::lane_of;
use linesman_benches::load::Load;
use linesman_benches::stage::{LANES, Stage};
use linesman_benches::turns::Engine;
use linesman_schemas::event;
use tokio::time::{MissedTickBehavior, interval};

/// How many organizations there are to choose from.
const ORGANIZATIONS: usize = 256;
/// How far the bundles of a quiet organization lie apart at the least.
const APART: Duration = Duration::from_millis(5);
/// How many of them are measured in the quiet, at the most and at the least.
const QUIET: (usize, usize) = (2_000, 200);
/// How many bundles of the flood wait for their acknowledgement.
const FLIGHT: usize = 1_000;
/// How long nothing may come of what is waited for.
const PATIENCE: Duration = Duration::from_secs(300);
/// How many times as long as in the quiet a bundle of another lane takes at the most.
const LANE_MOST: f64 = 3.0;
/// How long one of the same lane takes at the most, in milliseconds.
const SAME_LANE_MOST_MS: f64 = 1_000.0;

/// Measures beside a flood of so many bundles; the last line is `quiet <ms> lane <ms> same-lane <ms>`: how long 99 in a hundred
/// bundles take at the most from the bench to the bench, as the event of their incident.
///
/// # Errors
/// It cannot be measured, or takes longer than it may.
pub(crate) async fn run(bundles: usize) -> anyhow::Result<()> {
    let load = Load { organizations: ORGANIZATIONS, policies: 1, is_own: false, is_mixed: false, bundles: 0 };
    let stage = Stage::set(&load).await?;
    let mut engine = Engine::spawn(&stage, "fairness")?;
    engine.ready().await?;
    let threads = u32::try_from(std::thread::available_parallelism()?.get())?.min(LANES);
    let lane = |org: &usize| lane_of(&load.organization(*org), LANES);
    let flooded = lane(&0);
    let of_thread = |org: &usize| lane(org) != flooded && lane(org) % threads == flooded % threads;
    let beside = (1..ORGANIZATIONS).find(of_thread).or_else(|| (1..ORGANIZATIONS).find(|org| lane(org) != flooded));
    let within = (1..ORGANIZATIONS).find(|org| lane(org) == flooded).context("no two organizations share a lane")?;
    let mut beside = Probe::new(&stage.client, &load, beside.context("all organizations share a lane")?).await?;
    let mut within = Probe::new(&stage.client, &load, within).await?;

    let count = (bundles / 100).clamp(QUIET.1, QUIET.0);
    let quiet = Spread::of("quiet", beside.measure_alone(count).await?)?;
    let flood = tokio::spawn(flood(stage.url.clone(), load.clone(), bundles));
    measure(flood, &mut beside, &mut within).await?;
    let lane = Spread::of("lane", std::mem::take(&mut beside.waits))?;
    let same_lane = Spread::of("same-lane", std::mem::take(&mut within.waits))?;
    engine.stop().await?;
    stage.strike().await;
    println!("quiet {:.1} lane {:.1} same-lane {:.1}", quiet.most_ms, lane.most_ms, same_lane.most_ms);
    let ratio = lane.most_ms / quiet.most_ms;
    ensure!(
        ratio <= LANE_MOST,
        "in another lane it takes {ratio:.1} times as long as in the quiet, and may {LANE_MOST}"
    );
    ensure!(same_lane.most_ms <= SAME_LANE_MOST_MS, "in the same lane it may take {SAME_LANE_MOST_MS} ms");
    Ok(())
}

/// How long 99 in a hundred bundles took at the most.
struct Spread {
    most_ms: f64,
}

impl Spread {
    fn of(name: &str, mut waits: Vec<Duration>) -> anyhow::Result<Self> {
        waits.sort_unstable();
        let at = |percent| waits.get(waits.len() * percent / 100).context("no bundle was measured");
        let ms = |wait: &Duration| wait.as_secs_f64() * 1e3;
        let (median, most, last) = (at(50)?, at(99)?, waits.last().context("no bundle was measured")?);
        let [median, most_ms, last] = [median, most, last].map(ms);
        eprintln!("{name}: p50 {median:.1} ms p99 {most_ms:.1} ms max {last:.1} ms of {} bundles", waits.len());
        Ok(Self { most_ms })
    }
}

/// Sends so many bundles of the first organization, as fast as IN takes them.
async fn flood(url: String, load: Load, bundles: usize) -> anyhow::Result<()> {
    let context = jetstream::new(log::connect(&url, "bench-flood").await?);
    let (subject, begun) = (format!("in.{}.jmb.bench", load.organization(0)), Instant::now());
    let mut waiting = VecDeque::with_capacity(FLIGHT);
    for number in 0..bundles {
        let (_, bundle) = load.bundle(number * load.organizations);
        waiting.push_back(context.publish(subject.clone(), bundle.into()).await?);
        if waiting.len() == FLIGHT
            && let Some(first) = waiting.pop_front()
        {
            first.await?;
        }
    }
    for acknowledged in waiting {
        acknowledged.await?;
    }
    let took = begun.elapsed().as_secs_f64();
    eprintln!("flood: {bundles} bundles in {took:.1} s, {:.0} a second", bundles as f64 / took);
    Ok(())
}

/// Lets both send until what the flood has brought is decided, and hears what becomes of it.
async fn measure(
    flood: tokio::task::JoinHandle<anyhow::Result<()>>,
    beside: &mut Probe,
    within: &mut Probe,
) -> anyhow::Result<()> {
    tokio::pin!(flood);
    let mut apart = interval(APART);
    apart.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // How many were sent in the flooded lane before the flood ended: once one more is heard of, it is decided.
    let mut end = None;
    loop {
        let goes_on = end.is_none_or(|end| within.waits.len() <= end);
        if !goes_on && beside.sent.is_empty() && within.sent.is_empty() {
            return Ok(());
        }
        tokio::select! {
            biased;
            heard = beside.heard.next() => beside.take(heard)?,
            heard = within.heard.next() => within.take(heard)?,
            ended = &mut flood, if end.is_none() => {
                ended??;
                end = Some(within.published);
            }
            _ = apart.tick(), if goes_on => {
                beside.send().await?;
                within.send().await?;
            }
            () = tokio::time::sleep(PATIENCE) => anyhow::bail!("nothing comes of what is sent"),
        }
        let oldest = [&beside.sent, &within.sent].into_iter().filter_map(VecDeque::front).map(Instant::elapsed).max();
        ensure!(oldest.is_none_or(|wait| wait < PATIENCE), "a bundle becomes no incident");
    }
}

/// An organization that sends now and then.
struct Probe {
    client: Client,
    load: Load,
    org: usize,
    /// What becomes of its bundles.
    heard: Subscriber,
    published: usize,
    /// When those were sent of which nothing was heard yet; they are heard of in their order.
    sent: VecDeque<Instant>,
    waits: Vec<Duration>,
}

impl Probe {
    async fn new(client: &Client, load: &Load, org: usize) -> anyhow::Result<Self> {
        let heard = client.subscribe(format!("out.{}.trigger.incident.detected", load.organization(org))).await?;
        client.flush().await?;
        let (client, load, sent, waits) = (client.clone(), load.clone(), VecDeque::new(), Vec::new());
        Ok(Self { client, load, org, heard, published: 0, sent, waits })
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        let (org, bundle) = self.load.bundle(self.published * self.load.organizations + self.org);
        self.published += 1;
        self.sent.push_back(Instant::now());
        self.client.publish(format!("in.{org}.jmb.bench"), bundle.into()).await?;
        Ok(())
    }

    fn take(&mut self, heard: Option<Message>) -> anyhow::Result<()> {
        let events = event::read(&heard.context("the server is gone")?.payload)?;
        for _ in events {
            let since = self.sent.pop_front().context("more is heard of than was sent")?;
            self.waits.push(since.elapsed());
        }
        Ok(())
    }

    /// How long so many took, with nobody else there.
    async fn measure_alone(&mut self, count: usize) -> anyhow::Result<Vec<Duration>> {
        let mut apart = interval(APART);
        apart.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.waits.len() < count {
            tokio::select! {
                biased;
                heard = self.heard.next() => self.take(heard)?,
                _ = apart.tick(), if self.published < count => self.send().await?,
                () = tokio::time::sleep(PATIENCE) => anyhow::bail!("nothing comes of what is sent"),
            }
        }
        Ok(std::mem::take(&mut self.waits))
    }
}
