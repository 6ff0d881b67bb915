//! In which lane an organization's rows lie.

use std::collections::BTreeMap;

use linesman_schemas::OrgName;

use super::Error;
use crate::domain::rows::{self, OrgRow, key};
use crate::log::streams::lane_of;
use crate::store::Lane;

/// An organization's place: the rows of its lane, and how many incidents it has had.
pub(super) struct Place<'a> {
    pub(super) lane: &'a Lane,
    pub(super) incidents: u64,
}

/// The place of one organization, or those of all, in the order of their names.
pub(super) fn places<'a>(lanes: &'a [Lane], asked: Option<&OrgName>) -> Result<BTreeMap<OrgName, Place<'a>>, Error> {
    match asked {
        Some(org) => one(lanes, org),
        None => all(lanes),
    }
}

fn one<'a>(lanes: &'a [Lane], org: &OrgName) -> Result<BTreeMap<OrgName, Place<'a>>, Error> {
    let unknown = || Error::UnknownOrganization(org.clone());
    let lane = lane_of(org.as_str(), u32::try_from(lanes.len()).unwrap_or(u32::MAX));
    let lane = lanes.get(lane as usize).ok_or_else(unknown)?;
    let row = rows::read(lane, &key::org(org))?.ok_or_else(unknown)?;
    Ok(BTreeMap::from([(org.clone(), Place { lane, incidents: row.incidents })]))
}

fn all(lanes: &[Lane]) -> Result<BTreeMap<OrgName, Place<'_>>, Error> {
    let mut places = BTreeMap::new();
    for lane in lanes {
        for row in lane.rows(b"o", None) {
            let (key, bytes) = row?;
            let row: OrgRow = rows::decode(&key, &bytes)?;
            if let Some(name) = key::read_org(&key) {
                places.insert(name, Place { lane, incidents: row.incidents });
            }
        }
    }
    Ok(places)
}
