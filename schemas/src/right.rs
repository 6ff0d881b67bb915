//! What somebody may be allowed to do.

use std::fmt;

/// A right: what it takes to ask for something. Its words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// To create, change and suspend organizations.
    Organizations,
    /// To change what the engine decides by.
    Settings,
    /// To run policies.
    Policies,
    /// To open cases at the upstream.
    Cases,
    /// To work on incidents, and to let inputs that were set aside enter again.
    Incidents,
}

impl Right {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organizations => "organizations",
            Self::Settings => "settings",
            Self::Policies => "policies",
            Self::Cases => "cases",
            Self::Incidents => "incidents",
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
