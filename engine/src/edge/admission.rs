//! Whether an organization may be added: lanes do not see each other's, so it is found out here, one at a time.

use std::collections::BTreeSet;

use jiff::Timestamp;
use linesman_domain::Error;
use linesman_domain::organizations::{self, Standing};
use linesman_schemas::{Mode, OrgName};
use tokio::sync::{Mutex, MutexGuard};

use crate::licence;
use crate::store::Lane;

/// What is known of what was added.
#[derive(Default)]
struct Known {
    /// Those that were let on and are not in the rows yet.
    admitted: BTreeSet<OrgName>,
    /// The mode that the log was given since this engine was started.
    switched: Option<Mode>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Admission(Mutex<Known>);

/// Held while one is being added.
pub(super) struct Turn<'a>(MutexGuard<'a, Known>);

impl Admission {
    /// Waits until nobody else adds one.
    pub(super) async fn turn(&self) -> Turn<'_> {
        Turn(self.0.lock().await)
    }

    /// The mode that the log was given since this engine was started; none while somebody has their turn.
    pub(super) fn switched(&self) -> Option<Mode> {
        self.0.try_lock().ok()?.switched
    }
}

impl Turn<'_> {
    /// Lets an organization on, unless that is one too many; one that takes part is none.
    ///
    /// # Errors
    /// The state cannot be read.
    pub(super) fn admit(
        &mut self,
        lanes: &[Lane],
        standing: &licence::Standing,
        devices: u64,
        org: &OrgName,
    ) -> Result<Result<(), licence::Excess>, Error> {
        let active = active(lanes)?;
        let Known { admitted, switched } = &mut *self.0;
        admitted.retain(|admitted| !active.contains(admitted));
        if active.contains(org) || admitted.contains(org) {
            return Ok(Ok(()));
        }
        let count = (active.len() + admitted.len()) as u64;
        let now = Timestamp::now();
        // The engine is to be started anew for its mode; that there is one organization counts at once.
        let switched = switched.filter(|mode| mode.has_one_organization()).map(licence::Standing::without);
        let found = switched.as_ref().unwrap_or(standing).admit(now, org.as_str(), count, devices);
        if found.is_ok() {
            admitted.insert(org.clone());
        }
        Ok(found)
    }

    /// It was not added after all.
    pub(super) fn take_back(&mut self, org: &OrgName) {
        self.0.admitted.remove(org);
    }

    /// The log was given a mode.
    pub(super) fn switch(&mut self, mode: Mode) {
        self.0.switched = Some(mode);
    }
}

/// The organizations that take part.
///
/// # Errors
/// The state cannot be read.
pub(crate) fn active(lanes: &[Lane]) -> Result<BTreeSet<OrgName>, Error> {
    let all = lanes.iter().flat_map(organizations::all);
    let active = all.filter_map(|row| match row {
        Ok((name, row)) => (row.standing == Standing::Active).then_some(Ok(name)),
        Err(error) => Some(Err(error)),
    });
    active.collect()
}
