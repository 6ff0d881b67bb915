//! What a secret's word opens: the body of an element, a list or an object of JSON, a block in braces.
//!
//! Values are withheld, and what names or describes them is not.

use std::ops::Range;

use memchr::{memchr, memmem};

use super::forms::Forms;
use super::values::{closing, ends_string, mark, opening};
use super::words::{Word, is_name, is_value};
use super::{Kind, REACH, Secret};
use crate::bytes::{at, from, is_word, part, skip};

/// How long a tag is, from its name on.
const TAG_MOST: usize = 1024;
/// How many nodes of a body are looked at, and how deep lists and objects are.
const NODES_MOST: usize = 64;
const DEPTH_MOST: usize = 8;
const CDATA: &[u8] = b"<![CDATA[";

/// A piece of markup.
enum Markup {
    Cdata,
    /// A comment or an instruction, and where it ends.
    Passed(usize),
    Closing,
    Opening,
}

/// How long the sign is that opens a tag at a place: `<`, or escaped once or twice.
pub(super) fn less(text: &[u8], place: usize) -> Option<usize> {
    let rest = from(text, place);
    match rest.first() {
        Some(b'<') => Some(1),
        Some(b'&') if rest.starts_with(b"&lt;") => Some(4),
        Some(b'&') if rest.starts_with(b"&amp;lt;") => Some(8),
        _ => None,
    }
}

/// The first markup at or behind a place.
fn next_markup(reach: &[u8], place: usize) -> Option<usize> {
    let mut place = place;
    loop {
        place += memchr::memchr2(b'<', b'&', from(reach, place))?;
        if less(reach, place).is_some() {
            return Some(place);
        }
        place += 1;
    }
}

/// The end of a tag whose name ends at `end`: where its sign begins and where what is behind it does; and whether it
/// closes itself.
pub(super) fn tag_end(text: &[u8], end: usize) -> Option<(usize, usize, bool)> {
    let reach = part(text, 0, end + TAG_MOST);
    let mut place = end;
    let mut quote = None;
    while place < reach.len() {
        let rest = from(reach, place);
        let length = match (at(rest, 0), quote) {
            (byte @ (b'"' | b'\''), None) => {
                quote = Some(byte);
                0
            }
            (byte, Some(open)) if byte == open => {
                quote = None;
                0
            }
            (b'<', _) => return None,
            (b'>', None) => 1,
            (b'&', None) if rest.starts_with(b"&gt;") => 4,
            (b'&', None) if rest.starts_with(b"&amp;gt;") => 8,
            _ => 0,
        };
        if length > 0 {
            return Some((place, place + length, at(reach, place - 1) == b'/'));
        }
        place += 1;
    }
    None
}

/// The local name at a place, and where it ends.
pub(super) fn local(text: &[u8], start: usize) -> (&[u8], usize) {
    let reach = part(text, 0, start + 128);
    let is_part = |byte: u8| is_word(byte) || byte == b'-' || byte == b'.';
    let end = skip(reach, start, is_part);
    if at(text, end) != b':' {
        return (part(text, start, end), end);
    }
    let local_end = skip(reach, end + 1, is_part);
    (part(text, end + 1, local_end), local_end)
}

fn trimmed(text: &[u8], range: Range<usize>) -> Range<usize> {
    let start = skip(part(text, 0, range.end), range.start, |byte| byte.is_ascii_whitespace());
    start..start + part(text, start, range.end).trim_ascii_end().len()
}

impl Forms<'_> {
    /// The texts of an element's body that begins at `first`, and of the elements in it what is a value.
    pub(super) fn body(&mut self, first: usize, word: Word) {
        let text = self.text;
        let reach = part(text, 0, first + REACH);
        let (mut place, mut depth, mut name, mut has_text) = (first, 1_usize, &b""[..], false);
        // Those that only a body that ends makes one, and whether it did.
        let (mut likely, mut is_over): (Vec<Range<usize>>, bool) = (Vec::new(), false);
        for _ in 0..NODES_MOST {
            let markup = next_markup(reach, place);
            let mut piece = trimmed(reach, place..markup.unwrap_or(reach.len()));
            let outer = memmem::find(part(reach, piece.start, piece.end), b"]]>");
            // Nor further than the string of JSON that it stands in.
            let string = |within: &Range<usize>| string_end(text, within).filter(|_| self.kind == Kind::Json);
            let outer = string(&piece).map(|end| end - piece.start).or(outer);
            if let Some(outer) = outer {
                piece = trimmed(reach, piece.start..piece.start + outer);
            }
            let mut node = markup.map(|markup| (markup, kind_of(reach, markup)));
            let opened = node.as_ref().filter(|(_, kind)| matches!(kind, Markup::Cdata) && outer.is_none());
            let cdata = opened.map(|(markup, _)| {
                let start = markup + CDATA.len();
                start..memmem::find(from(reach, start), b"]]>").map_or(reach.len(), |end| start + end)
            });
            let cut = cdata.as_ref().and_then(string);
            let cdata = cdata.map(|cdata| cdata.start..cut.unwrap_or(cdata.end));
            if let (Some(markup), Some(cdata)) = (markup, &cdata) {
                node = Some((markup, Markup::Passed((cdata.end + 3).min(reach.len()))));
            }
            for piece in [Some(piece), cdata].into_iter().flatten().filter(|piece| !piece.is_empty()) {
                let spelled = part(reach, piece.start, piece.end);
                if depth == 1 {
                    has_text = true;
                    let is_none = match word {
                        Word::Community => is_of_bgp(spelled),
                        Word::Key => is_small(spelled),
                        Word::Sure | Word::Likely => false,
                    };
                    if !is_none {
                        self.push(piece);
                    }
                } else if word == Word::Community {
                    if depth == 2 && name == b"name" && !is_of_bgp(spelled) {
                        likely.push(piece);
                    }
                } else if is_value(name) {
                    self.push(piece);
                } else if word == Word::Sure && !is_name(name) {
                    likely.push(piece);
                }
            }
            let Some((markup, kind)) = node.filter(|_| outer.is_none() && cut.is_none()) else { break };
            let sign = less(reach, markup).unwrap_or(1);
            match kind {
                Markup::Cdata => break,
                Markup::Passed(end) => place = end,
                Markup::Closing => {
                    depth -= 1;
                    is_over = depth == 0;
                    let Some((_, end, _)) = tag_end(reach, markup + sign + 1).filter(|_| !is_over) else { break };
                    (name, place) = (&b""[..], end);
                }
                Markup::Opening => {
                    let (opened, end) = local(reach, markup + sign);
                    // A word in brackets in a sentence, with others behind it; a community of BGP.
                    if (depth == 1 && has_text) || (word == Word::Community && opened == b"members") {
                        return;
                    }
                    let Some((_, end, is_empty)) = tag_end(reach, end) else { break };
                    (name, place) = (opened, end);
                    depth += usize::from(!is_empty);
                    if depth > DEPTH_MOST {
                        return;
                    }
                }
            }
        }
        if is_over || word == Word::Community {
            likely.into_iter().for_each(|piece| self.push(piece));
        }
    }

    /// The values in the attributes between two places of a tag: `value="..."`.
    pub(super) fn attributes(&mut self, start: usize, end: usize) {
        let text = self.text;
        let mut place = start;
        while place < end {
            let name = skip(part(text, 0, end), place, |byte| !is_word(byte) && !matches!(byte, b'"' | b'\'' | b'&'));
            if let Some(mark) = mark(text, name) {
                // A value of which the name was passed.
                place = closing(self.kind, text, name + mark.length, mark) + mark.length;
                continue;
            }
            let (named, behind) = local(part(text, 0, end), name);
            let sign = skip(part(text, 0, end), behind, |byte| byte.is_ascii_whitespace());
            let quote = skip(part(text, 0, end), sign + 1, |byte| byte.is_ascii_whitespace());
            place = behind.max(name + 1);
            if at(text, sign) == b'='
                && let Some(mark) = mark(text, quote)
            {
                let first = quote + mark.length;
                let last = closing(self.kind, text, first, mark).min(end);
                if is_value(named) {
                    self.push(first..last);
                }
                place = last + mark.length;
            }
        }
    }

    /// The strings of a list or an object of JSON: all of a list, and of objects those that are values.
    pub(super) fn list(&mut self, start: usize, word: Word) {
        let text = self.text;
        let reach = part(text, 0, start + REACH);
        let mut depth = 0_usize;
        let mut place = start;
        let mut named: Option<&[u8]> = None;
        while place < reach.len() {
            if let Some(mark) = opening(self.kind, text, place) {
                let first = place + mark.length;
                let end = closing(self.kind, text, first, mark);
                place = end + mark.length;
                let is_withheld = match named {
                    None => true,
                    Some(b"name") if word == Word::Community => depth <= 2,
                    Some(named) if word == Word::Sure => !is_name(named),
                    Some(named) => is_value(named),
                };
                if at(text, skip(reach, place, |byte| byte.is_ascii_whitespace())) == b':' {
                    named = Some(part(text, first, end));
                } else if is_withheld {
                    self.push(first..end);
                }
                continue;
            }
            match at(text, place) {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                b',' => named = None,
                _ => {}
            }
            if depth == 0 || depth > DEPTH_MOST {
                return;
            }
            place += 1;
        }
    }

    /// The values beside a name in an object of JSON, `{"name": "password", "value": "..."}`, from `start` on.
    pub(super) fn beside(&mut self, start: usize) {
        const OBJECT_MOST: usize = 512;
        let text = self.text;
        let reach = part(text, 0, start + OBJECT_MOST);
        let mut depth = 0_usize;
        let mut place = start;
        let mut is_named = false;
        while place < reach.len() {
            if let Some(mark) = opening(self.kind, text, place) {
                let first = place + mark.length;
                let end = closing(self.kind, text, first, mark);
                place = end + mark.length;
                if at(text, skip(reach, place, |byte| byte.is_ascii_whitespace())) == b':' {
                    is_named = is_value(part(text, first, end));
                } else if is_named {
                    self.push(first..end);
                }
                continue;
            }
            match at(text, place) {
                b'[' | b'{' => depth += 1,
                b'}' | b']' if depth == 0 => return,
                b'}' | b']' => depth -= 1,
                b',' if depth == 0 => is_named = false,
                _ => {}
            }
            place += 1;
        }
    }

    /// The values of the statements in a block that was opened before `start`.
    pub(super) fn block(&mut self, start: usize, word: Word) {
        let text = self.text;
        let reach = part(text, 0, start + REACH);
        let mut likely: Vec<Range<usize>> = Vec::new();
        let (mut place, mut begun, mut depth) = (start, start, 1_usize);
        let mut quoted: Option<Range<usize>> = None;
        while place < reach.len() {
            if let Some(mark) = mark(text, place).filter(|_| at(text, place) != b'\'') {
                let first = place + mark.length;
                let end = closing(self.kind, text, first, mark);
                quoted = Some(first..end);
                place = end + mark.length;
                continue;
            }
            match at(text, place) {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                b';' => {
                    let statement = trimmed(text, begun..place);
                    let (name, _) = local(text, statement.start);
                    let last =
                        part(text, statement.start, statement.end).iter().rposition(|byte| byte.is_ascii_whitespace());
                    let bare = last.map(|last| statement.start + last + 1..statement.end);
                    if let Some(value) = quoted.take().or(bare).filter(|_| !is_name(name)) {
                        if is_value(name) {
                            self.push(value);
                        } else if word == Word::Sure {
                            likely.push(value);
                        }
                    }
                }
                _ => {
                    place += 1;
                    continue;
                }
            }
            place += 1;
            begun = place;
            quoted = None;
            if depth > DEPTH_MOST {
                return;
            }
            if depth == 0 {
                likely.into_iter().for_each(|value| self.push(value));
                return;
            }
        }
    }

    pub(super) fn push(&mut self, range: Range<usize>) {
        self.found.push(Secret { range, is_bare: false });
    }
}

/// Where a string of JSON ends within a piece.
fn string_end(text: &[u8], piece: &Range<usize>) -> Option<usize> {
    memchr::memchr_iter(b'"', part(text, piece.start, piece.end)).map(|mark| piece.start + mark).find(|&mark| {
        let head = part(text, piece.start, mark);
        let escapes = head.iter().rev().take(64).take_while(|byte| **byte == b'\\').count();
        escapes % 2 == 0 && ends_string(text, mark)
    })
}

fn kind_of(reach: &[u8], markup: usize) -> Markup {
    let rest = from(reach, markup);
    let passed =
        |end: &[u8], length| Markup::Passed(memmem::find(rest, end).map_or(reach.len(), |end| markup + end + length));
    let sign = less(reach, markup).unwrap_or(1);
    if rest.starts_with(CDATA) {
        Markup::Cdata
    } else if from(rest, sign).starts_with(b"!--") {
        let end: &[u8] = if sign == 1 { b"-->" } else { b"--&" };
        passed(end, if sign == 1 { 3 } else { 2 })
    } else if at(rest, sign) == b'?' {
        Markup::Passed(memchr(b'?', from(rest, sign + 1)).map_or(reach.len(), |end| markup + sign + 1 + end + 1))
    } else if at(rest, sign) == b'/' {
        Markup::Closing
    } else {
        Markup::Opening
    }
}

/// A community as routes have them: `65000:1`, `target:65000:1`, a well-known one.
pub(super) fn is_of_bgp(value: &[u8]) -> bool {
    let mut parts = value.split(|&byte| byte == b':');
    let is_named = [&b"target"[..], b"origin", b"large", b"no-export", b"no-advertise", b"llgr-stale"]
        .iter()
        .any(|name| value.starts_with(name));
    is_named || (value.contains(&b':') && parts.all(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit)))
}

/// A number of three digits: the name of a key.
pub(super) fn is_small(spelled: &[u8]) -> bool {
    spelled.len() <= 3 && !spelled.is_empty() && spelled.iter().all(u8::is_ascii_digit)
}
