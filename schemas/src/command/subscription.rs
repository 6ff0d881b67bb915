//! Commands about subscriptions to services.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::bounds::Fault;
use super::value;
use crate::schedule::Schedule;
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
    /// Activate it, where it was made or below.
    Activate(Activation),
    /// Deactivate it, where it was made or below.
    Deactivate(Deactivation),
    /// Tell devices all of it once more.
    Redeploy(SubscriptionPath),
}

impl Subscription {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Set(_) => "set-subscription",
            Self::Remove(_) => "remove-subscription",
            Self::Suspend(_) => "suspend-subscription",
            Self::Resume(_) => "resume-subscription",
            Self::Activate(_) => "activate-subscription",
            Self::Deactivate(_) => "deactivate-subscription",
            Self::Redeploy(_) => "redeploy-subscription",
        }
    }

    /// Where it was made, or is to be; of what inherits it as well, the place that is meant.
    pub const fn at(&self) -> &Place {
        match self {
            Self::Set(settings) => &settings.place,
            Self::Remove(path) | Self::Suspend(path) | Self::Resume(path) | Self::Redeploy(path) => &path.place,
            Self::Activate(activation) => &activation.place,
            Self::Deactivate(deactivation) => &deactivation.place,
        }
    }

    /// Its name there.
    pub const fn name(&self) -> &SubscriptionName {
        match self {
            Self::Set(settings) => &settings.name,
            Self::Remove(path) | Self::Suspend(path) | Self::Resume(path) | Self::Redeploy(path) => &path.name,
            Self::Activate(activation) => &activation.name,
            Self::Deactivate(deactivation) => &deactivation.name,
        }
    }

    /// Where it is; none where that is no place of the organization.
    pub(super) fn place(&self, org: &OrgName) -> Option<Place> {
        Some(self.at().clone()).filter(|place| place.organization() == Some(org))
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        let (texts, schedule) = match self {
            Self::Set(settings) => {
                (settings.substitutions.as_deref(), settings.schedule.as_ref().and_then(Option::as_ref))
            }
            Self::Activate(activation) => (Some(activation.substitutions.as_slice()), activation.schedule.as_ref()),
            Self::Deactivate(deactivation) => (deactivation.substitutions.as_deref(), None),
            Self::Remove(_) | Self::Suspend(_) | Self::Resume(_) | Self::Redeploy(_) => (None, None),
        };
        texts.map_or(Ok(()), |texts| value::substitutions("/substitutions", texts))?;
        schedule.map_or(Ok(()), |schedule| schedule.check("/schedule"))
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
    /// When it is active, as long as it is to be; `null` for always.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Option<Schedule>>,
}

/// What is said, `null` too.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// That a subscription becomes configuration of the devices of access lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Activation {
    /// Where: where the subscription was made, or below. All access lines there and below are meant.
    pub place: Place,
    /// The subscription's name, as it is seen there.
    pub name: SubscriptionName,
    /// Values for this activation alone; with others there is another activation beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub substitutions: Vec<String>,
    /// When it counts; without one from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

/// That a subscription is to be configuration of no device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deactivation {
    /// Where: where the subscription was made, or below.
    pub place: Place,
    /// The subscription's name, as it is seen there.
    pub name: SubscriptionName,
    /// The one activation of that place with these values; without them all, also those that reach there from above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substitutions: Option<Vec<String>>,
}

/// Which subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubscriptionPath {
    /// Where it was made.
    pub place: Place,
    /// Its name there.
    pub name: SubscriptionName,
}
