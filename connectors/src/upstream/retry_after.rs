//! How long a server asks to be left alone. Source: RFC 9110, 10.2.3 and 5.6.7.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// The most that is heeded, in seconds: a server's slip must not silence us for a year.
const MOST_S: i64 = 60 * 60;

/// The three forms of an HTTP date, the current one first.
const FORMATS: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// The seconds that `Retry-After` asks for, at most an hour; `None` if it is missing or neither
/// seconds nor a date. A date counts from the answer's own `Date`, so that the clocks may differ,
/// and from `now` where that is missing.
pub(super) fn retry_after_s(headers: &HeaderMap, now: Timestamp) -> Option<u32> {
    let text = text(headers, RETRY_AFTER)?;
    let seconds = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().unwrap_or(MOST_S)
    } else {
        let from = self::text(headers, DATE).and_then(date).unwrap_or(now);
        date(text)?.as_second().saturating_sub(from.as_second())
    };
    u32::try_from(seconds.clamp(0, MOST_S)).ok()
}

/// The answer's own time.
pub(super) fn said(headers: &HeaderMap) -> Option<Timestamp> {
    text(headers, DATE).and_then(date)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn date(text: &str) -> Option<Timestamp> {
    let civil = FORMATS.iter().find_map(|format| DateTime::strptime(format, text).ok())?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn asked(retry_after: &str, date: Option<&str>) -> Option<u32> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(retry_after).unwrap());
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_str(date).unwrap());
        }
        retry_after_s(&headers, "1994-11-06T08:49:30Z".parse().unwrap())
    }

    #[test]
    fn seconds_are_bounded() {
        let cases = [("0", Some(0)), ("120", Some(120)), ("3601", Some(3600)), ("99999999999999999999", Some(3600))];
        for (text, expected) in cases {
            assert_eq!(asked(text, None), expected, "{text}");
        }
        for text in ["", "-1", "1.5", "soon", "0x10"] {
            assert_eq!(asked(text, None), None, "{text}");
        }
    }

    #[test]
    fn a_date_counts_from_the_answers_own_date() {
        let asked_for = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(asked(asked_for, Some("Sun, 06 Nov 1994 08:48:37 GMT")), Some(60));
        assert_eq!(asked(asked_for, None), Some(7));
        assert_eq!(asked(asked_for, Some("nonsense")), Some(7));
        assert_eq!(asked(asked_for, Some("Sun, 06 Nov 1994 09:49:37 GMT")), Some(0));
        assert_eq!(asked("Mon, 07 Nov 1994 08:49:37 GMT", None), Some(3600));
    }

    #[test]
    fn the_older_forms_are_read_too() {
        assert_eq!(asked("Sunday, 06-Nov-94 08:49:37 GMT", None), Some(7));
        assert_eq!(asked("Sun Nov  6 08:49:37 1994", None), Some(7));
    }
}
