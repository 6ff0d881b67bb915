//! Addresses in text, whatever it is the text of: where they stand and which they are.
//!
//! Four bytes begin the search, `.`, `:`, `-` and `_`; between them nothing is looked at. What is found is an address by
//! its spelling alone: a version number of four numbers (`1.2.3.4-foo`) is taken for one, since to leave an address is
//! worse than to lose a version. Versions of three numbers, or with letters in between (`21.4R3.15`), are none.
//!
//! Separators that are spelled otherwise, by escapes and character references, are folded first (`escapes`).
//!
//! What is deliberately not found: addresses as one number, and in hexadecimal without separators.

mod chains;
mod classes;
mod escapes;
mod names;
mod spelling;

use std::net::{Ipv4Addr, Ipv6Addr};

pub use classes::{stays_v4, stays_v6};
use escapes::folded;
use memchr::{Memchr, Memchr3, memchr_iter, memchr3_iter};
use spelling::{Number, chain, dotted, v6};

use crate::bytes::{at, before, begins, from, is_word, looked_at, part, skip};

/// How far digits and colons are looked at together: 48 pairs, so that a longer dump is cut between two.
const RUN_MOST: usize = 48 * 3 - 1;

/// What stands somewhere in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// `192.0.2.1`.
    V4(Ipv4Addr),
    /// In any spelling.
    V6(Ipv6Addr),
    /// Within a name, `192-0-2-1`, and what stands between its numbers: a dash or an underscore.
    Joined(Ipv4Addr, u8),
    /// Within a name: `2001-db8--1`.
    Dashed6(Ipv6Addr),
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
            What::V4(address) | What::Joined(address, _) | What::Reverse4(address) => stays_v4(address),
            What::V6(address) | What::Dashed6(address) | What::Reverse6(address) => stays_v6(address),
            What::Numbers | What::Mac(_) => false,
        }
    }
}

/// The addresses of a text, in order, those that stay too; none overlaps another.
pub struct Addresses<'a>(Way<'a>);

enum Way<'a> {
    Plain(Plain<'a>),
    /// Of a text that was folded, and where they stand in it.
    Folded(std::vec::IntoIter<Found>),
}

impl<'a> Addresses<'a> {
    /// Of a text; hardware addresses only where they are wanted.
    pub fn of(text: &'a [u8], with_macs: bool) -> Self {
        Self::in_text(text, with_macs, false)
    }

    /// As [`Self::of`], of a text in which pseudonyms are undone: what cannot be told apart was overwritten there.
    pub(crate) fn in_text(text: &'a [u8], with_macs: bool, is_undoing: bool) -> Self {
        match folded(text) {
            None => Self(Way::Plain(Plain::of(text, with_macs, is_undoing))),
            Some(folded) => {
                let found = Plain::of(&folded.text, with_macs, is_undoing).map(|found| folded.back(found));
                Self(Way::Folded(found.collect::<Vec<_>>().into_iter()))
            }
        }
    }
}

impl Iterator for Addresses<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        match &mut self.0 {
            Way::Plain(plain) => plain.next(),
            Way::Folded(found) => found.next(),
        }
    }
}

/// The addresses of a text without escapes.
struct Plain<'a> {
    text: &'a [u8],
    with_macs: bool,
    is_undoing: bool,
    triggers: Memchr3<'a>,
    underscores: Memchr<'a>,
    /// The next of each.
    trigger: Option<usize>,
    underscore: Option<usize>,
    /// What lies before is taken.
    taken: usize,
    numbers: Vec<Number>,
}

impl<'a> Plain<'a> {
    fn of(text: &'a [u8], with_macs: bool, is_undoing: bool) -> Self {
        let mut plain = Self {
            text,
            with_macs,
            is_undoing,
            triggers: memchr3_iter(b'.', b':', b'-', text),
            underscores: memchr_iter(b'_', text),
            trigger: None,
            underscore: None,
            taken: 0,
            numbers: Vec::new(),
        };
        plain.trigger = plain.triggers.next();
        plain.underscore = plain.next_underscore();
        plain
    }

    /// The next underscore that stands between digits.
    fn next_underscore(&mut self) -> Option<usize> {
        let text = self.text;
        self.underscores.find(|&place| before(text, place).is_ascii_digit() && at(text, place + 1).is_ascii_digit())
    }

    /// The next place that is looked at.
    #[inline]
    fn next_trigger(&mut self) -> Option<usize> {
        match (self.trigger, self.underscore) {
            (Some(trigger), Some(underscore)) if underscore < trigger => {
                self.underscore = self.next_underscore();
                Some(underscore)
            }
            (None, Some(underscore)) => {
                self.underscore = self.next_underscore();
                Some(underscore)
            }
            (trigger, _) => {
                self.trigger = self.triggers.next();
                trigger
            }
        }
    }

    /// The first place of the word that ends before `place`: bytes of which `those` is true, and nothing taken.
    fn left(&self, place: usize, most: usize, those: impl Fn(u8) -> bool) -> usize {
        let lowest = self.taken.max(place.saturating_sub(most));
        let word = part(self.text, lowest, place);
        let start = lowest + word.iter().rposition(|&byte| !those(byte)).map_or(0, |last| last + 1);
        looked_at(place - start);
        start
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
        if let Some((start, end, address)) = names::hexadecimal(text, place, self.taken) {
            return self.found(start, end, What::V4(address));
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
            Some(names::reverse4(text, &numbers, start, end))
        } else {
            chains::verdict(text, &numbers, end, self.is_undoing)
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
        let has_gap = run.windows(2).any(|two| two == b"::");
        // Eight groups, or six and a dotted address, or a gap.
        if colons < 6 && !has_gap {
            return None;
        }
        if !has_gap && let Some(end) = self.numbers_in_groups(start, end) {
            return self.found(start, end, What::Numbers);
        }
        let (address, end) = v6(text, start)?;
        let is_behind_a_word = start > self.taken && is_word(before(text, start));
        if (is_behind_a_word || is_word(at(text, end))) && !self.is_in_a_word(start, end) {
            return None;
        }
        self.found(start, end, What::V6(address))
    }

    /// Where a run of groups without a gap ends in which the address cannot be told from what stands before it: nine of
    /// them or more, or eight of which the last goes on as an IPv4 address.
    fn numbers_in_groups(&self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let run = part(text, start, end);
        let run = run.strip_suffix(b":").unwrap_or(run);
        let end = start + run.len();
        if run.split(|&byte| byte == b':').any(|group| group.is_empty() || group.len() > 4) {
            return None;
        }
        let groups = run.split(|&byte| byte == b':').count();
        let last = start + run.iter().rposition(|&byte| byte == b':').map_or(0, |colon| colon + 1);
        if groups >= 8
            && at(text, end) == b'.'
            && let Some((_, end)) = dotted(text, last)
        {
            return Some(end);
        }
        let is_global = |group: Option<&[u8]>| {
            let group = group.unwrap_or_default().to_ascii_lowercase();
            group.len() == 4
                && (matches!(group.as_slice(), [b'2' | b'3', ..])
                    || matches!(group.as_slice(), [b'f', b'c' | b'd', ..]))
        };
        let mut first = run.split(|&byte| byte == b':');
        // An address and a port.
        let is_with_port = self.is_undoing || (is_global(first.next()) && !is_global(first.next()));
        (groups > 9 || (groups == 9 && !is_with_port)).then_some(end)
    }

    /// Whether what is spelled like IPv6 with word bytes around it is an address rather than a name with a path
    /// (`std::deque`): three colons and a digit, or a digit on both sides of the gap. Behind a letter it takes a group of
    /// three digits as well: `ns1::b2` is a name.
    fn is_in_a_word(&self, start: usize, end: usize) -> bool {
        let spelled = part(self.text, start, end);
        let has_digit = |spelled: &[u8]| spelled.iter().any(u8::is_ascii_digit);
        if spelled.iter().filter(|&&byte| byte == b':').count() >= 3 && has_digit(spelled) {
            return true;
        }
        let gap = spelled.windows(2).position(|two| two == b"::").unwrap_or_default();
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric();
        let is_behind_a_letter = start > self.taken && is_letter(before(self.text, start));
        let least = if is_behind_a_letter || is_letter(at(self.text, end)) { 3 } else { 1 };
        gap >= least && has_digit(part(spelled, 0, gap)) && has_digit(from(spelled, gap))
    }

    /// At a dash: numbers in a name, a hardware address of pairs, groups of IPv6 in a name.
    #[inline]
    fn dash(&mut self, place: usize) -> Option<Found> {
        let text = self.text;
        let (left, right) = (before(text, place), at(text, place + 1));
        if !left.is_ascii_hexdigit() || !(right.is_ascii_hexdigit() || right == b'-') {
            return None;
        }
        if let Some((start, end)) = names::mac_of_pairs(text, place, self.taken) {
            self.taken = end;
            return if self.with_macs { self.found(start, end, What::Mac(b'-')) } else { None };
        }
        if let Some((start, end, what)) = names::dashed6(text, place, self.taken) {
            return self.found(start, end, what);
        }
        if !left.is_ascii_digit() || !right.is_ascii_digit() {
            return None;
        }
        self.joined(place, b'-')
    }

    /// Numbers in a name, joined by dashes or underscores.
    fn joined(&mut self, place: usize, separator: u8) -> Option<Found> {
        let text = self.text;
        let start = self.left(place, usize::MAX, |byte| byte.is_ascii_digit() || byte == separator);
        let start = skip(text, start, |byte| byte == separator);
        let mut numbers = std::mem::take(&mut self.numbers);
        let end = chain(text, start, separator, &mut numbers);
        self.taken = self.taken.max(numbers.last().map_or(end, |last| last.start));
        let joined = names::joined(text, &numbers, end, separator);
        self.numbers = numbers;
        let (start, end, what) = joined?;
        self.found(start, end, what)
    }
}

impl Iterator for Plain<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let place = self.next_trigger()?;
            if place < self.taken {
                continue;
            }
            let found = match at(self.text, place) {
                b'.' => self.dot(place),
                b':' => self.colon(place),
                b'_' => self.joined(place, b'_'),
                _ => self.dash(place),
            };
            if found.is_some() {
                return found;
            }
        }
    }
}
