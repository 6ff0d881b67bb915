//! Values: where they begin and end, in quotation marks of every kind or bare.

use std::ops::Range;

use memchr::{memchr, memmem, memrchr2};

use super::{Kind, REACH};
use crate::bytes::{at, before, from, looked_at, part, skip};

/// How long a value in quotes is at most: without an end within it, it ends with its line.
const QUOTED_MOST: usize = 16 * 1024;
/// How long a tag is that ends what is in quotes.
const TAG_MOST: usize = 256;
/// How far back a tag is looked for that a place stands in.
const BACK: usize = 1024;
/// The most backslashes before a quotation mark: JSON in JSON in JSON.
const ESCAPES_MOST: usize = 15;
const LESS: &[u8] = b"&lt;";
const ENTITIES: [&[u8]; 8] = [b"quot;", b"apos;", b"#34;", b"#39;", b"#x22;", b"#x27;", b"amp;quot;", b"amp;apos;"];

/// A quotation mark: plain, escaped in JSON as often as may be, or a reference of XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) length: usize,
    byte: u8,
}

/// The quotation mark at a place.
pub(super) fn mark(text: &[u8], place: usize) -> Option<Mark> {
    match at(text, place) {
        byte @ (b'"' | b'\'') => Some(Mark { length: 1, byte }),
        b'\\' => {
            let end = skip(part(text, 0, place + ESCAPES_MOST + 1), place, |byte| byte == b'\\');
            let byte = at(text, end);
            matches!(byte, b'"' | b'\'').then_some(Mark { length: end + 1 - place, byte })
        }
        b'&' => {
            let name = from(text, place + 1);
            let entity = ENTITIES.iter().find(|entity| name.starts_with(entity))?;
            Some(Mark { length: 1 + entity.len(), byte: b'&' })
        }
        _ => None,
    }
}

/// The quotation mark that ends at a place, and where it begins.
pub(super) fn mark_before(text: &[u8], end: usize) -> Option<(usize, Mark)> {
    let last = before(text, end);
    if matches!(last, b'"' | b'\'') {
        let lowest = end.saturating_sub(ESCAPES_MOST + 1);
        let escapes = part(text, lowest, end - 1).iter().rev().take_while(|byte| **byte == b'\\').count();
        return Some((end - 1 - escapes, Mark { length: escapes + 1, byte: last }));
    }
    if last != b';' {
        return None;
    }
    let head = part(text, end.saturating_sub(16), end);
    let sign = head.iter().rposition(|&byte| byte == b'&')?;
    let start = end - (head.len() - sign);
    mark(text, start).filter(|mark| start + mark.length == end).map(|mark| (start, mark))
}

/// The quotation mark that a value begins with. A single one is an apostrophe where nothing closes it on its line.
pub(super) fn opening(kind: Kind, text: &[u8], place: usize) -> Option<Mark> {
    let mark = mark(text, place)?;
    if mark.byte == b'\'' {
        let start = place + mark.length;
        let end = closing(kind, text, start, mark);
        let is_closed = self::mark(text, end).is_some() && memchr(b'\n', part(text, start, end)).is_none();
        return is_closed.then_some(mark);
    }
    Some(mark)
}

/// Where a value in such quotation marks ends: at their like, where the text of XML does that it stands in, or with its
/// line where that is far away.
pub(super) fn closing(kind: Kind, text: &[u8], start: usize, mark: Mark) -> usize {
    let reach = part(text, start, start + QUOTED_MOST);
    let end = if mark.byte == b'&' {
        memmem::find(reach, part(text, start - mark.length, start))
    } else {
        closed(reach, mark)
    };
    // Without its like it ends with its line.
    let end = end.unwrap_or_else(|| memchr(b'\n', reach).unwrap_or(reach.len()));
    looked_at(end);
    start + if kind == Kind::Xml { within(part(reach, 0, end), mark.byte == b'&').len() } else { end }
}

/// The first mark of the same depth of escapes, or of a lesser one: that ends what is around.
fn closed(reach: &[u8], mark: Mark) -> Option<usize> {
    let escapes = mark.length - 1;
    let mut place = 0;
    while let Some(more) = memchr(mark.byte, from(reach, place)) {
        let end = place + more;
        let before = part(reach, 0, end).iter().rev().take(64).take_while(|byte| **byte == b'\\').count();
        if mark.byte == b'\'' && escapes == 0 && at(reach, end + 1) == b'\'' {
            // Doubled in YAML.
            place = end + 2;
            continue;
        }
        if before < escapes || before % (2 * (escapes + 1)) == escapes {
            return Some(end - before.min(escapes));
        }
        place = end + 1;
    }
    None
}

/// As much as lies in one text of XML: to the end of its CDATA section, or the next tag.
fn within(reach: &[u8], is_escaped: bool) -> &[u8] {
    let reach = part(reach, 0, memmem::find(reach, b"]]>").unwrap_or(reach.len()));
    let mut place = 0;
    while let Some(more) = memchr(b'<', from(reach, place)) {
        let start = place + more;
        let next = at(reach, start + 1);
        let is_tag = next == b'/' || next.is_ascii_alphabetic();
        if is_escaped || (is_tag && memchr(b'>', part(reach, start, start + TAG_MOST)).is_some()) {
            return part(reach, 0, start);
        }
        place = start + 1;
    }
    reach
}

/// The value at a place: in quotes, or up to the next blank.
pub(super) fn value(kind: Kind, text: &[u8], place: usize) -> Range<usize> {
    if let Some(mark) = opening(kind, text, place) {
        let start = place + mark.length;
        return start..closing(kind, text, start, mark);
    }
    bare(text, place, false)
}

/// A value without quotes: up to the next blank, or to the end of its line.
pub(super) fn bare(text: &[u8], place: usize, is_line: bool) -> Range<usize> {
    let reach = part(text, place, place + REACH);
    let mut end = 0;
    while let Some(&byte) = reach.get(end) {
        let rest = from(reach, end);
        let is_end = match byte {
            b'<' | b'"' | b'\\' => true,
            b'&' => [b"&quot;", LESS, b"&#10;", b"&amp;quot;", b"&amp;lt;", b"&apos;"]
                .iter()
                .any(|escaped| rest.starts_with(escaped)),
            b']' => rest.starts_with(b"]]>"),
            b';' | b',' if is_line => rest.get(1).is_none_or(|next| b"\r\n\"<\\&".contains(next)),
            b';' | b',' => rest.get(1).is_none_or(|next| next.is_ascii_whitespace() || b"\"<\\&".contains(next)),
            b' ' | b'\t' => !is_line,
            _ => byte.is_ascii_whitespace(),
        };
        if is_end {
            break;
        }
        end += 1;
    }
    place..place + part(reach, 0, end).trim_ascii_end().len()
}

/// Whether a place stands within a tag of XML: there a plain quotation mark ends an attribute.
pub(super) fn is_in_tag(text: &[u8], place: usize) -> bool {
    let lowest = place.saturating_sub(BACK);
    let head = part(text, lowest, place);
    memrchr2(b'<', b'>', head).is_some_and(|last| at(head, last) == b'<' && at(head, last + 1).is_ascii_alphabetic())
}

/// Whether a quotation mark at a place ends the string of JSON that stands before it.
pub(crate) fn ends_string(text: &[u8], place: usize) -> bool {
    let behind = skip(part(text, 0, place + TAG_MOST), place + 1, |byte| byte.is_ascii_whitespace());
    at(text, place) == b'"' && matches!(at(text, behind), b',' | b'}' | b']' | b':' | 0)
}

/// Where the attribute or the comment ends within a value whose word stands at `start` in it.
pub(super) fn markup_end(text: &[u8], start: usize, value: &Range<usize>) -> Option<usize> {
    let lowest = start.saturating_sub(BACK);
    let head = part(text, lowest, start);
    let spelled = part(text, value.start, value.end);
    looked_at(head.len());
    if let Some(comment) = memmem::rfind(head, b"<!--")
        && memmem::find(from(head, comment), b"-->").is_none()
    {
        return memmem::find(spelled, b"-->").map(|end| value.start + end);
    }
    if !is_in_tag(text, start) {
        return None;
    }
    let tag = memrchr2(b'<', b'>', head)?;
    let mut opened = None;
    for &byte in from(head, tag) {
        match opened {
            None if matches!(byte, b'"' | b'\'') => opened = Some(byte),
            Some(mark) if mark == byte => opened = None,
            _ => {}
        }
    }
    let ends = |mark: &usize| {
        let next = at(text, value.start + mark + 1);
        next.is_ascii_whitespace() || matches!(next, b'/' | b'>' | b'?')
    };
    memchr::memchr_iter(opened?, part(text, value.start, value.end + 1)).find(ends).map(|end| value.start + end)
}
