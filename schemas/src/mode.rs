//! How an installation is connected.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which part of the cascade an installation plays. Source: DOMAIN, "The setting".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Organizations of one's own, connected to the support system.
    Direct,
    /// Between the support system and end customers. What a log says that says nothing of modes.
    #[default]
    Partner,
    /// One organization, connected to a partner.
    EndCustomer,
    /// One organization and a handful of devices, connected to a stand-in.
    Demo,
    /// Connected to nobody: nothing leaves.
    Offline,
}

/// A text that names no mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a mode is `direct`, `partner`, `end-customer`, `demo` or `offline`")]
pub struct UnknownMode;

impl Mode {
    /// All modes.
    pub const ALL: [Self; 5] = [Self::Direct, Self::Partner, Self::EndCustomer, Self::Demo, Self::Offline];
    /// How many devices there may be in mode `demo`.
    pub const DEMO_DEVICES: usize = 5;

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Partner => "partner",
            Self::EndCustomer => "end-customer",
            Self::Demo => "demo",
            Self::Offline => "offline",
        }
    }

    /// Whether there can be proxy organizations, and what comes of them.
    pub const fn has_proxies(self) -> bool {
        matches!(self, Self::Partner)
    }

    /// Whether there is exactly one organization, whatever a licence says.
    pub const fn has_one_organization(self) -> bool {
        matches!(self, Self::EndCustomer | Self::Demo)
    }

    /// Whether anything leaves to an upstream.
    pub const fn sends(self) -> bool {
        !matches!(self, Self::Offline)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or(UnknownMode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_has_one_word_wherever_it_is_written() {
        for mode in Mode::ALL {
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
            assert_eq!(mode.as_str().parse(), Ok(mode));
        }
        assert_eq!("Partner".parse::<Mode>(), Err(UnknownMode));
    }
}
