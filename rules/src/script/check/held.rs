//! What a variable or an expression is known to hold.

use std::collections::BTreeMap;

use super::Function;
use super::survey::Survey;
use crate::subject::Field;

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
    /// A service, without a place.
    Service,
    /// A service and its place.
    PlacedService,
    /// What a field of the subject, or of its device, holds.
    Field(Field),
    /// A property of the organization.
    OfOrganization(&'static str),
    /// Anything else, or now this and now that.
    Other,
}

impl Held {
    /// Whether it is no value of the language but something of the host.
    pub(super) const fn is_object(self) -> bool {
        matches!(self, Self::Subject | Self::Device | Self::Organization) || self.is_service()
    }

    /// Whether it is a service.
    pub(super) const fn is_service(self) -> bool {
        matches!(self, Self::Service | Self::PlacedService)
    }

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
#[derive(Debug, Default)]
pub(super) struct Parameters(BTreeMap<String, BTreeMap<usize, Vec<Held>>>);

impl Parameters {
    /// What is known before any call is looked at. Whoever calls `react` from within may give it
    /// anything; that is seen with the call.
    pub(super) fn new(functions: &[Function], survey: &Survey) -> Self {
        let held = |function: &Function| match function.parameters.len() {
            _ if function.is_entry() => vec![Held::Subject, Held::Organization],
            count if survey.is_mentioned(&function.name) => vec![Held::Other; count],
            count => vec![Held::Nothing; count],
        };
        let mut parameters = Self::default();
        for function in functions {
            let counts = parameters.0.entry(function.name.clone()).or_default();
            counts.insert(function.parameters.len(), held(function));
        }
        parameters
    }

    /// What the parameters of a function hold.
    pub(super) fn of(&self, name: &str, count: usize) -> &[Held] {
        self.0.get(name).and_then(|counts| counts.get(&count)).map_or(&[], Vec::as_slice)
    }

    /// Takes note of a call; whether that changed what is known.
    pub(super) fn see(&mut self, name: &str, arguments: &[Held]) -> bool {
        let Some(parameters) = self.0.get_mut(name).and_then(|counts| counts.get_mut(&arguments.len())) else {
            return false;
        };
        let mut is_changed = false;
        for (held, argument) in parameters.iter_mut().zip(arguments) {
            let joined = held.or(*argument);
            is_changed |= joined != *held;
            *held = joined;
        }
        is_changed
    }
}
