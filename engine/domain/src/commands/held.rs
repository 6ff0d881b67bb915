//! Whether values may stand where somebody gives them: held against what is declared, fixed and narrowed above, and
//! against what stands below.
//!
//! A change is refused for what it would break, not for what was broken before. That a value is still to be given is no
//! reason: it is told when the service is activated.

use std::collections::BTreeSet;

use linesman_rules::suggest;
use linesman_rules::values::{
    Acquisition, Clause, Fault, Name, RUNTIME_NAMES, Source, Substitution, parse_substitution,
};
use linesman_schemas::audit::Verdict;
use linesman_schemas::{Place, ServiceName, SubscriptionName};

use super::below::Below;
use super::orphans::referring;
use super::{Answer, Wrong, offered, standing};
use crate::Error;
use crate::acquired::{self, Instead, Wanted, source_of};
use crate::faults::shown;
use crate::hidden::Reader;
use crate::services::Services;
use crate::state::State;
use crate::subscriptions::{self, SubscriptionRow};
use crate::values::{Given, Whose};

/// How many access lines without values of their own are looked at, where what is admitted comes of what each tells.
const LINES_MOST: usize = 200;
/// From which engine level on these are looked at, and what is given of names that are declared no longer; and the names of
/// what places tell are not declared.
pub(super) const LEVEL: u32 = 6;
/// From which engine level on a refusal tells all that is wrong with what is given, whatever else is wrong with it.
pub(super) const WHOLE: u32 = 10;
/// How many faults a refusal names.
pub(super) const NAMED_MOST: usize = 20;

/// Values that are to stand in the place of others.
pub(super) struct Change<'a> {
    pub(super) place: &'a Place,
    pub(super) whose: Whose<'a>,
    pub(super) old: &'a [Given],
    pub(super) new: &'a [Given],
    /// Who is told why they may not stand.
    pub(super) reader: Reader<'a>,
}

/// Whether values may stand.
pub(super) enum Held {
    /// They may not.
    Refused(Box<Answer>),
    /// They may.
    Taken {
        /// Whether all that they affect was looked at.
        is_all: bool,
        /// The parameters among them that nothing which is subscribed to has: they wait for something that does.
        waiting: BTreeSet<String>,
    },
}

/// For what values count somewhere: a version of a service, and the subscription that it is seen through.
pub(super) type Context = (Option<(ServiceName, String)>, Option<SubscriptionName>);
/// A place, and where something was activated that reaches it, with what is given with that.
pub(super) type At<'a> = (&'a Place, Option<(&'a Place, &'a [Given])>);

/// Whether values may stand.
pub(super) fn held(state: &State, services: &Services, change: &Change<'_>) -> Result<Held, Error> {
    let refused = |answer: Answer| Ok(Held::Refused(Box::new(answer)));
    let is_whole = services.shelf().is_at(WHOLE);
    let said = read(change);
    let mut wrong = Vec::new();
    if services.shelf().is_at(LEVEL)
        && let Some(answer) = told_by_place(&said)
    {
        if !is_whole {
            return refused(answer);
        }
        wrong.extend(answer.into_wrong());
    }
    let names: BTreeSet<&str> = said.iter().map(|said| said.name.as_str()).collect();
    let contexts = contexts(state, services, change.place, Some(change.whose), &names)?;
    let source = source_of(change.place, change.whose);
    let (mut known, mut all_names, mut is_of_place) = (BTreeSet::new(), BTreeSet::new(), false);
    let mut blocked = Vec::new();
    for context in &contexts {
        let new = gathered(state, services, (change.place, None), context, Some(change.new), change)?;
        let found: Vec<Wrong> = new.acquire(|values| {
            known.extend(names.iter().copied().filter(|name| values.has(name)));
            is_of_place |= names.iter().any(|name| values.is_of_place(name));
            all_names.extend(known_to(values));
            said.iter().filter_map(|said| fixed_above(values, said, source, is_whole)).collect()
        });
        if let Some(first) = found.first().filter(|_| !is_whole) {
            return refused(Answer::refused(Verdict::Conflict, first.detail.clone()));
        }
        add_new(&mut blocked, found);
    }
    let is_by_subscription = services.shelf().is_at(standing::LEVEL) && matches!(change.whose, Whose::Own);
    let unknown = said.iter().filter(|said| !known.contains(said.name.as_str()));
    let waiting = match offered::waiting(state, services, change, unknown.filter(|_| is_by_subscription))? {
        Ok(waiting) => waiting,
        Err(answer) if !is_whole => return Ok(Held::Refused(answer)),
        Err(answer) => {
            let (verdict, _, refused, _) = answer.into_parts();
            // No service would take them, so they are no unknown ones.
            known.extend(names.iter().copied().filter(|name| refused.iter().any(|wrong| wrong.is_of(name))));
            add_new(if verdict == Verdict::Conflict { &mut blocked } else { &mut wrong }, refused);
            BTreeSet::new()
        }
    };
    let is_unknown = |said: &&Substitution| {
        let name = said.name.as_str();
        !known.contains(name) && !waiting.contains(name)
    };
    let unknown: Vec<_> = said.iter().filter(is_unknown).collect();
    if !unknown.is_empty() && is_by_subscription {
        all_names.extend(offered::names(state, services, change.place)?);
    }
    let unknown = unknown.into_iter().map(|Substitution { name, .. }| match all_names.is_empty() {
        true => Wrong::of(name, format!("there is no parameter `{name}`; declare it: `{name}:any=`")),
        false => unknown_of(name, &all_names),
    });
    let unknown = unknown.collect();
    if is_whole {
        add_new(&mut wrong, unknown);
        wrong.extend(referring(state, services, change)?);
    } else if let Some(answer) = Answer::invalid(unknown) {
        return refused(answer);
    }
    let Fresh { words, wrong: fresh } = fresh_of_all(state, services, &contexts, change)?;
    if let Some(words) = words.filter(|_| !is_whole) {
        return refused(Answer::refused(Verdict::Invalid, words).naming(fresh));
    }
    // What is wrong with a name already is not told again of what it gives.
    let is_told = |fresh: &Wrong| wrong.iter().chain(&blocked).any(|known| known.is_of_that_of(fresh));
    let fresh = fresh.into_iter().filter(|fresh| !is_told(fresh)).collect();
    add_new(&mut wrong, fresh);
    if is_by_subscription && let Some(answer) = offered::unknown_reference(state, services, change, &said, &all_names)?
    {
        if !is_whole {
            return refused(answer);
        }
        add_new(&mut wrong, answer.into_wrong());
    }
    if let Some(answer) = Answer::of_all(wrong, blocked) {
        return refused(answer);
    }
    let lines = if services.shelf().is_at(LEVEL) && is_of_place { LINES_MOST } else { 0 };
    Ok(Below::of(state, services, change, &names, lines)?.held(waiting))
}

/// What is wrong at a place after a change and was not before, for all that it counts for.
struct Fresh {
    /// The first of it in words; none where nothing is.
    words: Option<String>,
    wrong: Vec<Wrong>,
}

fn fresh_of_all(state: &State, services: &Services, contexts: &[Context], change: &Change<'_>) -> Result<Fresh, Error> {
    let mut found = Fresh { words: None, wrong: Vec::new() };
    for context in contexts {
        let fresh = fresh_faults(state, services, (change.place, None), context, change)?;
        if found.words.is_none() && !fresh.is_empty() {
            found.words = Some(told(fresh.iter().map(shown)));
        }
        add_new(&mut found.wrong, fresh.iter().map(|fault| Wrong::of(&fault.parameter, shown(fault))).collect());
    }
    Ok(found)
}

/// Adds what is not there already.
fn add_new(wrong: &mut Vec<Wrong>, more: Vec<Wrong>) {
    for found in more {
        if !wrong.contains(&found) {
            wrong.push(found);
        }
    }
}

/// That a more general source has fixed what is said of a parameter, its value or what narrows it.
pub(super) fn fixed_above(
    values: &Acquisition<'_>,
    said: &Substitution,
    source: Source,
    is_exact: bool,
) -> Option<Wrong> {
    let name = &said.name;
    let is_narrowing = matches!(said.clause, Clause::Within(_));
    let at = values.blocked_by(name.as_str(), source, is_narrowing)?;
    let is_of_constraint = is_exact && is_narrowing && values.blocked_by(name.as_str(), source, false).is_none();
    let detail = match is_of_constraint {
        true => format!("what narrows `{name}` is fixed by {at}, and nobody below narrows it further"),
        false => format!("`{name}` is fixed by {at}, and nobody below substitutes it"),
    };
    Some(Wrong::of(name, detail))
}

/// Why a name may not be declared: the place tells what is of that name, so that nobody would be told the declared one.
fn told_by_place(said: &[Substitution]) -> Option<Answer> {
    let is_declared = |said: &&Substitution| matches!(said.clause, Clause::Declare) && !said.is_fixed;
    let said = said.iter().filter(is_declared).filter(|said| RUNTIME_NAMES.contains(&said.name.as_str()));
    let wrong = said.map(|said| {
        let name = &said.name;
        Wrong::of(name, format!("`{name}` is told by the place itself, and nobody declares it; choose another name"))
    });
    Answer::invalid(wrong.collect())
}

/// Why values may not be given with an activation of a subscription at a place; none where they may.
pub(super) fn refusal_of_activation(
    state: &State,
    services: &Services,
    place: &Place,
    (name, row): (&SubscriptionName, &SubscriptionRow),
    (given, reader): (&[Given], Reader<'_>),
) -> Result<Option<Answer>, Error> {
    let wanted = Wanted {
        place,
        service: Some((&row.service, &row.version)),
        subscription: Some(name),
        activation: Some((place, given)),
        instead: None,
    };
    let gathered = acquired::gather(state, services.shelf(), &wanted)?;
    let Some(service) = &gathered.service else {
        let detail = format!("the version `{}` of the service `{}` cannot be used", row.version, row.service);
        return Ok(Some(Answer::refused(Verdict::Conflict, detail)));
    };
    if services.shelf().is_at(LEVEL) {
        let said: Vec<_> = given.iter().filter_map(|given| parse_substitution(&given.text).ok()).collect();
        if let Some(refused) = told_by_place(&said) {
            return Ok(Some(refused));
        }
    }
    let before = acquired::gather(state, services.shelf(), &Wanted { activation: None, ..wanted })?;
    let before = before.acquire(|values| values.faults().to_vec());
    let is_whole = services.shelf().is_at(WHOLE);
    Ok(gathered.acquire(|values| {
        let said = given.iter().filter_map(|given| parse_substitution(&given.text).ok());
        let (mut unknown, mut blocked) = (Vec::new(), Vec::new());
        for said in said {
            if !values.has(said.name.as_str()) {
                unknown.push(unknown_of(&said.name, &known_to(values)));
            } else if let Some(wrong) = fixed_above(values, &said, Source::Activation, is_whole) {
                if !is_whole && unknown.is_empty() {
                    return Some(Answer::refused(Verdict::Conflict, wrong.detail));
                }
                blocked.push(wrong);
            }
        }
        if !is_whole && let Some(answer) = Answer::invalid(std::mem::take(&mut unknown)) {
            return Some(answer);
        }
        let fresh = values.faults().iter().filter(|fault| !fault.is_missing && !before.contains(fault));
        let veil = reader.veil(&service.definition, values);
        let fresh = fresh.map(|fault| Wrong::of(&fault.parameter, shown(&veil.fault(fault))));
        let is_told = |fresh: &Wrong| unknown.iter().chain(&blocked).any(|known| known.is_of_that_of(fresh));
        let fresh = fresh.filter(|fresh| !is_told(fresh)).collect();
        add_new(&mut unknown, fresh);
        Answer::of_all(unknown, blocked)
    }))
}

/// The names of parameters that there are.
fn known_to(values: &Acquisition<'_>) -> BTreeSet<String> {
    values.parameters().iter().map(|parameter| parameter.name().to_string()).collect()
}

/// That there is no parameter of a name, of those there are.
fn unknown_of(name: &Name, known: &BTreeSet<String>) -> Wrong {
    let help = suggest(name.as_str(), known.iter().map(String::as_str));
    Wrong::of(name, format!("there is no parameter `{name}`; {help}"))
}

/// What is given anew, read.
fn read(change: &Change<'_>) -> Vec<Substitution> {
    let is_new = |given: &&Given| !change.old.iter().any(|old| old.text == given.text);
    change.new.iter().filter(is_new).filter_map(|given| parse_substitution(&given.text).ok()).collect()
}

/// For what values at a place count: for every subscription that is seen there, and for services that have one of the
/// names and are subscribed to below it, or at earlier levels offered at all; of values of one subscription or one service
/// for those alone.
pub(super) fn contexts(
    state: &State,
    services: &Services,
    place: &Place,
    whose: Option<Whose<'_>>,
    names: &BTreeSet<&str>,
) -> Result<Vec<Context>, Error> {
    let mut contexts: Vec<Context> = Vec::new();
    for (name, row) in subscriptions::all_seen(state, place)? {
        let counts = match whose {
            Some(Whose::Subscription(wanted)) => *wanted == name,
            Some(Whose::Localized(wanted)) => *wanted == row.service,
            Some(Whose::Own) | None => true,
        };
        if counts {
            contexts.push((Some((row.service, row.version)), Some(name)));
        }
    }
    if matches!(whose, Some(Whose::Subscription(_)) | None) {
        return Ok(contexts);
    }
    let globals = services.shelf().globals(state)?;
    if services.shelf().is_at(standing::LEVEL) && matches!(whose, Some(Whose::Own)) {
        for (name, version) in standing::subscribed_below(state, place)? {
            let service = services.shelf().service(state, &name, &version, &globals)?;
            let declares =
                |name: &&str| service.as_ref().is_some_and(|known| known.definition.parameters.get(name).is_some());
            let has = names.iter().any(declares)
                || offered::localized(state, place, &name)?.iter().any(|own| names.contains(own.as_str()));
            if has {
                contexts.push((Some((name, version)), None));
            }
        }
        contexts.push((None, None));
        return Ok(contexts);
    }
    for (name, offer) in services.offers() {
        let is_wanted = match whose {
            Some(Whose::Localized(wanted)) => wanted == name,
            _ => {
                let service = services.shelf().service(state, name, &offer.version, &globals)?;
                let declares = |name: &&str| {
                    service.as_ref().is_some_and(|service| service.definition.parameters.get(name).is_some())
                };
                names.iter().any(declares)
            }
        };
        if is_wanted {
            contexts.push((Some((name.clone(), offer.version.clone())), None));
        }
    }
    if matches!(whose, Some(Whose::Own)) {
        contexts.push((None, None));
    }
    Ok(contexts)
}

pub(super) fn gathered(
    state: &State,
    services: &Services,
    (place, activation): At<'_>,
    (service, subscription): &Context,
    given: Option<&[Given]>,
    change: &Change<'_>,
) -> Result<acquired::Gathered, Error> {
    let instead = given.map(|given| Instead { place: change.place, whose: change.whose, given });
    let wanted = Wanted {
        place,
        service: service.as_ref().map(|(name, version)| (name, version.as_str())),
        subscription: subscription.as_ref(),
        activation,
        instead,
    };
    acquired::gather(state, services.shelf(), &wanted)
}

/// What is wrong at a place after a change and was not before.
pub(super) fn fresh_faults(
    state: &State,
    services: &Services,
    at: At<'_>,
    context: &Context,
    change: &Change<'_>,
) -> Result<Vec<Fault>, Error> {
    let all = |values: &Acquisition<'_>| -> Vec<Fault> {
        values.faults().iter().filter(|fault| !fault.is_missing).cloned().collect()
    };
    let new = gathered(state, services, at, context, Some(change.new), change)?;
    let (mut after, veil) = new.acquire(|values| {
        let veil = new.service.as_ref().map(|service| change.reader.veil(&service.definition, values));
        (all(values), veil.unwrap_or_default())
    });
    if !after.is_empty() {
        let before = gathered(state, services, at, context, None, change)?.acquire(all);
        after.retain(|fault| !before.contains(fault));
    }
    Ok(after.iter().map(|fault| veil.fault(fault)).collect())
}

impl Change<'_> {
    /// Whether what is given counts there.
    pub(super) fn counts_for(&self, (service, subscription): &Context) -> bool {
        match self.whose {
            Whose::Own => true,
            Whose::Subscription(name) => subscription.as_ref() == Some(name),
            Whose::Localized(name) => service.as_ref().is_some_and(|(service, _)| service == name),
        }
    }
}

/// The first faults, and how many there are beyond them.
pub(crate) fn told(faults: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = faults.collect();
    let mut text = all.iter().take(NAMED_MOST).map(String::as_str).collect::<Vec<_>>().join("; ");
    if all.len() > NAMED_MOST {
        text.push_str(&format!("; and {} more", all.len() - NAMED_MOST));
    }
    text
}
