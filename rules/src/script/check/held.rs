//! What a variable or an expression is known to hold.

use std::collections::BTreeMap;

use super::Function;
use super::survey::Survey;

/// As far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Held {
    /// Nothing yet: no call has been seen.
    #[default]
    Nothing,
    /// What the trigger is about.
    Subject,
    /// Its device.
    Device,
    /// The organization.
    Organization,
    /// Anything else, or now this and now that.
    Other,
}

impl Held {
    /// What is held where either may be.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, held) | (held, Self::Nothing) => held,
            (one, two) if one == two => one,
            _ => Self::Other,
        }
    }
}

/// What the parameters of each function hold, by its name and how many it has.
#[derive(Debug, Default, Clone)]
pub(super) struct Parameters(BTreeMap<(String, usize), Vec<Held>>);

impl Parameters {
    /// What is known before any call is looked at. Whoever calls `react` from within may give it
    /// anything; that is seen with the call.
    pub(super) fn new(functions: &[Function], survey: &Survey) -> Self {
        let held = |function: &Function| match function.parameters.len() {
            _ if function.is_entry() => vec![Held::Subject, Held::Organization],
            count if survey.is_mentioned(&function.name) => vec![Held::Other; count],
            count => vec![Held::Nothing; count],
        };
        let entry = |function: &Function| ((function.name.clone(), function.parameters.len()), held(function));
        Self(functions.iter().map(entry).collect())
    }

    /// What the parameters of a function hold.
    pub(super) fn of(&self, name: &str, count: usize) -> &[Held] {
        self.0.get(&(name.to_owned(), count)).map_or(&[], Vec::as_slice)
    }

    /// Takes note of a call.
    pub(super) fn see(&mut self, name: &str, arguments: &[Held]) {
        let held = self.0.entry((name.to_owned(), arguments.len())).or_default();
        held.resize(arguments.len(), Held::Nothing);
        held.iter_mut().zip(arguments).for_each(|(held, argument)| *held = held.or(*argument));
    }

    /// Adds what calls were seen to give; whether that changed anything.
    pub(super) fn join(&mut self, seen: Self) -> bool {
        let mut is_changed = false;
        for (key, arguments) in seen.0 {
            let Some(held) = self.0.get_mut(&key) else { continue };
            for (held, argument) in held.iter_mut().zip(arguments) {
                let joined = held.or(argument);
                is_changed |= joined != *held;
                *held = joined;
            }
        }
        is_changed
    }
}
