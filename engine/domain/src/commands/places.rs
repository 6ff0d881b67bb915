//! What is asked of places, and of the devices tied to them.

use std::ops::Bound;

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{PlaceRemoval, PlaceSettings, PlaceVerb, Tie};
use linesman_schemas::{OrgName, Place, PlacePath, SubscriptionName};
use serde_json::{Value, json};

use super::{Answer, managers as rooms, spheres};
use crate::desk::Desk;
use crate::managers::{Managers, Named};
use crate::places::{self, LINES_MOST, PlaceRow, SITES_MOST, SitesRow, TIED_MOST, TieRow, TiedRow};
use crate::{Error, activations, devices, removals, services, subscriptions, values};

/// From which engine level on a refusal's record does not tell what hangs on a place.
const RECORDED: u32 = 8;

/// Does what is asked of a place of an organization.
pub(crate) fn ask(desk: &mut Desk, managers: &mut Managers, org: &OrgName, verb: &PlaceVerb) -> Result<Answer, Error> {
    match verb {
        PlaceVerb::Set(settings) => Ok(set(desk, managers, settings)?.about(&settings.place)),
        PlaceVerb::Remove(removal) => Ok(remove(desk, managers, removal)?.about(&removal.place)),
        PlaceVerb::Tie(tie) => Ok(self::tie(desk, org, tie)?.about(&tie.serial_number)),
    }
}

fn nothing(place: &PlacePath) -> Answer {
    Answer::refused(Verdict::NotFound, format!("there is no place `{place}`"))
}

fn set(desk: &mut Desk, managers: &Managers, settings: &PlaceSettings) -> Result<Answer, Error> {
    let place = &settings.place;
    let before = desk.read(&places::key(place))?;
    if before.is_none()
        && let Some(refused) = no_room(desk, place)?
    {
        return Ok(refused);
    }
    if before.is_none() && desk.is_at(removals::LEVEL) && !managers.named(desk, place)?.is_nobody() {
        removals::begin(desk, place)?;
        let detail = format!("a `{place}` that is gone is still being taken out of spheres: try again in a moment");
        return Ok(Answer::refused(Verdict::Conflict, detail));
    }
    let old = before.as_ref().map(shown);
    let blank = PlaceRow {
        display_name: String::new(),
        device: String::new(),
        interface: String::new(),
        addresses: Vec::new(),
        speed: 0,
        created: desk.now,
        changed: desk.now,
    };
    let was = before.unwrap_or(blank);
    let row = PlaceRow {
        display_name: settings.display_name.clone().unwrap_or_else(|| was.display_name.clone()),
        device: settings.device.clone().unwrap_or_else(|| was.device.clone()),
        interface: settings.interface.clone().unwrap_or_else(|| was.interface.clone()),
        addresses: settings.addresses.clone().unwrap_or_else(|| was.addresses.clone()),
        speed: settings.speed.unwrap_or(was.speed),
        created: was.created,
        changed: desk.now,
    };
    if row.device != was.device {
        change_tie(desk, place, &was.device, |tie| tie.is_served = false)?;
    }
    change_tie(desk, place, &row.device, |tie| tie.is_served = true)?;
    desk.write(places::key(place), &row)?;
    if old.is_none() && place.line.is_none() {
        count_sites(desk, &place.organization, 1)?;
    }
    Ok(match old {
        Some(old) => Answer::done("changed", old, shown(&row)),
        None => Answer::created(shown(&row)),
    })
}

/// Why a new place cannot be defined: its site is not there, or there are too many already.
fn no_room(desk: &Desk, place: &PlacePath) -> Result<Option<Answer>, Error> {
    let full = |most: usize, what: &str, whose: &str| {
        Answer::refused(Verdict::Conflict, format!("`{whose}` has {most} {what} already"))
    };
    if place.line.is_none() {
        let sites = desk.read(&places::sites_key(&place.organization))?.map_or(0, |row| row.count);
        let is_full = sites >= SITES_MOST as u64;
        return Ok(is_full.then(|| full(SITES_MOST, "sites", place.organization.as_str())));
    }
    let site = PlacePath { line: None, ..place.clone() };
    if desk.read(&places::key(&site))?.is_none() {
        return Ok(Some(nothing(&site)));
    }
    let lines = places::count_lines(desk.state(), &site, LINES_MOST)?;
    Ok((lines >= LINES_MOST).then(|| full(LINES_MOST, "access lines", &site.to_string())))
}

fn count_sites(desk: &mut Desk, org: &OrgName, by: i64) -> Result<(), Error> {
    let key = places::sites_key(org);
    let count = desk.read(&key)?.map_or(0, |row| row.count).saturating_add_signed(by);
    desk.write(key, &SitesRow { count })
}

/// A device's tie to a place changes; one by nothing goes, and no name ties nothing.
fn change_tie(desk: &mut Desk, place: &PlacePath, device: &str, change: impl FnOnce(&mut TieRow)) -> Result<(), Error> {
    if device.is_empty() {
        return Ok(());
    }
    let key = places::tie_key(place, device);
    let mut row = desk.read(&key)?.unwrap_or_default();
    change(&mut row);
    match row.is_served || row.is_tied {
        true => desk.write(key, &row),
        false => {
            desk.remove(key);
            Ok(())
        }
    }
}

/// What hangs on a place.
struct Hanging {
    /// Places with their rows: itself, and those below it.
    places: Vec<(PlacePath, PlaceRow)>,
    /// Devices that are tied there, each to which place.
    tied: Vec<(PlacePath, String, TieRow)>,
    subscribed: Vec<(Place, SubscriptionName)>,
    /// How many managers of the organization name it.
    managers: usize,
    /// How many of their tokens.
    tokens: usize,
    /// How many of the provider's people and of their tokens.
    named: Named,
}

impl Hanging {
    fn on(desk: &Desk, managers: &Managers, place: &PlacePath, row: &PlaceRow) -> Result<Self, Error> {
        let mut places = vec![(place.clone(), row.clone())];
        if place.line.is_none() {
            let lines = places::lines(desk.state(), &place.organization, &place.site);
            places.extend(lines.collect::<Result<Vec<_>, _>>()?);
        }
        let mut tied = Vec::new();
        for (place, _) in &places {
            for tie in places::ties(desk.state(), place) {
                let (device, row) = tie?;
                tied.push((place.clone(), device, row));
            }
        }
        let (tokens, named) = match desk.is_at(removals::LEVEL) {
            true => {
                let below = Place::Below(place.clone());
                let tokens = spheres::tokens_at(desk, Some(&place.organization), &below)?.len();
                (tokens, managers.named(desk, place)?)
            }
            false => (0, Named::default()),
        };
        let subscribed = subscribed(desk, &places)?;
        let count = rooms::those_at(desk, managers, place)?.len();
        Ok(Self { places, tied, subscribed, managers: count, tokens, named })
    }

    /// In words; none where nothing does.
    fn told(&self, place: &PlacePath) -> Option<String> {
        let Self { places, tied, subscribed, managers, tokens, named } = self;
        let hanging = [
            (places.len() - 1, "access line", ""),
            (*managers, "manager", ""),
            (tied.len(), "device", ""),
            (subscribed.len(), "subscription", ""),
            (*tokens, "token", ""),
            (named.people, "manager", " of the provider"),
            (named.tokens, "token", " of the provider"),
        ];
        let counted = hanging.into_iter().filter(|(count, ..)| *count > 0);
        let counted =
            counted.map(|(count, what, whose)| format!("{count} {what}{}{whose}", if count == 1 { "" } else { "s" }));
        let counted = counted.collect::<Vec<_>>().join(", ");
        (!counted.is_empty()).then(|| format!("on `{place}` hang {counted}; they go too with `cascade`"))
    }
}

/// A place goes, once nothing hangs on it, or with what does.
fn remove(desk: &mut Desk, managers: &mut Managers, removal: &PlaceRemoval) -> Result<Answer, Error> {
    let place = &removal.place;
    let Some(row) = desk.read(&places::key(place))? else { return Ok(nothing(place)) };
    let hanging = Hanging::on(desk, managers, place, &row)?;
    if let Some(told) = hanging.told(place).filter(|_| !removal.cascade) {
        // Whoever sees the place sees the record, and not all that hangs on it.
        let recorded = if desk.is_at(RECORDED) { format!("something hangs on `{place}`") } else { told.clone() };
        return Ok(Answer::refused(Verdict::Conflict, told).recorded(recorded));
    }
    let left = rooms::leave(desk, managers, place)?;
    let mut old = shown(&row);
    if let Some(fields) = old.as_object_mut().filter(|_| removal.cascade) {
        let below: Vec<_> = hanging.places.iter().skip(1).map(|(place, _)| place).collect();
        fields.insert("places".to_owned(), json!(below));
        fields.insert("managers".to_owned(), json!(left));
        if desk.is_at(services::LEVEL) {
            let subscribed = hanging.subscribed.iter().map(|(place, name)| format!("{place} {name}"));
            fields.insert("subscriptions".to_owned(), subscribed.collect());
        }
        if desk.is_at(removals::LEVEL) {
            let tokens = spheres::clear_tokens(desk, Some(&place.organization), &Place::Below(place.clone()))?;
            fields.insert("tokens".to_owned(), tokens.into_iter().map(|cleared| cleared.whose).collect());
            let Named { people, tokens, .. } = hanging.named;
            // Who they are is the provider's to know, whose log tells it.
            fields.insert("of_provider".to_owned(), json!({"managers": people, "tokens": tokens}));
        }
    }
    if !hanging.named.is_nobody() {
        removals::begin(desk, place)?;
    }
    drop_all(desk, hanging)?;
    Ok(Answer::done("removed", old, Value::Null))
}

/// What hangs on a place goes with it, but who names it.
fn drop_all(desk: &mut Desk, hanging: Hanging) -> Result<(), Error> {
    for (place, device, row) in hanging.tied {
        desk.remove(places::tie_key(&place, &device));
        if row.is_tied {
            desk.remove(places::tied_key(&place.organization, &device));
        }
    }
    for (place, name) in &hanging.subscribed {
        desk.remove(subscriptions::key(place, name));
    }
    for (place, _) in &hanging.places {
        drop_values(desk, place)?;
        desk.remove(places::key(place));
    }
    match hanging.places.first() {
        Some((place, _)) if place.line.is_none() => count_sites(desk, &place.organization, -1),
        _ => Ok(()),
    }
}

/// The subscriptions that were made at places.
fn subscribed(desk: &Desk, places: &[(PlacePath, PlaceRow)]) -> Result<Vec<(Place, SubscriptionName)>, Error> {
    let mut found = Vec::new();
    for place in places.iter().map(|(place, _)| Place::Below(place.clone())) {
        for subscription in subscriptions::at(desk.state(), &place) {
            found.push((place.clone(), subscription?.0));
        }
    }
    Ok(found)
}

/// The values at a place itself go with it, and what was activated there.
fn drop_values(desk: &mut Desk, place: &PlacePath) -> Result<(), Error> {
    let place = Place::Below(place.clone());
    let fronts = activations::fronts(&place).into_iter().filter(|_| desk.is_at(activations::LEVEL));
    for front in [values::front(&place)].into_iter().chain(fronts).collect::<Vec<_>>() {
        while let Some((key, _)) = desk.first(Bound::Included(&front), &front)? {
            desk.remove_found(key);
        }
    }
    Ok(())
}

/// A device is tied to a place by itself, or to none.
fn tie(desk: &mut Desk, org: &OrgName, tie: &Tie) -> Result<Answer, Error> {
    let serial = &tie.serial_number;
    if desk.read(&devices::key(org, serial))?.is_none() {
        return Ok(Answer::refused(Verdict::NotFound, format!("`{org}` has no device `{serial}`")));
    }
    if let Some(place) = &tie.place {
        if place.organization != *org || desk.read(&places::key(place))?.is_none() {
            return Ok(nothing(place));
        }
        let others = places::ties(desk.state(), place).filter(|tie| tie.as_ref().is_ok_and(|(name, _)| name != serial));
        if others.take(TIED_MOST).count() >= TIED_MOST {
            let detail = format!("to `{place}` are tied {TIED_MOST} devices already");
            return Ok(Answer::refused(Verdict::Conflict, detail));
        }
    }
    let key = places::tied_key(org, serial);
    let old = desk.read(&key)?.map(|row| row.place);
    if let Some(old) = &old {
        change_tie(desk, old, serial, |tie| tie.is_tied = false)?;
    }
    match &tie.place {
        Some(place) => {
            change_tie(desk, place, serial, |tie| tie.is_tied = true)?;
            desk.write(key, &TiedRow { place: place.clone() })?;
        }
        None => desk.remove(key),
    }
    Ok(Answer::done("tied", json!({"place": old}), json!({"place": tie.place})))
}

/// What the audit shows of a place.
fn shown(row: &PlaceRow) -> Value {
    json!({
        "display_name": row.display_name,
        "device": row.device,
        "interface": row.interface,
        "addresses": row.addresses,
        "speed": row.speed,
    })
}
