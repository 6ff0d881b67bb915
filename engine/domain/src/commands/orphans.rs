//! What is given of a name stands on what declares that name: a declaration does not go while something below is given
//! of it.

use std::collections::{BTreeMap, BTreeSet};

use linesman_rules::excerpt;
use linesman_rules::values::{Clause, parse_substitution};
use linesman_schemas::Place;

use super::below::places_below;
use super::held::{Change, NAMED_MOST, WHOLE, contexts, gathered};
use super::{Wrong, offered, standing};
use crate::Error;
use crate::services::Services;
use crate::state::State;
use crate::subscriptions;
use crate::values::{self, Given, Whose};

/// What is given below of names that are no longer declared after a change: the first `most` and some more, and whether all
/// was looked at.
pub(super) fn orphans(
    state: &State,
    services: &Services,
    change: &Change<'_>,
    most: usize,
) -> Result<(Vec<Wrong>, bool), Error> {
    let lost = lost(change);
    let mut orphans = Vec::new();
    if lost.is_empty() {
        return Ok((orphans, true));
    }
    let (mut places, is_all) = places_below(state, change.place)?;
    // The enterprise stands below the service as it is localized for it.
    if matches!(change.whose, Whose::Localized(_)) && services.shelf().is_at(WHOLE) {
        places.insert(change.place.clone());
    }
    for place in places {
        if orphans.len() > most {
            return Ok((orphans, false));
        }
        // Where something is subscribed what refers to it is a fault of its own; but none, where it may be of another service.
        let is_subscribed = !subscriptions::all_seen(state, &place)?.is_empty();
        for given in values::read(state, &place, Whose::Own)? {
            let Ok(said) = parse_substitution(&given.text) else { continue };
            let own = Some(said.name.as_str()).filter(|_| declares(&given).is_none());
            let is_told = !is_subscribed || (own.is_none() && services.shelf().is_at(standing::LEVEL));
            let referred = said.expression().filter(|_| is_told).map(|said| said.references());
            let referred = referred.into_iter().flatten().map(|found| found.name.as_str());
            for name in own.into_iter().chain(referred).filter(|name| lost.contains(*name)) {
                if !knows(state, services, &place, name, change)? {
                    let detail = format!("`{}` is given, and there would be no parameter `{name}`", given.text);
                    orphans.push(Wrong::value(Some(&place), detail));
                }
            }
        }
    }
    Ok((orphans, is_all))
}

/// The names that are no longer declared after a change.
fn lost(change: &Change<'_>) -> BTreeSet<String> {
    let mut lost: BTreeSet<String> = change.old.iter().filter_map(declares).collect();
    for still in change.new.iter().filter_map(declares) {
        lost.remove(&still);
    }
    lost
}

/// The name that a substitution declares.
fn declares(given: &Given) -> Option<String> {
    let said = parse_substitution(&given.text).ok()?;
    let declares = !said.types.is_empty() || matches!(said.clause, Clause::Declare);
    declares.then(|| said.name.to_string())
}

/// What would still be given beside a declaration that goes, and refers to its name; with it what is given of that below.
///
/// # Errors
/// The state cannot be read.
pub(super) fn referring(state: &State, services: &Services, change: &Change<'_>) -> Result<Vec<Wrong>, Error> {
    let lost = lost(change);
    let mut referring = Vec::new();
    // Whether it is known goes by the name alone, and costs all that counts at the place.
    let mut known = BTreeMap::new();
    for given in change.new.iter().filter(|_| !lost.is_empty()) {
        let Ok(said) = parse_substitution(&given.text) else { continue };
        let references = said.expression().into_iter().flat_map(|expression| expression.references());
        let names: BTreeSet<&str> = references.map(|found| found.name.as_str()).collect();
        for name in names.into_iter().filter_map(|name| lost.get(name)) {
            if referring.len() > NAMED_MOST {
                return Ok(referring);
            }
            let is_known = match known.get(name) {
                Some(is_known) => *is_known,
                None => knows(state, services, change.place, name, change)?,
            };
            known.insert(name, is_known);
            if !is_known {
                let (text, place) = (excerpt(&given.text), change.place);
                let detail = format!("`{text}` of `{place}` refers to `{name}`, which would be no parameter any more");
                referring.push(Wrong::of(&said.name, detail));
            }
        }
    }
    if !referring.is_empty() {
        referring.extend(orphans(state, services, change, NAMED_MOST)?.0);
    }
    Ok(referring)
}

/// Whether a name would be known to what a place has of its own.
fn knows(state: &State, services: &Services, place: &Place, name: &str, change: &Change<'_>) -> Result<bool, Error> {
    for context in contexts(state, services, place, Some(Whose::Own), &BTreeSet::from([name]))? {
        let values = gathered(state, services, (place, None), &context, Some(change.new), change)?;
        if values.acquire(|values| values.has(name)) {
            return Ok(true);
        }
    }
    // What a service has that nobody has subscribed to waits for that.
    Ok(services.shelf().is_at(standing::LEVEL) && offered::names_after(state, services, place, change)?.contains(name))
}
