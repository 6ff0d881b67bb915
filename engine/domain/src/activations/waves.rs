//! Waves: of changes that come of one input and go to many devices, a few are told first, and the others once these have
//! taken theirs, so many at a time. Where too many fail the rest is held.
//!
//! ```text
//! waits -> told -> heard of: done, given up, or tried again
//! ```
//!
//! A change that a device has answered on for the first time, however, makes room for the next: one that is not reached keeps
//! nobody waiting. One that is held goes on by `redeploy` alone, be it one that was told already and has not come about.
//!
//! What takes a group away never waits: it is the way back.

use std::ops::Bound;

use linesman_schemas::control::ActivationSettings;
use linesman_schemas::outcome::{Attempt, Difference, Outcome};
use linesman_schemas::{OrgName, ReactionId};
use serde::{Deserialize, Serialize};

use super::held::Stopped;
use super::pushes::{LEVEL, PUSHES, PushRow, asked};
use crate::Error;
use crate::desk::Desk;
use crate::reactions;
use crate::state::Base;
use crate::table::{self, Key, Table};

/// How many devices are told at a time once the first have taken their change, each of one.
const AT_A_TIME: u64 = 16;

/// What becomes of waves, as they are counted.
pub const ENDS: [&str; 3] = ["begun", "over", "held"];

/// Changes of many devices that came of one input.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveRow {
    /// How many changes it has had.
    pub members: u64,
    /// How many of them wait for their turn.
    pub waiting: u64,
    /// The devices that are told of one and were not heard of yet.
    pub told: Vec<String>,
    /// How many stand as pending, those that wait too.
    pub pending: u64,
    /// How many devices have changed by it.
    pub good: u64,
    /// How many have failed for good.
    pub failed: u64,
    /// The place of the next one that comes.
    pub next: u64,
    /// Whether no more come.
    pub is_whole: bool,
    /// Why the rest is held.
    pub held: Option<Held>,
}

/// Why the rest of a wave is held. Stored by its place: a new one is added at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Held {
    /// So many changes have failed.
    Failed {
        /// How many.
        failed: u64,
        /// Of how many.
        of: u64,
    },
    /// One has taken its change back.
    TakenBack,
}

impl Held {
    /// In words for whoever sees one of the lines that wait.
    pub fn told(self) -> String {
        format!("held: {}; `redeploy` of the subscription tells the device", self.reason())
    }

    /// The reason alone.
    pub(super) fn reason(self) -> String {
        match self {
            Self::Failed { failed, of } => format!("{failed} of {of} changes have failed"),
            Self::TakenBack => "a device that was not heard of behind the change takes it back".to_owned(),
        }
    }
}

/// Of which wave a change is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRow {
    /// The wave's number.
    wave: u64,
    /// The device.
    device: String,
    /// The place in it.
    place: u64,
    /// Whether it waits for its turn.
    waits: bool,
    /// Whether it was heard of.
    is_heard: bool,
}

/// How it is with the turn of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The device is told.
    Told,
    /// Others come first.
    Waits,
    /// The device is told no more, unless somebody wants that.
    Held(Held),
}

fn wave_key(org: &OrgName, wave: u64) -> Key<PushRow> {
    PUSHES.key(&[org.as_str(), "w"], &wave.to_be_bytes())
}

fn turn_key(org: &OrgName, wave: u64, device: &str, place: u64) -> Key<PushRow> {
    PUSHES.key(&[org.as_str(), "q"], &[&wave.to_be_bytes(), device.as_bytes(), &[0], &place.to_be_bytes()].concat())
}

fn member_key(org: &OrgName, reaction: &ReactionId) -> Key<PushRow> {
    PUSHES.key(&[org.as_str(), "m"], reaction.as_str().as_bytes())
}

fn read(base: &(impl Base + ?Sized), org: &OrgName, wave: u64) -> Result<Option<WaveRow>, Error> {
    Ok(match Table::read(base, &wave_key(org, wave))? {
        Some(PushRow::Wave(row)) => Some(row),
        _ => None,
    })
}

fn member(base: &(impl Base + ?Sized), org: &OrgName, reaction: &ReactionId) -> Result<Option<MemberRow>, Error> {
    Ok(match Table::read(base, &member_key(org, reaction))? {
        Some(PushRow::Member(row)) => Some(row),
        _ => None,
    })
}

/// How it is with the turn of a change.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn turn(base: &(impl Base + ?Sized), org: &OrgName, reaction: &ReactionId) -> Result<Turn, Error> {
    let Some(member) = member(base, org, reaction)?.filter(|member| member.waits) else { return Ok(Turn::Told) };
    let held = read(base, org, member.wave)?.and_then(|wave| wave.held);
    Ok(held.map_or(Turn::Waits, Turn::Held))
}

/// Changes join a wave, in their order; with `is_whole` no more come. Those whose turn it is are told.
pub(crate) fn join(
    desk: &mut Desk,
    (org, number): (&OrgName, u64),
    changes: &[(ReactionId, String)],
    (is_whole, is_suspended): (bool, bool),
) -> Result<(), Error> {
    let known = read(desk.state(), org, number)?;
    if known.is_none() && changes.is_empty() {
        return Ok(());
    }
    if known.is_none() {
        desk.tally.wave("begun");
    }
    let mut wave = WaveRow { is_whole, ..known.unwrap_or_default() };
    for (reaction, device) in changes {
        if !reactions::wait(desk, org, reaction)? {
            continue;
        }
        let (place, device) = (wave.next, device.clone());
        desk.write(turn_key(org, number, &device, place), &PushRow::Turn(reaction.clone()))?;
        let member = MemberRow { wave: number, device, place, waits: true, is_heard: false };
        desk.write(member_key(org, reaction), &PushRow::Member(member))?;
        wave.next += 1;
        wave.members += 1;
        wave.waiting += 1;
        wave.pending += 1;
    }
    go_on((desk, org), number, wave, is_suspended)
}

/// Who waits for a turn is told as far as there is room, and a wave that is over goes.
fn go_on((desk, org): (&mut Desk, &OrgName), number: u64, mut wave: WaveRow, is_suspended: bool) -> Result<(), Error> {
    while wave.held.is_none() && wave.waiting > 0 && wave.told.len() < wave.room(&desk.settings.activations) {
        let Some((key, reaction)) = first(desk, org, number, &wave.told)? else { break };
        desk.remove_found(key);
        wave.waiting -= 1;
        let key = member_key(org, &reaction);
        let Some(PushRow::Member(member)) = desk.read(&key)? else { continue };
        wave.told.push(member.device.clone());
        desk.write(key, &PushRow::Member(MemberRow { waits: false, ..member }))?;
        reactions::begin(desk, org, &reaction, is_suspended)?;
    }
    let key = wave_key(org, number);
    match wave.is_whole && wave.pending == 0 {
        true => {
            desk.tally.wave("over");
            desk.remove(key);
            Ok(())
        }
        false => desk.write(key, &PushRow::Wave(wave)),
    }
}

/// Who is next of a wave, of the devices that are not told of another.
fn first(desk: &Desk, org: &OrgName, number: u64, told: &[String]) -> Result<Option<(Vec<u8>, ReactionId)>, Error> {
    let prefix = PUSHES.prefix(&[org.as_str(), "q"], &number.to_be_bytes());
    let mut from = prefix.clone();
    while let Some((key, bytes)) = desk.first(Bound::Included(&from), &prefix)? {
        let device = key.get(prefix.len()..).and_then(|own| own.split(|byte| *byte == 0).next()).unwrap_or_default();
        if told.iter().any(|told| told.as_bytes() == device) {
            // Behind all of its own: its zero byte becomes a one.
            from = [&prefix, device, &[1]].concat();
            continue;
        }
        return Ok(match table::decode(&key, &bytes)? {
            PushRow::Turn(reaction) => Some((key, reaction)),
            _ => None,
        });
    }
    Ok(None)
}

impl WaveRow {
    /// How many devices may be told and not heard of at a time.
    fn room(&self, settings: &ActivationSettings) -> usize {
        let room = match u64::from(settings.canary).saturating_sub(self.good) {
            0 => AT_A_TIME,
            first => first.min(AT_A_TIME),
        };
        usize::try_from(room).unwrap_or(usize::MAX)
    }

    /// The turn of a change is over, or it has none any more.
    fn pass(&mut self, desk: &mut Desk, org: &OrgName, member: &mut MemberRow) {
        if member.waits {
            desk.remove(turn_key(org, member.wave, &member.device, member.place));
            self.waiting = self.waiting.saturating_sub(1);
        } else if !member.is_heard {
            self.told.retain(|told| *told != member.device);
        }
        (member.waits, member.is_heard) = (false, true);
    }

    /// Whether too many have failed: of those that go first as many as there are of them, and later the share of the settings.
    fn has_failed(&self, settings: &ActivationSettings) -> bool {
        let canary = u64::from(settings.canary);
        let percent = u64::from(settings.failure_percent);
        let share = (self.members.saturating_mul(percent) / 100).max(u64::from(percent > 0));
        let most = if self.good < canary { share.min(canary) } else { share };
        self.failed > most
    }
}

/// A device has been reported of, and the report is taken in: what that says of the wave, if it is in one. What the wave has
/// come to, where its rest is held from here on.
pub(crate) fn hear(
    desk: &mut Desk,
    org: &OrgName,
    report: &Attempt,
    is_suspended: bool,
) -> Result<Option<Stopped>, Error> {
    let Some(mut member) = member(desk.state(), org, &report.reaction)? else { return Ok(None) };
    let number = member.wave;
    let device = member.device.clone();
    let Some(mut wave) = read(desk.state(), org, number)? else { return Ok(None) };
    wave.pass(desk, org, &mut member);
    let key = member_key(org, &report.reaction);
    let is_pending = reactions::find(desk, org, &report.reaction)?.is_some();
    if is_pending {
        desk.write(key, &PushRow::Member(member))?;
    } else {
        desk.remove(key);
        wave.pending = wave.pending.saturating_sub(1);
        match &report.outcome {
            Outcome::Failed(_) => wave.failed += 1,
            // That one which had it all has changed nothing says nothing of the others.
            Outcome::Done(_) if report.difference.as_ref().is_some_and(Difference::is_none) => {}
            Outcome::Done(_) => wave.good += 1,
        }
    }
    let mut stopped = None;
    if wave.held.is_none() {
        wave.held = match wave.has_failed(&desk.settings.activations) {
            _ if report.is_taken_back => Some(Held::TakenBack),
            true => Some(Held::Failed { failed: wave.failed, of: wave.members }),
            false => None,
        };
        if let Some(why) = wave.held {
            desk.tally.wave("held");
            hold((desk, org), number, &mut wave)?;
            // Where nobody waits, and nobody is to come, nothing is held.
            let has_rest = wave.waiting > 0 || !wave.is_whole;
            let (failed, of, held) = (wave.failed, wave.members, wave.waiting);
            stopped = has_rest.then_some(Stopped { device, why, failed, of, held });
        }
    } else if let Some(reaction) = is_pending.then_some(&report.reaction).filter(|_| !report.is_unapproved)
        && let Some(member) = self::member(desk.state(), org, reaction)?
    {
        hold_one((desk, org), reaction, member, &mut wave)?;
    }
    go_on((desk, org), number, wave, is_suspended)?;
    Ok(stopped)
}

/// A wave is held: of its changes that devices have not made none is told any more, those that were told before neither.
fn hold((desk, org): (&mut Desk, &OrgName), number: u64, wave: &mut WaveRow) -> Result<(), Error> {
    let members: Result<Vec<_>, Error> = PUSHES.rows(desk.state(), &[org.as_str(), "m"]).collect();
    for (own, row) in members? {
        let reaction = str::from_utf8(&own).ok().and_then(|id| id.parse::<ReactionId>().ok());
        if let (Some(reaction), PushRow::Member(member)) = (reaction, row)
            && member.wave == number
        {
            hold_one((desk, org), &reaction, member, wave)?;
        }
    }
    Ok(())
}

/// A change of a wave that is held is told no more. One that awaits its approval is told once it has that.
fn hold_one(
    (desk, org): (&mut Desk, &OrgName),
    reaction: &ReactionId,
    member: MemberRow,
    wave: &mut WaveRow,
) -> Result<(), Error> {
    if member.waits || asked(desk.state(), org, reaction)?.is_some() || !reactions::wait(desk, org, reaction)? {
        return Ok(());
    }
    if !member.is_heard {
        wave.told.retain(|told| *told != member.device);
    }
    let key = turn_key(org, member.wave, &member.device, member.place);
    desk.write(key, &PushRow::Turn(reaction.clone()))?;
    wave.waiting += 1;
    desk.write(member_key(org, reaction), &PushRow::Member(MemberRow { waits: true, ..member }))
}

/// A change is not to be done any more: it leaves its wave, which goes on by [`resume`]. Which that is, if it was in one.
pub(crate) fn leave(desk: &mut Desk, org: &OrgName, reaction: &ReactionId) -> Result<Option<u64>, Error> {
    if !desk.is_at(LEVEL) {
        return Ok(None);
    }
    let Some(mut member) = member(desk.state(), org, reaction)? else { return Ok(None) };
    desk.remove(member_key(org, reaction));
    let Some(mut wave) = read(desk.state(), org, member.wave)? else { return Ok(None) };
    wave.pending = wave.pending.saturating_sub(1);
    wave.pass(desk, org, &mut member);
    desk.write(wave_key(org, member.wave), &PushRow::Wave(wave))?;
    Ok(Some(member.wave))
}

/// A wave goes on, or is over; with `is_whole` no more come.
pub(crate) fn resume(
    desk: &mut Desk,
    (org, number): (&OrgName, u64),
    (is_whole, is_suspended): (bool, bool),
) -> Result<(), Error> {
    let Some(wave) = read(desk.state(), org, number)? else { return Ok(()) };
    let is_whole = is_whole || wave.is_whole;
    go_on((desk, org), number, WaveRow { is_whole, ..wave }, is_suspended)
}

/// Whether a change waits for its turn.
pub(super) fn waits(base: &(impl Base + ?Sized), org: &OrgName, reaction: &ReactionId) -> Result<bool, Error> {
    Ok(member(base, org, reaction)?.is_some_and(|member| member.waits))
}
