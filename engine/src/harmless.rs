//! Text from outside - scripts, devices, people - on its way to a terminal: what would steer it is shown, and not done.
//!
//! A character that steers is written as JSON escapes it (`\u202e`): whoever reads sees that it is there, and a line of
//! JSON stays the same JSON. What is printed passes [`printed`] last of all, the program's own log too; a part of a table
//! or of a line passes [`in_line`] before, where no colour is the program's own.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

/// Whether a character moves a cursor, changes the order or the form of others, or cannot be seen at all: C0, DEL, C1,
/// separators of lines, what directs writing, joins or tags (Unicode's format characters).
pub(crate) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// A text as a part of one line: nothing in it steers, and where a line ends is a space.
pub(crate) fn in_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => line.push(' '),
            c => put(&mut line, c),
        }
    }
    line
}

/// A text as it may be printed: lines, tabs and the colours that the program itself uses stay.
pub(crate) fn printed(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| steers(c) && c != '\n' && c != '\t') {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let length = match c {
            '\u{1b}' => colour(rest),
            '\n' | '\t' => Some(1),
            '\r' if after.starts_with('\n') => Some(1),
            _ => None,
        };
        match length.and_then(|length| rest.split_at_checked(length)) {
            Some((own, behind)) => {
                shown.push_str(own);
                rest = behind;
            }
            None => {
                put(&mut shown, c);
                rest = after;
            }
        }
    }
    Cow::Owned(shown)
}

fn put(text: &mut String, c: char) {
    if !steers(c) {
        return text.push(c);
    }
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a string does not fail.
        let _ = write!(text, "\\u{unit:04x}");
    }
}

/// The length of a sequence that colours what follows, or makes it bold or dim, in bytes; none where it does more, as
/// hiding it.
fn colour(text: &str) -> Option<usize> {
    let (parameters, _) = text.strip_prefix("\u{1b}[")?.split_once('m')?;
    let is_own = |parameter: &str| matches!(parameter.parse(), Ok(0..=4_u8 | 31..=37 | 39 | 90..=97));
    let is_own = parameters.is_empty() || parameters.len() < 16 && parameters.split(';').all(is_own);
    is_own.then_some("\u{1b}[m".len() + parameters.len())
}

/// What is written to it goes on as [`printed`], line by line as it comes.
#[derive(Debug)]
pub(crate) struct Harmless<W>(pub(crate) W);

impl<W: io::Write> io::Write for Harmless<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0.write_all(printed(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{202e}b\u{1b}[2Jc\u{1b}[8md\u{9b}31me\u{7}\u{2066}f\u{e0041}\rg";
    const SHOWN: &str = "a\\u202eb\\u001b[2Jc\\u001b[8md\\u009b31me\\u0007\\u2066f\\udb40\\udc41";

    #[test]
    fn nothing_that_is_printed_steers_a_terminal() {
        assert_eq!(printed(HOSTILE), format!("{SHOWN}\\u000dg"));
        assert_eq!(in_line(HOSTILE), format!("{SHOWN} g"));
        assert_eq!(in_line("\u{1b}[31mred\nline"), "\\u001b[31mred line");
        let own = "\u{1b}[1m\u{1b}[31mred\u{1b}[0m\ttab\r\nlines größer 日本\n";
        assert_eq!(printed(own), own);
        assert_eq!(printed("\u{1b}[40mx \u{1b}[m \u{1b}[1;31mx \u{1b}"), "\\u001b[40mx \u{1b}[m \u{1b}[1;31mx \\u001b");
    }

    #[test]
    fn json_stays_the_json_it_was() {
        let value = serde_json::json!({"synopsis": HOSTILE});
        let text = value.to_string();
        let shown = printed(&text);
        assert!(!shown.chars().any(steers), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn what_is_written_is_harmless() {
        let mut written = Harmless(Vec::new());
        io::Write::write_all(&mut written, b"a\xe2\x80\xaeb\n").unwrap();
        assert_eq!(written.0, b"a\\u202eb\n");
    }
}
