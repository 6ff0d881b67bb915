//! Private keys in the armour of RFC 7468, on lines of their own or escaped on one line.

use std::ops::Range;

use memchr::memmem;

use crate::bytes::{begins, from, part, skip};

use super::REACH;

/// The longest name in the armour: `ENCRYPTED PRIVATE KEY` and the like.
const NAME_MOST: usize = 64;
const LAST: &[u8] = b"PRIVATE KEY-----";
const BEGIN: &[u8] = b"-----BEGIN";

/// What lies between the armour's lines, where it is that of a private key. Where its end is missing, as far as it
/// looks like one.
pub(super) fn body(text: &[u8], start: usize) -> Option<Range<usize>> {
    if !begins(from(text, start), BEGIN) {
        return None;
    }
    let head = part(text, start + BEGIN.len(), start + BEGIN.len() + NAME_MOST);
    let name = memmem::find(head, LAST)?;
    if !head.iter().take(name).all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ') {
        return None;
    }
    let first = start + BEGIN.len() + name + LAST.len();
    let reach = part(text, 0, first + REACH);
    let end = match memmem::find(from(reach, first), b"-----END") {
        Some(end) => first + end,
        None => reach.len(),
    };
    // The body's own alphabet, its headers, and line ends as they are escaped in JSON and XML.
    let end = first + skip(part(text, first, end), 0, |byte| byte.is_ascii_alphanumeric() || is_other(byte));
    (end > first).then_some(first..end)
}

fn is_other(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"+/=\\:,-&#;".contains(&byte)
}
