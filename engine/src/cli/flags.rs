//! The flags that set configuration keys, and how the layers of the configuration are gathered.

use std::path::PathBuf;

use clap::Args;

use crate::config::Sources;

/// Flags of the commands that read the configuration.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Flags {
    /// Where everything is kept: log, state, certificates, token
    #[arg(long, value_name = "D")]
    data_dir: Option<PathBuf>,
    /// The rule directory
    #[arg(long, value_name = "R")]
    rules: Option<PathBuf>,
    /// The configuration file
    #[arg(long, value_name = "F")]
    config: Option<PathBuf>,
    /// A NATS server of your own, instead of the embedded one
    #[arg(long, value_name = "URL")]
    nats: Option<String>,
    /// The embedded NATS server's port on the loopback; any free one by default
    #[arg(long, value_name = "PORT")]
    nats_port: Option<String>,
    /// Where the HTTPS API listens; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

impl Flags {
    /// All layers above the defaults.
    pub(super) fn sources(&self) -> Sources {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
        let flags = [
            ("data_dir", "--data-dir", path(&self.data_dir)),
            ("rules", "--rules", path(&self.rules)),
            ("nats.url", "--nats", self.nats.clone()),
            ("nats.port", "--nats-port", self.nats_port.clone()),
            ("listen", "--listen", self.listen.clone()),
        ];
        Sources {
            file: self.config.clone(),
            // A variable that is not Unicode is none of ours.
            environment: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            flags: flags.into_iter().filter_map(|(key, flag, value)| Some((key, flag.to_owned(), value?))).collect(),
        }
    }
}
