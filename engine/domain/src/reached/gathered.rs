//! Data that is gathered from devices without scripts: what was asked for, how far it is, and which devices have their snapshots
//! made so.
//!
//! ```text
//!  asked --> running k of n --> done (host-event-ID)
//!    |             `----------> failed (words)
//!    `--> skipped: the device has made a snapshot itself
//! ```
//!
//! The engine that runs the commands asks for snapshots by itself, once they are due by its clock. Nothing here reads a clock.

use std::rc::Rc;

use jiff::Timestamp;
use linesman_rules::{Field, Subject, SubjectKind, Value as Said};
use linesman_schemas::audit::Verdict;
use linesman_schemas::collected::FilesNamed;
use linesman_schemas::command::Gathering;
use linesman_schemas::device::ERROR_MOST;
use linesman_schemas::gathering::{FAILURES_MOST, GatheringKind, GatheringStands, GatheringState};
use linesman_schemas::trigger::{SwitchData, Trigger};
use linesman_schemas::{OrgName, Principal, Priority};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ReachedRow, StandingRow, directives, name_of, serial_number, standing_key};
use crate::commands::Answer;
use crate::desk::Desk;
use crate::devices::{self, DeviceRow};
use crate::outgoing::Topic;
use crate::policies::Fired;
use crate::silence::DeviceSubject;
use crate::snapshots::{self, SNAPSHOTS_MOST, Snapshot};
use crate::state::Base;
use crate::subject::TimeText;
use crate::table::{Key, Row, Table};
use crate::{Error, coded, uploads};

/// The engine level from which on data is gathered.
pub const LEVEL: u32 = 13;

/// What is gathered from a device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatheredRow {
    /// Whether its snapshots are gathered: it makes none itself.
    pub is_off_box: bool,
    /// How often something was asked for.
    pub count: u64,
    /// The host-event-IDs of information that was gathered, the last at the end: other snapshots are the device's own.
    pub made: Vec<String>,
    /// The host-event-IDs of snapshots of its serial number that another device has left, the last at the end: these are not
    /// its own either.
    pub others: Vec<String>,
    /// What was last asked for, of each kind.
    pub runs: Vec<RunRow>,
}

impl Row for GatheredRow {}

/// Something that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRow {
    /// Which time it was.
    pub number: u64,
    /// What kind of bundle it becomes.
    #[serde(with = "coded")]
    pub kind: GatheringKind,
    /// When it was asked for.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub asked: Timestamp,
    /// Whether the engine asked for it: a snapshot was due.
    pub is_scheduled: bool,
    /// The problem in one line.
    pub synopsis: Option<String>,
    /// How urgent that is.
    #[serde(with = "coded::optional_priority")]
    pub priority: Option<Priority>,
    /// How far it is.
    pub state: RunState,
    /// Since when.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub since: Timestamp,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunState {
    /// It was not begun.
    Asked,
    /// Commands are run.
    Running {
        /// How many were.
        done: u32,
        /// How many there are.
        of: u32,
    },
    /// The log has the bundle.
    Done {
        /// Its host-event-ID.
        host_event_id: String,
        /// How many commands the device has not carried out.
        failed: u32,
        /// The first of these, each with why.
        failures: Vec<String>,
    },
    /// There is none.
    Failed(String),
    /// There is no need of one.
    Skipped(String),
}

impl RunState {
    /// Whether it goes on.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Asked | Self::Running { .. })
    }

    /// Its word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Running { .. } => "running",
            Self::Done { .. } => "done",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
        }
    }
}

impl GatheredRow {
    /// What was last asked for of a kind.
    pub fn run(&self, kind: GatheringKind) -> Option<&RunRow> {
        self.runs.iter().find(|run| run.kind == kind)
    }

    /// The last snapshot that the device made itself.
    pub fn own<'a>(&self, snapshots: &'a [Snapshot]) -> Option<&'a Snapshot> {
        let own =
            snapshots.iter().filter(|snapshot| self.counts(snapshot) && !self.made.contains(&snapshot.host_event_id));
        own.max_by_key(|own| own.received)
    }

    /// Whether a snapshot of the device's serial number is one of it, whoever made it.
    pub fn counts(&self, snapshot: &Snapshot) -> bool {
        !self.others.contains(&snapshot.host_event_id)
    }
}

/// The table of what is gathered, by the name of the device.
pub const GATHERED: Table<GatheredRow> = Table::new(b')');

/// The key of what is gathered from a device.
pub fn gathered_key(org: &OrgName, device: &str) -> Key<GatheredRow> {
    GATHERED.key(&[org.as_str()], device.as_bytes())
}

/// What is gathered from an organization's devices, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn gathered(
    base: &(impl Base + ?Sized),
    org: &OrgName,
) -> impl Iterator<Item = Result<(String, GatheredRow), Error>> {
    GATHERED.rows(base, &[org.as_str()]).map(|row| row.map(|(own, row)| (name_of(&own), row)))
}

/// What policies are to judge of a device that was switched.
pub(crate) type Switched = (Fired, SwitchSubject);

/// Data is to be gathered from a device. With the answer what policies are to hear.
pub(crate) fn ask(
    desk: &mut Desk,
    org: &OrgName,
    principal: &Principal,
    asked: &Gathering,
    device: &ReachedRow,
) -> Result<(Answer, Option<Switched>), Error> {
    let refused = |verdict, detail: String| Ok((Answer::refused(verdict, detail), None));
    let (name, kind) = (&asked.name, asked.kind);
    if asked.unless_since.is_some() && (*principal != Principal::Machine || kind != GatheringKind::Information) {
        return refused(Verdict::Invalid, "what is due is asked for by the engine alone".to_owned());
    }
    let key = gathered_key(org, name);
    let mut row = desk.read(&key)?.unwrap_or_default();
    if let Some(run) = row.run(kind).filter(|run| run.state.is_open()) {
        let detail = format!("`{kind}` is gathered from `{name}` already: number {}", run.number);
        return refused(Verdict::Conflict, detail);
    }
    if directives::commands(desk.state(), org, device)?.is_empty() {
        let detail = format!("`{name}` names no directives group that there is: `linesman device set --directives`");
        return refused(Verdict::Conflict, detail);
    }
    row.count += 1;
    let mut run = RunRow {
        number: row.count,
        kind,
        asked: desk.now,
        is_scheduled: asked.unless_since.is_some(),
        synopsis: asked.synopsis.clone(),
        priority: asked.priority,
        state: RunState::Asked,
        since: desk.now,
    };
    let (mut what, mut switched) = ("asked", None);
    if let Some(since) = asked.unless_since {
        let standing = desk.read(&standing_key(org, name))?;
        let serial_number = serial_number(device, standing.as_ref()).unwrap_or_default().to_owned();
        let kept = desk.read(&snapshots::key(org, &serial_number))?.unwrap_or_default();
        let own = row.own(&kept.snapshots).map(|own| own.received);
        if own.is_some_and(|own| own > since) {
            run.state = RunState::Skipped("the device has made one itself".to_owned());
            row.is_off_box = false;
            what = "skipped";
        } else {
            if let Some(last_snapshot) = own.filter(|_| !row.is_off_box) {
                let learned = desk.read(&devices::key(org, &serial_number))?.unwrap_or_else(DeviceRow::unknown);
                switched = Some(SwitchSubject::new(name, serial_number, device, learned, last_snapshot));
            }
            row.is_off_box = true;
        }
    }
    let new = json!({"kind": kind, "number": run.number, "synopsis": run.synopsis, "priority": run.priority});
    row.runs.retain(|run| run.kind != kind);
    row.runs.push(run);
    row.runs.sort_by_key(|run| run.kind);
    desk.write(key, &row)?;
    let told = switched.map(|subject| subject.tell(desk, org)).transpose()?;
    Ok((Answer::done(what, Value::Null, new), told))
}

/// A device has left a snapshot of a serial number: for others of that number it is not one of their own.
pub(crate) fn brought(desk: &mut Desk, org: &OrgName, named: &FilesNamed) -> Result<(), Error> {
    let serial = &named.serial_number;
    let kept = desk.read(&snapshots::key(org, serial))?.unwrap_or_default();
    let sha256 = uploads::sha256(&named.sha256);
    let is_it = |kept: &Snapshot| kept.host_event_id == named.host_event_id && Some(kept.bundle.sha256) == sha256;
    if !kept.snapshots.iter().any(is_it) {
        desk.tally.input("result", "unknown snapshot");
        return Ok(());
    }
    desk.tally.input("result", "snapshot brought");
    let mut of_others = Vec::new();
    for device in super::all(desk.state(), org) {
        let (name, row) = device?;
        let standing = desk.read(&standing_key(org, &name))?;
        let is_other = name != named.device && serial_number(&row, standing.as_ref()) == Some(serial);
        of_others.extend(is_other.then_some(name));
    }
    for name in of_others {
        let key = gathered_key(org, &name);
        let mut row = desk.read(&key)?.unwrap_or_default();
        if !row.others.contains(&named.host_event_id) {
            row.others.push(named.host_event_id.clone());
            let surplus = row.others.len().saturating_sub(2 * SNAPSHOTS_MOST);
            row.others.drain(..surplus);
            desk.write(key, &row)?;
        }
    }
    Ok(())
}

/// Other hardware stands for a device: that something was gathered from the one before counts no more. What is under way goes on.
pub(super) fn begin_anew(desk: &mut Desk, org: &OrgName, device: &str) -> Result<(), Error> {
    let key = gathered_key(org, device);
    if let Some(mut row) = desk.read(&key)? {
        row.is_off_box = false;
        row.runs.retain(|run| run.state.is_open());
        desk.write(key, &row)?;
    }
    Ok(())
}

/// Takes note of how far it is.
pub(crate) fn stands(desk: &mut Desk, org: &OrgName, report: &GatheringStands) -> Result<(), Error> {
    let key = gathered_key(org, &report.device);
    let Some(mut row) = desk.read(&key)? else {
        desk.tally.input("result", "unknown device");
        return Ok(());
    };
    let is_it = |run: &&mut RunRow| run.kind == report.kind && run.number == report.number && run.state.is_open();
    let Some(run) = row.runs.iter_mut().find(is_it) else {
        desk.tally.input("result", "stale");
        return Ok(());
    };
    desk.tally.input("result", "gathering");
    let cut = |text: &str| text.chars().take(ERROR_MOST).collect::<String>();
    let state = match &report.how {
        GatheringState::Running { done, of, host_event_id } => {
            // IMPORTANT: before the bundle enters the log, so that it is known as no snapshot of the device's own.
            if report.kind == GatheringKind::Information && !row.made.contains(host_event_id) {
                row.made.push(cut(host_event_id));
                let surplus = row.made.len().saturating_sub(2 * SNAPSHOTS_MOST);
                row.made.drain(..surplus);
            }
            RunState::Running { done: *done, of: *of }
        }
        GatheringState::Done { host_event_id, failed, failures } => RunState::Done {
            host_event_id: cut(host_event_id),
            failed: *failed,
            failures: failures.iter().take(FAILURES_MOST).map(|failure| cut(failure)).collect(),
        },
        GatheringState::Failed { error } => RunState::Failed(cut(error)),
        GatheringState::Skipped { why } => RunState::Skipped(cut(why)),
    };
    run.state = state;
    run.since = desk.now;
    desk.write(key, &row)
}

/// A device whose snapshots are gathered from now on, as policies see it.
#[derive(Debug, Clone)]
pub(crate) struct SwitchSubject {
    name: String,
    address: String,
    learned: DeviceSubject,
    last_snapshot: TimeText,
}

impl SwitchSubject {
    fn new(name: &str, serial_number: String, reached: &ReachedRow, row: DeviceRow, last_snapshot: Timestamp) -> Self {
        let (name, address) = (name.to_owned(), reached.address.clone());
        let learned = DeviceSubject::new(&serial_number, Rc::new(row));
        Self { name, address, learned, last_snapshot: TimeText::new(last_snapshot) }
    }

    fn tell(self, desk: &mut Desk, org: &OrgName) -> Result<Switched, Error> {
        let trigger = Trigger::CollectionSwitched;
        desk.tally.trigger(trigger.as_str());
        let event = desk.say(&Topic::Trigger(org.clone(), trigger), org, Some(&self.name), self.data())?;
        Ok((Fired { trigger, event, about: self.name.clone(), is_providers: false }, self))
    }

    fn data(&self) -> SwitchData<'_> {
        SwitchData { name: &self.name, device: self.learned.data(), last_snapshot: self.last_snapshot.time() }
    }
}

impl Subject for SwitchSubject {
    fn kind(&self) -> SubjectKind {
        SubjectKind::Device
    }

    fn value(&self, field: Field) -> Said<'_> {
        match field {
            Field::Name => Said::Text(&self.name),
            Field::DeviceManagementAddress => Said::Text(&self.address),
            Field::LastSnapshot => Said::Text(self.last_snapshot.as_str()),
            // It is of `device.silent` alone.
            Field::LastSeen => Said::Absent,
            field => self.learned.value(field),
        }
    }
}

/// A device that was switched, as it is known now; none where it is not known any more.
pub(crate) fn find_switched(desk: &Desk, org: &OrgName, name: &str) -> Result<Option<SwitchSubject>, Error> {
    let Some(device) = desk.read(&super::key(org, name))? else { return Ok(None) };
    let standing: Option<StandingRow> = desk.read(&standing_key(org, name))?;
    let serial_number = serial_number(&device, standing.as_ref()).unwrap_or_default().to_owned();
    let kept = desk.read(&snapshots::key(org, &serial_number))?.unwrap_or_default();
    let row = desk.read(&gathered_key(org, name))?.unwrap_or_default();
    let Some(own) = row.own(&kept.snapshots) else { return Ok(None) };
    let learned = desk.read(&devices::key(org, &serial_number))?.unwrap_or_else(DeviceRow::unknown);
    Ok(Some(SwitchSubject::new(name, serial_number, &device, learned, own.received)))
}
