//! The name that a device gives to one of its events.

/// The parts of `<router-name>-<chassis-serial>-<YYYYMMDD>-<HHMMSS>-<sequence>`. Source: DOMAIN,
/// "Bundles (JMB)".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HostEventId<'a> {
    /// The router's name; may contain hyphens, no white space.
    pub router: &'a str,
    /// The chassis' serial number; no hyphen.
    pub serial: &'a str,
    /// `YYYYMMDD`
    pub date: &'a str,
    /// `HHMMSS`
    pub time: &'a str,
    /// Digits, at most 20.
    pub sequence: &'a str,
}

impl<'a> HostEventId<'a> {
    /// Splits from the right. `None` if a part is missing, empty or out of its range.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (rest, sequence) = text.rsplit_once('-')?;
        let (rest, time) = rest.rsplit_once('-')?;
        let (rest, date) = rest.rsplit_once('-')?;
        let (router, serial) = rest.rsplit_once('-')?;
        let is_whole = is_word(router) && is_word(serial) && is_number(sequence, 1..=20);
        (is_whole && is_date(date) && is_time(time)).then_some(Self { router, serial, date, time, sequence })
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

fn is_number(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_date(text: &str) -> bool {
    is_number(text, 8..=8) && ("01".."13").contains(&part(text, 4)) && ("01".."32").contains(&part(text, 6))
}

fn is_time(text: &str) -> bool {
    // A leap second is written as 60.
    is_number(text, 6..=6) && part(text, 0) < "24" && part(text, 2) < "60" && part(text, 4) <= "60"
}

/// The two digits from `start` on.
fn part(text: &str, start: usize) -> &str {
    text.get(start..start + 2).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_split_from_the_right() {
        let id = HostEventId::parse("edge-01-JN11AF3C2AFC-20261121-101502-17").unwrap();
        assert_eq!(
            id,
            HostEventId { router: "edge-01", serial: "JN11AF3C2AFC", date: "20261121", time: "101502", sequence: "17" }
        );
        assert_eq!(HostEventId::parse("a-b-c-S-20261231-235960-0").unwrap().router, "a-b-c");
    }

    #[test]
    fn what_lacks_a_part_or_leaves_its_range_is_none() {
        for text in [
            "",
            "edge",
            "S-20261121-101502-17",
            "-S-20261121-101502-17",
            "r r-S-20261121-101502-17",
            "r--20261121-101502-17",
            "r-S-20261121-101502-",
            "r-S-20261121-101502-x",
            "r-S-20261121-101502-123456789012345678901",
            "r-S-2026112-101502-1",
            "r-S-20261321-101502-1",
            "r-S-20260021-101502-1",
            "r-S-20261132-101502-1",
            "r-S-20261100-101502-1",
            "r-S-20261121-241502-1",
            "r-S-20261121-106002-1",
            "r-S-20261121-101561-1",
            "r-S-20261121-10150-1",
            "r-S-2026é21-101502-1",
        ] {
            assert_eq!(HostEventId::parse(text), None, "{text}");
        }
    }
}
