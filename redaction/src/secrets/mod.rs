//! Secrets of configurations: hashes and reversible encodings by their spelling, everything else by the word before
//! it, in the forms that configurations are written in: statements (set and curly), XML, JSON, and `name=value`.
//!
//! A secret is looked for at every level. Nothing here knows of levels, and nothing is ever kept of what was found.
//!
//! What is deliberately not looked for: secrets that nothing announces, such as a password in a sentence.

mod bodies;
mod forms;
mod private_keys;
mod surroundings;
mod values;
mod words;

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use forms::Forms;
use memchr::{memchr, memchr_iter, memrchr};

use crate::bytes::{at, before, from, is_blank, part, skip};
pub(crate) use values::ends_string;
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

/// What a document is, by how it begins: it says what ends a value whose end is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Xml,
    Json,
}

impl Kind {
    /// By the first bytes of a document.
    pub(crate) fn of(head: &[u8]) -> Self {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        let inner = from(head, 1).trim_ascii_start();
        match (head.first(), inner.first()) {
            (Some(b'<'), Some(b'?' | b'!' | b'a'..=b'z' | b'A'..=b'Z')) => Self::Xml,
            (Some(b'{'), Some(b'"' | b'}')) | (Some(b'['), Some(b'{' | b'[' | b'"')) => Self::Json,
            _ => Self::Text,
        }
    }
}

/// Something to be withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) range: Range<usize>,
    /// Whether what stands instead needs quotation marks, which the value of JSON had not.
    pub(crate) is_bare: bool,
}

const PRIVATE_KEY: usize = STEMS.len() * SPELLINGS;
const WEB: usize = PRIVATE_KEY + 1;
const MARKED: usize = PRIVATE_KEY + 2;
const PUTTY: usize = PRIVATE_KEY + 3;
const OTHERS: [&str; 4] = ["BEGIN ", "://", "SECRET-DATA", "Private-Lines:"];
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
pub(crate) fn find(kind: Kind, text: &[u8], start: usize, end: usize) -> Vec<Secret> {
    let Some(search) = SEARCH.as_ref() else {
        return Vec::from([Secret { range: Range { start, end: text.len() }, is_bare: false }]);
    };
    let mut found: Vec<Secret> = Vec::new();
    let looked_at = part(text, 0, end);
    let mut judged = start;
    for one in search.find_iter(aho_corasick::Input::new(looked_at).range(start.min(looked_at.len())..)) {
        // A word in another secret, or one with two stems in it.
        if one.start() < judged {
            continue;
        }
        let before = found.len();
        let plain = |range| Secret { range, is_bare: false };
        match one.pattern().as_usize() {
            PRIVATE_KEY => found.extend(private_keys::body(text, one.start()).map(plain)),
            WEB => found.extend(user_info(text, one.start(), one.end()).map(plain)),
            MARKED => found.extend(marked(text, one.start()).map(plain)),
            PUTTY => found.extend(private_keys::of_putty(text, one.start()).map(plain)),
            _ => judged = Forms { kind, text, found: &mut found }.judge(one.range()),
        }
        if let Some(last) = found.get(before..).and_then(<[_]>::last) {
            judged = judged.max(last.range.end);
        }
    }
    // A byte that is seldom: it costs less apart.
    let mut passed = start;
    for dollar in memchr_iter(b'$', part(text, start, end)) {
        if start + dollar >= passed
            && let Some(range) = hash(text, start + dollar)
        {
            passed = range.end;
            found.push(Secret { range, is_bare: false });
        }
    }
    in_order(found, start)
}

/// Sorted, and those that meet put together: what marks a line's secret is found behind it.
fn in_order(mut found: Vec<Secret>, start: usize) -> Vec<Secret> {
    found.sort_by_key(|secret| secret.range.start);
    let mut sorted: Vec<Secret> = Vec::with_capacity(found.len());
    for mut secret in found {
        secret.range.start = secret.range.start.max(start);
        if secret.range.is_empty() {
            continue;
        }
        match sorted.last_mut() {
            Some(last) if secret.range.start < last.range.end => last.range.end = last.range.end.max(secret.range.end),
            _ => sorted.push(secret),
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

/// The password in `scheme://user:password@host`, which may have any sign in it but blanks and quotation marks; the
/// scheme ends at `scheme`.
fn user_info(text: &[u8], scheme: usize, start: usize) -> Option<Range<usize>> {
    let reach = part(text, 0, start + USER_INFO_MOST);
    let end = skip(reach, start, |byte| !byte.is_ascii_whitespace() && !b"\"'<>".contains(&byte));
    let whole = part(text, start, end);
    let host = memrchr(b'@', whole)?;
    let first = memchr::memchr3(b'/', b'?', b'#', whole).unwrap_or(whole.len());
    let colon = memchr(b':', part(whole, 0, first.min(host)))?;
    // `http://host:8080/path@x`
    let is_port = first < host && part(whole, colon + 1, first).iter().all(u8::is_ascii_digit);
    let head = part(text, scheme.saturating_sub(5), scheme).to_ascii_lowercase();
    if whole.first() == Some(&b'[') || (is_port && (head.ends_with(b"http") || head.ends_with(b"https"))) {
        return None;
    }
    Some(start + colon + 1..start + host)
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
        // With the backslashes before it, in a string of JSON.
        let (closing, _) = values::mark_before(text, semicolon)?;
        let opening = memrchr(b'"', part(text, line, closing))?;
        return Some(line + opening + 1..closing);
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
