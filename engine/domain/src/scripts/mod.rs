//! Scripts on devices: bundles of them and event profiles that an organization keeps, which of its device groups is to have
//! which, and how far each device is with that.
//!
//! What is done on devices is done outside, by what is written here, and reported. What a version of a bundle is, or an event
//! profile that some device has, does not change: so it is known of every device what is ours on it, and can be put back.

mod asked;
mod recorded;
mod rows;
mod text;

use linesman_schemas::OrgName;
use linesman_schemas::scripts::{ScriptsStanding, ScriptsState};

pub use rows::{
    DEVICE_SCRIPTS, DeviceScriptsRow, EVENT_PROFILES, FileRow, GROUP_SCRIPTS, GroupScriptsRow, InstalledRow,
    OverwrittenRow, ProfileRow, SCRIPT_BUNDLES, ScriptBundleRow, bundle_key, bundles, device_key, devices, group_key,
    groups, profile_key, profiles,
};
pub use text::{GROUP, group_text};

pub(crate) use asked::{ask, comes_to};
pub use recorded::CHANGE;

use super::Error;
use super::desk::Desk;
use super::reached;

/// The engine level from which on scripts are installed on devices.
pub const LEVEL: u32 = 13;
/// How many versions of bundles an organization keeps.
pub const BUNDLES_MOST: usize = 64;
/// How many event profiles it keeps.
pub const PROFILES_MOST: usize = 200;
/// How many device groups of it have had scripts.
pub const GROUPS_MOST: usize = 1_000;

/// Takes note of how scripts stand on a device, and puts on record what came of it. Of a device that is reached no more nothing
/// is noted.
pub(crate) fn stands(desk: &mut Desk, org: &OrgName, report: &ScriptsStanding, rule_book: u64) -> Result<(), Error> {
    let Some(device) = desk.read(&reached::key(org, &report.device))? else {
        desk.tally.input("result", "unknown device");
        return Ok(());
    };
    desk.tally.input("result", "scripts");
    let key = device_key(org, &report.device);
    let before = desk.read(&key)?;
    let by = doers(desk, org, report, before.as_ref())?;
    let row = DeviceScriptsRow::of(report, by, before.as_ref(), desk.now);
    if before.as_ref() != Some(&row) {
        desk.write(key, &row)?;
        recorded::record(desk, (org, &report.device, &device), (before.as_ref(), &row), report, rule_book)?;
    }
    Ok(())
}

/// By whose doing it is what a report is about: that is kept with the device, as its group may be to have another by now.
fn doers(
    desk: &Desk,
    org: &OrgName,
    report: &ScriptsStanding,
    before: Option<&DeviceScriptsRow>,
) -> Result<Vec<String>, Error> {
    if let Some(row) = before.filter(|row| row.order == report.order) {
        return Ok(row.by.clone());
    }
    let group = desk.read(&group_key(org, &report.device_group))?;
    Ok(group.filter(|row| row.order == report.order).map(|row| row.by).unwrap_or_default())
}

/// A device may be another by now: whether it has what it is to have is looked at again.
pub(crate) fn look_again(desk: &mut Desk, org: &OrgName, device: &str) -> Result<(), Error> {
    let key = device_key(org, device);
    if let Some(row) = desk.read(&key)?.filter(|row| row.state.is_final()) {
        let detail = String::new();
        desk.write(key, &DeviceScriptsRow { state: ScriptsState::Waiting, since: desk.now, done: 0, detail, ..row })?;
    }
    Ok(())
}

/// A device is reached no more, or is another: what is on it is not known any more either.
pub(crate) fn forget(desk: &mut Desk, org: &OrgName, device: &str) {
    desk.remove(device_key(org, device));
}
