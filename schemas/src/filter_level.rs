//! How much of a bundle may leave for the upstream.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An organization's filter level, spelled as users know it. Source: DOMAIN, "Filter levels".
///
/// The default lets nothing out: what leaves has to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum FilterLevel {
    /// Nothing leaves.
    #[default]
    #[serde(rename = "Do not send")]
    DoNotSend,
    /// All but the configuration.
    #[serde(rename = "Send all information except configuration")]
    ExceptConfiguration,
    /// All, with every IP address overwritten.
    #[serde(rename = "Send all information with IP addresses overwritten")]
    AddressesOverwritten,
    /// All.
    #[serde(rename = "Send all information")]
    All,
    /// The names of the features in use.
    #[serde(rename = "Only send list of features used")]
    FeaturesOnly,
}

impl FilterLevel {
    /// All levels with their exact spelling.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::DoNotSend, "Do not send"),
        (Self::ExceptConfiguration, "Send all information except configuration"),
        (Self::AddressesOverwritten, "Send all information with IP addresses overwritten"),
        (Self::All, "Send all information"),
        (Self::FeaturesOnly, "Only send list of features used"),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_has_its_exact_spelling() {
        for (level, text) in FilterLevel::ALL {
            assert_eq!(serde_json::to_value(level).unwrap(), text);
            assert_eq!(serde_json::from_value::<FilterLevel>(text.into()).unwrap(), level);
        }
    }
}
