//! Private keys: in the armour of RFC 7468 and its relatives (OpenPGP, SSH2), on lines of their own, escaped on one line,
//! or in whatever a log, a mail or a list puts before each line; and those of PuTTY.

use std::ops::Range;

use memchr::{memchr, memmem};

use crate::bytes::{at, before, from, part, skip};

use super::{BACK, REACH, line_of};

/// The longest name in the armour: `ENCRYPTED PRIVATE KEY` and the like.
const NAME_MOST: usize = 64;
/// The shortest line of a body that goes on.
const LINE_LEAST: usize = 32;
const NAME: &[u8] = b"PRIVATE KEY";
const BLOCK: &[u8] = b" BLOCK";
const BEGIN: &[u8] = b"BEGIN ";
const END: &[u8] = b"END ";

/// What lies between the armour's lines, where it is that of a private key; `start` is that of `BEGIN`. Where its end is
/// missing, as far as it looks like one.
pub(super) fn body(text: &[u8], start: usize) -> Option<Range<usize>> {
    if !matches!(before(text, start), b'-' | b' ') {
        return None;
    }
    let first = name_end(text, start + BEGIN.len())?;
    let reach = part(text, 0, first + REACH);
    // Something else begins before its end does: this one was cut off.
    let next = memmem::find_iter(from(reach, first), BEGIN)
        .map(|begin| first + begin)
        .find(|&begin| skip_back(text, begin) < begin)
        .map(|begin| skip_back(text, begin).max(first));
    let reach = part(reach, 0, next.unwrap_or(reach.len()));
    for end in memmem::find_iter(from(reach, first), END) {
        let end = first + end;
        let sign = skip_back(text, end);
        if sign < end && name_end(text, end + END.len()).is_some() && sign > first {
            return Some(first..sign);
        }
    }
    // The body's own alphabet, its headers, and line ends as they are escaped in JSON and XML.
    let alike = part(reach, 0, memmem::find(from(reach, first), b"-----END").map_or(reach.len(), |end| first + end));
    let alike = skip(alike, first, |byte| byte.is_ascii_alphanumeric() || is_other(byte));
    let end = without_escapes(text, first, alike.max(lines(reach, first)));
    (end > first).then_some(first..end)
}

/// Where the dashes end behind the name of a private key that begins at a place.
fn name_end(text: &[u8], start: usize) -> Option<usize> {
    let head = part(text, start, start + NAME_MOST);
    let name = memmem::find(head, NAME)?;
    if !part(head, 0, name).iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ') {
        return None;
    }
    let mut end = start + name + NAME.len();
    if from(text, end).starts_with(BLOCK) {
        end += BLOCK.len();
    }
    let dashes = skip(text, end, |byte| byte == b' ');
    let behind = skip(part(text, 0, dashes + 8), dashes, |byte| byte == b'-');
    (behind > dashes).then_some(behind)
}

/// Where the dashes before a place begin; the place itself where there are none.
fn skip_back(text: &[u8], place: usize) -> usize {
    let head = part(text, place.saturating_sub(8), place);
    place - head.iter().rev().take_while(|byte| **byte == b'-' || **byte == b' ').count()
}

/// Where a body ends of whose lines each has something before it: at the first line whose last word is none of one, or
/// behind a short one, which is the last.
fn lines(reach: &[u8], first: usize) -> usize {
    let mut end = first + memchr(b'\n', from(reach, first)).unwrap_or(0);
    let mut passed = first;
    while at(reach, end) == b'\n' {
        let line = end + 1;
        end = line + memchr(b'\n', from(reach, line)).unwrap_or(reach.len().saturating_sub(line));
        let spelled = part(reach, line, end).trim_ascii_end();
        let word = spelled.iter().rposition(|byte| byte.is_ascii_whitespace() || b">|:\"'".contains(byte));
        let word = from(spelled, word.map_or(0, |last| last + 1));
        let is_header = memmem::find(spelled, b": ").is_some()
            && [&b"Proc-Type"[..], b"DEK-Info", b"Version", b"Comment", b"Subject", b"Hash", b"Charset"]
                .iter()
                .any(|name| memmem::find(spelled, name).is_some());
        let is_body = word.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
        if !is_header && !is_body {
            break;
        }
        passed = end;
        if !is_header && !word.is_empty() && word.len() < LINE_LEAST {
            break;
        }
    }
    passed
}

fn is_other(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"+/=\\:,-&#;".contains(&byte)
}

/// The lines behind `Private-Lines:`, whose place this is: up to what PuTTY signs a key with, or as many as it says.
pub(super) fn of_putty(text: &[u8], start: usize) -> Option<Range<usize>> {
    const NAME: &[u8] = b"Private-Lines:";
    let digits = skip(text, start + NAME.len(), |byte| byte == b' ');
    let first = skip(part(text, 0, digits + 8), digits, |byte| byte.is_ascii_digit());
    let count: usize = std::str::from_utf8(part(text, digits, first)).ok()?.parse().ok()?;
    let reach = part(text, 0, first + REACH);
    // On one line, in a string of JSON: no further than that.
    let is_escaped = at(reach, first) == b'\\';
    let reach = if is_escaped { part(reach, 0, string_end(reach, first)) } else { reach };
    if let Some(end) = memmem::find(from(reach, first), b"Private-").filter(|end| *end > 0) {
        let end = first + end;
        // What stands before each line stays with the last one.
        let line = line_of(text, end).max(first);
        return Some(first..if end - line < BACK { line.max(first) } else { end }).filter(|range| !range.is_empty());
    }
    let line_end: &[u8] = if is_escaped { b"\\n" } else { b"\n" };
    let last = memmem::find_iter(from(reach, first), line_end).nth(count).unwrap_or(reach.len() - first);
    Some(first..first + last)
}

/// Where a string of JSON ends, with its line at the latest, and the backslashes before its mark.
fn string_end(reach: &[u8], first: usize) -> usize {
    let end = first + memchr::memchr2(b'"', b'\n', from(reach, first)).unwrap_or(reach.len() - first);
    without_escapes(reach, first, end)
}

/// The end of what is withheld without the backslashes of a quotation mark behind it.
fn without_escapes(text: &[u8], first: usize, end: usize) -> usize {
    let escapes = part(text, first, end).iter().rev().take_while(|byte| **byte == b'\\').count();
    if at(text, end) == b'"' { end - escapes } else { end }
}
