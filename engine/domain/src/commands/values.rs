//! What is asked of values: what is given at a place stands there from here on, or nothing does.

use std::collections::BTreeSet;

use jiff::Timestamp;
use linesman_rules::values::{Clause, Mistake, parse_substitution};
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, Localization, SUBSTITUTIONS_MOST, ValueSettings, Values};
use linesman_schemas::{OrgName, Place};
use serde_json::{Value, json};

use super::{Answer, Wrong, author, held};
use crate::desk::Desk;
use crate::hidden::{self, Reader};
use crate::managers::Managers;
use crate::services::Services;
use crate::values::{self, Given, ValuesRow, Whose};
use crate::{Error, places, subscriptions};

/// That values were taken in which more below depends on than was looked at.
const NOT_ALL: &str = "not all values below were looked at: what is wrong with others is told when they are rendered";

/// From which engine level on a fix without a value stands where a value would, and takes its place; and whoever takes back
/// a value leaves what narrows it.
pub(super) const FIX_IS_VALUE: u32 = 9;

/// Does what is asked of values of an organization.
pub(crate) fn ask(
    desk: &mut Desk,
    (services, managers): (&Services, &Managers),
    org: &OrgName,
    command: &Command,
    verb: &Values,
) -> Result<Answer, Error> {
    let reach = hidden::reach_of(desk, managers, &command.principal)?;
    let who = (author(desk, &command.principal), Reader::of(reach.as_ref()));
    match verb {
        Values::Set(settings) => set(desk, services, settings, who),
        Values::Localize(localization) => localize(desk, services, org, localization, who),
    }
}

fn set(
    desk: &mut Desk,
    services: &Services,
    settings: &ValueSettings,
    (by, reader): (String, Reader<'_>),
) -> Result<Answer, Error> {
    let ValueSettings { place, subscription, substitutions, unset, keep } = settings;
    if !places::is_within(desk.state(), place)? {
        return Ok(Answer::unseen(place));
    }
    let (whose, number) = match subscription {
        None => (Whose::Own, 0),
        Some(name) => match subscriptions::seen(desk.state(), place, name)? {
            Some((_, row)) => (Whose::Subscription(name), row.number),
            None => {
                let detail = format!("`{name}` is no subscription at `{place}`, nor above it");
                return Ok(Answer::refused(Verdict::NotFound, detail).about(place));
            }
        },
    };
    let change =
        Change { substitutions, unset, keep: *keep, by, at: desk.now, reader, is_one: desk.is_at(FIX_IS_VALUE) };
    Ok(give(desk, services, (place, whose, number), &change)?.about(&about(place, whose)))
}

/// The provider has a service in its own way for an organization.
fn localize(
    desk: &mut Desk,
    services: &Services,
    org: &OrgName,
    localization: &Localization,
    (by, reader): (String, Reader<'_>),
) -> Result<Answer, Error> {
    let Localization { service, substitutions, unset, keep } = localization;
    if services.find(service).is_none() {
        return Ok(Answer::refused(Verdict::NotFound, format!("there is no service `{service}`")).about(service));
    }
    let (place, whose) = (Place::Organization(org.clone()), Whose::Localized(service));
    let change =
        Change { substitutions, unset, keep: *keep, by, at: desk.now, reader, is_one: desk.is_at(FIX_IS_VALUE) };
    Ok(give(desk, services, (&place, whose, 0), &change)?.about(&about(&place, whose)))
}

/// What is about values, in the audit.
fn about(place: &Place, whose: Whose<'_>) -> String {
    match whose {
        Whose::Own => place.to_string(),
        Whose::Subscription(name) => format!("{place} {name}"),
        Whose::Localized(service) => service.to_string(),
    }
}

/// How what stands is to change.
pub(super) struct Change<'a> {
    /// What is given.
    pub(super) substitutions: &'a [String],
    /// The parameters whose substitutions go.
    pub(super) unset: &'a [String],
    /// Whether what is named by neither stays.
    pub(super) keep: bool,
    /// Who gives it.
    pub(super) by: String,
    /// When.
    pub(super) at: Timestamp,
    /// The same as they are told why not.
    pub(super) reader: Reader<'a>,
    /// Whether `!rate=` takes the place of `rate=5m`, and a value that is taken back leaves its constraint.
    pub(super) is_one: bool,
}

impl Change<'_> {
    /// What stands after it, and what of it cannot be read: where `is_whole` says so the rest is read all the same, so that all
    /// that is wrong is told at once.
    pub(super) fn read(&self, old: &[Given], is_whole: bool) -> Result<(Vec<Given>, Option<Answer>), Box<Answer>> {
        let unread = match next(old, self) {
            Ok(next) => return Ok((next, None)),
            Err(unread) if is_whole => unread,
            Err(unread) => return Err(unread),
        };
        let mut named = BTreeSet::new();
        let mut is_read = |text: &String| Slot::of(text, self.is_one).is_ok_and(|slot| named.insert(slot));
        let rest: Vec<String> = self.substitutions.iter().filter(|text| is_read(text)).cloned().collect();
        let Change { unset, keep, ref by, at, reader, is_one, .. } = *self;
        match next(old, &Change { substitutions: &rest, unset, keep, by: by.clone(), at, reader, is_one }) {
            Ok(next) => Ok((next, Some(*unread))),
            Err(_) => Err(unread),
        }
    }
}

/// What is given stands there from here on, unless something of it is wrong.
pub(super) fn give(
    desk: &mut Desk,
    services: &Services,
    (place, whose, number): (&Place, Whose<'_>, u64),
    change: &Change<'_>,
) -> Result<Answer, Error> {
    let old = values::read(desk.state(), place, whose)?;
    let made = match whose {
        Whose::Subscription(name) => subscriptions::seen(desk.state(), place, name)?.map(|(made, _)| made),
        Whose::Own | Whose::Localized(_) => None,
    };
    let (substitutions, unread) = match change.read(&old, desk.is_at(held::WHOLE)) {
        Ok(read) => read,
        Err(refused) => return Ok(*refused),
    };
    let is_new = |text: &str| !old.iter().any(|old| old.text == text);
    let held = held::Change { place, whose, old: &old, new: &substitutions, reader: change.reader };
    let (is_whole, waiting, refused) = match held::held(desk.state(), services, &held)? {
        held::Held::Refused(refused) => (false, BTreeSet::new(), Some(refused.pointing(change.substitutions, is_new))),
        held::Held::Taken { is_all, waiting } => (is_all, waiting, None),
    };
    if let Some(refused) = Answer::beside(unread, refused) {
        return Ok(refused);
    }
    let (was, is) = (shown(&old), shown(&substitutions));
    let row = ValuesRow { number, substitutions };
    match (whose, made) {
        (Whose::Subscription(name), Some(made)) => values::keep_for(desk, place, name, &made, row)?,
        _ if row.substitutions.is_empty() => desk.remove(values::key(place, whose)),
        _ => desk.write(values::key(place, whose), &row)?,
    }
    let answer = Answer::done(if was == is { "unchanged" } else { "changed" }, was, is);
    let answer = if waiting.is_empty() { answer } else { answer.of_some(&told_to_wait(&waiting)) };
    Ok(if is_whole { answer } else { in_part(answer) })
}

/// That parameters have values which count for nothing yet.
fn told_to_wait(names: &BTreeSet<String>) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let (names, is) = (names.join(", "), if names.len() == 1 { "is" } else { "are" });
    format!("{names} {is} of no service that is subscribed to here, above or below: held against one when it is")
}

/// What is done where not all was looked at.
pub(super) fn in_part(answer: Answer) -> Answer {
    answer.of_some(NOT_ALL).cut(true)
}

/// What stands after a change. What is given as it stands already stays by whom and when it was.
fn next(old: &[Given], change: &Change<'_>) -> Result<Vec<Given>, Box<Answer>> {
    let (mut named, mut wrong) = (BTreeSet::new(), Vec::new());
    for (at, text) in change.substitutions.iter().enumerate() {
        match Slot::of(text, change.is_one) {
            Ok(slot) => {
                let again = named.replace(slot);
                let told = again.map(|again| format!("`substitutions/{at}` gives `{}` a second time", again.name));
                wrong.extend(told.map(|told| Wrong::given(at, told)));
            }
            Err(Mistake { message, help, column, .. }) => {
                let help = help.map(|help| format!("; {help}")).unwrap_or_default();
                wrong.push(Wrong::given(at, format!("`substitutions/{at}` at column {column}: {message}{help}")));
            }
        }
    }
    if let Some(refused) = Answer::invalid(wrong) {
        return Err(Box::new(refused));
    }
    let slots: Vec<_> = old.iter().filter_map(|given| Slot::of(&given.text, change.is_one).ok()).collect();
    if let Some(name) = change.unset.iter().find(|name| !slots.iter().any(|slot| slot.name == **name)) {
        let detail = format!("there is no substitution of `{name}` to take away");
        return Err(Box::new(Answer::refused(Verdict::NotFound, detail)));
    }
    let is_unset = |slot: &Slot| {
        // What narrows a name goes with its declaration, or when there is nothing else of it.
        let says = |says: Says| slots.iter().any(|other| other.name == slot.name && other.says == says);
        let stays = change.is_one && slot.says == Says::Narrows && says(Says::Gives) && !says(Says::Declares);
        change.unset.contains(&slot.name) && !stays
    };
    let goes = |given: &&Given| {
        Slot::of(&given.text, change.is_one).map_or(true, |slot| named.contains(&slot) || is_unset(&slot))
    };
    let mut next: Vec<_> = old.iter().filter(|given| change.keep && !goes(given)).cloned().collect();
    next.extend(change.substitutions.iter().map(|text| match old.iter().find(|given| given.text == *text) {
        Some(known) => known.clone(),
        None => Given { text: text.clone(), by: change.by.clone(), at: change.at },
    }));
    if next.len() > SUBSTITUTIONS_MOST {
        let detail = format!("there would be {} substitutions, more than {SUBSTITUTIONS_MOST}", next.len());
        return Err(Box::new(Answer::refused(Verdict::Conflict, detail)));
    }
    Ok(next)
}

/// What the audit shows of substitutions.
pub(super) fn shown(given: &[Given]) -> Value {
    let texts: Vec<_> = given.iter().map(|given| given.text.as_str()).collect();
    json!({"substitutions": texts})
}

/// What of a parameter a substitution says: of each there is one at a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    name: String,
    says: Says,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Says {
    /// That there is one.
    Declares,
    /// What it is.
    Gives,
    /// Within what it is.
    Narrows,
}

impl Slot {
    /// The one that a text fills; a fix without a value that of a value, where `is_one`.
    fn of(text: &str, is_one: bool) -> Result<Self, Mistake> {
        let substitution = parse_substitution(text)?;
        let says = match substitution.clause {
            Clause::Declare if substitution.is_fixed && is_one => Says::Gives,
            Clause::Declare => Says::Declares,
            Clause::Value(_) => Says::Gives,
            Clause::Within(_) => Says::Narrows,
        };
        Ok(Self { name: substitution.name.to_string(), says })
    }
}
