//! What is admitted of a parameter is admitted of the names that it has below: constraints travel down with it.

use super::Acquisition;
use super::fault::Fault;
use super::slot::{Given, Inherited, Narrowing, Slot};

/// The most constraints that names have of what was renamed to them, all together.
const INHERITED_MOST: usize = 4_096;

impl<'a> Acquisition<'a> {
    /// Gives the constraints of each parameter that was renamed to the name it has below, and the names that has.
    pub(super) fn inherit(&mut self) {
        let mut left = INHERITED_MOST;
        for index in 0..self.slots.len() {
            let Some(slot) = self.slots.get(index) else { continue };
            let Some(renamed) = slot.renamed.filter(|_| slot.is_renaming_unblocked()) else { continue };
            let own = slot.narrowings.iter().take(slot.in_force()).filter(|narrowing| narrowing.of.is_none());
            let of = Inherited { name: slot.name, at: renamed.at };
            let own: Vec<Narrowing<'a>> = own.map(|narrowing| narrowing.inherited(of)).collect();
            if own.is_empty() {
                continue;
            }
            let (mut seen, mut next) = (vec![index], Some(renamed.to));
            while let Some(to) = next.and_then(|name| self.index.get(name.as_str()).copied()) {
                let Some(rest) = left.checked_sub(own.len()).filter(|_| !seen.contains(&to)) else { break };
                left = rest;
                seen.push(to);
                let Some(named) = self.slots.get_mut(to) else { break };
                for narrowing in &own {
                    let place = named.narrowings.partition_point(|known| known.at.source <= narrowing.at.source);
                    named.narrowings.insert(place, narrowing.inherited(of));
                }
                next = named.renamed.filter(|_| named.is_renaming_unblocked()).map(|renamed| renamed.to);
            }
            if left < own.len() {
                let message = format!("parameters that are renamed have more than {INHERITED_MOST} constraints");
                let fault = Fault::new(of.name, message).help("rename fewer of them").at(of.at);
                return self.faults.push(fault);
            }
        }
    }
}

impl Slot<'_> {
    /// Whether what renamed it counts: no more general source has fixed it.
    fn is_renaming_unblocked(&self) -> bool {
        let unblocked = self.candidates.get(..self.unblocked()).unwrap_or_default();
        self.renamed.is_some_and(|renamed| {
            unblocked.iter().any(|candidate| {
                let is_name =
                    matches!(candidate.given, Given::Expression(given) if given.as_name() == Some(renamed.to));
                // A global one that is not fixed stands behind its source, as a default.
                candidate.at.source <= renamed.at.source && is_name
            })
        })
    }
}

impl<'a> Narrowing<'a> {
    /// The same for the name of what it was given of.
    const fn inherited(&self, of: Inherited<'a>) -> Self {
        let Self { at, is_fixed, expression, told, .. } = *self;
        Self { at, is_fixed, expression, told, of: Some(of), constraint: None }
    }
}
