//! What may still be chosen for a parameter: so that whoever substitutes it is offered that, and no more.

use std::cell::RefCell;

use serde::Serialize;

use super::Acquired;
use crate::values::constraint::Constraint;
use crate::values::eval::Fuel;
use crate::values::kind::Type;
use crate::values::value::Value;

/// What is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// One of these.
    List(Vec<String>),
    /// Something within these, such as `1..1000` or `10.0.0.0/8`.
    Within(String),
    /// Whatever these types take.
    Form(String),
}

impl Acquired<'_, '_> {
    /// What may be chosen below the sources that count; none where it is fixed, renamed, told by the place, or said
    /// above it alone.
    pub fn choice(&self) -> Option<Choice> {
        let slot = self.slot;
        if slot.fix().is_some() || slot.renamed.is_some() || slot.is_read_only || slot.is_beyond {
            return None;
        }
        let in_force = slot.narrowings.iter().take(slot.in_force());
        let known: Vec<&Constraint> = in_force.filter_map(|narrowing| narrowing.constraint.as_ref()).collect();
        // Of its own the last is the narrowest; of those that it has of what was renamed to it, that need not be so.
        let fuel = RefCell::new(Fuel::default());
        let is_within =
            |one: &Constraint, other: &Constraint| one.is_within_with(other, &mut fuel.borrow_mut()).unwrap_or(false);
        let is_narrowest = |one: &&Constraint| known.iter().all(|other| is_within(one, other));
        let narrowest = known.last().copied().filter(is_narrowest).or_else(|| {
            // If there is one that lies within all others, none that is narrower stands behind it.
            let narrower = known.iter().copied().reduce(|one, next| {
                let is_narrower = is_within(next, one) && !is_within(one, next);
                if is_narrower { next } else { one }
            });
            narrower.filter(is_narrowest)
        });
        let narrowest = narrowest.or(known.last().copied());
        Some(match narrowest {
            Some(constraint) => match constraint.value() {
                Value::List(values) => Choice::List(values.iter().map(ToString::to_string).collect()),
                range => Choice::Within(range.to_string()),
            },
            None if slot.types.iter().eq([Type::Boolean]) => Choice::List(vec!["true".to_owned(), "false".to_owned()]),
            None => Choice::Form(slot.types.to_string()),
        })
    }
}
