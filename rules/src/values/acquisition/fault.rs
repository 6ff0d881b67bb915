//! What is wrong with the values of a place.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::values::parameter::Misdeclared;
use crate::values::source::Where;

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
    /// Where: the places that are at odds, the more general first; a source without a place by its word.
    pub places: Vec<String>,
}

impl Fault {
    pub(super) fn new(parameter: impl fmt::Display, message: String) -> Self {
        Self { parameter: parameter.to_string(), message, help: None, is_missing: false, places: Vec::new() }
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
        }
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
        if !self.places.contains(&name) {
            self.places.push(name);
        }
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.parameter, self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "\n  help: {help}"))
    }
}
