//! Types are held where a substitution is written, whether what it refers to has a value or not.

use super::Acquisition;
use super::fault::Fault;
use super::slot::{Narrowing, Slot};
use crate::values::Constraint;
use crate::values::expression::{Expression, Kind, Node};
use crate::values::fitting::{self, Misfit, Use};
use crate::values::mistake::Mistake;
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
        if !self.is_held_unevaluated(expression) || expression.as_name().is_some() {
            return None;
        }
        if self.edition.is_third() {
            return self.misfit(slot, at, expression, Use::Value(&slot.types));
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

    /// Whether something may be wrong with an expression that its evaluation does not find: where it names something, and
    /// where it has parts that do not count.
    fn is_held_unevaluated(&self, expression: &Expression) -> bool {
        match self.edition.is_third() {
            true => !expression.is_closed() || expression.is_branched(),
            false => self.edition.is_second() && !expression.is_closed(),
        }
    }

    /// What of a constraint can never be: likewise, or what it is made of is none of what the parameter takes.
    pub(super) fn clash_of_constraint(&self, slot: &Slot<'a>, narrowing: &Narrowing<'a>) -> Option<Fault> {
        let (at, expression) = (narrowing.at, narrowing.expression);
        if !self.is_held_unevaluated(expression) {
            return None;
        }
        if !self.edition.is_third() {
            let (_, clash) = sorts::of_expression(expression, &|name| Some(&*self.slot(name.as_str())?.types));
            if let Some(clash) = clash {
                return self.misplaced(slot, at, expression, &clash);
            }
        }
        let taken = Sorts::narrowing(&slot.types);
        let handed_on = expression.handed_on().iter().filter_map(|found| self.slot(found.name.as_str()));
        let other = handed_on.into_iter().find(|referred| !taken.meets(Sorts::narrowing(&referred.types)));
        let Some(other) = other else {
            let is_held = self.edition.is_third();
            return is_held.then(|| self.misfit(slot, at, expression, Use::Constraint(&slot.types))).flatten();
        };
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

    /// The first part of an expression that can never fit, as a fault.
    fn misfit(&self, slot: &Slot<'a>, at: Where<'a>, expression: &Expression, used: Use<'_>) -> Option<Fault> {
        let misfit = fitting::misfit(expression, &|name| Some(&*self.slot(name.as_str())?.types), used)?;
        let said = match &used {
            Use::Value(_) => format!("`{expression}` of {at}"),
            Use::Constraint(_) => format!("the constraint `{expression}` of {at}"),
        };
        let (message, places, help) = match &misfit {
            Misfit::Operand { operand, found, sign, wanted } => {
                let (is, declared) = self.described(operand, *found);
                (format!("{said}: `{sign}` takes {wanted}, and {is}"), vec![declared], None)
            }
            Misfit::Pair { sign, operands } => {
                let [(left, of_left), (right, of_right)] = operands.map(|(node, found)| self.described(node, found));
                let takes = if *sign == ".." { "takes two ends" } else { "compares values" };
                (format!("{said}: `{sign}` {takes} of one kind, and {left}, {right}"), vec![of_left, of_right], None)
            }
            Misfit::Given { part, found } if std::ptr::eq(*part, expression.root()) => {
                let (takes, is) = (&slot.types, found.called());
                let message = format!("`{}` takes `{takes}`, and {said} is {is}", slot.name);
                (message, vec![Some(slot.declared)], None)
            }
            Misfit::Given { part, found } => {
                let (is, declared) = self.described(part, *found);
                let verb = if matches!(used, Use::Value(_)) { "takes" } else { "is narrowed by" };
                let what = format!("{said}: `{}` {verb} values of `{}`, and {is}", slot.name, slot.types);
                (what, vec![Some(slot.declared), declared], None)
            }
            Misfit::Wrong(Mistake { message, help, .. }) => (format!("{said}: {message}"), Vec::new(), help.clone()),
        };
        let mut places: Vec<Where<'a>> = places.into_iter().flatten().chain([at]).collect();
        places.sort_by_key(|place| place.source);
        let fault = Fault { help, ..Fault::new(slot.name, message) };
        Some(places.into_iter().fold(fault, Fault::at))
    }

    /// What a part of an expression is, and where what it names is declared.
    fn described(&self, node: &Node, found: Sorts) -> (String, Option<Where<'a>>) {
        match &node.kind {
            Kind::Reference(name) => match self.slot(name.as_str()) {
                Some(slot) => (format!("`{name}` is `{}` by {}", slot.types, slot.declared), Some(slot.declared)),
                None => (format!("`{name}` is unknown"), None),
            },
            Kind::Literal(value) => (format!("`{}` is {}", value.shown(), value.describe()), None),
            _ => (format!("what is given is {}", found.called()), None),
        }
    }

    /// What of a constraint's choices is none of what the parameter takes.
    pub(super) fn other_choice(&self, slot: &Slot<'a>, constraint: &Constraint) -> Option<Value> {
        if !self.edition.is_second() {
            return None;
        }
        let taken = Sorts::narrowing(&slot.types);
        constraint.find(|choice| !taken.meets(Sorts::of_choice(choice)))
    }
}
