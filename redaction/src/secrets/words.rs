//! Which words of configurations have a secret behind them.

/// How much a word says of what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// What follows is a secret, in whatever form.
    Sure,
    /// It is one where the form is that of a statement; in a sentence it is a word like others.
    Likely,
    /// The community of SNMP, or one of BGP, which is none.
    Community,
    /// `key`, which names many things in XML and JSON: a secret in a statement only.
    Key,
}

/// What a word ends with to be sure, with dashes for underscores.
const SURE: [&str; 27] = [
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
];
const LIKELY: [&str; 7] = ["secret", "password", "passwd", "pwd", "psk", "snmp-community", "trap-community"];

/// What the words above have in them, to be looked for in one go; each of them has at least one.
pub(super) const STEMS: [&str; 14] = [
    "passw",
    "pwd",
    "psk",
    "secret",
    "community",
    "-key",
    "_key",
    "key-string",
    "key_string",
    "passphrase",
    "ascii-text",
    "hexadecimal",
    " key ",
    "preshared",
];

/// What a word is, if a secret may follow.
pub(super) fn word(spelled: &[u8]) -> Option<Word> {
    const LONGEST: usize = 64;
    if spelled.len() > LONGEST {
        return None;
    }
    let plain: Vec<u8> =
        spelled.iter().map(|&byte| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() }).collect();
    if SURE.iter().any(|sure| is_last(&plain, sure)) {
        return Some(Word::Sure);
    }
    match plain.as_slice() {
        b"community" => Some(Word::Community),
        b"key" => Some(Word::Key),
        _ if LIKELY.iter().any(|likely| is_last(&plain, likely)) => Some(Word::Likely),
        _ => None,
    }
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
pub(super) const BETWEEN: [&str; 14] = [
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
];
