//! Constraints: each lies within the more general ones, and values lie within all of them.

use super::Acquisition;
use super::fault::Fault;
use super::runtime::Runtime;
use super::settle::Looked;
use super::slot::{Given, Inherited, Narrowing, Scope, Slot};
use crate::diagnostic::suggest;
use crate::values::Constraint;
use crate::values::expression::Expression;
use crate::values::source::Where;
use crate::values::value::Value;

impl<'a> Acquisition<'a> {
    /// The constraints in force of a slot, by narrowing; none for those that are wrong.
    pub(super) fn narrow(&self, slot: &Slot<'a>, faults: &mut Vec<Fault>) -> Vec<Option<Constraint>> {
        let mut narrowed: Vec<Option<Constraint>> = Vec::new();
        for narrowing in slot.narrowings.iter().take(slot.in_force()) {
            if narrowing.of.is_some() {
                // What is wrong with it is told of what it was given of.
                narrowed.push(self.constrain(slot, narrowing, &mut Vec::new()));
                continue;
            }
            let constraint = self.constrain(slot, narrowing, faults);
            let mut above =
                slot.narrowings.iter().zip(&narrowed).filter_map(|(above, known)| Some((above, known.as_ref()?)));
            // What was narrowed before a parameter was renamed to it was not narrowed of that.
            let is_below = |of: Inherited<'_>| of.at.source <= narrowing.at.source;
            // The nearest of those above: it is what whoever narrows has before their eyes.
            let widened = constraint.as_ref().and_then(|constraint| {
                above
                    .rfind(|(above, known)| above.of.is_none_or(is_below) && !constraint.is_within(known))
                    .map(|(above, known)| (above.at, known, constraint))
            });
            if let Some((above, known, constraint)) = widened {
                let message =
                    format!("{} would widen it to `{constraint}`, and {above} admits `{known}` only", narrowing.at);
                let help = "a constraint can only be narrowed";
                faults.push(Fault::new(slot.name, message).help(help).at(above).at(narrowing.at));
                narrowed.push(None);
                continue;
            }
            narrowed.push(constraint);
        }
        narrowed
    }

    fn constrain(&self, slot: &Slot<'a>, narrowing: &Narrowing<'a>, faults: &mut Vec<Fault>) -> Option<Constraint> {
        let (at, expression) = (narrowing.at, narrowing.expression);
        if self.edition.is_second() && self.clash_of_constraint(slot, narrowing).is_some() {
            return None;
        }
        let (message, help, is_missing) = match self.look_up(expression).map(Constraint::of) {
            Ok(Ok(constraint)) => {
                let Some(other) = self.other_choice(slot, &constraint) else { return Some(constraint) };
                let message = format!(
                    "`{}` takes `{}`, and {at} narrows it to `{constraint}`, in which `{}` is {}",
                    slot.name,
                    slot.types,
                    other.shown(),
                    other.describe()
                );
                faults.push(Fault::new(slot.name, message).at(slot.declared).at(at));
                return None;
            }
            Err(Looked::Faulty) => return None,
            Err(Looked::Missing(name)) => {
                (format!("cannot be computed: `{name}` has no value"), Some(Runtime::help_for(name.as_str())), true)
            }
            Ok(Err(mistake)) | Err(Looked::Wrong(mistake)) => (mistake.message, mistake.help, false),
        };
        let mut fault = Fault::new(slot.name, format!("the constraint `{expression}` of {at}: {message}"));
        (fault.help, fault.is_missing) = (help, is_missing);
        faults.push(self.named(fault, expression).at(at));
        None
    }

    /// A parameter that is given by another's bare name takes what that one takes, whether it counts or not.
    pub(super) fn check_references(&mut self, index: usize) {
        let Some(slot) = self.slots.get(index) else { return };
        let mut faults = Vec::new();
        for candidate in &slot.candidates {
            let Given::Expression(expression) = candidate.given else { continue };
            faults.extend(self.unknown_names(slot, candidate.at, expression));
            for name in expression.handed_on().iter().map(|found| &found.name) {
                let Some(referred) = self.slot(name.as_str()) else { continue };
                if !slot.types.accepts(&referred.types) {
                    let message = format!(
                        "`{}` takes `{}`, and {} gives it `{name}`, which is `{}` by {}",
                        slot.name, slot.types, candidate.at, referred.types, referred.declared
                    );
                    faults.push(Fault::new(slot.name, message).at(referred.declared).at(candidate.at));
                }
            }
            faults.extend(self.clash(slot, candidate.at, expression));
        }
        for narrowing in slot.narrowings.iter().filter(|narrowing| narrowing.of.is_none()) {
            faults.extend(self.unknown_names(slot, narrowing.at, narrowing.expression));
            if self.edition.is_second() {
                faults.extend(self.clash_of_constraint(slot, narrowing));
            }
        }
        self.faults.append(&mut faults);
    }

    /// The names that an expression refers to and that are not known where it stands.
    fn unknown_names(&self, slot: &Slot<'a>, at: Where<'a>, expression: &Expression) -> Vec<Fault> {
        let mut faults = Vec::new();
        for name in expression.references().iter().map(|found| &found.name) {
            let referred = self.slot(name.as_str());
            match referred {
                Some(referred) if referred.scope == Scope::Introduced && referred.declared.source > at.source => {
                    let by = referred.declared;
                    let message = format!("`{expression}` of {at}: `{name}` is known from {by} on only");
                    faults.push(Fault::new(slot.name, message).at(at).at(by));
                }
                Some(_) => {}
                None => {
                    let known: Vec<&str> = self.slots.iter().map(|slot| slot.name.as_str()).collect();
                    let message = format!("`{expression}` of {at}: there is no parameter `{name}`");
                    let help = suggest(name.as_str(), known.iter().copied());
                    let help = format!("{help}; a text stands in quotes: `\"{name}\"`");
                    faults.push(Fault::new(slot.name, message).help(help).at(at));
                }
            }
        }
        faults
    }

    /// A bad value is a fault even where another counts: of those that refer to nothing, and that no fix blocks.
    pub(super) fn check_losing(&mut self, index: usize) {
        let Some(slot) = self.slots.get(index) else { return };
        let mut faults = Vec::new();
        let counting = slot.contributing();
        for (at, candidate) in slot.candidates.iter().enumerate().take(slot.unblocked()) {
            let Given::Expression(expression) = candidate.given else { continue };
            if counting.contains(&at) || (!expression.is_closed() && !self.edition.is_second()) {
                continue;
            }
            if !self.is_of_types(slot, candidate.at, expression) {
                continue;
            }
            let value = match self.look_up(expression) {
                Ok(value) => slot.types.admit_by(self.edition, value),
                Err(Looked::Wrong(mistake)) => Err(mistake),
                Err(Looked::Missing(_) | Looked::Faulty) => continue,
            };
            match value {
                Ok(value) => {
                    let of_general =
                        slot.narrowings.iter().filter(|narrowing| narrowing.at.source <= candidate.at.source);
                    let count = of_general.count().min(slot.in_force());
                    let known = slot.narrowings.iter().map(|narrowing| narrowing.constraint.as_ref());
                    faults.extend(violation(slot, known, candidate.at, &value, count));
                }
                Err(mistake) => {
                    let message = format!("`{expression}` of {}: {}", candidate.at, mistake.message);
                    let mut fault = Fault::new(slot.name, message);
                    fault.help = mistake.help;
                    faults.push(self.named(fault, expression).at(candidate.at));
                }
            }
        }
        self.faults.append(&mut faults);
    }
}

/// The first of the constraints, of which the first `count` are looked at, that does not admit a value; none of `known`
/// is faulty.
pub(super) fn violation<'c>(
    slot: &Slot<'_>,
    known: impl Iterator<Item = Option<&'c Constraint>>,
    at: Where<'_>,
    value: &Value,
    count: usize,
) -> Option<Fault> {
    let narrowings = slot.narrowings.iter().zip(known).take(count);
    let (narrowing, constraint) = narrowings
        .filter_map(|(narrowing, constraint)| Some((narrowing, constraint?)))
        .find(|(_, constraint)| !constraint.admits(value))?;
    let of = narrowing.of.map(|of| format!(" for `{}`, which {} has renamed to it", of.name, of.at));
    let of = of.unwrap_or_default();
    let message = format!("{at} gives `{value}`, and {} admits `{constraint}` only{of}", narrowing.at);
    let (general, specific) = if narrowing.at.source <= at.source { (narrowing.at, at) } else { (at, narrowing.at) };
    Some(Fault::new(slot.name, message).at(general).at(specific))
}
