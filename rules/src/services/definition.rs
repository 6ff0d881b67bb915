//! `service.toml`: what a service is called, where it may be subscribed, what is done about drift, and its parameters; and `parameters.toml`, the
//! global ones.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::places;
use super::service::ServiceFault;
use crate::diagnostic::Code;
use crate::values::{Definition, Misdeclared, Spelled};

/// Where a service may be subscribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// At an enterprise, for all of it.
    Enterprise,
    /// At a site.
    Site,
    /// At an access line.
    Line,
}

impl Level {
    /// All levels, from the most general.
    pub const ALL: [Self; 3] = [Self::Enterprise, Self::Site, Self::Line];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enterprise => "enterprise",
            Self::Site => "site",
            Self::Line => "line",
        }
    }
}

/// What is done where a device has otherwise what a template rendered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDrift {
    /// What the device has counts until it is told anew.
    Accept,
    /// It is told of.
    #[default]
    Report,
    /// It is told of, and the device is told again.
    Restore,
}

impl OnDrift {
    /// All of them, from the weakest: of several that of one group the strongest counts.
    pub const ALL: [Self; 3] = [Self::Accept, Self::Report, Self::Restore];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Report => "report",
            Self::Restore => "restore",
        }
    }
}

/// What `service.toml` says.
#[derive(Debug, Clone)]
pub struct ServiceDefinition {
    /// What people call it.
    pub title: String,
    /// What it does, for people; empty where nobody says.
    pub description: String,
    /// Where it may be subscribed, from the most general.
    pub levels: Vec<Level>,
    /// Whether activations of it may follow a schedule.
    pub is_schedulable: bool,
    /// Whether what is fixed above is not shown below.
    pub hides_fixed: bool,
    /// What is done where a device has otherwise what a template rendered, by the template's file; of others it is reported.
    pub drift: BTreeMap<String, OnDrift>,
    /// Its own parameters.
    pub parameters: Definition,
}

/// What is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misdefined {
    /// It is no TOML of that form.
    Form {
        /// What the parser says, with line and column.
        text: String,
        /// The same without them.
        message: String,
        /// Where in the text, in bytes.
        at: std::ops::Range<usize>,
    },
    /// A key says something that cannot be.
    Key {
        /// Which.
        key: &'static str,
        /// What is wrong.
        message: String,
    },
    /// A parameter is wrong.
    Parameter(Misdeclared),
}

impl Misdefined {
    /// As a fault of a file with this text.
    pub(super) fn fault(&self, file: &str, text: &str) -> ServiceFault {
        let (at, message, help) = match self {
            Self::Form { message, at, .. } => (at.clone(), message.clone(), None),
            Self::Key { key, .. } => (places::value(text, &[key]), self.to_string(), None),
            Self::Parameter(wrong) => {
                let of_parameter = ["parameters", &wrong.parameter];
                let at = match wrong.key {
                    Some(key) => places::value(text, &[&of_parameter[..], &[key]].concat()),
                    None => places::key(text, &of_parameter),
                };
                (at, Misdeclared { help: None, ..wrong.clone() }.to_string(), wrong.help.clone())
            }
        };
        ServiceFault::between(file, text, at, Code::Definition, message, help)
    }
}

impl fmt::Display for Misdefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form { text, .. } => f.write_str(text),
            Self::Key { key, message } => write!(f, "`{key}`: {message}"),
            Self::Parameter(wrong) => wrong.fmt(f),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default = "everywhere")]
    levels: Vec<Level>,
    #[serde(default)]
    schedulable: bool,
    #[serde(default)]
    hide_fixed: bool,
    #[serde(default)]
    drift: BTreeMap<String, OnDrift>,
    #[serde(default)]
    parameters: BTreeMap<String, Spelled>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenGlobals {
    #[serde(default)]
    parameters: BTreeMap<String, Spelled>,
}

fn everywhere() -> Vec<Level> {
    Level::ALL.to_vec()
}

impl ServiceDefinition {
    /// What is done where a device has otherwise what these templates rendered: of several the strongest. Of a line that no
    /// template is known of it is reported.
    pub fn on_drift<'a>(&self, templates: impl IntoIterator<Item = &'a str>) -> OnDrift {
        let of = |template: &str| self.drift.get(template).copied().unwrap_or_default();
        templates.into_iter().map(of).max().unwrap_or_default()
    }

    /// Reads `service.toml`.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read(text: &str) -> Result<Self, Vec<Misdefined>> {
        let written: Written = read(text)?;
        let mut faults = Vec::new();
        if written.title.trim().is_empty() {
            faults.push(Misdefined::Key { key: "title", message: "it is empty: people see it".to_owned() });
        }
        let mut levels = written.levels;
        levels.sort_unstable();
        levels.dedup();
        if levels.is_empty() {
            let message = "it is empty: nobody could subscribe it".to_owned();
            faults.push(Misdefined::Key { key: "levels", message });
        }
        let parameters = declared(&written.parameters, &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            title: written.title,
            description: written.description,
            levels,
            is_schedulable: written.schedulable,
            hides_fixed: written.hide_fixed,
            drift: written.drift,
            parameters,
        })
    }
}

/// Reads `parameters.toml`, the global parameters.
///
/// # Errors
/// All that is wrong with it.
pub fn read_globals(text: &str) -> Result<Definition, Vec<Misdefined>> {
    let written: WrittenGlobals = read(text)?;
    let mut faults = Vec::new();
    let parameters = declared(&written.parameters, &mut faults);
    if faults.is_empty() { Ok(parameters) } else { Err(faults) }
}

/// What a definition, or `parameters.toml`, says twice of types: engines read it as if it stood once, and it is refused where
/// it is to be loaded.
pub(super) fn repeated(text: &str) -> Vec<Misdefined> {
    #[derive(Deserialize)]
    struct Declared {
        #[serde(default)]
        parameters: BTreeMap<String, Spelled>,
    }
    let declared: BTreeMap<String, Spelled> =
        read(text).map(|written: Declared| written.parameters).unwrap_or_default();
    declared.iter().filter_map(|(name, spelled)| spelled.repeated(name)).map(Misdefined::Parameter).collect()
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Vec<Misdefined>> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().unwrap_or(text.len()..text.len());
        let (message, text) = (error.message().to_owned(), error.to_string().trim_end().to_owned());
        vec![Misdefined::Form { text, message, at }]
    })
}

fn declared(written: &BTreeMap<String, Spelled>, faults: &mut Vec<Misdefined>) -> Definition {
    Definition::read(written.iter().map(|(name, spelled)| (name.as_str(), spelled))).unwrap_or_else(|wrong| {
        faults.extend(wrong.into_iter().map(Misdefined::Parameter));
        Definition::default()
    })
}
