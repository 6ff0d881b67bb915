//! Text from outside, made fit for one line of a message or log.

use linesman_redaction::Redaction;
use linesman_schemas::FilterLevel;

/// `text` with every character that could break or disguise a line escaped as in JSON: controls
/// (C0, DEL, C1), line and paragraph separators, and the marks that reorder what is read.
pub(crate) fn escaped(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            c if c.is_control() || is_disguise(c) => line.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => line.push(c),
        }
    }
    line
}

/// The first `most` characters of `text`, escaped; `...` tells that something is missing.
pub(crate) fn excerpt(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => escaped(text.get(..end).unwrap_or_default()) + "...",
        None => escaped(text),
    }
}

/// What somebody outside says, as [`excerpt`] of it, without secrets that announce themselves in it.
pub(crate) fn said(text: &str, most: usize) -> String {
    excerpt(&Redaction::at(FilterLevel::All).name(text), most)
}

/// Separators and bidirectional controls: none is `char::is_control`, each can fake a line.
const fn is_disguise(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_can_break_or_disguise_a_line() {
        assert_eq!(escaped("a\nb\u{1b}[31m\u{85}\u{2028}\u{202e}ü"), "a\\nb\\u001b[31m\\u0085\\u2028\\u202eü");
    }

    #[test]
    fn an_excerpt_ends_at_a_character() {
        assert_eq!(excerpt("äöü", 2), "äö...");
        assert_eq!(excerpt("äö", 2), "äö");
    }
}
