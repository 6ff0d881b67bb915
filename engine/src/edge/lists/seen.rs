//! What is seen of organizations of which not all is seen.

use linesman_schemas::{IncidentId, OrgName};

use super::walk::{OrgRows, Walk};
use super::{Error, items};
use crate::edge::filters::tables::Incidents;
use linesman_domain::devices::{self, DeviceRow};
use linesman_domain::incidents::{IncidentRow, page as pages};
use linesman_domain::sight::Sight;
use linesman_domain::table::Table;

/// How many incidents of an organization that is seen in part are looked through to count those that are seen.
const COUNTED_MOST: u64 = 20_000;

/// An incident that is there for whoever walks, and its device. Where it is not seen, as much is read as where there is
/// none.
pub(super) fn incident(walk: &Walk, id: &IncidentId) -> Result<Option<(IncidentRow, Option<DeviceRow>)>, Error> {
    let Some(lane) = walk.lane(&id.org) else { return Ok(None) };
    let row = pages::find(lane, id)?;
    let other = match &row {
        None => pages::find(lane, &IncidentId { org: id.org.clone(), number: 1 })?,
        Some(_) => None,
    };
    let serial_number = row.as_ref().or(other.as_ref()).map_or("", |row| &row.serial_number);
    let device = Table::read(lane, &devices::key(&id.org, serial_number))?;
    let is_seen = walk.sees_device(&id.org, serial_number, device.as_ref())?;
    Ok(row.filter(|_| is_seen).map(|row| (row, device)))
}

/// How many incidents of one organization, or of all, are seen; none where counting them would take too long.
pub(super) fn total(walk: &Walk, asked: Option<&OrgName>) -> Result<Option<u64>, Error> {
    let mut total = 0;
    for (org, rows) in walk.organizations(asked)? {
        let Some(seen) = incidents(walk, &rows, &org)? else { return Ok(None) };
        total += seen;
    }
    Ok(Some(total))
}

/// How many incidents of an organization are seen; none where counting them would take too long.
pub(super) fn incidents(walk: &Walk, rows: &OrgRows<'_>, org: &OrgName) -> Result<Option<u64>, Error> {
    let Some(sight) = &rows.sight else { return Ok(Some(rows.row.incidents)) };
    if rows.row.incidents > COUNTED_MOST {
        return Ok(None);
    }
    let mut count = 0;
    for found in items::<Incidents>(rows.lane, org, None, false) {
        walk.step()?;
        let (_, row, _) = found?;
        count += u64::from(is_device(rows, sight, org, &row.serial_number)?);
    }
    Ok(Some(count))
}

/// Whether a device of an organization that is seen in part is.
pub(super) fn is_device(rows: &OrgRows<'_>, sight: &Sight, org: &OrgName, serial_number: &str) -> Result<bool, Error> {
    let device = Table::read(rows.lane, &devices::key(org, serial_number))?;
    Ok(sight.has(serial_number, device.as_ref()))
}
