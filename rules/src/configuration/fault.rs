//! What is wrong with a text that should be configuration, and where.

use std::fmt;

/// One fault of a configuration's text. [`fmt::Display`] gives `line:column: message` and the help on a
/// line of its own; whoever knows what the text is puts its name in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The column behind what is meant, on the same line.
    pub end_column: u32,
    /// What is wrong: lower case, the text's words in backticks, no full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Fault {
    pub(super) fn new(place: Place, message: impl Into<String>, help: impl Into<String>) -> Self {
        let Place { line, column, end_column } = place;
        Self { line, column, end_column, message: message.into(), help: Some(help.into()) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}

/// Where something stands in a text: a line, and the columns from its first character to behind its
/// last, all from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) end_column: u32,
}

impl Place {
    /// The beginning of a text, for what concerns all of it.
    pub(super) const WHOLE: Self = Self { line: 1, column: 1, end_column: 1 };
}
