//! Reads a page of incidents from the store.

use linesman_schemas::{IncidentId, OrgName};

use super::incident::Item;
use super::places::places;
use super::query::{After, Query};
use super::{Error, Page, TEXT_MOST};
use crate::domain::incidents::{PER_PAGE, page as rows_of_page};
use crate::domain::rows::{self, IncidentRow, key};
use crate::store::Lane;

/// The page that `query` asks for.
///
/// Incidents are never removed and new ones come last in their organization: whoever follows the
/// cursors sees each of those that were there once.
pub(super) fn page(lanes: &[Lane], query: &Query) -> Result<Page<Item>, Error> {
    let places = places(lanes, query.organization.as_ref())?;
    let seen_last = match &query.after {
        Some(after) => after.key.parse().map_err(|_| Error::Cursor)?,
        None => 0,
    };
    let total = places.values().map(|place| place.incidents).sum();
    let mut page = Page { items: Vec::new(), next: None, total: Some(total) };
    let mut last = None;
    let mut text = 0;
    for (org, place) in &places {
        let seen = match &query.after {
            Some(after) if *org < after.org => continue,
            Some(after) if *org == after.org => seen_last,
            _ => 0,
        };
        for found in incidents(place.lane, org, seen) {
            let (number, row, bytes) = found?;
            if page.items.len() >= query.limit || text >= TEXT_MOST {
                page.next = last.map(|last: After| last.cursor());
                return Ok(page);
            }
            let id = IncidentId { org: org.clone(), number };
            last = Some(After { org: org.clone(), key: number.to_string() });
            let item = item(place.lane, id, row)?;
            text += bytes + item.device_bytes();
            page.items.push(item);
        }
    }
    Ok(page)
}

/// An incident's number, its row, and how many bytes that has.
type Found = Result<(u64, IncidentRow, usize), Error>;

/// An organization's incidents behind number `seen`.
fn incidents(lane: &Lane, org: &OrgName, seen: u64) -> impl Iterator<Item = Found> {
    let first = seen / PER_PAGE;
    let before = first.checked_sub(1).map(|page| key::incidents(org, page).into_bytes());
    let prefix = key::of(b'i', &[org.as_str()], &[]);
    // One row of the store at a time: their number is not bounded by what is asked for.
    let mut after = before;
    let pages = std::iter::from_fn(move || {
        let found = lane.rows(&prefix, after.as_deref()).next()?;
        if let Ok((key, _)) = &found {
            after = Some(key.clone());
        }
        Some(found)
    });
    let incidents = pages.flat_map(|found| match found {
        Ok((key, bytes)) => numbered(&key, &bytes),
        Err(error) => vec![Err(error.into())],
    });
    incidents.filter(move |found| found.as_ref().map_or(true, |(number, ..)| *number > seen))
}

/// The incidents of a row of the store.
fn numbered(key: &[u8], bytes: &[u8]) -> Vec<Found> {
    let page = key.last_chunk().map_or(0, |page| u64::from_be_bytes(*page));
    let numbers = page.saturating_mul(PER_PAGE).saturating_add(1)..;
    numbers.zip(rows_of_page(bytes)).map(|(number, row)| Ok((number, rows::decode(key, row)?, row.len()))).collect()
}

/// An incident as it is shown, with its device and its case.
fn item(lane: &Lane, id: IncidentId, row: IncidentRow) -> Result<Item, Error> {
    let device = rows::read(lane, &key::device(&id.org, &row.serial_number))?;
    let case = rows::read(lane, &key::case(&id.org, id.number))?;
    Ok(Item::new(id, row, device, case))
}
