//! A text that is read from its beginning, with columns in characters.

use super::mistake::Span;

/// What is left of a text, and the column at which it stands.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'t> {
    pub(crate) rest: &'t str,
    pub(crate) column: usize,
}

impl<'t> Cursor<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { rest: text, column: 1 }
    }

    /// Takes so many bytes, fewer if a character would be cut.
    pub(crate) fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.column += taken.chars().count();
        self.rest = rest;
        taken
    }

    /// Takes the characters that satisfy a condition.
    pub(crate) fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    /// Takes a text if it stands next.
    pub(crate) fn eat(&mut self, text: &str) -> bool {
        let is_next = self.rest.starts_with(text);
        if is_next {
            self.take(text.len());
        }
        is_next
    }

    /// Skips blanks and line breaks.
    pub(crate) fn skip_space(&mut self) {
        self.take_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
    }

    /// The next character.
    pub(crate) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// From a column up to here.
    pub(crate) fn since(&self, column: usize) -> Span {
        Span::new(column, self.column)
    }

    /// The next character's place.
    pub(crate) fn here(&self) -> Span {
        Span::new(self.column, self.column + 1)
    }
}
