//! Devices that are reached: how, how they stand with the collector, what they say of themselves, files of theirs that are no
//! bundles, and data that is gathered from those without scripts.
//!
//! A device is known here by the name it was given; what its bundles tell of it lies in `devices`, by its serial number. What
//! its user shows there is kept sealed outside the log.

mod directives;
mod gathered;
mod heard;
mod refused;
mod rows;
mod serials;

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, DeviceSettings, DeviceUse, DeviceVerb, HostKeyPin, JmbErrorWish, UseKind};
use linesman_schemas::{OrgName, Place, PlacePath, Principal};
use serde_json::json;

use super::activations::{drift, pushes};
use super::commands::{Answer, UNCHANGED};
use super::desk::Desk;
use super::devices::{Devices, Named};
use super::state::Base;
use super::table::Table;
use super::uploads::fetched;
use super::{Error, places, scripts};

pub(crate) use directives::ask as ask_directives;
pub use directives::{DIRECTIVES, DirectivesRow, GROUPS_MOST, commands, directives, directives_key};
pub use gathered::{GATHERED, GatheredRow, LEVEL as GATHERED_FROM, RunRow, RunState, gathered, gathered_key};
pub(crate) use gathered::{SwitchSubject, Switched, brought, find_switched, stands as gathering_stands};
pub(crate) use heard::{ReachedSubject, ended, find, set_aside, stands};
pub use rows::{
    AfterRow, FactsRow, JMB_ERRORS, JmbErrorRow, REACHED, ReachedRow, STANDINGS, StandingRow, WishRow, all,
    jmb_error_key, jmb_errors, jmb_errors_within, key, serial_number, standing_key, within,
};
use rows::{name_of, shown};
pub use serials::{SERIALS, index, is_of_several, of_host, of_serial};
pub(crate) use serials::{given, given_to, keep_host};

/// The engine level from which on devices are reached.
pub const LEVEL: u32 = 12;
/// The engine level from which on the place of a device can be taken from it.
pub const NOWHERE_FROM: u32 = 13;
/// How many devices of an organization are reached.
pub const DEVICES_MOST: usize = 20_000;
/// How many files of a device are kept as set aside; of more the directory is to be looked after.
pub const JMB_ERRORS_MOST: usize = 1_000;

/// The name by which a device is reached that has a serial number; the one called as it calls itself is looked at first, and
/// is it too where nobody knows its serial number.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub(crate) fn named(
    base: &(impl Base + ?Sized),
    org: &OrgName,
    serial: &str,
    host_name: &str,
) -> Result<Option<String>, Error> {
    let known = |name: &str, row: &ReachedRow| -> Result<Option<String>, Error> {
        let standing = Table::read(base, &standing_key(org, name))?;
        Ok(serial_number(row, standing.as_ref()).map(str::to_owned))
    };
    let mut nameless = None;
    if let Some(row) = Table::read(base, &key(org, host_name))? {
        match known(host_name, &row)? {
            Some(known) if known == serial => return Ok(Some(host_name.to_owned())),
            Some(_) => {}
            None => nameless = Some(host_name.to_owned()),
        }
    }
    Ok(of_serial(base, org, serial)?.or(nameless))
}

/// How activations may call a device that is reached by a name: so, by its serial number, and where none is known by that of
/// the device that calls itself so. A name goes before a serial number.
///
/// # Errors
/// The state cannot be read, or a row of it.
pub(crate) fn called(desk: &Desk, devices: &mut Devices, org: &OrgName, name: &str) -> Result<Vec<String>, Error> {
    let mut found = vec![name.to_owned()];
    let Some(row) = desk.read(&key(org, name))? else { return Ok(found) };
    let standing = desk.read(&standing_key(org, name))?;
    let serial_number = match serial_number(&row, standing.as_ref()) {
        // One that it merely claims is another's where people gave that one to it.
        Some(serial_number) => {
            let is_its = of_serial(desk.state(), org, serial_number)?.as_deref() == Some(name);
            is_its.then(|| serial_number.to_owned())
        }
        None => match devices.named(desk, org, name)? {
            Named::One(serial_number, _) => Some(serial_number),
            Named::Nobody | Named::Several => None,
        },
    };
    if let Some(serial_number) = serial_number.filter(|serial_number| serial_number != name)
        && desk.read(&key(org, &serial_number))?.is_none()
    {
        found.push(serial_number);
    }
    Ok(found)
}

/// Does what is asked of a device.
///
/// With the answer what policies are to hear.
pub(crate) fn ask(
    desk: &mut Desk,
    org: &OrgName,
    command: &Command,
    verb: &DeviceVerb,
) -> Result<(Answer, Option<Switched>), Error> {
    let mut switched = None;
    let known = desk.read(&key(org, verb.device()))?;
    let answer = match (verb, known) {
        (DeviceVerb::Set(settings), known) => set(desk, org, settings, known)?,
        (verb, None) => {
            let detail = format!("`{org}` reaches no device `{}`", verb.device());
            Answer::refused(Verdict::NotFound, detail)
        }
        (DeviceVerb::Remove(device), Some(row)) => {
            let errors: Vec<String> = jmb_errors(desk.state(), org, &device.name)
                .map(|row| row.map(|(id, _)| id))
                .collect::<Result<_, _>>()?;
            for id in errors {
                desk.remove(jmb_error_key(org, &device.name, &id));
            }
            fetched::forget(desk, org, &device.name)?;
            drift::leave(desk, org, &device.name)?;
            let standing = desk.read(&standing_key(org, &device.name))?;
            serials::keep(desk, (org, &device.name), (Some(&row), standing.as_ref()), (None, None))?;
            desk.remove(standing_key(org, &device.name));
            if desk.is_at(GATHERED_FROM) {
                desk.remove(gathered_key(org, &device.name));
            }
            if desk.is_at(scripts::LEVEL) {
                scripts::forget(desk, org, &device.name);
            }
            desk.remove(key(org, &device.name));
            counted(desk, org, -1);
            Answer::done("removed", shown(&row), serde_json::Value::Null)
        }
        (DeviceVerb::PinHostKey(pin), Some(row)) => self::pin(desk, org, &command.principal, pin, row)?,
        (DeviceVerb::Use(using), Some(_))
            if using.what == UseKind::Rpc && !using.asks_only && pushes::are_approved(desk) =>
        {
            let detail =
                "what changes a device's configuration needs approval here: `device config apply` brings it about";
            Answer::refused(Verdict::Forbidden, detail)
        }
        // The node that was asked does it; here it goes on record.
        (DeviceVerb::Use(using), Some(_)) => Answer::done("done", serde_json::Value::Null, used(desk, org, using)?),
        (DeviceVerb::JmbError(wish), Some(_)) => self::wish(desk, org, wish)?,
        (DeviceVerb::Gather(asked), Some(row)) => {
            let (answer, told) = gathered::ask(desk, org, &command.principal, asked, &row)?;
            switched = told;
            answer
        }
    };
    Ok((answer.about(&verb.device()), switched))
}

/// How a device is reached once that is done of it which is asked for; none where that is too little for a new one.
pub fn row_of(known: Option<ReachedRow>, settings: &DeviceSettings) -> Option<ReachedRow> {
    let row = match known {
        Some(row) => row,
        None => ReachedRow::new(settings.address.clone()?, settings.user.clone()?, settings.credentials?),
    };
    Some(row.with(settings))
}

/// How many devices of an organization are reached: counted once, and kept up from there on.
pub(crate) fn count(desk: &mut Desk, org: &OrgName) -> Result<usize, Error> {
    if let Some(known) = desk.reached.get(org) {
        return Ok(*known);
    }
    let mut count = 0;
    for row in Table::<ReachedRow>::scan(desk.state(), within(org.as_str(), &[])) {
        row?;
        count += 1;
    }
    desk.reached.insert(org.clone(), count);
    Ok(count)
}

/// One more is reached of an organization, or one less.
fn counted(desk: &mut Desk, org: &OrgName, by: isize) {
    if let Some(count) = desk.reached.get_mut(org) {
        *count = count.saturating_add_signed(by);
    }
}

/// Reaches a device, or reaches it otherwise.
fn set(desk: &mut Desk, org: &OrgName, settings: &DeviceSettings, known: Option<ReachedRow>) -> Result<Answer, Error> {
    let settings = &DeviceSettings { is_nowhere: settings.is_nowhere && desk.is_at(NOWHERE_FROM), ..settings.clone() };
    let name = &settings.name;
    if known.is_some() && settings.is_new {
        return Ok(Answer::refused(Verdict::Conflict, format!("`{org}` reaches a device `{name}` already")));
    }
    if let Some(place) = &settings.place {
        let is_there = place.organization == *org && places::is_within(desk.state(), &Place::Below(place.clone()))?;
        if !is_there {
            return Ok(Answer::refused(Verdict::Invalid, format!("`{org}` has no place `{place}`")));
        }
    }
    if desk.is_at(GATHERED_FROM) {
        for group in settings.directives.iter().flatten() {
            if desk.read(&directives_key(org, group))?.is_none() {
                return Ok(Answer::refused(Verdict::Invalid, format!("`{org}` has no directives group `{group}`")));
            }
        }
    }
    let before = known.as_ref().map(shown);
    let Some(row) = row_of(known.clone(), settings) else {
        let detail = "a new device needs an address, a user and what the user shows";
        return Ok(Answer::refused(Verdict::Invalid, detail));
    };
    if let Some(refused) = refused::refusal(desk, org, settings, (known.as_ref(), &row))? {
        return Ok(refused);
    }
    if known.as_ref() == Some(&row) {
        return Ok(Answer::done(UNCHANGED, before.unwrap_or_default(), shown(&row)));
    }
    // Of another way to it nothing is known yet.
    let is_elsewhere = known.as_ref().is_none_or(|known| !known.is_reached_as(&row));
    let is_other = desk.is_at(scripts::LEVEL) && known.as_ref().is_some_and(|known| known.may_be_another_than(&row));
    let stood = desk.read(&standing_key(org, name))?;
    let standing = is_elsewhere.then(|| {
        let StandingRow { collected, facts, .. } = stood.clone().unwrap_or_else(|| StandingRow::new(desk.now));
        let facts = if is_other { FactsRow::default() } else { facts };
        StandingRow { collected, facts, ..StandingRow::new(desk.now) }
    });
    let stands = standing.as_ref().or(stood.as_ref());
    serials::keep(desk, (org, name), (known.as_ref(), stood.as_ref()), (Some(&row), stands))?;
    if let Some(standing) = &standing {
        desk.write(standing_key(org, name), standing)?;
    }
    if is_other {
        heard::replaced(desk, org, name)?;
    }
    desk.write(key(org, name), &row)?;
    match &known {
        Some(known) => known_anew(desk, org, name, (known, &row))?,
        None => counted(desk, org, 1),
    }
    Ok(match before {
        Some(before) => Answer::done("changed", before, shown(&row)),
        None => Answer::created(shown(&row)),
    })
}

/// A device may be another from here on, as people say it: by its serial number it is, by its host key it may be.
fn known_anew(
    desk: &mut Desk,
    org: &OrgName,
    name: &str,
    (before, row): (&ReachedRow, &ReachedRow),
) -> Result<(), Error> {
    if heard::is_another(&before.serial_number, &row.serial_number) {
        return heard::replaced(desk, org, name);
    }
    if desk.is_at(scripts::LEVEL) && before.host_key != row.host_key {
        scripts::look_again(desk, org, name)?;
    }
    Ok(())
}

/// A place is gone, with all below it: devices that were there are at none.
pub(crate) fn leave(desk: &mut Desk, org: &OrgName, gone: &PlacePath) -> Result<(), Error> {
    let is_there = |row: &ReachedRow| row.place.as_ref().is_some_and(|place| gone.covers(place));
    let there: Vec<(String, ReachedRow)> = all(desk.state(), org)
        .filter(|row| row.as_ref().is_ok_and(|(_, row)| is_there(row)) || row.is_err())
        .collect::<Result<_, _>>()?;
    for (name, row) in there {
        desk.write(key(org, &name), &ReachedRow { place: None, ..row })?;
    }
    Ok(())
}

/// Says which host key a device has.
fn pin(
    desk: &mut Desk,
    org: &OrgName,
    principal: &Principal,
    pin: &HostKeyPin,
    row: ReachedRow,
) -> Result<Answer, Error> {
    if pin.is_first && (*principal != Principal::Machine || row.host_key.is_some() || !row.accepts_first_host_key) {
        let detail = format!("the first host key of `{}` is not to be taken for its own", pin.name);
        return Ok(Answer::refused(Verdict::Conflict, detail));
    }
    let before = json!({"host_key": row.host_key, "accepts_first_host_key": row.accepts_first_host_key});
    let known = row.clone();
    let row = ReachedRow { host_key: pin.host_key.clone(), accepts_first_host_key: pin.host_key.is_none(), ..row };
    let after = json!({"host_key": row.host_key, "accepts_first_host_key": row.accepts_first_host_key});
    if before == after {
        return Ok(Answer::done(UNCHANGED, before, after));
    }
    if !pin.is_first
        && let Some(standing) = desk.read(&standing_key(org, &pin.name))?
    {
        let StandingRow { collected, facts, .. } = standing;
        let standing = StandingRow { collected, facts, ..StandingRow::new(desk.now) };
        desk.write(standing_key(org, &pin.name), &standing)?;
    }
    desk.write(key(org, &pin.name), &row)?;
    known_anew(desk, org, &pin.name, (&known, &row))?;
    Ok(Answer::done(if pin.is_first { "accepted" } else { "changed" }, before, after))
}

/// Keeps what is to become of a file that was set aside; the collector does it.
fn wish(desk: &mut Desk, org: &OrgName, wish: &JmbErrorWish) -> Result<Answer, Error> {
    let key = jmb_error_key(org, &wish.name, &wish.id);
    let Some(row) = desk.read(&key)? else {
        let detail = format!("no file `{}` of `{}` is set aside", wish.id, wish.name);
        return Ok(Answer::refused(Verdict::NotFound, detail));
    };
    let asked = if wish.is_deleted { WishRow::Delete } else { WishRow::Recheck };
    let what = if wish.is_deleted { "to be removed" } else { "to be checked" };
    let new = json!({"file": row.file, "wish": what});
    desk.write(key, &JmbErrorRow { wish: asked, ..row })?;
    Ok(Answer::done(what, serde_json::Value::Null, new))
}

/// What the audit shows of what somebody does on a device.
fn used(desk: &Desk, org: &OrgName, using: &DeviceUse) -> Result<serde_json::Value, Error> {
    if !desk.is_at(drift::LEVEL) {
        return Ok(json!(DeviceUse { id: String::new(), added: None, removed: None, ..using.clone() }));
    }
    let mut used = json!(using);
    if !using.id.is_empty()
        && let Some(row) = desk.read(&jmb_error_key(org, &using.name, &using.id))?
        && let Some(used) = used.as_object_mut()
    {
        used.insert("file".to_owned(), json!(row.file));
    }
    Ok(used)
}
