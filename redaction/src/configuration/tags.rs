//! Tags and members, as far as configuration in XML and JSON is told by them.

use memchr::{memchr, memmem};

use super::vocabulary::is_configuration_name;
use crate::bytes::{at, from, part, skip};

/// How far the end of a tag is looked for; of a longer one the rest is withheld with what it opens.
pub(super) const TAG_MOST: usize = 4 * 1024;

/// Where a tag ends: at the first `>` that is not in quotes.
pub(super) fn tag_end(text: &[u8]) -> Option<usize> {
    let mut quote = None;
    for (place, &byte) in part(text, 0, TAG_MOST).iter().enumerate() {
        match (byte, quote) {
            (b'"' | b'\'', None) => quote = Some(byte),
            (_, Some(open)) if byte == open => quote = None,
            (b'>', None) => return Some(place),
            _ => {}
        }
    }
    None
}

/// The local name that a tag's text begins with.
pub(super) fn local(text: &[u8]) -> &[u8] {
    let end = skip(text, 0, is_name);
    if at(text, end) != b':' {
        return part(text, 0, end);
    }
    part(text, end + 1, skip(text, end + 1, is_name))
}

pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}

/// Whether the attribute `name` of a tag is that of a file of configuration.
pub(super) fn is_named_so(tag: &[u8]) -> bool {
    let Some(found) = memmem::find(tag, b"name") else { return false };
    let sign = skip(tag, found + 4, |byte| byte.is_ascii_whitespace());
    let quote = skip(tag, sign + 1, |byte| byte.is_ascii_whitespace());
    let name = from(tag, quote + 1);
    let end = memchr(at(tag, quote), name).unwrap_or(name.len());
    at(tag, sign) == b'=' && is_configuration_name(&String::from_utf8_lossy(part(name, 0, end)))
}

/// Where the value of a member begins, if it is an object or a list.
pub(super) fn member(text: &[u8]) -> Option<usize> {
    let colon = skip(text, 0, |byte| byte.is_ascii_whitespace());
    let value = skip(text, colon + 1, |byte| byte.is_ascii_whitespace());
    // Its value may stand on the next line.
    (at(text, colon) == b':' && (matches!(at(text, value), b'{' | b'[') || value == text.len())).then_some(value)
}

/// Whether a line goes on with a comparison.
pub(super) fn is_compared(line: &[u8]) -> bool {
    let bare = line.trim_ascii_start();
    (line.len() > bare.len() && !bare.is_empty())
        || matches!(at(bare, 0), b'+' | b'-' | b'!')
        || bare.starts_with(b"[edit")
}
