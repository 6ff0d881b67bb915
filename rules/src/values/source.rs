//! Where a value may come from, and which of two counts.

use std::fmt;
use std::str::FromStr;

use linesman_schemas::Place;

use super::edition::Edition;

/// Where a value comes from, in order from the most general to the most specific. The most specific that substitutes a
/// parameter wins, unless a more general one has fixed it.
///
/// Source: DOMAIN, "Value substitution".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A global parameter's value that is not fixed.
    GlobalDefault,
    /// What the place itself tells, such as the speed of its interface. Nobody substitutes it.
    Runtime,
    /// A global parameter's fixed value.
    Global,
    /// The default of a service's own parameter.
    LocalDefault,
    /// The service.
    Service,
    /// The service as the provider localized it for an enterprise.
    Localized,
    /// The enterprise.
    Enterprise,
    /// A subscription at the enterprise.
    SubscriptionEnterprise,
    /// The site.
    Site,
    /// A subscription at the site.
    SubscriptionSite,
    /// The access line.
    Line,
    /// A subscription at the access line.
    SubscriptionLine,
    /// The activation.
    Activation,
}

impl Source {
    /// All of them, from the most specific to the most general: the order in which they are looked at.
    pub const ALL: [Self; 13] = [
        Self::Activation,
        Self::SubscriptionLine,
        Self::Line,
        Self::SubscriptionSite,
        Self::Site,
        Self::SubscriptionEnterprise,
        Self::Enterprise,
        Self::Localized,
        Self::Service,
        Self::LocalDefault,
        Self::Global,
        Self::Runtime,
        Self::GlobalDefault,
    ];

    /// Those that substitutions are given at.
    pub const GIVEN: [Self; 10] = [
        Self::Activation,
        Self::SubscriptionLine,
        Self::Line,
        Self::SubscriptionSite,
        Self::Site,
        Self::SubscriptionEnterprise,
        Self::Enterprise,
        Self::Localized,
        Self::Service,
        Self::Global,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GlobalDefault => "global-default",
            Self::Runtime => "runtime",
            Self::Global => "global",
            Self::LocalDefault => "local-default",
            Self::Service => "service",
            Self::Localized => "localized",
            Self::Enterprise => "enterprise",
            Self::SubscriptionEnterprise => "subscription-enterprise",
            Self::Site => "site",
            Self::SubscriptionSite => "subscription-site",
            Self::Line => "line",
            Self::SubscriptionLine => "subscription-line",
            Self::Activation => "activation",
        }
    }

    /// Whether what stands here is about one service, so that a name the service does not have is a fault.
    pub const fn is_of_one_service(self) -> bool {
        !matches!(self, Self::Enterprise | Self::Site | Self::Line | Self::Global | Self::GlobalDefault)
    }
}

impl Source {
    /// Whether it may stand at a place.
    pub const fn stands_at(self, place: &Place) -> bool {
        match (self, place) {
            (Self::Activation, _) => true,
            (Self::Localized | Self::Enterprise | Self::SubscriptionEnterprise, Place::Organization(_)) => true,
            (Self::Site | Self::SubscriptionSite, Place::Below(path)) => path.line.is_none(),
            (Self::Line | Self::SubscriptionLine, Place::Below(path)) => path.line.is_some(),
            _ => false,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Source {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|source| source.as_str() == word).ok_or(())
    }
}

/// A source at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Where<'a> {
    /// Which source.
    pub source: Source,
    /// The place it stands at; none for what is the same everywhere.
    pub place: Option<&'a Place>,
}

impl Where<'_> {
    /// The source at whose level it stands: of an activation that of the place where it was made.
    pub(super) fn level(self) -> Source {
        match (self.source, self.place) {
            (Source::Activation, Some(Place::Organization(_))) => Source::SubscriptionEnterprise,
            (Source::Activation, Some(Place::Below(path))) if path.line.is_none() => Source::SubscriptionSite,
            (source, _) => source,
        }
    }

    /// That it gives something, in prose behind its name.
    pub(super) fn gives(self, edition: Edition) -> &'static str {
        let is_many = matches!(self.source, Source::GlobalDefault | Source::Global);
        if is_many && edition.is_third() { "give" } else { "gives" }
    }

    /// How faults name it: the place, or the source where it has none.
    pub fn name(self) -> String {
        self.place.map_or_else(|| self.source.as_str().to_owned(), ToString::to_string)
    }
}

/// In prose: `the subscription at acme/berlin`, `the service`.
impl fmt::Display for Where<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = match self.source {
            Source::GlobalDefault | Source::Global => "the global parameters",
            Source::Runtime => "the place itself",
            Source::LocalDefault => "the definition",
            Source::Service => "the service",
            Source::Localized => "the service as localized for",
            Source::SubscriptionEnterprise | Source::SubscriptionSite | Source::SubscriptionLine => {
                "the subscription at"
            }
            Source::Activation => "the activation",
            Source::Enterprise | Source::Site | Source::Line => {
                return match self.place {
                    Some(place) => write!(f, "`{place}`"),
                    None => write!(f, "the {}", self.source),
                };
            }
        };
        match (self.source, self.place) {
            (Source::Activation, Some(place)) => write!(f, "{of} at `{place}`"),
            (
                Source::Localized
                | Source::SubscriptionEnterprise
                | Source::SubscriptionSite
                | Source::SubscriptionLine,
                Some(place),
            ) => write!(f, "{of} `{place}`"),
            (Source::Localized, None) => f.write_str("the localized service"),
            (Source::SubscriptionEnterprise | Source::SubscriptionSite | Source::SubscriptionLine, None) => {
                write!(f, "the {}", self.source)
            }
            _ => f.write_str(of),
        }
    }
}
