//! How long bundles of others take to their incidents while one organization floods IN.
//!
//! A whole engine. In the quiet one organization sends now and then; then another one sends at full rate, and meanwhile that
//! one, in another lane of the flooded lane's thread where there is one, and one in the flooded lane send at the same pace.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use async_nats::jetstream;
use async_nats::{Client, Message, Subscriber};
use futures_util::StreamExt;
use jiff::Timestamp;
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
/// How many messages a day the one that floods may send where it has a quota.
const QUOTA: usize = 10_000;
/// How long nothing may come of what is waited for.
const PATIENCE: Duration = Duration::from_secs(300);
/// How many times as long as in the quiet a bundle of another lane takes at the most.
const LANE_MOST: f64 = 3.0;
/// How long one of the same lane takes at the most, in milliseconds.
const SAME_LANE_MOST_MS: f64 = 1_000.0;

/// Measures beside a flood of so many bundles, of an organization with a quota and of one without; the last line is `quiet <ms>
/// lane <ms> same-lane <ms>` without one: how long 99 in a hundred bundles take at the most from the bench to the bench, as the
/// event of their incident.
///
/// # Errors
/// It cannot be measured, or takes longer than it may without a quota.
pub(crate) async fn run(bundles: usize) -> anyhow::Result<()> {
    println!("with a quota of {QUOTA}: {}", beside_a_flood(bundles, Some(QUOTA)).await?);
    let figures = beside_a_flood(bundles, None).await?;
    println!("{figures}");
    figures.check()
}

/// How long 99 in a hundred bundles take at the most, in milliseconds.
struct Figures {
    quiet: f64,
    lane: f64,
    same_lane: f64,
}

impl Figures {
    fn check(&self) -> anyhow::Result<()> {
        let ratio = self.lane / self.quiet;
        ensure!(
            ratio <= LANE_MOST,
            "in another lane it takes {ratio:.1} times as long as in the quiet, and may {LANE_MOST}"
        );
        ensure!(self.same_lane <= SAME_LANE_MOST_MS, "in the same lane it may take {SAME_LANE_MOST_MS} ms");
        Ok(())
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "quiet {:.1} lane {:.1} same-lane {:.1}", self.quiet, self.lane, self.same_lane)
    }
}

async fn beside_a_flood(bundles: usize, quota: Option<usize>) -> anyhow::Result<Figures> {
    let load = Load { organizations: ORGANIZATIONS, policies: 1, is_own: false, is_mixed: false, bundles: 0, quota };
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
    let quiet = spread("quiet", &beside.measure_alone(count).await?)?;
    let flood = tokio::spawn(flood(stage.url.clone(), load.clone(), bundles));
    measure(flood, &mut beside, &mut within).await?;
    let (lane, same_lane) = (spread("lane", &beside.waits)?, spread("same-lane", &within.waits)?);
    engine.stop().await?;
    stage.strike().await;
    Ok(Figures { quiet, lane, same_lane })
}

/// How long a bundle took from the bench to the bench, and where.
struct Wait {
    whole: Duration,
    /// Until it stood in IN.
    into: Duration,
    /// From there until the event of its incident stood in OUT.
    decided: Duration,
}

/// How long 99 in a hundred bundles took at the most, in milliseconds; medians, maxima and where they took it are told.
fn spread(name: &str, waits: &[Wait]) -> anyhow::Result<f64> {
    let ms = |part: fn(&Wait) -> Duration| -> anyhow::Result<[f64; 3]> {
        let mut waits: Vec<_> = waits.iter().map(part).collect();
        waits.sort_unstable();
        let at = |percent: usize| waits.get((waits.len() * percent / 100).min(waits.len().saturating_sub(1)));
        let [median, most, last] = [50, 99, 100].map(|percent| at(percent).context("no bundle was measured"));
        Ok([median?, most?, last?].map(|wait| wait.as_secs_f64() * 1e3))
    };
    let ([median, most, last], [_, into, _], [_, decided, _]) =
        (ms(|wait| wait.whole)?, ms(|wait| wait.into)?, ms(|wait| wait.decided)?);
    eprintln!(
        "{name}: p50 {median:.1} ms p99 {most:.1} ms max {last:.1} ms of {} bundles; p99 into IN {into:.1} ms, from there to \
         OUT {decided:.1} ms",
        waits.len()
    );
    Ok(most)
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
        let oldest = [&beside.sent, &within.sent]
            .into_iter()
            .filter_map(VecDeque::front)
            .map(|(since, _)| since.elapsed())
            .max();
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
    sent: VecDeque<(Instant, Timestamp)>,
    waits: Vec<Wait>,
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
        self.sent.push_back((Instant::now(), Timestamp::now()));
        self.client.publish(format!("in.{org}.jmb.bench"), bundle.into()).await?;
        Ok(())
    }

    fn take(&mut self, heard: Option<Message>) -> anyhow::Result<()> {
        let heard = heard.context("the server is gone")?;
        let stamp = heard.headers.as_ref().and_then(|headers| headers.get("Nats-Time-Stamp"));
        let stored: Timestamp = stamp.context("the server does not say when it stored an event")?.as_str().parse()?;
        let between = |from: Timestamp, to: Timestamp| Duration::try_from(to.duration_since(from)).unwrap_or_default();
        for event in event::read(&heard.payload)? {
            let (since, sent) = self.sent.pop_front().context("more is heard of than was sent")?;
            let (into, decided) = (between(sent, event.time), between(event.time, stored));
            self.waits.push(Wait { whole: since.elapsed(), into, decided });
        }
        Ok(())
    }

    /// How long so many took, with nobody else there.
    async fn measure_alone(&mut self, count: usize) -> anyhow::Result<Vec<Wait>> {
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
