//! Commands about subscriptions to services.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::Fault;
use super::value;
use crate::{OrgName, Place, ServiceName, SubscriptionName};

/// What is asked for of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subscription {
    /// Make it, or change it.
    Set(SubscriptionSettings),
    /// Remove it.
    Remove(SubscriptionPath),
    /// Let it rest.
    Suspend(SubscriptionPath),
    /// It rests no longer.
    Resume(SubscriptionPath),
}

impl Subscription {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Set(_) => "set-subscription",
            Self::Remove(_) => "remove-subscription",
            Self::Suspend(_) => "suspend-subscription",
            Self::Resume(_) => "resume-subscription",
        }
    }

    /// Where it was made, or is to be.
    pub const fn at(&self) -> &Place {
        match self {
            Self::Set(settings) => &settings.place,
            Self::Remove(path) | Self::Suspend(path) | Self::Resume(path) => &path.place,
        }
    }

    /// Its name there.
    pub const fn name(&self) -> &SubscriptionName {
        match self {
            Self::Set(settings) => &settings.name,
            Self::Remove(path) | Self::Suspend(path) | Self::Resume(path) => &path.name,
        }
    }

    /// Where it is; none where that is no place of the organization.
    pub(super) fn place(&self, org: &OrgName) -> Option<Place> {
        Some(self.at().clone()).filter(|place| place.organization() == Some(org))
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Set(settings) => match &settings.substitutions {
                Some(texts) => value::substitutions("/substitutions", texts),
                None => Ok(()),
            },
            Self::Remove(_) | Self::Suspend(_) | Self::Resume(_) => Ok(()),
        }
    }
}

/// What can be set on a subscription; what is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubscriptionSettings {
    /// Where: an organization, a site of it or an access line. What lies below inherits it.
    pub place: Place,
    /// Its name there.
    pub name: SubscriptionName,
    /// The service. Of one that is there it does not change.
    pub service: ServiceName,
    /// Its substitutions at its own place, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substitutions: Option<Vec<String>>,
    /// Whether it is to be active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

/// Which subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubscriptionPath {
    /// Where it was made.
    pub place: Place,
    /// Its name there.
    pub name: SubscriptionName,
}
