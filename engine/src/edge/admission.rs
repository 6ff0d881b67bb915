//! Whether an organization may be added: lanes do not see each other's, so it is found out here, one at a time.

use std::collections::BTreeSet;

use jiff::Timestamp;
use linesman_domain::Error;
use linesman_domain::organizations::{self, Standing};
use linesman_schemas::OrgName;
use tokio::sync::{Mutex, MutexGuard};

use crate::licence;
use crate::store::Lane;

/// Those that were let on and are not in the rows yet.
#[derive(Default)]
pub(super) struct Admission(Mutex<BTreeSet<OrgName>>);

/// Held while one is being added.
pub(super) struct Turn<'a>(MutexGuard<'a, BTreeSet<OrgName>>);

impl Admission {
    /// Waits until nobody else adds one.
    pub(super) async fn turn(&self) -> Turn<'_> {
        Turn(self.0.lock().await)
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
        self.0.retain(|admitted| !active.contains(admitted));
        if active.contains(org) || self.0.contains(org) {
            return Ok(Ok(()));
        }
        let count = (active.len() + self.0.len()) as u64;
        let admitted = standing.admit(Timestamp::now(), org.as_str(), count, devices);
        if admitted.is_ok() {
            self.0.insert(org.clone());
        }
        Ok(admitted)
    }

    /// It was not added after all.
    pub(super) fn take_back(&mut self, org: &OrgName) {
        self.0.remove(org);
    }
}

/// The organizations that take part.
///
/// # Errors
/// The state cannot be read.
pub(super) fn active(lanes: &[Lane]) -> Result<BTreeSet<OrgName>, Error> {
    let all = lanes.iter().flat_map(organizations::all);
    let active = all.filter_map(|row| match row {
        Ok((name, row)) => (row.standing == Standing::Active).then_some(Ok(name)),
        Err(error) => Some(Err(error)),
    });
    active.collect()
}
