//! By whose doing devices are to change: of all who had a part in it since a device was last as it was to be, so that none of
//! them is the second person, and that it is on record.
//!
//! ```text
//! > <organization> b <line within it> <activation>   the logins by whose doing the line's device is to change
//! > <organization> j <job>                           the logins by whose doing a job renders lines
//! ```
//!
//! What is rendered in slices, once a schedule enables it, or once others make room, is somebody's doing all the same.

use std::collections::BTreeSet;

use linesman_schemas::{OrgName, PlacePath};

use super::pushes::{LEVEL, PUSHES, PushRow};
use crate::desk::Desk;
use crate::jobs::Work;
use crate::table::Key;
use crate::{Error, places};

fn key(line: &PlacePath, id: &str) -> Key<PushRow> {
    PUSHES.key(&[line.organization.as_str(), "b", &places::within(line)], id.as_bytes())
}

fn job_key(org: &OrgName, job: u64) -> Key<PushRow> {
    PUSHES.key(&[org.as_str(), "j"], &job.to_be_bytes())
}

fn read(desk: &Desk, key: &Key<PushRow>) -> Result<BTreeSet<String>, Error> {
    Ok(match desk.read(key)? {
        Some(PushRow::By(logins)) => logins.into_iter().collect(),
        _ => BTreeSet::new(),
    })
}

/// Adds to who stands under a key.
fn add(desk: &mut Desk, key: Key<PushRow>, logins: BTreeSet<String>) -> Result<(), Error> {
    let mut known = read(desk, &key)?;
    let before = known.len();
    known.extend(logins);
    if known.len() == before {
        return Ok(());
    }
    desk.write(key, &PushRow::By(known.into_iter().collect()))
}

/// The logins by whose doing the device of a line is to change, of an activation's part.
pub(crate) fn of(desk: &Desk, line: &PlacePath, id: &str) -> Result<BTreeSet<String>, Error> {
    read(desk, &key(line, id))
}

/// An activation's part at a line is to be otherwise, or cannot be yet, by the doing of whoever the input at hand is of; by that of
/// those too for whom lines are still to be rendered, as what they did counts already; and of `author`, who had it come by itself.
pub(super) fn note(desk: &mut Desk, line: &PlacePath, id: &str, author: Option<&str>) -> Result<(), Error> {
    if !desk.is_at(LEVEL) {
        return Ok(());
    }
    let mut logins = desk.doers.clone();
    logins.extend(author.map(str::to_owned));
    for row in PUSHES.rows(desk.state(), &[line.organization.as_str(), "j"]) {
        if let (_, PushRow::By(others)) = row? {
            logins.extend(others);
        }
    }
    add(desk, key(line, id), logins)
}

/// A line's device has an activation's part as it is to be, or will never have it.
pub(super) fn forget(desk: &mut Desk, line: &PlacePath, id: &str) -> Result<(), Error> {
    let key = key(line, id);
    if desk.is_at(LEVEL) && desk.read(&key)?.is_some() {
        desk.remove(key);
    }
    Ok(())
}

/// Whose lines a job renders, if it is one that does.
const fn rendered(work: &Work) -> Option<&OrgName> {
    match work {
        Work::Render { .. } | Work::Rollout { .. } => work.organization(),
        _ => None,
    }
}

/// The input at hand has a job begun, or would have if it did not stand already.
pub(crate) fn begin(desk: &mut Desk, work: &Work, job: u64) -> Result<(), Error> {
    match rendered(work) {
        Some(org) if desk.is_at(LEVEL) && !desk.doers.is_empty() => add(desk, job_key(org, job), desk.doers.clone()),
        _ => Ok(()),
    }
}

/// A slice of a job is done by the doing of whoever had it begun.
pub(crate) fn go_on(desk: &mut Desk, work: &Work, job: u64) -> Result<(), Error> {
    if let Some(org) = rendered(work).filter(|_| desk.is_at(LEVEL)) {
        let logins = read(desk, &job_key(org, job))?;
        desk.doers.extend(logins);
    }
    Ok(())
}

/// A job is dropped, and what is known of it unread.
pub(crate) fn drop_job(desk: &mut Desk, work: &Work, job: u64) {
    if let Some(org) = rendered(work).filter(|_| desk.is_at(LEVEL)) {
        desk.remove(job_key(org, job));
    }
}

/// A job has ended.
pub(crate) fn end(desk: &mut Desk, work: &Work, job: u64) -> Result<(), Error> {
    let Some(org) = rendered(work).filter(|_| desk.is_at(LEVEL)) else { return Ok(()) };
    let key = job_key(org, job);
    if desk.read(&key)?.is_some() {
        desk.remove(key);
    }
    Ok(())
}
