//! What is admitted of a parameter is admitted of the names that it has below: constraints travel down with it, and so does
//! how lists meet.

use super::Acquisition;
use super::fault::Fault;
use super::slot::{Candidate, Given, Inherited, Narrowing, Scope, Slot};
use crate::values::parameter::ListMode;

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

impl Acquisition<'_> {
    /// Has lists that are given of a name meet as those of the parameter do which it stands for, so that this comes to what
    /// it would come to without the name; of several that differ in it, as if nothing were said. A name that a definition
    /// has keeps its own way.
    pub(super) fn hand_down(&mut self) {
        let next = |slot: &Slot<'_>| {
            let renamed = slot.renamed.filter(|_| slot.is_renaming_unblocked())?;
            self.index.get(renamed.to.as_str()).copied()
        };
        let next: Vec<Option<usize>> = self.slots.iter().map(next).collect();
        let has_mode = |(slot, to): (&Slot<'_>, &Option<usize>)| to.is_some() && slot.list != ListMode::Replace;
        if !self.slots.iter().zip(&next).any(has_mode) {
            return;
        }
        // Of each name how many it stands for that were not come to yet, and how lists meet by the others.
        let mut names = vec![(0_usize, None); next.len()];
        for to in next.iter().flatten() {
            if let Some((waiting, _)) = names.get_mut(*to) {
                *waiting += 1;
            }
        }
        let mut ready: Vec<usize> =
            (0..).zip(&names).filter(|(_, (waiting, _))| *waiting == 0).map(|(at, _)| at).collect();
        while let Some(index) = ready.pop() {
            let Some(slot) = self.slots.get_mut(index) else { continue };
            if let Some((_, Some(mode))) = names.get(index)
                && slot.scope == Scope::Introduced
            {
                slot.list = *mode;
            }
            let (mode, to) = (slot.list_below(), next.get(index).copied().flatten());
            let Some((to, (waiting, known))) = to.and_then(|to| Some((to, names.get_mut(to)?))) else { continue };
            *known = Some(if known.is_some_and(|known| known != mode) { ListMode::Replace } else { mode });
            *waiting -= 1;
            if *waiting == 0 {
                ready.push(to);
            }
        }
    }
}

impl Slot<'_> {
    /// How lists meet that are given of the name which it has below. All that is given there is taken out of what is more
    /// general, where there is any.
    fn list_below(&self) -> ListMode {
        let of_renaming = self.renamed.map(|renamed| renamed.to);
        let is_general = |candidate: &Candidate<'_>| match candidate.given {
            Given::Expression(given) => of_renaming.is_none_or(|to| given.as_name() != Some(to)),
            Given::Value(_) => true,
            Given::Nothing => false,
        };
        match self.list {
            ListMode::Remove if self.candidates.iter().any(is_general) => ListMode::Append,
            mode => mode,
        }
    }

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
