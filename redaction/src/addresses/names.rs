//! Addresses in names, and hardware addresses: reverse names of the DNS, host names with dashes.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::What;
use super::spelling::{Number, octets};
use crate::bytes::{at, before, begins, from, nibble, part};

/// Below this the DNS has the names of IPv4 addresses, backwards (RFC 1035, 3.5).
pub(super) const REVERSE4: &[u8] = b"in-addr.arpa";
/// And of IPv6 addresses (RFC 3596, 2.5).
const REVERSE6: &[u8] = b"ip6.arpa";
/// Interfaces, whose numbers look like an address: `xe-1-0-0-1` in a name.
const INTERFACES: [&[u8]; 7] = [b"ge-", b"xe-", b"et-", b"fe-", b"so-", b"at-", b"ae-"];

/// Whether a reverse name of IPv4 goes on at a place.
pub(super) fn is_reverse4(text: &[u8], end: usize) -> bool {
    at(text, end) == b'.' && begins(from(text, end + 1), REVERSE4)
}

/// The address whose reverse name begins with four numbers.
pub(super) fn reversed(numbers: &[Number]) -> Option<Ipv4Addr> {
    let [a, b, c, d] = octets(numbers)?.octets();
    Some(Ipv4Addr::new(d, c, b, a))
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

/// The address in numbers with dashes: four of them, or the last four.
pub(super) fn dashed(text: &[u8], numbers: &[Number]) -> Option<(usize, usize, Ipv4Addr)> {
    let last = numbers.get(numbers.len().checked_sub(4)?..)?;
    let (start, end) = (last.first()?.start, last.last()?.end);
    let is_interface =
        numbers.len() == 4 && INTERFACES.iter().any(|name| begins(from(text, start.saturating_sub(3)), name));
    let address = octets(last).filter(|address| address.octets().first() != Some(&0) && !is_interface)?;
    Some((start, end, address))
}
