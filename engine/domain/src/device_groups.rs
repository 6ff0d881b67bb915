//! The groups that an organization's devices belong to, by name. Which one a device belongs to is asked when it
//! matters, not remembered: whoever changes the groups changes at once who sees what.
//!
//! A device belongs to one group at most, the first that names it. With `*` that is a matter of their order, exceptions before the
//! rule; a whole name is in one group, or would stand in another in vain.
//!
//! A device that is reached has the name that people gave it, whatever it calls itself: else it would be in the group of
//! another by taking its host name. One that only sends bundles has its host name.

use std::fmt;

use linesman_rules::Pattern;
use linesman_schemas::OrgName;

use super::Error;
use super::desk::Desk;
use super::organizations::{self, GroupRow, Organizations};
use super::reached;
use super::state::Base;
use super::table::Table;

/// The groups of an organization's devices.
#[derive(Debug, Clone, Default)]
pub struct DeviceGroups(Vec<(String, Vec<Pattern>)>);

impl DeviceGroups {
    /// Those that an organization's row has.
    pub fn new(groups: &[GroupRow]) -> Self {
        let patterns = |devices: &[String]| devices.iter().map(|device| Pattern::new(device)).collect();
        Self(groups.iter().map(|group| (group.name.clone(), patterns(&group.devices))).collect())
    }

    /// Those of an organization; none where it is not there.
    ///
    /// # Errors
    /// The base cannot be read, or the row.
    pub fn of(base: &(impl Base + ?Sized), org: &OrgName) -> Result<Self, Error> {
        let row = Table::read(base, &organizations::key(org))?;
        Ok(row.map_or_else(Self::default, |row| Self::new(&row.device_groups)))
    }

    /// The group that a device of a name belongs to: the first that names it; empty for none.
    pub fn group_of(&self, name: &str) -> &str {
        let group = self.0.iter().find(|(_, names)| names.iter().any(|of| of.matches(name)));
        group.map_or("", |(name, _)| name)
    }
}

/// The engine level from which on no device is named in two groups.
pub(crate) const ONE_EACH_FROM: u32 = 14;

/// A device that is named in a group, by its whole name, and belongs to one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTwice {
    /// Its name.
    pub device: String,
    /// The group that names it in vain.
    pub group: String,
    /// The one that it belongs to.
    pub first: String,
}

impl fmt::Display for NamedTwice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, group, first } = self;
        write!(
            f,
            "a device is in one device group: `{device}` is named in `{group}`, and belongs to `{first}`, which stands before it"
        )
    }
}

/// All devices that groups name so, in the order in which they do.
pub fn named_twice(groups: &[GroupRow]) -> Vec<NamedTwice> {
    let all = DeviceGroups::new(groups);
    let of = |group: &GroupRow, device: &String| {
        let first = all.group_of(device);
        let is_twice = !device.contains('*') && first != group.name;
        is_twice.then(|| NamedTwice { device: device.clone(), group: group.name.clone(), first: first.to_owned() })
    };
    groups.iter().flat_map(|group| group.devices.iter().filter_map(move |device| of(group, device))).collect()
}

/// What is wrong with groups of which one names a device twice. Those that the organization has already, `known`, are not looked at:
/// they are as they are.
pub(crate) fn refusal(known: &[GroupRow], groups: &[GroupRow]) -> Option<String> {
    if known == groups {
        return None;
    }
    named_twice(groups).first().map(ToString::to_string)
}

/// The engine level from which on lanes ask by the name that people gave a device.
const NAMED_FROM: u32 = 13;

/// The name by which it is asked to which group a device belongs that sends bundles: that of the device to which people gave
/// its serial number. One that a device merely claims joins nothing: else it would show another's data to who sees its own group.
///
/// # Errors
/// The base cannot be read.
pub(crate) fn name_of(
    base: &(impl Base + ?Sized),
    org: &OrgName,
    serial_number: &str,
    host_name: &str,
) -> Result<String, Error> {
    Ok(reached::given_to(base, org, serial_number)?.unwrap_or_else(|| host_name.to_owned()))
}

/// The group that a device belongs to which sends bundles, as a lane asks it; empty for none.
pub(crate) fn of_device<'a>(
    desk: &Desk,
    organizations: &'a Organizations,
    org: &OrgName,
    serial_number: &str,
    host_name: &str,
) -> Result<&'a str, Error> {
    match desk.is_at(NAMED_FROM) && organizations.has_groups(org) {
        true => Ok(organizations.group_of(org, &name_of(desk.state(), org, serial_number, host_name)?)),
        false => Ok(organizations.group_of(org, host_name)),
    }
}
