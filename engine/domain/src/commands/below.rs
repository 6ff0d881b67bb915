//! What a change of values would break below its place: values of places, names that are declared no longer, and what is
//! given with activations. What is beyond the bounds is not looked at, and that is told.

use std::collections::BTreeSet;

use linesman_schemas::audit::Verdict;
use linesman_schemas::{Place, SubscriptionName};

use super::held::{Change, Context, Held, LEVEL, NAMED_MOST, contexts, fresh_faults, told};
use super::orphans::orphans;
use super::{Answer, Wrong};
use crate::Error;
use crate::activations::{self, ActivationRow, REHEARSED};
use crate::faults::shown;
use crate::places;
use crate::services::Services;
use crate::state::State;
use crate::subscriptions;
use crate::values;

/// How many places below, and how many activations with values, are looked at; what is beyond that is told when it is
/// rendered.
const BELOW_MOST: usize = 1_000;
/// From which engine level on what would break below is told once, however many would meet it.
const ONCE: u32 = 7;

/// What was found below.
pub(super) struct Below {
    broken: Vec<Wrong>,
    /// Whether all that a change affects was looked at, as far as that is told.
    is_all: bool,
}

impl Below {
    /// What a change would break; of access lines without values of their own `lines_most` are looked at.
    ///
    /// # Errors
    /// The state cannot be read.
    pub(super) fn of(
        state: &State,
        services: &Services,
        change: &Change<'_>,
        names: &BTreeSet<&str>,
        lines_most: usize,
    ) -> Result<Self, Error> {
        let mut broken = Vec::new();
        let (mut places, mut is_all) = places_below(state, change.place)?;
        if lines_most > 0 {
            let (lines, are_all) = places::lines_of(state, change.place, lines_most)?;
            places.extend(lines.into_iter().map(Place::Below).filter(|line| line != change.place));
            is_all &= are_all;
        }
        for place in places {
            if broken.len() > NAMED_MOST {
                is_all = false;
                break;
            }
            for context in contexts(state, services, &place, None, names)? {
                if change.counts_for(&context) {
                    let fresh = fresh_faults(state, services, (&place, None), &context, change)?;
                    broken.extend(fresh.iter().map(|fault| Wrong::value(Some(&place), shown(fault))));
                }
            }
            // What all services have of a place is wrong for each of them alike.
            if services.shelf().is_at(ONCE) {
                once(&mut broken);
            }
        }
        if services.shelf().is_at(LEVEL) && broken.len() <= NAMED_MOST {
            let (orphans, are_all) = orphans(state, services, change, NAMED_MOST)?;
            broken.extend(orphans);
            is_all &= are_all;
        }
        let (of_activations, are_all) = broken_activations(state, services, change)?;
        broken.extend(of_activations);
        // Before, nobody was told.
        let is_all = (is_all && are_all) || !services.shelf().is_at(REHEARSED);
        Ok(Self { broken, is_all })
    }

    /// What comes of it for the change, of which some parameters wait for a service.
    pub(super) fn held(self, waiting: BTreeSet<String>) -> Held {
        let Self { broken, is_all } = self;
        if broken.is_empty() {
            return Held::Taken { is_all, waiting };
        }
        let mut told = told(broken.iter().map(Wrong::told));
        told.push_str(if is_all { "" } else { "; and not all that stands below was looked at" });
        let refused = Answer::refused(Verdict::Conflict, format!("it would break what stands below: {told}"));
        Held::Refused(Box::new(refused.naming(broken).cut(!is_all)))
    }
}

/// Leaves each out that is there already.
fn once(broken: &mut Vec<Wrong>) {
    let mut known: Vec<Wrong> = Vec::with_capacity(broken.len());
    broken.retain(|wrong| {
        let is_new = !known.contains(wrong);
        known.extend(is_new.then(|| wrong.clone()));
        is_new
    });
}

/// What a change would break of the values that are given with activations: of those made at its place, below it, and above
/// it as far as they reach it. What would be broken without them is not told again.
fn broken_activations(state: &State, services: &Services, change: &Change<'_>) -> Result<(Vec<Wrong>, bool), Error> {
    let mut broken = Vec::new();
    let mut looked_at = 0;
    for row in activations::about(state, change.place) {
        let (made, name, id, row) = row?;
        looked_at += 1;
        if looked_at > BELOW_MOST || broken.len() > NAMED_MOST {
            return Ok((broken, false));
        }
        let is_over = services.shelf().is_at(activations::FORESEEN) && row.is_over();
        if row.substitutions.is_empty() || is_over {
            continue;
        }
        let place = if change.place.covers(&made) { &made } else { change.place };
        let subscription = match made.covers(place) && reaches(state, (&made, &name, &row), place)? {
            true => subscriptions::seen(state, place, &name)?.filter(|(_, seen)| seen.number == row.number),
            false => None,
        };
        let Some((_, subscription)) = subscription else { continue };
        let context: Context = (Some((subscription.service, subscription.version)), Some(name));
        if !change.counts_for(&context) {
            continue;
        }
        let fresh = fresh_faults(state, services, (place, Some((&made, &row.substitutions))), &context, change)?;
        if !fresh.is_empty() {
            let known = fresh_faults(state, services, (place, None), &context, change)?;
            let told = fresh.iter().filter(|fault| !known.contains(fault));
            let told = told.map(|fault| format!("given with `{id}`: {}", shown(fault)));
            broken
                .extend(told.map(|detail| Wrong { activation: Some(id.clone()), ..Wrong::value(Some(place), detail) }));
        }
    }
    Ok((broken, true))
}

/// Whether an activation that was made at a place reaches one there or below: nothing between them ends it.
fn reaches(
    state: &State,
    (made, name, row): (&Place, &SubscriptionName, &ActivationRow),
    place: &Place,
) -> Result<bool, Error> {
    let mut next = Some(place.clone());
    while let Some(at) = next.filter(|at| at != made) {
        if activations::is_cut(state, &at, name, row.number)? {
            return Ok(false);
        }
        next = at.parent();
    }
    Ok(true)
}

/// The places below one where something of values or subscriptions stands, the first of them, and whether these are all.
pub(super) fn places_below(state: &State, place: &Place) -> Result<(BTreeSet<Place>, bool), Error> {
    let mut found = BTreeSet::new();
    let Some(org) = place.organization() else { return Ok((found, true)) };
    let subscribed = subscriptions::all(state, org).map(|row| row.map(|(at, ..)| at));
    for other in values::places_of(state, org).chain(subscribed) {
        let other = other?;
        if other == *place || !place.covers(&other) || found.contains(&other) {
            continue;
        }
        if found.len() >= BELOW_MOST {
            return Ok((found, false));
        }
        found.insert(other);
    }
    Ok((found, true))
}
