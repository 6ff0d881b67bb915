//! Quotas: how many messages and bytes of an organization's publishers are decided a day, how many devices it has, and how many
//! host-event-IDs of it are remembered.
//!
//! What comes beyond a quota of the day is left undecided, before anybody reads it: it stands in IN, and one dead letter says
//! at the end of the day how much that was. Of devices none is beyond: bundles of all are decided, and no further one is reached.
//! Commands and reports are nobody's publishers'. A problem whose id would be one more than are to be remembered is left undecided
//! too, once it was read: one that is known counts on its incident as ever.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use linesman_rules::{Field, Subject, SubjectKind, Value};
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::DeviceSettings;
use linesman_schemas::dead_letter::{Counted, DeadLetter, Reason};
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{OrgName, QuotaData, QuotaKind, Quotas};
use serde::{Deserialize, Serialize};

use super::commands::Answer;
use super::desk::Desk;
use super::devices::{DeviceRow, Devices, Named};
use super::input::Input;
use super::organizations::Organizations;
use super::outgoing::Topic;
use super::policies::Fired;
use super::state::Base;
use super::table::{Key, Row, Table};
use super::timers::{self, Timer};
use super::{Error, dead_letters, devices, reached, remembered};

/// The engine level from which on there are quotas.
pub const LEVEL: u32 = 13;

const DAY_S: i64 = 86_400;

/// What an organization has sent on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaRow {
    /// The day by UTC, counted from that of the epoch.
    pub day: i64,
    /// How many messages count.
    pub messages: u64,
    /// How many bytes.
    pub bytes: u64,
    /// What was said on that day: a bit for each kind and trigger.
    told: u8,
    /// What was left undecided.
    pub left: Option<LeftRow>,
}

impl Row for QuotaRow {}

/// What of an organization's was left undecided on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftRow {
    /// How many messages.
    pub messages: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Where the first of them stands in IN.
    pub first: u64,
    /// Where the last does.
    pub last: u64,
}

impl QuotaRow {
    const fn new(day: i64) -> Self {
        Self { day, messages: 0, bytes: 0, told: 0, left: None }
    }

    /// Whether it was said on that day that a quota is used up.
    pub const fn was_exhausted(&self, kind: QuotaKind) -> bool {
        self.told & bit(kind, true) != 0
    }

    /// Whether `trigger` is to be said of a kind; it counts as said from here on.
    fn tells(&mut self, kind: QuotaKind, trigger: Trigger) -> bool {
        let bit = bit(kind, matches!(trigger, Trigger::QuotaExhausted));
        let is_news = self.told & bit == 0;
        self.told |= bit;
        is_news
    }
}

/// What stands for it that it was said of a quota that it is used up, or else nearly.
const fn bit(kind: QuotaKind, is_exhausted: bool) -> u8 {
    1 << (2 * kind as u8 + is_exhausted as u8)
}

/// The table of what organizations have sent, of each its last day.
pub const QUOTAS: Table<QuotaRow> = Table::new(b';');

/// The key of what an organization has sent.
pub fn key(org: &OrgName) -> Key<QuotaRow> {
    QUOTAS.key(&[], org.as_str().as_bytes())
}

/// What organizations of a lane have sent on the day of their last message that counted.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all(base: &(impl Base + ?Sized)) -> impl Iterator<Item = Result<(OrgName, QuotaRow), Error>> {
    QUOTAS
        .rows(base, &[])
        .filter_map(|row| row.map(|(own, row)| Some((std::str::from_utf8(&own).ok()?.parse().ok()?, row))).transpose())
}

/// The day of a moment by UTC, counted from that of the epoch.
pub fn day_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(DAY_S)
}

fn end_of(day: i64) -> Timestamp {
    Timestamp::from_second((day + 1).saturating_mul(DAY_S)).unwrap_or(Timestamp::MAX)
}

/// A day as people write it: `YYYY-MM-DD`.
pub fn text_of(day: i64) -> String {
    let begin = Timestamp::from_second(day.saturating_mul(DAY_S)).unwrap_or(Timestamp::MAX);
    TimeZone::UTC.to_datetime(begin).date().to_string()
}

/// Which organizations have used up what they may send, and on which day: what they send then need not be read.
///
/// INVARIANT (it decides nothing): what was not read for that is read where it is decided after all.
#[derive(Debug, Clone, Default)]
pub struct Overdrawn(BTreeMap<String, i64>);

impl Overdrawn {
    /// Whether a message of an organization's subject is likely to be left undecided.
    pub fn has(&self, org: &str, kind: &str, time: Timestamp) -> bool {
        is_of_publishers(kind) && self.0.get(org).is_some_and(|day| day_of(time) <= *day)
    }
}

/// Whether a kind is what publishers send; all others are the engine's own.
fn is_of_publishers(kind: &str) -> bool {
    !matches!(kind, "cmd" | "result")
}

/// What of an organization counts: its own, and else the usual ones.
pub(crate) fn of(desk: &Desk, organizations: &Organizations, org: &OrgName) -> Quotas {
    match organizations.row(org).filter(|_| desk.is_at(LEVEL)) {
        Some(row) => Quotas::from(row.quotas).or(desk.settings.quotas()),
        None => Quotas::default(),
    }
}

/// How many ids of an organization are remembered at most; none where that is any number.
pub(crate) fn ids_most(desk: &Desk, organizations: &Organizations, org: &OrgName) -> Result<Option<u64>, Error> {
    if !desk.is_at(remembered::LEVEL) || organizations.row(org).is_none() {
        return Ok(None);
    }
    let own = Quotas { remembered_ids: remembered::given(desk.state(), org)?, ..Quotas::default() };
    Ok(own.or(desk.settings.quotas()).remembered_ids)
}

/// What policies are to judge.
pub(crate) type Told = Vec<(Fired, QuotaSubject)>;

/// See the module; what is in memory alone, and can be found out anew.
#[derive(Default)]
pub(crate) struct Meters {
    overdrawn: Arc<Overdrawn>,
    /// How many devices have told of themselves, of organizations with a quota of them where somebody asked.
    devices: BTreeMap<OrgName, u64>,
    /// What of ids was said with the input at hand, and policies have yet to judge.
    said: Option<(Fired, QuotaSubject)>,
}

impl Meters {
    /// Whose messages need not be read; none where that is nobody's.
    pub(crate) fn overdrawn(&self) -> Option<Arc<Overdrawn>> {
        (!self.overdrawn.0.is_empty()).then(|| Arc::clone(&self.overdrawn))
    }

    /// Counts a message; whether it is to be decided, and what was said.
    pub(crate) fn count(
        &mut self,
        desk: &mut Desk,
        organizations: &Organizations,
        org: &OrgName,
        input: &Input<'_>,
    ) -> Result<(bool, Told), Error> {
        let quotas = of(desk, organizations, org);
        if (quotas.messages.is_none() && quotas.bytes.is_none()) || !is_of_publishers(input.kind) {
            return Ok((true, Told::new()));
        }
        let mut row = today(desk, org)?;
        let bytes = input.bytes.len() as u64;
        let is_over = |most: Option<u64>, used: u64| most.is_some_and(|most| used >= most);
        let is_left = is_over(quotas.messages, row.messages) || is_over(quotas.bytes, row.bytes);
        if is_left {
            leave(desk, org, &mut row, input)?;
        } else {
            (row.messages, row.bytes) = (row.messages + 1, row.bytes.saturating_add(bytes));
        }
        self.overdraw(org, row.day, is_left);
        let mut told = Told::new();
        for (kind, used, most) in
            [(QuotaKind::Messages, row.messages, quotas.messages), (QuotaKind::Bytes, row.bytes, quotas.bytes)]
        {
            told.extend(most.map(|most| tell(desk, org, &mut row, (kind, used, most))).transpose()?.flatten());
        }
        desk.write(key(org), &row)?;
        Ok((!is_left, told))
    }

    fn overdraw(&mut self, org: &OrgName, day: i64, is_over: bool) {
        let known = self.overdrawn.0.get(org.as_str()).copied();
        if known == is_over.then_some(day) {
            return;
        }
        let all = &mut Arc::make_mut(&mut self.overdrawn).0;
        match is_over {
            true => all.insert(org.as_str().to_owned(), day),
            false => all.remove(org.as_str()),
        };
    }

    /// How many devices an organization has.
    fn used(&mut self, desk: &mut Desk, org: &OrgName) -> Result<u64, Error> {
        let learned = match self.devices.get(org) {
            Some(learned) => *learned,
            None => {
                let mut learned = 0;
                for row in Table::<DeviceRow>::scan(desk.state(), devices::within(org.as_str(), &[])) {
                    row?;
                    learned += 1;
                }
                self.devices.insert(org.clone(), learned);
                learned
            }
        };
        Ok(learned.max(reached::count(desk, org)? as u64))
    }

    /// Whether a device that sends something has not been heard of, and that counts.
    pub(crate) fn is_news(
        &mut self,
        desk: &Desk,
        organizations: &Organizations,
        devices: &Devices,
        org: &OrgName,
        serial_number: &str,
    ) -> Result<bool, Error> {
        if of(desk, organizations, org).devices.is_none() {
            self.devices.remove(org);
            return Ok(false);
        }
        Ok(devices.find(desk, org, serial_number)?.is_none())
    }

    /// An organization has one device more; what is said of that. `is_learned`: by what it sends.
    pub(crate) fn grown(
        &mut self,
        desk: &mut Desk,
        organizations: &Organizations,
        org: &OrgName,
        is_learned: bool,
    ) -> Result<Option<(Fired, QuotaSubject)>, Error> {
        let Some(most) = of(desk, organizations, org).devices else { return Ok(None) };
        if let Some(known) = self.devices.get_mut(org).filter(|_| is_learned) {
            *known += 1;
        }
        let used = self.used(desk, org)?;
        let mut row = today(desk, org)?;
        let before = row.clone();
        let told = tell(desk, org, &mut row, (QuotaKind::Devices, used, most))?;
        if row != before {
            desk.write(key(org), &row)?;
        }
        Ok(told)
    }

    /// Leaves a problem undecided whose id would be one more than `most`. As a message it counts no more. What is said of that waits
    /// for [`Self::said`].
    pub(crate) fn leave_id(
        &mut self,
        desk: &mut Desk,
        organizations: &Organizations,
        (org, most): (&OrgName, u64),
        input: &Input<'_>,
    ) -> Result<(), Error> {
        let quotas = of(desk, organizations, org);
        let mut row = today(desk, org)?;
        if quotas.messages.is_some() || quotas.bytes.is_some() {
            let bytes = input.bytes.len() as u64;
            (row.messages, row.bytes) = (row.messages.saturating_sub(1), row.bytes.saturating_sub(bytes));
        }
        leave(desk, org, &mut row, input)?;
        let used = remembered::known(desk, org)?.count();
        self.said = tell(desk, org, &mut row, (QuotaKind::RememberedIds, used, most))?;
        desk.write(key(org), &row)
    }

    /// An id more is remembered, under a quota of them; what is said of that waits for [`Self::said`].
    pub(crate) fn remember_id(&mut self, desk: &mut Desk, org: &OrgName, most: u64) -> Result<(), Error> {
        let used = remembered::add(desk, org)?;
        let mut row = today(desk, org)?;
        let before = row.clone();
        self.said = tell(desk, org, &mut row, (QuotaKind::RememberedIds, used, most))?;
        if row != before {
            desk.write(key(org), &row)?;
        }
        Ok(())
    }

    /// What of ids was said with the input at hand.
    pub(crate) fn said(&mut self) -> Option<(Fired, QuotaSubject)> {
        self.said.take()
    }

    /// Why a further device is not reached; none where it may be.
    pub(crate) fn refusal(
        &mut self,
        desk: &mut Desk,
        organizations: &Organizations,
        devices: &mut Devices,
        (org, settings): (&OrgName, &DeviceSettings),
    ) -> Result<Option<Answer>, Error> {
        let Some(most) = of(desk, organizations, org).devices else { return Ok(None) };
        if desk.read(&reached::key(org, &settings.name))?.is_some() {
            return Ok(None);
        }
        let serial_number = settings.serial_number.as_deref().filter(|serial_number| !serial_number.is_empty());
        let named = devices.named(desk, org, serial_number.unwrap_or(&settings.name))?;
        let has_told = !matches!(named, Named::Nobody);
        // One that sends already is no further one.
        let used = if has_told { reached::count(desk, org)? as u64 } else { self.used(desk, org)? };
        let detail = format!("`{org}` has a quota of {most} devices, and this is another");
        Ok((used >= most).then(|| Answer::refused(Verdict::Conflict, detail)))
    }

    /// What a policy failed on, as it is now.
    pub(crate) fn find(
        &mut self,
        desk: &mut Desk,
        organizations: &Organizations,
        org: &OrgName,
        about: &str,
    ) -> Result<Option<QuotaSubject>, Error> {
        let Some(kind) = QuotaKind::ALL.into_iter().find(|kind| kind.as_str() == about) else { return Ok(None) };
        let quotas = of(desk, organizations, org);
        let day = day_of(desk.now);
        let row = desk.read(&key(org))?.filter(|row| row.day == day).unwrap_or(QuotaRow::new(day));
        let (used, most) = match kind {
            QuotaKind::Messages => (row.messages, quotas.messages),
            QuotaKind::Bytes => (row.bytes, quotas.bytes),
            QuotaKind::Devices if quotas.devices.is_none() => return Ok(None),
            QuotaKind::Devices => (self.used(desk, org)?, quotas.devices),
            QuotaKind::RememberedIds => (remembered::known(desk, org)?.count(), ids_most(desk, organizations, org)?),
        };
        Ok(most.map(|most| QuotaSubject { kind, used, most, day: text_of(day) }))
    }
}

/// Counts a message that is left undecided.
fn leave(desk: &mut Desk, org: &OrgName, row: &mut QuotaRow, input: &Input<'_>) -> Result<(), Error> {
    if row.left.is_none() {
        timers::arm_at(desk, end_of(row.day), &Timer::Quota(org.as_str()))?;
    }
    let (sequence, bytes) = (input.sequence, input.bytes.len() as u64);
    let left = row.left.get_or_insert(LeftRow { messages: 0, bytes: 0, first: sequence, last: sequence });
    (left.messages, left.bytes, left.last) = (left.messages + 1, left.bytes.saturating_add(bytes), sequence);
    desk.tally.left_out(input.kind, org, bytes);
    Ok(())
}

/// What an organization has sent today; a day before is ended.
fn today(desk: &mut Desk, org: &OrgName) -> Result<QuotaRow, Error> {
    let day = day_of(desk.now);
    let row = desk.read(&key(org))?;
    if let Some(row) = &row
        && row.day == day
    {
        return Ok(row.clone());
    }
    if let Some(left) = row.and_then(|row| Some((row.day, row.left?))) {
        say_left(desk, org, left)?;
    }
    Ok(QuotaRow::new(day))
}

/// A day is over by the log's clock: it is said what was left undecided.
pub(crate) fn end(desk: &mut Desk, org: &[u8]) -> Result<(), Error> {
    let org: Option<OrgName> = std::str::from_utf8(org).ok().and_then(|org| org.parse().ok());
    let Some(org) = org else { return Ok(()) };
    let Some(row) = desk.read(&key(&org))?.filter(|row| end_of(row.day) <= desk.now) else { return Ok(()) };
    desk.remove(key(&org));
    row.left.map_or(Ok(()), |left| say_left(desk, &org, (row.day, left)))
}

/// Says what was left undecided on a day.
fn say_left(desk: &mut Desk, org: &OrgName, (day, left): (i64, LeftRow)) -> Result<(), Error> {
    let LeftRow { messages, bytes, first, last } = left;
    let day = text_of(day);
    let detail = format!("{messages} messages of {bytes} bytes came beyond the quota of {day}");
    let letter = DeadLetter {
        reason: Reason::OverQuota,
        detail,
        place: None,
        sequence: first,
        subject: format!("in.{org}"),
        policy: None,
        reaction: None,
        length: 0,
        bytes: None,
        counted: Some(Counted { day, messages, bytes, last }),
    };
    dead_letters::say(desk, org, None, letter)
}

/// Says of a quota that it is nearly used, or used up, once a day each; what policies are then to judge.
fn tell(
    desk: &mut Desk,
    org: &OrgName,
    row: &mut QuotaRow,
    (kind, used, most): (QuotaKind, u64, u64),
) -> Result<Option<(Fired, QuotaSubject)>, Error> {
    let is_near = u128::from(used) * 5 >= u128::from(most) * 4;
    let trigger = match used >= most {
        true => Trigger::QuotaExhausted,
        false if is_near => Trigger::QuotaNearing,
        false => return Ok(None),
    };
    if !row.tells(kind, trigger) {
        return Ok(None);
    }
    desk.tally.trigger(trigger.as_str());
    let (about, day) = (kind.as_str(), text_of(row.day));
    let data = QuotaData { organization: org, kind, used, most, day: &day };
    let event = desk.say(&Topic::Trigger(org.clone(), trigger), org, Some(about), data)?;
    let fired = Fired { trigger, event, about: about.to_owned(), is_providers: false };
    Ok(Some((fired, QuotaSubject { kind, used, most, day })))
}

/// A quota, as policies see it.
#[derive(Debug, Clone)]
pub(crate) struct QuotaSubject {
    kind: QuotaKind,
    used: u64,
    most: u64,
    day: String,
}

impl Subject for QuotaSubject {
    fn kind(&self) -> SubjectKind {
        SubjectKind::Quota
    }

    fn value(&self, field: Field) -> Value<'_> {
        let number = |number: u64| Value::Number(i64::try_from(number).unwrap_or(i64::MAX));
        match field {
            Field::Kind => Value::Text(self.kind.as_str()),
            Field::Used => number(self.used),
            Field::Most => number(self.most),
            Field::Day => Value::Text(&self.day),
            _ => Value::Absent,
        }
    }
}
