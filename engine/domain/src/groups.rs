//! User groups of the provider's people; rows of lane 0.

use linesman_schemas::command::DeviceGroupName;
use linesman_schemas::directory::{Granter, Group};
use linesman_schemas::{GroupName, ManagerName, OrgName};
use serde::{Deserialize, Serialize};

use super::Error;
use super::state::Base;
use super::table::{Key, Row, Table};

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserGroupRow {
    /// Who is in it, by name.
    pub members: Vec<ManagerName>,
    /// The organizations it is tied to, by name.
    pub organizations: Vec<OrgName>,
    /// The device groups it is tied to: whose, and the name.
    pub device_groups: Vec<(OrgName, String)>,
    /// Who made it.
    pub granter: Granter,
}

impl Row for UserGroupRow {}

impl UserGroupRow {
    /// The group of that name.
    pub fn group(self, name: GroupName) -> Group {
        let tied = |(organization, name)| DeviceGroupName { organization, name };
        Group {
            name,
            members: self.members,
            organizations: self.organizations,
            device_groups: self.device_groups.into_iter().map(tied).collect(),
            granter: self.granter,
        }
    }
}

impl From<&Group> for UserGroupRow {
    fn from(group: &Group) -> Self {
        let tied = |tie: &DeviceGroupName| (tie.organization.clone(), tie.name.clone());
        Self {
            members: group.members.clone(),
            organizations: group.organizations.clone(),
            device_groups: group.device_groups.iter().map(tied).collect(),
            granter: group.granter.clone(),
        }
    }
}

/// The table of groups.
pub const GROUPS: Table<UserGroupRow> = Table::new(b'f');

/// A group's key.
pub fn key(name: &GroupName) -> Key<UserGroupRow> {
    GROUPS.key(&[], name.as_str().as_bytes())
}

/// All groups, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all(base: &(impl Base + ?Sized)) -> impl Iterator<Item = Result<Group, Error>> {
    GROUPS.rows(base, &[]).filter_map(|row| {
        row.map(|(own, row)| Some(row.group(std::str::from_utf8(&own).ok()?.parse().ok()?))).transpose()
    })
}
