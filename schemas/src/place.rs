//! Places: the provider, its organizations, their sites and access lines; and spheres, which are sets of them.
//!
//! Source: DOMAIN, "Organizations, groups, people".

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::name::NameError;
use crate::{OrgName, PlaceName};

/// A place: what a command touches, and what spheres are made of. As text `/`, `acme`, `acme/berlin`,
/// `acme/berlin/line-7`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The provider's, and all there is.
    Provider,
    /// All of an organization.
    Organization(OrgName),
    /// A place below an organization, and what lies below that.
    Below(PlacePath),
}

impl Place {
    /// The organization it lies in; none for the provider.
    pub const fn organization(&self) -> Option<&OrgName> {
        match self {
            Self::Provider => None,
            Self::Organization(org) => Some(org),
            Self::Below(place) => Some(&place.organization),
        }
    }

    /// Whether `other` is this place, or lies below it.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Provider, _) => true,
            (Self::Organization(org), _) => other.organization() == Some(org),
            (Self::Below(above), Self::Below(below)) => above.covers(below),
            (Self::Below(_), _) => false,
        }
    }

    /// The place right above; none above the provider.
    pub fn parent(&self) -> Option<Self> {
        match self {
            Self::Provider => None,
            Self::Organization(_) => Some(Self::Provider),
            Self::Below(place) => Some(place.parent()),
        }
    }
}

impl From<OrgName> for Place {
    fn from(org: OrgName) -> Self {
        Self::Organization(org)
    }
}

impl From<PlacePath> for Place {
    fn from(place: PlacePath) -> Self {
        Self::Below(place)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider => f.write_str("/"),
            Self::Organization(org) => org.fmt(f),
            Self::Below(place) => place.fmt(f),
        }
    }
}

impl FromStr for Place {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let fault = |_| NameError::new(text, "a place (`/`, `<organization>[/<site>[/<line>]]`)");
        match text {
            "/" => Ok(Self::Provider),
            _ if text.contains('/') => text.parse().map(Self::Below).map_err(fault),
            _ => text.parse().map(Self::Organization).map_err(fault),
        }
    }
}

/// A place below an organization: `acme/berlin` is a site, `acme/berlin/line-7` an access line of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlacePath {
    /// Whose it is.
    pub organization: OrgName,
    /// The site.
    pub site: PlaceName,
    /// The access line of the site; none for the site itself.
    pub line: Option<PlaceName>,
}

impl PlacePath {
    /// Whether `other` is this place, or lies below it.
    pub fn covers(&self, other: &Self) -> bool {
        self.organization == other.organization
            && self.site == other.site
            && (self.line.is_none() || self.line == other.line)
    }

    /// The place right above: the site, or the organization.
    pub fn parent(&self) -> Place {
        match &self.line {
            None => Place::Organization(self.organization.clone()),
            Some(_) => Place::Below(Self { line: None, ..self.clone() }),
        }
    }
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

macro_rules! as_text {
    ($name:ident, $description:literal, $pattern:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"description": $description, "type": "string", "pattern": $pattern})
            }
        }
    };
}
pub(crate) use as_text;

as_text!(
    Place,
    "A place: `/`, an organization, a site of it or an access line of that.",
    "^(/|[A-Za-z0-9][A-Za-z0-9_-]{0,63}(/[A-Za-z0-9][A-Za-z0-9_-]{0,63}){0,2})$"
);
as_text!(
    PlacePath,
    "A place below an organization: a site, or an access line of it.",
    "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}(/[A-Za-z0-9][A-Za-z0-9_-]{0,63}){1,2}$"
);

/// Places and all that lies below them, without one that lies below another of them; by place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Vec<Place>", into = "Vec<Place>")]
pub struct Sphere(Vec<Place>);

impl Sphere {
    /// Everything.
    pub fn all() -> Self {
        Self(vec![Place::Provider])
    }

    /// The sphere of so many places.
    pub fn of(places: impl IntoIterator<Item = Place>) -> Self {
        let mut places: Vec<_> = places.into_iter().collect();
        places.sort();
        // What covers a place comes before it.
        let mut kept: Vec<Place> = Vec::with_capacity(places.len());
        for place in places {
            if !kept.iter().any(|above| above.covers(&place)) {
                kept.push(place);
            }
        }
        Self(kept)
    }

    /// Its places.
    pub fn places(&self) -> &[Place] {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all of `place` lies in it.
    pub fn covers(&self, place: &Place) -> bool {
        self.0.iter().any(|above| above.covers(place))
    }

    /// Whether all of it lies in `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.iter().all(|place| other.covers(place))
    }

    /// Whether something at or below `place` lies in it.
    pub fn touches(&self, place: &Place) -> bool {
        self.0.iter().any(|own| own.covers(place) || place.covers(own))
    }

    /// What lies in both.
    pub fn intersection(&self, other: &Self) -> Self {
        let ours = self.0.iter().filter(|place| other.covers(place));
        let theirs = other.0.iter().filter(|place| self.covers(place));
        Self::of(ours.chain(theirs).cloned())
    }

    /// What lies in either.
    pub fn union(&self, other: &Self) -> Self {
        Self::of(self.0.iter().chain(&other.0).cloned())
    }
}

impl From<Vec<Place>> for Sphere {
    fn from(places: Vec<Place>) -> Self {
        Self::of(places)
    }
}

impl From<Sphere> for Vec<Place> {
    fn from(sphere: Sphere) -> Self {
        sphere.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sphere(text: &str) -> Sphere {
        Sphere::of(text.split_whitespace().map(|place| place.parse().unwrap()))
    }

    #[test]
    fn places_are_paths_of_up_to_three_names() {
        for text in ["/", "acme", "acme/berlin", "acme/berlin/line-7"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        for text in ["", "//", "acme/", "/berlin", "acme/ber lin", "acme/berlin/", "acme/a/b/c", "_provider/a"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
            assert!(text.parse::<PlacePath>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_lies_below_is_covered_and_nothing_else() {
        let place = |text: &str| text.parse::<Place>().unwrap();
        for (above, below) in [("/", "acme"), ("/", "/"), ("acme", "acme/b/c"), ("acme/b", "acme/b/c")] {
            assert!(place(above).covers(&place(below)), "{above} covers {below}");
        }
        for (above, below) in [
            ("acme", "/"),
            ("acme", "acmes"),
            ("acme/b", "acme"),
            ("acme/b", "acme/bc"),
            ("acme/b/c", "acme/b"),
            ("acme/b", "bolt/b"),
        ] {
            assert!(!place(above).covers(&place(below)), "{above} does not cover {below}");
        }
        assert_eq!(place("acme/b/c").parent(), Some(place("acme/b")));
        assert_eq!(place("acme/b").parent(), Some(place("acme")));
        assert_eq!(place("/").parent(), None);
    }

    #[test]
    fn spheres_have_no_place_below_another() {
        assert_eq!(sphere("acme/b acme acme/b/c bolt/x"), sphere("bolt/x acme"));
        assert_eq!(sphere("acme/b acme/b-1/c acme/b/c").places().len(), 2);
        assert_eq!(sphere("acme bolt/x").intersection(&sphere("acme/b bolt nord")), sphere("acme/b bolt/x"));
        assert_eq!(sphere("acme").intersection(&sphere("bolt")), Sphere::default());
        assert_eq!(sphere("acme/b").union(&sphere("acme")), sphere("acme"));
        assert!(sphere("acme/b").is_within(&sphere("acme")) && !sphere("acme").is_within(&sphere("acme/b")));
        assert!(sphere("acme/b").touches(&Place::Organization("acme".parse().unwrap())));
        assert!(!sphere("acme/b").touches(&"acme/c".parse().unwrap()));
    }
}
