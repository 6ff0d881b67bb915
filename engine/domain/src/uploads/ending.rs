//! What is kept of cases that have ended goes after a while, so that there is room for others. From engine level 8 on, and of
//! incidents that were collected, completed without a case included, from 13 on.
//!
//! ```text
//! case closed --> EndedRow, a timer --settings.upload_retention_s--> released: no row names its objects any more
//!      ^                |      ^
//!      +---- reopened --+      +-- something of it is still on its way: a day later
//! ```

use std::ops::Bound;

use jiff::{Timestamp, ToSpan as _};
use linesman_schemas::{IncidentId, OrgName};

use super::row::{EndedRow, Held, UploadState, ended, incident_of, key, of_case, read_ended, within};
use super::{COLLECTED, ON_THEIR_OWN, fetched, unname};
use crate::Error;
use crate::cases::CaseState;
use crate::desk::Desk;
use crate::incidents::Status;
use crate::jobs::SLICE_ROWS;
use crate::subject::Incident;
use crate::timers::{self, Timer};

/// For how many hours what is still on its way holds up what is to go.
const AGAIN_HOURS: i64 = 24;

/// An incident is kept: with the end of its case what end customers have uploaded with it, or was collected of it, is to go, and
/// not with one that has been reopened.
pub(crate) fn look_after(desk: &mut Desk, incident: &Incident) -> Result<(), Error> {
    let reported = incident.chain.as_ref().filter(|chain| chain.reported.is_some());
    if !desk.is_at(if reported.is_some() { ON_THEIR_OWN } else { COLLECTED }) {
        return Ok(());
    }
    let is_closed = incident.case.as_ref().is_some_and(|case| case.state == CaseState::Closed);
    let has_ended = match reported {
        Some(chain) => chain.is_closed || is_closed,
        // Where nobody solves it elsewhere it is over once it is completed here.
        None => is_closed || (incident.case.is_none() && incident.row.status == Status::Completed),
    };
    let row = desk.read(&ended(&incident.id))?;
    match (has_ended, row) {
        (true, None) if has_objects(desk, &incident.id)? => {
            let seconds = i64::try_from(desk.settings.upload_retention_s).unwrap_or(i64::MAX);
            let due = desk.now.checked_add(seconds.min(LONGEST_S).seconds()).unwrap_or(Timestamp::MAX);
            await_end(desk, &incident.id, due)
        }
        (false, Some(row)) => {
            let key = ended(&incident.id);
            timers::disarm(desk, row.due, &Timer::Release(key.as_bytes()))?;
            desk.remove(key);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The longest that is waited for, in seconds: ten years.
const LONGEST_S: i64 = 10 * 366 * 86_400;

fn await_end(desk: &mut Desk, incident: &IncidentId, due: Timestamp) -> Result<(), Error> {
    let key = ended(incident);
    timers::arm_at(desk, due, &Timer::Release(key.as_bytes()))?;
    desk.write(key, &EndedRow { due })
}

fn has_objects(desk: &Desk, incident: &IncidentId) -> Result<bool, Error> {
    for found in of_case(desk.state(), incident) {
        if matches!(found?.1.held, Held::Object(_)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is kept of a case that has ended goes, unless something of it is still on its way; the key is that of its row.
pub(crate) fn release(desk: &mut Desk, about: &[u8]) -> Result<(), Error> {
    let Some(incident) = read_ended(about) else { return Ok(()) };
    if desk.read(&ended(&incident))?.is_none() {
        return Ok(());
    }
    let rows: Vec<_> = of_case(desk.state(), &incident).collect::<Result<_, _>>()?;
    if rows.iter().any(|(_, row)| row.state == UploadState::Waiting) {
        let later = desk.now.checked_add(AGAIN_HOURS.hours()).unwrap_or(Timestamp::MAX);
        return await_end(desk, &incident, later);
    }
    for (number, mut row) in rows {
        let Held::Object(sha256) = row.held else { continue };
        unname(desk, &incident.org, &sha256)?;
        row.held = Held::Released(sha256);
        if row.state == UploadState::Kept {
            row.state = UploadState::Released;
        }
        desk.tally.upload(UploadState::Released.as_str());
        desk.write(key(&incident, number), &row)?;
    }
    desk.remove(ended(&incident));
    fetched::give_up(desk, &incident)
}

/// Cases of which something is kept.
pub(crate) struct Keeping {
    /// Which.
    pub(crate) incidents: Vec<IncidentId>,
    /// The key of the last upload, where there may be more.
    pub(crate) last: Option<Vec<u8>>,
    /// How many uploads there were.
    pub(crate) count: u64,
}

/// The cases of an organization of which anything is kept, those behind the key `after` (empty: all of them), so many
/// uploads at a time.
pub(crate) fn look_at_all(desk: &Desk, org: &OrgName, after: &[u8]) -> Result<Keeping, Error> {
    let (prefix, mut last, mut count) = (within(org), after.to_vec(), 0);
    let mut incidents: Vec<IncidentId> = Vec::new();
    loop {
        let from = if last.is_empty() { Bound::Included(prefix.as_slice()) } else { Bound::Excluded(last.as_slice()) };
        let Some((key, _)) = desk.first(from, &prefix)? else { return Ok(Keeping { incidents, last: None, count }) };
        if let Some(incident) = incident_of(org, &key).filter(|incident| incidents.last() != Some(incident)) {
            incidents.push(incident);
        }
        (last, count) = (key, count + 1);
        if count as usize >= SLICE_ROWS {
            return Ok(Keeping { incidents, last: Some(last), count });
        }
    }
}
