//! What a command touches: the provider, an organization, or a place below one.

use std::fmt;
use std::str::FromStr;

use crate::command::Verb;
use crate::name::NameError;
use crate::{OrgName, PlaceName};

/// What a command touches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The provider itself, `/`.
    Provider,
    /// All of an organization.
    Organization(OrgName),
    /// A place below an organization, and what lies below that.
    Place(PlacePath),
}

impl Scope {
    /// The organization it lies in; none for the provider.
    pub const fn organization(&self) -> Option<&OrgName> {
        match self {
            Self::Provider => None,
            Self::Organization(org) => Some(org),
            Self::Place(place) => Some(&place.organization),
        }
    }

    /// The subject on which a command enters the log; of the provider as `Control::Command`.
    pub fn subject(&self, verb: &Verb) -> String {
        match self.organization() {
            // The stream would hash `in._provider.>` to some lane; the provider's lane is 0.
            None => "p.0.ctl".to_owned(),
            Some(org) => format!("in.{org}.cmd.{}", verb.as_str()),
        }
    }
}

impl From<OrgName> for Scope {
    fn from(org: OrgName) -> Self {
        Self::Organization(org)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider => f.write_str("/"),
            Self::Organization(org) => org.fmt(f),
            Self::Place(place) => place.fmt(f),
        }
    }
}

/// A place below an organization: `acme/berlin` is a site, `acme/berlin/line-7` an access line of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlacePath {
    /// Whose it is.
    pub organization: OrgName,
    /// The site.
    pub site: PlaceName,
    /// The access line of the site; none for the site itself.
    pub line: Option<PlaceName>,
}

impl fmt::Display for PlacePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.organization, self.site)?;
        self.line.as_ref().map_or(Ok(()), |line| write!(f, "/{line}"))
    }
}

impl FromStr for PlacePath {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let fault = || NameError::new(text, "a place below an organization (`<organization>/<site>[/<line>]`)");
        let mut names = text.split('/');
        let place = Self {
            organization: names.next().and_then(|name| name.parse().ok()).ok_or_else(fault)?,
            site: names.next().and_then(|name| name.parse().ok()).ok_or_else(fault)?,
            line: names.next().map(str::parse).transpose().map_err(|_: NameError| fault())?,
        };
        if names.next().is_some() { Err(fault()) } else { Ok(place) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_paths_of_two_or_three_names() {
        for text in ["acme/berlin", "acme/berlin/line-7"] {
            assert_eq!(text.parse::<PlacePath>().unwrap().to_string(), text);
        }
        for text in ["", "/", "acme", "acme/", "/berlin", "acme/ber lin", "acme/berlin/", "acme/a/b/c", "_provider/a"] {
            assert!(text.parse::<PlacePath>().is_err(), "{text}");
        }
    }
}
