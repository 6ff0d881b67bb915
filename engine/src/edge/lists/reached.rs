//! How devices of an organization are reached, beside what their bundles tell of them.

use linesman_schemas::{OrgName, Place};

use super::Error;
use super::walk::{OrgRows, Walk};
use crate::edge::viewer::Viewer;
use crate::store::Lane;
use linesman_domain::devices::{self, DeviceRow};
use linesman_domain::reached::{self, ReachedRow, StandingRow};
use linesman_domain::sight::Sight;
use linesman_domain::table::Table;

/// A device that is reached.
#[derive(Debug)]
pub(super) struct Reached {
    /// The name it was given.
    pub(super) name: String,
    pub(super) row: ReachedRow,
    pub(super) standing: Option<StandingRow>,
}

impl Reached {
    /// The one of a name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn read(lane: &Lane, org: &OrgName, name: &str) -> Result<Option<Self>, Error> {
        let Some(row) = Table::read(lane, &reached::key(org, name))? else { return Ok(None) };
        let standing = Table::read(lane, &reached::standing_key(org, name))?;
        Ok(Some(Self { name: name.to_owned(), row, standing }))
    }

    /// How a device is reached that has sent bundles; none where it is not.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn of_device(
        lane: &Lane,
        org: &OrgName,
        (serial_number, host_name): (&str, &str),
    ) -> Result<Option<Self>, Error> {
        if let Some(name) = reached::of_serial(lane, org, serial_number)? {
            return Self::read(lane, org, &name);
        }
        Ok(Self::read(lane, org, host_name)?.filter(|device| device.serial_number().is_none()))
    }

    /// Whether somebody sees the one of a name who does not see all of the organization; nobody sees one that is not reached.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn is_seen_of(rows: &OrgRows<'_>, sight: &Sight, org: &OrgName, name: &str) -> Result<bool, Error> {
        Ok(Self::read(rows.lane, org, name)?.is_some_and(|device| device.is_seen(rows.viewer, sight)))
    }

    /// Its chassis serial number, where it is known.
    pub(super) fn serial_number(&self) -> Option<&str> {
        reached::serial_number(&self.row, self.standing.as_ref())
    }

    /// Whether somebody sees it who does not see all of the organization: by where it is, and by the name and the serial
    /// number that people gave it. What it says of itself shows it to nobody.
    pub(super) fn is_seen(&self, viewer: &Viewer, sight: &Sight) -> bool {
        let row = DeviceRow { host_name: self.name.clone(), ..DeviceRow::unknown() };
        self.is_seen_by_place(viewer) || sight.has(&self.row.serial_number, Some(&row))
    }

    fn is_seen_by_place(&self, viewer: &Viewer) -> bool {
        self.row.place.clone().is_some_and(|place| viewer.sees_place(&Place::Below(place)))
    }

    /// Whether what bundles tell of a device is seen by where this one is: people have said that it is the same.
    fn shows(&self, viewer: &Viewer, serial_number: &str) -> bool {
        self.row.serial_number == serial_number && self.is_seen_by_place(viewer)
    }
}

/// Whether what bundles tell of a device is seen by somebody who does not see all of the organization: by itself, or by the
/// device that is reached which people say it is.
pub(super) fn is_learned_seen(
    viewer: &Viewer,
    sight: &Sight,
    (serial_number, row): (&str, &DeviceRow),
    reached: Option<&Reached>,
) -> bool {
    sight.has(serial_number, Some(row)) || reached.is_some_and(|device| device.shows(viewer, serial_number))
}

/// A device that somebody names: how it is reached, and what its bundles tell of it under which serial number.
pub(super) struct Named {
    pub(super) reached: Option<Reached>,
    pub(super) learned: Option<(String, DeviceRow)>,
}

/// The device of a name, by which it is reached, that is its serial number, or the host name of one alone; the first of these
/// that is seen. Of a device that is reached and has sent bundles there is what of both is seen.
///
/// # Errors
/// The store cannot be read, there is none or there are several, for whoever walks.
pub(super) fn named(walk: &Walk, org: &OrgName, text: &str) -> Result<Named, Error> {
    let nothing = || Error::Nothing(format!("`{org}` has no device `{}`", linesman_rules::excerpt(text)));
    let Some(lane) = walk.lane(org) else { return Err(nothing()) };
    let sight = walk.sight(org)?;
    let sees = |device: &Reached| sight.as_ref().is_none_or(|sight| device.is_seen(walk.viewer(), sight));
    let learned = |serial_number: &str, reached: Option<&Reached>| -> Result<Option<(String, DeviceRow)>, Error> {
        let row: Option<DeviceRow> = Table::read(lane, &devices::key(org, serial_number))?;
        let is_seen = |row: &DeviceRow| {
            let learned = (serial_number, row);
            sight.as_ref().is_none_or(|sight| is_learned_seen(walk.viewer(), sight, learned, reached))
        };
        Ok(row.filter(is_seen).map(|row| (serial_number.to_owned(), row)))
    };
    let found = match Reached::read(lane, org, text)?.filter(|device| sees(device)) {
        Some(device) => {
            let learned = match learned(device.serial_number().unwrap_or_default(), Some(&device))? {
                // It is this one that is named, whoever else calls itself so.
                None => match alone(walk, lane, org, text) {
                    Err(Error::Several(_)) => None,
                    found => found?,
                },
                known => known,
            };
            Named { reached: Some(device), learned }
        }
        None => {
            let learned = match learned(text, Reached::of_device(lane, org, (text, ""))?.as_ref())? {
                None => alone(walk, lane, org, text)?,
                known => known,
            };
            let host_name = learned.as_ref().map_or("", |(_, row)| &row.host_name);
            let serial_number = learned.as_ref().map_or(text, |(serial_number, _)| serial_number);
            let reached = Reached::of_device(lane, org, (serial_number, host_name))?.filter(|device| sees(device));
            Named { reached, learned }
        }
    };
    match found.reached.is_some() || found.learned.is_some() {
        true => Ok(found),
        // That there are several is told to whom all of them are.
        false if sight.is_none() && reached::is_of_several(lane, org, text)? => {
            let serial_number = linesman_rules::excerpt(text);
            Err(Error::Several(format!(
                "several devices of `{org}` have the serial number `{serial_number}`: say which by its name"
            )))
        }
        false => Err(nothing()),
    }
}

/// The device of a host name, where it is that of one alone that is seen.
fn alone(walk: &Walk, lane: &Lane, org: &OrgName, host_name: &str) -> Result<Option<(String, DeviceRow)>, Error> {
    let mut found = None;
    for serial_number in reached::of_host(lane, org, host_name) {
        walk.step()?;
        let serial_number = serial_number?;
        let Some(row) = Table::read(lane, &devices::key(org, &serial_number))? else { continue };
        if !walk.sees_device(org, &serial_number, Some(&row))? {
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
