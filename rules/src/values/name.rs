//! The names of parameters.

use std::fmt;
use std::sync::Arc;

use super::mistake::Mistake;
use crate::diagnostic::excerpt;

/// A parameter's name: a letter, then letters, digits and `_`, at most [`Name::MOST`] of them. It is
/// cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// Words that mean something else in an expression.
const RESERVED: [&str; 4] = ["true", "false", "in", "not"];

impl Name {
    /// The most characters of a name.
    pub const MOST: usize = 64;

    /// Reads a name.
    ///
    /// # Errors
    /// It has other characters, too many of them, or is a word of the language.
    pub fn new(text: &str) -> Result<Self, Mistake> {
        if text.chars().nth(Self::MOST).is_some() {
            let message = format!("the name `{}` has more than {} characters", excerpt(text), Self::MOST);
            return Err(Mistake::new(message));
        }
        if RESERVED.contains(&text) {
            let message = format!("`{text}` is a word of the language and names no parameter");
            return Err(Mistake::new(message).with_help("choose another name"));
        }
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphabetic());
        if !begins_well || !text.chars().all(is_word_part) {
            let message = format!("`{}` is no name of a parameter", text.escape_debug());
            return Err(Mistake::new(message).with_help("a name is a letter, then letters, digits and `_`"));
        }
        Ok(Self(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as text that is shared with it.
    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

/// Whether a character may stand within a word.
pub(crate) fn is_word_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}
