//! Commands about the values of parameters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, label};
use crate::{OrgName, Place, ServiceName, SubscriptionName};

/// The longest text of a substitution, in bytes.
pub const SUBSTITUTION_MOST: usize = 4096;
/// How many substitutions may stand together: of a place, of a subscription at a place, or of a service localized.
pub const SUBSTITUTIONS_MOST: usize = 256;
/// The longest name of a parameter, in characters.
pub const PARAMETER_MOST: usize = 64;

/// What is asked for of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// Give values at a place.
    Set(ValueSettings),
    /// Give values of a service, as all of the organization has it.
    Localize(Localization),
}

impl Values {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Set(_) => "set-values",
            Self::Localize(_) => "localize-service",
        }
    }

    /// Where values are given; none where it is no place of the organization.
    pub(super) fn place(&self, org: &OrgName) -> Option<Place> {
        match self {
            Self::Set(settings) => Some(settings.place.clone()).filter(|place| place.organization() == Some(org)),
            Self::Localize(_) => Some(Place::Organization(org.clone())),
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        let (given, unset) = match self {
            Self::Set(settings) => (&settings.substitutions, &settings.unset),
            Self::Localize(localization) => (&localization.substitutions, &localization.unset),
        };
        substitutions("/substitutions", given)?;
        if unset.len() > SUBSTITUTIONS_MOST {
            return Err(Fault::new("/unset", format!("has more than {SUBSTITUTIONS_MOST} entries")));
        }
        unset.iter().enumerate().try_for_each(|(at, name)| label(&format!("/unset/{at}"), name, PARAMETER_MOST))
    }
}

/// Substitutions, within the bounds of their number and length.
pub(super) fn substitutions(pointer: &str, texts: &[String]) -> Result<(), Fault> {
    if texts.len() > SUBSTITUTIONS_MOST {
        return Err(Fault::new(pointer, format!("has more than {SUBSTITUTIONS_MOST} entries")));
    }
    texts.iter().enumerate().try_for_each(|(at, text)| {
        let fault = |message: String| Err(Fault::new(format!("{pointer}/{at}"), message));
        match text.len() > SUBSTITUTION_MOST {
            true => fault(format!("has more than {SUBSTITUTION_MOST} bytes")),
            false if text.chars().any(char::is_control) => fault("has control characters".to_owned()),
            false if text.trim().is_empty() => fault("is empty".to_owned()),
            false => Ok(()),
        }
    })
}

/// Which values a place has, of its own or for a subscription that is seen there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ValueSettings {
    /// Where: an organization, a site of it or an access line.
    pub place: Place,
    /// For which subscription; none: whatever is subscribed to there and below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<SubscriptionName>,
    /// The substitutions: `[!]name[:type]*[=expression]`, or `[!]name in expression`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub substitutions: Vec<String>,
    /// The parameters whose substitutions go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// Whether substitutions that are named by neither stay; without it they go.
    #[serde(default)]
    pub keep: bool,
}

/// How the provider has a service for an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Localization {
    /// Which service.
    pub service: ServiceName,
    /// The substitutions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub substitutions: Vec<String>,
    /// The parameters whose substitutions go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// Whether substitutions that are named by neither stay; without it they go.
    #[serde(default)]
    pub keep: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(substitutions: &[&str], unset: &[&str]) -> Result<(), String> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let (substitutions, unset) = (texts(substitutions), texts(unset));
        let settings =
            ValueSettings { place: "acme/b".parse().unwrap(), subscription: None, substitutions, unset, keep: false };
        Values::Set(settings).check().map_err(|fault| fault.to_string())
    }

    #[test]
    fn substitutions_are_within_bounds() {
        let longest = format!("a={}", "1".repeat(SUBSTITUTION_MOST - 2));
        assert_eq!(set(&["rate=10m", &longest], &["rate"]), Ok(()));
        let fault = |text: &str| Err(text.to_owned());
        assert_eq!(set(&["a=1", &format!("{longest}1")], &[]), fault("`substitutions/1` has more than 4096 bytes"));
        assert_eq!(set(&["a=1\nb=2"], &[]), fault("`substitutions/0` has control characters"));
        assert_eq!(set(&[" "], &[]), fault("`substitutions/0` is empty"));
        assert_eq!(set(&["a=1"; 257], &[]), fault("`substitutions` has more than 256 entries"));
        assert_eq!(set(&[], &["a"; 257]), fault("`unset` has more than 256 entries"));
        assert_eq!(set(&[], &[&"a".repeat(65)]), fault("`unset/0` has more than 64 characters"));
    }

    #[test]
    fn values_stand_at_places_of_the_organization() {
        let org: OrgName = "acme".parse().unwrap();
        let at = |place: &str| {
            let place = place.parse().unwrap();
            let (substitutions, unset) = (Vec::new(), Vec::new());
            Values::Set(ValueSettings { place, subscription: None, substitutions, unset, keep: true }).place(&org)
        };
        for place in ["acme", "acme/berlin", "acme/berlin/line-7"] {
            assert_eq!(at(place), Some(place.parse().unwrap()));
        }
        assert_eq!((at("bolt"), at("bolt/berlin"), at("/")), (None, None, None));
    }
}
