//! Where the secret stands that a word announces: in a statement, an element, a member of JSON, or behind `=`.

use std::ops::Range;

use memchr::{memchr, memmem};

use super::words::{BETWEEN, STATEMENTS, Word, word};
use super::{REACH, first_word, line_of};
use crate::bytes::{at, before, begins, from, is_blank, is_word, part, skip};

/// How long a tag is, from the word in it.
const TAG_MOST: usize = 1024;
/// How long a value in quotes is at most: without an end within it, it ends with its line.
const QUOTED_MOST: usize = 16 * 1024;
/// How far back the block is looked for that a statement stands in.
const BLOCK_BACK: usize = 512;

/// How many words stand between a word and its value.
const BETWEEN_MOST: usize = 6;
/// How deep lists and objects are looked into.
const LIST_DEPTH_MOST: usize = 8;

const QUOTE: &[u8] = b"&quot;";
const LESS: &[u8] = b"&lt;";
const GREATER: &[u8] = b"&gt;";
const CDATA: &[u8] = b"<![CDATA[";

/// Judges the word in which a stem stands, and adds the secrets behind it; the place up to which nothing needs another
/// look.
pub(super) fn judge(text: &[u8], stem: Range<usize>, found: &mut Vec<Range<usize>>) -> usize {
    let is_part = |byte: u8| is_word(byte) || byte == b'-';
    // A stem with blanks around it names its word without them.
    let inner = skip(text, stem.start, is_blank);
    let lowest = inner.saturating_sub(64);
    let start = lowest + part(text, lowest, inner).iter().rposition(|&byte| !is_part(byte)).map_or(0, |last| last + 1);
    let end = skip(part(text, 0, inner + 64), inner, is_part);
    let Some(word) = word(part(text, start, end)) else { return stem.end.max(start) };
    let lead = Lead::before(text, start);
    match lead {
        Lead::Closing => {}
        Lead::Tag => element(text, end, word, found),
        Lead::Quoted | Lead::Plain => {
            if !member(text, end, word, lead, found)
                && let Some(value) = statement(text, start, end, word)
            {
                found.push(value);
            }
        }
    }
    end
}

/// What stands before a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lead {
    /// `<word` or `<prefix:word`, also escaped.
    Tag,
    /// `</word`.
    Closing,
    /// `"word`.
    Quoted,
    Plain,
}

impl Lead {
    fn before(text: &[u8], start: usize) -> Self {
        let mut start = start;
        if before(text, start) == b':' {
            let prefix = part(text, start.saturating_sub(32), start - 1);
            start -= 1 + prefix.iter().rev().take_while(|byte| is_word(**byte) || **byte == b'-').count();
        }
        let head = part(text, 0, start);
        match before(text, start) {
            b'<' => Self::Tag,
            b'/' if head.ends_with(b"</") || head.ends_with(b"&lt;/") => Self::Closing,
            b'"' => Self::Quoted,
            b';' if head.ends_with(LESS) => Self::Tag,
            b';' if head.ends_with(QUOTE) => Self::Quoted,
            _ => Self::Plain,
        }
    }
}

/// The end of a tag whose name ends at `end`, behind its `>`; none where it closes itself.
fn tag_end(text: &[u8], end: usize) -> Option<usize> {
    let reach = part(text, end, end + TAG_MOST);
    let plain = memchr(b'>', reach).map(|place| (place, 1));
    let escaped = memmem::find(reach, GREATER).map(|place| (place, GREATER.len()));
    let (place, length) = match (plain, escaped) {
        (Some(plain), Some(escaped)) => plain.min(escaped),
        (one, other) => one.or(other)?,
    };
    (!part(reach, 0, place).ends_with(b"/")).then_some(end + place + length)
}

/// The text from `start` to the next tag, or that of the CDATA section it is; without blanks around it.
fn text_of(text: &[u8], start: usize) -> Range<usize> {
    let start = skip(text, start, |byte| byte.is_ascii_whitespace());
    if from(text, start).starts_with(CDATA) {
        let first = start + CDATA.len();
        let reach = part(text, first, first + REACH);
        return first..first + memmem::find(reach, b"]]>").unwrap_or(reach.len());
    }
    let reach = part(text, start, start + REACH);
    let mut end = memchr(b'<', reach).unwrap_or(reach.len());
    if let Some(escaped) = memmem::find(part(reach, 0, end), LESS) {
        end = escaped;
    }
    let trimmed = part(reach, 0, end).trim_ascii_end().len();
    start..start + trimmed
}

/// The text of an element; of `community` that of its `name`, unless it is one of BGP.
fn element(text: &[u8], end: usize, word: Word, found: &mut Vec<Range<usize>>) {
    if word == Word::Key {
        return;
    }
    let Some(first) = tag_end(text, end) else { return };
    let mut value = text_of(text, first);
    if word == Word::Community {
        if value.is_empty() {
            let opening = skip(text, value.start, |byte| byte.is_ascii_whitespace());
            let name = from(text, opening);
            let length = if name.starts_with(LESS) { LESS.len() } else { 1 };
            if !from(name, length).starts_with(b"name") {
                return;
            }
            let Some(first) = tag_end(text, opening + length) else { return };
            value = text_of(text, first);
            let behind = part(text, value.end, value.end + 64);
            if memmem::find(behind, b"<members").is_some() || memmem::find(behind, b"&lt;members").is_some() {
                return;
            }
        }
        if is_of_bgp(part(text, value.start, value.end)) {
            return;
        }
    }
    if !value.is_empty() {
        found.push(value);
    }
}

/// A community as routes have them: `65000:1`, `target:65000:1`, a well-known one.
fn is_of_bgp(value: &[u8]) -> bool {
    let mut parts = value.split(|&byte| byte == b':');
    let is_named = [&b"target"[..], b"origin", b"large", b"no-export", b"no-advertise", b"llgr-stale"]
        .iter()
        .any(|name| value.starts_with(name));
    is_named || (value.contains(&b':') && parts.all(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit)))
}

/// `"word": "value"`, a list of such, and `word=value`; whether it is of that form.
fn member(text: &[u8], end: usize, word: Word, lead: Lead, found: &mut Vec<Range<usize>>) -> bool {
    let mut place = end;
    let closing = quote(text, place);
    if lead == Lead::Quoted {
        let Some(length) = closing else { return false };
        place += length;
    }
    place = skip(text, place, is_blank);
    let sign = at(text, place);
    let is_assigned = sign == b':' || (sign == b'=' && lead == Lead::Plain);
    if !is_assigned || word == Word::Key || at(text, place + 1) == sign {
        return false;
    }
    place =
        skip(text, place + 1, |byte| if lead == Lead::Quoted { byte.is_ascii_whitespace() } else { is_blank(byte) });
    if lead == Lead::Quoted && matches!(at(text, place), b'[' | b'{') {
        list(text, place, word, found);
        return true;
    }
    let value = value(text, place);
    if word != Word::Community || !is_of_bgp(part(text, value.start, value.end)) {
        found.push(value);
    }
    true
}

/// The strings of a list or an object of JSON: all of a list, and of objects what is called `data`, or of communities
/// `name`.
fn list(text: &[u8], start: usize, word: Word, found: &mut Vec<Range<usize>>) {
    let reach = start + REACH;
    let mut depth = 0_usize;
    let mut place = start;
    let mut named: &[u8] = b"";
    let mut is_named = false;
    while place < reach.min(text.len()) {
        match at(text, place) {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            b',' => is_named = false,
            b'"' => {
                let end = skip_quoted(text, place + 1, b"\"");
                let string = place + 1..end;
                place = end;
                if at(text, skip(text, end + 1, |byte| byte.is_ascii_whitespace())) == b':' {
                    (named, is_named) = (part(text, string.start, string.end), true);
                } else if !is_named || named == b"data" || (word == Word::Community && depth <= 2 && named == b"name") {
                    found.push(string);
                }
            }
            _ => {}
        }
        if depth == 0 || depth > LIST_DEPTH_MOST {
            return;
        }
        place += 1;
    }
}

/// How long the quotation mark at a place is, plain, escaped in JSON or in XML.
fn quote(text: &[u8], place: usize) -> Option<usize> {
    let text = from(text, place);
    match text.first() {
        Some(b'"') => Some(1),
        Some(b'\\') if text.starts_with(b"\\\"") => Some(2),
        Some(b'&') if text.starts_with(QUOTE) => Some(QUOTE.len()),
        _ => None,
    }
}

/// Where a value in such quotation marks ends: at their like, or with its line where that is far away.
fn skip_quoted(text: &[u8], start: usize, mark: &[u8]) -> usize {
    let reach = part(text, start, start + QUOTED_MOST);
    let mut place = 0;
    while let Some(more) = memmem::find(from(reach, place), mark) {
        let end = place + more;
        let escapes = part(reach, 0, end).iter().rev().take_while(|byte| **byte == b'\\').count();
        if mark != b"\"" || escapes % 2 == 0 {
            return start + end;
        }
        place = end + mark.len();
    }
    start + memchr(b'\n', reach).unwrap_or(reach.len())
}

/// The value at a place: in quotes, or up to the next blank.
fn value(text: &[u8], place: usize) -> Range<usize> {
    if let Some(length) = quote(text, place) {
        let start = place + length;
        let mark = part(text, place, start);
        return start..skip_quoted(text, start, mark);
    }
    let reach = part(text, place, place + REACH);
    let mut end = 0;
    while let Some(&byte) = reach.get(end) {
        let rest = from(reach, end);
        let is_end = match byte {
            b'<' | b'"' | b'\\' => true,
            b'&' => [QUOTE, LESS, b"&#10;"].iter().any(|escaped| rest.starts_with(escaped)),
            b']' => rest.starts_with(b"]]>"),
            b';' | b',' => rest.get(1).is_none_or(|next| next.is_ascii_whitespace() || b"\"<\\&".contains(next)),
            _ => byte.is_ascii_whitespace(),
        };
        if is_end {
            break;
        }
        end += 1;
    }
    place..place + end
}

/// The value in a statement, `word value;` or `set ... word value`.
fn statement(text: &[u8], start: usize, end: usize, word: Word) -> Option<Range<usize>> {
    if !is_blank(at(text, end)) {
        return None;
    }
    let mut value = value(text, skip(text, end, is_blank));
    for _ in 0..BETWEEN_MOST {
        if !is_between_words(part(text, value.start, value.end)) || !is_blank(at(text, value.end)) {
            break;
        }
        let next = self::value(text, skip(text, value.end, is_blank));
        if next.is_empty() {
            break;
        }
        value = next;
    }
    let spelled = part(text, value.start, value.end);
    if spelled.is_empty() || matches!(spelled, b"{" | b"}" | b"[" | b"ascii-text" | b"hexadecimal") {
        return None;
    }
    let is_quoted = quote(text, skip(text, end, is_blank)).is_some() || before(text, value.start) == b'"';
    let is_secret = match word {
        Word::Sure => true,
        // A number of three digits is the name of a key: `server ntp.example key 1`.
        Word::Key if is_between_words(spelled) => false,
        Word::Key | Word::Likely => is_quoted || is_statement(text, start, &value),
        Word::Community => is_community(text, start, &value, is_quoted),
    };
    is_secret.then_some(value)
}

/// Words and numbers that stand between the word and its value.
fn is_between_words(spelled: &[u8]) -> bool {
    BETWEEN.iter().any(|between| spelled.eq_ignore_ascii_case(between.as_bytes()))
        || (spelled.len() <= 3 && !spelled.is_empty() && spelled.iter().all(u8::is_ascii_digit))
}

/// Whether a word and its value have the form of a statement rather than of a sentence.
fn is_statement(text: &[u8], start: usize, value: &Range<usize>) -> bool {
    const WORDS_MOST: usize = 4;
    if at(text, value.end) == b';' {
        return true;
    }
    let line = line_of(text, start);
    let first = first_word(part(text, line, value.end));
    if STATEMENTS.iter().any(|statement| first.eq_ignore_ascii_case(statement.as_bytes())) {
        return true;
    }
    // Alone on its line: `password 7 0822455D0A16`.
    let rest = part(text, value.end, value.end + 256);
    let rest = memchr(b'\n', rest).map_or(rest, |end| part(rest, 0, end));
    rest.trim_ascii().is_empty()
        && part(text, line, start).iter().all(|&byte| is_blank(byte))
        && part(text, start, value.end).split(|&byte| is_blank(byte)).count() <= WORDS_MOST
}

/// Whether it is a community of SNMP: it stands in a block, opens one, or the line says `snmp`.
fn is_community(text: &[u8], start: usize, value: &Range<usize>, is_quoted: bool) -> bool {
    let line = part(text, line_of(text, start), start);
    let says_snmp = line.windows(4).any(|word| word.eq_ignore_ascii_case(b"snmp"));
    if says_snmp {
        return true;
    }
    if is_of_bgp(part(text, value.start, value.end)) {
        return false;
    }
    let behind = skip(text, value.end + usize::from(is_quoted), is_blank);
    match at(text, behind) {
        b'{' => !begins(from(text, skip(text, behind + 1, |byte| byte.is_ascii_whitespace())), b"members"),
        b';' => !is_in_a_policy(text, start),
        _ => false,
    }
}

/// Whether the block around a place is the condition or the action of a policy.
fn is_in_a_policy(text: &[u8], place: usize) -> bool {
    let lowest = place.saturating_sub(BLOCK_BACK);
    let head = part(text, lowest, place);
    let mut depth = 0_usize;
    for (index, &byte) in head.iter().enumerate().rev() {
        match byte {
            b'}' => depth += 1,
            b'{' if depth == 0 => {
                let opening = part(head, 0, index).trim_ascii_end();
                return [&b"from"[..], b"then", b"to"]
                    .iter()
                    .any(|name| opening.ends_with(name) && !is_word(before(opening, opening.len() - name.len())));
            }
            b'{' => depth -= 1,
            _ => {}
        }
    }
    // `from community CUSTOMERS;` on one line.
    let line = part(text, line_of(text, place), place).trim_ascii();
    [&b"from"[..], b"then", b"to"].iter().any(|name| line.ends_with(name))
}
