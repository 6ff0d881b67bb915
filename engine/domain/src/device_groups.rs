//! The groups that an organization's devices belong to, by host name. Which one a device belongs to is asked when it
//! matters, not remembered: whoever changes the groups changes at once who sees what.

use linesman_rules::Pattern;
use linesman_schemas::OrgName;

use super::Error;
use super::organizations::{self, GroupRow};
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

    /// The group a host belongs to: the first that names it; empty for none.
    pub fn group_of(&self, host_name: &str) -> &str {
        let group = self.0.iter().find(|(_, hosts)| hosts.iter().any(|host| host.matches(host_name)));
        group.map_or("", |(name, _)| name)
    }
}
