//! Why a run ended without a result.

use std::fmt;

use rhai::{Dynamic, EvalAltResult, Position};

use super::budget::Stop;
use super::parser::restyle;
use super::{Limits, json};
use crate::diagnostic::LineColumn;

/// The longest text of a failure, in characters; what a script throws may be as long as it likes.
const LONGEST_MESSAGE_CHARS: usize = 512;

/// Why a run ended without a result. The same script on the same subject fails alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which sort.
    pub kind: FailureKind,
    /// What went wrong: lower case, the user's words in backticks, no full stop. A thrown text as it is.
    pub message: String,
    /// The line in the policy's source, from 1.
    pub line: Option<u32>,
    /// The column in characters, from 1.
    pub column: Option<u32>,
}

/// Sorts of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// Too many operations.
    Operations,
    /// Calls or expressions too deep within each other.
    Depth,
    /// Too much of the processor's time, by the clock of whoever runs it: no decision of the script's, and none to be decided by.
    Time,
    /// A text, list, map or number of variables too large.
    Size,
    /// Too many intents, or too large.
    Intents,
    /// An action was refused, or a property asked for that does not exist.
    Refused,
    /// The script threw something and did not catch it.
    Thrown,
    /// Any other fault of the script: an unknown function, a wrong type, a division by zero.
    Script,
}

impl FailureKind {
    /// The kind as a label of metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operations => "operations",
            Self::Depth => "depth",
            Self::Time => "time",
            Self::Size => "size",
            Self::Intents => "intents",
            Self::Refused => "refused",
            Self::Thrown => "thrown",
            Self::Script => "script",
        }
    }
}

impl fmt::Display for Failure {
    /// `line:column: message`, as far as the place is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "{line}:{column}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// The run took too much of the processor's time.
    pub(super) fn over_time() -> Self {
        let message = "the run takes more of the processor's time than it may".to_owned();
        Self { kind: FailureKind::Time, message, line: None, column: None }
    }

    /// What an error of the interpreter means.
    pub(super) fn new(error: EvalAltResult, limits: &Limits) -> Self {
        let (error, position) = innermost(error);
        let (kind, message) = describe(error, limits);
        let place = (!position.is_none()).then(|| LineColumn::from(position));
        Self {
            kind,
            message: message.chars().take(LONGEST_MESSAGE_CHARS).collect(),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
        }
    }
}

/// The error in which a chain of calls ended, with the innermost place known.
fn innermost(mut error: EvalAltResult) -> (EvalAltResult, Position) {
    let mut known = Position::NONE;
    loop {
        let position = error.position();
        if !position.is_none() {
            known = position;
        }
        match error {
            EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => {
                error = *inner;
            }
            other => return (other, known),
        }
    }
}

fn describe(mut error: EvalAltResult, limits: &Limits) -> (FailureKind, String) {
    match error {
        EvalAltResult::ErrorTerminated(token, _) => match token.try_cast::<Stop>() {
            Some(stop) => (stop.kind, stop.message),
            None => too_many_operations(limits),
        },
        EvalAltResult::ErrorTooManyOperations(_) => too_many_operations(limits),
        EvalAltResult::ErrorStackOverflow(_) => {
            (FailureKind::Depth, format!("functions call each other more than {} deep", limits.call_levels))
        }
        EvalAltResult::ErrorDataTooLarge(what, _) => (FailureKind::Size, too_large(&what, limits)),
        EvalAltResult::ErrorTooManyVariables(_) => {
            (FailureKind::Size, format!("a function holds more than {} variables", limits.variables))
        }
        EvalAltResult::ErrorRuntime(thrown, _) => (FailureKind::Thrown, thrown_text(&thrown)),
        _ => {
            error.set_position(Position::NONE);
            (FailureKind::Script, unnamed(&restyle(&error.to_string())))
        }
    }
}

/// A text without the names that Rhai gives, by chance, to functions that have none.
fn unnamed(text: &str) -> String {
    let mut parts = text.split("anon$");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |told, part| told + "|..|" + part.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
}

fn too_many_operations(limits: &Limits) -> (FailureKind, String) {
    (FailureKind::Operations, format!("the script takes more than {} operations", limits.operations))
}

/// Rhai names what is too large; the limit is ours to tell.
fn too_large(what: &str, limits: &Limits) -> String {
    if what.contains("string") {
        format!("a text, or the texts within a list or map, exceed {} bytes", limits.string_bytes)
    } else if what.contains("map") {
        format!("a map exceeds {} entries", limits.map_entries)
    } else {
        format!("a list exceeds {} items", limits.array_items)
    }
}

/// What a script threw: a text or number as it is, or the message of a caught error thrown again.
fn thrown_text(thrown: &Dynamic) -> String {
    if let Ok(text) = thrown.as_immutable_string_ref() {
        return text.to_string();
    }
    if let Ok(map) = thrown.as_map_ref()
        && let Some(message) = map.get("message").and_then(|message| message.as_immutable_string_ref().ok())
    {
        return message.to_string();
    }
    match thrown.as_int() {
        Ok(number) => number.to_string(),
        Err(_) => format!("the script threw {}", json::describe(thrown)),
    }
}
