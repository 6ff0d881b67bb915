//! How devices of an organization are reached, beside what their bundles tell of them.

use std::collections::HashMap;

use linesman_schemas::{OrgName, Place};

use super::Error;
use super::walk::Walk;
use crate::edge::viewer::Viewer;
use crate::store::Lane;
use linesman_domain::devices::{self, DeviceRow};
use linesman_domain::reached::{self, ReachedRow, StandingRow};
use linesman_domain::table::Table;

/// A device that is reached.
#[derive(Debug, Clone)]
pub(super) struct Reached {
    /// The name it was given.
    pub(super) name: String,
    pub(super) row: ReachedRow,
    pub(super) standing: Option<StandingRow>,
}

impl Reached {
    /// Its chassis serial number, where it is known.
    pub(super) fn serial_number(&self) -> Option<&str> {
        reached::serial_number(&self.row, self.standing.as_ref())
    }

    /// Whether somebody who does not see all of the organization sees it by where it is.
    pub(super) fn is_seen_by_place(&self, viewer: &Viewer) -> bool {
        self.row.place.clone().is_some_and(|place| viewer.sees_place(&Place::Below(place)))
    }
}

/// Those of an organization.
#[derive(Debug, Default)]
pub(super) struct AllReached {
    by_name: HashMap<String, Reached>,
    names: HashMap<String, String>,
}

impl AllReached {
    /// All of an organization's.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn of(lane: &Lane, org: &OrgName) -> Result<Self, Error> {
        let mut all = Self::default();
        for found in reached::all(lane, org) {
            let (name, row) = found?;
            let standing = Table::read(lane, &reached::standing_key(org, &name))?;
            let device = Reached { name: name.clone(), row, standing };
            // One that does not say which it is is known by its name.
            let known_as = device.serial_number().unwrap_or(&name).to_owned();
            all.names.insert(known_as, name.clone());
            all.by_name.insert(name, device);
        }
        Ok(all)
    }

    /// The one of a name.
    pub(super) fn named(&self, name: &str) -> Option<&Reached> {
        self.by_name.get(name)
    }

    /// How a device is reached that has sent bundles; none where it is not.
    pub(super) fn of_device(&self, serial_number: &str, host_name: &str) -> Option<&Reached> {
        let by_serial = self.names.get(serial_number).and_then(|name| self.by_name.get(name));
        by_serial.or_else(|| self.by_name.get(host_name).filter(|device| device.serial_number().is_none()))
    }
}

/// A device that somebody names: how it is reached, and what its bundles tell of it under which serial number.
pub(super) struct Named {
    pub(super) reached: Option<Reached>,
    pub(super) learned: Option<(String, DeviceRow)>,
}

/// The device of a name, by which it is reached, that is its serial number, or the host name of one alone; the first of these.
///
/// # Errors
/// The store cannot be read, there is none or there are several, for whoever walks.
pub(super) fn named(walk: &Walk, org: &OrgName, text: &str) -> Result<Named, Error> {
    let nothing = || Error::Nothing(format!("`{org}` has no device `{}`", linesman_rules::excerpt(text)));
    let Some(lane) = walk.lane(org) else { return Err(nothing()) };
    let learned = |serial_number: &str| -> Result<Option<(String, DeviceRow)>, Error> {
        let row: Option<DeviceRow> = Table::read(lane, &devices::key(org, serial_number))?;
        Ok(row.map(|row| (serial_number.to_owned(), row)))
    };
    let all = AllReached::of(lane, org)?;
    let found = match all.named(text) {
        Some(device) => {
            let serial_number = device.serial_number().unwrap_or_default();
            let learned = match learned(serial_number)? {
                None => alone(walk, lane, org, text)?,
                known => known,
            };
            Named { reached: Some(device.clone()), learned }
        }
        None => {
            let learned = match learned(text)? {
                None => alone(walk, lane, org, text)?,
                known => known,
            };
            let host_name = learned.as_ref().map_or("", |(_, row)| &row.host_name);
            let serial_number = learned.as_ref().map_or(text, |(serial_number, _)| serial_number);
            Named { reached: all.of_device(serial_number, host_name).cloned(), learned }
        }
    };
    let serial_number = found.learned.as_ref().map_or(text, |(serial_number, _)| serial_number);
    let row = found.learned.as_ref().map(|(_, row)| row);
    let is_seen = walk.sees_device(org, serial_number, row)?
        || found.reached.as_ref().is_some_and(|device| device.is_seen_by_place(walk.viewer()));
    match found.reached.is_some() || found.learned.is_some() {
        true if is_seen => Ok(found),
        _ => Err(nothing()),
    }
}

/// The device of a host name, where it is that of one alone that is seen.
fn alone(walk: &Walk, lane: &Lane, org: &OrgName, host_name: &str) -> Result<Option<(String, DeviceRow)>, Error> {
    let mut found = None;
    for device in devices::all(lane, org) {
        walk.step()?;
        let (serial_number, row) = device?;
        if row.host_name != host_name || !walk.sees_device(org, &serial_number, Some(&row))? {
            continue;
        }
        if found.is_some() {
            let host_name = linesman_rules::excerpt(host_name);
            let detail =
                format!("several devices of `{org}` call themselves `{host_name}`: name one by its serial number");
            return Err(Error::Several(detail));
        }
        found = Some((serial_number, row));
    }
    Ok(found)
}
