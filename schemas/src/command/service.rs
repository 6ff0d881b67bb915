//! Commands about services, as organizations have them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, label};
use crate::{OrgName, Place, ServiceName};

/// How many characters the version of a service has.
const VERSION_LENGTH: usize = 12;

/// What is asked for of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// Let subscriptions be on another version of it.
    Rollout(Rollout),
}

impl Service {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Rollout(_) => "rollout-service",
        }
    }

    /// Where; none where that is no place of the organization.
    pub(super) fn place(&self, org: &OrgName) -> Option<Place> {
        let Self::Rollout(rollout) = self;
        Some(rollout.under.clone()).filter(|place| place.organization() == Some(org))
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        let Self::Rollout(rollout) = self;
        rollout.version.as_ref().map_or(Ok(()), |version| label("/version", version, VERSION_LENGTH))
    }
}

/// That subscriptions go over to another version of their service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rollout {
    /// The service.
    pub service: ServiceName,
    /// Its version; without one the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where they were made: there or below.
    pub under: Place,
    /// So many of them at the most, in the order of their places and names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<u32>,
    /// Whether they go over also where values would be at fault by it, or two would set the same differently.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}
