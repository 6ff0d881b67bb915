//! Damage to bundles that knows their structure: whole tags and texts are lost, doubled, moved and taken from others.

/// A small generator of numbers that are good enough for damage (splitmix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 32).unwrap_or_default() % bound.max(1)
    }
}

/// What XML and bundles stumble over.
const PIECES: [&str; 46] = [
    "<",
    ">",
    "</",
    "/>",
    "<!--",
    "-->",
    "--",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "<?xml version='1.0'?>",
    "&",
    "&amp;",
    "&#38;",
    "&#x0;",
    "&#xD;",
    "&a;",
    "\"",
    "'",
    "=",
    " a='1'",
    "\r\n",
    "\r",
    "\t",
    "\0",
    "\u{feff}",
    "\u{fffe}",
    "\u{10ffff}",
    "<!DOCTYPE jmb>",
    "<manifest>",
    "</jmb>",
    "<log name='a'>",
    "<attachment name=''/>",
    "4294967296",
    "&#7;",
    "^",
    "\u{fffd}",
    "encoding",
    " encoding='us-ascii'",
    "iso-8859-1",
    "windows-1252",
    "<?xml version='1.0' encoding='latin1'?>",
    "1601-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "1 - Critical",
];

/// The tags and the texts between them.
fn pieces(bytes: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = match rest {
            [b'<', ..] => rest.iter().position(|byte| *byte == b'>').map_or(rest.len(), |end| end + 1),
            _ => rest.iter().position(|byte| *byte == b'<').unwrap_or(rest.len()),
        };
        let (piece, behind) = rest.split_at(length);
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

/// A damaged copy of one of the bundles: one to four times, structure first, then single bytes.
pub(crate) fn damaged(bundles: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let base = &bundles[numbers.below(bundles.len())];
    let other = pieces(&bundles[numbers.below(bundles.len())]);
    let mut parts = pieces(base);
    for _ in 0..numbers.below(4) {
        let at = numbers.below(parts.len());
        match numbers.below(7) {
            _ if parts.is_empty() => break,
            0 => drop(parts.remove(at)),
            1 => parts.insert(at, parts[at]),
            2 => {
                let to = numbers.below(parts.len());
                parts.swap(at, to);
            }
            3 => parts[at] = other[numbers.below(other.len())],
            4 => parts.insert(at, other[numbers.below(other.len())]),
            5 => parts.insert(at, PIECES[numbers.below(PIECES.len())].as_bytes()),
            _ => parts.truncate(at),
        }
    }
    let mut bytes = parts.concat();
    for _ in 0..numbers.below(3) {
        let at = numbers.below(bytes.len());
        match numbers.below(3) {
            _ if bytes.is_empty() => break,
            0 => bytes[at] = numbers.next().to_le_bytes()[7],
            1 => drop(bytes.remove(at)),
            _ => {
                let piece = PIECES[numbers.below(PIECES.len())];
                bytes.splice(at..at, piece.bytes());
            }
        }
    }
    bytes
}
