//! What dotted chains of numbers are: addresses, objects of a MIB, short prefixes, addresses of ISO.

use std::net::Ipv4Addr;

use super::What;
use super::spelling::{CHAIN_MOST, Number, octets};
use crate::bytes::{at, before, is_word, part, skip};

/// Ports below 256 that servers have: behind an address they are taken for one.
const PORTS: [u16; 23] =
    [20, 21, 22, 23, 25, 49, 53, 67, 68, 69, 80, 88, 110, 111, 123, 135, 137, 138, 139, 143, 161, 162, 179];

/// What a chain of dotted numbers that ends at `end` is. `is_undoing`: where pseudonyms are undone, what cannot be told
/// apart was overwritten already.
pub(super) fn verdict(text: &[u8], numbers: &[Number], end: usize, is_undoing: bool) -> Option<(usize, usize, What)> {
    let first = numbers.first()?;
    let whole = (first.start, end, What::Numbers);
    if numbers.len() < CHAIN_MOST && is_of_iso(numbers) {
        return Some(whole);
    }
    match numbers.len() {
        0 | 1 => return None,
        2 | 3 => return is_short_prefix(text, numbers, end).then_some(whole),
        4 => return octets(numbers).map(|address| (first.start, end, What::V4(address))),
        CHAIN_MOST.. => return Some(whole),
        _ => {}
    }
    let is_behind_a_name = before(text, first.start) == b'.';
    if numbers.len() == 5
        && let Some(five) = five(text, numbers, is_undoing)
    {
        return Some(five);
    }
    let arcs = |count: usize| numbers.iter().take(count).map(|number| number.value);
    if arcs(4).eq([1, 3, 6, 1].map(Some)) {
        object(numbers, end, 10, is_undoing)
    } else if is_behind_a_name && arcs(3).eq([3, 6, 1].map(Some)) {
        // `iso.3.6.1`.
        object(numbers, end, 9, is_undoing)
    } else {
        numbers.windows(4).any(|four| octets(four).is_some()).then_some(whole)
    }
}

/// Five numbers: an address and a port, unless the last four might be an address as well, behind the number of an
/// interface.
fn five(text: &[u8], numbers: &[Number], is_undoing: bool) -> Option<(usize, usize, What)> {
    let (first, last) = (numbers.first()?, numbers.last()?);
    let address = numbers.get(..4).and_then(octets)?;
    let port = last.value?;
    let is_with_port = match numbers.get(1..).and_then(octets) {
        None => true,
        Some(_) if is_undoing => true,
        Some(other) => {
            let is_in_a_row = before(text, first.start) == b'.' && is_word(before(text, first.start.saturating_sub(1)));
            let is_none = other.octets().first() == Some(&0);
            let is_likelier = is_private(address) || PORTS.contains(&port);
            !is_in_a_row && (is_none || (is_likelier && !is_private(other)))
        }
    };
    is_with_port.then(|| (first.start, numbers.get(3).map_or(last.end, |fourth| fourth.end), What::V4(address)))
}

/// An object of a MIB. Tables of the standard MIBs have their index behind the tenth number, and addresses stand
/// there; before it only what looks like one is overwritten.
fn object(numbers: &[Number], end: usize, arcs: usize, is_undoing: bool) -> Option<(usize, usize, What)> {
    let index = numbers.get(arcs..).filter(|index| index.len() >= 4);
    let looks_like_one = |four: &[Number]| {
        octets(four).is_some_and(|address| {
            let [first, others @ ..] = address.octets();
            let is_large = index.is_none() && first > 10 && others.iter().any(|other| *other >= 32);
            is_private(address) || is_large
        })
    };
    let before = numbers.get(..arcs.min(numbers.len())).map_or(0, <[Number]>::len);
    let within = numbers.windows(4).enumerate().skip(arcs.saturating_sub(4)).find(|(_, four)| looks_like_one(four));
    match (within.filter(|(place, _)| *place < before && !is_undoing), index) {
        (Some((_, four)), _) => four.first().map(|first| (first.start, end, What::Numbers)),
        (None, Some(index)) => {
            let what = octets(index).map_or(What::Numbers, What::V4);
            index.first().map(|first| (first.start, end, what))
        }
        (None, None) => None,
    }
}

/// `172.21/16`, `10.213.7/24`: as tables of routes abbreviate networks.
fn is_short_prefix(text: &[u8], numbers: &[Number], end: usize) -> bool {
    let Some(first) = numbers.first() else { return false };
    let lead = before(text, first.start);
    if at(text, end) != b'/' || is_word(lead) || b"/.-+:".contains(&lead) {
        return false;
    }
    let last = skip(part(text, 0, end + 4), end + 1, |byte| byte.is_ascii_digit());
    let length = std::str::from_utf8(part(text, end + 1, last)).ok().and_then(|length| length.parse::<u8>().ok());
    let (Some(length), false) = (length, is_word(at(text, last)) || b"/.".contains(&at(text, last))) else {
        return false;
    };
    let Some(known) = numbers.iter().map(Number::octet).collect::<Option<Vec<u8>>>() else { return false };
    match (known.as_slice(), length) {
        ([a, b], 9..=16) => is_private(Ipv4Addr::new(*a, *b, 0, 0)) || (*a >= 128 && length == 16),
        ([a, _, _], 17..=24) => *a > 0,
        _ => false,
    }
}

/// `49.0001.1921.6800.1001.00`, and `1921.6800.1001` of it: addresses of IPv4 are usually spelled in them.
fn is_of_iso(numbers: &[Number]) -> bool {
    let is_four = |number: &Number| number.width() == 4;
    if let [area, others @ .., selector] = numbers
        && area.width() == 2
        && selector.width() == 2
        && others.len() >= 3
        && others.iter().all(is_four)
    {
        return true;
    }
    let ([a, b, c] | [a, b, c, _]) = numbers else { return false };
    let (Some(x), Some(y), Some(z)) = (a.value, b.value, c.value) else { return false };
    let spelled = [x / 10, x % 10 * 100 + y / 100, y % 100 * 10 + z / 1000, z % 1000];
    [a, b, c].into_iter().all(is_four) && spelled.iter().all(|octet| *octet < 256) && spelled.first() != Some(&0)
}

fn is_private(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    address.is_private() || (a == 100 && (64..128).contains(&b))
}
