//! The partner's engine, in a process that is killed once and comes back.

use std::time::Duration;

use anyhow::Context;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use super::super::process::{Launch, Process, Ready};
use super::{News, Telling};

/// How long it stays away: long enough to be seen, and for bundles to come meanwhile.
const AWAY: Duration = Duration::from_millis(1_500);

/// The engine, whose process is another after the kill.
pub(super) struct Partner {
    launch: Launch,
    process: Option<Process>,
}

impl Partner {
    /// Starts it.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn start(launch: Launch) -> anyhow::Result<Self> {
        let process = Some(Process::start(&launch)?);
        Ok(Self { launch, process })
    }

    /// What it tells once it is ready, to which it comes back from then on.
    ///
    /// # Errors
    /// It has ended, or is not ready in time.
    pub(super) async fn ready(&mut self) -> anyhow::Result<Ready> {
        let process = self.process.as_mut().context("the partner's engine was stopped")?;
        let ready = process.ready().await?;
        self.launch.places = Some(ready.clone());
        Ok(ready)
    }

    /// Kills it whenever that is asked for, starts it again, and tells of both; ready only with a failure.
    ///
    /// # Errors
    /// It ends by itself, or does not come back.
    pub(super) async fn watch(
        &mut self,
        kills: &mut mpsc::UnboundedReceiver<()>,
        (is_back, telling): (&watch::Sender<bool>, &Telling),
    ) -> anyhow::Result<()> {
        loop {
            let process = self.process.as_mut().context("the partner's engine was stopped")?;
            tokio::select! {
                error = process.ended() => return Err(error),
                asked = kills.recv() => asked.context("the demo is over")?,
            }
            let killed = Instant::now();
            if let Some(process) = self.process.take() {
                process.kill().await?;
            }
            telling.tell(News::Killed);
            sleep(AWAY).await;
            self.process = Some(Process::start(&self.launch)?);
            self.ready().await?;
            telling.tell(News::Back { away: killed.elapsed() });
            is_back.send_replace(true);
        }
    }

    /// Ends it as an operator would.
    ///
    /// # Errors
    /// It does not end in time.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        if self.process.is_none() && self.launch.places.is_some() {
            // Killed, and not back yet: its NATS server runs on, and ends with the engine that finds it.
            let mut process = Process::start(&self.launch)?;
            process.ready().await?;
            self.process = Some(process);
        }
        match self.process {
            Some(process) => process.stop().await,
            None => Ok(()),
        }
    }
}
