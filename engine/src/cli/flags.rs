//! The flags that set configuration keys, and how the layers of the configuration are gathered.

use std::path::PathBuf;

use clap::Args;

use crate::config::{self, Sources};

/// Flags of the commands that read the configuration.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Flags {
    /// Where everything is kept: log, state, certificates, token
    #[arg(long, value_name = "D")]
    data_dir: Option<PathBuf>,
    /// The rule directory
    #[arg(long, value_name = "R")]
    rules: Option<PathBuf>,
    /// Let a rule directory without any policy and service take away all that the log has of them
    #[arg(long)]
    allow_empty: bool,
    /// The configuration file
    #[arg(long, value_name = "F", env = "LINESMAN_CONFIG")]
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
    /// Any setting, for example `--set log.level=debug`; may be repeated, and flags of their own count over it
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// A flag that was given.
fn named((key, flag, value): (&str, &str, Option<String>)) -> Option<(String, String, String)> {
    Some((key.to_owned(), flag.to_owned(), value?))
}

impl Flags {
    /// All layers above the defaults.
    pub(super) fn sources(&self) -> Sources {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
        // What lacks its `=` is a key without a value, which is a mistake of that key.
        let set = self.set.iter().map(|text| {
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            (key.to_owned(), format!("--set {}", config::shown_key(key)), value.to_owned())
        });
        let flags = [
            ("data_dir", "--data-dir", path(&self.data_dir)),
            ("rules", "--rules", path(&self.rules)),
            ("allow_empty", "--allow-empty", self.allow_empty.then(|| "true".to_owned())),
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
            flags: set.chain(flags.into_iter().filter_map(named)).collect(),
        }
    }
}
