//! How long texts and lists of commands may be.

/// The longest name of an owner, in characters.
pub const OWNER_MOST: usize = 200;
/// The longest note or annotation, in characters.
pub const NOTE_MOST: usize = 4096;
/// The longest text of a case, in characters.
pub const CASE_TEXT_MOST: usize = 32 * 1024;
/// The longest case id, and the longest word for a case's status, in characters.
pub const CASE_WORD_MOST: usize = 64;
/// The longest reference of a case, in characters.
pub const CASE_REFERENCE_MOST: usize = 128;
/// The longest address of an organization, in characters.
pub const ADDRESS_MOST: usize = 1_000;
/// The longest link to a case, in characters.
pub const CASE_LINK_MOST: usize = 2048;
/// The longest name of what a case is about, in characters: that of a field of a bundle's manifest.
pub const DETAIL_MOST: usize = 64 * 1024;
/// How many may be told of a case, and how many device groups or hosts of one there may be.
pub const LIST_MOST: usize = 1000;

/// What of a command is beyond its bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` {message}", pointer.trim_start_matches('/'))]
pub struct Fault {
    /// The JSON pointer of what is wrong (RFC 6901), within the verb's own value.
    pub pointer: String,
    /// What is wrong with it.
    pub message: String,
}

impl Fault {
    pub(crate) fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// A text of one line.
pub(crate) fn label(pointer: &str, value: &str, most: usize) -> Result<(), Fault> {
    if value.chars().any(char::is_control) {
        return Err(Fault::new(pointer, "has control characters"));
    }
    text(pointer, value, most)
}

pub(crate) fn text(pointer: &str, value: &str, most: usize) -> Result<(), Fault> {
    if value.chars().count() > most {
        return Err(Fault::new(pointer, format!("has more than {most} characters")));
    }
    match value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        true => Err(Fault::new(pointer, "has control characters")),
        false => Ok(()),
    }
}

pub(crate) fn list<T>(pointer: &str, items: &[T]) -> Result<(), Fault> {
    match items.len() > LIST_MOST {
        true => Err(Fault::new(pointer, format!("has more than {LIST_MOST} entries"))),
        false => Ok(()),
    }
}

/// A SHA-256 in lower-case hexadecimal.
pub(crate) fn hash(pointer: &str, value: &str) -> Result<(), Fault> {
    match value.len() == 64 && value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        true => Ok(()),
        false => Err(Fault::new(pointer, "is no SHA-256 in lower-case hexadecimal")),
    }
}
