//! What is wrong with a policy's source, where, and what might have been meant.

use std::fmt;

/// One fault of one source. [`fmt::Display`] gives `line:column: message` and the help on a line of
/// its own; whoever knows the file's name puts it in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong: lower case, the user's words in backticks, no full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// A place in a source, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Place {
    /// The beginning of the source, for faults that have no better place.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

impl From<rhai::Position> for Place {
    fn from(position: rhai::Position) -> Self {
        let number = |n: Option<usize>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or(1).max(1);
        Self { line: number(position.line()), column: number(position.position()) }
    }
}

/// The faults of one source, as they are found.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Diagnostic>);

impl Faults {
    pub(crate) fn add(&mut self, at: Place, message: impl Into<String>) {
        self.0.push(Diagnostic { line: at.line, column: at.column, message: message.into(), help: None });
    }

    pub(crate) fn add_with_help(&mut self, at: Place, message: impl Into<String>, help: impl Into<String>) {
        let help = Some(help.into());
        self.0.push(Diagnostic { line: at.line, column: at.column, message: message.into(), help });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All faults, in order of place.
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.0.sort_by_key(|fault| (fault.line, fault.column));
        self.0
    }
}

/// `did you mean` with the known word nearest to `word`, or else the list of known words.
pub fn suggest<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let most = (word.chars().count() / 3).max(1);
    let nearest = known.clone().map(|candidate| (distance(word, candidate), candidate)).min();
    match nearest {
        Some((steps, candidate)) if steps <= most => format!("did you mean `{candidate}`?"),
        _ => format!("known are {}", quoted(known)),
    }
}

/// The words in backticks, separated by commas.
pub(crate) fn quoted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// The beginning of a text from outside, short enough for a message.
pub fn excerpt(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// How many characters must be inserted, deleted or replaced to turn one text into the other.
fn distance(from: &str, to: &str) -> usize {
    // A word from outside may be of any length; beyond this it resembles nothing.
    let from: Vec<char> = from.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=from.len()).collect();
    for (i, wanted) in to.chars().enumerate() {
        let mut left = i + 1;
        let mut diagonal = i;
        for (given, cell) in from.iter().zip(row.iter_mut().skip(1)) {
            let replaced = diagonal + usize::from(*given != wanted);
            diagonal = *cell;
            *cell = replaced.min(left + 1).min(*cell + 1);
            left = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (from, to, steps) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("evnt", "event", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(from, to), steps, "{from} {to}");
        }
    }

    #[test]
    fn a_near_word_is_proposed_and_otherwise_all_are_listed() {
        let known = ["priority", "severity"];
        assert_eq!(suggest("prioritty", known.into_iter()), "did you mean `priority`?");
        assert_eq!(suggest("colour", known.into_iter()), "known are `priority`, `severity`");
    }
}
