//! What is wrong with the values of a place.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::values::parameter::Misdeclared;
use crate::values::source::{Source, Where};

/// A fault of one parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Which parameter, as it is spelled.
    pub parameter: String,
    /// What is wrong: lower case, the user's words in backticks, no full stop.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Whether it is only that a value is still to be given.
    #[serde(skip)]
    pub is_missing: bool,
    /// Where: the places that are at odds, the more general first; a source without a place by its word, and one at a
    /// place that is named already.
    pub places: Vec<String>,
    /// Their sources.
    #[serde(skip)]
    pub(in crate::values) sources: Vec<Source>,
}

impl Fault {
    pub(in crate::values) fn new(parameter: impl fmt::Display, message: String) -> Self {
        Self {
            parameter: parameter.to_string(),
            message,
            help: None,
            is_missing: false,
            places: Vec::new(),
            sources: Vec::new(),
        }
    }

    /// What is wrong with a declaration, as a fault of its parameter.
    pub fn of_declaration(wrong: &Misdeclared) -> Self {
        let message = match wrong.key {
            Some(key) => format!("{key}: {}", wrong.message),
            None => wrong.message.clone(),
        };
        Self {
            parameter: wrong.parameter.clone(),
            message,
            help: wrong.help.clone(),
            is_missing: false,
            places: Vec::new(),
            sources: Vec::new(),
        }
    }

    /// Parameters refer to each other in a circle; its first name stands at its end again.
    pub(super) fn circle(names: Vec<&str>) -> Self {
        let message = format!("the parameters refer to each other in a circle: {}", names.join(" -> "));
        Self::new(names.first().unwrap_or(&""), message).help("give one of them a value of its own")
    }

    /// Whether somebody has to do with it who gives values at a place, and not what is the same everywhere alone.
    pub fn is_of_given(&self) -> bool {
        self.sources.iter().any(|source| *source >= Source::Localized)
    }

    /// In which order faults are told: whatever order they were found in, and what they are about was written in.
    pub(in crate::values) fn in_order(one: &Self, other: &Self) -> std::cmp::Ordering {
        let key = |fault: &Self| (fault.parameter.clone(), fault.message.clone(), fault.places.clone());
        key(one).cmp(&key(other))
    }

    /// A name is declared that the place itself tells.
    pub(super) fn declares_told(name: impl fmt::Display) -> Self {
        let message = format!("`{name}` is told by the place itself, and nobody declares it");
        Self::new(name, message).help("choose another name")
    }

    /// It is only that a value is still to be given.
    pub(super) fn missing(mut self) -> Self {
        self.is_missing = true;
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Names where; what is named already is not named again.
    pub(in crate::values) fn at(mut self, at: Where<'_>) -> Self {
        let name = at.name();
        if self.sources.contains(&at.source) {
            return self;
        }
        self.sources.push(at.source);
        let name = if self.places.contains(&name) { at.source.as_str().to_owned() } else { name };
        self.places.push(name);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.parameter, self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "\n  help: {help}"))
    }
}
