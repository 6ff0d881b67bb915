//! How the commands reach the NATS server: a URL, or the data directory of a running engine.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use async_nats::Client;
use serde::Deserialize;

use crate::data_dir::DataDir;
use crate::embedded;
use crate::log::{self, INBOX_PREFIX, Servers, connect_with};

/// Where the NATS server is.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Server {
    /// The NATS server's URL
    #[arg(long, value_name = "URL", env = "LINESMAN_NATS_URL")]
    nats: Option<String>,
    /// The data directory of a running engine, whose NATS server is used
    #[arg(long, value_name = "D", env = "LINESMAN_DATA_DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    access: Access,
}

/// By what the server is entered beside its address, as in `[nats]` of the configuration.
#[derive(Debug, Clone, clap::Args)]
struct Access {
    /// The file of credentials (`.creds`)
    #[arg(long, value_name = "FILE", env = "LINESMAN_NATS_CREDENTIALS")]
    nats_credentials: Option<PathBuf>,
    /// The file of the seed of an nkey
    #[arg(long, value_name = "FILE", env = "LINESMAN_NATS_NKEY")]
    nats_nkey: Option<PathBuf>,
    /// The authorities of the server's certificate, in PEM; without one the system's count
    #[arg(long, value_name = "FILE", env = "LINESMAN_NATS_CA")]
    nats_ca: Option<PathBuf>,
    /// The certificate that the server is shown, in PEM
    #[arg(long, value_name = "FILE", env = "LINESMAN_NATS_CERTIFICATE", requires = "nats_key")]
    nats_certificate: Option<PathBuf>,
    /// The key of that certificate
    #[arg(long, value_name = "FILE", env = "LINESMAN_NATS_KEY", requires = "nats_certificate")]
    nats_key: Option<PathBuf>,
    /// Begin TLS before the server has said anything
    #[arg(long, env = "LINESMAN_NATS_TLS_FIRST")]
    nats_tls_first: bool,
}

impl Access {
    /// Those servers, entered so.
    fn to(&self, url: &str) -> Servers {
        let access = log::Access {
            credentials: self.nats_credentials.clone(),
            nkey: self.nats_nkey.clone(),
            ca: self.nats_ca.clone(),
            own: self.nats_certificate.clone().zip(self.nats_key.clone()),
            is_tls_first: self.nats_tls_first,
        };
        Servers::new(url, access)
    }
}

#[derive(Deserialize)]
struct Ready {
    nats: String,
}

impl Server {
    /// Connects.
    pub(super) async fn connect(&self, name: &str) -> anyhow::Result<Client> {
        self.connect_with(async_nats::ConnectOptions::new().name(name)).await
    }

    /// Connects with more options; what a data directory says is read anew each time.
    pub(super) async fn connect_with(&self, options: async_nats::ConnectOptions) -> anyhow::Result<Client> {
        Ok(connect_with(options, self.access.to(&self.url()?)).await?)
    }

    /// Connects with the login that reads and writes everything: the one in `--nats`, or that of the data
    /// directory's engine.
    pub(super) async fn connect_as_engine(&self, name: &str) -> anyhow::Result<Client> {
        let servers = match (&self.nats, &self.data_dir) {
            (None, Some(dir)) => {
                let public = ready(dir)?;
                match embedded::engine_url(dir, &public)? {
                    Some(own) => Servers::from(&own),
                    None => self.access.to(&public),
                }
            }
            _ => self.access.to(&self.url()?),
        };
        let options = async_nats::ConnectOptions::new().name(name).custom_inbox_prefix(INBOX_PREFIX);
        Ok(connect_with(options, servers).await?)
    }

    /// The data directory that is given.
    pub(super) fn data_dir(&self) -> Option<&Path> {
        self.data_dir.as_deref()
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
