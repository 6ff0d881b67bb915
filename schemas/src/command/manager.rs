//! Commands about managers: of an organization, or the provider's people.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, label};
use crate::{ManagerName, Place, Privileges, Rights};

/// How many places a sphere may name.
pub const SPHERE_MOST: usize = 64;
/// The longest hash of a password, in characters.
pub const HASH_MOST: usize = 256;

/// What is asked for of a manager of the organization that the command's subject names, or of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manager {
    /// Make it, or change it.
    Set(ManagerSettings),
    /// Remove it; whom it has granted anything is handed to its granter.
    Remove(ManagerRemoval),
    /// Give it another password.
    SetPassword(PasswordChange),
}

impl Manager {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Set(_) => "set-manager",
            Self::Remove(_) => "remove-manager",
            Self::SetPassword(_) => "set-password",
        }
    }

    /// Which manager.
    pub const fn name(&self) -> &ManagerName {
        match self {
            Self::Set(settings) => &settings.manager,
            Self::Remove(removal) => &removal.manager,
            Self::SetPassword(change) => &change.manager,
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Set(settings) => settings.check(),
            Self::Remove(_) => Ok(()),
            Self::SetPassword(change) => label("/password", &change.password, HASH_MOST),
        }
    }
}

/// What can be set on a manager; what is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManagerSettings {
    /// Which manager.
    pub manager: ManagerName,
    /// Its sphere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sphere: Option<Vec<Place>>,
    /// Its privileges there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privileges: Option<Privileges>,
    /// Its rights there; of the provider's people only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<Rights>,
    /// The hash of its password, in the PHC string format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

impl ManagerSettings {
    fn check(&self) -> Result<(), Fault> {
        sphere(self.sphere.as_deref())?;
        self.password.iter().try_for_each(|hash| label("/password", hash, HASH_MOST))
    }
}

/// A sphere of so many places.
pub(super) fn sphere(places: Option<&[Place]>) -> Result<(), Fault> {
    match places {
        Some(places) if places.len() > SPHERE_MOST => {
            Err(Fault::new("/sphere", format!("has more than {SPHERE_MOST} places")))
        }
        _ => Ok(()),
    }
}

/// Which manager is to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManagerRemoval {
    /// Which manager.
    pub manager: ManagerName,
}

/// Another password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PasswordChange {
    /// Whose.
    pub manager: ManagerName,
    /// Its hash, in the PHC string format.
    pub password: String,
}
