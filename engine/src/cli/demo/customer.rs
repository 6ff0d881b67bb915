//! The demo's end customer: a controller of its own, in a process of its own, below the demo's partner.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use async_nats::jetstream::{self, Context as JetStream};
use linesman_schemas::bundle::corpus::later;
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::super::line;
use super::configuration::{self, CUSTOMER};
use super::corpus::host_event_id;
use super::people::Engine;
use crate::data_dir::DataDir;
use crate::log::connect_with;

/// How long its engine has to start, to end, and to hear of its cases.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How many bundles its devices send, of which some are problems that a policy opens a case for.
pub(super) const BUNDLES: usize = 5;

/// What its engine tells once it is ready.
#[derive(Deserialize)]
struct Ready {
    api: String,
    nats: String,
}

/// The process of an end customer's engine. Whoever drops it without [`Self::stop`] kills it.
pub(super) struct Process {
    child: Child,
    dir: PathBuf,
}

impl Process {
    /// Starts it in a directory, below the partner that listens at a URL.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn start(dir: &Path, partner: &str, ca: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir).with_context(|| format!("`{}` cannot be made", dir.display()))?;
        let config = configuration::write_customer(dir, partner, ca)?;
        let program = std::env::current_exe().context("the running program cannot be found")?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--data-dir").arg(dir.join("data")).arg("--rules").arg(dir.join("rules"));
        command.arg("--config").arg(config);
        // What is set for the partner is not the end customer's.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LINESMAN_")) {
            command.env_remove(name);
        }
        let log = std::fs::File::create(dir.join("log")).context("the end customer's log cannot be written")?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        // What a terminal sends at Ctrl-C is the demo's, which ends this one in its turn.
        command.process_group(0);
        let child = command.spawn().context("the end customer's engine cannot be started")?;
        Ok(Self { child, dir: dir.to_owned() })
    }

    /// The engine, once it is ready.
    ///
    /// # Errors
    /// It has ended, or is not ready in time, or cannot be reached.
    pub(super) async fn ready(&mut self) -> anyhow::Result<Customer> {
        let ready = tokio::time::timeout(PATIENCE, self.told()).await;
        let ready = ready.context("the end customer's engine is not ready in time")??;
        let address = ready.api.trim_start_matches("https://");
        let address: SocketAddr = address.parse().context("the end customer's engine tells no address")?;
        let engine = Engine::new(address, &self.dir.join("data"))?;
        let client = connect_with(async_nats::ConnectOptions::new().name("linesman-demo"), &ready.nats).await?;
        Ok(Customer { jetstream: jetstream::new(client), engine, url: ready.api })
    }

    async fn told(&mut self) -> anyhow::Result<Ready> {
        let path = DataDir::ready_path(&self.dir.join("data"));
        let mut every = tokio::time::interval(LOOK_EVERY);
        loop {
            every.tick().await;
            if let Some(status) = self.child.try_wait().context("the end customer's engine cannot be watched")? {
                let said = std::fs::read_to_string(self.dir.join("log")).unwrap_or_default();
                bail!("the end customer's engine has ended ({status}): {}", said.trim());
            }
            match std::fs::read(&path) {
                Ok(bytes) => return serde_json::from_slice(&bytes).context("the end customer's engine tells no place"),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error).with_context(|| format!("`{}` cannot be read", path.display())),
            }
        }
    }

    /// Ends it as an operator would.
    ///
    /// # Errors
    /// It does not end in time.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            kill_process(pid, Signal::TERM).context("the end customer's engine cannot be ended")?;
        }
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended
            .context("the end customer's engine does not end")?
            .context("the end customer's engine cannot be watched")?;
        Ok(())
    }
}

/// A running end customer's engine.
pub(super) struct Customer {
    jetstream: JetStream,
    engine: Engine,
    url: String,
}

impl Customer {
    /// Where its API is.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// One of its devices says something. `tells`: in words, too.
    ///
    /// # Errors
    /// Its log does not take it.
    pub(super) async fn hears(&self, number: usize, tells: bool) -> anyhow::Result<()> {
        let bytes = later(number).bytes;
        if tells {
            outln!("{}", line::published(&format!("{CUSTOMER}'s own"), "bundle", &host_event_id(&bytes)));
        }
        self.jetstream.publish("in.own.jmb.demo", bytes.into()).await?.await?;
        Ok(())
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
