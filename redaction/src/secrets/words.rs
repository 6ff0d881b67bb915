//! Which words of configurations have a secret behind them.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::bytes::{at, before, begins, from, part};

/// How much a word says of what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// What follows is a secret, in whatever form.
    Sure,
    /// It is one where the form is that of a statement; in a sentence it is a word like others.
    Likely,
    /// The community of SNMP, or one of BGP, which is none.
    Community,
    /// `key`, which names many things: a secret in a statement, and in XML and JSON where authentication is near.
    Key,
}

/// What a word ends with to be sure, with dashes for underscores.
const SURE: [&str; 29] = [
    "encrypted-password",
    "authentication-password",
    "privacy-password",
    "simple-password",
    "plain-text-password",
    "plain-text-password-value",
    "authentication-key",
    "privacy-key",
    "pre-shared-key",
    "preshared-key",
    "shared-key",
    "shared-secret",
    "private-key",
    "secret-key",
    "encryption-key",
    "decryption-key",
    "master-key",
    "session-key",
    "local-key",
    "md5-key",
    "wpa-key",
    "api-key",
    "key-string",
    "passphrase",
    "ascii-text",
    "hexadecimal",
    "community-name",
    "auth-key",
    "cak",
];
const LIKELY: [&str; 7] = ["secret", "password", "passwd", "pwd", "psk", "snmp-community", "trap-community"];

const COMPOUND: [&str; 3] = ["-password", "-secret", "-passwd"];
/// What ends a word with something before it: `db-pass`.
const ENDINGS: [&str; 2] = ["-pass", "-pw"];

/// What the words above have in them, to be looked for in one go; each of them has at least one.
pub(super) const STEMS: [&str; 10] =
    ["pass", "pwd", "psk", "secret", "community", "key", "ascii-text", "hexadecimal", "cak", "-pw"];

/// What a word is, if a secret may follow. Words that are written together in capitals (`preSharedKey`) are taken apart.
pub(super) fn word(spelled: &[u8]) -> Option<Word> {
    const LONGEST: usize = 64;
    if spelled.len() > LONGEST {
        return None;
    }
    let plain = plain(spelled);
    let together: Vec<u8> = spelled.to_ascii_lowercase();
    if SURE.iter().any(|sure| is_last(&plain, sure)) {
        return Some(Word::Sure);
    }
    match plain.as_slice() {
        b"community" => Some(Word::Community),
        b"key" => Some(Word::Key),
        // `challenge-password`: no word of a sentence.
        _ if spelled.contains(&b'-') && COMPOUND.iter().any(|ending| plain.ends_with(ending.as_bytes())) => {
            Some(Word::Sure)
        }
        _ if LIKELY.iter().any(|likely| is_last(&plain, likely) || together == likely.as_bytes()) => Some(Word::Likely),
        _ if ENDINGS.iter().any(|ending| plain.ends_with(ending.as_bytes())) => Some(Word::Likely),
        _ => None,
    }
}

/// In lower case, with dashes for underscores and before capitals.
fn plain(spelled: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(spelled.len() + 8);
    let mut is_lower = false;
    for &byte in spelled {
        if is_lower && byte.is_ascii_uppercase() {
            plain.push(b'-');
        }
        is_lower = byte.is_ascii_lowercase() || byte.is_ascii_digit();
        plain.push(if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() });
    }
    plain
}

/// Whether a word is that one, or ends with it behind a dash.
fn is_last(plain: &[u8], ending: &str) -> bool {
    plain.strip_suffix(ending.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.ends_with(b"-"))
}

/// The first words of lines that are statements, of the two common families of command lines.
pub(super) const STATEMENTS: [&str; 22] = [
    "set",
    "delete",
    "deactivate",
    "activate",
    "edit",
    "insert",
    "username",
    "enable",
    "neighbor",
    "radius-server",
    "tacacs-server",
    "snmp-server",
    "snmp",
    "crypto",
    "ip",
    "ipv6",
    "standby",
    "vrrp",
    "ntp",
    "key",
    "server",
    "line",
];

/// What stands between such a word and its secret.
pub(super) const BETWEEN: [&str; 15] = [
    "type",
    "md5",
    "sha1",
    "sha256",
    "hmac-sha-1",
    "hmac-md5",
    "value",
    "encrypted",
    "cleartext",
    "clear",
    "plain",
    "level",
    "key",
    "hash",
    "id",
];

/// What stands between `community` and its value in a log.
pub(super) const CONNECTING: [&str; 9] = ["string", "name", "is", "was", "=", ":", "value", "string:", "name:"];
/// What follows it in a sentence of which it is none of the next words.
pub(super) const PREPOSITIONS: [&str; 19] = [
    "from", "to", "by", "for", "of", "in", "on", "at", "with", "and", "or", "not", "has", "used", "supplied",
    "received", "mismatch", "failed", "failure",
];

/// Whether an element, a member or a statement beside a secret names or describes it.
pub(super) fn is_name(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 16] = [
        b"name",
        b"type",
        b"algorithm",
        b"cryptographic-algorithm",
        b"ckn",
        b"key-name",
        b"key-id",
        b"key-chain",
        b"id",
        b"start-time",
        b"direction",
        b"format",
        b"options",
        b"offset",
        b"key-start-time",
        b"comment",
    ];
    NAMES.contains(&name)
}

/// Whether an element, a member, an attribute or a statement has a value for its name.
pub(super) fn is_value(name: &[u8]) -> bool {
    const VALUES: [&[u8]; 16] = [
        b"value",
        b"val",
        b"data",
        b"key",
        b"secret",
        b"password",
        b"string",
        b"text",
        b"#text",
        b"$",
        b"_",
        b"plain",
        b"content",
        b"ascii-text",
        b"hexadecimal",
        b"cak",
    ];
    VALUES.iter().any(|value| name.eq_ignore_ascii_case(value))
}

/// Whether a member names what the member beside it is the value of.
pub(super) fn is_pair(name: &[u8]) -> bool {
    const PAIRS: [&[u8]; 10] =
        [b"name", b"key", b"id", b"field", b"param", b"parameter", b"attribute", b"property", b"variable", b"type"];
    PAIRS.iter().any(|pair| name.eq_ignore_ascii_case(pair))
}

/// What is near keys that are secrets.
static NEAR: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let near = [
        "md5",
        "auth",
        "hmac",
        "sha1",
        "sha-1",
        "sha256",
        "cipher",
        "crypt",
        "security",
        "tacacs",
        "radius",
        "ntp",
        "key-chain",
        "keychain",
        "secret",
        "macsec",
        "ike",
        "ipsec",
        "wpa",
        "shared",
    ];
    AhoCorasick::builder().ascii_case_insensitive(true).build(near).ok()
});

/// Whether authentication is spoken of shortly before a place.
pub(super) fn is_near_keys(text: &[u8], place: usize) -> bool {
    const NEAR_MOST: usize = 192;
    let head = part(text, place.saturating_sub(NEAR_MOST), place);
    let Some(near) = NEAR.as_ref() else { return true };
    near.find_overlapping_iter(head).any(|one| {
        // Those are parts of everyday words: `like`, `author`, `frontpage`.
        let spelled = part(head, one.start(), one.end());
        let is_short = [&b"ike"[..], b"ntp", b"wpa"].iter().any(|short| spelled.eq_ignore_ascii_case(short));
        let letter = before(head, one.start());
        let is_part = is_short
            && letter.is_ascii_alphabetic()
            && letter.is_ascii_lowercase() == at(spelled, 0).is_ascii_lowercase()
            // `sntp`, `xntp`.
            && !matches!(letter.to_ascii_lowercase(), b's' | b'x');
        let behind = from(head, one.end());
        let is_author = spelled.eq_ignore_ascii_case(b"auth") && begins(behind, b"or") && !begins(behind, b"ori");
        !is_part && !is_author
    })
}
