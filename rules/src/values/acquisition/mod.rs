//! Acquisition: which value each parameter has at one place, where it came from, and all that is wrong.
//!
//! ```text
//!  Ground: definition, globals, layers, runtime --gather--> slots with candidates --settle--> values, faults
//!                                                                         |
//!                                                                         +--explain--> every source, in order
//! ```
//!
//! It is pure, and costs what the parameters and substitutions of one place cost. Source: DOMAIN, "Value
//! substitution"; `docs/values.md` has the rules in full.

mod admitted;
mod choices;
mod circles;
mod components;
mod explain;
mod fault;
mod folded;
mod gather;
mod inherit;
mod runtime;
mod settle;
mod slot;
mod typed;
mod veil;

use std::cell::RefCell;
use std::collections::BTreeSet;

use foldhash::HashMap;

use super::edition::Edition;
use super::eval::Fuel;
use super::layer::Layer;
use super::name::Name;
use super::parameter::Definition;
use super::source::{Source, Where};
use super::value::Value;
use slot::{Slot, State};

pub use choices::Choice;
pub use explain::{Explanation, Found, Input, Outcome, Renaming, StandsFor, Step, Trail};
pub use fault::Fault;
pub use runtime::{RUNTIME_NAMES, Runtime};
pub use veil::Veil;

/// What values are acquired from, at one place.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The service's own parameters.
    pub locals: &'a Definition,
    /// The global ones.
    pub globals: &'a Definition,
    /// The sources that substitute, in any order; each at most once.
    pub layers: &'a [&'a Layer],
    /// What the place itself tells.
    pub runtime: &'a Runtime,
    /// Whether places may substitute what this service does not have, because other services do.
    pub has_other_services: bool,
}

/// The status of a parameter at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It has no value yet.
    Free,
    /// It has a value, and may still be substituted.
    Defaulted,
    /// It is fixed.
    Fixed,
}

impl Status {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Defaulted => "defaulted",
            Self::Fixed => "fixed",
        }
    }
}

/// The values of a place.
#[derive(Debug)]
pub struct Acquisition<'a> {
    ground: Ground<'a>,
    edition: Edition,
    slots: Vec<Slot<'a>>,
    index: HashMap<&'a str, usize>,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
    fuel: RefCell<Fuel>,
}

/// A parameter at a place.
#[derive(Debug, Clone, Copy)]
pub struct Acquired<'s, 'a> {
    slot: &'s Slot<'a>,
}

/// Acquires the values of a place, by the newest edition.
pub fn acquire(ground: Ground<'_>) -> Acquisition<'_> {
    acquire_by(Edition::default(), ground)
}

/// Acquires the values of a place as an edition has it.
pub fn acquire_by(edition: Edition, ground: Ground<'_>) -> Acquisition<'_> {
    let names = ground.locals.parameters().len() + ground.globals.parameters().len() + 16;
    let mut acquisition = Acquisition {
        ground,
        edition,
        slots: Vec::with_capacity(names),
        index: HashMap::with_capacity_and_hasher(names, foldhash::fast::RandomState::default()),
        faults: Vec::new(),
        warnings: Vec::new(),
        fuel: RefCell::default(),
    };
    acquisition.gather();
    acquisition.settle();
    acquisition
}

impl<'a> Acquisition<'a> {
    /// The parameters that there are at the place, by name: the service's, global ones, those that sources introduced,
    /// and what the place itself tells.
    pub fn parameters(&self) -> Vec<Acquired<'_, 'a>> {
        let mut found: Vec<_> = self.slots.iter().map(|slot| Acquired { slot }).collect();
        found.sort_by(|one, other| one.name().cmp(other.name()));
        found
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<Acquired<'_, 'a>> {
        self.slot(name).map(|slot| Acquired { slot })
    }

    /// All that is wrong, by parameter. While there is anything, no value may be used.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// What is allowed and may still surprise, such as a parameter that hides a global one.
    pub fn warnings(&self) -> &[Fault] {
        &self.warnings
    }

    /// The names that what was said of is known by: those of parameters.
    pub fn has(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }

    /// The fix that keeps what a source says of a parameter from counting: of its value, or with `is_narrowing` of its
    /// constraint; none where it may count.
    pub fn blocked_by(&self, name: &str, source: Source, is_narrowing: bool) -> Option<Where<'a>> {
        let slot = self.slot(name)?;
        let of_value = slot.fix().map(|fix| fix.at);
        let of_narrowing = slot.narrowings.iter().find(|narrowing| narrowing.is_fixed).map(|fixed| fixed.at);
        let fixes = of_value.into_iter().chain(of_narrowing.filter(|_| is_narrowing));
        fixes.filter(|at| at.source < source).min_by_key(|at| at.source)
    }

    /// Whether what is admitted of a parameter, or its value, comes of what the place itself tells: it may be otherwise
    /// at another place though nobody says anything there.
    pub fn is_of_place(&self, name: &str) -> bool {
        let (mut seen, mut next) = (BTreeSet::new(), vec![name]);
        while let Some(slot) = next.pop().and_then(|name| self.slot(name)) {
            if slot.is_read_only {
                return true;
            }
            if seen.insert(slot.name) {
                next.extend(slot.references().map(|name| name.as_str()));
            }
        }
        false
    }

    fn slot(&self, name: &str) -> Option<&Slot<'a>> {
        self.index.get(name).and_then(|index| self.slots.get(*index))
    }
}

impl<'s, 'a> Acquired<'s, 'a> {
    /// What it is called.
    pub fn name(&self) -> &'a Name {
        self.slot.name
    }

    /// Its types, as they are declared.
    pub fn types(&self) -> &'s super::Types {
        &self.slot.types
    }

    /// Its value, if it has one.
    pub fn value(&self) -> Option<&'s Value> {
        match &self.slot.state {
            State::Value(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it may still be substituted.
    pub fn status(&self) -> Status {
        match (self.slot.fix().is_some(), self.value().is_some()) {
            (true, _) => Status::Fixed,
            (false, true) => Status::Defaulted,
            (false, false) => Status::Free,
        }
    }

    /// The source of the value that counts, of a fixed one the fixing one; none where there is no value.
    pub fn at(&self) -> Option<Where<'a>> {
        let given_at = self.value().and_then(|_| self.slot.counting()).map(|candidate| candidate.at)?;
        Some(self.fixed_at().filter(|at| at.source > given_at.source).unwrap_or(given_at))
    }

    /// Whether the place itself tells it, so that nobody substitutes it.
    pub const fn is_read_only(&self) -> bool {
        self.slot.is_read_only
    }

    /// Whether a service cannot do without its value.
    pub const fn is_required(&self) -> bool {
        self.slot.is_required
    }

    /// What it is called from here on, where it was renamed.
    pub fn renamed_to(&self) -> Option<(&'a Name, Where<'a>)> {
        self.slot.renamed.map(|renamed| (renamed.to, renamed.at))
    }

    /// The source that fixed it.
    pub fn fixed_at(&self) -> Option<Where<'a>> {
        self.slot.fix().map(|candidate| candidate.at)
    }

    /// Whether somebody at `source` may substitute it.
    pub fn is_open_to(&self, source: Source) -> bool {
        let is_renamed = self.slot.renamed.is_some_and(|renamed| renamed.at.source < source);
        let is_fixed = self.slot.fix().is_some_and(|fix| fix.at.source < source);
        let is_beyond = self.slot.level.is_some_and(|level| level.source() < source);
        !self.is_read_only() && !is_renamed && !is_fixed && !is_beyond
    }
}
