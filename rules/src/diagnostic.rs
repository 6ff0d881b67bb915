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
    /// The column behind what is meant, on the same line; `column` itself where the whole file is meant.
    pub end_column: u32,
    /// Which sort of fault.
    pub code: Code,
    /// What is wrong: lower case, the user's words in backticks, no full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A fault of a file as a whole.
    pub fn of_file(code: Code, message: impl Into<String>, help: Option<&str>) -> Self {
        let help = help.map(str::to_owned);
        Self { line: 1, column: 1, end_column: 1, code, message: message.into(), help }
    }

    /// A fault of what stands between two offsets of a text, in bytes.
    pub fn between(code: Code, text: &str, range: std::ops::Range<usize>, message: impl Into<String>) -> Self {
        let before = text.get(..range.start).unwrap_or(text);
        let meant = text.get(range).unwrap_or_default().lines().next().unwrap_or_default();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self {
            line: number(before.matches('\n').count() + 1),
            column: number(column),
            end_column: number(column + meant.chars().count()),
            code,
            message: message.into(),
            help: None,
        }
    }
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

/// Sorts of fault, for programs. The words are part of the interface: they do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The file cannot be read, or is no text.
    File,
    /// The name of the file or its folder is no name of a policy.
    Name,
    /// The language's grammar is broken.
    Syntax,
    /// A word that scripts may not use.
    ReservedWord,
    /// The header is missing, given twice, or no map; or something stands beside it.
    Header,
    /// A key of the header that does not exist.
    UnknownKey,
    /// A trigger that does not exist.
    UnknownTrigger,
    /// A field that the trigger's subject, the device or the organization does not have.
    UnknownField,
    /// A value of another sort than is asked for.
    WrongType,
    /// A word that is none of those known.
    UnknownValue,
    /// A condition that nothing fulfils.
    NeverMatches,
    /// `react` is missing or takes other than two parameters, or a function belongs to a type.
    React,
    /// A function that does not exist.
    UnknownFunction,
    /// A function that exists, with another number of arguments.
    WrongArguments,
    /// A variable that does not exist.
    UnknownVariable,
    /// An assignment to what cannot be changed.
    ReadOnly,
    /// An action that is refused whenever it is asked for.
    Refused,
    /// More than the limits allow.
    Limit,
    /// A service, a parameter or a scenario is declared otherwise than it can be.
    Definition,
    /// A template cannot be read, or holds what templates may not.
    Template,
    /// A template names a parameter that does not exist.
    UnknownParameter,
    /// A filter or a test that does not exist.
    UnknownFilter,
    /// A branch or a loop that is never rendered.
    Unreachable,
    /// What is rendered is no configuration.
    Rendering,
    /// A value that may be missing where it is printed.
    MayBeMissing,
    /// A parameter that nobody uses.
    Unused,
    /// A name that hides another: a parameter of a service a global one, a function or a variable of a policy what it
    /// could call or was given.
    Hides,
    /// The configuration says what is refused at the start.
    Configuration,
    /// A text that says something else than was meant.
    Text,
    /// A value that is asked of a branch or a call which has none.
    NoValue,
}

impl Code {
    /// All codes.
    pub const ALL: [Self; 30] = [
        Self::File,
        Self::Name,
        Self::Syntax,
        Self::ReservedWord,
        Self::Header,
        Self::UnknownKey,
        Self::UnknownTrigger,
        Self::UnknownField,
        Self::WrongType,
        Self::UnknownValue,
        Self::NeverMatches,
        Self::React,
        Self::UnknownFunction,
        Self::WrongArguments,
        Self::UnknownVariable,
        Self::ReadOnly,
        Self::Refused,
        Self::Limit,
        Self::Definition,
        Self::Template,
        Self::UnknownParameter,
        Self::UnknownFilter,
        Self::Unreachable,
        Self::Rendering,
        Self::MayBeMissing,
        Self::Unused,
        Self::Hides,
        Self::Configuration,
        Self::Text,
        Self::NoValue,
    ];

    /// The code as programs read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Name => "name",
            Self::Syntax => "syntax",
            Self::ReservedWord => "reserved-word",
            Self::Header => "header",
            Self::UnknownKey => "unknown-key",
            Self::UnknownTrigger => "unknown-trigger",
            Self::UnknownField => "unknown-field",
            Self::WrongType => "wrong-type",
            Self::UnknownValue => "unknown-value",
            Self::NeverMatches => "never-matches",
            Self::React => "react",
            Self::UnknownFunction => "unknown-function",
            Self::WrongArguments => "wrong-arguments",
            Self::UnknownVariable => "unknown-variable",
            Self::ReadOnly => "read-only",
            Self::Refused => "refused",
            Self::Limit => "limit",
            Self::Definition => "definition",
            Self::Template => "template",
            Self::UnknownParameter => "unknown-parameter",
            Self::UnknownFilter => "unknown-filter",
            Self::Unreachable => "unreachable",
            Self::Rendering => "rendering",
            Self::MayBeMissing => "may-be-missing",
            Self::Unused => "unused",
            Self::Hides => "hides",
            Self::Configuration => "configuration",
            Self::Text => "text",
            Self::NoValue => "no-value",
        }
    }
}

/// A place in a source, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LineColumn {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl LineColumn {
    /// The source as a whole, told as its beginning.
    pub(crate) const WHOLE: Self = Self { line: 0, column: 0 };
}

impl From<rhai::Position> for LineColumn {
    fn from(position: rhai::Position) -> Self {
        let number = |n: Option<usize>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or(1).max(1);
        Self { line: number(position.line()), column: number(position.position()) }
    }
}

/// The faults of one source, as they are found.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Diagnostic>);

impl Faults {
    pub(crate) fn add(&mut self, code: Code, at: LineColumn, message: impl Into<String>) {
        self.push(code, at, message.into(), None);
    }

    pub(crate) fn add_with_help(
        &mut self,
        code: Code,
        at: LineColumn,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(code, at, message.into(), Some(help.into()));
    }

    fn push(&mut self, code: Code, at: LineColumn, message: String, help: Option<String>) {
        // The end of what stands at a place is found when all are known; the whole has none.
        let end_column = if at == LineColumn::WHOLE { 1 } else { 0 };
        let (line, column) = (at.line.max(1), at.column.max(1));
        self.0.push(Diagnostic { line, column, end_column, code, message, help });
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All faults in order of place, each with the end of what stands there in `source`.
    pub(crate) fn into_sorted(mut self, source: &str) -> Vec<Diagnostic> {
        self.0.sort_by_key(|fault| (fault.line, fault.column));
        let mut lines = source.lines();
        // The line at hand, and what of it stands from a column on.
        let (mut number, mut rest, mut column) = (0, "", 1);
        for fault in &mut self.0 {
            while number < fault.line {
                number += 1;
                (rest, column) = (lines.next().unwrap_or_default(), 1);
            }
            rest = skip(rest, fault.column.saturating_sub(column));
            column = fault.column;
            if fault.end_column == 0 {
                fault.end_column = column.saturating_add(length_of_first(rest));
            }
        }
        self.0
    }
}

/// A text without so many characters at its beginning.
fn skip(text: &str, count: u32) -> &str {
    let start = text.char_indices().nth(count as usize).map_or(text.len(), |(at, _)| at);
    text.get(start..).unwrap_or_default()
}

/// How many characters the word, text or sign has with which a text begins; 1 if it is empty.
fn length_of_first(text: &str) -> u32 {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = text.chars();
    let count = match rest.next() {
        Some(quote @ ('"' | '`' | '\'')) => 1 + length_of_text(rest, quote),
        Some(first) if is_part(first) => 1 + rest.take_while(|c| is_part(*c)).count(),
        _ => 1,
    };
    u32::try_from(count).unwrap_or(1)
}

/// The characters of a text behind its opening quote, with the closing one if it stands on the line.
fn length_of_text(rest: impl Iterator<Item = char>, quote: char) -> usize {
    let (mut count, mut is_escaped) = (0, false);
    for c in rest {
        count += 1;
        if !is_escaped && c == quote {
            break;
        }
        is_escaped = !is_escaped && c == '\\';
    }
    count
}

/// `did you mean` with the known word nearest to `word`, or else the list of known words.
pub fn suggest<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(word, known.clone()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => format!("known are {}", quoted(known)),
    }
}

/// The known word that `word` most resembles, if any is near.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = (word.chars().count() / 3).max(1);
    // What is much longer or shorter is not near.
    let (least, longest) = (word.len().saturating_sub(4 * most), word.len() + 4 * most);
    let known = known.filter(|candidate| (least..=longest).contains(&candidate.len()));
    let nearest = known.map(|candidate| (distance(word, candidate), candidate)).min();
    nearest.filter(|(steps, _)| *steps <= most).map(|(_, candidate)| candidate)
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

/// How many characters must be inserted, deleted, replaced or swapped with their neighbour to turn one
/// text into the other.
fn distance(from: &str, to: &str) -> usize {
    // A word from outside may be of any length; beyond this it resembles nothing.
    let from: Vec<char> = from.chars().take(64).collect();
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=from.len()).collect();
    let mut last = None;
    for (i, wanted) in to.chars().enumerate() {
        let mut next = vec![i + 1];
        let mut given_last = None;
        for (j, given) in from.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX - 1);
            let mut steps = cell(&row, j) + usize::from(*given != wanted);
            steps = steps.min(cell(&row, j + 1) + 1).min(cell(&next, j) + 1);
            if last == Some(*given) && given_last == Some(wanted) {
                steps = steps.min(cell(&above, j.saturating_sub(1)) + 1);
            }
            next.push(steps);
            given_last = Some(*given);
        }
        above = std::mem::replace(&mut row, next);
        last = Some(wanted);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (from, to, steps) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("evnt", "event", 1),
            ("kitten", "sitting", 3),
            ("lgo", "log", 1),
            ("ab", "ba", 1),
            ("abcd", "badc", 2),
        ] {
            assert_eq!(distance(from, to), steps, "{from} {to}");
        }
    }

    #[test]
    fn what_stands_at_a_column_has_a_length() {
        for (line, column, length) in [
            ("let größe = 1", 5, 5),
            ("x \"a\\\"b\" y", 3, 6),
            ("x \"open", 3, 5),
            ("a + b", 3, 1),
            ("a", 9, 1),
            ("", 1, 1),
        ] {
            assert_eq!(length_of_first(skip(line, column - 1)), length, "{line}");
        }
    }

    #[test]
    fn a_near_word_is_proposed_and_otherwise_all_are_listed() {
        let known = ["priority", "severity"];
        assert_eq!(suggest("prioritty", known.into_iter()), "did you mean `priority`?");
        assert_eq!(suggest("colour", known.into_iter()), "known are `priority`, `severity`");
    }
}
