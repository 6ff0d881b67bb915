//! What a document is, by its first bytes and never by its name.

use memchr::memchr;

use crate::bytes::{from, part};

/// How many bytes are looked at.
pub(super) const HEAD: u64 = 8 * 1024;

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Gzip,
    Tar,
    /// A format that is not opened, or text that is not in UTF-8.
    Closed,
    /// Something else with bytes that no text has.
    Binary,
    /// Text: also bundles, XML and JSON.
    Text,
}

const CLOSED: [&[u8]; 12] = [
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\xfd7zXZ\x00",
    b"BZh",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!",
    b"\x1f\x9d",
    b"\x5d\x00\x00",
    b"\xff\xfe",
    b"\xfe\xff",
];

impl Kind {
    pub(super) fn of(head: &[u8]) -> Self {
        if head.starts_with(&[0x1f, 0x8b]) {
            Self::Gzip
        } else if is_tar(head) {
            Self::Tar
        } else if CLOSED.iter().any(|magic| head.starts_with(magic)) || is_zlib(head) || is_wide(head) {
            Self::Closed
        } else if head.contains(&0) {
            Self::Binary
        } else {
            Self::Text
        }
    }
}

/// Whether a stream of zlib begins so (RFC 1950, 2.2), which no text does: its first bytes are some, so others have to
/// be none.
fn is_zlib(head: &[u8]) -> bool {
    let [method, flags, rest @ ..] = head else { return false };
    let is_none = |byte: &u8| !byte.is_ascii() || (byte.is_ascii_control() && !byte.is_ascii_whitespace());
    *method == 0x78
        && (u16::from(*method) << 8 | u16::from(*flags)).is_multiple_of(31)
        && part(rest, 0, 64).iter().any(is_none)
}

/// Whether a text of UTF-16 begins so, or goes on so: of some characters in a row every second byte is zero.
pub(super) fn is_wide(text: &[u8]) -> bool {
    const PAIRS: usize = 4;
    let Some(first) = memchr(0, text) else { return false };
    let pairs = part(text, first.saturating_sub(1), first + 2 * PAIRS);
    let is = |zero: usize| {
        let mut pairs = pairs.chunks_exact(2).take(PAIRS);
        pairs.len() == PAIRS
            && pairs.all(|pair| pair.get(zero) == Some(&0) && pair.get(1 - zero).is_some_and(|byte| *byte > 8))
    };
    is(0) || is(1)
}

/// Whether a header of tar stands there: with its mark, or of before there was one, with its checksum.
fn is_tar(head: &[u8]) -> bool {
    const BLOCK: usize = 512;
    let block = part(head, 0, BLOCK);
    if block.len() < BLOCK {
        return false;
    }
    if from(block, 257).starts_with(b"ustar") {
        return true;
    }
    let sum = |range: &[u8]| range.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    let sum = sum(part(block, 0, 148)) + 8 * u64::from(b' ') + sum(from(block, 156));
    let spelled = part(block, 148, 156);
    let digits: Vec<u8> = spelled.iter().copied().filter(u8::is_ascii_digit).collect();
    let told = std::str::from_utf8(&digits).ok().and_then(|digits| u64::from_str_radix(digits, 8).ok());
    told == Some(sum) && block.first() != Some(&0)
}
