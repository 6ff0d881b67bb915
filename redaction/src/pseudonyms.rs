//! Keyed pseudonyms of addresses: whoever has the key undoes them, nobody else does.
//!
//! The mapping is ipcrypt-pfx: addresses that have their first bits in common have pseudonyms with as many in common.
//! A pseudonym never falls into a class that stays, or it could not be told from an address that is none: where the
//! cipher comes to one it is applied again until it does not. That walks along a cycle of a permutation that the
//! address itself lies on, so it ends, and undoing walks back. There, and only there, prefixes are not kept.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipcrypt_rs::IpcryptPfx;

use crate::addresses::{stays_v4, stays_v6};

/// How many bytes a key has.
pub const KEY_BYTES: usize = IpcryptPfx::KEY_BYTES;
/// The most steps of a walk. What stays is less than a fifteenth of all addresses, so that a walk has a handful.
const STEPS_MOST: usize = 4096;
/// How many addresses of each generation are remembered.
const REMEMBERED: usize = 1 << 15;

/// A key of pseudonyms. It never shows itself.
#[derive(Clone)]
pub struct Key([u8; KEY_BYTES]);

/// Why bytes are no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A key has exactly as many bytes as the cipher takes.
    #[error("a key has exactly 32 raw bytes, not {0}: make one with `head -c 32 /dev/urandom`")]
    Length(usize),
    /// The cipher would map every address to itself.
    #[error("both halves of the key are the same: make one with `head -c 32 /dev/urandom`")]
    Halves,
}

impl Key {
    /// Of raw bytes.
    ///
    /// # Errors
    /// They are not 32, or their halves are the same.
    pub fn of(bytes: &[u8]) -> Result<Self, KeyError> {
        let key: [u8; KEY_BYTES] = bytes.try_into().map_err(|_| KeyError::Length(bytes.len()))?;
        let (first, second) = key.split_at(KEY_BYTES / 2);
        if first == second {
            return Err(KeyError::Halves);
        }
        Ok(Self(key))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Which way an address is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From an address to its pseudonym.
    Do,
    /// And back.
    Undo,
}

/// The pseudonyms of one key, those used lately in memory.
pub(crate) struct Pseudonyms {
    cipher: IpcryptPfx,
    way: Way,
    v4: Lately<Ipv4Addr>,
    v6: Lately<Ipv6Addr>,
}

impl Pseudonyms {
    pub(crate) fn new(key: &Key, way: Way) -> Self {
        Self { cipher: IpcryptPfx::new(key.0), way, v4: Lately::new(), v6: Lately::new() }
    }

    /// Of an address that does not stay. None if the walk does not end, which no key does.
    pub(crate) fn v4(&mut self, address: Ipv4Addr) -> Option<Ipv4Addr> {
        if let Some(known) = self.v4.get(address) {
            return Some(known);
        }
        let mut walked = address;
        for _ in 0..STEPS_MOST {
            walked = match self.step(IpAddr::V4(walked)) {
                IpAddr::V4(next) => next,
                IpAddr::V6(_) => return None,
            };
            if !stays_v4(walked) {
                self.v4.keep(address, walked);
                return Some(walked);
            }
        }
        None
    }

    /// As [`Self::v4`]. What carries an IPv4 address keeps its form, with the pseudonym of that.
    pub(crate) fn v6(&mut self, address: Ipv6Addr) -> Option<Ipv6Addr> {
        if let Some(carried) = address.to_ipv4_mapped() {
            return self.v4(carried).map(|pseudonym| pseudonym.to_ipv6_mapped());
        }
        if let Some(known) = self.v6.get(address) {
            return Some(known);
        }
        let mut walked = address;
        for _ in 0..STEPS_MOST {
            walked = match self.step(IpAddr::V6(walked)) {
                IpAddr::V6(next) => next,
                // What carries an IPv4 address is a domain of its own, and walked over.
                IpAddr::V4(carried) => {
                    walked = carried.to_ipv6_mapped();
                    continue;
                }
            };
            if !stays_v6(walked) {
                self.v6.keep(address, walked);
                return Some(walked);
            }
        }
        None
    }

    fn step(&self, address: IpAddr) -> IpAddr {
        match self.way {
            Way::Do => self.cipher.encrypt_ipaddr(address),
            Way::Undo => self.cipher.decrypt_ipaddr(address),
        }
    }
}

/// What was asked for lately: two generations, of which the older one is forgotten when the younger one is full.
struct Lately<A> {
    young: HashMap<A, A, foldhash::fast::FixedState>,
    old: HashMap<A, A, foldhash::fast::FixedState>,
}

impl<A: Copy + Eq + std::hash::Hash> Lately<A> {
    fn new() -> Self {
        Self { young: HashMap::default(), old: HashMap::default() }
    }

    fn get(&mut self, asked: A) -> Option<A> {
        if let Some(known) = self.young.get(&asked) {
            return Some(*known);
        }
        let known = *self.old.get(&asked)?;
        self.keep(asked, known);
        Some(known)
    }

    fn keep(&mut self, asked: A, known: A) {
        if self.young.len() >= REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(asked, known);
    }
}
