//! Characters: what XML 1.0 allows, references, names, line ends. No knowledge of bundles.

use super::error::Stop;
use super::fault::{Fault, Flaw, word};
use super::scan;

/// The longest reference that can mean something: `&#x` or `&#`, leading zeros, digits and `;`.
const REFERENCE: usize = 64;

/// Whether XML 1.0 allows the character (production 2).
pub(super) const fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// White space of XML (production 3).
pub(super) const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Whether it is one of [`SPACE`].
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Without the white space around it.
pub(super) fn trim(text: &str) -> &str {
    // White space is ASCII: looking at bytes is enough, and much faster than at characters.
    let bytes = text.as_bytes();
    let start = bytes.iter().take_while(|b| is_space(**b)).count();
    let end = bytes.iter().rposition(|b| !is_space(*b)).map_or(start, |last| last + 1);
    text.get(start..end).unwrap_or_default()
}

/// Refuses characters that XML forbids.
pub(super) fn check_characters(text: &str) -> Result<(), Stop> {
    if !scan::has_suspect(text.as_bytes()) {
        return Ok(());
    }
    match text.char_indices().find(|(_, c)| !is_allowed(*c)) {
        Some((at, c)) => Err(Stop::new(Fault::ControlCharacter(c.into()), at)),
        None => Ok(()),
    }
}

/// Whether it is a name (production 5).
pub(super) fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(first) if is_ascii_name_start(*first) => {
            bytes.iter().all(|b| is_ascii_name(*b)) || text.chars().all(is_name_char)
        }
        Some(first) if !first.is_ascii() => {
            text.chars().next().is_some_and(is_name_start) && text.chars().all(is_name_char)
        }
        _ => false,
    }
}

pub(super) const fn is_ascii_name_start(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':')
}

/// Which bytes may stand in an ASCII name: a table, as every byte of every name asks.
#[expect(clippy::indexing_slicing, reason = "a constant: an index out of bounds does not compile")]
static IS_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut rest: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:-.";
    while let [byte, tail @ ..] = rest {
        table[*byte as usize] = true;
        rest = tail;
    }
    table
};

pub(super) fn is_ascii_name(byte: u8) -> bool {
    IS_NAME.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Production 4.
const fn is_name_start(c: char) -> bool {
    matches!(c,
        'a'..='z' | 'A'..='Z' | '_' | ':'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// Production 4a.
const fn is_name_char(c: char) -> bool {
    is_name_start(c) || matches!(c, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// The part of a name behind its prefix.
pub(super) fn local(name: &str) -> &str {
    match name.bytes().position(|b| b == b':') {
        Some(colon) => name.get(colon + 1..).unwrap_or_default(),
        None => name,
    }
}

/// Reads the reference that begins `text` with `&`; `at` is its place. Returns what it means and
/// its length.
pub(super) fn reference(text: &str, at: usize) -> Result<(char, usize), Stop> {
    let flaw = |flaw| Stop::new(Fault::NotWellFormed(flaw), at);
    let is_body = |b: &u8| b.is_ascii_alphanumeric() || !b.is_ascii() || matches!(b, b'#' | b'_' | b'-' | b'.' | b':');
    let length = text.bytes().skip(1).take(REFERENCE).take_while(is_body).count();
    let name = text.get(1..=length).unwrap_or_default();
    match text.as_bytes().get(1 + length) {
        Some(b';') if length > 0 => {}
        None => return Err(Stop::new(Fault::Truncated(None), text.len() + at)),
        _ => return Err(flaw(Flaw::Ampersand)),
    }
    let meaning = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => match name.strip_prefix('#') {
            Some(number) => character(number, name).map_err(|fault| Stop::new(fault, at))?,
            None if is_name(name) => return Err(flaw(Flaw::UndefinedEntity(word(name)))),
            None => return Err(flaw(Flaw::Ampersand)),
        },
    };
    Ok((meaning, length + 2))
}

/// The character of the number behind `&#`.
fn character(number: &str, name: &str) -> Result<char, Fault> {
    let unreadable = || Fault::NotWellFormed(Flaw::CharacterReference(word(name)));
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(unreadable());
    }
    let code = u32::from_str_radix(digits, radix).map_err(|_| unreadable())?;
    match char::from_u32(code) {
        Some(c) if is_allowed(c) => Ok(c),
        None if code > 0x10_FFFF => Err(unreadable()),
        _ => Err(Fault::ControlCharacter(code)),
    }
}
