//! Reads a page of incidents from the store.

use std::collections::BTreeMap;

use linesman_schemas::{IncidentId, OrgName};

use super::query::{Query, cursor};
use super::view::{Item, Page};
use crate::domain;
use crate::domain::incidents::{PER_PAGE, page as rows_of_page};
use crate::domain::rows::{self, IncidentRow, OrgRow, key};
use crate::domain::state::Base;
use crate::log::streams::lane_of;
use crate::store::{self, Lane};

/// Where a page ends whatever its limit, in bytes of text: an incident's texts may have 64 KiB each.
const TEXT_MOST: usize = 8 * 1024 * 1024;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// Nobody of that name.
    #[error("there is no organization `{0}`")]
    UnknownOrganization(OrgName),
    /// The store cannot be read.
    #[error("incidents cannot be read from the store")]
    Store(#[from] domain::Error),
    /// The page has no text.
    #[error("incidents cannot be written")]
    Json(#[from] serde_json::Error),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error.into())
    }
}

/// An organization's place: the rows of its lane, and how many incidents it has had.
struct Place<'a> {
    lane: &'a Lane,
    incidents: u64,
}

/// The page that `query` asks for.
///
/// Incidents are never removed and new ones come last in their organization: whoever follows the
/// cursors sees each of those that were there once.
pub(super) fn page(lanes: &[Lane], query: &Query) -> Result<Page, Error> {
    let places = match &query.organization {
        Some(org) => one(lanes, org)?,
        None => all(lanes)?,
    };
    let mut page = Page { items: Vec::new(), next: None, total: places.values().map(|place| place.incidents).sum() };
    let mut last = query.after.clone();
    let mut text = 0;
    for (org, place) in &places {
        let seen = match &query.after {
            Some(after) if *org < after.org => continue,
            Some(after) if *org == after.org => after.number,
            _ => 0,
        };
        for found in incidents(place.lane, org, seen) {
            let (number, row) = found?;
            if page.items.len() >= query.limit || text >= TEXT_MOST {
                page.next = last.as_ref().map(cursor);
                return Ok(page);
            }
            text += row.synopsis.len() + row.description.len();
            let id = IncidentId { org: org.clone(), number };
            last = Some(id.clone());
            page.items.push(item(place.lane, id, row)?);
        }
    }
    Ok(page)
}

/// The place of one organization.
fn one<'a>(lanes: &'a [Lane], org: &OrgName) -> Result<BTreeMap<OrgName, Place<'a>>, Error> {
    let unknown = || Error::UnknownOrganization(org.clone());
    let lane = lane_of(org.as_str(), u32::try_from(lanes.len()).unwrap_or(u32::MAX));
    let lane = lanes.get(lane as usize).ok_or_else(unknown)?;
    let key = key::org(org);
    let row: OrgRow = rows::decode(&key, &lane.get(&key)?.ok_or_else(unknown)?)?;
    Ok(BTreeMap::from([(org.clone(), Place { lane, incidents: row.incidents })]))
}

/// The places of all organizations, in the order of their names.
fn all(lanes: &[Lane]) -> Result<BTreeMap<OrgName, Place<'_>>, Error> {
    let mut places = BTreeMap::new();
    for lane in lanes {
        for row in lane.rows(b"o", None) {
            let (key, bytes) = row?;
            let name = key.get(1..).and_then(|name| std::str::from_utf8(name).ok()?.parse().ok());
            let row: OrgRow = rows::decode(&key, &bytes)?;
            if let Some(name) = name {
                places.insert(name, Place { lane, incidents: row.incidents });
            }
        }
    }
    Ok(places)
}

/// An organization's incidents behind number `seen`, with their numbers.
fn incidents(lane: &Lane, org: &OrgName, seen: u64) -> impl Iterator<Item = Result<(u64, IncidentRow), Error>> {
    let first = seen / PER_PAGE;
    let before = first.checked_sub(1).map(|page| key::incidents(org, page));
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
    incidents.filter(move |found| found.as_ref().map_or(true, |(number, _)| *number > seen))
}

/// The incidents of a row of the store, with their numbers.
fn numbered(key: &[u8], bytes: &[u8]) -> Vec<Result<(u64, IncidentRow), Error>> {
    let page = key.last_chunk().map_or(0, |page| u64::from_be_bytes(*page));
    let numbers = page.saturating_mul(PER_PAGE).saturating_add(1)..;
    numbers.zip(rows_of_page(bytes)).map(|(number, row)| Ok((number, rows::decode(key, row)?))).collect()
}

/// An incident as it is shown, with its device and its case.
fn item(lane: &Lane, id: IncidentId, row: IncidentRow) -> Result<Item, Error> {
    let device = read(lane, &key::device(&id.org, &row.serial_number))?;
    let case = read(lane, &key::case(&id.org, id.number))?;
    Ok(Item::new(id, row, device, case))
}

fn read<T: serde::de::DeserializeOwned>(lane: &Lane, key: &[u8]) -> Result<Option<T>, Error> {
    Ok(lane.get(key)?.map(|bytes| rows::decode(key, &bytes)).transpose()?)
}
