//! Times on the wire: RFC 3339 with any offset.

use jiff::Timestamp;

/// Reads an RFC 3339 time (section 5.6). `None` for anything else, and for times before 1970: a
/// device that says so has no clock.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    // jiff alone accepts much more: spaces, compact forms, zone names in brackets.
    let bytes = text.as_bytes();
    let (head, tail) = bytes.split_at_checked(19)?;
    let is_head = head.iter().zip(b"0000-00-00T00:00:00").all(|(byte, model)| match model {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't'),
        _ => byte == model,
    });
    (is_head && is_tail(tail)).then(|| text.parse().ok()).flatten().filter(|time| *time >= Timestamp::UNIX_EPOCH)
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
            assert_eq!(parse(text).map(|t| t.to_string()).as_deref(), Some(utc), "{text}");
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
            "1969-12-31T23:59:59Z",
            "2026-11-21T10:15:0é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
