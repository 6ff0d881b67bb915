//! Types are held where a substitution is written, whether what it refers to has a value or not.

use super::Acquisition;
use super::fault::Fault;
use super::slot::{Narrowing, Slot};
use crate::values::Constraint;
use crate::values::expression::Expression;
use crate::values::sorts::{self, Sorts};
use crate::values::source::Where;
use crate::values::value::Value;

impl<'a> Acquisition<'a> {
    /// Whether an expression may come to what a parameter takes: what may not is told of where it is written.
    pub(super) fn is_of_types(&self, slot: &Slot<'a>, at: Where<'a>, expression: &Expression) -> bool {
        let mut handed_on = expression.handed_on().iter().filter_map(|found| self.slot(found.name.as_str()));
        handed_on.all(|referred| slot.types.accepts(&referred.types)) && self.clash(slot, at, expression).is_none()
    }

    /// What of an expression can never be: a parameter behind a function or an operator that takes none of its types, or
    /// what that comes to where the parameter takes none of it.
    pub(super) fn clash(&self, slot: &Slot<'a>, at: Where<'a>, expression: &Expression) -> Option<Fault> {
        // A value is held by its evaluation, and a bare name by what it hands on.
        if !self.edition.is_second() || expression.is_closed() || expression.as_name().is_some() {
            return None;
        }
        let (found, clash) = sorts::of_expression(expression, &|name| Some(&*self.slot(name.as_str())?.types));
        if let Some(clash) = clash {
            return self.misplaced(slot, at, expression, &clash);
        }
        if found.meets(Sorts::of(&slot.types)) || !expression.handed_on().is_empty() {
            return None;
        }
        let message =
            format!("`{}` takes `{}`, and `{expression}` of {at} is {}", slot.name, slot.types, found.describe());
        Some(Fault::new(slot.name, message).at(slot.declared).at(at))
    }

    /// What of a constraint can never be: likewise, or what it is made of is none of what the parameter takes.
    pub(super) fn clash_of_constraint(&self, slot: &Slot<'a>, narrowing: &Narrowing<'a>) -> Option<Fault> {
        let (at, expression) = (narrowing.at, narrowing.expression);
        if expression.is_closed() {
            return None;
        }
        let (_, clash) = sorts::of_expression(expression, &|name| Some(&*self.slot(name.as_str())?.types));
        if let Some(clash) = clash {
            return self.misplaced(slot, at, expression, &clash);
        }
        let taken = Sorts::narrowing(&slot.types);
        let handed_on = expression.handed_on().iter().filter_map(|found| self.slot(found.name.as_str()));
        let other = handed_on.into_iter().find(|referred| !taken.meets(Sorts::narrowing(&referred.types)))?;
        let message = format!(
            "`{}` takes `{}`, and {at} narrows it by `{}`, which is `{}` by {}",
            slot.name, slot.types, other.name, other.types, other.declared
        );
        Some(Fault::new(slot.name, message).at(other.declared).at(at))
    }

    fn misplaced(
        &self,
        slot: &Slot<'a>,
        at: Where<'a>,
        expression: &Expression,
        clash: &sorts::Clash<'_>,
    ) -> Option<Fault> {
        let sorts::Clash { name, sign, wanted } = clash;
        let referred = self.slot(name.as_str())?;
        let message = format!(
            "`{expression}` of {at}: `{sign}` takes {wanted}, and `{name}` is `{}` by {}",
            referred.types, referred.declared
        );
        Some(Fault::new(slot.name, message).at(referred.declared).at(at))
    }

    /// What of a constraint's choices is none of what the parameter takes.
    pub(super) fn other_choice<'c>(&self, slot: &Slot<'a>, constraint: &'c Constraint) -> Option<&'c Value> {
        if !self.edition.is_second() {
            return None;
        }
        let taken = Sorts::narrowing(&slot.types);
        constraint.choices().iter().find(|choice| !taken.meets(Sorts::of_choice(choice)))
    }
}
