//! What lists can be narrowed by: one table for a list's query, for its description, and for the flags of the
//! command that asks for it.
//!
//! A line of a table is a filter: its words, its name, and what it takes. The API reads a query into the type the
//! table makes; [`Listing::FILTERS`] has the same lines as values.

pub(crate) mod tables;
mod takes;

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, Required};

pub(crate) use takes::Takes;
pub(super) use takes::{Glob, Limit, LogOf, Plain, When, Whose, is, lies, passes};

/// A filter of a list.
#[derive(Debug)]
pub(crate) struct Filter {
    /// Its name: the parameter's, and with hyphens the flag's.
    pub(crate) name: &'static str,
    /// What it asks for, as it stands in the source, line by line.
    doc: &'static [&'static str],
    /// What it takes.
    pub(crate) takes: Takes,
}

impl Filter {
    /// What it asks for, in sentences.
    pub(crate) fn doc(&self) -> String {
        sentence(self.doc)
    }

    fn parameter(&self) -> Parameter {
        parameter(self.name, &self.doc(), self.takes.schema())
    }
}

/// A list: what it can be sorted and narrowed by. As a value, what somebody asks of it.
pub(crate) trait Listing: Debug + DeserializeOwned + Send + Sync + 'static {
    /// What it can be sorted by; the first is what its keys are sorted by, and the default.
    const SORTS: &'static [&'static str];
    /// What it can be narrowed by.
    const FILTERS: &'static [Filter];

    /// Takes `limit`, `sort` and `cursor` out; what is left are the filters.
    fn take(&mut self) -> (Option<Limit>, Option<String>, Option<String>);
}

/// All parameters of a list's query.
fn parameters<L: Listing>() -> Vec<Parameter> {
    let filters = L::FILTERS.iter().map(Filter::parameter);
    let text: Schema = ObjectBuilder::new().schema_type(Type::String).into();
    let paging = [
        parameter("limit", "How many items the page has at most.", Limit::schema().into()),
        parameter(
            "sort",
            "What to sort by; with `-` in front, the other way round. What follows is sorted by organization and key.",
            sorts(L::SORTS).into(),
        ),
        parameter("cursor", "`next` of the page before, of the same filters and the same `sort`.", text.into()),
    ];
    filters.chain(paging).collect()
}

fn parameter(name: &str, doc: &str, schema: RefOr<Schema>) -> Parameter {
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query).required(Required::False);
    parameter.description(Some(doc)).schema(Some(schema)).build()
}

/// The schema of `sort`.
fn sorts(sorts: &[&str]) -> Schema {
    let both = sorts.iter().flat_map(|sort| [(*sort).to_owned(), format!("-{sort}")]);
    let words = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(both));
    words.default(sorts.first().map(|sort| (*sort).into())).into()
}

fn sentence(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// The tables of lists, each with the type its query is read into.
macro_rules! listings {
    ($(
        $(#[$about:meta])*
        $name:ident sorted by $sorts:expr, {
            $($(#[doc = $doc:literal])+ $field:ident: $type:ty,)*
        }
    )+) => { $(
        $(#[$about])*
        #[derive(Debug, serde::Deserialize)]
        pub(crate) struct $name {
            $($(#[doc = $doc])+ #[serde(default)] pub(in crate::edge) $field: Option<$type>,)*
            #[serde(default)]
            limit: Option<$crate::edge::filters::Limit>,
            #[serde(default)]
            sort: Option<String>,
            #[serde(default)]
            cursor: Option<String>,
        }

        impl $crate::edge::filters::Listing for $name {
            const SORTS: &'static [&'static str] = &$sorts;
            const FILTERS: &'static [$crate::edge::filters::Filter] = &[$(
                $crate::edge::filters::Filter {
                    name: stringify!($field),
                    doc: &[$($doc),+],
                    takes: <$type as $crate::edge::filters::takes::Taken>::TAKES,
                },
            )*];

            fn take(&mut self) -> (Option<$crate::edge::filters::Limit>, Option<String>, Option<String>) {
                (self.limit.take(), self.sort.take(), self.cursor.take())
            }
        }

        impl utoipa::IntoParams for $name {
            fn into_params(
                _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
            ) -> Vec<utoipa::openapi::path::Parameter> {
                $crate::edge::filters::parameters::<Self>()
            }
        }
    )+ };
}
use listings;
