//! Under what name somebody logs in.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::name::NameError;
use crate::place::as_text;
use crate::{ManagerName, OrgName};

/// A manager: `bob` is one of the provider's people, `acme/ann` a manager of the organization `acme`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Login {
    /// Whose; none for the provider's.
    pub organization: Option<OrgName>,
    /// The name there.
    pub name: ManagerName,
}

impl Login {
    /// The manager of that name of an organization, or without one of the provider's.
    pub const fn new(organization: Option<OrgName>, name: ManagerName) -> Self {
        Self { organization, name }
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.organization {
            Some(org) => write!(f, "{org}/{}", self.name),
            None => self.name.fmt(f),
        }
    }
}

impl FromStr for Login {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let fault = |_| NameError::new(text, "a login (`<name>` or `<organization>/<name>`)");
        Ok(match text.split_once('/') {
            Some((org, name)) => Self::new(Some(org.parse().map_err(fault)?), name.parse().map_err(fault)?),
            None => Self::new(None, text.parse().map_err(fault)?),
        })
    }
}

as_text!(
    Login,
    "A login: a name of the provider's, or `<organization>/<name>`.",
    "^([A-Za-z0-9][A-Za-z0-9_-]{0,63}/)?[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_a_name_or_one_behind_an_organization() {
        for text in ["bob", "acme/ann"] {
            assert_eq!(text.parse::<Login>().unwrap().to_string(), text);
        }
        for text in ["", "/", "acme/", "/ann", "a/b/c", "_provider/a", "a b"] {
            assert!(text.parse::<Login>().is_err(), "{text}");
        }
    }
}
