//! How the commands reach the NATS server: a URL, or the data directory of a running engine.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use async_nats::Client;
use serde::Deserialize;

use crate::data_dir::DataDir;
use crate::embedded;
use crate::log::{self, INBOX_PREFIX, Servers, connect_with};

/// The heading of the flags by which a command finds the NATS server, and the engine.
pub(super) const WHERE: &str = "Where the engine and its NATS server are";

/// Where the NATS server is.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Server {
    /// The NATS server's URL
    #[arg(long, value_name = "URL", env = "LINESMAN_NATS_URL", help_heading = WHERE)]
    nats: Option<String>,
    /// The data directory of a running engine, whose NATS server is used
    #[arg(long, value_name = "D", env = "LINESMAN_DATA_DIR", help_heading = WHERE)]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    access: Access,
}

/// By what the server is entered beside its address, as in `[nats]` of the configuration.
#[derive(Debug, Clone, Default, clap::Args)]
struct Access {
    /// The file of credentials (`.creds`)
    #[arg(long, value_name = "FILE", env = "LINESMAN_NATS_CREDENTIALS", help_heading = WHERE)]
    nats_credentials: Option<PathBuf>,
    /// The file of the seed of an nkey
    #[arg(long, value_name = "FILE", env = "LINESMAN_NATS_NKEY", help_heading = WHERE)]
    nats_nkey: Option<PathBuf>,
    /// The authorities of the server's certificate, in PEM; without one the system's count
    #[arg(long, value_name = "FILE", env = "LINESMAN_NATS_CA", help_heading = WHERE)]
    nats_ca: Option<PathBuf>,
    /// The certificate that the server is shown, in PEM
    #[arg(long, value_name = "FILE", env = "LINESMAN_NATS_CERTIFICATE", requires = "nats_key", help_heading = WHERE)]
    nats_certificate: Option<PathBuf>,
    /// The key of that certificate
    #[arg(long, value_name = "FILE", env = "LINESMAN_NATS_KEY", requires = "nats_certificate", help_heading = WHERE)]
    nats_key: Option<PathBuf>,
    /// The JetStream domain that has the log, where the server reaches it over a leaf node
    #[arg(long, value_name = "NAME", env = "LINESMAN_NATS_DOMAIN", help_heading = WHERE)]
    nats_domain: Option<String>,
    /// Begin TLS before the server has said anything
    #[arg(long, env = "LINESMAN_NATS_TLS_FIRST", help_heading = WHERE)]
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
            domain: self.nats_domain.clone(),
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
    /// That of the engine whose data directory this is.
    #[cfg(feature = "standin")]
    pub(super) fn of(data_dir: &Path) -> Self {
        Self { nats: None, data_dir: Some(data_dir.to_owned()), access: Access::default() }
    }

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
            (None, None) => bail!(
                "where is the NATS server? give `--data-dir` of a running engine (or set LINESMAN_DATA_DIR), or `--nats`"
            ),
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::Cli;
    use super::*;

    #[test]
    fn the_help_of_a_command_has_its_own_options_before_where_the_server_is() {
        let mut cli = Cli::command();
        cli.build();
        for (path, own) in [
            (&["publish"][..], "--wait"),
            (&["tail"], "--limit"),
            (&["record"], "--force"),
            (&["nats", "consumers", "list"], "--json"),
        ] {
            let command = path.iter().try_fold(&mut cli, |command, name| command.find_subcommand_mut(name)).unwrap();
            let help = command.render_help().to_string();
            let (before, behind) = help.split_once(&format!("\n{WHERE}:\n")).unwrap();
            assert!(before.contains(own) && !before.contains("--nats") && !before.contains("--data-dir <"), "{help}");
            assert!(["--nats <URL>", "--data-dir <D>"].iter().all(|flag| behind.contains(flag)), "{help}");
        }
    }

    #[test]
    fn whoever_says_nothing_of_where_it_is_is_told_what_there_is_to_say() {
        let nowhere = Server { nats: None, data_dir: None, access: Access::default() };
        let why = nowhere.url().unwrap_err().to_string();
        assert!(why.contains("LINESMAN_DATA_DIR") && why.contains("`--nats`"), "{why}");
    }
}
