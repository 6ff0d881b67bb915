//! Looking for bytes, eight at a time.
//!
//! Most stretches of a bundle are shorter than sixteen bytes: there a loop over single bytes costs
//! a mispredicted branch each, and a call of `memchr` more than its work.

const ONES: u64 = u64::from_le_bytes([0x01; 8]);
const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);

/// Where the first `needle` stands.
pub(super) fn find(bytes: &[u8], needle: u8) -> Option<usize> {
    let pattern = ONES * u64::from(needle);
    find_by(bytes, |word| zeros(word ^ pattern), |byte| byte == needle)
}

/// Where the first `<`, `>` or `&` stands.
pub(super) fn find_markup(bytes: &[u8]) -> Option<usize> {
    // `<` and `>` differ in one bit.
    const ANGLES: u64 = u64::from_le_bytes([b'>'; 8]);
    const ANGLE_BIT: u64 = u64::from_le_bytes([b'<' ^ b'>'; 8]);
    const AMPERSANDS: u64 = u64::from_le_bytes([b'&'; 8]);
    find_by(
        bytes,
        |word| zeros((word | ANGLE_BIT) ^ ANGLES) | zeros(word ^ AMPERSANDS),
        |byte| matches!(byte, b'<' | b'>' | b'&'),
    )
}

/// Whether there is a control character other than tab, line feed and carriage return, or the byte
/// that U+FFFE and U+FFFF begin with.
pub(super) fn has_suspect(bytes: &[u8]) -> bool {
    const HIGH_BITS_OF_CONTROLS: u64 = u64::from_le_bytes([0xE0; 8]);
    let suspects = |word: u64| {
        let is = |byte: u8| exact_zeros(word ^ (ONES * u64::from(byte)));
        exact_zeros(word & HIGH_BITS_OF_CONTROLS) & !(is(b'\t') | is(b'\n') | is(b'\r')) | is(0xEF)
    };
    let (words, tail) = bytes.as_chunks::<8>();
    // Without a way out of the loop compilers take several words at once.
    let in_words = words.iter().fold(0, |found, word| found | suspects(u64::from_le_bytes(*word)));
    let last = tail.iter().fold(SPACES, |word, byte| (word << 8) | u64::from(*byte));
    in_words | suspects(last) != 0
}

/// The high bit of each byte that is zero.
const fn exact_zeros(word: u64) -> u64 {
    !(((word & !HIGHS) + !HIGHS) | word | !HIGHS)
}

/// The high bit of each byte that is zero. Only the lowest bit of the result is to be trusted: a
/// borrow may set others above it.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

fn find_by(bytes: &[u8], hits: impl Fn(u64) -> u64, is_hit: impl Fn(u8) -> bool) -> Option<usize> {
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let hits = hits(u64::from_le_bytes(*word));
        if hits != 0 {
            return Some(index * 8 + (hits.trailing_zeros() / 8) as usize);
        }
    }
    tail.iter().position(|byte| is_hit(*byte)).map(|offset| words.len() * 8 + offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_found_wherever_it_stands() {
        for length in 0..40 {
            let mut bytes = vec![b'='; length];
            assert_eq!((find(&bytes, b'"'), find_markup(&bytes)), (None, None));
            for place in (0..length).rev() {
                for byte in *b"<>&" {
                    bytes[place] = byte;
                    assert_eq!(find_markup(&bytes), Some(place));
                }
                bytes[place] = b'"';
                assert_eq!(find(&bytes, b'"'), Some(place));
            }
        }
    }

    #[test]
    fn suspects_are_found_wherever_they_stand() {
        for length in 1..40 {
            for place in 0..length {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![b'\n'; length];
                    bytes[place] = byte;
                    let is_suspect = byte < b' ' && !b"\t\n\r".contains(&byte) || byte == 0xEF;
                    assert_eq!(has_suspect(&bytes), is_suspect, "{byte} at {place} of {length}");
                }
            }
        }
        assert!(!has_suspect(b""));
    }

    #[test]
    fn every_other_byte_is_passed_over() {
        for byte in (0..=u8::MAX).filter(|b| !b"<>&".contains(b)) {
            assert_eq!(find_markup(&[byte; 17]), None, "{byte}");
        }
        for byte in (0..=u8::MAX).filter(|b| *b != b'"') {
            assert_eq!(find(&[byte; 17], b'"'), None, "{byte}");
        }
    }
}
