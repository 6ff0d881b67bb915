//! Who asks.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ManagerName, OrgName, PolicyName};

const CONFIGURATION: &str = "configuration";

/// Who asks for something. Shown as `api`, `acme/ann`, `open-case`, `configuration`, `machine`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Principal {
    /// Somebody of the provider's.
    Provider {
        /// Who; `api` for whoever has the engine's token. Any text in commands of before there were principals.
        name: String,
    },
    /// A manager of an organization.
    Manager {
        /// Whose.
        organization: OrgName,
        /// Who.
        name: ManagerName,
    },
    /// A policy, on behalf of whoever owns it.
    Policy {
        /// Which.
        name: PolicyName,
        /// The organization it judges for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        organization: Option<OrgName>,
    },
    /// The configuration.
    Configuration,
    /// The engine by itself.
    Machine,
}

impl Principal {
    /// Whoever has the engine's token.
    pub fn api() -> Self {
        Self::Provider { name: "api".to_owned() }
    }

    /// Who asked in a command of before there were principals.
    pub fn of_actor(actor: String) -> Self {
        if actor == CONFIGURATION { Self::Configuration } else { Self::Provider { name: actor } }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider { name } => f.write_str(name),
            Self::Manager { organization, name } => write!(f, "{organization}/{name}"),
            Self::Policy { name, .. } => name.fmt(f),
            Self::Configuration => f.write_str(CONFIGURATION),
            Self::Machine => f.write_str("machine"),
        }
    }
}
