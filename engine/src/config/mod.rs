//! The configuration: what the engine is told before it runs.
//!
//! ```text
//!  defaults < file < environment < flags      one table of keys reads them all
//!        \______ Layers ______/               every value with its place
//!                  |
//!               checks --> Mistakes           all of them at once
//!                  |
//!               Config, or its text
//! ```
//!
//! It starts nothing and reads no file but the configuration and those it names. The rules are
//! another's to read.

mod check;
mod explain;
mod file;
mod json;
mod keys;
mod layers;
mod mask;
mod mistake;
mod organizations;
mod place;
mod print;
mod suggest;
#[cfg(test)]
mod tests;
mod value;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use linesman_connectors::jss;
use linesman_schemas as schemas;
use linesman_schemas::OrgName;
use linesman_schemas::command::OrganizationSettings;

use self::check::Checked;
pub use self::explain::Explanation;
use self::file::Content;
pub use self::keys::{KEYS, Key, Kind, ORGANIZATION_KEYS, VARIABLE_PREFIX};
use self::layers::Layers;
pub use self::mistake::{Mistake, Mistakes};
pub use self::place::{Extent, Layer, Place, Spot};
use crate::embedded;

/// What the engine runs by. Paths are absolute.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data directory.
    pub data_dir: PathBuf,
    /// The folder of policies; not looked at here.
    pub rules: PathBuf,
    /// Where the HTTPS API listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How many lanes, 1 to 48.
    pub lanes: u32,
    /// How many threads run the lanes, at least 1.
    pub threads: u32,
    /// The log's server.
    pub nats: Nats,
    /// The support system; without it cases wait.
    pub upstream: Option<jss::Settings>,
    /// The organizations, in the order of the file, each name once.
    pub organizations: Vec<Organization>,
    /// The numbers that decisions depend on.
    pub settings: schemas::control::Settings,
    /// The program's own log.
    pub log: Log,
    /// What is allowed but unwise, for the operator.
    pub warnings: Vec<String>,
}

/// The server of the log and the shape of the streams.
#[derive(Clone, PartialEq, Eq)]
pub struct Nats {
    /// A server of the operator's own, possibly with a password; none: the embedded one.
    pub url: Option<String>,
    /// The embedded server's port on 127.0.0.1; none: a free one.
    pub port: Option<u16>,
    /// The embedded server's program; none: looked for.
    pub binary: Option<PathBuf>,
    /// When the embedded server has a stored message on disk.
    pub sync: embedded::Sync,
    /// The embedded server's largest message.
    pub max_payload_bytes: usize,
    /// How long OUT keeps what it says.
    pub out_age_s: u64,
    /// How many replicas the streams have.
    pub replicas: u32,
}

impl std::fmt::Debug for Nats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nats")
            .field("url", &self.url.as_deref().map(mask::url))
            .field("port", &self.port)
            .field("binary", &self.binary)
            .field("sync", &self.sync)
            .field("max_payload_bytes", &self.max_payload_bytes)
            .field("out_age_s", &self.out_age_s)
            .field("replicas", &self.replicas)
            .finish()
    }
}

/// An organization of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its token in subjects.
    pub name: OrgName,
    /// Its settings; `loaded` is the SHA-256, in hexadecimal, of their JSON without `loaded`.
    pub settings: OrganizationSettings,
}

/// The program's own log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// How it looks.
    pub format: LogFormat,
    /// What it tells, as directives of `tracing_subscriber::EnvFilter`.
    pub level: String,
}

/// How the program's log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// Text.
    Text,
    /// A JSON object per line.
    Json,
}

/// Where a configuration comes from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file; one that is named must be there.
    pub file: Option<PathBuf>,
    /// The environment; what does not begin with [`VARIABLE_PREFIX`] is not looked at.
    pub environment: Vec<(String, String)>,
    /// The flags given: the key, the flag with its dashes, the value. The last of a key counts.
    pub flags: Vec<(String, String, String)>,
}

/// The configuration to serve with.
///
/// # Errors
///
/// All mistakes in it; a missing `data_dir` or `rules` is one.
pub fn load(sources: &Sources) -> Result<Config, Mistakes> {
    let mut mistakes = Mistakes::default();
    let (layers, content, checked) = gather(sources, &mut mistakes);
    if content.is_whole {
        check::required(&layers, "data_dir", &mut mistakes);
        check::required(&layers, "rules", &mut mistakes);
    }
    match assemble(&layers, checked) {
        Some(config) if mistakes.is_empty() => Ok(config),
        _ => Err(mistakes.sorted()),
    }
}

/// The effective configuration as TOML, each value with a comment saying where it came from and
/// secrets masked. `data_dir` and `rules` may be missing: a file can be looked at without them.
///
/// # Errors
///
/// All mistakes in it.
pub fn effective(sources: &Sources) -> Result<String, Mistakes> {
    let mut mistakes = Mistakes::default();
    let (layers, _, checked) = gather(sources, &mut mistakes);
    if mistakes.is_empty() { Ok(print::text(&layers, &checked)) } else { Err(mistakes.sorted()) }
}

/// The same as JSON: `settings` by key, each with `value` and `from`, and `organizations`.
///
/// # Errors
///
/// All mistakes in it.
pub fn effective_json(sources: &Sources) -> Result<serde_json::Value, Mistakes> {
    let mut mistakes = Mistakes::default();
    let (layers, _, checked) = gather(sources, &mut mistakes);
    if mistakes.is_empty() { Ok(json::effective(&layers, &checked)) } else { Err(mistakes.sorted()) }
}

/// All about one key: what it is, what counts, where that came from and what it overrode.
///
/// # Errors
///
/// All mistakes in the configuration; a key that is not there is one.
pub fn explain(sources: &Sources, name: &str) -> Result<Explanation, Mistakes> {
    let mut mistakes = Mistakes::default();
    let (layers, _, _) = gather(sources, &mut mistakes);
    let explanation = explain::of(&layers, name, &mut mistakes);
    match explanation {
        Some(explanation) if mistakes.is_empty() => Ok(explanation),
        _ => Err(mistakes.sorted()),
    }
}

/// Whether the log takes `directives`, by the rules of `log.level`.
///
/// # Errors
///
/// What is wrong with them, and what may have been meant.
pub fn check_log_level(directives: &str) -> Result<(), String> {
    let written = value::Written::of_text(directives, Kind::LogLevel);
    match value::read("log.level", Kind::LogLevel, &written, std::path::Path::new("")) {
        Ok(_) => Ok(()),
        Err(value::Refusal { message, help: Some(help) }) => Err(format!("{message}; {help}")),
        Err(value::Refusal { message, help: None }) => Err(message),
    }
}

/// A key as a flag named it, as it may be shown: on one line, and masked where it holds an address.
pub fn shown_key(key: &str) -> String {
    place::blank_controls(&mask::url(key))
}

/// Reads all layers and checks them.
fn gather(sources: &Sources, mistakes: &mut Mistakes) -> (Layers, Content, Checked) {
    let mut layers = Layers::defaults(mistakes);
    let content = match &sources.file {
        Some(path) => file::read(path, &mut layers, mistakes),
        None => Content { is_whole: true, ..Content::default() },
    };
    layers.environment(sources, mistakes);
    layers.flags(sources, mistakes);
    let checked = check::all(&layers, &content, mistakes);
    (layers, content, checked)
}

/// The configuration; none where a key that is needed has no value, which is a mistake already noted.
fn assemble(layers: &Layers, checked: Checked) -> Option<Config> {
    let upstream = if checked.has_upstream { Some(upstream(layers, checked.password?)?) } else { None };
    let threads = match layers.number("threads")? {
        0 => std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1)),
        threads => threads,
    };
    Some(Config {
        data_dir: layers.path("data_dir")?,
        rules: layers.path("rules")?,
        listen: layers.address("listen")?,
        lanes: layers.number("lanes")?,
        threads,
        nats: nats(layers)?,
        upstream,
        organizations: layers.organizations().iter().map(|declared| declared.organization.clone()).collect(),
        settings: settings(layers)?,
        log: log(layers)?,
        warnings: checked.warnings,
    })
}

fn nats(layers: &Layers) -> Option<Nats> {
    let is_always = layers.text("nats.sync")? == keys::SYNC_ALWAYS;
    Some(Nats {
        url: layers.text("nats.url"),
        port: layers.number("nats.port"),
        binary: layers.path("nats.binary"),
        sync: if is_always { embedded::Sync::Always } else { embedded::Sync::EverySecond },
        max_payload_bytes: layers.number("nats.max_payload_bytes")?,
        out_age_s: layers.number("nats.out_age_s")?,
        replicas: layers.number("nats.replicas")?,
    })
}

fn upstream(layers: &Layers, password: linesman_connectors::Secret) -> Option<jss::Settings> {
    Some(jss::Settings {
        url: layers.text("upstream.url")?,
        ca: layers.path("upstream.ca"),
        site_id: layers.text("upstream.site_id")?,
        user: layers.text("upstream.user")?,
        password,
        application_id: layers.text("upstream.application_id")?,
        requests_per_hour: layers.number("upstream.requests_per_hour")?,
        concurrency: layers.number("upstream.concurrency")?,
        timeout: Duration::from_secs(layers.number("upstream.timeout_s")?),
    })
}

fn settings(layers: &Layers) -> Option<schemas::control::Settings> {
    Some(schemas::control::Settings {
        host_event_retention_s: layers.number("settings.host_event_retention_s")?,
        case_poll_s: layers.number("settings.case_poll_s")?,
        reaction_deadline_s: layers.number("settings.reaction_deadline_s")?,
        retry_base_s: layers.number("settings.retry_base_s")?,
        retry_most_s: layers.number("settings.retry_most_s")?,
        circuit_failures: layers.number("settings.circuit_failures")?,
        circuit_rest_s: layers.number("settings.circuit_rest_s")?,
        circuit_rest_most_s: layers.number("settings.circuit_rest_most_s")?,
    })
}

fn log(layers: &Layers) -> Option<Log> {
    let format = match layers.text("log.format")?.as_str() {
        "json" => LogFormat::Json,
        "text" => LogFormat::Text,
        _ => LogFormat::Auto,
    };
    Some(Log { format, level: layers.text("log.level")? })
}
