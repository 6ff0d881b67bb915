//! What is wrong with a substitution, an expression or a value, and where in its text.

use std::fmt;

/// A place in a text: columns in characters, from 1, `end` behind the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    start: u16,
    end: u16,
}

impl Span {
    /// From one column to the one behind the last. Texts are bounded far below what a column can count.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        let column = |column: usize| u16::try_from(column).unwrap_or(u16::MAX);
        Self { start: column(start), end: column(end) }
    }

    /// The first column, in characters from 1.
    pub fn column(self) -> usize {
        usize::from(self.start)
    }

    /// The column behind the last.
    pub fn end_column(self) -> usize {
        usize::from(self.end)
    }

    /// From the beginning of this place to the end of a later one.
    pub(crate) fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end.max(self.end) }
    }
}

/// One mistake of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong: lower case, the user's words in backticks, no full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The column in characters, from 1.
    pub column: usize,
    /// The column behind what is meant; `column` itself where the whole is meant.
    pub end_column: usize,
}

impl Mistake {
    /// A mistake of a whole.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, column: 1, end_column: 1 }
    }

    /// The same with a word on what to do.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The same at a place.
    #[must_use]
    pub fn at(self, span: Span) -> Self {
        Self { column: span.column(), end_column: span.end_column(), ..self }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.column, self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Mistake {}
