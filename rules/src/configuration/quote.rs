//! Words of a configuration, and how a text becomes one without leaving its place.
//!
//! A word is printed bare where it consists of safe characters, otherwise in double quotes, so that
//! whatever it holds reads back as one word. What a value from outside may be is narrower than what a
//! word may be: a line break can be written in a template's own text (`\n`), and never comes from a
//! value.

use std::fmt;

use compact_str::CompactString;

use super::special::Special;

/// The longest word, in characters.
pub const LONGEST_WORD: usize = 1_024;

/// One word of a statement, without its quotes and escapes. [`fmt::Display`] quotes it where needed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(CompactString);

impl Word {
    /// A word as the parser or this module read it, bounded and free of characters that cannot be
    /// printed.
    pub(super) fn read(text: impl Into<CompactString>) -> Self {
        Self(text.into())
    }

    /// The word that a value becomes, whatever quotes, braces or signs of comments it holds.
    ///
    /// # Errors
    ///
    /// Control characters, line breaks of any sort, characters that turn the direction of writing, and
    /// more than [`LONGEST_WORD`] characters are refused.
    pub fn of_value(value: &str) -> Result<Self, Unquotable> {
        if is_long(value) {
            return Err(Unquotable::Long);
        }
        match value.chars().find(|c| is_refused(*c)) {
            Some(character) => Err(Unquotable::Character(character)),
            None => Ok(Self(value.into())),
        }
    }

    /// A word of the text's own parts and of values, each of which was a word.
    ///
    /// # Errors
    ///
    /// Together they are longer than a word may be.
    pub(super) fn joined(text: String) -> Result<Self, Unquotable> {
        match is_long(&text) {
            true => Err(Unquotable::Long),
            false => Ok(Self(text.into())),
        }
    }

    /// The word without quotes and escapes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Writes it, in quotes where it needs them.
    pub(super) fn print(&self, out: &mut impl fmt::Write) -> fmt::Result {
        if self.is_bare() {
            return out.write_str(&self.0);
        }
        write!(out, "\"{}\"", escaped(&self.0))
    }

    fn is_bare(&self) -> bool {
        let mut has_star = false;
        let is_safe = self.0.bytes().all(|byte| {
            has_star |= byte == b'*';
            is_safe(byte)
        });
        let is_comment = has_star && (self.0.contains("/*") || self.0.contains("*/"));
        is_safe && !self.0.is_empty() && !is_comment && !is_tag(&self.0)
    }
}

/// Whether a text has more characters than a word may have.
fn is_long(text: &str) -> bool {
    text.len() > LONGEST_WORD && text.chars().count() > LONGEST_WORD
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f)
    }
}

/// Where in a text a value is to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// On its own, as a word.
    Word,
    /// Between double quotes that are there already.
    Quoted,
    /// In a comment.
    Comment,
}

/// Why a value can stand nowhere in a configuration, or not where it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unquotable {
    /// It holds this character.
    Character(char),
    /// It has more than [`LONGEST_WORD`] characters.
    Long,
    /// It should stand in a comment.
    Comment,
    /// A device would take it for more than its letters.
    Special(Special),
    /// It is a list without elements, where nothing else stands in the list.
    Empty,
}

impl fmt::Display for Unquotable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character(c) => write!(
                f,
                "the character U+{:04X} cannot stand in a configuration: control characters, line breaks and marks of \
                 direction are refused",
                u32::from(*c)
            ),
            Self::Long => write!(f, "more than {LONGEST_WORD} characters cannot be one word of a configuration"),
            Self::Comment => f.write_str("a value cannot stand in a comment: comments are not part of a configuration"),
            Self::Special(special) => special.fmt(f),
            Self::Empty => f.write_str("an empty list stands where a list has at least one element"),
        }
    }
}

impl std::error::Error for Unquotable {}

/// The text that stands for a value at a position, for whoever writes configuration as text.
///
/// # Errors
///
/// As [`Word::of_value`]; and nothing may stand in a comment.
pub fn quote(value: &str, position: Position) -> Result<String, Unquotable> {
    match position {
        Position::Word => Ok(Word::of_value(value)?.to_string()),
        Position::Quoted => Ok(escaped(Word::of_value(value)?.as_str())),
        Position::Comment => Err(Unquotable::Comment),
    }
}

/// The tags that stand in front of a statement and say what is done with it.
pub(super) const TAGS: [&str; 7] = ["active:", "delete:", "inactive:", "insert:", "protect:", "replace:", "unprotect:"];

pub(super) fn is_tag(word: &str) -> bool {
    word.ends_with(':') && TAGS.contains(&word)
}

/// Whether a character may be in no word at all. A line feed and a tab are printed as escapes.
pub(super) fn is_unprintable(c: char) -> bool {
    is_refused(c) && !matches!(c, '\n' | '\t')
}

/// Besides control characters: the line and paragraph separators, and the marks that make a text look
/// other than it reads.
fn is_refused(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{FEFF}')
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Characters of a word that is printed bare, all of them of one byte.
fn is_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/' | b'*' | b',' | b'@' | b'=' | b'+' | b'%' | b'<' | b'>')
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_only_where_it_must_be() {
        for (value, printed) in [
            ("ge-0/0/1.100", "ge-0/0/1.100"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("<ge-*>", "<ge-*>"),
            ("", "\"\""),
            ("two words", "\"two words\""),
            ("<ge-0/0/*>", "\"<ge-0/0/*>\""),
            ("#1", "\"#1\""),
            ("replace:", "\"replace:\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
            ("x; }", "\"x; }\""),
            ("größe", "\"größe\""),
        ] {
            assert_eq!(quote(value, Position::Word).unwrap(), printed);
        }
    }

    #[test]
    fn a_value_inside_quotes_keeps_them_closed() {
        assert_eq!(quote("a\"; b \\", Position::Quoted).unwrap(), "a\\\"; b \\\\");
    }

    #[test]
    fn what_cannot_stand_in_a_configuration_is_refused() {
        for c in ['\0', '\n', '\r', '\t', '\u{1b}', '\u{7f}', '\u{85}', '\u{2028}', '\u{2029}', '\u{202e}', '\u{feff}']
        {
            let value = format!("a{c}b");
            assert_eq!(quote(&value, Position::Word), Err(Unquotable::Character(c)));
            assert_eq!(quote(&value, Position::Quoted), Err(Unquotable::Character(c)));
        }
        assert!(Word::of_value(&"ä".repeat(LONGEST_WORD)).is_ok());
        let texts = [
            (
                Word::of_value("a\nb").unwrap_err(),
                "the character U+000A cannot stand in a configuration: control characters, line breaks and marks of direction are refused",
            ),
            (
                Word::of_value(&"ä".repeat(LONGEST_WORD + 1)).unwrap_err(),
                "more than 1024 characters cannot be one word of a configuration",
            ),
            (
                quote("a", Position::Comment).unwrap_err(),
                "a value cannot stand in a comment: comments are not part of a configuration",
            ),
        ];
        for (error, text) in texts {
            assert_eq!(error.to_string(), text);
        }
    }
}
