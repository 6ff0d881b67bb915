//! What falls due by the log's clock: fired in order of due time, then key, before the input that
//! moved the clock.

use std::ops::Bound;

use jiff::{Timestamp, ToSpan};
use linesman_schemas::OrgName;

use super::rows::key;
use super::state::State;
use super::{Domain, Error};

/// What is to happen.
pub(super) enum Timer<'a> {
    /// A command's outcome is forgotten.
    ForgetCommand(Option<&'a OrgName>, &'a str),
    /// Old sightings are forgotten, once a day.
    PruneSightings,
}

const FORGET: u8 = b'f';
const PRUNE: u8 = b'p';

/// When the next timer falls due.
pub(super) fn next(state: &State) -> Result<Option<Timestamp>, Error> {
    let first = state.first(Bound::Included(b"t"), b"t")?;
    Ok(first.and_then(|(key, _)| key::read_time(key.get(1..)?)))
}

impl Domain {
    /// Lets something happen a while from now.
    pub(super) fn arm(&mut self, wait_hours: i64, timer: &Timer<'_>) -> Result<(), Error> {
        let due = self.position.now.checked_add(wait_hours.hours()).unwrap_or(Timestamp::MAX);
        let key = match timer {
            Timer::ForgetCommand(org, id) => key::timer(due, FORGET, key::command(*org, id).as_bytes()),
            Timer::PruneSightings => key::timer(due, PRUNE, &[]),
        };
        self.state.write(key, &())?;
        self.next_timer = Some(self.next_timer.map_or(due, |next| next.min(due)));
        Ok(())
    }

    pub(super) fn arm_pruning(&mut self) -> Result<(), Error> {
        self.arm(24, &Timer::PruneSightings)
    }

    /// Fires what fell due by now.
    pub(super) fn fire_timers(&mut self) -> Result<(), Error> {
        while self.next_timer.is_some_and(|due| due <= self.position.now) {
            let Some((key, _)) = self.state.first(Bound::Included(b"t"), b"t")? else { break };
            match key.get(9..).and_then(<[u8]>::split_first) {
                Some((&FORGET, outcome)) => self.state.remove_found(outcome.to_vec()),
                Some((&PRUNE, _)) => {
                    let retention = i64::try_from(self.settings.host_event_retention_s).unwrap_or(i64::MAX);
                    let before = self.position.now.as_second().saturating_sub(retention);
                    let before = Timestamp::from_second(before).unwrap_or(Timestamp::MIN);
                    self.sightings.prune(&mut self.state, before)?;
                    self.arm_pruning()?;
                }
                _ => {}
            }
            self.state.remove_found(key);
            self.next_timer = next(&self.state)?;
        }
        Ok(())
    }
}
