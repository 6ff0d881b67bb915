//! User groups of the provider's people; rows of lane 0.

use linesman_schemas::command::DeviceGroupName;
use linesman_schemas::directory::{Granter, Group};
use linesman_schemas::{GroupName, ManagerName, OrgName, Place};
use serde::{Deserialize, Serialize};

use super::Error;
use super::rights::{self, Grants};
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

/// What a group is to be tied to; of a kind that is none the ties stay.
#[derive(Debug, Default)]
pub struct Ties {
    /// Organizations.
    pub organizations: Option<Vec<OrgName>>,
    /// Device groups.
    pub device_groups: Option<Vec<DeviceGroupName>>,
}

/// Ties a group anew. What is tied anew is not held back by granters who are gone: it is their heir's from then on, as
/// those are whom they granted anything. Of the ties that stay, those go of which such a granter had nothing left.
///
/// The organization, if there is one, because of which that cannot be: the group stays tied to it, and such a granter had
/// a part of it. Then nothing is changed.
///
/// # Errors
/// What was granted cannot be read.
pub fn tie(grants: &(impl Grants + ?Sized), group: &mut Group, anew: Ties) -> Result<Option<OrgName>, Error> {
    let Ties { organizations, device_groups } = anew;
    if organizations.is_none() && device_groups.is_none() {
        return Ok(None);
    }
    let left = rights::left(grants, &group.granter)?;
    let covers = |org: &OrgName| left.sphere.covers(&Place::Organization(org.clone()));
    let touches = |org: &OrgName| left.sphere.touches(&Place::Organization(org.clone()));
    let mut staying = group.organizations.iter().filter(|_| organizations.is_none());
    match (staying.find(|org| touches(org) && !covers(org)), left.granter) {
        // It stays with them, and so does what reaches no further.
        (Some(held), _) => {
            if device_groups.iter().flatten().any(|tie| !covers(&tie.organization)) {
                return Ok(Some(held.clone()));
            }
        }
        (None, Some(heir)) => {
            group.organizations.retain(|org| covers(org));
            group.device_groups.retain(|tie| covers(&tie.organization));
            group.granter = heir;
        }
        // Nobody knows who stands for them.
        (None, None) => {}
    }
    group.organizations = organizations.map_or_else(|| std::mem::take(&mut group.organizations), sorted);
    group.device_groups = device_groups.map_or_else(|| std::mem::take(&mut group.device_groups), sorted);
    Ok(None)
}

/// In order, each once.
pub(crate) fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items.dedup();
    items
}
