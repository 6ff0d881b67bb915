//! What a document is, by its first bytes and never by its name.

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

const CLOSED: [&[u8]; 11] = [
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\xfd7zXZ\x00",
    b"BZh",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!",
    b"\x1f\x9d",
    b"\xff\xfe",
    b"\xfe\xff",
];

impl Kind {
    pub(super) fn of(head: &[u8]) -> Self {
        if head.starts_with(&[0x1f, 0x8b]) {
            Self::Gzip
        } else if is_tar(head) {
            Self::Tar
        } else if CLOSED.iter().any(|magic| head.starts_with(magic)) {
            Self::Closed
        } else if head.contains(&0) {
            Self::Binary
        } else {
            Self::Text
        }
    }
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
