//! Looking for a byte, eight at a time.
//!
//! Most stretches of a bundle are shorter than sixteen bytes: there a loop over single bytes costs
//! a mispredicted branch each, and a call of `memchr` more than its work.

const ONES: u64 = u64::from_le_bytes([0x01; 8]);
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
    fn every_other_byte_is_passed_over() {
        for byte in (0..=u8::MAX).filter(|b| !b"<>&".contains(b)) {
            assert_eq!(find_markup(&[byte; 17]), None, "{byte}");
        }
        for byte in (0..=u8::MAX).filter(|b| *b != b'"') {
            assert_eq!(find(&[byte; 17], b'"'), None, "{byte}");
        }
    }
}
