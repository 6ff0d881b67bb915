//! The text of one field, which may come in pieces.

use std::borrow::Cow;

use super::text;

/// Collects pieces; borrows as long as there is one.
#[derive(Debug, Default)]
pub(super) struct Text<'a> {
    value: Cow<'a, str>,
}

impl<'a> Text<'a> {
    /// Adds a piece of the original. Line ends become `\n`, as XML 1.0 demands (section 2.11).
    pub(super) fn push(&mut self, piece: &'a str) {
        // Without a way out of the loop it works on many bytes at once.
        if piece.bytes().fold(false, |is_found, b| is_found | (b == b'\r')) {
            let owned = self.value.to_mut();
            owned.push_str(&piece.replace("\r\n", "\n").replace('\r', "\n"));
        } else if self.value.is_empty() {
            self.value = Cow::Borrowed(piece);
        } else {
            self.value.to_mut().push_str(piece);
        }
    }

    /// Adds what a reference means.
    pub(super) fn push_char(&mut self, c: char) {
        self.value.to_mut().push(c);
    }

    /// Length so far, in bytes.
    pub(super) fn len(&self) -> usize {
        self.value.len()
    }

    /// The text as it is; an empty one begins.
    pub(super) fn take(&mut self) -> Cow<'a, str> {
        std::mem::take(&mut self.value)
    }

    /// The text without the white space around it; an empty one begins.
    pub(super) fn take_trimmed(&mut self) -> Cow<'a, str> {
        match self.take() {
            Cow::Borrowed(value) => Cow::Borrowed(text::trim(value)),
            Cow::Owned(value) if text::trim(&value).len() == value.len() => Cow::Owned(value),
            Cow::Owned(value) => Cow::Owned(text::trim(&value).to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_piece_is_borrowed_and_several_are_joined() {
        let mut text = Text::default();
        text.push(" one ");
        assert!(matches!(text.take_trimmed(), Cow::Borrowed("one")));
        text.push(" a\r\nb\rc ");
        text.push_char('\r');
        text.push(" d");
        text.push_char(' ');
        assert_eq!(text.take_trimmed(), "a\nb\nc \r d");
        assert_eq!(text.len(), 0);
    }
}
