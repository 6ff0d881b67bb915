//! What stands around a word that announces a secret: escapes before it, the line and the block it stands in.

use memchr::memchr3_iter;

use super::bodies::is_small;
use super::values::mark_before;
use super::words::{BETWEEN, STATEMENTS};
use super::{first_word, line_of};
use crate::bytes::{at, before, from, is_blank, is_word, part, skip};
use crate::configuration::is_top;

/// How far back the block is looked for that a statement stands in.
pub(super) const BLOCK_BACK: usize = 512;

/// How long what ends an escape before a word is: the letter of `\n`, the digits of `\u000a`, `%0A` and `#012`.
pub(super) fn escape(text: &[u8], start: usize) -> usize {
    let is_hexadecimal = |count| part(text, start, start + count).iter().all(u8::is_ascii_hexdigit);
    match (before(text, start), at(text, start)) {
        (b'\\', b'n' | b't' | b'r') => 1,
        (b'\\', b'u') => 5,
        (b'\\', b'x') => 3,
        (b'\\' | b'#', b'0') => 3,
        (b'%', _) if is_hexadecimal(2) => 2,
        _ => 0,
    }
}

/// The place behind the last byte before `place` that is no white space.
pub(super) fn skip_back(text: &[u8], place: usize) -> usize {
    let lowest = place.saturating_sub(64);
    lowest + part(text, lowest, place).trim_ascii_end().len()
}

/// The name in quotation marks that ends before a sign at `sign`.
pub(super) fn named_before(text: &[u8], sign: usize) -> &[u8] {
    let end = skip_back(text, sign);
    let Some((end, _)) = mark_before(text, end) else { return b"" };
    let lowest = end.saturating_sub(64);
    let head = part(text, lowest, end);
    from(head, head.iter().rposition(|&byte| !is_word(byte) && byte != b'-').map_or(0, |last| last + 1))
}

/// The place a line goes on at that ends with a backslash.
pub(super) fn continued(text: &[u8], place: usize) -> usize {
    let is_continued = at(text, place) == b'\\' && matches!(at(text, place + 1), b'\n' | b'\r');
    if is_continued { skip(text, place + 1, |byte| byte.is_ascii_whitespace()) } else { place }
}

/// Words and numbers that stand between the word and its value.
pub(super) fn is_between_words(spelled: &[u8]) -> bool {
    is_one_of(spelled, &BETWEEN) || is_small(spelled)
}

pub(super) fn is_one_of(spelled: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| spelled.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether a line tells of a statement before its end: `command 'set system ...`, `... set system ...`.
pub(super) fn is_told(head: &[u8]) -> bool {
    let is_quoted = memchr3_iter(b'\'', b'"', b'`', head)
        .chain(memchr::memmem::find_iter(head, b"&apos;").map(|sign| sign + 5))
        .chain(memchr::memmem::find_iter(head, b"&quot;").map(|sign| sign + 5))
        .map(|sign| {
            // Up to the next of them: what is full of them is looked at once.
            let rest = part(head, sign + 1, sign + 65);
            first_word(part(rest, 0, memchr::memchr3(b'\'', b'"', b'`', rest).unwrap_or(rest.len())))
        })
        .any(|first| is_one_of(first, &STATEMENTS) && !is_one_of(first, &["ip", "ipv6", "line", "server", "key"]));
    // Behind a word, but also behind the letter of `\n`.
    let begins_word = |place: usize| !is_word(before(head, place)) || before(head, place - 1) == b'\\';
    is_quoted
        || [&b"set "[..], b"request "].iter().any(|verb| {
            memchr::memmem::find_iter(head, verb).any(|place| {
                let next = from(head, skip(head, place + verb.len(), is_blank));
                begins_word(place) && is_top(part(next, 0, skip(next, 0, |byte| !is_blank(byte))))
            })
        })
}

/// Whether the block around a place is the condition or the action of a policy.
pub(super) fn is_in_a_policy(text: &[u8], place: usize) -> bool {
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
