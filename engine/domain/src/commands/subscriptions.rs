//! What is asked of subscriptions.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, Subscription, SubscriptionSettings};
use linesman_schemas::{Place, Privilege, ServiceName, SubscriptionName};
use serde_json::{Value, json};

use super::values::{self as rooms, Change};
use super::wrong::once;
use super::{Answer, Wrong, activations, author, held, standing};
use crate::activations::{LEVEL, give_way, id, own_row};
use crate::desk::Desk;
use crate::hidden::{self, Reader};
use crate::managers::Managers;
use crate::rights::{self, Asked, Need, Ruling};
use crate::rollouts::level_of;
use crate::services::Services;
use crate::subscriptions::{self, SUBSCRIPTIONS_MOST, SubscriptionRow};
use crate::values::{self, ValuesRow, Whose};
use crate::{Error, places};

/// Does what is asked of a subscription of an organization.
pub(crate) fn ask(
    desk: &mut Desk,
    (services, managers): (&Services, &Managers),
    command: &Command,
    verb: &Subscription,
) -> Result<Answer, Error> {
    let (place, name) = (verb.at(), verb.name());
    if !places::is_within(desk.state(), place)? {
        return Ok(Answer::unseen(place));
    }
    let answer = match verb {
        Subscription::Set(settings) => match refusal(desk, managers, command, settings)? {
            Some(refused) => refused,
            None => {
                let reach = hidden::reach_of(desk, managers, &command.principal)?;
                set(desk, services, (command, Reader::of(reach.as_ref())), settings)?
            }
        },
        Subscription::Remove(_) => remove(desk, place, name)?,
        Subscription::Suspend(_) => rest(desk, place, name, true)?,
        Subscription::Resume(_) => rest(desk, place, name, false)?,
        Subscription::Activate(activation) => activations::activate(desk, (services, managers), command, activation)?,
        Subscription::Deactivate(deactivation) => activations::deactivate(desk, managers, command, deactivation)?,
        Subscription::Redeploy(_) => match subscriptions::seen(desk.state(), place, name)? {
            Some(_) => Answer::done("redeployed", Value::Null, Value::Null),
            None => nothing(place, name),
        },
    };
    Ok(answer.about(&format!("{place} {name}")))
}

/// A change is not taken in: lines would come to what is wrong.
pub(crate) fn wrong(lines: Vec<Wrong>, recorded: impl Iterator<Item = String>) -> Answer {
    let pairs = once(lines.into_iter().zip(recorded).collect(), |(wrong, _): &(Wrong, String)| wrong);
    let (lines, recorded): (Vec<Wrong>, Vec<String>) = pairs.into_iter().unzip();
    let refused = Answer::refused(Verdict::Conflict, held::told(lines.iter().map(Wrong::told)));
    refused.recorded(held::told(recorded.into_iter())).naming(lines)
}

fn nothing(place: &Place, name: &SubscriptionName) -> Answer {
    Answer::refused(Verdict::NotFound, format!("there is no subscription `{name}` at `{place}`"))
}

/// Whoever gives values with a subscription has to have that privilege too, and likewise who activates it.
pub(crate) fn refusal(
    desk: &Desk,
    managers: &Managers,
    command: &Command,
    settings: &SubscriptionSettings,
) -> Result<Option<Answer>, Error> {
    let gives = settings.substitutions.is_some().then_some(Privilege::Substitution);
    let activates = (settings.active.is_some() || settings.schedule.is_some()).then_some(Privilege::Activation);
    for privilege in gives.into_iter().chain(activates) {
        let asked = Asked {
            principal: &command.principal,
            need: Need::Privilege(privilege),
            place: &settings.place,
            is_within: false,
            now: desk.now,
        };
        match rights::may(&managers.known(desk), &asked)? {
            Ruling::Allowed => {}
            Ruling::Forbidden(denial) => return Ok(Some(Answer::refused(Verdict::Forbidden, denial.to_string()))),
            Ruling::Unseen => return Ok(Some(Answer::unseen(&settings.place))),
        }
    }
    Ok(None)
}

/// A subscription is made, or changed.
fn set(
    desk: &mut Desk,
    services: &Services,
    (command, reader): (&Command, Reader<'_>),
    settings: &SubscriptionSettings,
) -> Result<Answer, Error> {
    let SubscriptionSettings { place, name, service, substitutions, active, schedule } = settings;
    let key = subscriptions::key(place, name);
    let before = desk.read(&key)?;
    let row = match &before {
        Some(was) if was.service != *service => {
            let detail = format!("`{name}` at `{place}` is a subscription to `{}`; remove it first", was.service);
            return Ok(Answer::refused(Verdict::Conflict, detail));
        }
        Some(was) => SubscriptionRow { is_active: active.unwrap_or(was.is_active), changed: desk.now, ..was.clone() },
        None => {
            let Some(offer) = services.find(service) else {
                return Ok(Answer::refused(Verdict::NotFound, format!("there is no service `{service}`")));
            };
            if let Some(refused) = misplaced(desk, services, (service, &offer.version), place)? {
                return Ok(refused);
            }
            if subscriptions::at(desk.state(), place).take(SUBSCRIPTIONS_MOST).count() >= SUBSCRIPTIONS_MOST {
                let detail = format!("`{place}` has {SUBSCRIPTIONS_MOST} subscriptions already");
                return Ok(Answer::refused(Verdict::Conflict, detail));
            }
            SubscriptionRow {
                number: desk.sequence,
                service: service.clone(),
                version: offer.version.clone(),
                is_suspended: false,
                is_active: active.unwrap_or_default(),
                by: author(desk, &command.principal),
                created: desk.now,
                changed: desk.now,
            }
        }
    };
    if let Some(Some(schedule)) = schedule
        && let Some(refused) = activations::unschedulable(desk, services, (&row.service, &row.version), schedule)?
    {
        return Ok(refused);
    }
    let mut is_whole = true;
    if before.is_none() && desk.is_at(standing::LEVEL) {
        let of = (&row.service, row.version.as_str());
        match standing::standing(desk.state(), services, (place, name), of, reader)? {
            standing::Standing::Refused(refused) => return Ok(*refused),
            standing::Standing::Fits { is_all } => is_whole = is_all,
        }
    }
    let old = before.as_ref().map(|was| shown(desk, place, name, was)).transpose()?;
    desk.write(key, &row)?;
    if let Some(schedule) = schedule {
        let by = author(desk, &command.principal);
        activations::set_schedule(desk, (place, name), row.number, schedule.as_ref(), by)?;
    }
    if let Some(substitutions) = substitutions {
        let by = author(desk, &command.principal);
        let change = Change {
            substitutions,
            unset: &[],
            keep: false,
            by,
            at: desk.now,
            reader,
            is_one: desk.is_at(rooms::FIX_IS_VALUE),
        };
        let given = rooms::give(desk, services, (place, Whose::Subscription(name), row.number), &change)?;
        if !given.is_done() {
            // Nothing is done by halves.
            match &before {
                Some(was) => desk.write(subscriptions::key(place, name), was)?,
                None => desk.remove(subscriptions::key(place, name)),
            }
            return Ok(given);
        }
        is_whole &= !given.is_cut();
    }
    if before.is_none() {
        give_way(desk, (place, name, &id(place, name, [])), row.number)?;
    }
    let new = shown(desk, place, name, &row)?;
    let answer = match old {
        Some(old) => Answer::done("changed", old, new),
        None => Answer::created(new),
    };
    Ok(if is_whole { answer } else { rooms::in_part(answer) })
}

/// A service is subscribed at the levels that it names.
fn misplaced(
    desk: &Desk,
    services: &Services,
    (name, version): (&ServiceName, &str),
    place: &Place,
) -> Result<Option<Answer>, Error> {
    let globals = services.shelf().globals(desk.state())?;
    let Some(service) = services.shelf().service(desk.state(), name, version, &globals)? else {
        let detail = format!("the service `{name}` cannot be used as it stands");
        return Ok(Some(Answer::refused(Verdict::Conflict, detail)));
    };
    let levels = &service.definition.levels;
    Ok((!levels.contains(&level_of(place))).then(|| {
        let words: Vec<&str> = levels.iter().map(|level| level.as_str()).collect();
        let detail = format!("`{name}` is subscribed at the level {}, and `{place}` is none", words.join(" or "));
        Answer::refused(Verdict::Conflict, detail)
    }))
}

/// A subscription goes, with the values that were given for it at its place; those further below count for no other.
fn remove(desk: &mut Desk, place: &Place, name: &SubscriptionName) -> Result<Answer, Error> {
    let key = subscriptions::key(place, name);
    let Some(row) = desk.read(&key)? else { return Ok(nothing(place, name)) };
    let old = shown(desk, place, name, &row)?;
    desk.remove(key);
    match desk.is_at(values::APART) {
        true => values::keep_for(desk, place, name, place, ValuesRow { number: row.number, ..ValuesRow::default() })?,
        false => desk.remove(values::key(place, Whose::Subscription(name))),
    }
    if desk.is_at(LEVEL) {
        activations::drop_below(desk, place, name, Some(row.number))?;
    }
    Ok(Answer::done("removed", old, Value::Null))
}

/// A subscription rests from here on, or no longer.
fn rest(desk: &mut Desk, place: &Place, name: &SubscriptionName, is_suspended: bool) -> Result<Answer, Error> {
    let key = subscriptions::key(place, name);
    let Some(was) = desk.read(&key)? else { return Ok(nothing(place, name)) };
    let old = shown(desk, place, name, &was)?;
    if was.is_suspended == is_suspended {
        return Ok(Answer::done("unchanged", old.clone(), old));
    }
    let row = SubscriptionRow { is_suspended, changed: desk.now, ..was };
    desk.write(key, &row)?;
    Ok(Answer::done(if is_suspended { "suspended" } else { "resumed" }, old, shown(desk, place, name, &row)?))
}

/// What the audit shows of a subscription.
fn shown(desk: &Desk, place: &Place, name: &SubscriptionName, row: &SubscriptionRow) -> Result<Value, Error> {
    let given = values::read(desk.state(), place, Whose::Subscription(name))?;
    let texts: Vec<_> = given.iter().map(|given| given.text.as_str()).collect();
    let mut shown = json!({
        "service": row.service,
        "version": row.version,
        "suspended": row.is_suspended,
        "active": row.is_active,
        "substitutions": texts,
    });
    let own = own_row(desk, (place, name), row.number)?;
    if let (Some(row), Some(fields)) = (own, shown.as_object_mut()) {
        fields.insert("schedule".to_owned(), json!(row.schedule));
    }
    Ok(shown)
}
