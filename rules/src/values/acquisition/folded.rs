//! How a more specific list meets the more general ones.

use std::collections::BTreeSet;

use super::Acquisition;
use super::admitted::unheld;
use super::fault::Fault;
use super::slot::{Candidate, Given, Narrowing, Slot, State};
use crate::values::Constraint;
use crate::values::compare;
use crate::values::edition::Edition;
use crate::values::mistake::Mistake;
use crate::values::parameter::ListMode;
use crate::values::parser::too_many_elements;
use crate::values::value::Value;

/// Values from the most general to the most specific as one.
pub(super) fn fold<'v>(
    edition: Edition,
    mode: ListMode,
    values: impl ExactSizeIterator<Item = &'v Value>,
) -> Option<Value> {
    if values.len() <= 1 || mode == ListMode::Replace {
        return values.last().cloned();
    }
    let mut values = values.map(|value| elements(value).to_vec());
    let general = values.next().unwrap_or_default();
    let specific = values;
    let folded = match edition.is_second() {
        true => by_equality(mode, general, specific),
        false => by_form(mode, general, specific),
    };
    Some(Value::List(folded.into()))
}

/// As the language compares: `"tcp"` and 6 are the same, and so are 1 and 1.0.
fn by_equality(mode: ListMode, general: Vec<Value>, specific: impl Iterator<Item = Vec<Value>>) -> Vec<Value> {
    let mut folded = general;
    if mode == ListMode::Remove {
        let gone: BTreeSet<String> = specific.flatten().map(|value| compare::key(&value)).collect();
        folded.retain(|known| !gone.contains(&compare::key(known)));
        return folded;
    }
    folded.extend(specific.flatten());
    let mut known = BTreeSet::new();
    folded.retain(|value| known.insert(compare::key(value)));
    folded
}

/// As the first edition compared: what is written alike is the same, and the general's elements stay as they are.
fn by_form(mode: ListMode, general: Vec<Value>, specific: impl Iterator<Item = Vec<Value>>) -> Vec<Value> {
    let mut folded = general;
    for more in specific {
        if mode == ListMode::Remove {
            folded.retain(|known| !more.contains(known));
            continue;
        }
        for element in more {
            if !folded.contains(&element) {
                folded.push(element);
            }
        }
    }
    folded
}

/// A value as the elements of a list.
fn elements(value: &Value) -> &[Value] {
    match value {
        Value::List(elements) => elements,
        single => std::slice::from_ref(single),
    }
}

impl<'a> Acquisition<'a> {
    /// What several values of a parameter with `append` or `remove`, each with the place of its candidate, come to together:
    /// within its bounds, and within all constraints in force, `narrowed`. Where they are not all, because others are faulty or
    /// have no value yet, only what is wrong whatever these are is a fault. None with faults.
    pub(super) fn meet(
        &self,
        slot: &Slot<'a>,
        (values, is_partial): (&[(usize, Value)], bool),
        narrowed: &[Option<Constraint>],
        faults: &mut Vec<Fault>,
    ) -> Option<Value> {
        let given = || values.iter().filter_map(|(at, value)| Some((slot.candidates.get(*at)?, value)));
        let everywhere = |fault| given().fold(fault, |fault: Fault, (candidate, _)| fault.at(candidate.at));
        let size = values.iter().map(|(_, value)| elements(value).len()).sum();
        let folded = self.fuel.borrow_mut().spend(size).and_then(|()| {
            let folded = fold(self.edition, slot.list, values.iter().map(|(_, value)| value));
            folded.map(bounded).transpose()
        });
        let folded = match folded {
            Ok(folded) => folded?,
            Err(Mistake { message, help, .. }) => {
                let message = format!("what `{}` comes to of several lists: {message}", slot.name);
                faults.push(everywhere(Fault { help, ..Fault::new(slot.name, message) }));
                return None;
            }
        };
        let before = faults.len();
        if slot.list == ListMode::Remove {
            faults.extend(self.violation_of_rest(
                slot,
                given().collect(),
                Some(&folded).filter(|_| !is_partial),
                narrowed,
            ));
        } else {
            let is_negation = |element: &Value| matches!(element, Value::Not(_));
            // A negation takes away from what others give.
            let takes_away = is_partial || !elements(&folded).iter().all(is_negation);
            for (candidate, value) in given() {
                let takes = takes_away && elements(value).iter().any(is_negation);
                let others = || elements(value).iter().filter(|element| !is_negation(element)).cloned();
                let own = takes.then(|| Value::list(others()));
                let held = own.as_ref().unwrap_or(value);
                let known = narrowed.iter().map(Option::as_ref);
                match self.refusing(slot, known, held, slot.in_force()) {
                    Ok(None) => {}
                    Ok(Some(by)) => {
                        faults.push(self.refused(
                            slot,
                            by,
                            &[candidate.at],
                            format!("{} {} `{value}`", candidate.at, candidate.at.gives(self.edition)),
                        ));
                    }
                    Err(mistake) => {
                        let what = format!("what {} {}", candidate.at, candidate.at.gives(self.edition));
                        faults.push(unheld(slot, what, mistake).at(candidate.at));
                    }
                }
            }
        }
        (faults.len() == before).then_some(folded)
    }

    /// What is taken out of a list is no value itself, so that no constraint is about it: the general list is held against
    /// those of its own source and more general ones, and what is left of it against all.
    fn violation_of_rest(
        &self,
        slot: &Slot<'a>,
        given: Vec<(&Candidate<'a>, &Value)>,
        rest: Option<&Value>,
        narrowed: &[Option<Constraint>],
    ) -> Option<Fault> {
        let ((general, value), (last, _)) = (given.first()?, given.last()?);
        // Without the general list there is nothing that something is left of.
        let contributing = slot.candidates.get(slot.contributing()).unwrap_or_default();
        let first = contributing.iter().find(|candidate| !matches!(candidate.given, Given::Nothing));
        if first.is_none_or(|first| first.at != general.at) {
            return None;
        }
        let above = slot.narrowings.iter().take_while(|narrowing| narrowing.at.source <= general.at.source);
        let above = above.count().min(slot.in_force());
        let known = || narrowed.iter().map(Option::as_ref);
        let own = self.violation(slot, known(), general.at, value, above);
        let Some(rest) = rest.filter(|_| own.is_none()) else { return own };
        let admits = |constraint: &Constraint| self.with_fuel(|fuel| constraint.admits_with(value, fuel));
        let is_its = |(_, constraint): &(&Narrowing<'a>, &Constraint)| admits(constraint) == Ok(false);
        match self.refusing(slot, known(), rest, slot.in_force()) {
            Ok(None) => None,
            Ok(Some(by)) if is_its(&by) => Some(self.refused(
                slot,
                by,
                &[general.at],
                format!("{} {} `{value}`, of which `{rest}` is left", general.at, general.at.gives(self.edition)),
            )),
            Ok(Some(by)) => {
                let what = format!("of `{value}` of {} {} leaves `{rest}`", general.at, last.at);
                Some(self.refused(slot, by, &[last.at, general.at], what))
            }
            Err(mistake) => Some(unheld(slot, format!("what is left of `{}`", slot.name), mistake).at(general.at)),
        }
    }
}

/// A value that holds no more than values may.
fn bounded(value: Value) -> Result<Value, Mistake> {
    if elements(&value).len() > Value::MOST_ELEMENTS {
        return Err(too_many_elements());
    }
    value.weight()?;
    Ok(value)
}

impl Slot<'_> {
    /// Why a parameter that has to have a value is without one though it was given something: a list without elements,
    /// or a fix of nothing.
    pub(super) fn is_left_empty(&self) -> Option<Fault> {
        let (name, at) = (self.name, self.counting().map(|candidate| candidate.at));
        match (&self.state, self.fix()) {
            (State::Value(Value::List(elements)), _) if elements.is_empty() => {
                let by = at.map(|at| format!(": the list that {at} gives leaves it empty")).unwrap_or_default();
                let fault = Fault::new(name, format!("`{name}` is required and has no value{by}"));
                let fault = fault.help("a list that is required has at least one element").missing();
                Some(at.into_iter().fold(fault, Fault::at))
            }
            (State::Missing, Some(fix)) if matches!(fix.given, Given::Nothing) && at.is_none() => {
                let message = format!("`{name}` is required and has no value: {} has fixed that it has none", fix.at);
                let fault = Fault::new(name, message).help(format!("fix a value there: `!{name}=...`"));
                Some(fault.missing().at(fix.at))
            }
            _ => None,
        }
    }
}
