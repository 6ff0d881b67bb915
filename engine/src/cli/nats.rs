//! How the commands reach the NATS server: a URL, or the data directory of a running engine.

use std::path::PathBuf;

use anyhow::{Context, bail};
use async_nats::Client;
use serde::Deserialize;

use crate::data_dir::DataDir;
use crate::log::connect_with;

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

    fn url(&self) -> anyhow::Result<String> {
        if let Some(url) = &self.nats {
            return Ok(url.clone());
        }
        let Some(dir) = &self.data_dir else {
            bail!("where is the NATS server? give `--data-dir` of a running engine, or `--nats`");
        };
        let path = DataDir::ready_path(dir);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("no engine is ready there: `{}` cannot be read", path.display()))?;
        let ready: Ready = serde_json::from_str(&text).with_context(|| format!("`{}`", path.display()))?;
        Ok(ready.nats)
    }
}
