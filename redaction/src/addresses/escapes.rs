//! Addresses whose separators are spelled otherwise: escapes of JSON, of C and of logs, character references, per cent,
//! colours of a terminal, brackets that disarm, and lines that a terminal wrapped.
//!
//! The text is folded: each such spelling becomes the byte it stands for. Addresses are found in what that comes to, and
//! carried back to where they stand. A text without any of them is not copied.

use std::net::Ipv6Addr;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::Found;
use super::classes::{stays_v4, stays_v6};
use super::spelling::{dotted, is_dotted, v6};
use crate::bytes::{at, before, from, nibble, part, skip};

/// How the spellings begin; two bytes each, so that they are looked for together at little cost.
const BEGINNINGS: [&str; 33] = [
    "\\n", "\\t", "\\r", "\\b", "\\f", "\\u", "\\x", "\\0", "\\1", "\\2", "%0", "%1", "%2", "%3", "%4", "%5", "%6",
    "%7", "%A", "%B", "%C", "%D", "%E", "&#", "&a", "#0", "\x1b[", "[.", "[:", "[d", "(.", ".\n", ":\n",
];
const OTHERS: [&str; 5] = ["%a", "%c", "%d", ".\r", ":\r"];
/// How long a character reference, a sequence of a terminal, or a piece of a wrapped address is at most.
const SPELLED_MOST: usize = 64;

static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let beginnings = BEGINNINGS.iter().chain(&OTHERS);
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(beginnings).ok()
});

/// A text with its escapes folded.
pub(super) struct Folded {
    pub(super) text: Vec<u8>,
    /// Where what was folded stands: its place here, its place there, and how many bytes spell the byte here; none
    /// where nothing is left of it.
    steps: Vec<(usize, usize, usize)>,
}

/// What a text comes to; none where there is nothing to fold.
pub(super) fn folded(text: &[u8]) -> Option<Folded> {
    let search = SEARCH.as_ref()?;
    let mut folded: Option<Folded> = None;
    let mut copied = 0;
    for one in search.find_iter(text) {
        if one.start() < copied {
            continue;
        }
        let is_next = copied == one.start() && folded.is_some();
        let Some(Spelled { skipped, length, byte }) = spelled(text, one.start(), is_next) else { continue };
        let place = one.start() + skipped;
        let folded = folded.get_or_insert_with(|| Folded { text: Vec::with_capacity(text.len()), steps: Vec::new() });
        folded.text.extend_from_slice(part(text, copied, place));
        copied = place + length;
        if let Some(byte) = byte {
            folded.steps.push((folded.text.len(), place, length));
            folded.text.push(byte);
        }
        folded.steps.push((folded.text.len(), copied, 0));
    }
    if let Some(folded) = &mut folded {
        folded.text.extend_from_slice(from(text, copied));
    }
    folded
}

impl Folded {
    /// Where what was found here stands there.
    pub(super) fn back(&self, found: Found) -> Found {
        let last = self.origin(found.end.saturating_sub(1));
        Found { start: self.origin(found.start).0, end: last.0 + last.1, what: found.what }
    }

    /// Where a byte stands, and how many bytes spell it.
    fn origin(&self, place: usize) -> (usize, usize) {
        let behind = self.steps.partition_point(|(here, ..)| *here <= place);
        match behind.checked_sub(1).and_then(|step| self.steps.get(step)) {
            Some((here, there, length)) if *here == place => (*there, (*length).max(1)),
            Some((here, there, _)) => (there + (place - here), 1),
            None => (place, 1),
        }
    }
}

/// A byte that is spelled otherwise.
struct Spelled {
    /// How many bytes of what was looked for stand for themselves.
    skipped: usize,
    length: usize,
    /// None where nothing is left.
    byte: Option<u8>,
}

/// What a spelling at a place stands for. `is_next`: one ends there.
fn spelled(text: &[u8], place: usize, is_next: bool) -> Option<Spelled> {
    let one = |length, byte| Some(Spelled { skipped: 0, length, byte: Some(byte) });
    match at(text, place) {
        b'\\' => backslash(text, place, is_next),
        b'%' => {
            let byte = hexadecimal(text, place + 1, 2)?;
            // `fd00::1%31` is a zone, `%31%30.1` are digits.
            let is_zone = before(text, place).is_ascii_hexdigit() || before(text, place) == b':';
            (!byte.is_ascii_hexdigit() || !is_zone || is_next).then_some(())?;
            (is_digit_behind(byte, is_next) || !begins_an_address(text, place + 1)).then_some(())?;
            one(3, plain(byte))
        }
        b'&' => {
            let mut digits = place + 1;
            while from(text, digits).starts_with(b"amp;") && digits < place + SPELLED_MOST {
                digits += 4;
            }
            (at(text, digits) == b'#').then_some(())?;
            let is_hexadecimal = matches!(at(text, digits + 1), b'x' | b'X');
            let first = digits + 1 + usize::from(is_hexadecimal);
            let end = skip(part(text, 0, first + 8), first, |byte| byte.is_ascii_hexdigit());
            let spelled = std::str::from_utf8(part(text, first, end)).ok()?;
            let value = u32::from_str_radix(spelled, if is_hexadecimal { 16 } else { 10 }).ok()?;
            (at(text, end) == b';' || !begins_an_address(text, first)).then_some(())?;
            let length = end + usize::from(at(text, end) == b';') - place;
            one(length, plain(u8::try_from(value).unwrap_or(0xff)))
        }
        b'#' => {
            // Of a log: `#012`.
            let control = octal(text, place + 1).filter(|byte| *byte < 32)?;
            (!begins_an_address(text, place + 1)).then_some(())?;
            one(4, control)
        }
        0x1b => {
            let reach = part(text, 0, place + SPELLED_MOST);
            let end = skip(reach, place + 2, |byte| (0x20..0x40).contains(&byte));
            (end < reach.len()).then_some(Spelled { skipped: 0, length: end + 1 - place, byte: None })
        }
        b'[' | b'(' => {
            let disarmed = [(&b"[.]"[..], b'.'), (b"(.)", b'.'), (b"[:]", b':'), (b"[dot]", b'.')];
            let (spelled, byte) = disarmed.into_iter().find(|(spelled, _)| from(text, place).starts_with(spelled))?;
            one(spelled.len(), byte)
        }
        _ => wrapped(text, place),
    }
}

fn backslash(text: &[u8], place: usize, is_next: bool) -> Option<Spelled> {
    let one = |length, byte| Some(Spelled { skipped: 0, length, byte: Some(byte) });
    match at(text, place + 1) {
        b'n' | b't' | b'r' => one(2, b'\n'),
        b'b' | b'f' => {
            let lowest = place.saturating_sub(SPELLED_MOST);
            let escapes = part(text, lowest, place).iter().rev().take_while(|byte| **byte == b'\\').count();
            // `\\fd00::1` is a backslash before an address.
            if escapes % 2 == 0 { one(2, b'\n') } else { None }
        }
        b'u' => {
            let high = hexadecimal(text, place + 2, 2)?;
            let low = hexadecimal(text, place + 4, 2)?;
            one(6, if high == 0 { plain(low) } else { b' ' })
        }
        b'x' => {
            let byte = hexadecimal(text, place + 2, 2)?;
            (is_digit_behind(byte, is_next) || !begins_an_address(text, place + 2)).then_some(())?;
            one(4, plain(byte))
        }
        _ => {
            let byte = octal(text, place + 1)?;
            (is_digit_behind(byte, is_next) || !begins_an_address(text, place + 1)).then_some(())?;
            one(4, plain(byte))
        }
    }
}

/// Whether what is spelled goes on with digits that are spelled so: `%31%30.1.2.3`.
fn is_digit_behind(byte: u8, is_next: bool) -> bool {
    is_next && byte.is_ascii_hexdigit()
}

/// Whether the digits of what may be an escape begin an address that does not stay: `DOM\172.16.1.2`, `user%10.1.2.3`.
/// Folded, its first number would be lost. That of the other reading lies within it.
fn begins_an_address(text: &[u8], digits: usize) -> bool {
    let is_v4 = dotted(text, digits).is_some_and(|(address, _)| !stays_v4(address));
    is_v4 || v6(text, digits).is_some_and(|(address, _)| !stays_v6(address))
}

/// What is no letter of an address separates.
fn plain(byte: u8) -> u8 {
    if byte.is_ascii() { byte } else { b' ' }
}

fn hexadecimal(text: &[u8], start: usize, digits: usize) -> Option<u8> {
    (start..start + digits).try_fold(0_u8, |value, place| Some(value << 4 | nibble(at(text, place))?))
}

fn octal(text: &[u8], start: usize) -> Option<u8> {
    let digit =
        |place: usize| Some(at(text, place)).filter(|digit| (b'0'..b'8').contains(digit)).map(|digit| digit - b'0');
    let first = digit(start).filter(|first| *first < 4)?;
    Some(first << 6 | digit(start + 1)? << 3 | digit(start + 2)?)
}

/// The line end within an address that a terminal wrapped behind a separator: only where both parts together are one
/// address, and neither is by itself.
fn wrapped(text: &[u8], place: usize) -> Option<Spelled> {
    let separator = at(text, place);
    let length = if at(text, place + 1) == b'\r' && at(text, place + 2) == b'\n' { 2 } else { 1 };
    let behind = place + 1 + length;
    if !before(text, place).is_ascii_hexdigit() && before(text, place) != b':' || !at(text, behind).is_ascii_hexdigit()
    {
        return None;
    }
    let is_part = |byte: u8| {
        if separator == b'.' { byte.is_ascii_digit() || byte == b'.' } else { byte.is_ascii_hexdigit() || byte == b':' }
    };
    let lowest = place.saturating_sub(SPELLED_MOST);
    let head = part(text, lowest, place + 1);
    let head = from(head, head.iter().rposition(|&byte| !is_part(byte)).map_or(0, |last| last + 1));
    let tail = part(text, behind, skip(part(text, 0, behind + SPELLED_MOST), behind, is_part));
    let tail = if separator == b'.' { tail.strip_suffix(b".").unwrap_or(tail) } else { tail };
    let joined = [head, tail].concat();
    let is_one = |spelled: &[u8]| match separator {
        b'.' => is_dotted(spelled),
        _ => std::str::from_utf8(spelled).is_ok_and(|spelled| spelled.parse::<Ipv6Addr>().is_ok()),
    };
    (is_one(&joined) && !is_one(head) && !is_one(tail)).then_some(Spelled { skipped: 1, length, byte: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spelled_otherwise_is_folded() {
        for (text, expected) in [
            (r"a\nfd00::1", "a\nfd00::1"),
            (r"a\\nfd00::1", "a\\\nfd00::1"),
            (r"a\bfd00::1", "a\nfd00::1"),
            (r"\\fd00::1", r"\\fd00::1"),
            (r"10\u002e1\u002E2\x2e3", "10.1.2.3"),
            (r"\u00e910.1.2.3", " 10.1.2.3"),
            (r"\01110.1.2.3", "\t10.1.2.3"),
            ("#01210.1.2.3", "\n10.1.2.3"),
            ("10&#46;1&#x2E;2&amp;#46;3", "10.1.2.3"),
            ("%2210.1.2.3%3A80", "\"10.1.2.3:80"),
            ("%31%30.1.2.3", "10.1.2.3"),
            ("fd00::1%31", "fd00::1%31"),
            ("10[.]1[.]2[dot]3", "10.1.2.3"),
            ("10.1\x1b[0;1m.2.3", "10.1.2.3"),
            ("10.1.\n2.3", "10.1.2.3"),
            ("2001:db8:\r\n0:0:0:0:0:1", "2001:db8:0:0:0:0:0:1"),
            ("slot 5.\n10.1.2.3 is", "slot 5.\n10.1.2.3 is"),
            ("#0 100%", "#0 100%"),
        ] {
            let folded = folded(text.as_bytes());
            let folded = folded.as_ref().map_or(text.as_bytes(), |folded| &folded.text);
            assert_eq!(std::str::from_utf8(folded).unwrap(), expected, "{text}");
        }
    }
}
