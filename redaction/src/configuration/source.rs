//! A document without its configuration, as a stream of its own.

use std::io::{self, Read};

use memchr::{memchr, memrchr, memrchr2};

use super::Cut;
use crate::bytes::{from, part};

/// The longest line that is looked at as one; a longer one is cut behind a tag or a word.
const LINE_MOST: usize = 64 * 1024;

/// Reads a document and hands it on without its configuration.
pub(crate) struct Source<'a> {
    input: &'a mut dyn Read,
    cut: &'a mut Cut,
    buffer: Vec<u8>,
    read: usize,
    is_at_end: bool,
    starts_line: bool,
    out: Vec<u8>,
    given: usize,
}

impl<'a> Source<'a> {
    pub(crate) fn new(input: &'a mut dyn Read, cut: &'a mut Cut) -> Self {
        Self { input, cut, buffer: Vec::new(), read: 0, is_at_end: false, starts_line: true, out: Vec::new(), given: 0 }
    }

    /// Fills the buffer with at least one line, where there is one.
    fn fill(&mut self) -> io::Result<()> {
        if self.is_at_end || self.buffer.len() - self.read >= LINE_MOST {
            return Ok(());
        }
        self.buffer.drain(..self.read);
        self.read = 0;
        let room = (4 * LINE_MOST - self.buffer.len()) as u64;
        let more = Read::take(&mut *self.input, room).read_to_end(&mut self.buffer)?;
        self.is_at_end = (more as u64) < room;
        Ok(())
    }

    /// Judges the next line, or the next piece of a long one; whether there was one.
    fn advance(&mut self) -> io::Result<bool> {
        self.fill()?;
        let rest = part(&self.buffer, self.read, self.read + LINE_MOST);
        if rest.is_empty() {
            self.cut.end();
            return Ok(false);
        }
        let line_end = memchr(b'\n', rest).map(|end| if self.cut.has_tags() { behind_a_tag(rest, end) } else { end });
        let is_whole = line_end.is_some() || (self.is_at_end && self.read + rest.len() == self.buffer.len());
        let length = match line_end {
            Some(end) => end + 1,
            None if is_whole => rest.len(),
            None => memrchr2(b'>', b' ', rest).map_or(rest.len(), |place| place + 1),
        };
        self.cut.line(part(rest, 0, length), self.starts_line, &mut self.out);
        self.starts_line = line_end.is_some();
        self.read += length;
        Ok(true)
    }
}

impl Read for Source<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while self.given == self.out.len() {
            self.out.clear();
            self.given = 0;
            if !self.advance()? && self.out.is_empty() {
                return Ok(0);
            }
        }
        let count = room.len().min(self.out.len() - self.given);
        for (place, byte) in room.iter_mut().zip(part(&self.out, self.given, self.given + count)) {
            *place = *byte;
        }
        self.given += count;
        Ok(count)
    }
}

/// The end of the line, or of a later one where it ends within a tag.
fn behind_a_tag(text: &[u8], line_end: usize) -> usize {
    let line = part(text, 0, line_end);
    let is_within = match (memrchr(b'<', line), memrchr(b'>', line)) {
        (Some(opening), Some(closing)) => opening > closing,
        (opening, _) => opening.is_some(),
    };
    if !is_within {
        return line_end;
    }
    let closing = memchr(b'>', from(text, line_end)).map(|closing| line_end + closing);
    let end = closing.and_then(|closing| memchr(b'\n', from(text, closing)).map(|end| closing + end));
    end.unwrap_or(line_end)
}
