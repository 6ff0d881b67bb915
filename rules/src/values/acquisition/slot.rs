//! A parameter while its value is looked for.

use std::borrow::Cow;

use crate::values::constraint::Constraint;
use crate::values::edition::Edition;
use crate::values::expression::Expression;
use crate::values::layer::Told;
use crate::values::mistake::Mistake;
use crate::values::name::Name;
use crate::values::parameter::{Given as Level, ListMode};
use crate::values::single::Asked;
use crate::values::source::{Source, Where};
use crate::values::types::Types;
use crate::values::value::Value;

/// A parameter at the place, with all that was said of it.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    pub(super) name: &'a Name,
    pub(super) types: Cow<'a, Types>,
    pub(super) list: ListMode,
    /// What it asks of values besides its types.
    pub(super) asked: Asked,
    pub(super) is_required: bool,
    pub(super) is_read_only: bool,
    /// The most specific level at which something is said of it.
    pub(super) level: Option<Level>,
    /// Whether the place lies below that.
    pub(super) is_beyond: bool,
    pub(super) scope: Scope,
    /// Where it was declared.
    pub(super) declared: Where<'a>,
    /// What was substituted, the most general first.
    pub(super) candidates: Vec<Candidate<'a>>,
    /// What was substituted where nobody may: each is a fault, and none of it is a candidate.
    pub(super) refused: Vec<Candidate<'a>>,
    /// How it was narrowed, the most general first.
    pub(super) narrowings: Vec<Narrowing<'a>>,
    pub(super) renamed: Option<Renamed<'a>>,
    pub(super) state: State,
}

/// Whose parameter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The service's.
    Local,
    /// Everybody's.
    Global,
    /// The place's own.
    Runtime,
    /// Of the source that declared it, and more specific ones.
    Introduced,
}

/// A value that somebody gave.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) at: Where<'a>,
    pub(super) is_fixed: bool,
    pub(super) given: Given<'a>,
    pub(super) told: Option<&'a Told>,
    /// What it came to; kept where it was evaluated.
    pub(super) value: Option<Value>,
}

/// How a value was given.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'a> {
    /// As an expression.
    Expression(&'a Expression),
    /// As the value itself.
    Value(&'a Value),
    /// Not at all: what more general sources give is fixed.
    Nothing,
}

/// A constraint that somebody gave.
#[derive(Debug)]
pub(super) struct Narrowing<'a> {
    pub(super) at: Where<'a>,
    pub(super) is_fixed: bool,
    pub(super) expression: &'a Expression,
    pub(super) told: Option<&'a Told>,
    /// Of what it was given, where that was renamed to this one.
    pub(super) of: Option<Inherited<'a>>,
    /// What it came to; none before it is evaluated, and where it is faulty.
    pub(super) constraint: Option<Constraint>,
}

/// The parameter that a constraint was given of, and the source that renamed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inherited<'a> {
    pub(super) name: &'a Name,
    pub(super) at: Where<'a>,
}

/// A parameter that has another name below.
#[derive(Debug, Clone, Copy)]
pub(super) struct Renamed<'a> {
    pub(super) to: &'a Name,
    pub(super) at: Where<'a>,
}

/// How far the value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    /// Nobody asked yet.
    Pending,
    /// It waits for those it refers to.
    Open,
    /// It refers to itself.
    Cyclic,
    /// Nobody gave one; of those that would have to, the first.
    Missing,
    /// It comes of what this service does not have, and another may: here it comes to nothing.
    Foreign,
    /// It has one that cannot be used; a fault says why, of it or of what it refers to.
    Faulty,
    /// It is there.
    Value(Value),
}

impl<'a> Slot<'a> {
    pub(super) const fn new(name: &'a Name, types: Cow<'a, Types>, scope: Scope, declared: Where<'a>) -> Self {
        Self {
            name,
            types,
            list: ListMode::Replace,
            asked: Asked { single: None, is_integer: false },
            is_required: false,
            is_read_only: matches!(scope, Scope::Runtime),
            level: None,
            is_beyond: false,
            scope,
            declared,
            candidates: Vec::new(),
            refused: Vec::new(),
            narrowings: Vec::new(),
            renamed: None,
            state: State::Pending,
        }
    }

    /// A value as it takes it.
    pub(super) fn admit(&self, edition: Edition, value: Value) -> Result<Value, Mistake> {
        self.types.admit_by(edition, value).and_then(|value| self.asked.admit(value))
    }

    /// Whether nothing that was said of it refers to anything.
    pub(super) fn is_closed(&self) -> bool {
        let mut given = self.candidates.iter().filter_map(Candidate::given_expression);
        given.all(Expression::is_closed) && self.narrowings.iter().all(|narrowing| narrowing.expression.is_closed())
    }

    /// What it comes to where it has nothing but what the place tells, or nothing at all.
    pub(super) fn told_alone(&mut self) -> Option<Option<Value>> {
        match self.candidates.as_mut_slice() {
            _ if !self.narrowings.is_empty() => None,
            [] => Some(None),
            [Candidate { given: Given::Value(value), value: kept, .. }] => {
                *kept = Some(Value::clone(value));
                Some(kept.clone())
            }
            _ => None,
        }
    }

    /// The fix that counts: the most general one.
    pub(super) fn fix(&self) -> Option<&Candidate<'a>> {
        self.candidates.iter().find(|candidate| candidate.is_fixed)
    }

    /// Whether a more general source has fixed it, so that what is said of its value at a source loses.
    pub(super) fn is_fixed_above(&self, source: Source) -> bool {
        self.fix().is_some_and(|fix| fix.at.source < source)
    }

    /// How many candidates no fix blocks; they are the first ones.
    pub(super) fn unblocked(&self) -> usize {
        let fix = self.candidates.iter().position(|candidate| candidate.is_fixed);
        fix.map_or(self.candidates.len(), |fix| fix.saturating_add(1))
    }

    /// The candidates whose values make up the one that counts, the most general first.
    pub(super) fn contributing(&self) -> std::ops::Range<usize> {
        self.contributing_of(self.unblocked())
    }

    /// Likewise, if there were the first `end` alone.
    pub(super) fn contributing_of(&self, end: usize) -> std::ops::Range<usize> {
        let is_given = |candidate: &Candidate<'_>| !matches!(candidate.given, Given::Nothing);
        match self.list {
            ListMode::Append | ListMode::Remove => 0..end,
            ListMode::Replace => {
                let last = self.candidates.iter().take(end).rposition(is_given);
                last.map_or(0..0, |last| last..last.saturating_add(1))
            }
        }
    }

    /// The candidate that counts: the most specific that contributes.
    pub(super) fn counting(&self) -> Option<&Candidate<'a>> {
        let contributing = self.candidates.get(self.contributing())?;
        contributing.iter().rev().find(|candidate| !matches!(candidate.given, Given::Nothing))
    }

    /// The names that its value refers to, and what it is narrowed by.
    pub(super) fn references(&self) -> impl Iterator<Item = &Name> {
        let given = self.candidates.get(self.contributing()).unwrap_or_default().iter();
        let given = given.filter_map(|candidate| match candidate.given {
            Given::Expression(expression) => Some(expression),
            Given::Value(_) | Given::Nothing => None,
        });
        let narrowed = self.narrowings.iter().map(|narrowing| narrowing.expression);
        given.chain(narrowed).flat_map(|expression| expression.references()).map(|found| &found.name)
    }

    /// How many narrowings are in force; they are the first ones. Those below a fix of the value, or of a narrowing,
    /// are not.
    pub(super) fn in_force(&self) -> usize {
        let of_value = self.fix().map(|fix| fix.at.source);
        let of_narrowing = self.narrowings.iter().find(|narrowing| narrowing.is_fixed).map(|fixed| fixed.at.source);
        let last: Option<Source> = [of_value, of_narrowing].into_iter().flatten().min();
        let is_in_force = |narrowing: &&Narrowing<'_>| last.is_none_or(|last| narrowing.at.source <= last);
        self.narrowings.iter().take_while(is_in_force).count()
    }
}

impl<'a> Candidate<'a> {
    pub(super) const fn given_expression(&self) -> Option<&'a Expression> {
        match self.given {
            Given::Expression(expression) => Some(expression),
            Given::Value(_) | Given::Nothing => None,
        }
    }
}
