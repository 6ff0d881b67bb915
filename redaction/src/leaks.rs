//! The leak meter: what was planted in a document and is found in what leaves.
//!
//! It looks at the result alone, and opens it as whoever receives it would: a canary in a log within an archive counts
//! like one in plain sight. One that is an address counts in every spelling.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv6Addr};

use aho_corasick::{AhoCorasick, MatchKind};

use crate::addresses::{Addresses, What};
use crate::bytes::{from, part};
use crate::container::{Bounds, Error, Spools, Texts, carry};

/// How many bytes are looked at together.
const WINDOW: usize = 256 * 1024;

/// What is planted in documents to be looked for in what leaves.
#[derive(Debug, Clone)]
pub struct Canaries {
    words: Vec<String>,
    addresses: BTreeMap<Ipv6Addr, usize>,
    /// Whether a word is one.
    is_address: Vec<bool>,
    search: AhoCorasick,
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
        let mut addresses = BTreeMap::new();
        let is_address = words.iter().map(|word| word.parse::<IpAddr>().is_ok()).collect();
        for (index, word) in words.iter().enumerate() {
            match word.parse::<IpAddr>() {
                Ok(address) => drop(addresses.insert(in_one_form(address), index)),
                Err(_) if word.len() < Self::LEAST => return Err(CanariesError::Short(word.clone())),
                Err(_) => {}
            }
        }
        if words.iter().map(String::len).sum::<usize>() > Self::MOST {
            return Err(CanariesError::Many);
        }
        let search =
            AhoCorasick::builder().match_kind(MatchKind::Standard).build(&words).map_err(|_| CanariesError::Many)?;
        Ok(Self { words, addresses, is_address, search })
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
        for found in Addresses::of(part(text, start, end), false) {
            let address = match found.what {
                What::V4(address) | What::Dashed(address) | What::Reverse4(address) => address.to_ipv6_mapped(),
                What::V6(address) | What::Reverse6(address) => address,
                What::Numbers | What::Mac(_) => continue,
            };
            if let Some(index) = self.canaries.addresses.get(&address) {
                *self.found.entry(*index).or_default() += 1;
            }
        }
    }
}

impl Texts for Meter<'_> {
    fn text(&mut self, _name: &str, input: &mut dyn Read, _output: &mut dyn Write) -> io::Result<()> {
        let reach = self.canaries.words.iter().map(String::len).max().unwrap_or_default();
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

    fn takes(&mut self, _name: &str, _is_closed: bool) -> bool {
        true
    }
}
