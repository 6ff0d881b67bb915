//! The `where` of a policy: conditions that all must hold, judged natively before any script runs.
//!
//! An absent field satisfies only a negated condition.

mod compile;
mod pattern;
mod unmet;
mod words;

use linesman_schemas::OrgName;

pub(crate) use self::compile::compile;
pub use self::pattern::Pattern;
pub(crate) use self::unmet::warn;
pub(crate) use self::words::{Scan, WordSet, for_each_text, for_each_word};
use crate::subject::{Field, Subject, Value};

/// The compiled `where` of a policy.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Where {
    pub(crate) conditions: Vec<Condition>,
}

/// One condition: any of `any` is true of `on`, or none when negated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    pub(crate) on: Target,
    pub(crate) is_negated: bool,
    /// Never empty.
    pub(crate) any: Vec<Test>,
}

/// What a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// A field of the subject.
    Field(Field),
    /// The name of the organization whose subject it is.
    Organization,
    /// The words of all text fields of the subject.
    Words,
}

/// One thing that may be true of a target.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// A text matches.
    Text(Pattern),
    /// A number lies between these, both included.
    Between(i64, i64),
    /// A flag has this value.
    Flag(bool),
    /// All of these words occur, given as [`for_each_word`] folds them. Never empty.
    Words(Box<[Box<str>]>),
}

impl Where {
    /// Whether all conditions hold.
    pub(crate) fn matches(&self, org: &OrgName, subject: &dyn Subject, words: &dyn WordSet) -> bool {
        self.conditions.iter().all(|condition| condition.holds(org, subject, words))
    }

    /// Whether the subject's words are looked at.
    pub(crate) fn needs_words(&self) -> bool {
        self.conditions.iter().any(|condition| condition.on == Target::Words)
    }
}

impl Condition {
    fn holds(&self, org: &OrgName, subject: &dyn Subject, words: &dyn WordSet) -> bool {
        let value = match self.on {
            Target::Field(field) => subject.value(field),
            Target::Organization => Value::Text(org.as_str()),
            Target::Words => Value::Absent,
        };
        self.any.iter().any(|test| test.is_true_of(value, words)) != self.is_negated
    }
}

impl Test {
    fn is_true_of(&self, value: Value<'_>, words: &dyn WordSet) -> bool {
        match (self, value) {
            (Self::Text(pattern), Value::Text(text)) => pattern.matches(text),
            (Self::Text(pattern), Value::Texts(texts)) => texts.iter().any(|text| pattern.matches(text)),
            (Self::Between(first, last), Value::Number(number)) => (*first..=*last).contains(&number),
            (Self::Flag(wanted), Value::Flag(flag)) => *wanted == flag,
            (Self::Words(wanted), _) => wanted.iter().all(|word| words.has(word)),
            _ => false,
        }
    }
}
