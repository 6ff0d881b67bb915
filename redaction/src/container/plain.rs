//! A text as far as it is one: what it is was told by how it begins, and it may go on as something else.

use std::io::{self, Read};

use memchr::memchr;

use super::kind::is_wide;

/// How many bytes are needed to tell text of two bytes a character.
const NEEDED: usize = 16;

/// Reads a text, and ends where it is none any more.
pub(super) struct Plain<'a> {
    input: &'a mut dyn Read,
    takes_binary: bool,
    takes_closed: bool,
    /// What was read and not looked at, and how much of it was given.
    piece: Vec<u8>,
    given: usize,
    is_at_end: bool,
    is_over: bool,
}

impl<'a> Plain<'a> {
    pub(super) fn new(input: &'a mut dyn Read, takes_binary: bool, takes_closed: bool) -> Self {
        Self { input, takes_binary, takes_closed, piece: Vec::new(), given: 0, is_at_end: false, is_over: false }
    }

    /// Whether it ended because it is no text any more.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Reads on, and cuts what was read where the text ends.
    fn fill(&mut self) -> io::Result<()> {
        const PIECE: usize = 64 * 1024;
        self.piece.clear();
        self.given = 0;
        let read = Read::take(&mut *self.input, PIECE as u64).read_to_end(&mut self.piece)?;
        self.is_at_end = read < PIECE;
        let mut place = 0;
        while let Some(zero) = self.piece.get(place..).and_then(|rest| memchr(0, rest)) {
            let zero = place + zero;
            if zero + NEEDED > self.piece.len() && !self.is_at_end {
                // At the edge of a piece: some more says which it is.
                let more = Read::take(&mut *self.input, NEEDED as u64).read_to_end(&mut self.piece)?;
                self.is_at_end = more < NEEDED;
            }
            let rest = self.piece.get(zero.saturating_sub(1)..).unwrap_or_default();
            if !self.takes_binary || (!self.takes_closed && is_wide(rest)) {
                self.piece.truncate(zero);
                (self.is_at_end, self.is_over) = (true, true);
                return Ok(());
            }
            place = zero + 1;
        }
        Ok(())
    }
}

impl Read for Plain<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.given == self.piece.len() {
            if self.is_at_end {
                return Ok(0);
            }
            self.fill()?;
        }
        let rest = self.piece.get(self.given..).unwrap_or_default();
        let count = rest.len().min(room.len());
        if let (Some(room), Some(rest)) = (room.get_mut(..count), rest.get(..count)) {
            room.copy_from_slice(rest);
        }
        self.given += count;
        Ok(count)
    }
}
