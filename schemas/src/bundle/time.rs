//! Times on the wire: RFC 3339 with any offset.

use jiff::Timestamp;

/// The beginning of the year 1, before which XML Schema has no time, in seconds since 1970.
const FIRST_S: i64 = -62_135_596_800;

/// Reads an RFC 3339 time (section 5.6) of the years 0 to 9999. `None` for anything else. What is beyond the times that there
/// are is the nearest of them: of the last two days of the year 9999 that is their beginning, of the year 0 its end.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    if !is_time(text) {
        return None;
    }
    let time = text.parse().ok().or_else(|| {
        // Nothing else is wrong with one that is read in another year of as many days.
        let earlier = format!("1999{}", text.strip_prefix("9999")?);
        earlier.parse::<Timestamp>().is_ok().then_some(Timestamp::MAX)
    });
    let first = Timestamp::from_second(FIRST_S).unwrap_or(Timestamp::UNIX_EPOCH);
    time.map(|time: Timestamp| time.max(first))
}

/// Reads one from 1970 on: a device that says otherwise has no clock.
pub(super) fn parse_from_1970(text: &str) -> Option<Timestamp> {
    is_time(text).then(|| text.parse().ok()).flatten().filter(|time| *time >= Timestamp::UNIX_EPOCH)
}

/// Whether it is spelled so.
fn is_time(text: &str) -> bool {
    // jiff alone accepts much more: spaces, compact forms, zone names in brackets.
    let Some((head, tail)) = text.as_bytes().split_at_checked(19) else { return false };
    let is_head = head.iter().zip(b"0000-00-00T00:00:00").all(|(byte, model)| match model {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't'),
        _ => byte == model,
    });
    is_head && is_tail(tail)
}

/// An optional fraction, then `Z` or `+hh:mm`.
fn is_tail(tail: &[u8]) -> bool {
    let offset = match tail.strip_prefix(b".") {
        Some(fraction) => {
            let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            match fraction.split_at_checked(digits) {
                Some((_, offset)) if digits > 0 => offset,
                _ => return false,
            }
        }
        None => tail,
    };
    match offset {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339_is_read_with_any_offset() {
        for (text, utc) in [
            ("2026-11-21T10:15:02Z", "2026-11-21T10:15:02Z"),
            ("2026-11-21t10:15:02z", "2026-11-21T10:15:02Z"),
            ("2026-11-21T10:15:02.125+05:30", "2026-11-21T04:45:02.125Z"),
            ("2026-11-21T10:15:02-08:00", "2026-11-21T18:15:02Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ] {
            for parse in [parse, parse_from_1970] {
                assert_eq!(parse(text).map(|t| t.to_string()).as_deref(), Some(utc), "{text}");
            }
        }
    }

    #[test]
    fn every_year_that_the_schema_has_is_read_and_what_lies_beyond_is_the_nearest_time() {
        let (first, last) = ("0001-01-01T00:00:00Z", "9999-12-30T22:00:00.999999999Z");
        for (text, utc) in [
            ("1970-01-01T00:00:30+01:00", "1969-12-31T23:00:30Z"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
            ("1601-01-01T00:00:00Z", "1601-01-01T00:00:00Z"),
            ("0001-01-01T00:00:00.5Z", "0001-01-01T00:00:00.5Z"),
            ("0001-01-01T00:00:00+14:00", first),
            ("0000-01-01T00:00:00+23:59", first),
            ("9999-12-30T22:00:00Z", "9999-12-30T22:00:00Z"),
            ("9999-12-31T23:59:59Z", last),
            ("9999-12-31T23:59:59.25-14:00", last),
        ] {
            assert_eq!(parse(text).map(|t| t.to_string()).as_deref(), Some(utc), "{text}");
        }
        for text in
            ["1969-12-31T23:59:59Z", "1970-01-01T00:00:30+01:00", "1601-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
        {
            assert_eq!(parse_from_1970(text), None, "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "yesterday",
            "2026-11-21",
            "2026-11-21 10:15:02Z",
            "2026-11-21T10:15:02",
            "2026-11-21T10:15:02.Z",
            "2026-11-21T10:15:02+0530",
            "2026-11-21T10:15:02[UTC]",
            "2026-11-21T10:15:02Z[UTC]",
            "20261121T101502Z",
            "2026-02-30T10:15:02Z",
            "2026-11-21T25:15:02Z",
            "9999-12-32T23:59:59Z",
            "9999-12-31T23:59:59+99:00",
            "9999-02-30T23:59:59Z",
            "2026-11-21T10:15:0é",
        ] {
            assert_eq!((parse(text), parse_from_1970(text)), (None, None), "{text}");
        }
    }
}
