//! Secrets of configurations: hashes and reversible encodings by their spelling, everything else by the word before
//! it, in the forms that configurations are written in: statements (set and curly), XML, JSON, and `name=value`.
//!
//! A secret is looked for at every level. Nothing here knows of levels, and nothing is ever kept of what was found.
//!
//! What is deliberately not looked for: secrets that nothing announces, such as a password in a sentence.

mod forms;
mod private_keys;
mod words;

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::{memchr, memchr_iter, memrchr};

use crate::bytes::{at, before, from, is_blank, part, skip};
use words::STEMS;

/// What stands instead of a secret.
pub const WITHHELD: &str = "SECRET-WITHHELD";
/// How far a secret and what announces it reach, in bytes: behind the place that is judged so much of the text has to
/// be there, where there is as much.
pub(crate) const REACH: usize = 32 * 1024;
/// How far back a line is looked at.
pub(crate) const BACK: usize = 1024;
/// How long the passwords of addresses of the web are.
const USER_INFO_MOST: usize = 512;

const PRIVATE_KEY: usize = STEMS.len() * SPELLINGS;
const WEB: usize = PRIVATE_KEY + 1;
const MARKED: usize = PRIVATE_KEY + 2;
const OTHERS: [&str; 3] = ["-----BEGIN", "://", "SECRET-DATA"];
/// How many ways a stem is spelled: `password`, `Password`, `PASSWORD`. All the others would cost a third of the whole.
const SPELLINGS: usize = 3;

/// What is looked for. Without the words nothing would be found, and everything would leave: so the text is withheld
/// where this is none, which it never is.
static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let stems = STEMS.iter().flat_map(|stem| [(*stem).to_owned(), capitalised(stem), stem.to_uppercase()]);
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(aho_corasick::AhoCorasickKind::DFA))
        .build(stems.chain(OTHERS.map(str::to_owned)))
        .ok()
});

/// With its first letter in upper case.
fn capitalised(stem: &str) -> String {
    let letter = stem.find(|char: char| char.is_ascii_alphabetic()).unwrap_or_default();
    let is_first = |index| index == letter;
    let upper = |(index, char): (usize, char)| if is_first(index) { char.to_ascii_uppercase() } else { char };
    stem.char_indices().map(upper).collect()
}

/// The secrets of `text` that are announced between `start` and `end`, in order, and none overlaps another. The text
/// behind `end` is looked at as far as [`REACH`], that before `start` as far as [`BACK`].
pub(crate) fn find(text: &[u8], start: usize, end: usize) -> Vec<Range<usize>> {
    let Some(search) = SEARCH.as_ref() else { return Vec::from([Range { start, end: text.len() }]) };
    let mut found: Vec<Range<usize>> = Vec::new();
    let looked_at = part(text, 0, end);
    let mut judged = start;
    for one in search.find_iter(aho_corasick::Input::new(looked_at).range(start.min(looked_at.len())..)) {
        // A word in another secret, or one with two stems in it.
        if one.start() < judged {
            continue;
        }
        let before = found.len();
        match one.pattern().as_usize() {
            PRIVATE_KEY => found.extend(private_keys::body(text, one.start())),
            WEB => found.extend(user_info(text, one.end())),
            MARKED => found.extend(marked(text, one.start())),
            _ => judged = forms::judge(text, one.range(), &mut found),
        }
        if let Some(last) = found.get(before..).and_then(<[_]>::last) {
            judged = judged.max(last.end);
        }
    }
    // A byte that is seldom: it costs less apart.
    let mut passed = start;
    for dollar in memchr_iter(b'$', part(text, start, end)) {
        if start + dollar >= passed
            && let Some(hash) = hash(text, start + dollar)
        {
            passed = hash.end;
            found.push(hash);
        }
    }
    in_order(found, start)
}

/// Sorted, and those that meet put together: what marks a line's secret is found behind it.
fn in_order(mut found: Vec<Range<usize>>, start: usize) -> Vec<Range<usize>> {
    found.sort_by_key(|range| range.start);
    let mut sorted: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for mut range in found {
        range.start = range.start.max(start);
        if range.is_empty() {
            continue;
        }
        match sorted.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => sorted.push(range),
        }
    }
    sorted
}

/// `$9$...`, and the hashes of crypt(3): `$`, which one, `$`, and what makes it.
fn hash(text: &[u8], start: usize) -> Option<Range<usize>> {
    const METHOD_MOST: usize = 9;
    let method = skip(part(text, 0, start + 1 + METHOD_MOST), start + 1, |byte| byte.is_ascii_alphanumeric());
    let named = part(text, start + 1, method);
    let is_known = matches!(named, [b'0'..=b'9'] | b"y" | b"gy" | b"sha1" | b"md5")
        || matches!(named, [b'2', b'a' | b'b' | b'x' | b'y'])
        || named.starts_with(b"argon2")
        || named.starts_with(b"scrypt");
    if !is_known || at(text, method) != b'$' {
        return None;
    }
    let reach = part(text, 0, start + REACH);
    let end = skip(reach, method + 1, |byte| byte.is_ascii_alphanumeric() || b"$./+=_-,*".contains(&byte));
    (end - method > 2).then_some(start..end)
}

/// The password in `scheme://user:password@host`.
fn user_info(text: &[u8], start: usize) -> Option<Range<usize>> {
    let reach = part(text, 0, start + USER_INFO_MOST);
    let end = skip(reach, start, |byte| !byte.is_ascii_whitespace() && !b"/\"'<>@".contains(&byte));
    let colon = memchr(b':', part(text, start, end))?;
    (at(text, end) == b'@').then_some(start + colon + 1..end)
}

/// The last value of a statement that is marked as secret: `...; ## SECRET-DATA`.
fn marked(text: &[u8], mark: usize) -> Option<Range<usize>> {
    let lowest = mark.saturating_sub(BACK);
    let line = lowest + memrchr(b'\n', part(text, lowest, mark)).map_or(0, |newline| newline + 1);
    let semicolon = line + memrchr(b';', part(text, line, mark))?;
    if at(text, skip(text, semicolon + 1, |byte| is_blank(byte) || byte == b'#' || byte == b'/')) != at(text, mark) {
        return None;
    }
    let statement = part(text, 0, semicolon);
    if before(statement, semicolon) == b'"' {
        let opening = memrchr(b'"', part(text, line, semicolon - 1))?;
        return Some(line + opening + 1..semicolon - 1);
    }
    let quote: &[u8] = b"&quot;";
    if statement.ends_with(quote) {
        let closing = semicolon - quote.len();
        let opening = memchr::memmem::rfind(part(text, line, closing), quote)?;
        return Some(line + opening + quote.len()..closing);
    }
    let value = part(text, line, semicolon).iter().rposition(|&byte| is_blank(byte))?;
    Some(line + value + 1..semicolon)
}

/// Where the line of a place begins, as far back as lines are looked at.
fn line_of(text: &[u8], place: usize) -> usize {
    let lowest = place.saturating_sub(BACK);
    lowest + memrchr(b'\n', part(text, lowest, place)).map_or(0, |newline| newline + 1)
}

/// The first word of a line, behind blanks, a prompt and the marks of a comparison.
fn first_word(line: &[u8]) -> &[u8] {
    let mut start = skip(line, 0, |byte| is_blank(byte) || byte == b'+' || byte == b'-');
    let end = skip(line, start, |byte| !byte.is_ascii_whitespace());
    let word = part(line, start, end);
    if word.len() > 1 && matches!(word.last(), Some(b'>' | b'#' | b'%')) && memchr(b'<', word).is_none() {
        start = skip(line, end, is_blank);
        return part(line, start, skip(line, start, |byte| !byte.is_ascii_whitespace()));
    }
    // In elements: `<![CDATA[set ...`.
    from(word, word.iter().rposition(|&byte| byte == b'[' || byte == b'>').map_or(0, |last| last + 1))
}
