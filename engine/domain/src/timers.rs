//! What falls due by the log's clock: fired in order of due time, then key, before the input that
//! moved the clock.

use std::ops::Bound;

use jiff::Timestamp;
use linesman_schemas::ApprovalId;

use super::desk::Desk;
use super::jobs::{Jobs, Work};
use super::organizations::Organizations;
use super::sightings::Sightings;
use super::snapshots::upward;
use super::state::State;
use super::table::{self, Key, Table};
use super::{Error, activations, approvals, contracts, quotas, silence, uploads};

/// What is to happen.
pub(crate) enum Timer<'a> {
    /// A row is forgotten.
    Forget(&'a [u8]),
    /// Old sightings are forgotten, once a day.
    PruneSightings,
    /// What old records of the audit say goes, once a day.
    AgeAudits,
    /// An activation's schedule changes how it stands; its key.
    Activation(&'a [u8]),
    /// What is kept of a case that has ended goes; the key of its row.
    Release(&'a [u8]),
    /// Newest snapshots of an organization's devices go to the upstream; its name.
    Snapshots(&'a str),
    /// Once a day it is looked for devices that are silent and contracts that end; until when, in seconds of the epoch, it was
    /// looked for the former.
    Watch(i64),
    /// Nobody has decided an approval in time; the key of its row.
    Approval(&'a [u8]),
    /// A day ends on which an organization has sent more than its quota; its name.
    Quota(&'a str),
}

/// The table of timers: when one is due, what kind it is, and what about.
pub const TIMERS: Table<()> = Table::new(b't');
const FORGET: u8 = b'f';
const PRUNE: u8 = b'p';
const AGE: u8 = b'a';
const ACTIVATION: u8 = b's';
const RELEASE: u8 = b'u';
const SNAPSHOTS: u8 = b'n';
const APPROVAL: u8 = b'v';
const WATCH: u8 = b'w';
const QUOTA: u8 = b'q';

fn key(due: Timestamp, kind: u8, about: &[u8]) -> Key<()> {
    let mut tail = table::time(due).to_vec();
    tail.push(kind);
    tail.extend_from_slice(about);
    TIMERS.key(&[], &tail)
}

/// The key of the timer by which old sightings are forgotten.
pub fn pruning(due: Timestamp) -> Key<()> {
    key(due, PRUNE, &[])
}

/// When the next timer falls due.
pub(crate) fn next(state: &State) -> Result<Option<Timestamp>, Error> {
    let prefix = TIMERS.prefix(&[], &[]);
    let first = state.first(Bound::Included(&prefix), &prefix)?;
    Ok(first.and_then(|(key, _)| table::read_time(TIMERS.own(&key))))
}

/// What a timer is called where it cannot be done, and where it is set aside: of each its own.
pub(crate) fn name(key: &[u8]) -> String {
    let own = TIMERS.own(key);
    let due = table::read_time(own).unwrap_or_default();
    let (kind, about) = own.get(8..).and_then(<[u8]>::split_first).unwrap_or((&0, &[]));
    let kind = match *kind {
        FORGET => "forget",
        PRUNE => "prune-sightings",
        AGE => "age-audits",
        ACTIVATION => "activation",
        RELEASE => "release",
        SNAPSHOTS => "snapshots",
        APPROVAL => "approval",
        WATCH => "watch",
        QUOTA => "quota",
        _ => "unknown",
    };
    match about {
        [] => format!("{kind} due {due}"),
        about => format!("{kind} {} due {due}", about.escape_ascii()),
    }
}

/// The keys of the approvals that have a timer: nobody has decided them.
pub(crate) fn of_approvals(state: &State) -> impl Iterator<Item = Result<Vec<u8>, Error>> {
    TIMERS.rows(state, &[]).filter_map(|row| match row {
        Ok((own, ())) => match own.get(8..).and_then(<[u8]>::split_first) {
            Some((&APPROVAL, key)) => Some(Ok(key.to_vec())),
            _ => None,
        },
        Err(error) => Some(Err(error)),
    })
}

/// Lets something happen a while from now.
pub(crate) fn arm(desk: &mut Desk, wait_hours: i64, timer: &Timer<'_>) -> Result<(), Error> {
    arm_at(desk, desk.in_hours(wait_hours), timer)
}

impl Timer<'_> {
    pub(super) fn key(&self, due: Timestamp) -> Key<()> {
        match self {
            Self::Forget(row) => key(due, FORGET, row),
            Self::PruneSightings => pruning(due),
            Self::AgeAudits => key(due, AGE, &[]),
            Self::Activation(row) => key(due, ACTIVATION, row),
            Self::Release(row) => key(due, RELEASE, row),
            Self::Snapshots(org) => key(due, SNAPSHOTS, org.as_bytes()),
            Self::Approval(row) => key(due, APPROVAL, row),
            Self::Quota(org) => key(due, QUOTA, org.as_bytes()),
            Self::Watch(since) => key(due, WATCH, &since.to_be_bytes()),
        }
    }
}

/// What was to happen at a moment does not.
pub(crate) fn disarm(desk: &mut Desk, due: Timestamp, timer: &Timer<'_>) -> Result<(), Error> {
    desk.remove(timer.key(due));
    desk.set_next_timer(next(desk.state())?);
    Ok(())
}

/// Lets something happen at a moment.
pub(crate) fn arm_at(desk: &mut Desk, due: Timestamp, timer: &Timer<'_>) -> Result<(), Error> {
    desk.write(timer.key(due), &())?;
    desk.set_next_timer(Some(desk.next_timer().map_or(due, |next| next.min(due))));
    Ok(())
}

pub(crate) fn arm_pruning(desk: &mut Desk) -> Result<(), Error> {
    arm(desk, 24, &Timer::PruneSightings)
}

/// The second of the epoch so many ago.
fn ago(desk: &Desk, seconds: u64) -> i64 {
    desk.now.as_second().saturating_sub(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// Begins what is looked for once a day, and lets it be looked for again.
fn watch(desk: &mut Desk, jobs: &mut Jobs, since: &[u8]) -> Result<(), Error> {
    let (since, until) = (since.try_into().map_or(0, i64::from_be_bytes), desk.now.as_second());
    if silence::has_any(desk)? {
        jobs.begin(desk, Work::Silence { since, until })?;
    }
    if contracts::has_any(desk)? {
        jobs.begin(desk, Work::Contracts)?;
    }
    arm(desk, 24, &Timer::Watch(until))
}

/// What fell due is not done. What is done again and again is due again a day later; what was to happen once does not.
///
/// INVARIANT (a way out is one): nothing is read, since that may be what cannot be done.
fn set_aside(desk: &mut Desk, key: &[u8]) -> Result<(), Error> {
    match TIMERS.own(key).get(8..).and_then(<[u8]>::split_first) {
        Some((&PRUNE, _)) => arm_pruning(desk),
        Some((&AGE, _)) => arm(desk, 24, &Timer::AgeAudits),
        Some((&WATCH, _)) => arm(desk, 24, &Timer::Watch(desk.now.as_second())),
        Some((&SNAPSHOTS, org)) => upward::put_off(desk, org, desk.in_hours(24)),
        _ => Ok(()),
    }
}

/// Fires what fell due by now, but for what is set `aside`, by name. Of approvals that nobody has decided in time it tells which, at most `lapses`: what is due
/// behind one more fires on an input that comes later.
pub(crate) fn fire(
    desk: &mut Desk,
    (organizations, sightings, jobs): (&Organizations, &mut Sightings, &mut Jobs),
    lapses: usize,
    aside: &[&str],
) -> Result<Vec<ApprovalId>, Error> {
    let (mut undecided, mut lapsing) = (Vec::new(), None);
    while desk.next_timer().is_some_and(|due| due <= desk.now) {
        let prefix = TIMERS.prefix(&[], &[]);
        let Some((key, _)) = desk.first(Bound::Included(&prefix), &prefix)? else { break };
        if !aside.is_empty() && aside.contains(&name(&key).as_str()) {
            set_aside(desk, &key)?;
            desk.remove_found(key);
            desk.set_next_timer(next(desk.state())?);
            continue;
        }
        desk.firing = Some(key.clone());
        let due = table::read_time(TIMERS.own(&key));
        match TIMERS.own(&key).get(8..).and_then(<[u8]>::split_first) {
            Some((&FORGET, row)) => desk.remove_found(row.to_vec()),
            Some((&PRUNE, _)) => {
                let before = ago(desk, desk.settings.host_event_retention_s);
                sightings.prune(desk, Timestamp::from_second(before).unwrap_or(Timestamp::MIN))?;
                arm_pruning(desk)?;
            }
            Some((&AGE, _)) => {
                let retention_s = desk.settings.audit_retention_s;
                if retention_s > 0 {
                    jobs.begin(desk, Work::AgeAudits { before_s: ago(desk, retention_s) })?;
                }
                arm(desk, 24, &Timer::AgeAudits)?;
            }
            Some((&ACTIVATION, row)) => {
                if let Some(place) = due.map(|due| activations::wake(desk, row, due)).transpose()?.flatten() {
                    jobs.begin(desk, Work::Render { place, again: None })?;
                }
            }
            Some((&RELEASE, row)) => uploads::release(desk, row)?,
            Some((&SNAPSHOTS, org)) => {
                let org = due.map(|due| upward::wake(desk, organizations, org, due)).transpose()?.flatten();
                if let Some(org) = org {
                    jobs.begin(desk, Work::Snapshots(org))?;
                }
            }
            Some((&WATCH, since)) => watch(desk, jobs, since)?,
            Some((&QUOTA, org)) => quotas::end(desk, org)?,
            Some((&APPROVAL, _)) if undecided.len() >= lapses => break,
            Some((&APPROVAL, row)) => {
                undecided.extend(approvals::read_key(row));
                lapsing = Some(key.clone());
            }
            _ => {}
        }
        desk.remove_found(key);
        desk.set_next_timer(next(desk.state())?);
    }
    // They are carried out behind it.
    desk.firing = lapsing;
    Ok(undecided)
}
