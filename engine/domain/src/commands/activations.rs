//! What is asked of activations: where a subscription becomes configuration of devices, and where it does not.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Activation, Command, Deactivation, Subscription, SubscriptionSettings};
use linesman_schemas::schedule::Schedule;
use linesman_schemas::{Place, Privilege, SubscriptionName};
use serde_json::{Value, json};

use super::values::{self as rooms, Change};
use super::{Answer, author, held};
use crate::activations::{self, ACTIVATIONS_MOST, ActivationRow, CutRow};
use crate::desk::Desk;
use crate::hidden::{self, Reader};
use crate::managers::Managers;
use crate::rights::{self, Asked, Need, Ruling};
use crate::schedules::{Calendar, Standing};
use crate::services::Services;
use crate::subscriptions::{self, SubscriptionRow};
use crate::{Error, places};

/// How many activations that were ended the audit names.
const NAMED_MOST: usize = 20;

/// A subscription as it is seen where something is asked of it.
struct Seen {
    made: Place,
    row: SubscriptionRow,
}

/// The subscription that somebody acts on, or why not.
fn seen(
    desk: &Desk,
    managers: &Managers,
    command: &Command,
    (place, name): (&Place, &SubscriptionName),
) -> Result<Result<Seen, Answer>, Error> {
    let Some((made, row)) = subscriptions::seen(desk.state(), place, name)? else {
        let detail = format!("`{name}` is no subscription at `{place}`, nor above it");
        return Ok(Err(Answer::refused(Verdict::NotFound, detail)));
    };
    Ok(match rights::may_activate(&managers.known(desk), &command.principal, (&made, place), desk.now)? {
        Ruling::Allowed => Ok(Seen { made, row }),
        Ruling::Forbidden(denial) => Err(Answer::refused(Verdict::Forbidden, denial.to_string())),
        Ruling::Unseen => Err(Answer::unseen(place)),
    })
}

/// The id of the one activation that a command is about; none where it may be about others too.
///
/// # Errors
/// The state cannot be read, or a row of it.
pub(crate) fn only(desk: &Desk, verb: &Subscription) -> Result<Option<String>, Error> {
    let (place, name, substitutions) = match verb {
        Subscription::Activate(Activation { place, name, substitutions, .. }) => (place, name, substitutions),
        Subscription::Deactivate(Deactivation { place, name, substitutions: Some(texts) }) => (place, name, texts),
        _ => return Ok(None),
    };
    // Without values it may be all that was activated above.
    if substitutions.is_empty() { Ok(None) } else { known(desk, (place, name), substitutions) }
}

/// The id of an activation with these values of the subscription that is seen at a place.
fn known(
    desk: &Desk,
    (place, name): (&Place, &SubscriptionName),
    substitutions: &[String],
) -> Result<Option<String>, Error> {
    let Some((made, row)) = subscriptions::seen(desk.state(), place, name)? else { return Ok(None) };
    let texts: Vec<&str> = substitutions.iter().map(String::as_str).collect();
    Ok(Some(activations::standing(desk, (place, name), (&made, row.number), &texts)?.0))
}

/// The id of the activation that a command gives a schedule.
///
/// # Errors
/// The state cannot be read, or a row of it.
pub(crate) fn scheduled(desk: &Desk, verb: &Subscription) -> Result<Option<String>, Error> {
    match verb {
        Subscription::Activate(Activation { place, name, substitutions, schedule: Some(_) }) => {
            known(desk, (place, name), substitutions)
        }
        Subscription::Set(SubscriptionSettings { place, name, schedule: Some(Some(_)), .. }) => {
            Ok(Some(activations::id(place, name, [])))
        }
        _ => Ok(None),
    }
}

/// Activates a subscription at a place and below.
pub(super) fn activate(
    desk: &mut Desk,
    (services, managers): (&Services, &Managers),
    command: &Command,
    activation: &Activation,
) -> Result<Answer, Error> {
    let Activation { place, name, substitutions, schedule } = activation;
    let Seen { made, row } = match seen(desk, managers, command, (place, name))? {
        Ok(seen) => seen,
        Err(refused) => return Ok(refused),
    };
    if let Some(refused) = may_give(desk, managers, command, activation)? {
        return Ok(refused);
    }
    let service = (&row.service, row.version.as_str());
    if let Some(schedule) = schedule
        && let Some(refused) = unschedulable(desk, services, service, schedule)?
    {
        return Ok(refused);
    }
    let by = author(desk, &command.principal);
    let reach = hidden::reach_of(desk, managers, &command.principal)?;
    let reader = Reader::of(reach.as_ref());
    let change = Change {
        substitutions,
        unset: &[],
        keep: false,
        by: by.clone(),
        at: desk.now,
        reader,
        is_one: desk.is_at(rooms::FIX_IS_VALUE),
    };
    let (given, unread) = match change.read(&[], desk.is_at(held::WHOLE)) {
        Ok(read) => read,
        Err(refused) => return Ok(*refused),
    };
    let refused = held::refusal_of_activation(desk.state(), services, place, (name, &row), (&given, reader))?;
    let refused = refused.map(|refused| refused.pointing(substitutions, |_| true));
    if let Some(refused) = Answer::beside(unread, refused) {
        return Ok(refused);
    }
    if place == &made && given.is_empty() {
        return activate_all(desk, (place, name), row, schedule.as_ref(), by);
    }
    let is_cut = activations::is_cut(desk.state(), place, name, row.number)?;
    if given.is_empty() && schedule.is_none() && is_cut && reaches(desk, place, name, (&made, &row))? {
        activations::uncut(desk, place, name, row.number)?;
        return Ok(Answer::done("activated", json!({"ends_here": true}), json!({"ends_here": false})));
    }
    let texts: Vec<&str> = given.iter().map(|given| given.text.as_str()).collect();
    let (id, before) = activations::standing(desk, (place, name), (&made, row.number), &texts)?;
    if let Some(before) = &before
        && before.schedule == *schedule
    {
        return Ok(Answer::done("unchanged", shown(&id, before), shown(&id, before)));
    }
    if before.is_none() && activations::at(desk.state(), place, name).take(ACTIVATIONS_MOST).count() >= ACTIVATIONS_MOST
    {
        let detail = format!("`{name}` has {ACTIVATIONS_MOST} activations at `{place}` already");
        return Ok(Answer::refused(Verdict::Conflict, detail));
    }
    let new = ActivationRow {
        number: row.number,
        substitutions: given,
        schedule: schedule.clone(),
        is_enabled: true,
        changes: None,
        by,
        at: desk.now,
    };
    let told = shown(&id, &new);
    activations::keep(desk, (place, name, &id), new)?;
    Ok(Answer::done("activated", before.map_or(Value::Null, |before| shown(&id, &before)), told))
}

/// Activates a subscription where it was made, without values besides.
fn activate_all(
    desk: &mut Desk,
    (place, name): (&Place, &SubscriptionName),
    row: SubscriptionRow,
    schedule: Option<&Schedule>,
    by: String,
) -> Result<Answer, Error> {
    let before = activations::own_row(desk, (place, name), row.number)?;
    let known = before.and_then(|before| before.schedule);
    if row.is_active && known.as_ref() == schedule {
        return Ok(Answer::done("unchanged", json!({"active": true}), json!({"active": true})));
    }
    let old = json!({"active": row.is_active, "schedule": known});
    set_schedule(desk, (place, name), row.number, schedule, by)?;
    desk.write(subscriptions::key(place, name), &SubscriptionRow { is_active: true, changed: desk.now, ..row })?;
    Ok(Answer::done("activated", old, json!({"active": true, "schedule": schedule})))
}

/// When a subscription counts that is active where it was made.
pub(super) fn set_schedule(
    desk: &mut Desk,
    (place, name): (&Place, &SubscriptionName),
    number: u64,
    schedule: Option<&Schedule>,
    by: String,
) -> Result<(), Error> {
    let Some(schedule) = schedule else { return unschedule(desk, (place, name), number) };
    let id = activations::id(place, name, []);
    let row = ActivationRow {
        number,
        substitutions: Vec::new(),
        schedule: Some(schedule.clone()),
        is_enabled: true,
        changes: None,
        by,
        at: desk.now,
    };
    activations::keep(desk, (place, name, &id), row)
}

/// A subscription that is active where it was made has no schedule from here on.
fn unschedule(desk: &mut Desk, (place, name): (&Place, &SubscriptionName), number: u64) -> Result<(), Error> {
    if desk.is_at(activations::BESIDE) && activations::own_row(desk, (place, name), number)?.is_none() {
        return Ok(());
    }
    activations::remove(desk, (place, name, &activations::id(place, name, [])))
}

/// Whoever gives values with an activation has to have that privilege too.
fn may_give(
    desk: &Desk,
    managers: &Managers,
    command: &Command,
    activation: &Activation,
) -> Result<Option<Answer>, Error> {
    if activation.substitutions.is_empty() {
        return Ok(None);
    }
    let asked = Asked {
        principal: &command.principal,
        need: Need::Privilege(Privilege::Substitution),
        place: &activation.place,
        is_within: false,
        now: desk.now,
    };
    Ok(match rights::may(&managers.known(desk), &asked)? {
        Ruling::Allowed => None,
        Ruling::Forbidden(denial) => Some(Answer::refused(Verdict::Forbidden, denial.to_string())),
        Ruling::Unseen => Some(Answer::unseen(&activation.place)),
    })
}

/// Why a service is not activated by a schedule.
pub(super) fn unschedulable(
    desk: &Desk,
    services: &Services,
    (name, version): (&linesman_schemas::ServiceName, &str),
    schedule: &Schedule,
) -> Result<Option<Answer>, Error> {
    let globals = services.shelf().globals(desk.state())?;
    let service = services.shelf().service(desk.state(), name, version, &globals)?;
    if service.is_some_and(|service| !service.definition.is_schedulable) {
        let detail = format!("`schedule` is not for `{name}`: the service is not `schedulable`");
        return Ok(Some(Answer::refused(Verdict::Invalid, detail)));
    }
    let over = Standing { is_enabled: false, changes: None };
    Ok(match Calendar::of(schedule, "/schedule") {
        Err(fault) => Some(Answer::refused(Verdict::Invalid, fault.to_string())),
        Ok(calendar) if calendar.at(desk.now) == over => {
            let detail = "`schedule` enables nothing from now on: it is over".to_owned();
            Some(Answer::refused(Verdict::Invalid, detail))
        }
        Ok(_) => None,
    })
}

/// Deactivates a subscription at a place and below, or one activation of it there.
pub(super) fn deactivate(
    desk: &mut Desk,
    managers: &Managers,
    command: &Command,
    deactivation: &Deactivation,
) -> Result<Answer, Error> {
    let Deactivation { place, name, substitutions } = deactivation;
    let Seen { made, row } = match seen(desk, managers, command, (place, name))? {
        Ok(seen) => seen,
        Err(refused) => return Ok(refused),
    };
    match substitutions {
        Some(substitutions) => deactivate_one(desk, (place, name), (&made, row), substitutions),
        None => deactivate_all(desk, (place, name), (&made, row), author(desk, &command.principal)),
    }
}

fn deactivate_one(
    desk: &mut Desk,
    (place, name): (&Place, &SubscriptionName),
    (made, row): (&Place, SubscriptionRow),
    substitutions: &[String],
) -> Result<Answer, Error> {
    if substitutions.is_empty() && place == made {
        if !row.is_active {
            return Ok(Answer::done("unchanged", json!({"active": false}), json!({"active": false})));
        }
        return rest_of(desk, (place, name), row);
    }
    let texts: Vec<&str> = substitutions.iter().map(String::as_str).collect();
    let (id, before) = activations::standing(desk, (place, name), (made, row.number), &texts)?;
    let Some(before) = before else {
        let detail = format!("`{name}` has no activation with these values at `{place}`");
        return Ok(Answer::refused(Verdict::NotFound, detail));
    };
    activations::remove(desk, (place, name, &id))?;
    Ok(Answer::done("deactivated", shown(&id, &before), Value::Null))
}

/// A subscription is active no more where it was made.
fn rest_of(desk: &mut Desk, (place, name): (&Place, &SubscriptionName), row: SubscriptionRow) -> Result<Answer, Error> {
    unschedule(desk, (place, name), row.number)?;
    desk.write(subscriptions::key(place, name), &SubscriptionRow { is_active: false, changed: desk.now, ..row })?;
    Ok(Answer::done("deactivated", json!({"active": true}), json!({"active": false})))
}

fn deactivate_all(
    desk: &mut Desk,
    (place, name): (&Place, &SubscriptionName),
    (made, row): (&Place, SubscriptionRow),
    by: String,
) -> Result<Answer, Error> {
    let mut ended = drop_below(desk, place, name, Some(row.number))?;
    let mut is_changed = !ended.is_empty();
    if place == made {
        if row.is_active {
            rest_of(desk, (place, name), row)?;
            ended.push(activations::id(place, name, []));
            is_changed = true;
        }
    } else {
        let is_cut = activations::is_cut(desk.state(), place, name, row.number)?;
        if !is_cut && reaches(desk, place, name, (made, &row))? {
            let cut = CutRow { number: row.number, by, at: desk.now };
            activations::cut(desk, place, (name, made), &cut)?;
            is_changed = true;
        }
    }
    let detail = if is_changed { "deactivated" } else { "unchanged" };
    let (count, named) = (ended.len(), ended.iter().take(NAMED_MOST).collect::<Vec<_>>());
    Ok(Answer::done(detail, json!({"activations": named, "count": count}), Value::Null))
}

/// Whether something of a subscription that was activated above a place reaches it.
fn reaches(
    desk: &Desk,
    place: &Place,
    name: &SubscriptionName,
    (made, row): (&Place, &SubscriptionRow),
) -> Result<bool, Error> {
    let mut next = place.parent();
    while let Some(above) = next.filter(|above| made.covers(above)) {
        if above == *made && row.is_active {
            return Ok(true);
        }
        for activation in activations::at(desk.state(), &above, name) {
            if activation?.1.number == row.number {
                return Ok(true);
            }
        }
        if activations::is_cut(desk.state(), &above, name, row.number)? {
            return Ok(false);
        }
        next = above.parent();
    }
    Ok(false)
}

/// Activations of a name that were made at a place and below go, those of one subscription or all; their ids.
pub(super) fn drop_below(
    desk: &mut Desk,
    place: &Place,
    name: &SubscriptionName,
    number: Option<u64>,
) -> Result<Vec<String>, Error> {
    let mut gone = Vec::new();
    for at in with_below(desk, place)? {
        let rows: Vec<_> = activations::at(desk.state(), &at, name).collect::<Result<_, _>>()?;
        for (id, _) in rows.into_iter().filter(|(_, row)| number.is_none_or(|number| row.number == number)) {
            activations::remove(desk, (&at, name, &id))?;
            gone.push(id);
        }
    }
    Ok(gone)
}

/// A place and those below it where something may have been activated.
fn with_below(desk: &Desk, place: &Place) -> Result<Vec<Place>, Error> {
    match place {
        Place::Provider => Ok(Vec::new()),
        Place::Below(path) => Ok(places::with_lines(desk.state(), path)?.into_iter().map(Place::Below).collect()),
        Place::Organization(org) => {
            let mut found = vec![place.clone()];
            for row in activations::all(desk.state(), org) {
                let (at, ..) = row?;
                if found.last() != Some(&at) {
                    found.push(at);
                }
            }
            Ok(found)
        }
    }
}

/// What the audit shows of an activation.
fn shown(id: &str, row: &ActivationRow) -> Value {
    let texts: Vec<_> = row.substitutions.iter().map(|given| given.text.as_str()).collect();
    json!({"activation": id, "substitutions": texts, "schedule": row.schedule})
}
