//! How the commands reach the NATS server: a URL, or the data directory of a running engine.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use async_nats::Client;
use serde::Deserialize;

use crate::data_dir::DataDir;
use crate::embedded;
use crate::log::{INBOX_PREFIX, connect_with};

/// Where the NATS server is.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Server {
    /// The NATS server's URL
    #[arg(long, value_name = "URL", env = "LINESMAN_NATS_URL")]
    nats: Option<String>,
    /// The data directory of a running engine, whose NATS server is used
    #[arg(long, value_name = "D", env = "LINESMAN_DATA_DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Ready {
    nats: String,
}

impl Server {
    /// Connects.
    pub(super) async fn connect(&self, name: &str) -> anyhow::Result<Client> {
        let url = self.url()?;
        let options = async_nats::ConnectOptions::new().name(name);
        Ok(connect_with(options, &url).await?)
    }

    /// Connects with the login that reads and writes everything: the one in `--nats`, or that of the data
    /// directory's engine.
    pub(super) async fn connect_as_engine(&self, name: &str) -> anyhow::Result<Client> {
        let url = match (&self.nats, &self.data_dir) {
            (None, Some(dir)) => {
                let public = ready(dir)?;
                embedded::engine_url(dir, &public)?.unwrap_or(public)
            }
            _ => self.url()?,
        };
        let options = async_nats::ConnectOptions::new().name(name).custom_inbox_prefix(INBOX_PREFIX);
        Ok(connect_with(options, &url).await?)
    }

    fn url(&self) -> anyhow::Result<String> {
        match (&self.nats, &self.data_dir) {
            (Some(url), _) => Ok(url.clone()),
            (None, Some(dir)) => ready(dir),
            (None, None) => bail!("where is the NATS server? give `--data-dir` of a running engine, or `--nats`"),
        }
    }
}

/// The URL that a running engine tells.
fn ready(dir: &Path) -> anyhow::Result<String> {
    let path = DataDir::ready_path(dir);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("no engine is ready there: `{}` cannot be read", path.display()))?;
    let ready: Ready = serde_json::from_str(&text).with_context(|| format!("`{}`", path.display()))?;
    Ok(ready.nats)
}
