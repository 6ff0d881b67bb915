//! What is wrong with the values that people have given, wherever they stand: found before and after a change that is asked
//! of no one place of theirs, it tells what that would break.

use std::collections::{BTreeMap, BTreeSet};

use linesman_rules::values::Fault;
use linesman_schemas::{Place, ServiceName, SubscriptionName};

use super::acquired::{self, Wanted};
use super::commands::Wrong;
use super::shelf::Shelf;
use super::state::Base;
use super::{Error, activations, subscriptions, values};

/// How many places with values or subscriptions, and how many activations with values, are looked at.
pub(crate) const MOST: usize = 1_000;

/// For what values count somewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct At {
    place: Place,
    /// None: for the global parameters alone.
    service: Option<ServiceName>,
    subscription: Option<SubscriptionName>,
    activation: Option<String>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Faults {
    found: BTreeMap<At, Vec<Fault>>,
    /// Whether all was looked at.
    pub(crate) is_all: bool,
}

impl Faults {
    /// What is wrong at a place and below, as it stands; that a value is still to be given is nothing wrong. `goes_on` is
    /// asked again and again whether it is to be gone on with.
    ///
    /// # Errors
    /// The base cannot be read, or a row of it.
    pub(crate) fn read(
        base: &(impl Base + ?Sized),
        shelf: &Shelf,
        under: &Place,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<Self, Error> {
        let (places, mut is_all) = places(base, under)?;
        let mut found = BTreeMap::new();
        for place in &places {
            if !goes_on() {
                return Ok(Self { found, is_all: false });
            }
            let seen = subscriptions::all_seen(base, place)?.into_iter();
            let seen = seen.map(|(name, row)| (Some((row.service, row.version)), Some(name)));
            for (service, subscription) in seen.chain([(None, None)]) {
                let service_and_version = service.as_ref().map(|(name, version)| (name, version.as_str()));
                let subscribed = subscription.as_ref();
                let wanted = Wanted {
                    place,
                    service: service_and_version,
                    subscription: subscribed,
                    activation: None,
                    instead: None,
                };
                let faults = faults(base, shelf, &wanted)?;
                let service = service.map(|(name, _)| name);
                found.insert(At { place: place.clone(), service, subscription, activation: None }, faults);
            }
        }
        for (looked_at, row) in activations::about(base, under).enumerate() {
            let (made, name, id, row) = row?;
            if looked_at >= MOST || !goes_on() {
                is_all = false;
                break;
            }
            if row.substitutions.is_empty() || row.is_over() || !under.covers(&made) {
                continue;
            }
            let seen = subscriptions::seen(base, &made, &name)?.filter(|(_, seen)| seen.number == row.number);
            let Some((_, seen)) = seen else { continue };
            let wanted = Wanted {
                place: &made,
                service: Some((&seen.service, &seen.version)),
                subscription: Some(&name),
                activation: Some((&made, &row.substitutions)),
                instead: None,
            };
            let faults = faults(base, shelf, &wanted)?;
            let (service, subscription) = (Some(seen.service.clone()), Some(name.clone()));
            found.insert(At { place: made.clone(), service, subscription, activation: Some(id) }, faults);
        }
        Ok(Self { found, is_all })
    }

    /// What is wrong here and was not before, each once. What is wrong without an activation too is not told of that.
    pub(crate) fn beyond(&self, before: &Self) -> Vec<Wrong> {
        let mut broken: Vec<Wrong> = Vec::new();
        for (at, faults) in &self.found {
            let known = before.found.get(at).into_iter().flatten();
            let without = At { activation: None, ..at.clone() };
            let without = self.found.get(&without).filter(|_| at.activation.is_some()).into_iter().flatten();
            let known: Vec<&Fault> = known.chain(without).collect();
            for fault in faults.iter().filter(|fault| !known.contains(fault)) {
                let detail = match &at.activation {
                    Some(id) => format!("given with `{id}`: {}", shown(fault)),
                    None => shown(fault),
                };
                let wrong = Wrong { activation: at.activation.clone(), ..Wrong::value(Some(&at.place), detail) };
                if !broken.contains(&wrong) {
                    broken.push(wrong);
                }
            }
        }
        broken
    }
}

/// What is wrong with values, but for those that are still to be given.
fn faults(base: &(impl Base + ?Sized), shelf: &Shelf, wanted: &Wanted<'_>) -> Result<Vec<Fault>, Error> {
    let gathered = acquired::gather(base, shelf, wanted)?;
    Ok(gathered.acquire(|values| values.faults().iter().filter(|fault| !fault.is_missing).cloned().collect()))
}

/// The places at one and below where something of values or subscriptions stands, the first of them, and whether these are
/// all.
fn places(base: &(impl Base + ?Sized), under: &Place) -> Result<(BTreeSet<Place>, bool), Error> {
    let mut found = BTreeSet::new();
    let Some(org) = under.organization() else { return Ok((found, true)) };
    let subscribed = subscriptions::all(base, org).map(|row| row.map(|(place, ..)| place));
    for place in values::places_of(base, org).chain(subscribed) {
        let place = place?;
        if under.covers(&place) && !found.contains(&place) {
            if found.len() >= MOST {
                return Ok((found, false));
            }
            found.insert(place);
        }
    }
    Ok((found, true))
}

/// A fault in words.
pub(crate) fn shown(fault: &Fault) -> String {
    let help = fault.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("`{}`: {}{help}", fault.parameter, fault.message)
}
