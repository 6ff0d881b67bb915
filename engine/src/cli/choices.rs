//! Choices that shells complete, where any text is taken: the engine says which words there are, and one of another version may
//! know others.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};
use linesman_schemas::command::{Handling, SubmitCaseAs};
use linesman_schemas::reaction::FollowUp;
use linesman_schemas::{FilterLevel, Priority};

/// The words, in their order.
#[derive(Debug, Clone)]
pub(super) struct Choices(Vec<String>);

impl Choices {
    pub(super) fn of<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        Self(words.into_iter().map(Into::into).collect())
    }

    /// Those of filter levels.
    pub(super) fn filter_level() -> Self {
        Self::of(FilterLevel::ALL.map(|(_, text)| text))
    }

    /// Those of who solves what is reported.
    pub(super) fn handling() -> Self {
        Self::of(Handling::ALL.map(|(_, text)| text))
    }

    /// Those of how cases are submitted.
    pub(super) fn submit_case_as() -> Self {
        Self::of(SubmitCaseAs::ALL.map(|(_, text)| text))
    }

    /// Those of priorities.
    pub(super) fn priority() -> Self {
        Self::of(Priority::ALL.map(Priority::as_str))
    }

    /// Those of how somebody keeps in touch.
    pub(super) fn follow_up() -> Self {
        Self::of(FollowUp::ALL.map(|(_, text)| text))
    }

    /// The levels of the program's log.
    pub(super) fn log_level() -> Self {
        Self::of(["error", "warn", "info", "debug", "trace", "off"])
    }
}

impl TypedValueParser for Choices {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let words = self.0.iter().map(|word| PossibleValue::new(word.clone()));
        (!self.0.is_empty()).then(|| Box::new(words) as Box<dyn Iterator<Item = PossibleValue>>)
    }
}
