//! Addresses in names, and hardware addresses: reverse names of the DNS, host names with dashes.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::What;
use super::spelling::{CHAIN_MOST, Number, octets};
use crate::bytes::{at, before, begins, from, nibble, part, skip};

/// Below this the DNS has the names of IPv4 addresses, backwards (RFC 1035, 3.5).
pub(super) const REVERSE4: &[u8] = b"in-addr.arpa";
/// And of IPv6 addresses (RFC 3596, 2.5).
const REVERSE6: &[u8] = b"ip6.arpa";
/// How far groups with dashes are looked at together, behind the first eight.
const GROUPS_MOST: usize = 64;
/// Interfaces, whose numbers look like an address: `xe-1-0-0-1` in a name.
const INTERFACES: [&[u8]; 7] = [b"ge-", b"xe-", b"et-", b"fe-", b"so-", b"at-", b"ae-"];

/// Whether a reverse name of IPv4 goes on at a place.
pub(super) fn is_reverse4(text: &[u8], end: usize) -> bool {
    at(text, end) == b'.' && begins(from(text, end + 1), REVERSE4)
}

/// What a reverse name of IPv4 is whose numbers stand from `start` to `end`: an address, or a part of one; below the
/// parts of networks that RFC 2317 names (`213.192-28.2.1.10`), all of it.
pub(super) fn reverse4(text: &[u8], numbers: &[Number], start: usize, end: usize) -> (usize, usize, What) {
    const NAME_MOST: usize = 32;
    if matches!(before(text, start), b'-' | b'/') && before(text, start - 1).is_ascii_digit() {
        let lowest = start.saturating_sub(NAME_MOST);
        let is_part = |byte: u8| byte.is_ascii_digit() || b".-/".contains(&byte);
        let first = part(text, lowest, start).iter().rposition(|&byte| !is_part(byte)).map_or(0, |last| last + 1);
        return (skip(text, lowest + first, |byte| !byte.is_ascii_digit()), end, What::Numbers);
    }
    let what = octets(numbers).map_or(What::Numbers, |address| {
        let [a, b, c, d] = address.octets();
        What::Reverse4(Ipv4Addr::new(d, c, b, a))
    });
    (start, end, what)
}

/// The digits before `ip6.arpa`, of which one ends at a dot.
pub(super) fn ip6_arpa(text: &[u8], dot: usize, taken: usize) -> Option<(usize, usize, What)> {
    let start = dot.checked_sub(1).filter(|start| *start >= taken)?;
    if before(text, start).is_ascii_alphanumeric() && start > taken {
        return None;
    }
    let (mut address, mut digits, mut end) = (0_u128, 0, start);
    while let (Some(digit), b'.') = (nibble(at(text, end)), at(text, end + 1)) {
        if digits == 32 {
            return None;
        }
        address |= u128::from(digit) << (4 * digits);
        digits += 1;
        end += 2;
    }
    if digits == 0 || !begins(from(text, end), REVERSE6) {
        return None;
    }
    let end = end.saturating_sub(1);
    let what = if digits == 32 { What::Reverse6(Ipv6Addr::from_bits(address)) } else { What::Numbers };
    Some((start, end, what))
}

/// `0011.2233.4455`, whose first dot this is.
pub(super) fn mac_of_threes(text: &[u8], dot: usize, taken: usize) -> Option<(usize, usize)> {
    mac(text, dot.checked_sub(4)?, b'.', 4, 3, taken)
}

/// `00-11-22-33-44-55`; the dash may be any of its first five, since only those between digits are looked at.
pub(super) fn mac_of_pairs(text: &[u8], dash: usize, taken: usize) -> Option<(usize, usize)> {
    (0..5).find_map(|index| mac(text, dash.checked_sub(2 + 3 * index)?, b'-', 2, 6, taken))
}

fn mac(text: &[u8], start: usize, separator: u8, width: usize, groups: usize, taken: usize) -> Option<(usize, usize)> {
    let end = start + groups * (width + 1) - 1;
    let spelled = part(text, start, end);
    let is_one = start >= taken
        && spelled.len() == end - start
        && spelled.iter().enumerate().all(|(index, &byte)| match index % (width + 1) {
            place if place == width => byte == separator,
            _ => byte.is_ascii_hexdigit(),
        });
    let is_alone = |byte: u8| !byte.is_ascii_alphanumeric() && byte != separator;
    (is_one && is_alone(before(text, start)) && is_alone(at(text, end))).then_some((start, end))
}

/// The address in numbers that are joined in a name, with what stands before and behind it: where more than one might
/// be it, all of them are.
pub(super) fn joined(text: &[u8], numbers: &[Number], end: usize, separator: u8) -> Option<(usize, usize, What)> {
    let first = numbers.first()?;
    if numbers.len() >= CHAIN_MOST {
        return Some((first.start, end, What::Numbers));
    }
    let lead = part(text, first.start.saturating_sub(3), first.start);
    let is_interface =
        before(lead, lead.len()) == separator && INTERFACES.iter().any(|name| begins(lead, part(name, 0, 2)));
    if is_a_time(numbers) || (numbers.len() == 4 && is_interface) {
        return None;
    }
    let mut addresses = numbers.windows(4).filter_map(|four| Some((four.first()?, four.last()?, octets(four)?)));
    let (first, last, address) = addresses.next()?;
    // `0-1-2-3` is none, and `000-1-2-3` is how a pseudonym is spelled that begins so.
    let is_one = |first: &Number, address: Ipv4Addr| address.octets().first() != Some(&0) || first.width() >= 3;
    let mut is_any = is_one(first, address);
    let mut end = None;
    for (first, last, address) in addresses {
        is_any |= is_one(first, address);
        end = Some(last.end);
    }
    let what = if end.is_some() { What::Numbers } else { What::Joined(address, separator) };
    is_any.then(|| (first.start, end.unwrap_or(last.end), what))
}

/// `2026-11-21-10-15-02`, also without its seconds.
fn is_a_time(numbers: &[Number]) -> bool {
    let Some(([year, month, day], clock)) = numbers.split_first_chunk::<3>() else { return false };
    let is = |number: &Number, width, least: u16, most: u16| {
        number.width() == width && number.value.is_some_and(|value| (least..=most).contains(&value))
    };
    is(year, 4, 1970, 2099)
        && is(month, 2, 1, 12)
        && is(day, 2, 1, 31)
        && matches!(clock.len(), 2 | 3)
        && clock.iter().zip([23, 59, 60]).all(|(number, most)| is(number, 2, 0, most))
}

/// `2001-db8--1`, whose first dash this is: eight groups, or a gap where its first group is one of a network's, or of
/// `ipv6-literal.net`.
pub(super) fn dashed6(text: &[u8], dash: usize, taken: usize) -> Option<(usize, usize, What)> {
    let lowest = taken.max(dash.saturating_sub(5));
    let is_digit = |byte: &u8| !byte.is_ascii_hexdigit();
    let start = lowest + part(text, lowest, dash).iter().rposition(is_digit).map_or(0, |last| last + 1);
    if dash - start > 4 || (start > taken && before(text, start).is_ascii_alphanumeric()) {
        return None;
    }
    let (mut groups, mut count, mut gap) = ([0_u16; 8], 0, None);
    let mut end = start;
    loop {
        let first = end;
        end = skip(part(text, 0, first + 5), first, |byte| byte.is_ascii_hexdigit());
        match (end - first, groups.get_mut(count)) {
            (0, _) if gap == Some(count) => break,
            (1..=4, Some(group)) => {
                let digits = part(text, first, end).iter().filter_map(|&byte| nibble(byte));
                *group = digits.fold(0, |value, digit| value << 4 | u16::from(digit));
                count += 1;
            }
            (1..=4, None) => {
                // More than eight: which of them are it cannot be told.
                end = skip(part(text, 0, end + GROUPS_MOST), end, |byte| byte.is_ascii_hexdigit() || byte == b'-');
                count += 1;
                break;
            }
            _ => return None,
        }
        match (at(text, end), at(text, end + 1)) {
            (b'-', b'-') if gap.is_none() => (gap, end) = (Some(count), end + 2),
            (b'-', next) if next.is_ascii_hexdigit() => end += 1,
            _ => break,
        }
    }
    if at(text, end).is_ascii_alphanumeric() {
        return None;
    }
    let spelled = part(text, start, end);
    let has = |those: fn(&u8) -> bool| spelled.iter().any(those);
    let is_of_pairs = spelled.split(|&byte| byte == b'-').all(|group| group.len() == 2);
    let first = groups.first().copied().unwrap_or_default();
    let is_global = (dash - start == 4 && first >> 13 == 1) || first >> 9 == 0x7e;
    let is_literal = begins(from(text, end), b".ipv6-literal");
    let has_letter = has(u8::is_ascii_alphabetic);
    let is_one = match (count, gap) {
        (8.., None) => is_literal || (has(u8::is_ascii_digit) && !is_of_pairs && (has_letter || is_global)),
        (1..8, Some(_)) => is_literal || (is_global && has(u8::is_ascii_digit) && (has_letter || count > 2)),
        _ => false,
    };
    if !is_one || count > 8 {
        return is_one.then_some((start, end, What::Numbers));
    }
    let gap = gap.unwrap_or(8);
    let mut segments = [0_u16; 8];
    let places = segments.iter_mut().enumerate().filter(|(place, _)| *place < gap || *place >= gap + 8 - count);
    for ((_, segment), group) in places.zip(groups) {
        *segment = group;
    }
    Some((start, end, What::Dashed6(Ipv6Addr::from(segments))))
}

/// `0x0a.0x01.0x02.0xd5`, also with decimal numbers among them, at its first dot.
pub(super) fn hexadecimal(text: &[u8], dot: usize, taken: usize) -> Option<(usize, usize, Ipv4Addr)> {
    let is_x = |place: usize| matches!(at(text, place), b'x' | b'X');
    // The dots behind it: `10.1.2.0xd5` has its last one there.
    let is_near = is_x(dot + 2) || (dot >= 2 && is_x(dot - 2)) || (dot >= 3 && is_x(dot - 3));
    let is_later = !is_near && at(text, dot + 1).is_ascii_digit() && {
        let end = skip(part(text, 0, dot + 12), dot, |byte| byte.is_ascii_digit() || byte == b'.');
        is_x(end) && before(text, end) == b'0'
    };
    if !is_near && !is_later {
        return None;
    }
    let lowest = taken.max(dot.saturating_sub(10));
    let is_part = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'x' | b'X');
    let start = lowest + part(text, lowest, dot).iter().rposition(|&byte| !is_part(byte)).map_or(0, |last| last + 1);
    let (mut octets, mut place, mut is_any) = ([0_u8; 4], start, false);
    for (index, octet) in octets.iter_mut().enumerate() {
        if index > 0 {
            (at(text, place) == b'.').then_some(())?;
            place += 1;
        }
        let is_hexadecimal = at(text, place) == b'0' && is_x(place + 1);
        is_any |= is_hexadecimal;
        let first = place + if is_hexadecimal { 2 } else { 0 };
        place = skip(part(text, 0, first + 9), first, |byte| {
            byte.is_ascii_digit() || (is_hexadecimal && byte.is_ascii_hexdigit())
        });
        let spelled = std::str::from_utf8(part(text, first, place)).ok()?;
        *octet = u8::from_str_radix(spelled, if is_hexadecimal { 16 } else { 10 }).ok()?;
    }
    is_any.then_some((start, place, Ipv4Addr::from(octets)))
}
