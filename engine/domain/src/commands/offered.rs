//! What services that are offered, and to which nobody subscribes where a value is given, have to do with it: nothing, if
//! something that is subscribed to has the parameter. Otherwise the value waits for one of them, and is refused where none
//! would take it.

use std::collections::BTreeSet;

use linesman_rules::suggest;
use linesman_rules::values::{Clause, Substitution, parse_substitution};
use linesman_schemas::audit::Verdict;
use linesman_schemas::{Place, ServiceName};

use super::held::{Change, Context, fresh_faults, gathered, told};
use super::{Answer, Wrong};
use crate::Error;
use crate::acquired::source_of;
use crate::faults::shown;
use crate::services::Services;
use crate::state::State;
use crate::values::{self, Whose};

/// What becomes of a substitution of a parameter that nothing which is subscribed to has.
enum Waits {
    /// One of the services takes it.
    Taken,
    /// None of those that have the parameter does; why not the first.
    Refused(Box<Answer>),
    /// None has it.
    Unknown,
}

/// The parameters of substitutions, which nothing that is subscribed to has, that wait for a service; or why one may not
/// stand. Those that no service has are not among them.
///
/// # Errors
/// The state cannot be read.
pub(super) fn waiting<'s>(
    state: &State,
    services: &Services,
    change: &Change<'_>,
    unknown: impl Iterator<Item = &'s Substitution>,
) -> Result<Result<BTreeSet<String>, Box<Answer>>, Error> {
    let mut waiting = BTreeSet::new();
    for said in unknown {
        match waits(state, services, change, said)? {
            Waits::Taken => waiting.extend([said.name.to_string()]),
            Waits::Refused(answer) => return Ok(Err(answer)),
            Waits::Unknown => {}
        }
    }
    Ok(Ok(waiting))
}

/// Whether a service that is offered would take a substitution.
fn waits(state: &State, services: &Services, change: &Change<'_>, said: &Substitution) -> Result<Waits, Error> {
    let (name, is_narrowing) = (said.name.as_str(), matches!(said.clause, Clause::Within(_)));
    let source = source_of(change.place, change.whose);
    let mut refused = None;
    for (service, offer) in services.offers() {
        let context: Context = (Some((service.clone(), offer.version.clone())), None);
        let values = gathered(state, services, (change.place, None), &context, Some(change.new), change)?;
        let (has, fix) = values.acquire(|values| {
            let fix = values.blocked_by(name, source, is_narrowing).map(|at| at.to_string());
            (values.has(name), fix)
        });
        if !has {
            continue;
        }
        let answer = match fix {
            Some(at) => {
                let detail = format!("`{name}` is fixed by {at}, and nobody below substitutes it");
                Answer::refused(Verdict::Conflict, detail)
            }
            None => {
                let mut fresh = fresh_faults(state, services, (change.place, None), &context, change)?;
                fresh.retain(|fault| fault.parameter == name);
                if fresh.is_empty() {
                    return Ok(Waits::Taken);
                }
                let wrong = fresh.iter().map(|fault| Wrong::value(None, shown(fault))).collect();
                Answer::refused(Verdict::Invalid, told(fresh.iter().map(shown))).naming(wrong)
            }
        };
        refused.get_or_insert(answer);
    }
    Ok(refused.map_or(Waits::Unknown, |answer| Waits::Refused(Box::new(answer))))
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
    for said in said {
        for found in said.expression().into_iter().flat_map(|expression| expression.references()) {
            let name = found.name.as_str();
            if known.contains(name) || names(state, services, change.place)?.contains(name) {
                continue;
            }
            let help = suggest(name, known.iter().map(String::as_str));
            let (of, expression) = (&said.name, said.expression().map(ToString::to_string).unwrap_or_default());
            let detail = format!(
                "`{of}`: `{expression}` of `{}`: there is no parameter `{name}` ({help}; a text stands in quotes: `\"{name}\"`)",
                change.place
            );
            return Ok(Some(Answer::refused(Verdict::Invalid, detail)));
        }
    }
    Ok(None)
}

/// The names of parameters that services have which are offered, as they are defined and as they are localized for the
/// enterprise of a place.
///
/// # Errors
/// The state cannot be read.
pub(super) fn names(state: &State, services: &Services, place: &Place) -> Result<BTreeSet<String>, Error> {
    let mut names = BTreeSet::new();
    let globals = services.shelf().globals(state)?;
    for (name, offer) in services.offers() {
        if let Some(service) = services.shelf().service(state, name, &offer.version, &globals)? {
            let parameters = service.definition.parameters.parameters();
            names.extend(parameters.iter().map(|parameter| parameter.name.to_string()));
        }
        names.extend(localized(state, place, name)?);
    }
    Ok(names)
}

/// The names that a service has besides, as it is localized for the enterprise of a place.
///
/// # Errors
/// The state cannot be read.
pub(super) fn localized(state: &State, place: &Place, service: &ServiceName) -> Result<Vec<String>, Error> {
    let Some(org) = place.organization() else { return Ok(Vec::new()) };
    let given = values::read(state, &Place::Organization(org.clone()), Whose::Localized(service))?;
    let said = given.iter().filter_map(|given| parse_substitution(&given.text).ok());
    let declared = said.filter(|said| !said.types.is_empty() || matches!(said.clause, Clause::Declare));
    Ok(declared.map(|said| said.name.to_string()).collect())
}
