//! What is known of changes on their way to devices, beside the parts that they are of.
//!
//! ```text
//! > <organization> d <line within it> <activation>   what the line's device said last of a change
//! > <organization> a <reaction>                      which approval a change awaits
//! > <organization> m <reaction>                      of which wave a change is
//! > <organization> q <wave> <device> <place>         the changes that wait for their turn, device by device
//! > <organization> w <wave>                          changes of many devices that came of one input
//! > <organization> b ..., j ...                       by whose doing: `doers`
//! ```

use jiff::Timestamp;
use linesman_schemas::approval::{ApprovalKind, ApprovalRule};
use linesman_schemas::device::ERROR_MOST;
use linesman_schemas::outcome::{Attempt, Difference, Failure, FailureClass, Outcome};
use linesman_schemas::reaction::{Action, Approved, Configure, GroupChange};
use linesman_schemas::{ApprovalId, OrgName, PlacePath, ReactionId};
use serde::{Deserialize, Serialize};

use super::waves::{self, MemberRow, WaveRow};
use super::{doers, origins, parts};
use crate::desk::Desk;
use crate::reactions::PendingRow;
use crate::shelf::Shelf;
use crate::state::Base;
use crate::table::{Key, Row, Table};
use crate::{Error, places, reactions};

/// From which engine level on what devices say of changes is kept, and of many devices a few are told first.
pub const LEVEL: u32 = 13;

/// How often a device takes a change back before that counts as refused.
const TAKEN_BACK_MOST: u32 = 3;

/// What is known of changes. Stored by its place: a new one is added at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PushRow {
    /// What a device said last of a change of a part.
    Said(SaidRow),
    /// Changes of many devices that came of one input.
    Wave(WaveRow),
    /// Whose turn it is at this place of a wave.
    Turn(ReactionId),
    /// Of which wave a change is.
    Member(MemberRow),
    /// Which approval a change awaits, by its number.
    Asked(u64),
    /// The logins by whose doing something is, in their order.
    By(Vec<String>),
}

/// What a device said last of a change of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidRow {
    /// Which change.
    pub reaction: ReactionId,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub at: Timestamp,
    /// What the change comes to; none where it was not said.
    pub difference: Option<DifferenceRow>,
    /// In which words it was told that the device takes the change back; none where it does not.
    pub taken_back: Option<String>,
    /// Which change did not come as far as the device last, and why; none where it did.
    pub unreached: Option<(ReactionId, String)>,
    /// How often it has taken this change back.
    pub times: u32,
}

/// See [`Difference`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DifferenceRow {
    /// The comparison, of a long one its first lines.
    pub text: String,
    /// How many lines come.
    pub added: u64,
    /// How many go.
    pub removed: u64,
    /// The SHA-256 of the whole.
    pub sha256: String,
    /// Whether there are more lines.
    pub is_cut: bool,
}

impl From<&Difference> for DifferenceRow {
    fn from(told: &Difference) -> Self {
        let Difference { text, added, removed, sha256, is_cut } = told.clone();
        Self { text, added, removed, sha256, is_cut }
    }
}

impl Row for PushRow {}

/// The table of what is known of changes.
pub const PUSHES: Table<PushRow> = Table::new(b'>');

fn said_key(line: &PlacePath, id: &str) -> Key<PushRow> {
    PUSHES.key(&[line.organization.as_str(), "d", &places::within(line)], id.as_bytes())
}

/// What the device of a line said last of a change of an activation's part.
///
/// # Errors
/// The base cannot be read, or the row.
pub fn said(base: &(impl Base + ?Sized), line: &PlacePath, id: &str) -> Result<Option<SaidRow>, Error> {
    Ok(match Table::read(base, &said_key(line, id))? {
        Some(PushRow::Said(said)) => Some(said),
        _ => None,
    })
}

/// What was said of a part goes with it.
pub(crate) fn forget(desk: &mut Desk, line: &PlacePath, id: &str) -> Result<(), Error> {
    let key = said_key(line, id);
    if desk.is_at(LEVEL) && desk.read(&key)?.is_some() {
        desk.remove(key);
    }
    Ok(())
}

/// What of a change is approved before anybody was asked: where it needs no approval, which what takes away never does, there is
/// nothing to be approved.
pub(crate) fn approved(desk: &Desk, change: &GroupChange) -> Option<Approved> {
    (are_approved(desk) && *change != GroupChange::Remove).then(Approved::default)
}

/// Whether what changes the configuration of devices waits for approval.
pub(crate) fn are_approved(desk: &Desk) -> bool {
    let rule = desk.settings.approvals.of(ApprovalKind::ConfigureDevice);
    desk.is_at(LEVEL) && desk.mode.has_proxies() && rule != ApprovalRule::None
}

fn asked_key(org: &OrgName, reaction: &ReactionId) -> Key<PushRow> {
    PUSHES.key(&[org.as_str(), "a"], reaction.as_str().as_bytes())
}

/// Which approval a change awaits, if it awaits one.
///
/// # Errors
/// The base cannot be read, or the row.
pub fn asked(base: &(impl Base + ?Sized), org: &OrgName, reaction: &ReactionId) -> Result<Option<ApprovalId>, Error> {
    Ok(match Table::read(base, &asked_key(org, reaction))? {
        Some(PushRow::Asked(number)) => Some(ApprovalId::new(org.clone(), false, number)),
        _ => None,
    })
}

/// A change awaits an approval.
pub(crate) fn await_approval(desk: &mut Desk, id: &ApprovalId, reaction: &ReactionId) -> Result<(), Error> {
    desk.write(asked_key(&id.org, reaction), &PushRow::Asked(id.number))
}

/// A change awaits none any more.
pub(crate) fn ask_no_more(desk: &mut Desk, org: &OrgName, reaction: &ReactionId) -> Result<(), Error> {
    if desk.is_at(LEVEL) && asked(desk.state(), org, reaction)?.is_some() {
        desk.remove(asked_key(org, reaction));
    }
    Ok(())
}

/// Whether what a change comes to on its device is to be approved and is not.
///
/// # Errors
/// The base cannot be read, or the row.
pub fn needs_approval(base: &(impl Base + ?Sized), reaction: &ReactionId) -> Result<bool, Error> {
    let row = Table::read(base, &reactions::key(reaction.as_str()))?;
    let action = row.and_then(|row| serde_json::from_str(&row.action).ok());
    let Some(Action::Configure(configure)) = action else { return Ok(false) };
    Ok(configure.approved.is_some_and(|approved| approved.sha256.is_none()))
}

/// Whether a change is not to be handed out: others come first, or it awaits approval.
pub(crate) fn waits(desk: &Desk, org: &OrgName, reaction: &ReactionId) -> Result<bool, Error> {
    if !desk.is_at(LEVEL) {
        return Ok(false);
    }
    Ok(waves::waits(desk.state(), org, reaction)? || asked(desk.state(), org, reaction)?.is_some())
}

/// The part that a report is about: its line and its activation.
pub(crate) type Subject = (PlacePath, String);

/// The part that a report is about, if it is one of a change that stands as pending.
pub(crate) fn subject(desk: &Desk, org: &OrgName, report: &Attempt) -> Result<Option<Subject>, Error> {
    let row = reactions::find(desk, org, &report.reaction)?.filter(|row| row.attempt == report.attempt);
    let action = row.and_then(|row| serde_json::from_str(&row.action).ok());
    let Some(Action::Configure(configure)) = action else { return Ok(None) };
    let Configure { device, group, .. } = *configure;
    let Some(owner) = desk.read(&parts::group_key(org, &device.serial_number, &group))? else { return Ok(None) };
    let part = desk.read(&parts::key(&owner.line, &owner.activation))?;
    let is_its_own = part.is_some_and(|part| part.reaction.as_ref() == Some(&report.reaction));
    Ok(is_its_own.then_some((owner.line, owner.activation)))
}

/// Whether what a device says of a change may quote what is hidden from some who read of it.
pub(crate) fn hides(desk: &Desk, org: &OrgName, row: &PendingRow) -> Result<bool, Error> {
    if !desk.is_at(LEVEL) {
        return Ok(false);
    }
    let Ok(Action::Configure(configure)) = serde_json::from_str(&row.action) else { return Ok(false) };
    let Configure { device, group, .. } = *configure;
    let Some(owner) = desk.read(&parts::group_key(org, &device.serial_number, &group))? else { return Ok(false) };
    let part = desk.read(&parts::key(&owner.line, &owner.activation))?;
    part.map_or(Ok(false), |part| origins::is_of_hiding(desk.state(), &Shelf::default(), &part))
}

/// How often a device has taken a change back, with what a report says.
fn times(desk: &Desk, (line, id): (&PlacePath, &str), report: &Attempt) -> Result<u32, Error> {
    let known = said(desk.state(), line, id)?.filter(|said| said.reaction == report.reaction);
    Ok(known.map_or(0, |said| said.times).saturating_add(u32::from(report.is_taken_back)))
}

/// Whether a device has taken a change back as often as it is told one.
pub(crate) fn is_taken_back(desk: &Desk, org: &OrgName, report: &Attempt) -> Result<bool, Error> {
    if !report.is_taken_back || !desk.is_at(LEVEL) {
        return Ok(false);
    }
    let Some((line, id)) = subject(desk, org, report)? else { return Ok(false) };
    Ok(times(desk, (&line, &id), report)? >= TAKEN_BACK_MOST)
}

/// A device has said something of a change, or nothing: what it said before of another counts no more once it has this one.
pub(crate) fn take(desk: &mut Desk, (line, id): &Subject, report: &Attempt) -> Result<(), Error> {
    if desk.read(&parts::key(line, id))?.is_none() {
        doers::forget(desk, line, id)?;
        return forget(desk, line, id);
    }
    let words = match &report.outcome {
        Outcome::Failed(failure) => failure.message.clone(),
        Outcome::Done(_) => String::new(),
    };
    let taken_back = report.is_taken_back.then_some(words);
    let times = times(desk, (line, id), report)?;
    let difference = report.difference.as_ref().map(DifferenceRow::from);
    match (&report.outcome, difference.is_some() || report.is_taken_back) {
        (_, true) => {
            let reaction = report.reaction.clone();
            let said = SaidRow { reaction, at: desk.now, difference, taken_back, times, unreached: None };
            desk.write(said_key(line, id), &PushRow::Said(said))
        }
        (Outcome::Done(_), false) => forget(desk, line, id),
        (Outcome::Failed(failure), false) => not_reached(desk, (line, id), &report.reaction, failure),
    }
}

/// An attempt at a change did not come as far as the device: why is kept beside what that said before.
fn not_reached(
    desk: &mut Desk,
    (line, id): (&PlacePath, &str),
    reaction: &ReactionId,
    failure: &Failure,
) -> Result<(), Error> {
    // What a device says of what it is told may quote that.
    if !matches!(failure.class, FailureClass::Unavailable | FailureClass::Unauthorized) {
        return Ok(());
    }
    let why = failure.message.chars().take(ERROR_MOST).collect();
    let unreached = Some((reaction.clone(), why));
    let known = said(desk.state(), line, id)?;
    if known.as_ref().is_some_and(|known| known.unreached == unreached) {
        return Ok(());
    }
    let known = known.unwrap_or_else(|| SaidRow {
        reaction: reaction.clone(),
        at: desk.now,
        difference: None,
        taken_back: None,
        times: 0,
        unreached: None,
    });
    desk.write(said_key(line, id), &PushRow::Said(SaidRow { unreached, ..known }))
}
