//! A NATS server of its own with a load in its log.

use std::path::Path;

use anyhow::{Context, bail};
use async_nats::Client;
use async_nats::jetstream;
use linesman::embedded::{self, Server, Settings};
use linesman::log;
use linesman::log::streams::{self, Layout};
use tempfile::TempDir;

use crate::load::Load;
use crate::turns;

/// How many publishes wait for their acknowledgement.
const FLIGHT: usize = 1_000;
/// How many lanes, as the engine's default.
pub const LANES: u32 = 16;

/// How the streams are made.
pub fn layout() -> Layout {
    Layout { lanes: LANES, out_age_s: 30 * 86_400, replicas: 1, consumers: Default::default() }
}

/// The server, its log, and a directory for engines.
pub struct Stage {
    /// Where policies, configuration and data lie.
    pub dir: TempDir,
    /// A connection with the engine's login.
    pub client: Client,
    /// Its URL.
    pub url: String,
    server: Server,
}

impl Stage {
    /// Starts a server, lets an engine bring organizations and rule book into the log, and publishes
    /// the load behind them.
    ///
    /// # Errors
    /// Any of it fails.
    pub async fn set(load: &Load) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        load.write(dir.path())?;
        let server = embedded::start(Settings::new(dir.path().join("server"))).await?;
        let url = server.engine_url();
        let client = log::connect(&url, "bench").await?;
        let stage = Self { dir, client, url, server };
        stage.first_start().await.context("the first start of the engine")?;
        stage.preload(load).await.context("publishing the load")?;
        Ok(stage)
    }

    async fn first_start(&self) -> anyhow::Result<()> {
        let mut engine = turns::Engine::spawn(self, "first")?;
        engine.ready().await?;
        engine.stop().await?;
        Ok(())
    }

    async fn preload(&self, load: &Load) -> anyhow::Result<()> {
        let context = jetstream::new(self.client.clone());
        let mut waiting = Vec::with_capacity(FLIGHT);
        for number in 0..load.bundles {
            let (org, bundle) = load.bundle(number);
            waiting.push(context.publish(format!("in.{org}.jmb.bench"), bundle.into()).await?);
            if waiting.len() == FLIGHT || number + 1 == load.bundles {
                for ack in waiting.drain(..) {
                    ack.await?;
                }
            }
        }
        Ok(())
    }

    /// Forgets what was emitted: an empty OUT, so that every input is emitted anew.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn forget_out(&self) -> anyhow::Result<()> {
        let context = jetstream::new(self.client.clone());
        if context.delete_stream(streams::OUT).await.is_err() && context.get_stream(streams::OUT).await.is_ok() {
            bail!("OUT cannot be deleted");
        }
        streams::ensure(&self.client, &layout()).await?;
        Ok(())
    }

    /// The last sequence of every lane.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn ends(&self) -> anyhow::Result<Vec<u64>> {
        let mut ends = Vec::new();
        for lane in 0..LANES {
            ends.push(streams::last_of_lane(&self.client, lane).await?);
        }
        Ok(ends)
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Stops the server.
    pub async fn strike(self) {
        self.server.stop().await;
    }
}
