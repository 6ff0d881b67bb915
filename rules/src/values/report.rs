//! The values of a place as programs read them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::acquisition::{Acquired, Acquisition, Choice, Fault};

/// What `value resolve` says. The names of its fields are part of the interface: they do not change.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Every parameter, by name.
    pub parameters: BTreeMap<String, Parameter>,
    /// All that is wrong.
    pub faults: Vec<Fault>,
    /// What is allowed and may still surprise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Fault>,
}

/// A parameter at a place.
#[derive(Debug, Serialize)]
pub struct Parameter {
    /// `free`, `defaulted` or `fixed`.
    pub status: &'static str,
    /// Its types, joined by `:`.
    #[serde(rename = "type")]
    pub types: String,
    /// Its value in canonical text, or a list of such; none where there is none.
    pub value: Option<serde_json::Value>,
    /// The source of the value that counts.
    pub source: Option<&'static str>,
    /// The place of that source.
    pub place: Option<String>,
    /// Whether the place itself tells it, so that nobody substitutes it.
    #[serde(skip_serializing_if = "is_no")]
    pub read_only: bool,
    /// What it is called from here on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renamed: Option<String>,
    /// What may still be chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
    /// Whether its value is not shown: it comes of what is fixed above and hidden.
    #[serde(skip_serializing_if = "is_no")]
    pub hidden: bool,
}

const fn is_no(truth: &bool) -> bool {
    !*truth
}

impl Report {
    /// The report on what was acquired.
    pub fn of(acquisition: &Acquisition<'_>) -> Self {
        let parameters = acquisition.parameters().into_iter();
        Self {
            parameters: parameters.map(|found| (found.name().to_string(), Parameter::of(&found))).collect(),
            faults: acquisition.faults().to_vec(),
            warnings: acquisition.warnings().to_vec(),
        }
    }

    /// The same with faults of before, in the order of all.
    #[must_use]
    pub fn with(mut self, before: &[Fault]) -> Self {
        self.faults.extend_from_slice(before);
        self.faults.sort_by(Fault::in_order);
        self
    }
}

impl Parameter {
    /// A parameter as it is reported.
    pub fn of(acquired: &Acquired<'_, '_>) -> Self {
        let at = acquired.at();
        Self {
            status: acquired.status().as_str(),
            types: acquired.types().to_string(),
            value: acquired.value().map(super::Value::to_json),
            source: at.map(|at| at.source.as_str()),
            place: at.and_then(|at| at.place).map(ToString::to_string),
            read_only: acquired.is_read_only(),
            renamed: acquired.renamed_to().map(|(name, _)| name.to_string()),
            choice: acquired.choice(),
            hidden: false,
        }
    }
}
