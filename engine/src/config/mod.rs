//! The configuration: what the engine is told before it runs.
//!
//! ```text
//!  defaults < file < environment < flags      the tables of sections read them all
//!        \______ Layers ______/               every value with its origin
//!                  |
//!               checks --> Mistakes           all of them at once
//!                  |
//!               Config, or its text
//! ```
//!
//! It starts nothing and reads no file but the configuration and those it names. The rules are
//! another's to read.

mod activations;
mod approvals;
mod check;
pub mod device_groups;
mod explain;
mod file;
mod json;
mod layers;
mod mask;
mod mistake;
mod mode;
mod orchestrated;
mod organizations;
mod origin;
mod print;
mod sections;
mod suggest;
mod tables;
#[cfg(test)]
mod tests;
mod value;
mod wording;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use linesman_connectors as connectors;
use linesman_connectors::settings::Kind;
use linesman_schemas as schemas;
use linesman_schemas::Mode;

use self::check::Checked;
pub use self::explain::Explanation;
use self::file::Content;
use self::layers::Layers;
pub use self::mistake::{Mistake, Mistakes};
pub use self::organizations::{Login, Organization};
pub use self::origin::{Extent, Layer, Origin, Spot};
pub(crate) use self::sections::{LONG_S, count, seconds};
pub use self::sections::{Sections, VARIABLE_PREFIX};
use crate::edge::Tls;
use crate::edge::certificate;
use crate::edge::logins::limits::{self, Limits};
use crate::log::section::Nats;
use crate::logging::Log;
use crate::{audit, licence, log, logging, metrics, partner, reach, seal};

/// What the engine runs by. Paths are absolute.
#[derive(Debug, Clone)]
pub struct Config {
    /// How the installation is connected.
    pub mode: Mode,
    /// Where its licence lies; none: it has none.
    pub licence: Option<licence::section::Settings>,
    /// The data directory.
    pub data_dir: PathBuf,
    /// The folder of policies; not looked at here.
    pub rules: PathBuf,
    /// Whether a rule directory without anything takes away what the log has of policies and services.
    pub allow_empty: bool,
    /// Where the HTTPS API listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// By what certificate the HTTPS API is known.
    pub tls: Tls,
    /// How many lanes, 1 to 48.
    pub lanes: u32,
    /// How many threads run the lanes, at least 1.
    pub threads: u32,
    /// How much of the processor's time a run of a policy may take.
    pub policy_time: Duration,
    /// How many bytes of memory all lanes together may use to tell which host-event-IDs they have not seen.
    pub remembered_bytes: usize,
    /// The log's server.
    pub nats: Nats,
    /// What the connectors are told.
    pub connectors: connectors::Settings,
    /// The organizations, in the order of the file, each name once.
    pub organizations: Vec<Organization>,
    /// The numbers that decisions depend on.
    pub settings: schemas::control::Settings,
    /// How often checkpoints of the audit are kept.
    pub checkpoint_every: Duration,
    /// The file with the key of the seal; none: the data directory has it.
    pub seal_key_file: Option<PathBuf>,
    /// How devices are looked at.
    pub collector: reach::Settings,
    /// For how long somebody who has logged in is let in.
    pub limits: Limits,
    /// The program's own log.
    pub log: Log,
    /// Whether metrics name organizations, policies and consumers.
    pub metrics_names: bool,
    /// The listener for end customers' controllers; none: they cannot come.
    pub partner: Option<partner::Settings>,
    /// What is allowed but unwise, for the operator.
    pub warnings: Vec<String>,
    /// Variables that Kubernetes has set for its services, which are no settings.
    pub passed_over: Vec<String>,
    /// Where all of it comes from: what that says now may be otherwise.
    pub sources: Sources,
}

impl Config {
    /// What of the numbers that decisions depend on is said otherwise by now where they come from.
    ///
    /// # Errors
    /// All mistakes there are now.
    pub fn changed_settings(sources: &Sources, known: &schemas::control::Settings) -> Result<Vec<String>, Mistakes> {
        let now = load(sources)?.settings;
        let json = |settings: &schemas::control::Settings| {
            let schemas::control::Settings { approvals, activations, .. } = settings;
            let mut all = serde_json::to_value(settings).unwrap_or_default();
            // Where they are as usual they are left out there.
            if let Some(all) = all.as_object_mut() {
                all.insert("approvals".to_owned(), serde_json::to_value(approvals).unwrap_or_default());
                all.insert("activations".to_owned(), serde_json::to_value(activations).unwrap_or_default());
            }
            all
        };
        let mut found = Vec::new();
        differing("", &json(known), &json(&now), &mut found);
        Ok(found)
    }
}

/// The keys whose values differ, as the file has them; what is left out is as it is usually.
fn differing(within: &str, one: &serde_json::Value, other: &serde_json::Value, found: &mut Vec<String>) {
    let (Some(fields), Some(others)) = (one.as_object(), other.as_object()) else {
        if one != other {
            found.push(within.to_owned());
        }
        return;
    };
    let keys: std::collections::BTreeSet<&String> = fields.keys().chain(others.keys()).collect();
    for key in keys {
        // These are sections of their own.
        let is_section = within.is_empty() && matches!(key.as_str(), "approvals" | "activations");
        let name = match within {
            "" if is_section => key.clone(),
            "" => format!("settings.{key}"),
            "approvals" if key == "rules" => within.to_owned(),
            "approvals" if !matches!(key.as_str(), "timeout_h" | "on_timeout") => {
                format!("{within}.{}", key.replace('_', "-"))
            }
            within => format!("{within}.{key}"),
        };
        let none = serde_json::Value::Null;
        differing(&name, fields.get(key).unwrap_or(&none), others.get(key).unwrap_or(&none), found);
    }
}

/// Where a configuration comes from.
#[derive(Clone, Default)]
pub struct Sources {
    /// The file; one that is named must be there.
    pub file: Option<PathBuf>,
    /// The environment; what does not begin with [`VARIABLE_PREFIX`] is no setting.
    pub environment: Vec<(String, String)>,
    /// The flags given: the key, the flag with its dashes, the value. The last of a key counts.
    pub flags: Vec<(String, String, String)>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What they say may have secrets in it.
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

/// The configuration to serve with.
///
/// # Errors
///
/// All mistakes in it; a missing `data_dir` or `rules` is one.
pub fn load(sources: &Sources) -> Result<Config, Mistakes> {
    let mut mistakes = Mistakes::default();
    let (layers, content, checked) = gather(Sections::of_program(), sources, &mut mistakes);
    if content.is_whole {
        check::required(&layers, &mut mistakes);
    }
    match assemble(checked) {
        Some(config) if mistakes.is_empty() => {
            Ok(Config { sources: sources.clone(), passed_over: layers.passed_over(), ..config })
        }
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
    let (layers, _, checked) = gather(Sections::of_program(), sources, &mut mistakes);
    if mistakes.is_empty() { Ok(print::text(&layers, &checked)) } else { Err(mistakes.sorted()) }
}

/// The same as JSON: `settings` by key, each with `value` and `from`, and every list by its name.
///
/// # Errors
///
/// All mistakes in it.
pub fn effective_json(sources: &Sources) -> Result<serde_json::Value, Mistakes> {
    let mut mistakes = Mistakes::default();
    let (layers, _, checked) = gather(Sections::of_program(), sources, &mut mistakes);
    if mistakes.is_empty() { Ok(json::effective(&layers, &checked)) } else { Err(mistakes.sorted()) }
}

/// Every key that [`explain`] knows, as it names it.
pub fn keys() -> impl Iterator<Item = String> {
    Sections::of_program().all().flat_map(|section| {
        section.keys.iter().map(|key| match section.name {
            "" => key.name.to_owned(),
            name => format!("{name}.{}", key.name),
        })
    })
}

/// All about one key: what it is, what counts, where that came from and what it overrode.
///
/// # Errors
///
/// All mistakes in the configuration; a key that is not there is one.
pub fn explain(sources: &Sources, name: &str) -> Result<Explanation, Mistakes> {
    let mut mistakes = Mistakes::default();
    let (layers, _, _) = gather(Sections::of_program(), sources, &mut mistakes);
    let explanation = explain::of(&layers, name, &mut mistakes);
    match explanation {
        Some(explanation) if mistakes.is_empty() => Ok(explanation),
        _ => Err(mistakes.sorted()),
    }
}

/// What the configuration says of the licence.
#[derive(Debug, Clone)]
pub struct Licensing {
    /// The data directory, where it says one.
    pub data_dir: Option<PathBuf>,
    /// How the installation is connected.
    pub mode: Mode,
    /// Where the licence lies, if it says so.
    pub file: Option<PathBuf>,
    /// Whose signature counts; none: that of the vendor of this build.
    pub vendor_key: Option<PathBuf>,
    /// The address of the upstream, where it says one.
    pub upstream: Option<String>,
}

/// What the configuration says of the licence; what else serving needs may be missing.
///
/// # Errors
///
/// All mistakes in it.
pub fn licence(sources: &Sources) -> Result<Licensing, Mistakes> {
    let mut mistakes = Mistakes::default();
    let (_, _, checked) = gather(Sections::of_program(), sources, &mut mistakes);
    if !mistakes.is_empty() {
        return Err(mistakes.sorted());
    }
    let top = checked.entries.one(sections::TOP.name);
    let settings = checked.entries.one(licence::section::SECTION.name).and_then(licence::section::read);
    let (file, vendor_key) = settings.map(|settings| (settings.file, settings.vendor_key)).unzip();
    Ok(Licensing {
        data_dir: top.and_then(|top| top.path("data_dir")),
        mode: top.and_then(|top| top.text("mode")?.parse().ok()).unwrap_or_default(),
        file,
        vendor_key: vendor_key.flatten(),
        upstream: checked.entries.one("upstream").and_then(|upstream| upstream.text("url")),
    })
}

/// Whether a text is the address of an upstream, as `upstream.url` takes it.
pub(crate) fn is_https(text: &str) -> bool {
    value::is_https(text)
}

/// Whether the log takes `directives`, by the rules of `log.level`.
///
/// # Errors
///
/// What is wrong with them, and what may have been meant.
pub fn check_log_level(directives: &str) -> Result<(), String> {
    let written = value::Written::of_text(directives, Kind::LogLevel);
    match value::read("`log.level`", Kind::LogLevel, &written, std::path::Path::new("")) {
        Ok(_) => Ok(()),
        Err(value::Refusal { message, help: Some(help) }) => Err(format!("{message}; {help}")),
        Err(value::Refusal { message, help: None }) => Err(message),
    }
}

/// A key as a flag named it, as it may be shown: on one line, and masked where it holds an address.
pub fn shown_key(key: &str) -> String {
    origin::blank_controls(&mask::url(key))
}

/// Reads all layers and checks them.
fn gather(sections: Sections, sources: &Sources, mistakes: &mut Mistakes) -> (Layers, Content, Checked) {
    let mut layers = Layers::defaults(sections, mistakes);
    let content = match &sources.file {
        Some(path) => file::read(path, &mut layers, mistakes),
        None => Content { is_whole: true, ..Content::default() },
    };
    layers.environment(sources, mistakes);
    layers.flags(sources, mistakes);
    mode::settle(&mut layers);
    let checked = check::all(&layers, &content, mistakes);
    (layers, content, checked)
}

/// An address as it may be shown: without its password.
pub(crate) fn masked_url(url: &str) -> String {
    mask::url(url)
}

/// The configuration; none where a key that is needed has no value, which is a mistake already noted.
fn assemble(checked: Checked) -> Option<Config> {
    let Checked { entries, warnings, .. } = checked;
    let top = entries.one(sections::TOP.name)?;
    let licence = match entries.one(licence::section::SECTION.name) {
        Some(entry) => Some(licence::section::read(entry)?),
        None => None,
    };
    let threads = match top.number("threads")? {
        0 => std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1)),
        threads => threads,
    };
    Some(Config {
        sources: Sources::default(),
        mode: top.text("mode")?.parse().ok()?,
        licence,
        data_dir: top.path("data_dir")?,
        rules: top.path("rules")?,
        allow_empty: top.flag("allow_empty")?,
        listen: top.address("listen")?,
        tls: Tls::read(entries.one(certificate::SECTION.name)?),
        lanes: top.number("lanes")?,
        threads,
        policy_time: Duration::from_millis(top.number("policy_time_ms")?),
        remembered_bytes: top.number::<usize>("remembered_mb")?.saturating_mul(1 << 20),
        nats: Nats::read(entries.one(log::section::SECTION.name)?)?,
        connectors: connectors::Settings::read(&entries)?,
        organizations: organizations::all(&entries)?,
        settings: sections::decisions(
            entries.one(sections::DECISIONS.name)?,
            entries.one(approvals::SECTION.name)?,
            entries.one(activations::SECTION.name)?,
        )?,
        checkpoint_every: audit::section::checkpoint_every(entries.one(audit::section::SECTION.name)?)?,
        seal_key_file: seal::section::key_file(entries.one(seal::section::SECTION.name)?),
        collector: reach::section::read(entries.one(reach::section::SECTION.name)?)?,
        limits: Limits::read(entries.one(limits::SECTION.name)?)?,
        log: Log::read(entries.one(logging::SECTION.name)?)?,
        metrics_names: metrics::names(entries.one(metrics::SECTION.name)?)?,
        partner: match entries.one(partner::section::SECTION.name) {
            Some(entry) => Some(partner::section::read(entry)?),
            None => None,
        },
        warnings,
        passed_over: Vec::new(),
    })
}
