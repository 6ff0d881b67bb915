//! What a request asks for in its body: JSON, typed; every fault has its place.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_path_to_error::{Path, Segment};

use super::params::missing;
use super::problem::Problem;

/// What a URI fragment does not hold as it is (RFC 3986, section 3.5).
const FRAGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What is left out of a body is none; null is no value.
pub(in crate::edge) fn stated<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A body in JSON, as a `T`. No key of an object may be given twice, whatever `T` makes of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "the body must be declared as `Content-Type: application/json`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|_| Problem::bad_request("the body breaks off"))?;
        read(&body).map(Self)
    }
}

/// Where a body may be left out: none where there is nothing in it, or `null`.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let (parts, body) = request.into_parts();
        let body = Bytes::from_request(Request::from_parts(parts.clone(), body), state).await;
        let body = body.map_err(|_| Problem::bad_request("the body breaks off"))?;
        if body.is_empty() || body.trim_ascii() == b"null" && is_json(&parts.headers) {
            return Ok(None);
        }
        let request = Request::from_parts(parts, body.into());
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

/// Whether the one `Content-Type` is JSON. Its only parameter may be UTF-8, which it is anyway.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(kind), None) = (types.next(), types.next()) else { return false };
    let Ok(kind) = kind.to_str() else { return false };
    let mut parts = kind.split(';').map(str::trim);
    parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
        && parts
            .all(|part| part.eq_ignore_ascii_case("charset=utf-8") || part.eq_ignore_ascii_case("charset=\"utf-8\""))
}

/// Reads a body: 400 when it is no JSON, 422 when it is not what is asked for.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Problem::bad_request(format!("the body is not UTF-8 from byte {} on", error.valid_up_to())))?;
    let Unique = deserialize(text, StatusCode::BAD_REQUEST)?;
    // serde would take an array for the fields in their order.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#".to_owned(), "the body must be an object"));
    }
    deserialize(text, StatusCode::UNPROCESSABLE_ENTITY)
}

fn deserialize<T: DeserializeOwned>(text: &str, status: StatusCode) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let what = error.inner().to_string();
        // Of a fault in JSON itself the place in the text is what helps.
        let what = if error.inner().is_data() {
            what.rsplit_once(" at line ").map_or(&*what, |(what, _)| what)
        } else {
            &what
        };
        let mut pointer = pointer(error.path());
        if let Some(name) = missing(what) {
            push(&mut pointer, name);
            return Problem::field(status, pointer, format!("`{name}` is missing"));
        }
        Problem::field(status, pointer, format!("{what}{}", meant(what)))
    })?;
    json.end().map_err(|error| Problem::field(status, "#".to_owned(), error.to_string()))?;
    Ok(value)
}

/// Which of several fields is meant by an unknown one, where one is near.
fn meant(what: &str) -> String {
    let Some((field, known)) = what.strip_prefix("unknown field `").and_then(|rest| rest.split_once("`, expected "))
    else {
        return String::new();
    };
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    match linesman_rules::suggest(field, known.iter().copied()) {
        help if known.len() > 1 && help.starts_with("did you mean") => format!("; {help}"),
        _ => String::new(),
    }
}

/// A path as a JSON pointer in a URI fragment (RFC 6901, section 6).
fn pointer(path: &Path) -> String {
    let mut pointer = "#".to_owned();
    for segment in path {
        match segment {
            Segment::Seq { index } => push(&mut pointer, &index.to_string()),
            Segment::Map { key } => push(&mut pointer, key),
            Segment::Enum { variant } => push(&mut pointer, variant),
            Segment::Unknown => {}
        }
    }
    pointer
}

fn push(pointer: &mut String, token: &str) {
    let token = token.replace('~', "~0").replace('/', "~1");
    // Writing to a string does not fail.
    let _ = write!(pointer, "/{}", utf8_percent_encode(&token, FRAGMENT));
}

/// Any JSON in which no object has a key twice.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while let Some(Self) = items.next_element()? {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if keys.contains(&key) {
                return Err(de::Error::custom(format_args!("`{key}` is given more than once")));
            }
            let Self = entries.next_value()?;
            keys.insert(key);
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::HeaderValue;

    use super::*;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        owner: String,
        #[serde(default)]
        groups: Vec<Group>,
        #[serde(default)]
        note: serde_json::Value,
    }

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Group {
        #[serde(rename = "a/b c")]
        name: String,
    }

    /// Status, place and detail of the problem with a body.
    fn refused(body: &[u8]) -> (u16, String, String) {
        let problem = read::<Wanted>(body).unwrap_err();
        (problem.status().as_u16(), problem.at().unwrap_or_default().to_owned(), problem.detail().to_owned())
    }

    #[test]
    fn what_is_asked_for_is_read() {
        let wanted =
            read::<Wanted>(br#" {"owner": "ann", "groups": [{"a/b c": "x"}], "note": [1, -1, 0.5, null, true]} "#);
        let wanted = wanted.unwrap();
        assert_eq!((wanted.owner.as_str(), wanted.groups[0].name.as_str()), ("ann", "x"));
    }

    #[test]
    fn faults_have_their_place() {
        for (body, status, pointer, detail) in [
            (&b""[..], 400, "#", "EOF while parsing a value at line 1 column 0"),
            (b"{\"owner\": ", 400, "#/owner", "EOF while parsing a value at line 1 column 10"),
            (b"{\"owner\": \"a\"} x", 400, "#", "trailing characters at line 1 column 16"),
            (b"{\"owner\": \"\xff\"}", 400, "", "the body is not UTF-8 from byte 11 on"),
            (b"{\"owner\": \"a\", \"owner\": \"b\"}", 400, "#", "`owner` is given more than once"),
            (b"{\"note\": {\"x\": [{\"y\": 1, \"y\": 1}]}}", 400, "#/note/x/0", "`y` is given more than once"),
            (b"{\"owner\": 7}", 422, "#/owner", "invalid type: integer `7`, expected a string"),
            (b"{}", 422, "#/owner", "`owner` is missing"),
            (b"[]", 422, "#", "the body must be an object"),
            (
                b"{\"owner\": \"a\", \"groups\": [{\"a/b c\": null}]}",
                422,
                "#/groups/0/a~1b%20c",
                "invalid type: null, expected a string",
            ),
            (
                b"{\"owners\": 1}",
                422,
                "#/owners",
                "unknown field `owners`, expected one of `owner`, `groups`, `note`; did you mean `owner`?",
            ),
        ] {
            assert_eq!(refused(body), (status, pointer.to_owned(), detail.to_owned()), "{}", body.escape_ascii());
        }
        let deep = [vec![b'['; 10_000], vec![b']'; 10_000]].concat();
        let (status, _, detail) = refused(&deep);
        assert_eq!((status, detail.as_str()), (400, "recursion limit exceeded at line 1 column 128"));
    }

    async fn taken(kind: Option<&str>, body: Body) -> Result<JsonBody<Wanted>, (u16, String)> {
        let mut request = Request::new(body);
        if let Some(kind) = kind {
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
        }
        let taken = <JsonBody<_> as FromRequest<()>>::from_request(request, &()).await;
        taken.map_err(|problem: Problem| (problem.status().as_u16(), problem.detail().to_owned()))
    }

    #[tokio::test]
    async fn a_body_that_may_be_left_out_is_none_where_there_is_nothing_in_it() {
        let given = |kind: Option<&'static str>, body: &'static str| async move {
            let mut request = Request::new(Body::from(body));
            if let Some(kind) = kind {
                request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            }
            let given = <JsonBody<Wanted> as OptionalFromRequest<()>>::from_request(request, &()).await;
            given.map(|body| body.is_some()).map_err(|problem| problem.status().as_u16())
        };
        for kind in [None, Some("application/json"), Some("text/plain")] {
            assert_eq!(given(kind, "").await, Ok(false), "{kind:?}");
        }
        assert_eq!(given(Some("application/json"), r#"{"owner": "ann"}"#).await, Ok(true));
        assert_eq!(given(None, r#"{"owner": "ann"}"#).await, Err(415));
        assert_eq!(given(Some("application/json"), " null\n").await, Ok(false));
        assert_eq!(given(Some("text/plain"), "null").await, Err(415));
        assert_eq!(given(Some("application/json"), "[]").await, Err(422));
    }

    #[tokio::test]
    async fn only_json_is_taken() {
        for kind in ["application/json", "Application/JSON; charset=UTF-8"] {
            assert!(taken(Some(kind), r#"{"owner": "ann"}"#.into()).await.is_ok(), "{kind}");
        }
        let unwanted = Some("text/plain; charset=utf-8");
        for kind in [None, unwanted, Some(""), Some("application/json; charset=latin1"), Some("application/json5")] {
            let detail = "the body must be declared as `Content-Type: application/json`".to_owned();
            assert_eq!(taken(kind, r#"{"owner": "ann"}"#.into()).await, Err((415, detail)), "{kind:?}");
        }
    }
}
