//! What devices have otherwise than they were told of groups: kept, told of, and what is done about it.
//!
//! ```text
//! < <organization> <device> <group>   DriftRow   how a group was found that was found otherwise once
//! ```
//!
//! Whoever reads a group back says what it was held against. What is told to a device otherwise meanwhile has nothing to do
//! with what was found: it is passed over, and what was known of the group is forgotten where it is told anew.

use jiff::{Timestamp, ToSpan as _};
use linesman_rules::services::OnDrift;
use linesman_schemas::device::{DRIFT_LINE_MOST, DRIFT_LINES_MOST, DriftedLine, GroupRead, SETTING_MOST};
use linesman_schemas::reaction::{Action, Configure, GroupChange};
use linesman_schemas::trigger::{DriftData, Trigger};
use linesman_schemas::{Destination, OrgName, PlacePath};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::parts::{self, Goal, PartRow, State as Standing};
use super::{pushes, recorded};
use crate::desk::Desk;
use crate::outgoing::Topic;
use crate::policies::Fired;
use crate::reactions::{self, Decided};
use crate::shelf::Shelf;
use crate::state::Base;
use crate::table::{Key, Row, Table};
use crate::{Error, devices};

/// From which engine level on groups are read back.
pub const LEVEL: u32 = 13;
/// How soon a device may be told again of a group that has drifted again, in seconds.
const RESTORE_EVERY_S: i64 = 3_600;

/// How a group was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftRow {
    /// The device, by the name by which it is reached.
    pub device: String,
    /// How it is.
    pub state: State,
    /// Since when, as far as it was looked at.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub since: Timestamp,
    /// What the device lacks; the first lines of it.
    pub missing: Vec<LineRow>,
    /// How many lines more.
    pub more_missing: u64,
    /// What it has besides; the first lines of it.
    pub extra: Vec<LineRow>,
    /// How many lines more.
    pub more_extra: u64,
    /// When the device was told again for that, whatever has come of it.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub told: Option<Timestamp>,
    /// When it had it again for that.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub restored: Option<Timestamp>,
    /// How often.
    pub restores: u32,
}

impl Row for DriftRow {}

impl DriftRow {
    /// From when on the device may be told again by itself, where it was once.
    pub fn rests_until(&self) -> Option<Timestamp> {
        self.told?.checked_add(RESTORE_EVERY_S.seconds()).ok()
    }
}

/// How a group is. Stored by its place: a new one is added at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// The device has it as it was told.
    InSync,
    /// It has it otherwise.
    Drifted,
    /// It has it otherwise, and that counts until it is told anew.
    Accepted,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::InSync, Self::Drifted, Self::Accepted];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in-sync",
            Self::Drifted => "drifted",
            Self::Accepted => "accepted",
        }
    }
}

/// A line, without secrets, and the template that it is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRow {
    /// The line, as one would `set` it.
    pub text: String,
    /// The template; empty where none is known.
    pub template: String,
}

impl From<&DriftedLine> for LineRow {
    fn from(line: &DriftedLine) -> Self {
        let cut = |text: &str, most: usize| text.chars().take(most).collect();
        Self { text: cut(&line.text, DRIFT_LINE_MOST), template: cut(&line.template, SETTING_MOST) }
    }
}

/// The table of groups that were found otherwise, by device.
pub const DRIFTS: Table<DriftRow> = Table::new(b'<');

/// A group's key.
pub fn key(org: &OrgName, device: &str, group: &str) -> Key<DriftRow> {
    DRIFTS.key(&[org.as_str(), device], group.as_bytes())
}

/// The front of the keys of an organization's, or of those from a row's own key on.
pub fn within(organization: &str, own: &[u8]) -> Vec<u8> {
    DRIFTS.prefix(&[organization], own)
}

/// The SHA-256 of what a group is to hold, as reports name it.
pub fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is to be read back of a part: what its device has, where that has said all it was to say and is not to lose it.
pub fn readable(part: &PartRow) -> Option<&str> {
    let is_settled = part.goal == Goal::On && part.reaction.is_none() && !part.group.is_empty();
    Some(part.on_device()).filter(|text| is_settled && !text.is_empty())
}

/// A group that is found otherwise.
pub(crate) struct Found {
    line: PlacePath,
    activation: String,
    part: PartRow,
    /// How often it was restored, with this time.
    restores: u32,
    /// Whether it is told of.
    pub(crate) is_told: bool,
    /// Whether the device is told again.
    pub(crate) is_restored: bool,
    /// Whether it is accepted from here on.
    pub(crate) is_accepted: bool,
}

/// Takes note of how a group was found; nothing where the device has it as it was told.
pub(crate) fn take(desk: &mut Desk, shelf: &Shelf, org: &OrgName, read: &GroupRead) -> Result<Option<Found>, Error> {
    let Some(owner) = desk.read(&parts::group_key(org, &read.serial_number, &read.group))? else {
        desk.tally.input("result", "unknown group");
        return Ok(None);
    };
    let part = desk.read(&parts::key(&owner.line, &owner.activation))?;
    let is_it = |part: &PartRow| readable(part).is_some_and(|text| digest(text) == read.sha256);
    let Some(part) = part.filter(is_it) else {
        desk.tally.input("result", "group told otherwise");
        return Ok(None);
    };
    desk.tally.input("result", "group");
    let key = key(org, &read.serial_number, &read.group);
    let known = desk.read(&key)?;
    if read.is_in_sync() {
        if let Some(known) = known.filter(|known| known.state != State::InSync) {
            let row = in_sync(desk.now, known);
            desk.write(key, &row)?;
        }
        return Ok(None);
    }
    let globals = shelf.globals(desk.state())?;
    let service = shelf.service(desk.state(), &part.service, &part.version, &globals)?;
    let templates = read.templates.iter().map(String::as_str);
    let action = service.map(|service| service.definition.on_drift(templates)).unwrap_or_default();
    let state = if action == OnDrift::Accept { State::Accepted } else { State::Drifted };
    let lines = |lines: &[DriftedLine]| lines.iter().take(DRIFT_LINES_MOST).map(LineRow::from).collect::<Vec<_>>();
    let mut row = DriftRow {
        device: read.device.clone(),
        state,
        since: known.as_ref().filter(|known| known.state == state).map_or(desk.now, |known| known.since),
        missing: lines(&read.missing),
        more_missing: read.more_missing,
        extra: lines(&read.extra),
        more_extra: read.more_extra,
        told: known.as_ref().and_then(|known| known.told),
        restored: known.as_ref().and_then(|known| known.restored),
        restores: known.as_ref().map_or(0, |known| known.restores),
    };
    let is_news = known.as_ref() != Some(&row);
    // What the device refused last is not told again by itself.
    let is_restored =
        action == OnDrift::Restore && part.held.is_none() && row.rests_until().is_none_or(|due| due <= desk.now);
    if is_restored {
        row.told = Some(desk.now);
    }
    let restores = row.restores.saturating_add(u32::from(is_restored));
    if known.as_ref() != Some(&row) {
        desk.write(key, &row)?;
    }
    let is_told = state == State::Drifted && (is_news || is_restored);
    let is_accepted = state == State::Accepted && is_news;
    Ok(Some(Found {
        line: owner.line,
        activation: owner.activation,
        part,
        restores,
        is_told,
        is_restored,
        is_accepted,
    }))
}

fn in_sync(now: Timestamp, known: DriftRow) -> DriftRow {
    let (missing, extra) = (Vec::new(), Vec::new());
    DriftRow { state: State::InSync, since: now, missing, more_missing: 0, extra, more_extra: 0, ..known }
}

impl Found {
    /// Says that it is so.
    pub(crate) fn tell(&self, desk: &mut Desk, org: &OrgName, read: &GroupRead) -> Result<Fired, Error> {
        let trigger = Trigger::ConfigurationDrifted;
        desk.tally.trigger(trigger.as_str());
        let data = DriftData {
            device: &read.device,
            serial_number: &read.serial_number,
            group: &read.group,
            place: &self.line,
            activation: &self.activation,
            subscription: &self.part.name,
            service: &self.part.service,
            missing: read.missing.len() as u64 + read.more_missing,
            extra: read.extra.len() as u64 + read.more_extra,
            action: if self.is_restored { OnDrift::Restore.as_str() } else { OnDrift::Report.as_str() },
            restores: self.restores,
        };
        let event = desk.say(&Topic::Trigger(org.clone(), trigger), org, Some(&read.device), data)?;
        Ok(Fired { trigger, event, about: read.device.clone(), is_providers: false })
    }

    /// Puts on record that it counts.
    pub(crate) fn accept(&self, desk: &mut Desk, org: &OrgName, read: &GroupRead, rule_book: u64) -> Result<(), Error> {
        recorded::accept(desk, org, (&self.line, &self.activation, &self.part), read, rule_book)
    }

    /// In words.
    pub(crate) fn words(&self, read: &GroupRead) -> String {
        let (missing, extra) =
            (read.missing.len() as u64 + read.more_missing, read.extra.len() as u64 + read.more_extra);
        let told = if self.is_restored { "; it is told again" } else { "" };
        format!("the group `{}` for `{}` lacks {missing} lines and has {extra} besides{told}", read.group, self.line)
    }

    /// The device is told again what it was told, by which activation; nothing where it cannot be.
    pub(crate) fn restore(self, desk: &mut Desk, org: &OrgName) -> Result<Option<(String, Decided)>, Error> {
        let Self { line, activation, mut part, .. } = self;
        let host_name = desk.read(&devices::key(org, &part.device))?.map(|row| row.host_name);
        let host_name = host_name.filter(|name| !name.is_empty());
        let device = linesman_schemas::reaction::Device {
            organization: org.clone(),
            serial_number: part.device.clone(),
            host_name,
        };
        let Some(peer) = device.peer() else { return Ok(None) };
        let id = desk.next_reaction(org);
        let change = GroupChange::Put { text: part.text.clone() };
        let approved = pushes::approved(desk, &change);
        let action = Action::Configure(Box::new(Configure {
            device,
            group: part.group.clone(),
            change,
            approved,
            is_restore: true,
        }));
        let destination = Destination { connector: reactions::DEVICE.into(), peer: Some(peer) };
        (part.reaction, part.held, part.changed) = (Some(id.clone()), Some(part.text.clone()), desk.now);
        if part.state == Standing::Active {
            part.state = Standing::Pending;
        }
        desk.write(parts::key(&line, &activation), &part)?;
        Ok(Some((activation, Decided { id, destination, action })))
    }
}

/// A device has answered that it has a group as it was told.
pub(super) fn settled(desk: &mut Desk, org: &OrgName, device: &str, group: &str) -> Result<(), Error> {
    let key = key(org, device, group);
    match desk.is_at(LEVEL).then(|| desk.read(&key)).transpose()?.flatten() {
        Some(known) if known.state != State::InSync => {
            let is_restored = known.told.is_some_and(|told| known.restored.is_none_or(|restored| restored < told));
            let mut row = in_sync(desk.now, known);
            if is_restored {
                (row.restored, row.restores) = (Some(desk.now), row.restores.saturating_add(1));
            }
            desk.write(key, &row)
        }
        _ => Ok(()),
    }
}

/// A device is told of a group otherwise, or has it no more: what was found of it before counts no more.
pub(super) fn forget(desk: &mut Desk, org: &OrgName, device: &str, group: &str) -> Result<(), Error> {
    let key = key(org, device, group);
    if desk.is_at(LEVEL) && desk.read(&key)?.is_some() {
        desk.remove(key);
    }
    Ok(())
}

/// A device is reached no more: what was found there counts no more.
pub(crate) fn leave(desk: &mut Desk, org: &OrgName, device: &str) -> Result<(), Error> {
    if !desk.is_at(LEVEL) {
        return Ok(());
    }
    for (serial_number, group) in of_device(desk.state(), org, device)? {
        desk.remove(key(org, &serial_number, &group));
    }
    Ok(())
}

/// The groups of a device by the name by which it is reached that were found otherwise.
fn of_device(base: &(impl Base + ?Sized), org: &OrgName, device: &str) -> Result<Vec<(String, String)>, Error> {
    let mut found = Vec::new();
    for row in DRIFTS.rows(base, &[org.as_str()]) {
        let (own, row) = row?;
        if row.device == device
            && let Some((serial_number, group)) = names(&own)
        {
            found.push((serial_number, group));
        }
    }
    Ok(found)
}

/// The device, as activations name it, and the group that a row's own key behind the organization's name is.
pub fn names(own: &[u8]) -> Option<(String, String)> {
    let (device, group) = std::str::from_utf8(own).ok()?.split_once('\0')?;
    Some((device.to_owned(), group.to_owned()))
}
