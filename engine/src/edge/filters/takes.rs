//! What filters take, from the text of a parameter or of a flag.

use std::convert::Infallible;
use std::str::FromStr;

use jiff::Timestamp;
use linesman_domain::audit::{Owner, OwnerError};
use linesman_rules::{Pattern, excerpt};
use linesman_schemas::approval::ApprovalKind;
use linesman_schemas::audit::Verdict;
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::intelligence::{Kind, State as IntelligenceState};
use linesman_schemas::name::NameError;
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{OrgName, Place, Priority};
use serde::{Deserialize, Deserializer, de};
use utoipa::PartialSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

use crate::edge::words::{self, ActivationState, ApprovalState, CaseState, Flag, OrganizationStanding, Status};

/// How many items a page has where nothing is said, and at most.
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MOST: usize = 1000;

/// What a filter takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Takes {
    /// An organization's name.
    Organization,
    /// An organization's name, or a word for what belongs to none.
    Whose,
    /// An organization's name, or a word for a log of the provider.
    Log,
    /// A place.
    Place,
    /// A text as it is.
    Plain,
    /// A text, `*` standing for any.
    Text,
    /// A moment.
    Time,
    /// Yes or no.
    Flag,
    /// One of the words of a schema.
    Word(fn() -> RefOr<Schema>),
}

impl Takes {
    /// How it is described.
    pub(super) fn schema(self) -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String);
        match self {
            Self::Organization => Schema::from(text.pattern(Some("^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"))).into(),
            Self::Whose => {
                Schema::from(text.pattern(Some("^([A-Za-z0-9][A-Za-z0-9_-]{0,63}|_unknown|_provider)$"))).into()
            }
            Self::Log => {
                let pattern = "^([A-Za-z0-9][A-Za-z0-9_-]{0,63}|_provider(-[1-9][0-9]?)?)$";
                Schema::from(text.pattern(Some(pattern))).into()
            }
            Self::Place => words::place().into(),
            Self::Text | Self::Plain => Schema::from(text).into(),
            Self::Time => Schema::from(text.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))).into(),
            Self::Flag => Schema::from(ObjectBuilder::new().schema_type(Type::Boolean)).into(),
            Self::Word(schema) => schema(),
        }
    }

    /// The words there are, where they are a closed set.
    pub(crate) fn words(self) -> Vec<String> {
        match self.schema() {
            RefOr::T(Schema::Object(object)) => {
                let words = object.enum_values.unwrap_or_default();
                words.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What a filter is read into.
pub(super) trait Taken {
    /// What it is read from.
    const TAKES: Takes;
}

/// `Taken` of a type.
macro_rules! taken {
    ($($type:ty => $takes:expr,)+) => { $(
        impl Taken for $type {
            const TAKES: Takes = $takes;
        }
    )+ };
}
taken! {
    OrgName => Takes::Organization,
    Whose => Takes::Whose,
    LogOf => Takes::Log,
    Place => Takes::Place,
    Plain => Takes::Plain,
    Verdict => Takes::Word(|| words::verdict().into()),
    Glob => Takes::Text,
    When => Takes::Time,
    Flag => Takes::Flag,
    Status => Takes::Word(Status::schema),
    CaseState => Takes::Word(CaseState::schema),
    ActivationState => Takes::Word(ActivationState::schema),
    ApprovalState => Takes::Word(ApprovalState::schema),
    ApprovalKind => Takes::Word(|| words::approval_kind().into()),
    OrganizationStanding => Takes::Word(OrganizationStanding::schema),
    Priority => Takes::Word(|| words::priority().into()),
    Kind => Takes::Word(|| words::kind().into()),
    IntelligenceState => Takes::Word(|| words::intelligence_state().into()),
    Trigger => Takes::Word(|| words::trigger().into()),
    Reason => Takes::Word(|| words::reason().into()),
}

/// How many items a page has at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit(usize);

/// A text with `*` for any text.
#[derive(Debug)]
pub(in crate::edge) struct Glob(Pattern);

/// A moment.
#[derive(Debug)]
pub(in crate::edge) struct When(pub(in crate::edge) Timestamp);

/// Whose: an organization's, or what belongs to none.
#[derive(Debug)]
pub(in crate::edge) enum Whose {
    /// An organization's.
    Organization(OrgName),
    /// Of an organization that nobody knows.
    Unknown,
    /// The provider's own.
    Provider,
}

/// Whose log.
#[derive(Debug)]
pub(in crate::edge) struct LogOf(pub(in crate::edge) Owner);

/// A text as it is.
#[derive(Debug)]
pub(in crate::edge) struct Plain(pub(in crate::edge) String);

impl FromStr for LogOf {
    type Err = OwnerError;

    fn from_str(text: &str) -> Result<Self, OwnerError> {
        text.parse().map(Self)
    }
}

impl FromStr for Plain {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl Limit {
    /// How many: as asked for, or as usual.
    pub(in crate::edge) fn or_default(asked: Option<Self>) -> usize {
        asked.map_or(LIMIT_DEFAULT, |limit| limit.0)
    }

    pub(super) fn schema() -> Schema {
        let least = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
        least.maximum(Some(LIMIT_MOST)).default(Some(LIMIT_DEFAULT.into())).into()
    }
}

impl Whose {
    /// The token of subjects.
    pub(in crate::edge) fn token(&self) -> &str {
        match self {
            Self::Organization(org) => org.as_str(),
            Self::Unknown => "_unknown",
            Self::Provider => "_provider",
        }
    }
}

impl FromStr for Whose {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "_unknown" => Ok(Self::Unknown),
            "_provider" => Ok(Self::Provider),
            name => {
                let org = name.parse().map(Self::Organization);
                org.map_err(|error: NameError| format!("{error}, `_unknown` or `_provider`"))
            }
        }
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MOST).contains(limit)).map(Self);
        limit.ok_or_else(|| format!("`{}` is not a number from 1 to {LIMIT_MOST}", excerpt(text)))
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            let hint = if text.contains(' ') { "; `+` in a query is written `%2B`" } else { "" };
            format!("`{}` is not a time of RFC 3339 such as `2026-11-21T10:15:02Z`{hint}", excerpt(text))
        })
    }
}

impl FromStr for Glob {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(Pattern::new(text)))
    }
}

/// `Deserialize` of what is read from a text.
macro_rules! from_text {
    ($($type:ty),+) => { $(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )+ };
}
from_text!(Limit, Glob, When, Whose, LogOf, Plain);

/// Whether a text passes its filter; without a filter all do.
pub(in crate::edge) fn passes(filter: Option<&Glob>, text: &str) -> bool {
    filter.is_none_or(|filter| filter.0.matches(text))
}

/// Whether a moment lies in a span, its beginning included.
pub(in crate::edge) fn lies(at: Timestamp, after: Option<&When>, before: Option<&When>) -> bool {
    after.is_none_or(|after| at >= after.0) && before.is_none_or(|before| at < before.0)
}

/// Whether a word is the one asked for.
pub(in crate::edge) fn is<T: PartialEq>(filter: Option<T>, word: T) -> bool {
    filter.is_none_or(|asked| asked == word)
}
