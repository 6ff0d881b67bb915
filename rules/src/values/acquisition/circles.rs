//! Names that refer to each other in a circle: among the values that count, and among those that count at a more general
//! place, since what is wrong there is wrong though somebody below gives another value.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Acquisition;
use super::components::in_circles;
use super::fault::Fault;
use super::slot::{Candidate, Slot, State};
use crate::values::eval::Fuel;
use crate::values::expression::Expression;
use crate::values::mistake::Mistake;
use crate::values::name::Name;
use crate::values::source::{Source, Where};

/// The most circles that are told.
const CIRCLES_MOST: usize = 100;

/// Which parameters each refers to, by their places among all.
type References = BTreeMap<usize, Vec<usize>>;

impl<'a> Acquisition<'a> {
    /// Finds circles as each source sees the values, the most general first, so that each is told as whoever closed it
    /// saw it. Of every parameter in one, a shortest is told.
    pub(super) fn find_circles(&mut self) {
        // What counts was followed to its ends: only what does not count may close another one.
        if self.slots.iter().all(Slot::is_followed) {
            return;
        }
        // Where all that anybody says together makes none, no source sees one: so it is nearly always.
        let all = self.references(|slot| slot.candidates.get(..slot.unblocked()).unwrap_or_default(), |_| true);
        if without_ends(&all).is_empty() {
            return;
        }
        let mut told = BTreeSet::new();
        let mut found = Vec::new();
        for source in self.referring() {
            let references = self.references(|slot| slot.contributing_at(source), |of| of <= source);
            let circles = {
                let name = |index: usize| self.slots.get(index).map(|slot| slot.name);
                self.with_fuel(|fuel| circles(&references, name, fuel))
            };
            let circles = match circles {
                Ok(circles) => circles,
                Err(Mistake { message, help, .. }) => {
                    let message = format!("the circles of names cannot be looked for: {message}");
                    found.push(Fault { help, ..Fault::new("parameters", message) });
                    break;
                }
            };
            for circle in circles {
                if told.len() < CIRCLES_MOST && told.insert(circle.clone()) {
                    found.extend(self.circle(&circle, source));
                }
            }
        }
        self.faults.append(&mut found);
    }

    /// The sources at which something refers to something.
    fn referring(&self) -> BTreeSet<Source> {
        let mut sources = BTreeSet::new();
        for slot in &self.slots {
            let given = slot.candidates.iter().take(slot.unblocked());
            let given = given.filter(|candidate| candidate.given_expression().is_some_and(|given| !given.is_closed()));
            sources.extend(given.map(|candidate| candidate.at.source));
            let narrowed = slot.narrowings.iter().take(slot.in_force());
            let narrowed = narrowed.filter(|narrowing| !narrowing.expression.is_closed());
            sources.extend(narrowed.map(|narrowing| narrowing.at.source));
        }
        sources
    }

    /// What parameters refer to in values that are given, and in constraints of sources.
    fn references<'s>(
        &'s self,
        given: impl Fn(&'s Slot<'a>) -> &'s [Candidate<'a>],
        is_of: impl Fn(Source) -> bool,
    ) -> References {
        let mut references = References::new();
        for (index, slot) in self.slots.iter().enumerate() {
            let given = given(slot).iter().filter_map(Candidate::given_expression);
            let narrowed = slot.narrowings.iter().take(slot.in_force());
            let narrowed = narrowed.filter(|narrowing| narrowing.of.is_none() && is_of(narrowing.at.source));
            let expressions = given.chain(narrowed.map(|narrowing| narrowing.expression));
            let names = expressions.flat_map(Expression::references).map(|found| found.name.as_str());
            let to: Vec<usize> = names.filter_map(|name| self.index.get(name).copied()).collect();
            if !to.is_empty() {
                references.insert(index, to);
            }
        }
        references
    }

    fn circle(&self, members: &[usize], source: Source) -> Option<Fault> {
        let slots: Vec<&Slot<'a>> = members.iter().filter_map(|member| self.slots.get(*member)).collect();
        let names = slots.iter().chain(slots.first()).map(|slot| slot.name.as_str());
        let mut fault = Fault::circle(names.collect());
        // The more general first, as in all faults.
        let next = slots.iter().cycle().skip(1);
        let mut at: Vec<_> = match self.edition.is_third() {
            true => slots.iter().zip(next).filter_map(|(slot, next)| slot.refers_at(source, next.name)).collect(),
            false => slots.iter().filter_map(|slot| Some(slot.contributing_at(source).last()?.at)).collect(),
        };
        at.sort_by_key(|at| at.source);
        for at in at {
            fault = fault.at(at);
        }
        (!members.is_empty()).then_some(fault)
    }
}

/// A shortest circle of every parameter that is in one, each once; it begins with the first of its names. What is looked for
/// takes a step for each reference that is followed.
///
/// # Errors
/// There is not fuel enough.
fn circles<N: Ord>(
    references: &References,
    name: impl Fn(usize) -> N,
    fuel: &mut Fuel,
) -> Result<Vec<Vec<usize>>, Mistake> {
    let of = in_circles(references);
    let mut from: Vec<usize> = of.keys().copied().collect();
    from.sort_by_key(|index| name(*index));
    let (mut found, mut covered) = (Vec::new(), BTreeSet::new());
    for first in from {
        if found.len() >= CIRCLES_MOST || covered.contains(&first) {
            continue;
        }
        let Some(mut circle) = shortest(references, &of, first, fuel)? else { continue };
        covered.extend(circle.iter().copied());
        let least = circle.iter().enumerate().min_by_key(|(_, member)| name(**member)).map_or(0, |(at, _)| at);
        circle.rotate_left(least);
        found.push(circle);
    }
    Ok(found)
}

/// Those that refer to something that refers to something, and so on without end: all that are in circles, or lead there.
fn without_ends(references: &References) -> BTreeSet<usize> {
    let mut left: BTreeMap<usize, usize> = BTreeMap::new();
    let mut referring: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (from, to) in references {
        left.insert(*from, to.len());
        to.iter().for_each(|to| referring.entry(*to).or_default().push(*from));
    }
    let mut ended: Vec<usize> = referring.keys().copied().filter(|to| !references.contains_key(to)).collect();
    while let Some(end) = ended.pop() {
        for from in referring.get(&end).into_iter().flatten() {
            let Some(count) = left.get_mut(from) else { continue };
            *count = count.saturating_sub(1);
            if *count == 0 {
                left.remove(from);
                ended.push(*from);
            }
        }
    }
    left.into_keys().collect()
}

/// A shortest way from a parameter back to itself.
///
/// # Errors
/// There is not fuel enough.
fn shortest(
    references: &References,
    of: &BTreeMap<usize, usize>,
    first: usize,
    fuel: &mut Fuel,
) -> Result<Option<Vec<usize>>, Mistake> {
    let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut next = VecDeque::from([first]);
    while let Some(at) = next.pop_front() {
        let to = references.get(&at).map(Vec::as_slice).unwrap_or_default();
        fuel.spend(to.len())?;
        // A way back does not leave those that all refer to each other.
        for to in to.iter().copied().filter(|to| of.get(to) == of.get(&first)) {
            if to == first {
                let mut way = vec![at];
                while let Some(before) = way.last().filter(|last| **last != first).and_then(|last| came_from.get(last))
                {
                    way.push(*before);
                }
                way.reverse();
                return Ok(Some(way));
            }
            if let Entry::Vacant(unseen) = came_from.entry(to) {
                unseen.insert(at);
                next.push_back(to);
            }
        }
    }
    Ok(None)
}

impl<'a> Slot<'a> {
    /// Whether all that it may refer to counts, and refers back to it nowhere.
    fn is_followed(&self) -> bool {
        let contributing = self.contributing();
        let mut others = self.candidates.iter().enumerate().filter(|(at, _)| !contributing.contains(at));
        self.state != State::Cyclic
            && others.all(|(_, other)| other.given_expression().is_none_or(Expression::is_closed))
    }

    /// Where it refers to another, as a source sees it: in the most specific value that does, or in a constraint.
    fn refers_at(&self, source: Source, name: &Name) -> Option<Where<'a>> {
        let refers = |expression: &Expression| expression.references().iter().any(|found| found.name == *name);
        let mut given = self.contributing_at(source).iter().rev();
        let given = given.find(|candidate| candidate.given_expression().is_some_and(refers));
        let narrowed = || {
            let mut narrowed = self.narrowings.iter().take(self.in_force()).rev();
            narrowed.find(|narrowing| {
                narrowing.of.is_none() && narrowing.at.source <= source && refers(narrowing.expression)
            })
        };
        given.map(|candidate| candidate.at).or_else(|| narrowed().map(|narrowing| narrowing.at))
    }

    /// Those that would make up the value, if only what stands at a source and at more general ones counted.
    fn contributing_at(&self, source: Source) -> &[Candidate<'a>] {
        let end = self.candidates.partition_point(|candidate| candidate.at.source <= source);
        let range = self.contributing_of(end.min(self.unblocked()));
        self.candidates.get(range).unwrap_or_default()
    }
}
