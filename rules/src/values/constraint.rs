//! What a constraint leaves to choose from.

use std::collections::BTreeSet;
use std::fmt;

use super::compare::{self, Number};
use super::eval::Fuel;
use super::mistake::Mistake;
use super::patterns::Patterns;
use super::protocol;
use super::spans::Spans;
use super::value::{Range, Value};

/// What values may be: a range, a network, or a list of values, ranges and networks.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    /// As it was written.
    value: Value,
    /// The numbers and addresses of all its choices.
    spans: Spans,
    /// The same for names of numbers, where those are others.
    of_names: Option<Spans>,
    /// Its other choices, each in the form that those have which are the same.
    others: BTreeSet<String>,
    /// Whether a range of integers stands for all numbers within it.
    is_of_floats: bool,
    /// Its texts as names of interfaces and patterns of them, where they are meant so.
    patterns: Option<Patterns>,
}

impl Constraint {
    /// The constraint of an evaluated `name in expression`.
    ///
    /// # Errors
    /// The value leaves nothing to choose from: it is none of a range, a network and a list of such.
    pub fn of(value: Value) -> Result<Self, Mistake> {
        match &value {
            Value::Range(_) | Value::Network(_) => {}
            Value::List(elements) => {
                value.weight()?;
                check(elements)?;
            }
            other => {
                let message = format!(
                    "a constraint is a range, a network or a list, and `{}` is {}",
                    other.shown(),
                    other.describe()
                );
                let help = match other {
                    Value::Not(_) | Value::Map(_) => "say what is allowed".to_owned(),
                    single => format!("write `[{}]` for a single value", single.shown()),
                };
                return Err(Mistake::new(message).with_help(help));
            }
        }
        let (mut spans, mut others, mut is_empty) = (Spans::default(), BTreeSet::new(), true);
        each(&value, &mut |choice| {
            is_empty = false;
            if !spans.take(choice) {
                others.insert(compare::key(choice));
            }
        });
        if is_empty {
            return Err(Mistake::new(format!("the constraint `{}` allows nothing", value.shown()))
                .with_help("fix the value instead, with `!`"));
        }
        spans.sort();
        let of_names = without_fractions(&value);
        Ok(Self { value, spans, of_names, others, is_of_floats: false, patterns: None })
    }

    /// The same of numbers that may have a fraction: several integers do not hold what lies between them.
    #[must_use]
    pub(super) fn of_floats(self) -> Self {
        Self { is_of_floats: true, ..self }
    }

    /// The same of names of interfaces: a pattern among its texts admits every name, and every pattern of names, that it
    /// matches.
    #[must_use]
    pub(super) fn of_interfaces(mut self) -> Self {
        let mut texts = Vec::new();
        each(&self.value, &mut |choice| {
            if let Value::Text(text) = choice {
                texts.push(std::sync::Arc::clone(text));
            }
        });
        self.patterns = Some(Patterns::new(texts.iter().map(AsRef::as_ref)));
        self
    }

    /// Whether a value lies within: of a list all elements, of a range or a network all that it holds. A
    /// negation reaches beyond every constraint, but in a list with others it takes away from those.
    pub fn admits(&self, value: &Value) -> bool {
        self.admits_with(value, &mut Fuel::default()).unwrap_or(false)
    }

    /// The same, with a step for every value that is looked at.
    ///
    /// # Errors
    /// There is not fuel enough.
    pub(super) fn admits_with(&self, value: &Value, fuel: &mut Fuel) -> Result<bool, Mistake> {
        fuel.spend(1)?;
        Ok(match value {
            Value::List(elements) => {
                let is_negation = |element: &&Value| matches!(element, Value::Not(_));
                let takes_away = elements.iter().any(|element| !is_negation(&element));
                for element in elements.iter().filter(|element| !(takes_away && is_negation(element))) {
                    if !self.admits_with(element, fuel)? {
                        return Ok(false);
                    }
                }
                true
            }
            Value::Range(Range::Integers(first, last)) if self.is_of_floats => {
                self.spans.hold_numbers(Number::Integer(*first), Number::Integer(*last))
            }
            Value::Range(Range::Integers(first, last)) => self.spans.hold_integers(*first, *last),
            Value::Range(Range::Floats(first, last)) => {
                self.spans.hold_numbers(Number::Float(*first), Number::Float(*last))
            }
            Value::Range(Range::Addresses(..)) | Value::Network(_) | Value::Address(_) => {
                compare::addresses(value).is_some_and(|(first, last)| self.spans.hold_addresses(first, last))
            }
            Value::Map(_) | Value::Not(_) => false,
            Value::Float(number) => self.spans.holds(Number::Float(*number)),
            Value::Integer(number) => self.spans.holds(Number::Integer(*number)) || self.has_other(value),
            Value::Text(name) => {
                let number = protocol::number(name).map(|number| Number::Integer(number.into()));
                number.is_some_and(|number| self.of_names.as_ref().unwrap_or(&self.spans).holds(number))
                    || self.has_other(value)
                    || self.patterns.as_ref().map_or(Ok(false), |patterns| patterns.hold(name, fuel))?
            }
            Value::Boolean(_) => self.has_other(value),
        })
    }

    fn has_other(&self, value: &Value) -> bool {
        !self.others.is_empty() && self.others.contains(&compare::key(value))
    }

    /// Whether this one is as narrow as another, or narrower.
    pub fn is_within(&self, other: &Self) -> bool {
        self.is_within_with(other, &mut Fuel::default()).unwrap_or(false)
    }

    /// The same, with a step for every choice that is looked at.
    ///
    /// # Errors
    /// There is not fuel enough.
    pub(super) fn is_within_with(&self, other: &Self, fuel: &mut Fuel) -> Result<bool, Mistake> {
        let mut is_within = Ok(true);
        each(&self.value, &mut |choice| {
            if is_within == Ok(true) {
                is_within = other.admits_with(choice, fuel);
            }
        });
        is_within
    }

    /// The value that it was made of: a range, a network or a list.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The first of the single values, ranges and networks that it is made of which is so.
    pub(super) fn find(&self, is_so: impl Fn(&Value) -> bool) -> Option<Value> {
        let mut found = None;
        each(&self.value, &mut |choice| {
            if found.is_none() && is_so(choice) {
                found = Some(choice.clone());
            }
        });
        found
    }
}

/// What names of numbers are held against: a single number with a fraction is no name's, so without those; none where there
/// are none.
fn without_fractions(value: &Value) -> Option<Spans> {
    let (mut spans, mut has_any) = (Spans::default(), false);
    each(value, &mut |choice| match choice {
        Value::Float(_) => has_any = true,
        choice => drop(spans.take(choice)),
    });
    spans.sort();
    has_any.then_some(spans)
}

/// Goes through the choices of a constraint, those of inner lists too.
fn each(value: &Value, take: &mut dyn FnMut(&Value)) {
    match value {
        Value::List(elements) => elements.iter().for_each(|element| each(element, take)),
        choice => take(choice),
    }
}

/// Refuses what says what is not allowed, in inner lists too.
fn check(elements: &[Value]) -> Result<(), Mistake> {
    for element in elements {
        match element {
            Value::List(inner) => check(inner)?,
            Value::Map(_) | Value::Not(_) => {
                let message =
                    format!("a constraint says what is allowed, and `{}` is {}", element.shown(), element.describe());
                return Err(Mistake::new(message).with_help("list what is allowed"));
            }
            _ => {}
        }
    }
    Ok(())
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_number_with_a_fraction_is_no_names() {
        let of = |choices: Vec<Value>| Constraint::of(Value::List(choices.into())).unwrap();
        let tcp = Value::Text("tcp".into());
        assert!(!of(vec![Value::Float(6.0)]).admits(&tcp));
        assert!(of(vec![Value::Float(6.0), Value::Integer(6)]).admits(&tcp));
        assert!(of(vec![Value::Float(7.0), Value::Range(Range::Floats(5.5, 6.5))]).admits(&tcp));
    }
}
