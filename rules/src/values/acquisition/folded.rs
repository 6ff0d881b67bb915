//! How a more specific list meets the more general ones.

use std::collections::BTreeSet;

use super::fault::Fault;
use super::slot::{Given, Slot, State};
use crate::values::compare;
use crate::values::edition::Edition;
use crate::values::parameter::ListMode;
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
    let mut values = values.cloned();
    let elements = |value: Value| match value {
        Value::List(elements) => elements.to_vec(),
        single => vec![single],
    };
    let general = values.next().map(elements).unwrap_or_default();
    let specific = values.map(elements);
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
