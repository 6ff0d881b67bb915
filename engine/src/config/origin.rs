//! Where a value came from, and how that is shown.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::mask;

/// The longest piece of a source line that is shown, in characters.
const SHOWN: usize = 120;
/// How much of it stands before the underlined text, where the line is longer.
const BEFORE: usize = 40;

/// Where a value, or a mistake, came from. Shown as a comment or as the head of a mistake.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The configuration file as a whole.
    File(PathBuf),
    /// A place in the configuration file, or in a text that a variable or a flag holds.
    Spot(Spot),
    /// An environment variable.
    Variable(String),
    /// A flag of the command line, with its dashes.
    Flag(String),
    /// Nowhere: nothing was said.
    Default,
}

/// What a value may be said by, the later over the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The configuration file.
    File,
    /// An environment variable.
    Environment,
    /// A flag.
    Flags,
}

/// A place in a text of several lines: the configuration file, or a list that a variable or a flag holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// What the text was said by.
    pub layer: Layer,
    /// The file, the variable or the flag, as it was named.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The line, or what of it can be shown: secrets masked, control characters blanked.
    pub text: String,
    /// Which characters of `text` are meant.
    pub underlined: Extent,
}

/// Characters of a text: the first, and how many (at least 1).
pub type Extent = (usize, usize);

impl Origin {
    /// The layer it belongs to; none: nothing was said.
    pub fn layer(&self) -> Option<Layer> {
        match self {
            Self::File(_) => Some(Layer::File),
            Self::Spot(spot) => Some(spot.layer),
            Self::Variable(_) => Some(Layer::Environment),
            Self::Flag(_) => Some(Layer::Flags),
            Self::Default => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(&shown_path(path)),
            Self::Spot(spot) => write!(f, "{}:{}:{}", shown_path(&spot.path), spot.line, spot.column),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A path on one line.
fn shown_path(path: &Path) -> String {
    blank_controls(&path.display().to_string())
}

/// The text on one line that does nothing to a terminal.
pub(super) fn blank_controls(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A text with the begin of each line.
pub(super) struct Source {
    pub(super) layer: Layer,
    pub(super) path: PathBuf,
    pub(super) text: String,
    starts: Vec<usize>,
}

impl Source {
    pub(super) fn new(layer: Layer, path: &Path, text: String) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { layer, path: path.to_owned(), text, starts }
    }

    /// The number of the line with a byte, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// Where the first line of more than `most` bytes begins.
    pub(super) fn line_longer_than(&self, most: usize) -> Option<usize> {
        let ends = self.starts.iter().copied().skip(1).chain(std::iter::once(self.text.len()));
        self.starts.iter().copied().zip(ends).find(|(start, end)| end - start > most).map(|(start, _)| start)
    }

    /// Where a range of bytes stands; of one over several lines, its first.
    pub(super) fn origin(&self, span: Range<usize>) -> Origin {
        let number = self.line(span.start);
        let start = self.starts.get(number.saturating_sub(1)).copied().unwrap_or_default();
        let rest = self.text.get(start..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let before = line.get(..span.start.saturating_sub(start)).unwrap_or(line);
        let column = before.chars().count();
        let meant = line.get(before.len()..).unwrap_or_default();
        let length = meant.get(..span.len()).unwrap_or(meant).chars().count().max(1);
        let (text, underlined) = excerpt(line, (column, length));
        Origin::Spot(Spot {
            layer: self.layer,
            path: self.path.clone(),
            line: number,
            column: column + 1,
            text,
            underlined,
        })
    }
}

/// What of a line is shown, and where the characters meant stand in it.
fn excerpt(line: &str, (column, length): Extent) -> (String, Extent) {
    let masked = mask::line(line);
    // Behind the first masked character nothing stands where it stood.
    let same = line.chars().zip(masked.chars()).take_while(|(a, b)| a == b).count();
    let total = masked.chars().count();
    let (column, length) = if masked == line || column + length <= same {
        (column, length)
    } else {
        let column = column.min(same);
        (column, total.saturating_sub(column).max(1))
    };
    let skipped = if total > SHOWN { column.saturating_sub(BEFORE) } else { 0 };
    let text = blank_controls(&masked.chars().skip(skipped).take(SHOWN).collect::<String>());
    let column = column - skipped;
    let length = length.min(SHOWN.saturating_sub(column)).max(1);
    (text, (column, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(text: &str, span: Range<usize>) -> (usize, usize, String, Extent) {
        match Source::new(Layer::File, Path::new("f"), text.to_owned()).origin(span) {
            Origin::Spot(spot) => (spot.line, spot.column, spot.text, spot.underlined),
            origin => panic!("{origin:?}"),
        }
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(spot("a = 1\nö = 'ß'\n", 11..15), (2, 5, "ö = 'ß'".to_owned(), (4, 3)));
        assert_eq!(spot("", 0..0), (1, 1, String::new(), (0, 1)));
        assert_eq!(spot("a = ", 4..4), (1, 5, "a = ".to_owned(), (4, 1)));
        assert_eq!(spot("a = 1\r\nb = '\u{7}'", 7..8), (2, 1, "b = ' '".to_owned(), (0, 1)));
    }

    #[test]
    fn of_a_long_line_a_piece_is_shown() {
        let text = format!("x = \"{}\"", "a".repeat(5000));
        let (line, column, shown, underlined) = spot(&text, 3000..3001);
        assert_eq!((line, column, shown.len(), underlined), (1, 3001, SHOWN, (BEFORE, 1)));
    }

    #[test]
    fn a_range_over_lines_is_underlined_to_the_end_of_its_first() {
        assert_eq!(spot("a = [\n1,\n]", 4..10), (1, 5, "a = [".to_owned(), (4, 1)));
    }

    #[test]
    fn a_masked_line_is_underlined_up_to_its_end() {
        let text = "url = \"nats://me:hunter2@h\"";
        let (_, column, shown, underlined) = spot(text, 6..text.len());
        assert_eq!((column, shown.as_str(), underlined), (7, "url = \"nats://me:***@h\"", (6, 17)));
    }
}
