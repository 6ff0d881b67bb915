//! What services that are offered, and to which nobody subscribes where a value is given, have to do with it: nothing, if
//! something that is subscribed to has the parameter. Otherwise the value waits for one of them, and is refused where none
//! would take it.

use std::collections::{BTreeMap, BTreeSet};

use linesman_rules::suggest;
use linesman_rules::values::{Clause, Fault, Substitution, parse_substitution};
use linesman_schemas::audit::Verdict;
use linesman_schemas::{Place, ServiceName};

use super::held::{Change, Context, WHOLE, fixed_above, fresh_faults, gathered, told};
use super::{Answer, Wrong};
use crate::Error;
use crate::acquired::source_of;
use crate::faults::shown;
use crate::services::{Offer, Services};
use crate::state::State;
use crate::values::{self, Given, Whose};

/// The parameters of substitutions, which nothing that is subscribed to has, that wait for a service; or why one may not
/// stand. Those that no service has are not among them. Each service is acquired for once, whatever is given.
///
/// # Errors
/// The state cannot be read.
pub(super) fn waiting<'s>(
    state: &State,
    services: &Services,
    change: &Change<'_>,
    unknown: impl Iterator<Item = &'s Substitution>,
) -> Result<Result<BTreeSet<String>, Box<Answer>>, Error> {
    let unknown: Vec<_> = unknown.collect();
    let (mut taken, mut refused) = (BTreeSet::new(), BTreeMap::new());
    for (service, offer) in services.offers() {
        let names = names_of(state, services, change.place, (service, offer))?;
        let asked: Vec<_> = unknown.iter().filter(|said| names.contains(said.name.as_str())).collect();
        if asked.is_empty() {
            continue;
        }
        let context: Context = (Some((service.clone(), offer.version.clone())), None);
        let source = source_of(change.place, change.whose);
        let values = gathered(state, services, (change.place, None), &context, Some(change.new), change)?;
        let fixes: Vec<_> = values.acquire(|values| {
            let had = asked.into_iter().filter(|said| values.has(said.name.as_str()));
            let is_exact = services.shelf().is_at(WHOLE);
            let fix = |said: &Substitution| fixed_above(values, said, source, is_exact);
            had.map(|said| (said.name.as_str(), fix(said))).collect()
        });
        let fresh = match fixes.iter().any(|(_, fix)| fix.is_none()) {
            true => fresh_faults(state, services, (change.place, None), &context, change)?,
            false => Vec::new(),
        };
        for (name, fix) in fixes {
            match refusal(name, fix, &fresh) {
                Some(answer) => drop(refused.entry(name).or_insert(answer)),
                None => drop(taken.insert(name.to_owned())),
            }
        }
    }
    let names = unknown.iter().map(|said| said.name.as_str()).filter(|name| !taken.contains(*name));
    let refused: Vec<Answer> = names.filter_map(|name| refused.remove(name)).collect();
    // The first in words, all by themselves.
    Ok(refused.into_iter().reduce(Answer::with).map_or(Ok(taken), |answer| Err(Box::new(answer))))
}

/// Why a service would not take what is given of a parameter of its; none if it would.
fn refusal(name: &str, fix: Option<Wrong>, fresh: &[Fault]) -> Option<Answer> {
    if let Some(fix) = fix {
        return Some(Answer::refused(Verdict::Conflict, fix.detail.clone()).naming(vec![fix]));
    }
    let fresh: Vec<_> = fresh.iter().filter(|fault| fault.parameter == name).collect();
    if fresh.is_empty() {
        return None;
    }
    let wrong = fresh.iter().map(|fault| Wrong::of(&fault.parameter, shown(fault))).collect();
    Some(Answer::refused(Verdict::Invalid, told(fresh.iter().map(|fault| shown(fault)))).naming(wrong))
}

/// Why values may not refer to what they do: nothing has it of all that is `known` where they are given, and no service that
/// is offered. What a service of several does not have is no fault of a place's own names.
///
/// # Errors
/// The state cannot be read.
pub(super) fn unknown_reference(
    state: &State,
    services: &Services,
    change: &Change<'_>,
    said: &[Substitution],
    known: &BTreeSet<String>,
) -> Result<Option<Answer>, Error> {
    let references = said.iter().flat_map(|said| {
        let found = said.expression().into_iter().flat_map(|expression| expression.references());
        found.map(move |found| (said, found.name.as_str()))
    });
    let mut unknown = references.filter(|(_, name)| !known.contains(*name)).peekable();
    if unknown.peek().is_none() {
        return Ok(None);
    }
    let offered = names(state, services, change.place)?;
    let wrong = unknown.filter(|(_, name)| !offered.contains(*name)).map(|(said, name)| {
        let help = suggest(name, known.iter().map(String::as_str));
        let (of, expression) = (&said.name, said.expression().map(ToString::to_string).unwrap_or_default());
        let detail = format!(
            "`{of}`: `{expression}` of `{}`: there is no parameter `{name}` ({help}; a text stands in quotes: `\"{name}\"`)",
            change.place
        );
        Wrong::of(of, detail)
    });
    Ok(Answer::invalid(wrong.collect()))
}

/// The names of parameters that services have which are offered, as they are defined and as they are localized for the
/// enterprise of a place.
///
/// # Errors
/// The state cannot be read.
pub(super) fn names(state: &State, services: &Services, place: &Place) -> Result<BTreeSet<String>, Error> {
    let mut names = BTreeSet::new();
    for offered in services.offers() {
        names.extend(names_of(state, services, place, offered)?);
    }
    Ok(names)
}

/// The same, after a change.
///
/// # Errors
/// The state cannot be read.
pub(super) fn names_after(
    state: &State,
    services: &Services,
    place: &Place,
    change: &Change<'_>,
) -> Result<BTreeSet<String>, Error> {
    let mut names = BTreeSet::new();
    for offered in services.offers() {
        match change.whose {
            Whose::Localized(service) if service == offered.0 && services.shelf().is_at(WHOLE) => {
                names.extend(defined(state, services, offered)?);
                names.extend(declared(change.new));
            }
            _ => names.extend(names_of(state, services, place, offered)?),
        }
    }
    Ok(names)
}

/// The same of one service.
fn names_of(
    state: &State,
    services: &Services,
    place: &Place,
    offered: (&ServiceName, &Offer),
) -> Result<BTreeSet<String>, Error> {
    let mut names = defined(state, services, offered)?;
    names.extend(localized(state, place, offered.0)?);
    Ok(names)
}

/// The names that a service is defined with.
fn defined(
    state: &State,
    services: &Services,
    (name, offer): (&ServiceName, &Offer),
) -> Result<BTreeSet<String>, Error> {
    let globals = services.shelf().globals(state)?;
    let service = services.shelf().service(state, name, &offer.version, &globals)?;
    let parameters = service.iter().flat_map(|service| service.definition.parameters.parameters());
    Ok(parameters.map(|parameter| parameter.name.to_string()).collect())
}

/// The names that a service has besides, as it is localized for the enterprise of a place.
///
/// # Errors
/// The state cannot be read.
pub(super) fn localized(state: &State, place: &Place, service: &ServiceName) -> Result<Vec<String>, Error> {
    let Some(org) = place.organization() else { return Ok(Vec::new()) };
    let given = values::read(state, &Place::Organization(org.clone()), Whose::Localized(service))?;
    Ok(declared(&given).collect())
}

/// The names that substitutions declare.
fn declared(given: &[Given]) -> impl Iterator<Item = String> {
    let said = given.iter().filter_map(|given| parse_substitution(&given.text).ok());
    let declared = said.filter(|said| !said.types.is_empty() || matches!(said.clause, Clause::Declare));
    declared.map(|said| said.name.to_string())
}
