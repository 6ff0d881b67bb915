//! A session's text in a browser, and where a write of such a session may come from.
//!
//! The name's prefix has browsers keep the cookie to this very host over TLS (RFC 6265bis, section 4.1.3.2). They send
//! it by themselves, so a write needs their word, `Origin`, that a page of ours asked for it.

use axum::http::header::{COOKIE, HOST, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::Response;

use crate::edge::transport::problem::Problem;

/// The name of the cookie.
pub(in crate::edge) const NAME: &str = "__Host-linesman";
/// What browsers may do with it.
const TERMS: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

/// The value of `Set-Cookie` that has a browser keep `text` for so many seconds.
///
/// # Errors
/// It is no text of a header: never.
pub(super) fn keep(text: &str, for_s: u64) -> Result<HeaderValue, Problem> {
    let value = format!("{NAME}={text}; Max-Age={for_s}; {TERMS}");
    HeaderValue::from_str(&value).map_err(|error| Problem::internal(&error))
}

/// An answer after which a browser has no session any more.
///
/// # Errors
/// As [`keep`].
pub(super) fn forget(mut response: Response) -> Result<Response, Problem> {
    response.headers_mut().insert(SET_COOKIE, keep("", 0)?);
    Ok(response)
}

/// The text that a browser sends; none if there are several.
pub(super) fn read(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let mut texts = pairs.filter(|(name, _)| name.trim() == NAME).map(|(_, text)| text.trim());
    let text = texts.next().filter(|text| !text.is_empty())?;
    if texts.next().is_some() { None } else { Some(text) }
}

/// Whether a request with a cookie may be answered: it changes nothing, or a page of this host asks.
pub(super) fn is_ours(method: &Method, headers: &HeaderMap) -> bool {
    method.is_safe()
        || only(headers, &ORIGIN).zip(only(headers, &HOST)).is_some_and(|(origin, host)| {
            // Origin and Host both leave out the port that is usual.
            origin.strip_prefix("https://").is_some_and(|origin| origin.eq_ignore_ascii_case(host))
        })
}

fn only<'a>(headers: &'a HeaderMap, name: &axum::http::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    value.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_browser_is_told_to_keep_it_to_itself() {
        assert_eq!(
            keep("lms_abc", 3600).unwrap(),
            "__Host-linesman=lms_abc; Max-Age=3600; Path=/; Secure; HttpOnly; SameSite=Strict"
        );
        let forgotten = forget(Response::default()).unwrap();
        let expected = "__Host-linesman=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict";
        assert_eq!(forgotten.headers()[SET_COOKIE], expected);
    }

    #[test]
    fn the_one_cookie_of_ours_is_read() {
        for (lines, expected) in [
            (vec!["a=b; __Host-linesman=lms_abc; c=d"], Some("lms_abc")),
            (vec!["a=b", "__Host-linesman=lms_abc"], Some("lms_abc")),
            (vec!["__Host-linesman=one; __Host-linesman=two"], None),
            (vec!["__Host-linesman=one", "__Host-linesman=two"], None),
            (vec!["__Host-linesman="], None),
            (vec!["__Host-linesman"], None),
            (vec!["x__Host-linesman=abc; __host-linesman=abc"], None),
            (vec![], None),
        ] {
            let lines: Vec<_> = lines.into_iter().map(|line| (COOKIE, line)).collect();
            assert_eq!(read(&headers(&lines)), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_write_comes_from_a_page_of_ours() {
        let here = (HOST, "lines.example:8443");
        for (origin, expected) in [
            (&["https://lines.example:8443"][..], true),
            (&["https://LINES.example:8443"], true),
            (&["http://lines.example:8443"], false),
            (&["https://lines.example"], false),
            (&["https://lines.example:8443.evil.example"], false),
            (&["https://evil.example"], false),
            (&["null"], false),
            (&[], false),
            (&["https://lines.example:8443", "https://lines.example:8443"], false),
        ] {
            let lines: Vec<_> = origin.iter().map(|origin| (ORIGIN, *origin)).chain([here.clone()]).collect();
            for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                assert_eq!(is_ours(&method, &headers(&lines)), expected, "{method} {origin:?}");
            }
            assert!(is_ours(&Method::GET, &headers(&lines)), "reading changes nothing");
        }
        assert!(!is_ours(&Method::POST, &headers(&[(ORIGIN, "https://lines.example")])), "no host");
    }
}
