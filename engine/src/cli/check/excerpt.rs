//! A line of a source as a terminal can show it, and what to underline.
//!
//! Nothing of a source reaches the terminal that could steer it: control characters and those that turn
//! the direction of writing are shown as `\u{FFFD}`. Columns are those of the screen: a tab takes four, a
//! wide character two, one that joins with the one before none.

use unicode_width::UnicodeWidthChar;

use crate::harmless::steers;

/// What a tab takes.
const TAB: &str = "    ";

/// The most columns of a line that are shown.
const MOST_COLUMNS: usize = 96;

/// The most characters to either side of what is meant that are looked at.
const MOST_CHARS: usize = 2 * MOST_COLUMNS;

/// Of a line that is cut, so many columns are shown before what is meant.
const BEFORE: usize = 32;

/// What stands where something was left out.
const LEFT_OUT: &str = "...";

/// A line to show, and the columns to underline.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) line: String,
    /// Blanks before the underlined part.
    pub(super) margin: usize,
    /// The underlined columns; at least one.
    pub(super) width: usize,
}

/// Takes from `line` what stands around the characters from `start` up to `end`, counted from 0.
pub(super) fn excerpt(line: &str, start: usize, end: usize) -> Excerpt {
    // Of a long line only so much is looked at as could be shown; characters without width are few.
    let from = start.saturating_sub(MOST_CHARS);
    let mut rest = line.chars().skip(from);
    let cells: Vec<(String, usize)> = rest.by_ref().take(2 * MOST_CHARS).map(cell).collect();
    let has_more = rest.next().is_some();
    let columns = |from: usize, to: usize| -> usize { cells.iter().take(to).skip(from).map(|(_, width)| width).sum() };
    let start = (start - from).min(cells.len());
    let end = end.saturating_sub(from).clamp(start, cells.len());
    let (mut first, mut last) = (0, cells.len());
    if from > 0 || has_more || columns(0, last) > MOST_COLUMNS {
        first = start;
        while first > 0 && columns(first - 1, start) <= BEFORE {
            first -= 1;
        }
        last = first;
        while last < cells.len() && columns(first, last + 1) <= MOST_COLUMNS {
            last += 1;
        }
    }
    let shown: String = cells.iter().take(last).skip(first).map(|(text, _)| text.as_str()).collect();
    let before = if from + first > 0 { LEFT_OUT } else { "" };
    let after = if has_more || last < cells.len() { LEFT_OUT } else { "" };
    Excerpt {
        line: format!("{before}{}{after}", shown.trim_end()),
        margin: before.len() + columns(first, start),
        width: columns(start, end.min(last)).max(1),
    }
}

/// A text with nothing in it that steers a terminal.
pub(super) fn visible(text: &str) -> String {
    text.chars().map(|c| if steers(c) { '\u{FFFD}' } else { c }).collect()
}

/// How a character is shown, and the columns it takes.
fn cell(c: char) -> (String, usize) {
    match c {
        '\t' => (TAB.to_owned(), TAB.len()),
        c if steers(c) => ('\u{FFFD}'.to_string(), 1),
        c => (c.to_string(), c.width().unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The excerpt, and below it what is underlined.
    fn shown(line: &str, start: usize, end: usize) -> String {
        let Excerpt { line, margin, width } = excerpt(line, start, end);
        format!("{line}\n{}{}", " ".repeat(margin), "^".repeat(width))
    }

    #[test]
    fn what_is_meant_is_underlined_in_columns_of_the_screen() {
        for (line, start, end, expected) in [
            ("let x = lgo(1);", 8, 11, "let x = lgo(1);\n        ^^^"),
            ("\tlgo(1);", 1, 4, "    lgo(1);\n    ^^^"),
            ("log(\"größe\"); x", 14, 15, "log(\"größe\"); x\n              ^"),
            ("log(\"日本\"); x", 11, 12, "log(\"日本\"); x\n             ^"),
            ("log(\"日本\");", 4, 8, "log(\"日本\");\n    ^^^^^^"),
            ("\"e\u{301}\"; x", 6, 7, "\"e\u{301}\"; x\n     ^"),
            ("a\u{1b}[31m; x", 8, 9, "a\u{FFFD}[31m; x\n        ^"),
            ("a\u{202e}b x", 4, 5, "a\u{FFFD}b x\n    ^"),
            ("}", 5, 9, "}\n ^"),
            ("", 0, 1, "\n^"),
        ] {
            assert_eq!(shown(line, start, end), expected, "{line}");
        }
    }

    #[test]
    fn a_long_line_is_cut_around_what_is_meant() {
        let line = format!("{}lgo(1);{}", "a = 1; ".repeat(100), " b = 2;".repeat(100));
        let shown = shown(&line, 700, 703);
        assert_eq!(
            shown,
            "... 1; a = 1; a = 1; a = 1; a = 1; lgo(1); b = 2; b = 2; b = 2; b = 2; b = 2; b = 2; b = 2; b = 2;...\n\
             \u{20}                                  ^^^"
        );
        let text = format!("\"{}\"", "x".repeat(400));
        let Excerpt { line, margin, width } = excerpt(&text, 0, 402);
        assert_eq!((line.len(), margin, width), (MOST_COLUMNS + LEFT_OUT.len(), 0, MOST_COLUMNS));
    }
}
