//! Addresses in text, whatever it is the text of: where they stand and which they are.
//!
//! Three bytes begin the search, `.`, `:` and `-`; between them nothing is looked at. What is found is an address by
//! its spelling alone: a version number of four numbers (`1.2.3.4-foo`) is taken for one, since to leave an address is
//! worse than to lose a version. Versions of three numbers, or with letters in between (`21.4R3.15`), are none.
//!
//! What is deliberately not found: addresses as one number, in hexadecimal without separators, and percent-encoded.

mod classes;
mod names;
mod spelling;

use std::net::{Ipv4Addr, Ipv6Addr};

pub use classes::{stays_v4, stays_v6};
use memchr::{Memchr3, memchr3_iter};
use spelling::{CHAIN_MOST, Number, chain, octets, v6};

use crate::bytes::{at, before, begins, from, is_word, part, skip};

/// How far digits and colons are looked at together: 48 pairs, so that a longer dump is cut between two.
const RUN_MOST: usize = 48 * 3 - 1;

/// What stands somewhere in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// `192.0.2.1`.
    V4(Ipv4Addr),
    /// In any spelling.
    V6(Ipv6Addr),
    /// Within a name: `192-0-2-1`.
    Dashed(Ipv4Addr),
    /// `1.2.0.192` before `in-addr.arpa`.
    Reverse4(Ipv4Addr),
    /// 32 digits before `ip6.arpa`.
    Reverse6(Ipv6Addr),
    /// Numbers with addresses among them, which cannot be told apart: a part of a reverse name, the index of a row of
    /// a MIB, a chain of numbers that is too long.
    Numbers,
    /// A hardware address, and what stands between its parts.
    Mac(u8),
}

/// An address, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its first byte.
    pub start: usize,
    /// The byte behind its last one.
    pub end: usize,
    /// What it is.
    pub what: What,
}

impl Found {
    /// Whether it is of a class that stays.
    pub fn stays(&self) -> bool {
        match self.what {
            What::V4(address) | What::Dashed(address) | What::Reverse4(address) => stays_v4(address),
            What::V6(address) | What::Reverse6(address) => stays_v6(address),
            What::Numbers | What::Mac(_) => false,
        }
    }
}

/// The addresses of a text, in order, those that stay too; none overlaps another.
pub struct Addresses<'a> {
    text: &'a [u8],
    /// Whether hardware addresses are wanted.
    with_macs: bool,
    triggers: Memchr3<'a>,
    /// What lies before is taken.
    taken: usize,
    numbers: Vec<Number>,
}

impl<'a> Addresses<'a> {
    /// Of a text; hardware addresses only where they are wanted.
    pub fn of(text: &'a [u8], with_macs: bool) -> Self {
        Self { text, with_macs, triggers: memchr3_iter(b'.', b':', b'-', text), taken: 0, numbers: Vec::new() }
    }

    /// The first place of the word that ends before `place`: bytes of which `those` is true, and nothing taken.
    fn left(&self, place: usize, most: usize, those: impl Fn(u8) -> bool) -> usize {
        let lowest = self.taken.max(place.saturating_sub(most));
        let word = part(self.text, lowest, place);
        lowest + word.iter().rposition(|&byte| !those(byte)).map_or(0, |last| last + 1)
    }

    fn found(&mut self, start: usize, end: usize, what: What) -> Option<Found> {
        self.taken = self.taken.max(end);
        Some(Found { start, end, what })
    }

    /// At a dot: a dotted chain of numbers, a reverse name, a hardware address in threes.
    #[inline]
    fn dot(&mut self, place: usize) -> Option<Found> {
        let text = self.text;
        let (left, right) = (before(text, place), at(text, place + 1));
        if !left.is_ascii_hexdigit() || !(right.is_ascii_hexdigit() || right.eq_ignore_ascii_case(&b'i')) {
            return None;
        }
        if let Some((start, end, what)) = names::ip6_arpa(text, place, self.taken) {
            return self.found(start, end, what);
        }
        if self.with_macs
            && let Some((start, end)) = names::mac_of_threes(text, place, self.taken)
        {
            return self.found(start, end, What::Mac(b'.'));
        }
        if !left.is_ascii_digit() || !(right.is_ascii_digit() || begins(from(text, place + 1), names::REVERSE4)) {
            return None;
        }
        let start = self.left(place, usize::MAX, |byte| byte.is_ascii_digit() || byte == b'.');
        let start = skip(text, start, |byte| byte == b'.');
        self.dotted(start)
    }

    fn dotted(&mut self, start: usize) -> Option<Found> {
        let text = self.text;
        let mut numbers = std::mem::take(&mut self.numbers);
        let end = chain(text, start, b'.', &mut numbers);
        // Whatever becomes of it, its other dots need no look; its last number may begin something else.
        self.taken = self.taken.max(numbers.last().map_or(end, |last| last.start));
        let verdict = if names::is_reverse4(text, end) {
            Some(match names::reversed(&numbers) {
                Some(address) => (start, end, What::Reverse4(address)),
                None => (start, end, What::Numbers),
            })
        } else {
            verdict(&numbers, end, before(text, start) == b'.')
        };
        self.numbers = numbers;
        let (start, end, what) = verdict?;
        self.found(start, end, what)
    }

    /// At a colon: IPv6, a hardware address, or what only looks like one.
    #[inline]
    fn colon(&mut self, place: usize) -> Option<Found> {
        let text = self.text;
        let start = self.left(place, 5, |byte| byte.is_ascii_hexdigit());
        if place - start > 4 {
            return None;
        }
        let end = skip(part(text, 0, start + RUN_MOST), start, |byte| byte.is_ascii_hexdigit() || byte == b':');
        let run = part(text, start, end);
        let colons = run.iter().filter(|&&byte| byte == b':').count();
        if colons < 2 {
            return None;
        }
        let is_of_pairs = run.split(|&byte| byte == b':').all(|group| group.len() == 2);
        if is_of_pairs && colons > 7 {
            // A fingerprint or a dump.
            self.taken = end;
            return None;
        }
        if colons == 5 && run.split(|&byte| byte == b':').all(|group| matches!(group.len(), 1 | 2)) {
            self.taken = end;
            return if self.with_macs { self.found(start, end, What::Mac(b':')) } else { None };
        }
        // Eight groups, or six and a dotted address, or a gap.
        if colons < 6 && !run.windows(2).any(|two| two == b"::") {
            return None;
        }
        let (address, end) = v6(text, start)?;
        let is_attached = (start > self.taken && is_word(before(text, start))) || is_word(at(text, end));
        let spelled = part(text, start, end);
        if is_attached
            && (spelled.iter().filter(|&&byte| byte == b':').count() < 3 || !spelled.iter().any(u8::is_ascii_digit))
        {
            // `std::deque`: a name with a path.
            return None;
        }
        self.found(start, end, What::V6(address))
    }

    /// At a dash: numbers in a name, a hardware address of pairs.
    #[inline]
    fn dash(&mut self, place: usize) -> Option<Found> {
        let text = self.text;
        if !before(text, place).is_ascii_hexdigit() || !at(text, place + 1).is_ascii_hexdigit() {
            return None;
        }
        if let Some((start, end)) = names::mac_of_pairs(text, place, self.taken) {
            self.taken = end;
            return if self.with_macs { self.found(start, end, What::Mac(b'-')) } else { None };
        }
        if !before(text, place).is_ascii_digit() || !at(text, place + 1).is_ascii_digit() {
            return None;
        }
        let start = self.left(place, usize::MAX, |byte| byte.is_ascii_digit() || byte == b'-');
        let start = skip(text, start, |byte| byte == b'-');
        let mut numbers = std::mem::take(&mut self.numbers);
        let end = chain(text, start, b'-', &mut numbers);
        self.taken = self.taken.max(numbers.last().map_or(end, |last| last.start));
        let dashed = if is_word(at(text, end)) { None } else { names::dashed(text, &numbers) };
        self.numbers = numbers;
        let (start, end, address) = dashed?;
        self.found(start, end, What::Dashed(address))
    }
}

impl Iterator for Addresses<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let place = self.triggers.next()?;
            if place < self.taken {
                continue;
            }
            let found = match at(self.text, place) {
                b'.' => self.dot(place),
                b':' => self.colon(place),
                _ => self.dash(place),
            };
            if found.is_some() {
                return found;
            }
        }
    }
}

/// What a dotted chain of numbers is: an address, one with a port behind it, an object of a MIB, or nothing.
fn verdict(numbers: &[Number], end: usize, is_behind_a_dot: bool) -> Option<(usize, usize, What)> {
    let first = numbers.first()?;
    let window = |four: &[Number]| octets(four).is_some();
    match numbers.len() {
        0..4 => return None,
        4 => return octets(numbers).map(|address| (first.start, end, What::V4(address))),
        5 => {
            let port = numbers.last().and_then(|last| last.value);
            if let (Some(address), Some(_)) = (numbers.get(..4).and_then(octets), port) {
                let end = numbers.get(3).map_or(end, |fourth| fourth.end);
                return Some((first.start, end, What::V4(address)));
            }
        }
        CHAIN_MOST.. => return Some((first.start, end, What::Numbers)),
        _ => {}
    }
    let arcs = |count: usize| numbers.iter().take(count).map(|number| number.value);
    let object = if arcs(4).eq([1, 3, 6, 1].map(Some)) {
        Some(10)
    } else if is_behind_a_dot && arcs(3).eq([3, 6, 1].map(Some)) {
        // `iso.3.6.1`.
        Some(9)
    } else {
        None
    };
    match object {
        // Tables of the standard MIBs have their index behind the tenth number; only there addresses stand.
        Some(arcs) => {
            let index = numbers.get(arcs..).filter(|index| index.len() >= 4)?;
            let what = octets(index).map_or(What::Numbers, What::V4);
            index.first().map(|first| (first.start, end, what))
        }
        None => numbers.windows(4).any(window).then_some((first.start, end, What::Numbers)),
    }
}
