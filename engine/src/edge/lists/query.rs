//! What may be asked of every list: `limit`, `sort` and `cursor` beside its filters.

use std::fmt::Debug;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use linesman_rules::{Pattern, excerpt, suggest};
use serde::{Deserialize, Deserializer, Serialize, de};
use sha2::{Digest, Sha256};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

use super::best::Rank;
use crate::edge::problem::Problem;

pub(super) const LIMIT_DEFAULT: usize = 100;
pub(super) const LIMIT_MOST: usize = 1000;

/// How many items a page has at most.
#[derive(Debug, Clone, Copy)]
pub(in crate::edge) struct Limit(usize);

/// A text with `*` for any text.
#[derive(Debug)]
pub(super) struct Glob(Pattern);

/// A moment.
#[derive(Debug)]
pub(in crate::edge) struct When(pub(in crate::edge) Timestamp);

impl Limit {
    /// How many: as asked for, or as usual.
    pub(in crate::edge) fn or_default(asked: Option<Self>) -> usize {
        asked.map_or(LIMIT_DEFAULT, |limit| limit.0)
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
from_text!(Limit, Glob, When);

/// Whether a text passes its filter; without a filter all do.
pub(super) fn passes(filter: Option<&Glob>, text: &str) -> bool {
    filter.is_none_or(|filter| filter.0.matches(text))
}

/// Whether a moment lies in a span, its beginning included.
pub(in crate::edge) fn lies(at: Timestamp, after: Option<&When>, before: Option<&When>) -> bool {
    after.is_none_or(|after| at >= after.0) && before.is_none_or(|before| at < before.0)
}

/// Whether a word is the one asked for.
pub(super) fn is<T: PartialEq>(filter: Option<T>, word: T) -> bool {
    filter.is_none_or(|asked| asked == word)
}

/// A list's parameters, as [`query`] writes them.
pub(super) trait Query: Debug {
    /// What it can be sorted by; the first is what its keys are sorted by, and the default.
    const SORTS: &'static [&'static str];

    /// Takes `limit`, `sort` and `cursor` out.
    fn take(&mut self) -> (Option<Limit>, Option<String>, Option<String>);
}

/// A list's parameters: its filters, and what every list has.
macro_rules! query {
    ($(#[$doc:meta])* $name:ident sorted by $sorts:expr, {
        $($(#[$attr:meta])* $field:ident: $type:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
        #[into_params(parameter_in = Query)]
        pub(in crate::edge) struct $name {
            $($(#[$attr])* #[serde(default)] $field: Option<$type>,)*
            /// How many items the page has at most.
            #[serde(default)]
            #[param(schema_with = crate::edge::lists::query::limit, required = false)]
            limit: Option<crate::edge::lists::query::Limit>,
            /// What to sort by; with `-` in front, the other way round. What follows is sorted by
            /// organization and key.
            #[serde(default)]
            #[param(schema_with = Self::sorts, required = false)]
            sort: Option<String>,
            /// `next` of the page before, of the same filters and the same `sort`.
            #[serde(default)]
            cursor: Option<String>,
        }

        impl $name {
            fn sorts() -> utoipa::openapi::schema::Schema {
                crate::edge::lists::query::sorts(<Self as crate::edge::lists::query::Query>::SORTS)
            }
        }

        impl crate::edge::lists::query::Query for $name {
            const SORTS: &'static [&'static str] = &$sorts;

            fn take(&mut self) -> (Option<crate::edge::lists::query::Limit>, Option<String>, Option<String>) {
                (self.limit.take(), self.sort.take(), self.cursor.take())
            }
        }
    };
}
pub(super) use query;

/// Which page, and in which order.
#[derive(Debug)]
pub(super) struct Paging {
    pub(super) limit: usize,
    /// One of the list's sorts.
    pub(super) by: &'static str,
    pub(super) is_descending: bool,
    /// The last item of the page before.
    pub(super) after: Option<Rank>,
    /// Which list it is.
    list: [u8; 8],
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    list: [u8; 8],
    last: Rank,
}

impl Paging {
    /// Takes it out of a list's parameters.
    pub(super) fn take<Q: Query>(query: &mut Q) -> Result<Self, Problem> {
        let (limit, sort, cursor) = query.take();
        let (by, is_descending) = order(sort.as_deref(), Q::SORTS)?;
        let limit = Limit::or_default(limit);
        // What is left are the filters.
        let list = format!("{} {by} {is_descending} {query:?}", std::any::type_name::<Q>());
        let list = Sha256::digest(list).first_chunk().copied().unwrap_or_default();
        let after = cursor.map(|text| read_cursor(&text, list)).transpose()?;
        Ok(Self { limit, by, is_descending, after, list })
    }

    /// The cursor of what lies behind `last`.
    pub(super) fn cursor(&self, last: Rank) -> Option<String> {
        // A rank always has a form.
        postcard::to_stdvec(&Cursor { list: self.list, last }).map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).ok()
    }
}

fn order(sort: Option<&str>, sorts: &'static [&'static str]) -> Result<(&'static str, bool), Problem> {
    let asked = sort.unwrap_or_else(|| sorts.first().copied().unwrap_or_default());
    let (name, is_descending) = asked.strip_prefix('-').map_or((asked, false), |name| (name, true));
    match sorts.iter().find(|known| **known == name) {
        Some(by) => Ok((by, is_descending)),
        None => {
            let help = suggest(name, sorts.iter().copied());
            Err(Problem::parameter("sort", format!("`sort`: `{}` is nothing to sort by: {help}", excerpt(name))))
        }
    }
}

fn read_cursor(text: &str, list: [u8; 8]) -> Result<Rank, Problem> {
    let cursor = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| postcard::from_bytes::<Cursor>(&bytes).ok());
    match cursor {
        Some(cursor) if cursor.list == list => Ok(cursor.last),
        Some(_) => {
            Err(Problem::parameter("cursor", "`cursor` is of another list, of other filters or of another `sort`"))
        }
        None => Err(Problem::parameter("cursor", "`cursor` is none that an answer gave as `next`")),
    }
}

/// The schema of `limit`.
pub(in crate::edge) fn limit() -> Schema {
    let least = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
    least.maximum(Some(LIMIT_MOST)).default(Some(LIMIT_DEFAULT.into())).into()
}

/// The schema of `sort`.
pub(super) fn sorts(sorts: &[&str]) -> Schema {
    let both = sorts.iter().flat_map(|sort| [(*sort).to_owned(), format!("-{sort}")]);
    let words = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(both));
    words.default(sorts.first().map(|sort| (*sort).into())).into()
}

/// The schema of a time.
pub(in crate::edge) fn when() -> Schema {
    let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into()
}
