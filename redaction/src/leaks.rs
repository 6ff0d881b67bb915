//! The leak meter: what was planted in a document and is found in what leaves.
//!
//! It looks at the result alone, and opens it as whoever receives it would: a canary in a log within an archive counts
//! like one in plain sight. One that is an address counts in every spelling that redaction knows, and beside that
//! wherever its spellings stand as strings: what redaction does not find is what is to be measured.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::addresses::{Addresses, What};
use crate::bytes::{at, before, from, part};
use crate::container::{Bounds, Error, Spools, Texts, carry};

/// How many bytes are looked at together.
const WINDOW: usize = 256 * 1024;

/// What is planted in documents to be looked for in what leaves.
#[derive(Debug, Clone)]
pub struct Canaries {
    words: Vec<String>,
    /// All of it, which no parser has a say in: words as they are written, and spellings of addresses in any case.
    search: AhoCorasick,
    spellings: AhoCorasick,
    /// Of each spelling the canary.
    spelled: Vec<usize>,
    addresses: BTreeMap<Ipv6Addr, usize>,
    /// Whether a word is one.
    is_address: Vec<bool>,
    /// The longest string that is looked for.
    longest: usize,
}

/// Why a list of canaries is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanariesError {
    /// There is none in it.
    #[error("there is no canary: write one a line")]
    None,
    /// One of them is found in anything.
    #[error("the canary `{0}` is too short to be told from what may leave: take {least} characters or more", least = Canaries::LEAST)]
    Short(String),
    /// Too many, or too long ones.
    #[error("there are too many canaries to look for at once: take at most {most} bytes of them", most = Canaries::MOST)]
    Many,
}

impl Canaries {
    /// The shortest canary, in bytes.
    pub const LEAST: usize = 4;
    /// All canaries together, in bytes.
    pub const MOST: usize = 1 << 20;

    /// Of a list, one a line; lines that are empty or begin with `#` are none.
    ///
    /// # Errors
    /// [`CanariesError`].
    pub fn read(list: &str) -> Result<Self, CanariesError> {
        let words: Vec<String> = list
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::to_owned)
            .collect();
        if words.is_empty() {
            return Err(CanariesError::None);
        }
        let (mut addresses, mut spellings, mut spelled) = (BTreeMap::new(), Vec::new(), Vec::new());
        let is_address = words.iter().map(|word| word.parse::<IpAddr>().is_ok()).collect();
        for (index, word) in words.iter().enumerate() {
            match word.parse::<IpAddr>() {
                Ok(address) => {
                    addresses.insert(in_one_form(address), index);
                    let all = spellings_of(word, address);
                    spelled.extend(all.iter().map(|_| index));
                    spellings.extend(all);
                }
                Err(_) if word.len() < Self::LEAST => return Err(CanariesError::Short(word.clone())),
                Err(_) => {}
            }
        }
        if words.iter().map(String::len).sum::<usize>() > Self::MOST {
            return Err(CanariesError::Many);
        }
        let search =
            AhoCorasick::builder().match_kind(MatchKind::Standard).build(&words).map_err(|_| CanariesError::Many)?;
        let longest = words.iter().chain(&spellings).map(String::len).max().unwrap_or_default();
        let spellings = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(&spellings)
            .map_err(|_| CanariesError::Many)?;
        Ok(Self { words, search, spellings, spelled, addresses, is_address, longest })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.words.len()
    }

    /// Counts those that are found in a document, each with how often; none is what is wanted.
    ///
    /// # Errors
    /// As [`crate::Redaction::document`].
    pub fn leaked(&self, name: &str, input: &mut dyn Read, spools: Spools<'_>) -> Result<BTreeMap<String, u64>, Error> {
        let mut meter = Meter { canaries: self, found: BTreeMap::new() };
        carry(name, input, &mut io::sink(), Bounds::default(), spools, &mut meter)?;
        let words = meter.found.into_iter().filter_map(|(index, count)| Some((self.words.get(index)?.clone(), count)));
        Ok(words.collect())
    }
}

/// An address, so that IPv4 and what carries it are the same.
fn in_one_form(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// The strings that an address is known by, whatever stands around them.
fn spellings_of(word: &str, address: IpAddr) -> Vec<String> {
    let mut all = vec![word.to_owned(), address.to_string()];
    match address {
        IpAddr::V4(address) => {
            let octets = address.octets();
            let joined =
                |separator: &str, octets: &[u8]| octets.iter().map(u8::to_string).collect::<Vec<_>>().join(separator);
            let [a, b, c, d] = octets;
            all.extend(["-", "_"].map(|separator| joined(separator, &octets)));
            all.push(format!("{}.in-addr.arpa", joined(".", &[d, c, b, a])));
            all.push(format!("{a:03}.{b:03}.{c:03}.{d:03}"));
            all.push(format!("{a:#04x}.{b:#04x}.{c:#04x}.{d:#04x}"));
            all.push(format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}"));
            all.push(format!("{a:02x}{b:02x}:{c:02x}{d:02x}"));
            let bits = address.to_bits();
            all.push(format!("{bits:08x}"));
            // A shorter number might be any.
            all.extend(Some(bits.to_string()).filter(|number| number.len() > 7));
        }
        IpAddr::V6(address) => {
            let wide = address.segments().map(|group| format!("{group:04x}"));
            let narrow = address.segments().map(|group| format!("{group:x}"));
            let digits: Vec<String> = format!("{:032x}", address.to_bits()).chars().rev().map(String::from).collect();
            all.extend([":", "-", ""].map(|separator| wide.join(separator)));
            all.extend([":", "-"].map(|separator| narrow.join(separator)));
            all.extend([address.to_string().replace(':', "-"), digits.join(".")]);
        }
    }
    all.sort_unstable();
    all.dedup();
    // `::` and `1--` are in anything.
    all.retain(|spelling| spelling.len() >= Canaries::LEAST || *spelling == word);
    all
}

struct Meter<'a> {
    canaries: &'a Canaries,
    /// By the place of the canary in the list.
    found: BTreeMap<usize, u64>,
}

impl Meter<'_> {
    /// Counts what begins before `end`.
    fn count(&mut self, text: &[u8], start: usize, end: usize) {
        let looked_at = from(text, start);
        for one in self.canaries.search.find_overlapping_iter(looked_at) {
            // An address is counted below, with its other spellings.
            let index = one.pattern().as_usize();
            let is_address = self.canaries.is_address.get(index) == Some(&true);
            if start + one.start() < end && !is_address {
                *self.found.entry(index).or_default() += 1;
            }
        }
        if self.canaries.addresses.is_empty() {
            return;
        }
        // Each place once, however many ways it is found.
        let mut places = self.spelled(text, start, end);
        for found in Addresses::of(part(text, start, end), false) {
            let address = match found.what {
                What::V4(address) | What::Joined(address, _) | What::Reverse4(address) => address.to_ipv6_mapped(),
                What::V6(address) | What::Dashed6(address) | What::Reverse6(address) => address,
                What::Numbers | What::Mac(_) => continue,
            };
            if let Some(index) = self.canaries.addresses.get(&address) {
                places.push((*index, start + found.start..start + found.end));
            }
        }
        places.sort_unstable_by_key(|(index, place)| (*index, place.start));
        let mut last: Option<(usize, usize)> = None;
        for (index, place) in places {
            let goes_on = last.is_some_and(|(before, end)| before == index && place.start < end);
            if !goes_on {
                *self.found.entry(index).or_default() += 1;
            }
            let end = last.filter(|_| goes_on).map_or(place.end, |(_, end)| end.max(place.end));
            last = Some((index, end));
        }
    }

    /// Where spellings of addresses stand as strings: not within a longer number, or between more digits of a group.
    fn spelled(&self, text: &[u8], start: usize, end: usize) -> Vec<(usize, Range<usize>)> {
        let mut places = Vec::new();
        for one in self.canaries.spellings.find_overlapping_iter(from(text, start)) {
            let place = start + one.start()..start + one.end();
            let is_of_numbers =
                part(text, place.start, place.end).iter().all(|byte| byte.is_ascii_digit() || b".-_".contains(byte));
            let goes_on = |byte: u8| if is_of_numbers { byte.is_ascii_digit() } else { byte.is_ascii_hexdigit() };
            let is_within = goes_on(before(text, place.start)) || goes_on(at(text, place.end));
            // The letter of `\n` is none of the address.
            let is_escaped = before(text, place.start.saturating_sub(1)) == b'\\' && !goes_on(at(text, place.end));
            if place.start < end
                && (!is_within || is_escaped)
                && let Some(index) = self.canaries.spelled.get(one.pattern().as_usize())
            {
                places.push((*index, place));
            }
        }
        places
    }
}

impl Texts for Meter<'_> {
    fn text(&mut self, _name: &str, input: &mut dyn Read, _output: &mut dyn Write) -> io::Result<()> {
        // And a byte behind it.
        let reach = self.canaries.longest + 1;
        let mut buffer = Vec::new();
        loop {
            let room = (WINDOW + reach - buffer.len().min(WINDOW + reach)) as u64;
            let read = Read::take(&mut *input, room).read_to_end(&mut buffer)? as u64;
            let is_last = read < room;
            let most = if is_last { buffer.len() } else { buffer.len() - reach };
            // Behind a line, so that no address is cut.
            let looked_at = part(&buffer, 0, most);
            let line =
                memchr::memrchr(b'\n', looked_at).or_else(|| memchr::memrchr(b' ', looked_at)).filter(|_| !is_last);
            let end = line.map_or(most, |line| line + 1);
            self.count(&buffer, 0, end);
            if is_last {
                return Ok(());
            }
            buffer.drain(..end);
        }
    }

    fn name(&mut self, name: &str) -> String {
        self.count(name.as_bytes(), 0, name.len());
        name.to_owned()
    }

    fn takes_binary(&self) -> bool {
        true
    }

    fn takes_closed(&self) -> bool {
        true
    }

    fn takes(&mut self, _name: &str, _is_closed: bool) -> bool {
        true
    }
}
