//! A fault and its place.

use super::fault::Fault;

/// Why and where a bundle is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault} at line {line}, column {column}")]
pub struct Error {
    /// What is wrong.
    pub fault: Fault,
    /// From 1.
    pub line: u32,
    /// From 1, in characters. A byte order mark does not count.
    pub column: u32,
}

/// A fault and its byte in the text behind the byte order mark. Boxed: it travels through results
/// that are made for every token.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) fault: Box<Fault>,
    pub(super) at: usize,
}

impl Stop {
    #[cold]
    pub(super) fn new(fault: Fault, at: usize) -> Self {
        Self { fault: Box::new(fault), at }
    }

    /// Finds line and column: only now, as most bundles have no fault.
    pub(super) fn locate(self, bytes: &[u8]) -> Error {
        let before = bytes.get(..self.at.min(bytes.len())).unwrap_or_default();
        let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |newline| newline + 1);
        let newlines = before.iter().filter(|b| **b == b'\n').count();
        // Every character has exactly one byte that is no continuation byte.
        let characters = before.iter().skip(line_start).filter(|b| **b & 0xC0 != 0x80).count();
        Error { fault: *self.fault, line: from_one(newlines), column: from_one(characters) }
    }
}

fn from_one(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "a\nüß<x\r\n<";
        for (at, line, column) in [(0, 1, 1), (1, 1, 2), (2, 2, 1), (6, 2, 3), (10, 3, 1), (99, 3, 2)] {
            let error = Stop::new(Fault::Empty, at).locate(text.as_bytes());
            assert_eq!((error.line, error.column), (line, column), "byte {at}");
        }
    }
}
