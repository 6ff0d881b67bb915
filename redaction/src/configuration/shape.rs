//! How far text in braces is: how deep, in quotation marks, in a comment. What stands within is no heading and no prompt.

use memchr::memchr;

use crate::bytes::{at, before, from, is_blank};

/// How far text in braces is.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    depth: usize,
    is_quoted: bool,
    is_comment: bool,
    /// In JSON lists count as well, and there are no comments.
    pub(super) is_json: bool,
}

impl Shape {
    /// That of JSON.
    pub(super) fn of_json() -> Self {
        Self { is_json: true, ..Self::default() }
    }

    /// Whether nothing is open.
    pub(super) fn is_closed(&self) -> bool {
        self.depth == 0 && !self.is_text()
    }

    /// Whether it is within quotation marks or a comment.
    pub(super) fn is_text(&self) -> bool {
        self.is_quoted || self.is_comment
    }

    /// Goes on with a text. With `until_closed` it ends behind the brace that closes the last one; where it ended, and
    /// whether there.
    pub(super) fn pass(&mut self, text: &[u8], until_closed: bool) -> (usize, bool) {
        let mut place = 0;
        while place < text.len() {
            if self.is_comment {
                let Some(end) = memchr::memmem::find(from(text, place), b"*/") else { return (text.len(), false) };
                self.is_comment = false;
                place += end + 2;
                continue;
            }
            match at(text, place) {
                b'\\' if self.is_quoted => place += 1,
                b'"' => self.is_quoted = !self.is_quoted,
                b'&' if from(text, place).starts_with(b"&quot;") => self.is_quoted = !self.is_quoted,
                _ if self.is_quoted => {}
                b'/' if !self.is_json && at(text, place + 1) == b'*' => {
                    self.is_comment = true;
                    place += 1;
                }
                b'#' if !self.is_json
                    && (place == 0 || is_blank(before(text, place)) || before(text, place) == b';') =>
                {
                    // To the end of its line.
                    place += memchr(b'\n', from(text, place)).unwrap_or(text.len() - place);
                    continue;
                }
                b'{' => self.depth += 1,
                b'[' if self.is_json => self.depth += 1,
                b'}' => self.close(),
                b']' if self.is_json => self.close(),
                _ => {}
            }
            place += 1;
            if until_closed && self.depth == 0 && matches!(at(text, place - 1), b'}' | b']') && !self.is_text() {
                return (place.min(text.len()), true);
            }
        }
        (place.min(text.len()), false)
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}
