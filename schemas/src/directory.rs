//! The provider's directory: its people, what they were granted, and its user groups. A section of the rule book.
//!
//! Of passwords, secrets of tokens and sessions nothing stands here.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::command::DeviceGroupName;
use crate::{GroupName, Login, ManagerName, OrgName, Privileges, Rights, Sphere, TokenName};

/// What somebody was granted, and by whom. What it comes to is what all granters above have too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Where.
    pub sphere: Sphere,
    /// What may be done there.
    pub privileges: Privileges,
    /// What else; of the provider's people only.
    pub rights: Rights,
    /// By whom; none for the provider's first manager, who was granted everything by nobody.
    pub granter: Option<Granter>,
}

/// Who granted something. A login that was removed and made again is another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Granter {
    /// Who.
    pub login: Login,
    /// The granter's own number: where the command that made it stands in IN.
    pub number: u64,
}

/// What a token may do of what its owner may; none of a kind: all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attenuation {
    /// Until when it is good.
    pub expires: Option<Timestamp>,
    /// Where.
    pub sphere: Option<Sphere>,
    /// What.
    pub privileges: Option<Privileges>,
    /// What else.
    pub rights: Option<Rights>,
}

/// The content of the section of the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectorySection {
    /// The provider's people but the first, by name.
    pub people: Vec<Person>,
    /// Those that are gone, by name and number; whom they granted anything are their granter's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Gone>,
    /// API tokens of the provider's people, by owner and name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<OwnedToken>,
    /// User groups, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
}

/// One of the provider's people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub name: ManagerName,
    /// See [`Granter::number`].
    pub number: u64,
    /// What was granted.
    pub grant: Grant,
}

/// Somebody who is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// Who it was.
    pub was: Granter,
    /// What was granted when they went.
    pub grant: Grant,
}

/// An API token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedToken {
    /// Whose.
    pub owner: ManagerName,
    /// Its name among the owner's.
    pub name: TokenName,
    /// What it may do.
    pub attenuation: Attenuation,
}

/// A user group: its members see what it is tied to, as far as whoever granted that does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: GroupName,
    /// Who of the provider's people is in it, by name.
    pub members: Vec<ManagerName>,
    /// The organizations it is tied to, by name.
    pub organizations: Vec<OrgName>,
    /// The device groups it is tied to.
    pub device_groups: Vec<DeviceGroupName>,
    /// Who made it.
    pub granter: Granter,
}

impl Grant {
    /// What is in both, granted by whoever granted `above`: how somebody's is handed on whose granter is gone.
    #[must_use]
    pub fn handed_over(&self, above: &Self) -> Self {
        Self {
            sphere: self.sphere.intersection(&above.sphere),
            privileges: self.privileges.intersection(above.privileges),
            rights: self.rights.intersection(above.rights),
            granter: above.granter.clone(),
        }
    }
}
