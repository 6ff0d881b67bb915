//! Who asks.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Login, ManagerName, OrgName, PolicyName, TokenName};

const CONFIGURATION: &str = "configuration";
/// The provider's first manager, who is there from the beginning and may everything.
pub const ADMIN: &str = "admin";

/// Who asks for something. Shown as `bob`, `acme/ann`, `open-case`, `end customer acme`, `configuration`,
/// `machine`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Principal {
    /// Somebody of the provider's.
    Provider {
        /// Who. Any text in commands of before there were principals, `api` in those of before there were managers.
        name: String,
        /// The API token by which they ask; none where they ask themselves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<TokenName>,
    },
    /// A manager of an organization.
    Manager {
        /// Whose.
        organization: OrgName,
        /// Who.
        name: ManagerName,
        /// The API token by which they ask; none where they ask themselves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<TokenName>,
    },
    /// A policy, on behalf of whoever owns it.
    Policy {
        /// Which.
        name: PolicyName,
        /// The organization it judges for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        organization: Option<OrgName>,
    },
    /// An end customer's controller.
    EndCustomer {
        /// Which end customer.
        organization: OrgName,
    },
    /// The configuration.
    Configuration,
    /// The engine by itself.
    Machine,
}

impl Principal {
    /// The provider's first manager, whose token is the engine's own.
    pub fn admin() -> Self {
        Self::Provider { name: ADMIN.to_owned(), token: None }
    }

    /// A manager, by one of its API tokens or by itself.
    pub fn of_login(login: &Login, token: Option<TokenName>) -> Self {
        let name = login.name.clone();
        match &login.organization {
            Some(org) => Self::Manager { organization: org.clone(), name, token },
            None => Self::Provider { name: name.as_str().to_owned(), token },
        }
    }

    /// Who asked in a command of before there were principals.
    pub fn of_actor(actor: String) -> Self {
        if actor == CONFIGURATION { Self::Configuration } else { Self::Provider { name: actor, token: None } }
    }

    /// The login of whoever has one.
    pub fn login(&self) -> Option<Login> {
        match self {
            Self::Provider { name, .. } => name.parse().ok().map(|name| Login::new(None, name)),
            Self::Manager { organization, name, .. } => Some(Login::new(Some(organization.clone()), name.clone())),
            Self::Policy { .. } | Self::EndCustomer { .. } | Self::Configuration | Self::Machine => None,
        }
    }

    /// The API token by which they ask.
    pub const fn token(&self) -> Option<&TokenName> {
        match self {
            Self::Provider { token, .. } | Self::Manager { token, .. } => token.as_ref(),
            Self::Policy { .. } | Self::EndCustomer { .. } | Self::Configuration | Self::Machine => None,
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider { name, .. } => f.write_str(name),
            Self::Manager { organization, name, .. } => write!(f, "{organization}/{name}"),
            Self::Policy { name, .. } => name.fmt(f),
            Self::EndCustomer { organization } => write!(f, "end customer {organization}"),
            Self::Configuration => f.write_str(CONFIGURATION),
            Self::Machine => f.write_str("machine"),
        }
    }
}
