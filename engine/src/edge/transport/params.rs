//! What a request asks for in its query and its path, typed; every fault names its parameter.

use std::collections::BTreeSet;

use axum::extract::{FromRequestParts, Query, RawPathParams};
use axum::http::Uri;
use axum::http::request::Parts;
use linesman_rules::{excerpt, suggest};
use percent_encoding::percent_decode_str;
use serde::de::value::{Error, MapDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};
use utoipa::IntoParams;

use super::problem::Problem;

/// The query, as a `T` whose fields are the parameters there are. Each may be given once.
pub(crate) struct Params<T>(pub(crate) T);

/// The parameters of the path, as a `T` whose fields have their names.
pub(crate) struct PathOf<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned + IntoParams> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        read(&parts.uri).map(Self)
    }
}

impl<S: Sync + Send, T: DeserializeOwned> FromRequestParts<S> for PathOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| Problem::parameter("path", "the path is not UTF-8"))?;
        typed(params.iter()).map(Self)
    }
}

/// Reads the query of an address.
fn read<T: DeserializeOwned + IntoParams>(uri: &Uri) -> Result<T, Problem> {
    let known: Vec<String> = T::into_params(|| None).into_iter().map(|parameter| parameter.name).collect();
    let pairs = pairs(uri)?;
    let mut given = BTreeSet::new();
    for (name, _) in &pairs {
        if !known.contains(name) {
            let help = suggest(name, known.iter().map(String::as_str));
            let name = excerpt(name);
            let detail = format!("unknown parameter `{name}`: {help}");
            return Err(Problem::parameter(name, detail));
        }
        if !given.insert(name) {
            return Err(Problem::parameter(name.clone(), format!("`{name}` is given more than once")));
        }
    }
    typed(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// Names and values of an address's query, decoded.
fn pairs(uri: &Uri) -> Result<Vec<(String, String)>, Problem> {
    // What is no UTF-8 would otherwise be replaced without a word.
    if percent_decode_str(uri.query().unwrap_or_default()).decode_utf8().is_err() {
        return Err(Problem::bad_request("the query is not UTF-8"));
    }
    let Query(pairs) = Query::try_from_uri(uri).map_err(|_| Problem::bad_request("the query cannot be read"))?;
    Ok(pairs)
}

/// Named texts as a `T`.
fn typed<'a, T: DeserializeOwned>(named: impl Iterator<Item = (&'a str, &'a str)>) -> Result<T, Problem> {
    let texts = MapDeserializer::new(named.map(|(name, text)| (name, Text(text))));
    serde_path_to_error::deserialize(texts).map_err(|error: serde_path_to_error::Error<Error>| {
        let (name, what) = (error.path().to_string(), error.inner().to_string());
        if let Some(name) = missing(&what) {
            return Problem::parameter(name.to_owned(), format!("`{name}` is missing"));
        }
        let detail = match unknown_word(&what) {
            Some(what) => format!("`{name}`: {what}"),
            None => format!("`{name}`: {what}"),
        };
        Problem::parameter(name, detail)
    })
}

/// The field that serde's message says is missing: it has no path.
pub(crate) fn missing(what: &str) -> Option<&str> {
    what.strip_prefix("missing field `")?.strip_suffix('`')
}

/// What serde says of a word that is none of a closed set, with the one that may be meant.
fn unknown_word(what: &str) -> Option<String> {
    let (word, known) = what.strip_prefix("unknown variant `")?.rsplit_once("`, expected ")?;
    let known = known.split('`').skip(1).step_by(2);
    Some(format!("`{}` is not known: {}", excerpt(word), suggest(word, known)))
}

/// A parameter's text; one that is given is `Some`.
struct Text<'a>(&'a str);

impl IntoDeserializer<'_, Error> for Text<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(IntoDeserializer::<Error>::into_deserializer(self.0))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use linesman_schemas::{IncidentId, OrgName};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize, IntoParams)]
    struct Wanted {
        #[serde(default)]
        #[param(value_type = Option<String>)]
        organization: Option<OrgName>,
        #[param(value_type = String)]
        incident: IncidentId,
    }

    fn read_query(query: &str) -> Result<Wanted, (Option<String>, String)> {
        read(&format!("/list?{query}").parse().unwrap())
            .map_err(|problem| (problem.at().map(str::to_owned), problem.detail().to_owned()))
    }

    #[test]
    fn a_query_is_read_as_its_type() {
        let wanted = read_query("incident=ac%6de-1&organization=acme").unwrap();
        assert_eq!(wanted, Wanted { organization: "acme".parse().ok(), incident: "acme-1".parse().unwrap() });
        assert_eq!(read_query("incident=acme-1").unwrap().organization, None);
    }

    #[test]
    fn faults_name_their_parameter() {
        for (query, parameter, detail) in [
            ("incident=1", Some("incident"), "`incident`: `1` is not an incident id (`<organization>-<number>`)"),
            ("", Some("incident"), "`incident` is missing"),
            ("organisation=a", Some("organisation"), "unknown parameter `organisation`: did you mean `organization`?"),
            ("x=1", Some("x"), "unknown parameter `x`: known are `organization`, `incident`"),
            ("incident=acme-1&incident=acme-1", Some("incident"), "`incident` is given more than once"),
            ("incident=%ff", None, "the query is not UTF-8"),
        ] {
            assert_eq!(read_query(query), Err((parameter.map(str::to_owned), detail.to_owned())), "{query}");
        }
    }
}
