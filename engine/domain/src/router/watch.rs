//! What is looked for once a day by the log's clock: devices that are silent, contracts that end. And whether an incident's
//! spare parts have anywhere to go.

use std::ops::Bound;

use linesman_schemas::OrgName;

use crate::contracts::{CONTRACTS, ContractRow};
use crate::devices::{DEVICES, DeviceRow};
use crate::jobs::Work;
use crate::organizations::Standing;
use crate::subject::Incident;
use crate::table::{self, Row};
use crate::timers::{self, Timer};
use crate::{Domain, Error, addresses, contracts, silence};

/// How many rows a slice looks at: few of them come to anything.
const ROWS: u64 = 2_000;
/// How many of them may come to something.
const FOUND_MOST: usize = 100;

/// Whose row it is, the rest of its key, and the row.
type Found<R> = (OrgName, Vec<u8>, R);
/// Where a slice ended, and how many rows it has looked at.
type Slice = (Option<Vec<u8>>, u64);

impl Domain {
    /// The lane has come to a level: from one on it is looked.
    pub(super) fn begin_watch(&mut self, was_at: u32) -> Result<(), Error> {
        if was_at >= addresses::LEVEL || !self.desk.is_at(addresses::LEVEL) {
            return Ok(());
        }
        // What has been silent for longer is said of once.
        timers::arm(&mut self.desk, 24, &Timer::Watch(0))
    }

    /// Contracts have changed: some may end soon.
    pub(super) fn look_at_contracts(&mut self) -> Result<(), Error> {
        match contracts::has_any(&self.desk)? {
            true => self.jobs.begin(&mut self.desk, Work::Contracts),
            false => Ok(()),
        }
    }

    /// Whether the organization of an incident keeps addresses, and has none for the spare parts of its device.
    pub(super) fn lacks_address(&self, incident: &Incident) -> Result<bool, Error> {
        if !self.desk.is_at(addresses::LEVEL) || incident.ship_to.is_some() {
            return Ok(false);
        }
        let org = &incident.id.org;
        let has_own = self.organizations.row(org).is_some_and(|row| !row.address.is_empty());
        Ok(!has_own && addresses::has_any(&self.desk, org)?)
    }

    /// Says of devices behind `after` that fell silent between two moments.
    pub(super) fn look_for_silence(&mut self, (since, until): (i64, i64), after: &[u8]) -> Result<Slice, Error> {
        let is_wanted = |row: &DeviceRow| silence::fell(row, since, until);
        let (found, slice) = self.slice(&DEVICES.prefix(&[], &[]), after, is_wanted)?;
        for (org, own, row) in found {
            let (fired, subject) = silence::tell(&mut self.desk, &org, &String::from_utf8_lossy(&own), row)?;
            self.judge(&org, fired, subject)?;
        }
        Ok(slice)
    }

    /// Says of contracts behind `after` that end.
    pub(super) fn look_for_ends(&mut self, after: &[u8]) -> Result<Slice, Error> {
        let now = self.desk.now;
        let is_wanted = |row: &ContractRow| contracts::is_due(row, now);
        let (found, slice) = self.slice(&CONTRACTS.prefix(&[], &[]), after, is_wanted)?;
        for (org, _, row) in found {
            let told = contracts::look_at(&mut self.desk, &self.devices, &org, &row)?;
            if let Some((fired, subject)) = told {
                self.judge(&org, fired, subject)?;
            }
        }
        Ok(slice)
    }

    /// Rows of a table behind `after` that are wanted, of one organization, which takes part, with the rest of their keys.
    fn slice<R: Row>(
        &self,
        prefix: &[u8],
        after: &[u8],
        is_wanted: impl Fn(&R) -> bool,
    ) -> Result<(Vec<Found<R>>, Slice), Error> {
        let mut from =
            if after.is_empty() { Bound::Included(prefix.to_vec()) } else { Bound::Excluded(after.to_vec()) };
        let (mut found, mut count) = (Vec::<Found<R>>::new(), 0);
        let mut before = after.to_vec();
        while let Some((key, bytes)) = self.desk.state().first(from.as_ref().map(Vec::as_slice), prefix)? {
            count += 1;
            let row: R = table::decode(&key, &bytes)?;
            let own = key.get(prefix.len()..).unwrap_or_default();
            let end = own.iter().position(|byte| *byte == 0).unwrap_or(own.len());
            let org = own.get(..end).and_then(|org| std::str::from_utf8(org).ok()).and_then(|org| org.parse().ok());
            let org = org.filter(|org: &OrgName| {
                self.organizations.row(org).is_some_and(|row| row.standing != Standing::Suspended)
            });
            if let Some(org) = org.filter(|_| is_wanted(&row)) {
                // INVARIANT (tenants): what policies may decide on one input is not used up by those of another.
                if found.first().is_some_and(|(first, ..)| *first != org) {
                    return Ok((found, (Some(before), count)));
                }
                found.push((org, own.get(end + 1..).unwrap_or_default().to_vec(), row));
            }
            if count >= ROWS || found.len() >= FOUND_MOST {
                return Ok((found, (Some(key), count)));
            }
            before.clone_from(&key);
            from = Bound::Excluded(key);
        }
        Ok((found, (None, count)))
    }
}
