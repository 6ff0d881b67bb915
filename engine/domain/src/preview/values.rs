//! Which values would change: at the place that a command is about, and at the access lines that it affects.

use std::collections::{BTreeMap, BTreeSet};

use linesman_rules::values::{Acquired, Acquisition, Veil};
use linesman_schemas::command::{Activation, Subscription};
use linesman_schemas::{Place, PlacePath, ServiceName, SubscriptionName};
use serde_json::Value;

use super::Sight;
use crate::acquired::{self, Wanted};
use crate::shelf::Shelf;
use crate::state::{Base, State};
use crate::values::Given;
use crate::{Error, places, services, subscriptions};

/// How many changes are told.
const CHANGES_MOST: usize = 200;

/// A value that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueChange {
    /// Where.
    pub place: Place,
    /// For which service.
    pub service: ServiceName,
    /// Through which subscription; none: for whoever subscribes.
    pub subscription: Option<SubscriptionName>,
    /// The parameter.
    pub parameter: String,
    /// How it stands; none: it is not there.
    pub before: Option<Standing>,
    /// How it would stand; none: it would not be there.
    pub after: Option<Standing>,
}

/// How a parameter stands at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// `free`, `defaulted` or `fixed`.
    pub status: &'static str,
    /// Its value in canonical text, or a list of such; none where there is none.
    pub value: Option<Value>,
    /// Whether its value is kept from whoever asks, because it comes of what is fixed above and hidden.
    pub is_hidden: bool,
    /// Whether the place itself tells it.
    is_read_only: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) changes: Vec<ValueChange>,
    pub(super) more: u64,
    pub(super) is_complete: bool,
}

/// Values that are given with an activation, and count for it alone.
pub(super) struct GivenWith {
    place: Place,
    name: SubscriptionName,
    given: Vec<Given>,
}

/// The values that are given with an activation, if anything is activated.
pub(super) fn given_with(verb: &Subscription) -> Option<GivenWith> {
    let Subscription::Activate(Activation { place, name, substitutions, .. }) = verb else { return None };
    let given = |text: &String| Given { text: text.clone(), by: String::new(), at: jiff::Timestamp::UNIX_EPOCH };
    let given = substitutions.iter().map(given).collect();
    Some(GivenWith { place: place.clone(), name: name.clone(), given })
}

/// For what values count at a place: a version of a service, and the subscription that it is seen through.
type Contexts = BTreeMap<(ServiceName, Option<SubscriptionName>), String>;
type Standings = BTreeMap<String, Standing>;

/// Which values would change at a place and at lines.
pub(super) fn found(
    state: &State,
    (place, lines): (Option<Place>, impl Iterator<Item = PlacePath>),
    given: Option<&GivenWith>,
    sight: &Sight<'_>,
    goes_on: &dyn Fn() -> bool,
) -> Result<Found, Error> {
    let mut found = Found { is_complete: true, ..Found::default() };
    let shelf = Shelf::default();
    let lines = lines.map(Place::Below).filter(|line| Some(line) != place.as_ref());
    let places = place.iter().cloned().map(|place| (place, true)).chain(lines.map(|line| (line, false)));
    for (place, is_it) in places {
        if !goes_on() {
            found.is_complete = false;
            break;
        }
        let before = contexts(state.base(), &place, is_it)?;
        let after = contexts(state, &place, is_it)?;
        let all: BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
        for (service, subscription) in all {
            let context = (service, subscription);
            let given = given.filter(|given| context.1.as_ref() == Some(&given.name) && given.place.covers(&place));
            let given = given.map(|given| (&given.place, &given.given[..]));
            let standings = |base: &dyn Base, version: Option<&String>, given: Option<(&Place, &[Given])>| {
                let Some(version) = version else { return Ok(Standings::new()) };
                let (service, subscription) = &context;
                let wanted = Wanted {
                    place: &place,
                    service: Some((service, version)),
                    subscription: subscription.as_ref(),
                    activation: given,
                    instead: None,
                };
                let gathered = acquired::gather(base, &shelf, &wanted)?;
                Ok::<_, Error>(gathered.acquire(|values| {
                    let service = gathered.service.as_ref();
                    let veil = service.map(|service| sight.reader.veil(&service.definition, values));
                    shown(values, &veil.unwrap_or_default())
                }))
            };
            let was = standings(state.base(), before.get(&context), None)?;
            let is = standings(state, after.get(&context), given)?;
            found.compare(&place, &context, &was, &is);
        }
    }
    Ok(found)
}

/// For what values count at a place: for all subscriptions that are seen there, and with `is_it` for services that nobody
/// there is subscribed to.
fn contexts(base: &dyn Base, place: &Place, is_it: bool) -> Result<Contexts, Error> {
    if !places::is_there(base, place)? {
        return Ok(Contexts::new());
    }
    let seen = subscriptions::all_seen(base, place)?.into_iter();
    let mut contexts: Contexts = seen.map(|(name, row)| ((row.service, Some(name)), row.version)).collect();
    if is_it {
        let subscribed: BTreeSet<ServiceName> = contexts.keys().map(|(service, _)| service.clone()).collect();
        for row in services::all(base) {
            let (name, newest) = row?;
            if !subscribed.contains(&name) {
                contexts.insert((name, None), newest.version);
            }
        }
    }
    Ok(contexts)
}

/// How parameters stand at a place, as far as whoever asks is shown it.
fn shown(values: &Acquisition<'_>, veil: &Veil) -> Standings {
    let parameters = values.parameters().into_iter().filter(|parameter| !veil.hides(parameter.name().as_str()));
    let standing = |parameter: Acquired<'_, '_>| {
        let is_hidden = veil.covers(parameter.name().as_str());
        let value = parameter.value().filter(|_| !is_hidden).map(|value| value.to_json());
        let (status, is_read_only) = (parameter.status().as_str(), parameter.is_read_only());
        (parameter.name().to_string(), Standing { status, value, is_hidden, is_read_only })
    };
    parameters.map(standing).collect()
}

impl Found {
    fn compare(
        &mut self,
        place: &Place,
        (service, subscription): &(ServiceName, Option<SubscriptionName>),
        was: &Standings,
        is: &Standings,
    ) {
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        for name in names {
            let (before, after) = (was.get(name), is.get(name));
            // What the place tells of itself is no news where a subscription comes or goes, or where there is none.
            let is_told = |standing: Option<&Standing>| standing.is_some_and(|standing| standing.is_read_only);
            let comes_or_goes = before.is_none() || after.is_none() || subscription.is_none();
            if before == after || (comes_or_goes && (is_told(before) || is_told(after))) {
                continue;
            }
            if self.changes.len() >= CHANGES_MOST {
                self.more += 1;
                continue;
            }
            self.changes.push(ValueChange {
                place: place.clone(),
                service: service.clone(),
                subscription: subscription.clone(),
                parameter: name.clone(),
                before: before.cloned(),
                after: after.cloned(),
            });
        }
    }
}
