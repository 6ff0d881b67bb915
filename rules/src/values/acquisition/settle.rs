//! What each parameter comes to: dependencies first, cycles named, types and constraints held.

use std::cell::RefCell;

use super::Acquisition;
use super::fault::Fault;
use super::folded::fold;
use super::runtime::Runtime;
use super::slot::{Given, Scope, Slot, State};
use crate::values::eval::evaluate;
use crate::values::expression::Expression;
use crate::values::mistake::Mistake;
use crate::values::name::Name;
use crate::values::parameter::ListMode;
use crate::values::source::Where;
use crate::values::value::Value;

/// What a candidate came to.
enum Outcome {
    Value(Value),
    Missing,
    Foreign,
    Faulty,
}

impl<'a> Acquisition<'a> {
    /// Brings every slot to its value. It walks along references without recursion: how long a chain of names is, is up
    /// to those who write them.
    pub(super) fn settle(&mut self) {
        for first in 0..self.slots.len() {
            self.settle_from(first);
        }
        for index in 0..self.slots.len() {
            self.check_references(index);
            self.check_losing(index);
            self.check_required(index);
        }
        if self.edition.is_second() {
            self.find_circles();
            self.faults.sort_by(Fault::in_order);
        } else {
            self.faults.sort_by(|one, other| one.parameter.cmp(&other.parameter));
        }
        self.faults.dedup();
    }

    fn settle_from(&mut self, first: usize) {
        // Each is a slot and those it refers to that are still to be looked at.
        let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut next = Some(first);
        loop {
            if let Some(index) = next.take() {
                match self.slots.get_mut(index) {
                    Some(slot) if slot.state == State::Pending => {
                        slot.state = State::Open;
                        let needed = self.needed(index);
                        if needed.is_empty() {
                            self.evaluate(index);
                        } else {
                            way.push((index, needed));
                        }
                    }
                    Some(slot) if slot.state == State::Open => self.cycle(index, &way),
                    _ => {}
                }
            }
            let Some((index, needed)) = way.last_mut() else { return };
            match needed.pop() {
                Some(needed) => next = Some(needed),
                None => {
                    let index = *index;
                    way.pop();
                    self.evaluate(index);
                }
            }
        }
    }

    /// The slots that what counts of a slot refers to, the first behind the others.
    fn needed(&self, index: usize) -> Vec<usize> {
        let Some(slot) = self.slots.get(index) else { return Vec::new() };
        if slot.is_closed() {
            return Vec::new();
        }
        let contributing = slot.candidates.get(slot.contributing()).unwrap_or_default().iter();
        let given = contributing.filter_map(|candidate| match candidate.given {
            Given::Expression(expression) => Some(expression),
            Given::Value(_) | Given::Nothing => None,
        });
        let narrowing = slot.narrowings.iter().take(slot.in_force()).map(|narrowing| narrowing.expression);
        let names = given.chain(narrowing).flat_map(|expression| expression.references());
        let mut needed: Vec<usize> = names.filter_map(|found| self.index.get(found.name.as_str()).copied()).collect();
        needed.reverse();
        needed
    }

    /// A slot was met again on the way from itself.
    fn cycle(&mut self, index: usize, way: &[(usize, Vec<usize>)]) {
        let start = way.iter().position(|(known, _)| *known == index).unwrap_or(way.len());
        let mut members: Vec<usize> = way.iter().skip(start).map(|(index, _)| *index).collect();
        // A cycle begins with the first of its names, wherever it was found.
        let first =
            members.iter().enumerate().filter_map(|(at, member)| Some((self.slots.get(*member)?.name, at))).min();
        members.rotate_left(first.map_or(0, |(_, at)| at));
        let slots: Vec<&Slot<'a>> = members.iter().filter_map(|member| self.slots.get(*member)).collect();
        let Some(first) = slots.first() else { return };
        // By the second edition all circles are looked for once everything is settled.
        if !self.edition.is_second() {
            let names = slots.iter().chain([first]).map(|slot| slot.name.as_str());
            let mut fault = Fault::circle(names.collect());
            for slot in &slots {
                if let Some(candidate) = slot.counting() {
                    fault = fault.at(candidate.at);
                }
            }
            self.faults.push(fault);
        }
        for member in members {
            if let Some(slot) = self.slots.get_mut(member) {
                slot.state = State::Cyclic;
            }
        }
    }

    /// A slot's value, from those it refers to.
    fn evaluate(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        if let Some(told) = slot.told_alone() {
            slot.state = told.map_or(State::Missing, State::Value);
            return;
        }
        let Some(slot) = self.slots.get(index) else { return };
        let is_cyclic = slot.state == State::Cyclic;
        let range = if is_cyclic { 0..0 } else { slot.contributing() };
        let mut values = Vec::with_capacity(range.len());
        let (mut faults, mut is_faulty, mut is_missing, mut given) = (Vec::new(), false, false, 0);
        let mut is_foreign = false;
        for at in range {
            let Some(candidate) = slot.candidates.get(at) else { continue };
            let outcome = match candidate.given {
                Given::Nothing => continue,
                Given::Value(value) => Outcome::Value(value.clone()),
                Given::Expression(expression) => self.compute(slot, candidate.at, expression, &mut faults),
            };
            given += 1;
            match outcome {
                Outcome::Value(value) => values.push((at, value)),
                Outcome::Missing => is_missing = true,
                Outcome::Foreign => is_foreign = true,
                Outcome::Faulty => is_faulty = true,
            }
        }
        let narrowed = self.narrow(slot, &mut faults);
        let is_usable = !is_faulty && faults.is_empty();
        let before = faults.len();
        let folded = match self.edition.is_third() && slot.list != ListMode::Replace && given > 1 {
            true => self.meet(slot, (&values, values.len() < given), &narrowed, &mut faults),
            false => {
                for (at, value) in &values {
                    let Some(candidate) = slot.candidates.get(*at) else { continue };
                    let constraints = narrowed.iter().map(Option::as_ref);
                    faults.extend(self.violation(slot, constraints, candidate.at, value, slot.in_force()));
                }
                fold(self.edition, slot.list, values.iter().map(|(_, value)| value))
            }
        };
        let state = match (is_cyclic && faults.len() == before, is_usable && faults.len() == before, is_missing) {
            (true, ..) => State::Cyclic,
            (false, false, _) => State::Faulty,
            (false, true, _) if is_foreign => State::Foreign,
            (false, true, true) => State::Missing,
            (false, true, false) => folded.map_or(State::Missing, State::Value),
        };
        self.faults.append(&mut faults);
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.state = state;
        for (narrowing, constraint) in slot.narrowings.iter_mut().zip(narrowed) {
            narrowing.constraint = constraint;
        }
        for (at, value) in values {
            if let Some(candidate) = slot.candidates.get_mut(at) {
                candidate.value = Some(value);
            }
        }
    }

    /// What an expression comes to for a slot, as its types take it.
    fn compute(&self, slot: &Slot<'a>, at: Where<'a>, expression: &Expression, faults: &mut Vec<Fault>) -> Outcome {
        // What may not be handed on is a fault of where it is written, and told there.
        if !self.is_of_types(slot, at, expression) {
            return Outcome::Faulty;
        }
        let computed = match self.look_up(expression) {
            Ok(value) => slot.admit(self.edition, value),
            Err(Looked::Faulty) => return Outcome::Faulty,
            Err(Looked::Missing(_)) if expression.as_name().is_some() => return Outcome::Missing,
            Err(Looked::Foreign(_)) if self.is_of_others(slot, at) => return Outcome::Foreign,
            Err(Looked::Foreign(name)) => {
                // What there is no parameter of is told as that.
                if self.slot(name.as_str()).is_some() {
                    let message = format!("`{expression}` of {at} cannot be computed: {}", foreign(&name));
                    faults.push(self.named(Fault::new(slot.name, message), expression, at));
                }
                return Outcome::Faulty;
            }
            // That a required one is missing is told of it.
            Err(Looked::Missing(name)) if self.slot(name.as_str()).is_some_and(|slot| slot.is_required) => {
                return Outcome::Faulty;
            }
            Err(Looked::Missing(name)) => {
                let message = format!("`{expression}` of {at} cannot be computed: `{name}` has no value");
                let help = Runtime::help_for(name.as_str());
                faults.push(Fault::new(slot.name, message).help(help).missing().at(at));
                return Outcome::Faulty;
            }
            Err(Looked::Wrong(mistake)) => Err(mistake),
        };
        match computed {
            Ok(value) => Outcome::Value(value),
            Err(mistake) => {
                let mut fault = Fault::new(slot.name, format!("`{expression}` of {at}: {}", mistake.message));
                fault.help = mistake.help;
                faults.push(self.named(fault, expression, at));
                Outcome::Faulty
            }
        }
    }

    /// Whether something that a place gives of a name of its own may be for services that are not this one.
    pub(super) fn is_of_others(&self, slot: &Slot<'a>, at: Where<'a>) -> bool {
        let is_own = slot.scope == Scope::Introduced && !at.source.is_of_one_service();
        self.edition.is_third() && self.ground.has_other_services && is_own
    }

    /// A fault with the places of what an expression refers to, and that of the expression.
    pub(super) fn named(&self, fault: Fault, expression: &Expression, at: Where<'a>) -> Fault {
        self.placed(fault, self.given_at(expression).chain([at]).collect())
    }

    /// Where the values stand that an expression comes of.
    pub(super) fn given_at<'e>(&'e self, expression: &'e Expression) -> impl Iterator<Item = Where<'a>> + use<'e, 'a> {
        let referred = expression.references().iter().filter_map(|found| self.slot(found.name.as_str()));
        referred.filter_map(Slot::counting).map(|candidate| candidate.at)
    }

    /// A fault with its places, the more general first; before the third edition in the order in which they were found.
    pub(super) fn placed(&self, fault: Fault, mut places: Vec<Where<'a>>) -> Fault {
        if self.edition.is_third() {
            places.sort_by_key(|at| at.source);
        }
        places.into_iter().fold(fault, Fault::at)
    }

    /// Evaluates an expression over the slots that are settled.
    pub(super) fn look_up(&self, expression: &Expression) -> Result<Value, Looked> {
        let unknown: RefCell<Option<Looked>> = RefCell::new(None);
        let mut look_up = |name: &Name| {
            let state = self.slot(name.as_str()).map(|slot| &slot.state);
            let looked = match state {
                Some(State::Value(value)) => return Some(value.clone()),
                Some(State::Missing | State::Pending | State::Open) => Looked::Missing(name.clone()),
                Some(State::Foreign) => Looked::Foreign(name.clone()),
                None if self.edition.is_third() && self.ground.has_other_services => Looked::Foreign(name.clone()),
                // Those that nobody knows have a fault of their own.
                Some(State::Faulty | State::Cyclic) | None => Looked::Faulty,
            };
            unknown.borrow_mut().get_or_insert(looked);
            None
        };
        let found = evaluate(expression, &mut look_up, &mut self.fuel.borrow_mut());
        found.map_err(|mistake| unknown.into_inner().unwrap_or(Looked::Wrong(mistake)))
    }

    /// A service cannot do without its value.
    fn check_required(&mut self, index: usize) {
        let Some(slot) = self.slots.get(index) else { return };
        if !slot.is_required {
            return;
        }
        if self.edition.is_second()
            && let Some(fault) = slot.is_left_empty()
        {
            return self.faults.push(fault);
        }
        if slot.state != State::Missing {
            return;
        }
        // What it was renamed to, to the last name.
        let mut last = slot;
        for _ in 0..self.slots.len() {
            let next = last.counting().and_then(|candidate| match candidate.given {
                Given::Expression(expression) => expression.as_name(),
                Given::Value(_) | Given::Nothing => None,
            });
            match next.and_then(|name| self.slot(name.as_str())) {
                Some(next) => last = next,
                None => break,
            }
        }
        let (name, given) = (slot.name, last.name);
        let mut fault = if name == given {
            Fault::new(name, format!("`{name}` is required and has no value")).help(format!("give it: `{name}=...`"))
        } else {
            let message = format!("`{name}` is required and has no value: it is `{given}` here, which has none");
            let help = match self.edition.is_second() && last.is_read_only {
                true => Runtime::help_for(given.as_str()),
                false => format!("give it: `{given}=...`"),
            };
            Fault::new(name, message).help(help)
        };
        if let Some(candidate) = slot.counting() {
            fault = fault.at(candidate.at);
        }
        self.faults.push(fault.missing());
    }
}

/// Why what needs a name has no value where that comes of other services.
pub(super) fn foreign(name: &Name) -> String {
    format!("`{name}` comes of parameters that this service does not have")
}

/// Why an expression has no value.
pub(super) enum Looked {
    /// A name it needs has none.
    Missing(Name),
    /// A name it needs comes of what this service does not have.
    Foreign(Name),
    /// A name it needs is faulty.
    Faulty,
    /// It is wrong itself.
    Wrong(Mistake),
}
