//! Bundles that are published until the log has them, through every crash.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use anyhow::{Context, ensure};
use async_nats::{Client, jetstream};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use linesman_schemas::event::Received;

use crate::{Engine, Out, event, until};

/// How many wait for their acknowledgement at a time.
const FLIGHT: usize = 8;
/// How long one may wait for it; then it is published again, and may be in the log twice.
const ACK_TIMEOUT: Duration = Duration::from_secs(2);

/// A bundle with a number of its own.
#[derive(Debug, Clone)]
struct Bundle {
    org: &'static str,
    number: u64,
    priority: &'static str,
}

impl Bundle {
    fn host(&self) -> String {
        format!("{}-rtr", self.org)
    }

    fn host_event_id(&self) -> String {
        format!("{host}-SN{host}-20261121-101502-{}", self.number, host = self.host())
    }
}

/// Bundles of several organizations, every second of high priority.
#[derive(Debug, Default, Clone)]
pub struct Load {
    waiting: VecDeque<Bundle>,
    acknowledged: Vec<Bundle>,
    last: u64,
}

impl Load {
    /// Bundles numbered from behind `last` on.
    pub fn behind(last: u64) -> Self {
        Self { last, ..Self::default() }
    }

    /// Takes another's bundles as its own.
    pub fn join(&mut self, other: Self) {
        self.waiting.extend(other.waiting);
        self.acknowledged.extend(other.acknowledged);
        self.last = self.last.max(other.last);
    }

    /// Makes more bundles of an organization.
    pub fn add(&mut self, org: &'static str, count: usize) {
        for _ in 0..count {
            self.last += 1;
            let priority = if self.last.is_multiple_of(2) { "2 - High" } else { "4 - Low" };
            self.waiting.push_back(Bundle { org, number: self.last, priority });
        }
    }

    /// Whether the log has them all.
    pub fn is_done(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Publishes until so many more are acknowledged, or each has had its try; what is not
    /// acknowledged by then waits for the next time.
    pub async fn publish(&mut self, client: &Client, acknowledgements: usize) {
        let mut context = jetstream::new(client.clone());
        context.set_timeout(ACK_TIMEOUT);
        let mut fresh = std::mem::take(&mut self.waiting);
        let mut under_way = FuturesUnordered::new();
        let (mut done, mut failed) = (0, VecDeque::new());
        while done < acknowledgements {
            while under_way.len() < FLIGHT
                && let Some(bundle) = fresh.pop_front()
            {
                let context = context.clone();
                self.waiting.push_back(bundle.clone());
                under_way.push(async move {
                    let text = event(&bundle.host(), bundle.number, "LOAD", bundle.priority);
                    let sent = match context.publish(format!("in.{}.jmb.load", bundle.org), text.into()).await {
                        Ok(acknowledgement) => acknowledgement.await.is_ok(),
                        Err(_) => false,
                    };
                    (bundle, sent)
                });
            }
            let Some((bundle, sent)) = under_way.next().await else { break };
            self.waiting.retain(|waiting| waiting.number != bundle.number);
            if sent {
                done += 1;
                self.acknowledged.push(bundle);
            } else {
                failed.push_back(bundle);
            }
        }
        // Those under way are as good as lost: they may be in the log or not.
        self.waiting.append(&mut failed);
        self.waiting.append(&mut fresh);
    }

    /// Publishes all of them.
    pub async fn publish_all(&mut self, client: &Client) {
        while !self.is_done() {
            self.publish(client, usize::MAX).await;
        }
    }

    /// Waits until the API shows an incident for each.
    ///
    /// # Errors
    /// The API does not answer.
    pub async fn wait_for_incidents(&self, engine: &Engine) -> anyhow::Result<()> {
        for (org, count) in self.incidents() {
            until("every bundle is an incident", async || match engine.incidents(org).await {
                Ok(found) => (found >= count).then_some(Ok(())),
                Err(error) => Some(Err(error)),
            })
            .await?;
        }
        Ok(())
    }

    /// How many incidents each organization must have.
    pub fn incidents(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for bundle in &self.acknowledged {
            *counts.entry(bundle.org).or_default() += 1;
        }
        counts
    }

    /// How many cases [`crate::OPEN_CASE`] makes of them.
    pub fn cases(&self) -> u64 {
        self.acknowledged.iter().filter(|bundle| bundle.priority == "2 - High").count() as u64
    }

    /// That OUT has one incident for each bundle, and every event once, numbered without gap.
    ///
    /// # Errors
    /// It has not.
    pub fn check(&self, out: &Out) -> anyhow::Result<()> {
        for (org, count) in self.incidents() {
            out.events_are_contiguous(org)?;
            let ids: BTreeSet<String> = (1..=count).map(|number| format!("{org}-{number}")).collect();
            let subject = format!("out.{org}.trigger.incident.detected");
            let found: BTreeSet<String> = out.on(&subject).filter_map(|event| text(event, "id")).collect();
            ensure!(found == ids, "{org}: incidents {found:?}");
        }
        self.check_incidents(out)
    }

    /// That OUT has one incident for each bundle.
    ///
    /// # Errors
    /// It has not.
    pub fn check_incidents(&self, out: &Out) -> anyhow::Result<()> {
        for (org, count) in self.incidents() {
            let subject = format!("out.{org}.trigger.incident.detected");
            let detected: Vec<_> = out.on(&subject).collect();
            ensure!(detected.len() as u64 == count, "{org}: {} incidents of {count} bundles", detected.len());
            let found: BTreeSet<String> = detected.iter().filter_map(|event| text(event, "host_event_id")).collect();
            let bundles = self.acknowledged.iter().filter(|bundle| bundle.org == org);
            let wanted: BTreeSet<String> = bundles.map(Bundle::host_event_id).collect();
            ensure!(found == wanted, "{org}: not the incidents of its bundles");
        }
        Ok(())
    }
}

fn text(event: &Received, field: &str) -> Option<String> {
    Some(event.data.get(field)?.as_str()?.to_owned())
}

impl Out {
    /// That an organization's events are numbered from 1 on, without gap or double, in order.
    ///
    /// # Errors
    /// They are not.
    pub fn events_are_contiguous(&self, org: &str) -> anyhow::Result<u64> {
        let prefix = format!("out.{org}.");
        let mut numbers: Vec<u64> = Vec::new();
        for event in self.0.iter().filter(|event| event.subject.starts_with(&prefix)) {
            let id = event.event.id.as_str();
            let number = id.strip_prefix(org).and_then(|rest| rest.split('-').nth(1)).and_then(|n| n.parse().ok());
            numbers.push(number.with_context(|| format!("the id `{id}`"))?);
        }
        numbers.sort_unstable();
        let count = numbers.len() as u64;
        ensure!(numbers == (1..=count).collect::<Vec<u64>>(), "{org}: the events are {numbers:?}");
        Ok(count)
    }
}
