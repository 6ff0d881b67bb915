//! Devices that are reached: how, how they stand with the collector, what they say of themselves, files of theirs that are no
//! bundles, and data that is gathered from those without scripts.
//!
//! A device is known here by the name it was given; what its bundles tell of it lies in `devices`, by its serial number. What
//! its user shows there is kept sealed outside the log.

mod directives;
mod gathered;
mod heard;
mod serials;

use jiff::Timestamp;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{
    AfterCollection, Command, CredentialsKind, DeviceSettings, DeviceUse, DeviceVerb, HostKeyPin, JmbErrorWish, UseKind,
};
use linesman_schemas::device::DeviceState;
use linesman_schemas::{OrgName, Place, PlacePath, Principal};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::activations::{drift, pushes};
use super::commands::{Answer, UNCHANGED};
use super::desk::Desk;
use super::devices::{Devices, Named};
use super::state::Base;
use super::table::{Key, Row, Table};
use super::uploads::fetched;
use super::{Error, coded, places, scripts};

pub(crate) use directives::ask as ask_directives;
pub use directives::{DIRECTIVES, DirectivesRow, GROUPS_MOST, commands, directives, directives_key};
pub use gathered::{GATHERED, GatheredRow, LEVEL as GATHERED_FROM, RunRow, RunState, gathered, gathered_key};
pub(crate) use gathered::{SwitchSubject, Switched, brought, find_switched, stands as gathering_stands};
pub(crate) use heard::{ReachedSubject, ended, find, set_aside, stands};
pub(crate) use serials::keep_host;
pub use serials::{SERIALS, index, is_of_several, of_host, of_serial};

/// The engine level from which on devices are reached.
pub const LEVEL: u32 = 12;
/// The engine level from which on the place of a device can be taken from it.
pub const NOWHERE_FROM: u32 = 13;
/// How many devices of an organization are reached.
pub const DEVICES_MOST: usize = 20_000;
/// How many files of a device are kept as set aside; of more the directory is to be looked after.
pub const JMB_ERRORS_MOST: usize = 1_000;

/// How a device is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachedRow {
    /// Its host name or IP address.
    pub address: String,
    /// The port of SSH.
    pub port: u16,
    /// The port of NETCONF.
    pub netconf_port: u16,
    /// Who logs in.
    pub user: String,
    /// What the user shows.
    #[serde(with = "coded")]
    pub credentials: CredentialsKind,
    /// How often that was given, so that whoever keeps it open sees that it is another.
    pub given: u64,
    /// The directory in which it leaves bundles.
    pub directory: String,
    /// Which of its files are bundles.
    pub pattern: String,
    /// How often it is looked there, in seconds.
    pub poll_s: u32,
    /// What becomes of a file that was collected.
    pub after: AfterRow,
    /// The site or access line where it is.
    pub place: Option<PlacePath>,
    /// Its chassis serial number, as people say it; empty where they do not.
    pub serial_number: String,
    /// The groups of commands by which data is gathered from it.
    pub directives: Vec<String>,
    /// Whether algorithms are allowed that are no longer safe.
    pub is_legacy: bool,
    /// Whether the host key that it shows first is taken for its own.
    pub accepts_first_host_key: bool,
    /// Its host key; none is known.
    pub host_key: Option<String>,
}

impl Row for ReachedRow {}

/// What becomes of a file that was collected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AfterRow {
    /// It is removed.
    Remove,
    /// It is moved to a directory of the device's.
    MoveTo(String),
    /// It stays.
    Leave,
}

/// How a device stands with the collector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingRow {
    /// How.
    #[serde(with = "coded")]
    pub state: DeviceState,
    /// Since when.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub since: Timestamp,
    /// What is wrong, in words; empty for nothing.
    pub error: String,
    /// When a bundle of it was last collected.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub collected: Option<Timestamp>,
    /// The host key that it shows in place of the pinned one.
    pub shown_host_key: Option<String>,
    /// What it says of itself.
    pub facts: FactsRow,
}

impl Row for StandingRow {}

impl StandingRow {
    fn new(now: Timestamp) -> Self {
        let (state, facts) = (DeviceState::New, FactsRow::default());
        Self { state, since: now, error: String::new(), collected: None, shown_host_key: None, facts }
    }
}

/// What a device says of itself; empty for what it did not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactsRow {
    /// Its chassis serial number.
    pub serial_number: String,
    /// Its host name.
    pub host_name: String,
    /// Its model.
    pub product: String,
    /// The version of its operating system.
    pub os_version: String,
    /// Its routing engines.
    pub routing_engines: Vec<String>,
    /// The members of its virtual chassis: number, serial number, model.
    pub members: Vec<(u32, String, String)>,
}

/// A file that is no bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JmbErrorRow {
    /// The file's name; what is no printable character is written as `\u001b`, a byte that is no text as `\xff`.
    pub file: String,
    /// How many bytes it has.
    pub size: u64,
    /// When it was changed last, by the device's clock, in seconds of the epoch.
    pub modified: u64,
    /// What is wrong with it, by name.
    pub fault: String,
    /// What is wrong with it, in words.
    pub detail: String,
    /// The line, from 1; 0 where it is not known.
    pub line: u64,
    /// The column, from 1; 0 where it is not known.
    pub column: u64,
    /// Its beginning.
    pub head: String,
    /// When it was set aside.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub found: Timestamp,
    /// What somebody has asked for.
    pub wish: WishRow,
}

impl Row for JmbErrorRow {}

/// What somebody has asked for of a file that was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WishRow {
    /// Nothing.
    None,
    /// That it is removed from the device.
    Delete,
    /// That it is checked once more.
    Recheck,
}

/// The table of devices that are reached, by name.
pub const REACHED: Table<ReachedRow> = Table::new(b'^');
/// The table of how they stand, by name.
pub const STANDINGS: Table<StandingRow> = Table::new(b'*');
/// The table of files that were set aside, by device and id.
pub const JMB_ERRORS: Table<JmbErrorRow> = Table::new(b':');

/// A device's key.
pub fn key(org: &OrgName, name: &str) -> Key<ReachedRow> {
    REACHED.key(&[org.as_str()], name.as_bytes())
}

/// The key of how it stands.
pub fn standing_key(org: &OrgName, name: &str) -> Key<StandingRow> {
    STANDINGS.key(&[org.as_str()], name.as_bytes())
}

/// The key of a file that was set aside.
pub fn jmb_error_key(org: &OrgName, device: &str, id: &str) -> Key<JmbErrorRow> {
    JMB_ERRORS.key(&[org.as_str(), device], id.as_bytes())
}

/// The front of the keys of an organization's devices that are reached, or of those from a row's own key on.
pub fn within(organization: &str, own: &[u8]) -> Vec<u8> {
    REACHED.prefix(&[organization], own)
}

/// The front of the keys of an organization's files that were set aside, or of those from a row's own key on.
pub fn jmb_errors_within(organization: &str, own: &[u8]) -> Vec<u8> {
    JMB_ERRORS.prefix(&[organization], own)
}

/// An organization's devices that are reached, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all(base: &(impl Base + ?Sized), org: &OrgName) -> impl Iterator<Item = Result<(String, ReachedRow), Error>> {
    REACHED.rows(base, &[org.as_str()]).map(|row| row.map(|(own, row)| (name_of(&own), row)))
}

/// The files of a device that were set aside, by id.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn jmb_errors(
    base: &(impl Base + ?Sized),
    org: &OrgName,
    device: &str,
) -> impl Iterator<Item = Result<(String, JmbErrorRow), Error>> {
    JMB_ERRORS.rows(base, &[org.as_str(), device]).map(|row| row.map(|(own, row)| (name_of(&own), row)))
}

/// The chassis serial number of a device that is reached: as people say it, and else as it says itself.
pub fn serial_number<'a>(row: &'a ReachedRow, standing: Option<&'a StandingRow>) -> Option<&'a str> {
    let said = [Some(row.serial_number.as_str()), standing.map(|standing| standing.facts.serial_number.as_str())];
    said.into_iter().flatten().find(|text| !text.is_empty())
}

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

fn name_of(own: &[u8]) -> String {
    String::from_utf8_lossy(own).into_owned()
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
    if desk.is_at(scripts::LEVEL) && row.moves_to_itself() {
        let detail = "files cannot be moved to the directory that they are collected from";
        return Ok(Answer::refused(Verdict::Invalid, detail));
    }
    if known.is_none() && count(desk, org)? >= DEVICES_MOST {
        let detail = format!("an organization reaches at most {DEVICES_MOST} devices");
        return Ok(Answer::refused(Verdict::Conflict, detail));
    }
    // INVARIANT (nobody is shown credentials that were given for another): another way to a device takes them anew.
    if settings.credentials.is_none()
        && let Some(known) = known.as_ref().filter(|known| known.shows_to() != row.shows_to())
    {
        let word = known.credentials.as_str();
        let detail = format!("what is reached there may be another: give the {word} again with it");
        return Ok(Answer::refused(Verdict::Invalid, detail));
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

/// What the audit shows of how a device is reached.
fn shown(row: &ReachedRow) -> serde_json::Value {
    json!({
        "address": row.address,
        "port": row.port,
        "netconf_port": row.netconf_port,
        "user": row.user,
        "credentials": row.credentials,
        "given": row.given,
        "directory": row.directory,
        "pattern": row.pattern,
        "poll_s": row.poll_s,
        "after": AfterCollection::from(row.after.clone()),
        "place": row.place,
        "serial_number": row.serial_number,
        "directives": row.directives,
        "legacy": row.is_legacy,
        "accepts_first_host_key": row.accepts_first_host_key,
        "host_key": row.host_key,
    })
}

impl From<AfterRow> for AfterCollection {
    fn from(row: AfterRow) -> Self {
        match row {
            AfterRow::Remove => Self::Remove,
            AfterRow::MoveTo(directory) => Self::MoveTo(directory),
            AfterRow::Leave => Self::Leave,
        }
    }
}

impl From<AfterCollection> for AfterRow {
    fn from(after: AfterCollection) -> Self {
        match after {
            AfterCollection::Remove => Self::Remove,
            AfterCollection::MoveTo(directory) => Self::MoveTo(directory),
            AfterCollection::Leave => Self::Leave,
        }
    }
}

impl ReachedRow {
    fn new(address: String, user: String, credentials: CredentialsKind) -> Self {
        Self {
            address,
            port: 22,
            netconf_port: 830,
            user,
            credentials,
            given: 0,
            directory: "/var/tmp".to_owned(),
            pattern: "*.xml".to_owned(),
            poll_s: 30,
            after: AfterRow::Remove,
            place: None,
            serial_number: String::new(),
            directives: Vec::new(),
            is_legacy: false,
            accepts_first_host_key: false,
            host_key: None,
        }
    }

    /// The same, with what was said.
    fn with(self, settings: &DeviceSettings) -> Self {
        let said = settings.clone();
        let after = said.after.map_or(self.after, AfterRow::from);
        Self {
            address: said.address.unwrap_or(self.address),
            port: said.port.unwrap_or(self.port),
            netconf_port: said.netconf_port.unwrap_or(self.netconf_port),
            user: said.user.unwrap_or(self.user),
            given: self.given + u64::from(said.credentials.is_some()),
            credentials: said.credentials.unwrap_or(self.credentials),
            directory: said.directory.unwrap_or(self.directory),
            pattern: said.pattern.unwrap_or(self.pattern),
            poll_s: said.poll_s.unwrap_or(self.poll_s),
            after,
            place: said.place.or(self.place.filter(|_| !said.is_nowhere)),
            serial_number: said.serial_number.unwrap_or(self.serial_number),
            directives: said.directives.unwrap_or(self.directives),
            is_legacy: said.is_legacy.unwrap_or(self.is_legacy),
            accepts_first_host_key: said.accepts_first_host_key.unwrap_or(self.accepts_first_host_key),
            host_key: said.host_key.or(self.host_key),
        }
    }

    /// To whom credentials are shown: what is at an address, and has a host key.
    fn shows_to(&self) -> (&str, u16, u16, Option<&str>, bool) {
        let Self { address, port, netconf_port, host_key, accepts_first_host_key, .. } = self;
        (address, *port, *netconf_port, host_key.as_deref(), *accepts_first_host_key)
    }

    /// Whether the way there is the same.
    fn is_reached_as(&self, other: &Self) -> bool {
        let way = |row: &Self| {
            let Self { address, port, netconf_port, user, given, directory, is_legacy, host_key, .. } = row.clone();
            (address, port, netconf_port, user, given, directory, is_legacy, host_key)
        };
        way(self) == way(other)
    }

    /// Whether it may be another device that is reached so: it is elsewhere, and no host key shows that it is the same.
    fn may_be_another_than(&self, other: &Self) -> bool {
        let place = |row: &Self| (row.address.clone(), row.port);
        place(self) != place(other) && (other.host_key.is_none() || self.host_key != other.host_key)
    }

    /// Whether files would be moved to where they are.
    fn moves_to_itself(&self) -> bool {
        let parts = |path: &str| -> Vec<String> {
            path.split('/').filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect()
        };
        matches!(&self.after, AfterRow::MoveTo(to) if parts(to) == parts(&self.directory))
    }
}
