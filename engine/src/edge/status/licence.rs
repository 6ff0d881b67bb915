//! Under what licence the engine runs, as `status` tells it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::edge::admission;
use crate::licence::Standing;
use crate::store::Lane;
use linesman_domain::Error;

/// Under what licence the engine runs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LicenceState {
    /// The licence's id; null without one that counts.
    licence: Option<String>,
    /// Until when it is good.
    not_after: Option<Timestamp>,
    /// How many organizations take part.
    organizations: u64,
    /// How many may.
    organizations_most: u64,
    /// How many devices there are; null where nothing bounds them.
    devices: Option<u64>,
    /// How many may be; null where nothing bounds them.
    devices_most: Option<u64>,
    /// How many devices there are beyond that: as long as there are any, no organization is added.
    devices_over: u64,
    /// Whether anything is sent upstream as far as the licence goes.
    sends: bool,
}

/// Under what licence the engine runs, and what people should know of it.
///
/// # Errors
/// The state cannot be read.
pub(super) fn state(
    standing: &Arc<Standing>,
    lanes: &[Lane],
    devices: Option<u64>,
) -> Result<(LicenceState, Vec<String>), Error> {
    let organizations = admission::active(lanes)?.len() as u64;
    standing.counted(organizations);
    let terms = standing.terms(Timestamp::now());
    let devices_over = devices.zip(terms.devices).map_or(0, |(devices, most)| devices.saturating_sub(most));
    let mut notices: Vec<String> = terms.notice.into_iter().collect();
    if devices_over > 0 {
        notices.push(format!(
            "there are {devices_over} devices more than the licence permits: their bundles are processed, and no \
             organization is added"
        ));
    }
    let state = LicenceState {
        licence: standing.licence().map(|licence| licence.id.clone()),
        not_after: standing.licence().map(|licence| licence.not_after),
        organizations,
        organizations_most: terms.organizations,
        devices: devices.filter(|_| terms.devices.is_some()),
        devices_most: terms.devices,
        devices_over,
        sends: terms.sends,
    };
    Ok((state, notices))
}
