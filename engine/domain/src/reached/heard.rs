//! What the collector says of devices: how they stand, what they say of themselves, files of theirs that are no bundles.

use linesman_rules::{Field, Subject, SubjectKind, Value};
use linesman_schemas::OrgName;
use linesman_schemas::device::{
    DeviceFacts, DeviceStanding, DeviceState, ERROR_MOST, HEAD_MOST, JmbError, JmbErrorEnded,
};
use linesman_schemas::trigger::{ReachedData, Trigger};

use super::gathered;
use super::{
    FactsRow, JMB_ERRORS, JMB_ERRORS_MOST, JmbErrorRow, ReachedRow, StandingRow, WishRow, jmb_error_key, key,
    serial_number, serials, standing_key,
};
use crate::desk::Desk;
use crate::outgoing::Topic;
use crate::policies::Fired;
use crate::subject::text;
use crate::uploads::fetched;
use crate::{Error, scripts};

/// From which engine level on a device that does not say its serial number is the one that it was.
const SAME_FROM: u32 = 13;

/// Takes note of how a device stands; what policies are to judge, where that is another state. Of a device that is reached no
/// more nothing is noted.
pub(crate) fn stands(
    desk: &mut Desk,
    org: &OrgName,
    report: &DeviceStanding,
) -> Result<Option<(Fired, ReachedSubject)>, Error> {
    let Some(row) = desk.read(&key(org, &report.device))? else {
        desk.tally.input("result", "unknown device");
        return Ok(None);
    };
    desk.tally.input("result", "device");
    let key = standing_key(org, &report.device);
    let before = desk.read(&key)?.unwrap_or_else(|| StandingRow::new(desk.now));
    let is_other = before.state != report.state;
    let facts = report.facts.clone().map(|facts| said(desk, &before.facts, facts.into()));
    let standing = StandingRow {
        state: report.state,
        since: if is_other { desk.now } else { before.since },
        error: report.error.chars().take(ERROR_MOST).collect(),
        collected: report.collected.max(before.collected),
        shown_host_key: report.shown_host_key.clone(),
        facts: facts.unwrap_or_else(|| before.facts.clone()),
    };
    if standing != before {
        serials::keep(desk, (org, &report.device), (Some(&row), Some(&before)), (Some(&row), Some(&standing)))?;
        desk.write(key, &standing)?;
    }
    if is_other_hardware(desk, &before.facts, &standing.facts) {
        replaced(desk, org, &report.device)?;
    }
    // That it is well as soon as it is tried is no news.
    if !is_other || (before.state == DeviceState::New && standing.state == DeviceState::Reachable) {
        return Ok(None);
    }
    let subject = ReachedSubject { name: report.device.clone(), previous: before.state, row, standing };
    let trigger = Trigger::DeviceStateChanged;
    desk.tally.trigger(trigger.as_str());
    let event = desk.say(&Topic::Trigger(org.clone(), trigger), org, Some(&subject.name), subject.data())?;
    Ok(Some((Fired { trigger, event, about: subject.name.clone(), is_providers: false }, subject)))
}

/// Whether a serial number is that of another device than one that was known before.
pub(super) fn is_another(before: &str, serial_number: &str) -> bool {
    !before.is_empty() && !serial_number.is_empty() && before != serial_number
}

/// What a device says of itself, given what it said before: one that does not say its serial number is the same, unless it is
/// another model. So it is known which one it was once another stands in its place.
fn said(desk: &Desk, before: &FactsRow, facts: FactsRow) -> FactsRow {
    let is_kept = facts.serial_number.is_empty() && !is_another(&before.product, &facts.product);
    match desk.is_at(SAME_FROM) && is_kept {
        true => FactsRow { serial_number: before.serial_number.clone(), ..facts },
        false => facts,
    }
}

/// Whether what a device says of itself is of another one than what it said before.
fn is_other_hardware(desk: &Desk, before: &FactsRow, facts: &FactsRow) -> bool {
    let is_hidden = desk.is_at(SAME_FROM) && facts.serial_number.is_empty() && !before.serial_number.is_empty();
    is_another(&before.serial_number, &facts.serial_number) || is_hidden && is_another(&before.product, &facts.product)
}

/// Other hardware stands for a device: what was done on the one before is not done on it.
pub(super) fn replaced(desk: &mut Desk, org: &OrgName, device: &str) -> Result<(), Error> {
    if desk.is_at(scripts::LEVEL) {
        scripts::forget(desk, org, device);
        gathered::begin_anew(desk, org, device)?;
        fetched::forget(desk, org, device)?;
    }
    Ok(())
}

/// A device that is reached as policies see it, by name; none where there is none.
pub(crate) fn find(desk: &Desk, org: &OrgName, name: &str) -> Result<Option<ReachedSubject>, Error> {
    let Some(row) = desk.read(&key(org, name))? else { return Ok(None) };
    let standing = desk.read(&standing_key(org, name))?.unwrap_or_else(|| StandingRow::new(desk.now));
    Ok(Some(ReachedSubject { name: name.to_owned(), previous: standing.state, row, standing }))
}

/// Keeps what is known of a file that is no bundle.
pub(crate) fn set_aside(desk: &mut Desk, org: &OrgName, error: &JmbError) -> Result<(), Error> {
    if desk.read(&key(org, &error.device))?.is_none() {
        desk.tally.input("result", "unknown device");
        return Ok(());
    }
    let key = jmb_error_key(org, &error.device, &error.id);
    let is_known = desk.read(&key)?.is_some();
    let kept = JMB_ERRORS.rows(desk.state(), &[org.as_str(), &error.device]).take(JMB_ERRORS_MOST).count();
    if !is_known && kept >= JMB_ERRORS_MOST {
        desk.tally.input("result", "file beyond bounds");
        return Ok(());
    }
    desk.tally.input("result", "file set aside");
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let row = JmbErrorRow {
        file: cut(&error.file, 4 * linesman_schemas::device::FILE_MOST),
        size: error.size,
        modified: error.modified,
        fault: cut(&error.fault, ERROR_MOST),
        detail: cut(&error.detail, ERROR_MOST),
        line: error.line,
        column: error.column,
        head: cut(&error.head, HEAD_MOST),
        found: desk.now,
        wish: WishRow::None,
    };
    desk.write(key, &row)
}

/// Forgets a file that was set aside.
pub(crate) fn ended(desk: &mut Desk, org: &OrgName, ended: &JmbErrorEnded) -> Result<(), Error> {
    desk.tally.input("result", "file settled");
    desk.remove(jmb_error_key(org, &ended.device, &ended.id));
    Ok(())
}

impl From<DeviceFacts> for FactsRow {
    fn from(facts: DeviceFacts) -> Self {
        use linesman_schemas::device::{PARTS_MOST, SETTING_MOST};

        let cut = |text: String| text.chars().take(SETTING_MOST).collect::<String>();
        let members = facts.members.into_iter().take(PARTS_MOST);
        Self {
            serial_number: cut(facts.serial_number),
            host_name: cut(facts.host_name),
            product: cut(facts.product),
            os_version: cut(facts.os_version),
            routing_engines: facts.routing_engines.into_iter().take(PARTS_MOST).map(cut).collect(),
            members: members.map(|member| (member.number, cut(member.serial_number), cut(member.product))).collect(),
        }
    }
}

/// A device that is reached, as policies see it.
#[derive(Debug, Clone)]
pub(crate) struct ReachedSubject {
    name: String,
    previous: DeviceState,
    row: ReachedRow,
    standing: StandingRow,
}

impl ReachedSubject {
    /// The same, with something else that is wrong with it.
    pub(crate) fn saying(mut self, error: String) -> Self {
        self.standing.error = error;
        self
    }

    fn data(&self) -> ReachedData<'_> {
        ReachedData {
            device: &self.name,
            serial_number: serial_number(&self.row, Some(&self.standing)).unwrap_or_default(),
            state: self.standing.state,
            previous_state: self.previous,
            error: &self.standing.error,
        }
    }
}

impl Subject for ReachedSubject {
    fn kind(&self) -> SubjectKind {
        SubjectKind::Device
    }

    fn value(&self, field: Field) -> Value<'_> {
        let facts = &self.standing.facts;
        match field {
            Field::Name => Value::Text(&self.name),
            Field::State => Value::Text(self.standing.state.as_str()),
            Field::PreviousState => Value::Text(self.previous.as_str()),
            Field::Error => text(&self.standing.error),
            Field::DeviceSerialNumber => text(serial_number(&self.row, Some(&self.standing)).unwrap_or_default()),
            Field::DeviceHostName => text(&facts.host_name),
            Field::DeviceProduct => text(&facts.product),
            Field::DeviceOsVersion => text(&facts.os_version),
            Field::DeviceManagementAddress => Value::Text(&self.row.address),
            _ => Value::Absent,
        }
    }
}
