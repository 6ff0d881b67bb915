//! Commands about API tokens.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, hash};
use super::manager::sphere;
use crate::{ManagerName, Place, Privileges, Rights, TokenName};

/// What is asked for of an API token of a manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// Make it.
    Issue(TokenIssue),
    /// Take it back.
    Revoke(TokenRevocation),
}

impl Token {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Issue(_) => "issue-token",
            Self::Revoke(_) => "revoke-token",
        }
    }

    /// Whose.
    pub const fn manager(&self) -> &ManagerName {
        match self {
            Self::Issue(issue) => &issue.manager,
            Self::Revoke(revocation) => &revocation.manager,
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Issue(issue) => {
                hash("/hash", &issue.hash)?;
                sphere(issue.sphere.as_deref())
            }
            Self::Revoke(_) => Ok(()),
        }
    }
}

/// A token, and what may be done by it: nothing that its owner may not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenIssue {
    /// Whose.
    pub manager: ManagerName,
    /// Its name among the owner's.
    pub token: TokenName,
    /// SHA-256 of its secret, in hexadecimal.
    pub hash: String,
    /// Until when it is good; none: until it is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Its sphere; none: its owner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sphere: Option<Vec<Place>>,
    /// Its privileges; none: its owner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privileges: Option<Privileges>,
    /// Its rights; none: its owner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<Rights>,
}

/// Which token is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenRevocation {
    /// Whose.
    pub manager: ManagerName,
    /// Which.
    pub token: TokenName,
}
