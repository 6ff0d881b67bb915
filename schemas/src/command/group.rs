//! Commands about user groups, which the provider has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, OWNER_MOST, label, list};
use crate::{GroupName, ManagerName, OrgName};

/// What is asked for of a user group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Group {
    /// Make it, or change it.
    Set(GroupSettings),
    /// Remove it.
    Remove(GroupRemoval),
}

impl Group {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Set(_) => "set-group",
            Self::Remove(_) => "remove-group",
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Set(settings) => settings.check(),
            Self::Remove(_) => Ok(()),
        }
    }
}

/// Who is in a group, and what they see by it; what is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupSettings {
    /// Which group.
    pub group: GroupName,
    /// Who of the provider's people is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<ManagerName>>,
    /// The organizations they see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizations: Option<Vec<OrgName>>,
    /// The device groups they see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_groups: Option<Vec<DeviceGroupName>>,
}

impl GroupSettings {
    fn check(&self) -> Result<(), Fault> {
        list("/members", self.members.as_deref().unwrap_or_default())?;
        list("/organizations", self.organizations.as_deref().unwrap_or_default())?;
        let groups = self.device_groups.as_deref().unwrap_or_default();
        list("/device_groups", groups)?;
        let named = |(at, group): (usize, &DeviceGroupName)| {
            label(&format!("/device_groups/{at}/name"), &group.name, OWNER_MOST)
        };
        groups.iter().enumerate().try_for_each(named)
    }
}

/// A device group of an organization.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct DeviceGroupName {
    /// Whose.
    pub organization: OrgName,
    /// Its name.
    pub name: String,
}

/// Which group is to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupRemoval {
    /// Which group.
    pub group: GroupName,
}
