//! Messages on subjects that lead to no lane, and what must have become of all that IN has acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, ensure};
use async_nats::Client;
use linesman_schemas::dead_letter::DeadLetter;
use serde_json::Value;

use crate::{Engine, Out, until};

/// Where they are published: as it stands, with the wildcard in it.
const SUBJECTS: [&str; 3] = ["in.acme.jmb.*", "in.*.jmb.x", "in.acme.jmb.>"];
/// Where whoever has the engine's login may publish, and no lane reads.
const OF_ENGINE: [&str; 3] = ["p.47.ctl", "p.x.ctl", "p.01.ctl"];
/// How long one may wait for its acknowledgement.
const PATIENCE: Duration = Duration::from_secs(2);
const LETTERS: &str = "out._unknown.dead.unknown-subject";

/// Messages that lead to no lane.
#[derive(Debug, Default)]
pub struct Strays {
    /// What IN has acknowledged: sequence and subject.
    acknowledged: BTreeMap<u64, &'static str>,
}

impl Strays {
    /// Publishes one on each such subject; what is not acknowledged in time may be in IN or not.
    pub async fn publish(&mut self, client: &Client) {
        self.publish_on(SUBJECTS, client).await;
    }

    /// The same on each subject of a lane that there is not, with the engine's login.
    pub async fn publish_as_engine(&mut self, client: &Client) {
        self.publish_on(OF_ENGINE, client).await;
    }

    async fn publish_on(&mut self, subjects: [&'static str; 3], client: &Client) {
        for subject in subjects {
            let asked = tokio::time::timeout(PATIENCE, client.request(subject, "stray".into())).await;
            let Ok(Ok(answer)) = asked else { continue };
            let answer: Value = serde_json::from_slice(&answer.payload).unwrap_or_default();
            if let Some(sequence) = answer.get("seq").and_then(Value::as_u64) {
                self.acknowledged.insert(sequence, subject);
            }
        }
    }

    /// How many were acknowledged.
    pub fn count(&self) -> usize {
        self.acknowledged.len()
    }

    /// Waits until each is set aside, and looks whether each was once.
    ///
    /// # Errors
    /// One was not, or twice, or is another one.
    pub async fn check(&self, client: &Client) -> anyhow::Result<()> {
        let letters = until("what leads to no lane is set aside", async || match letters(client).await {
            Ok(letters) => {
                let found: BTreeSet<u64> = letters.iter().map(|letter| letter.sequence).collect();
                self.acknowledged.keys().all(|sequence| found.contains(sequence)).then_some(Ok(letters))
            }
            Err(error) => Some(Err(error)),
        })
        .await?;
        let mut seen = BTreeSet::new();
        for letter in letters {
            ensure!(seen.insert(letter.sequence), "set aside twice: {}", letter.sequence);
            if let Some(subject) = self.acknowledged.get(&letter.sequence) {
                ensure!(letter.subject == *subject && letter.length == 5, "another one: {letter:?}");
            }
        }
        Ok(())
    }
}

/// Waits until all that IN has acknowledged since the engine started is decided or set aside, by its own account.
///
/// # Errors
/// It does not answer.
pub async fn wait_accounted(engine: &Engine) -> anyhow::Result<()> {
    until("all that IN has acknowledged is accounted for", async || {
        let left = match engine.get_text("/metrics").await {
            Ok(text) => gauge(&text, "linesman_in_unaccounted_messages"),
            Err(error) => Err(error),
        };
        match left {
            Ok(left) => (left == 0.0).then_some(Ok(())),
            Err(error) => Some(Err(error)),
        }
    })
    .await
}

/// A gauge without labels.
///
/// # Errors
/// It is not there.
pub fn gauge(text: &str, name: &str) -> anyhow::Result<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(line.with_context(|| format!("no `{name}`"))?.trim().parse()?)
}

async fn letters(client: &Client) -> anyhow::Result<Vec<DeadLetter>> {
    let out = Out::read(client).await?;
    out.on(LETTERS).map(|event| Ok(serde_json::from_value(event.data.clone())?)).collect()
}
