//! Constraints: each lies within the more general ones, and values lie within all of them.

use super::Acquisition;
use super::fault::Fault;
use super::runtime::Runtime;
use super::settle::{Looked, foreign};
use super::slot::{Given, Inherited, Narrowing, Scope, Slot};
use crate::diagnostic::suggest;
use crate::values::Constraint;
use crate::values::eval::Fuel;
use crate::values::expression::Expression;
use crate::values::kind::Type;
use crate::values::mistake::Mistake;
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
            let widened =
                constraint.as_ref().and_then(|constraint| self.widened(slot, narrowing, constraint, &narrowed));
            let is_widened = widened.is_some();
            faults.extend(widened);
            narrowed.push(constraint.filter(|_| !is_widened));
        }
        narrowed
    }

    /// Which of the constraints above one would widen, as a fault.
    fn widened(
        &self,
        slot: &Slot<'a>,
        narrowing: &Narrowing<'a>,
        constraint: &Constraint,
        narrowed: &[Option<Constraint>],
    ) -> Option<Fault> {
        // What was narrowed before a parameter was renamed to it was not narrowed of that.
        let is_below = |of: Inherited<'_>| of.at.source <= narrowing.at.source;
        let above = slot.narrowings.iter().zip(narrowed).filter_map(|(above, known)| Some((above, known.as_ref()?)));
        // The nearest of those above: it is what whoever narrows has before their eyes.
        for (above, known) in above.rev().filter(|(above, _)| above.of.is_none_or(is_below)) {
            match self.with_fuel(|fuel| constraint.is_within_with(known, fuel)) {
                Ok(true) => {}
                Ok(false) => {
                    let (at, by) = (narrowing.at, above.at);
                    let message = format!("{at} would widen it to `{constraint}`, and {by} admits `{known}` only");
                    let help = "a constraint can only be narrowed";
                    return Some(Fault::new(slot.name, message).help(help).at(by).at(at));
                }
                Err(mistake) => {
                    let message = format!("the constraint `{}` of {}", narrowing.expression, narrowing.at);
                    return Some(unheld(slot, message, mistake).at(narrowing.at));
                }
            }
        }
        None
    }

    /// Holds something with the fuel that there is for all; at earlier editions that took none.
    pub(super) fn with_fuel<T>(&self, hold: impl FnOnce(&mut Fuel) -> Result<T, Mistake>) -> Result<T, Mistake> {
        match self.edition.is_third() {
            true => hold(&mut self.fuel.borrow_mut()),
            false => hold(&mut Fuel::new(u64::MAX)),
        }
    }

    fn constrain(&self, slot: &Slot<'a>, narrowing: &Narrowing<'a>, faults: &mut Vec<Fault>) -> Option<Constraint> {
        let (at, expression) = (narrowing.at, narrowing.expression);
        if self.edition.is_second() && self.clash_of_constraint(slot, narrowing).is_some() {
            return None;
        }
        let (message, help, is_missing) = match self.look_up(expression).map(Constraint::of) {
            Ok(Ok(constraint)) => {
                let Some(other) = self.other_choice(slot, &constraint) else {
                    return Some(if self.edition.is_third() { slot.means(constraint) } else { constraint });
                };
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
            // What there is no parameter of is told as that.
            Err(Looked::Foreign(name)) if self.is_of_others(slot, at) || self.slot(name.as_str()).is_none() => {
                return None;
            }
            Err(Looked::Foreign(name)) => (format!("cannot be computed: {}", foreign(&name)), None, false),
            Err(Looked::Missing(name)) => {
                (format!("cannot be computed: `{name}` has no value"), Some(Runtime::help_for(name.as_str())), true)
            }
            Ok(Err(mistake)) | Err(Looked::Wrong(mistake)) => (mistake.message, mistake.help, false),
        };
        let mut fault = Fault::new(slot.name, format!("the constraint `{expression}` of {at}: {message}"));
        (fault.help, fault.is_missing) = (help, is_missing);
        faults.push(self.named(fault, expression, at));
        None
    }

    /// A parameter that is given by another's bare name takes what that one takes, whether it counts or not.
    pub(super) fn check_references(&mut self, index: usize) {
        let Some(slot) = self.slots.get(index) else { return };
        let mut faults = Vec::new();
        let (unblocked, in_force) = match self.edition.is_third() {
            true => (slot.unblocked(), slot.in_force()),
            false => (usize::MAX, usize::MAX),
        };
        for candidate in slot.candidates.iter().take(unblocked) {
            let Given::Expression(expression) = candidate.given else { continue };
            faults.extend(self.unknown_names(slot, candidate.at, expression));
            for name in expression.handed_on().iter().map(|found| &found.name) {
                let Some(referred) = self.slot(name.as_str()) else { continue };
                if !slot.types.accepts(&referred.types) {
                    let gives = candidate.at.gives(self.edition);
                    let message = format!(
                        "`{}` takes `{}`, and {} {gives} it `{name}`, which is `{}` by {}",
                        slot.name, slot.types, candidate.at, referred.types, referred.declared
                    );
                    faults.push(self.placed(Fault::new(slot.name, message), vec![referred.declared, candidate.at]));
                }
            }
            faults.extend(self.clash(slot, candidate.at, expression));
        }
        for narrowing in slot.narrowings.iter().take(in_force).filter(|narrowing| narrowing.of.is_none()) {
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
                None if self.is_of_others(slot, at) => {}
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
                Ok(value) => slot.admit(self.edition, value),
                Err(Looked::Wrong(mistake)) => Err(mistake),
                Err(Looked::Missing(_) | Looked::Foreign(_) | Looked::Faulty) => continue,
            };
            match value {
                Ok(value) => {
                    let of_general =
                        slot.narrowings.iter().filter(|narrowing| narrowing.at.source <= candidate.at.source);
                    let count = of_general.count().min(slot.in_force());
                    let known = slot.narrowings.iter().map(|narrowing| narrowing.constraint.as_ref());
                    faults.extend(self.violation(slot, known, candidate.at, &value, count));
                }
                Err(mistake) => {
                    let message = format!("`{expression}` of {}: {}", candidate.at, mistake.message);
                    let mut fault = Fault::new(slot.name, message);
                    fault.help = mistake.help;
                    faults.push(self.named(fault, expression, candidate.at));
                }
            }
        }
        self.faults.append(&mut faults);
    }

    /// The first of the constraints, of which the first `count` are looked at, that does not admit a value; none of `known`
    /// is faulty.
    pub(super) fn violation<'c>(
        &self,
        slot: &Slot<'a>,
        known: impl Iterator<Item = Option<&'c Constraint>>,
        at: Where<'a>,
        value: &Value,
        count: usize,
    ) -> Option<Fault> {
        let (narrowing, constraint) = match self.refusing(slot, known, value, count) {
            Ok(refusing) => refusing?,
            Err(mistake) => return Some(unheld(slot, format!("`{}` of {at}", value.shown()), mistake).at(at)),
        };
        Some(self.refused(slot, (narrowing, constraint), &[at], format!("{at} {} `{value}`", at.gives(self.edition))))
    }

    /// What a constraint does not admit, as a fault; `what` says what somebody gives at `places`. Where that comes of what
    /// others give, and what the constraint comes of, is named too.
    pub(super) fn refused(
        &self,
        slot: &Slot<'a>,
        (narrowing, constraint): (&Narrowing<'a>, &Constraint),
        places: &[Where<'a>],
        what: String,
    ) -> Fault {
        let of = narrowing.of.map(|of| format!(" for `{}`, which {} has renamed to it", of.name, of.at));
        let of = of.unwrap_or_default();
        let message = format!("{what}, and {} admits `{constraint}` only{of}", narrowing.at);
        let mut all = vec![narrowing.at];
        all.extend_from_slice(places);
        if self.edition.is_third() {
            let given = slot.candidates.iter().filter(|candidate| places.contains(&candidate.at));
            let given = given.filter_map(|candidate| candidate.given_expression()).chain([narrowing.expression]);
            all.extend(given.flat_map(|expression| self.given_at(expression)));
        }
        all.sort_by_key(|at| at.source);
        all.into_iter().fold(Fault::new(slot.name, message), Fault::at)
    }

    /// The first of the constraints, of which the first `count` are looked at, that does not admit a value.
    ///
    /// # Errors
    /// There is not fuel enough to look at all.
    pub(super) fn refusing<'s, 'c>(
        &self,
        slot: &'s Slot<'a>,
        known: impl Iterator<Item = Option<&'c Constraint>>,
        value: &Value,
        count: usize,
    ) -> Result<Option<(&'s Narrowing<'a>, &'c Constraint)>, Mistake> {
        let narrowings = slot.narrowings.iter().zip(known).take(count);
        for (narrowing, constraint) in narrowings.filter_map(|(narrowing, constraint)| Some((narrowing, constraint?))) {
            if !self.with_fuel(|fuel| constraint.admits_with(value, fuel))? {
                return Ok(Some((narrowing, constraint)));
            }
        }
        Ok(None)
    }
}

/// What could not be held against what is admitted.
pub(super) fn unheld(slot: &Slot<'_>, what: String, mistake: Mistake) -> Fault {
    Fault { help: mistake.help, ..Fault::new(slot.name, format!("{what} cannot be held: {}", mistake.message)) }
}

impl Slot<'_> {
    /// A constraint as it is meant of what it takes: texts as patterns, where all are of interfaces; ranges of integers as
    /// those of numbers, where it takes these.
    fn means(&self, constraint: Constraint) -> Constraint {
        let takes = |wanted: Type| self.types.iter().any(|kind| kind == wanted);
        let is_of_any = self.types.is_empty() || takes(Type::Any);
        let constraint = if is_of_any || takes(Type::Number) { constraint.of_floats() } else { constraint };
        let is_of_interfaces = takes(Type::Interface) && !is_of_any && !takes(Type::String);
        if is_of_interfaces { constraint.of_interfaces() } else { constraint }
    }
}
