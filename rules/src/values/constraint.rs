//! What a constraint leaves to choose from.

use std::cmp::Ordering;
use std::fmt;

use super::compare::{self, Number};
use super::mistake::Mistake;
use super::network;
use super::value::{Range, Value};

/// What values may be: a range, a network, or a list of values, ranges and networks.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    /// As it was written.
    value: Value,
    /// Single values, ranges and networks, of which one must admit a value.
    choices: Vec<Value>,
}

impl Constraint {
    /// The constraint of an evaluated `name in expression`.
    ///
    /// # Errors
    /// The value leaves nothing to choose from: it is none of a range, a network and a list of such.
    pub fn of(value: Value) -> Result<Self, Mistake> {
        let mut choices = Vec::new();
        match &value {
            Value::Range(_) | Value::Network(_) => choices.push(value.clone()),
            Value::List(elements) => {
                value.weight()?;
                collect(elements, &mut choices)?;
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
        if choices.is_empty() {
            return Err(Mistake::new(format!("the constraint `{}` allows nothing", value.shown()))
                .with_help("fix the value instead, with `!`"));
        }
        Ok(Self { value, choices })
    }

    /// Whether a value lies within: of a list all elements, of a range or a network all that it holds. A
    /// negation reaches beyond every constraint, but in a list with others it takes away from those.
    pub fn admits(&self, value: &Value) -> bool {
        match value {
            Value::List(elements) => {
                let is_negation = |element: &&Value| matches!(element, Value::Not(_));
                let takes_away = elements.iter().any(|element| !is_negation(&element));
                elements
                    .iter()
                    .filter(|element| !(takes_away && is_negation(element)))
                    .all(|element| self.admits(element))
            }
            Value::Range(Range::Integers(first, last)) => self.covers_integers(*first, *last),
            Value::Range(Range::Floats(first, last)) => self.covers_floats(*first, *last),
            Value::Range(Range::Addresses(..)) | Value::Network(_) => self.covers_addresses(value),
            Value::Map(_) | Value::Not(_) => false,
            single => self.choices.iter().any(|choice| compare::admits(choice, single)),
        }
    }

    /// Whether this one is as narrow as another, or narrower.
    pub fn is_within(&self, other: &Self) -> bool {
        self.choices.iter().all(|choice| other.admits(choice))
    }

    /// The value that it was made of: a range, a network or a list.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The single values, ranges and networks that it is made of.
    pub(super) fn choices(&self) -> &[Value] {
        &self.choices
    }

    /// First and last of all numbers that may be chosen.
    fn numbers(&self) -> impl Iterator<Item = (Number, Number)> + '_ {
        self.choices.iter().filter_map(|choice| match choice {
            Value::Range(range) => {
                let [first, last] = compare::ends(*range);
                Number::of(&first).zip(Number::of(&last))
            }
            single => Number::of(single).map(|number| (number, number)),
        })
    }

    /// Whether several choices together hold all integers of a range.
    fn covers_integers(&self, first: i128, last: i128) -> bool {
        let mut next = first;
        while next <= last {
            let holds = |(low, high): &(Number, Number)| {
                low.cmp(Number::Integer(next)).is_le() && high.cmp(Number::Integer(next)).is_ge()
            };
            match self.numbers().filter(holds).map(|(_, high)| high.next_integer()).max() {
                Some(beyond) => next = beyond,
                None => return false,
            }
        }
        true
    }

    /// Whether several choices together hold all numbers of a range: each must begin where another ends.
    fn covers_floats(&self, first: f64, last: f64) -> bool {
        let mut reached = Number::Float(first);
        loop {
            let holds = |(low, high): &(Number, Number)| low.cmp(reached).is_le() && high.cmp(reached).is_ge();
            let Some(furthest) = self.numbers().filter(holds).map(|(_, high)| high).max_by(|a, b| a.cmp(*b)) else {
                return false;
            };
            if furthest.cmp(Number::Float(last)).is_ge() {
                return true;
            }
            if furthest.cmp(reached) != Ordering::Greater {
                return false;
            }
            reached = furthest;
        }
    }

    /// Whether several choices together hold all addresses of a network or a range.
    fn covers_addresses(&self, value: &Value) -> bool {
        let Some((first, last)) = compare::addresses(value) else { return false };
        let (mut next, end) = (network::number(first), network::number(last));
        loop {
            let family =
                self.choices.iter().filter_map(compare::addresses).filter(|(low, _)| low.is_ipv4() == first.is_ipv4());
            let ranges = family.map(|(low, high)| (network::number(low), network::number(high)));
            match ranges.filter(|(low, high)| (*low..=*high).contains(&next)).map(|(_, high)| high).max() {
                Some(high) if high >= end => return true,
                // Not the last address of all, or it would have reached the end.
                Some(high) => next = high.saturating_add(1),
                None => return false,
            }
        }
    }
}

/// Collects choices, those of inner lists too.
fn collect(elements: &[Value], choices: &mut Vec<Value>) -> Result<(), Mistake> {
    for element in elements {
        match element {
            Value::List(inner) => collect(inner, choices)?,
            Value::Map(_) | Value::Not(_) => {
                let message =
                    format!("a constraint says what is allowed, and `{}` is {}", element.shown(), element.describe());
                return Err(Mistake::new(message).with_help("list what is allowed"));
            }
            choice => choices.push(choice.clone()),
        }
    }
    Ok(())
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
