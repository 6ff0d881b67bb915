//! Values that stand already where a service is subscribed to: they were held against what was subscribed to when they were
//! given, and are held against this one when it comes.

use std::collections::BTreeSet;

use linesman_rules::values::{Fault, Source};
use linesman_schemas::audit::Verdict;
use linesman_schemas::{Place, ServiceName, SubscriptionName};

use super::below::places_below;
use super::held::{NAMED_MOST, told};
use super::{Answer, Wrong};
use crate::Error;
use crate::acquired::{self, Wanted};
use crate::faults::shown;
use crate::hidden::Reader;
use crate::services::Services;
use crate::state::State;
use crate::subscriptions;

/// From which engine level on values are held against what is subscribed to, and not against whatever is offered besides.
pub(super) const LEVEL: u32 = 9;

/// From which engine level on that is told by sources: before, a place that has the name of one was taken for it.
const BY_SOURCES: u32 = 10;

/// What became of holding them.
pub(super) enum Standing {
    /// They do not fit.
    Refused(Box<Answer>),
    /// They fit; `is_all`: all of them.
    Fits {
        /// Whether all were looked at.
        is_all: bool,
    },
}

/// Holds what stands at a place, above it and below it against a service that is to be subscribed to there.
///
/// # Errors
/// The state cannot be read.
pub(super) fn standing(
    state: &State,
    services: &Services,
    (place, name): (&Place, &SubscriptionName),
    (service, version): (&ServiceName, &str),
    reader: Reader<'_>,
) -> Result<Standing, Error> {
    let is_subscribed = |place: &Place| -> Result<bool, Error> {
        let seen = subscriptions::all_seen(state, place)?;
        Ok(seen.values().any(|row| row.service == *service && row.version == version))
    };
    let mut wrong = Vec::new();
    let (below, mut is_all) = places_below(state, place)?;
    for at in [place.clone()].into_iter().chain(below) {
        if wrong.len() > NAMED_MOST {
            is_all = false;
            break;
        }
        // What is subscribed to under this name further below takes its place there.
        let is_replaced =
            subscriptions::seen(state, &at, name)?.is_some_and(|(made, _)| made != *place && place.covers(&made));
        if is_replaced || is_subscribed(&at)? {
            continue;
        }
        let wanted = Wanted {
            place: &at,
            service: Some((service, version)),
            subscription: None,
            activation: None,
            instead: None,
        };
        let gathered = acquired::gather(state, services.shelf(), &wanted)?;
        let Some(known) = &gathered.service else { continue };
        gathered.acquire(|values| {
            let veil = reader.veil(&known.definition, values);
            let is_given = |fault: &&Fault| match services.shelf().is_at(BY_SOURCES) {
                true => fault.is_of_given(),
                false => fault.places.iter().any(|place| place.parse::<Source>().is_err()),
            };
            let faults = values.faults().iter().filter(|fault| !fault.is_missing).filter(is_given);
            for fault in faults.map(|fault| veil.fault(fault)) {
                let found = Wrong::value(Some(&at).filter(|at| *at != place), shown(&fault));
                // What stands above is wrong for each place below alike.
                if !wrong.iter().any(|known: &Wrong| known.detail == found.detail) {
                    wrong.push(found);
                }
            }
        });
    }
    if wrong.is_empty() {
        return Ok(Standing::Fits { is_all });
    }
    let told = told(wrong.iter().map(Wrong::told));
    let detail = format!("`{service}` does not take what stands at `{place}`, above or below it: {told}");
    Ok(Standing::Refused(Box::new(Answer::refused(Verdict::Conflict, detail).naming(wrong).cut(!is_all))))
}

/// The versions of services that are subscribed to below a place, each once.
///
/// # Errors
/// The state cannot be read.
pub(super) fn subscribed_below(state: &State, place: &Place) -> Result<BTreeSet<(ServiceName, String)>, Error> {
    let mut found = BTreeSet::new();
    let Some(org) = place.organization() else { return Ok(found) };
    for row in subscriptions::all(state, org) {
        let (at, _, row) = row?;
        if at != *place && place.covers(&at) {
            found.insert((row.service, row.version));
        }
    }
    Ok(found)
}
