//! How addresses are spelled: the longest address that a text begins with.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::bytes::{at, from, nibble, skip};

/// The most numbers of a dotted or dashed chain that are told apart; a longer one is no address and no object of a MIB.
pub(super) const CHAIN_MOST: usize = 128;

/// A number of a chain of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) start: usize,
    pub(super) end: usize,
    /// None where it has too many digits to be a port.
    pub(super) value: Option<u16>,
}

impl Number {
    /// How many digits it has.
    pub(super) fn width(&self) -> usize {
        self.end - self.start
    }

    /// Its value where it is one of a byte. More than three digits, as in `0010`, begin with zero then.
    pub(super) fn octet(&self) -> Option<u8> {
        self.value.and_then(|value| u8::try_from(value).ok())
    }
}

/// Decimal numbers with one `separator` between each two, from `start` on; and where they end.
pub(super) fn chain(text: &[u8], start: usize, separator: u8, numbers: &mut Vec<Number>) -> usize {
    numbers.clear();
    let mut place = start;
    loop {
        let end = skip(text, place, |byte| byte.is_ascii_digit());
        if end == place {
            // A separator with nothing behind it belongs to the sentence.
            return place.saturating_sub(usize::from(!numbers.is_empty()));
        }
        let number = Number { start: place, end, value: decimal(text.get(place..end).unwrap_or_default()) };
        if numbers.len() == CHAIN_MOST {
            // Its last one is kept: from there on it may be something else.
            numbers.pop();
        }
        numbers.push(number);
        if at(text, end) != separator {
            return end;
        }
        place = end + 1;
    }
}

fn decimal(digits: &[u8]) -> Option<u16> {
    if digits.len() > 5 {
        return None;
    }
    let value = digits.iter().fold(0_u32, |value, digit| value * 10 + u32::from(digit - b'0'));
    u16::try_from(value).ok()
}

/// The address that four numbers make.
pub(super) fn octets(numbers: &[Number]) -> Option<Ipv4Addr> {
    match numbers {
        [a, b, c, d] => Some(Ipv4Addr::new(a.octet()?, b.octet()?, c.octet()?, d.octet()?)),
        _ => None,
    }
}

/// The dotted IPv4 address that the text at `start` begins with, and where it ends.
pub(super) fn dotted(text: &[u8], start: usize) -> Option<(Ipv4Addr, usize)> {
    let mut bytes = [0_u8; 4];
    let mut place = start;
    for (index, byte) in bytes.iter_mut().enumerate() {
        if index > 0 {
            if at(text, place) != b'.' {
                return None;
            }
            place += 1;
        }
        let end = skip(text, place, |byte| byte.is_ascii_digit());
        *byte = Number { start: place, end, value: decimal(text.get(place..end)?) }.octet().filter(|_| end > place)?;
        place = end;
    }
    Some((Ipv4Addr::from(bytes), place))
}

/// Whether a text is a dotted IPv4 address, and nothing else.
pub(super) fn is_dotted(text: &[u8]) -> bool {
    dotted(text, 0).is_some_and(|(_, end)| end == text.len())
}

/// The longest IPv6 address (RFC 4291, 2.2) that the text at `start` begins with, and where it ends.
pub(super) fn v6(text: &[u8], start: usize) -> Option<(Ipv6Addr, usize)> {
    let mut groups = Groups::default();
    let mut place = start;
    let mut best = None;
    if at(text, place) == b':' {
        if at(text, place + 1) != b':' {
            return None;
        }
        groups.gap = Some(0);
        place += 2;
        best = groups.address().map(|address| (address, place));
    }
    loop {
        if (groups.gap.is_some() || groups.count > 0)
            && let Some((carried, end)) = dotted(text, place)
        {
            let [a, b, c, d] = carried.octets();
            let is_full = !groups.push(u16::from_be_bytes([a, b])) || !groups.push(u16::from_be_bytes([c, d]));
            return groups.address().filter(|_| !is_full).map(|address| (address, end)).or(best);
        }
        let Some((group, end)) = group(text, place) else { return best };
        if !groups.push(group) {
            return best;
        }
        place = end;
        best = groups.address().map(|address| (address, place)).or(best);
        match (at(text, place), at(text, place + 1)) {
            (b':', b':') if groups.gap.is_none() => {
                groups.gap = Some(groups.count);
                place += 2;
                best = groups.address().map(|address| (address, place)).or(best);
            }
            (b':', b':') => return best,
            (b':', _) => place += 1,
            _ => return best,
        }
    }
}

/// The groups of an IPv6 address as far as they were read.
#[derive(Default)]
struct Groups {
    groups: [u16; 8],
    count: usize,
    /// How many stand before `::`.
    gap: Option<usize>,
}

impl Groups {
    /// Whether there was room.
    fn push(&mut self, group: u16) -> bool {
        let Some(place) = self.groups.get_mut(self.count) else { return false };
        *place = group;
        self.count += 1;
        true
    }

    /// The address, with zeros at the gap; none while groups are missing.
    fn address(&self) -> Option<Ipv6Addr> {
        let zeros = 8_usize.checked_sub(self.count)?;
        let gap = match (self.gap, zeros) {
            (None, 0) => 8,
            (Some(gap), 1..) => gap,
            _ => return None,
        };
        let mut segments = [0_u16; 8];
        let places = segments.iter_mut().enumerate().filter(|(index, _)| *index < gap || *index >= gap + zeros);
        for ((_, segment), group) in places.zip(self.groups) {
            *segment = group;
        }
        Some(Ipv6Addr::from(segments))
    }
}

/// One to four hexadecimal digits, and no more of them.
fn group(text: &[u8], start: usize) -> Option<(u16, usize)> {
    let mut value = 0_u16;
    for (index, &byte) in from(text, start).iter().enumerate() {
        match nibble(byte) {
            Some(_) if index == 4 => return None,
            Some(digit) => value = value << 4 | u16::from(digit),
            None => return (index > 0).then_some((value, start + index)),
        }
    }
    let end = text.len();
    (end > start).then_some((value, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_address_is_read() {
        for (text, address, rest) in [
            ("2001:db8::1", "2001:db8::1", ""),
            ("2001:DB8:0:0:8:800:200C:417A/64", "2001:db8::8:800:200c:417a", "/64"),
            ("::", "::", ""),
            ("::1]", "::1", "]"),
            ("2001:db8::", "2001:db8::", ""),
            ("2001:db8::1: down", "2001:db8::1", ": down"),
            ("2001:db8::1.179", "2001:db8::1", ".179"),
            ("::ffff:192.0.2.1.80", "::ffff:192.0.2.1", ".80"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221", ""),
            ("1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201", ""),
            ("1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8", ":9"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0", ""),
            ("1::2::3", "1::2", "::3"),
            ("fe80::1%ge-0/0/0", "fe80::1", "%ge-0/0/0"),
        ] {
            let (found, end) = v6(text.as_bytes(), 0).expect(text);
            assert_eq!((found, &text[end..]), (address.parse().unwrap(), rest), "{text}");
        }
        for text in ["", ":", ":1::2", "10:15:01", "1:2:3:4:5:6:7", "12345::1", "g::1", "1.2.3.4", "aa:bb:cc:dd:ee:ff"]
        {
            assert_eq!(v6(text.as_bytes(), 0), None, "{text}");
        }
    }
}
