//! The demo's end customer: a controller of its own, in a process of its own, below the demo's partner.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use async_nats::jetstream::{self, Context as JetStream};
use linesman_schemas::bundle::corpus::later;
use reqwest::Method;
use serde_json::{Value, json};

use super::super::line;
use super::configuration::{self, CUSTOMER};
use super::corpus::host_event_id;
use super::people::Engine;
use super::process::{Launch, Process};
use crate::log::connect_with;

/// How long its engine has to hear of its cases.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How many bundles its devices send, of which some are problems that a policy opens a case for.
pub(super) const BUNDLES: usize = 5;

/// Starts its engine in a directory, below the partner that listens at a URL.
///
/// # Errors
/// It cannot be started.
pub(super) fn start(dir: &Path, partner: &str, ca: &Path) -> anyhow::Result<Process> {
    std::fs::create_dir_all(dir).with_context(|| format!("`{}` cannot be made", dir.display()))?;
    let config = configuration::write_customer(dir, partner, ca)?;
    Process::start(&Launch { whose: "end customer", dir: dir.to_owned(), config, log_level: None, places: None })
}

/// A running end customer's engine.
pub(super) struct Customer {
    jetstream: JetStream,
    engine: Engine,
    url: String,
}

impl Customer {
    /// That of a process, once it is ready.
    ///
    /// # Errors
    /// It has ended, or is not ready in time, or cannot be reached.
    pub(super) async fn of(process: &mut Process, dir: &Path) -> anyhow::Result<Self> {
        let ready = process.ready().await?;
        let engine = Engine::new(ready.address()?, &dir.join("data"))?;
        let client = connect_with(async_nats::ConnectOptions::new().name("linesman-demo"), &ready.nats).await?;
        Ok(Self { jetstream: jetstream::new(client), engine, url: ready.api })
    }

    /// Where its API is.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// One of its devices says something, by an id. `tells`: in words, too.
    ///
    /// # Errors
    /// Its log does not take it.
    pub(super) async fn hears(&self, number: usize, tells: bool) -> anyhow::Result<String> {
        let bytes = later(number).bytes;
        let id = host_event_id(&bytes);
        if tells {
            outln!("{}", line::published(&format!("{CUSTOMER}'s own"), "bundle", &id));
        }
        self.jetstream.publish("in.own.jmb.demo", bytes.into()).await?.await?;
        Ok(id)
    }

    /// Its devices report problems, and it follows its cases until all have an id. `tells`: in words, too.
    ///
    /// # Errors
    /// Its engine does not answer, or does not hear in time.
    pub(super) async fn play(&self, tells: bool) -> anyhow::Result<()> {
        for number in 0..BUNDLES {
            self.hears(number, tells).await?;
        }
        let cases = tokio::time::timeout(PATIENCE, self.assigned()).await;
        let cases = cases.context("the end customer's cases have no ids in time")??;
        for case in cases.iter().filter(|_| tells) {
            let text = |field: &str| case.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
            outln!(
                "\nThe end customer's case {} has gone through its partner to the support system and back:\n  {} {}, {}\n",
                text("incident"),
                text("case_id"),
                text("case_status"),
                text("case_link"),
            );
        }
        Ok(())
    }

    /// Its cases, once all its bundles are incidents and all its cases have an id.
    async fn assigned(&self) -> anyhow::Result<Vec<Value>> {
        let mut every = tokio::time::interval(LOOK_EVERY);
        loop {
            every.tick().await;
            let (incidents, cases) = (self.items("/incidents").await?, self.items("/cases").await?);
            let has_id = |case: &Value| case.get("case_id").is_some_and(Value::is_string);
            if incidents.len() == BUNDLES && !cases.is_empty() && cases.iter().all(has_id) {
                return Ok(cases);
            }
        }
    }

    async fn items(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let (status, answer) = self.engine.ask(self.engine.admin(), Method::GET, path, &json!({})).await?;
        ensure!(status.is_success(), "the end customer's engine does not tell of `{path}`: {answer}");
        Ok(answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default())
    }
}
