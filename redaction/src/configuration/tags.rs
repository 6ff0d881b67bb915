//! Tags, members and strings, as far as configuration in XML and JSON is told by them.

use memchr::{memchr, memchr_iter, memchr2, memmem};

use super::vocabulary::is_configuration_name;
use crate::bytes::{at, from, looked_at, part, skip};
use crate::secrets::ends_string;

/// How far the end of a tag is looked for; of a longer one the rest is withheld with what it opens.
pub(super) const TAG_MOST: usize = 4 * 1024;

/// Where a tag ends: at the first `>` that is not in quotes, before any other begins.
pub(super) fn tag_end(text: &[u8]) -> Option<usize> {
    let mut quote = None;
    for (place, &byte) in part(text, 0, TAG_MOST).iter().enumerate().skip(1) {
        looked_at(1);
        match (byte, quote) {
            (b'<', _) => return None,
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

/// Whether an attribute of a tag names a file of configuration.
pub(super) fn is_named_so(tag: &[u8]) -> bool {
    const NAMES: [&[u8]; 12] = [
        b"name",
        b"filename",
        b"file-name",
        b"file_name",
        b"file",
        b"path",
        b"source",
        b"src",
        b"href",
        b"url",
        b"location",
        b"title",
    ];
    let mut place = 0;
    while let Some(sign) = memchr(b'=', from(tag, place)) {
        let sign = place + sign;
        let head = part(tag, place, sign).trim_ascii_end();
        let name = from(head, head.iter().rposition(|&byte| !is_name(byte)).map_or(0, |last| last + 1));
        let quote = skip(tag, sign + 1, |byte| byte.is_ascii_whitespace());
        place = sign + 1;
        if matches!(at(tag, quote), b'"' | b'\'') {
            let value = from(tag, quote + 1);
            let value = part(value, 0, memchr(at(tag, quote), value).unwrap_or(value.len()));
            place = quote + value.len() + 2;
            let is_one = NAMES.iter().any(|known| name.eq_ignore_ascii_case(known));
            if is_one && is_configuration_name(&String::from_utf8_lossy(value)) {
                return true;
            }
        }
    }
    false
}

/// Whether a tag that a text begins with opens data of a model of configuration, by its namespace.
pub(super) fn is_of_a_model(text: &[u8]) -> bool {
    let tag = part(text, 1, TAG_MOST);
    let tag = part(tag, 0, memchr2(b'<', b'>', tag).unwrap_or(tag.len()));
    let has = |what: &[u8]| memmem::find(tag, what).is_some();
    has(b"xmlns") && (has(b"/conf/") || has(b"openconfig.net/yang") || has(b":yang:ietf-"))
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

/// Whether a line is one string of JSON, alone.
pub(super) fn is_string(line: &[u8]) -> bool {
    let bare = line.trim_ascii();
    let bare = bare.strip_suffix(b",").unwrap_or(bare);
    let inner = bare.strip_prefix(b"\"").and_then(|bare| bare.strip_suffix(b"\""));
    inner.is_some_and(|inner| memchr(b'"', inner).is_none())
}

/// Where the string of JSON ends that a command within `text` stands in, which goes on at `end`.
pub(super) fn string_end(text: &[u8], command: usize, end: usize) -> Option<usize> {
    let is_mark = |mark: &usize| {
        let escapes = part(text, 0, *mark).iter().rev().take(64).take_while(|byte| **byte == b'\\').count();
        escapes % 2 == 0
    };
    let opened = memchr_iter(b'"', part(text, 0, command)).filter(is_mark).count();
    let mut marks = memchr_iter(b'"', from(text, end)).map(|mark| end + mark).filter(is_mark);
    marks.next().filter(|&mark| opened % 2 == 1 && ends_string(text, mark))
}
