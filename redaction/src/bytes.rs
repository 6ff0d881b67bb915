//! Bytes of text that may be anything: looked at without a panic, classed without a locale.

/// The byte at a place; zero, which separates everything, beyond the end.
#[inline]
pub(crate) fn at(text: &[u8], place: usize) -> u8 {
    text.get(place).copied().unwrap_or(0)
}

/// The byte before a place; zero at the beginning.
#[inline]
pub(crate) fn before(text: &[u8], place: usize) -> u8 {
    place.checked_sub(1).map_or(0, |place| at(text, place))
}

/// The text from a place on; empty beyond the end.
#[inline]
pub(crate) fn from(text: &[u8], place: usize) -> &[u8] {
    text.get(place..).unwrap_or_default()
}

/// A part of the text; empty where there is none.
#[inline]
pub(crate) fn part(text: &[u8], start: usize, end: usize) -> &[u8] {
    text.get(start..end.min(text.len())).unwrap_or_default()
}

/// Whether the text begins with a word, in whatever case.
pub(crate) fn begins(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
}

/// The first place at or behind `start` whose byte is none of those.
pub(crate) fn skip(text: &[u8], start: usize, those: impl Fn(u8) -> bool) -> usize {
    let end =
        from(text, start).iter().position(|&byte| !those(byte)).map_or(text.len().max(start), |more| start + more);
    looked_at(end - start);
    end
}

/// Counts bytes that were looked at, in tests: what a text costs is bounded by its length.
#[cfg(not(test))]
#[inline]
pub(crate) fn looked_at(_count: usize) {}

#[cfg(test)]
pub(crate) use counted::looked_at;

/// The value of a hexadecimal digit.
pub(crate) fn nibble(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// A blank within a line.
pub(crate) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// A byte of a word of letters or digits, as identifiers are made of.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
pub(crate) mod counted {
    use std::cell::Cell;

    thread_local! {
        static COUNT: Cell<u64> = const { Cell::new(0) };
    }

    pub(crate) fn looked_at(count: usize) {
        COUNT.with(|all| all.set(all.get() + 1 + count as u64));
    }

    /// How many there were since it was asked last.
    pub(crate) fn taken() -> u64 {
        COUNT.with(|all| all.replace(0))
    }
}
