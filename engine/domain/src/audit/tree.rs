//! The Merkle tree of a log, as RFC 6962 and RFC 9162 define it: a leaf is hashed behind a byte 0, a node behind a byte 1.
//!
//! What grows is the [`Head`]: its size, and the roots of the complete subtrees it is made of. Each append completes
//! some more; whoever keeps all of them can answer for any earlier size and prove it ([`super::proof`]), reading as
//! many hashes as the tree is high.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// A hash: of a leaf, a node or a whole tree. As text in hexadecimal digits, of lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

/// What is no hash in hexadecimal digits.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 hexadecimal digits of lower case")]
pub struct HashError;

impl Hash {
    /// The root of a log without records.
    pub fn of_nothing() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// A record's.
    pub fn of_leaf(record: &[u8]) -> Self {
        Self(Sha256::new().chain_update([0]).chain_update(record).finalize().into())
    }

    /// What two neighbours make together.
    pub fn of_node(left: &Self, right: &Self) -> Self {
        Self(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| HashError)?;
        // One hash has one spelling.
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) { Err(HashError) } else { Ok(Self(bytes)) }
    }
}

// INVARIANT (a row of version 1 begins with no `80 00`): a hash in a row begins with its length, 32.
impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_bytes(&self.0) }
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Hash;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a hash")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Hash, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Hash, E> {
                bytes.try_into().map(Hash).map_err(|_| E::invalid_length(bytes.len(), &self))
            }
        }

        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Visitor)
        } else {
            deserializer.deserialize_bytes(Visitor)
        }
    }
}

/// A complete subtree: 2^`level` leaves, the first of them at `index` << `level`. At level 0 it is a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subtree {
    /// How high it is.
    pub level: u8,
    /// How many of its height stand before it.
    pub index: u64,
    /// Its root.
    pub hash: Hash,
}

/// A tree as far as it has grown. Stored as it stands here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    size: u64,
    /// The roots of its complete subtrees, one for each bit of the size, the largest first.
    peaks: Vec<Hash>,
}

impl Head {
    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf; the subtrees that it completes, of level 1 and higher.
    pub fn append(&mut self, leaf: Hash) -> Vec<Subtree> {
        let (mut hash, mut level, mut completed) = (leaf, 0_u8, Vec::new());
        while (self.size >> level) & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = Hash::of_node(&left, &hash);
            level += 1;
            completed.push(Subtree { level, index: self.size >> level, hash });
        }
        self.peaks.push(hash);
        self.size += 1;
        completed
    }

    /// Its root.
    pub fn root(&self) -> Hash {
        joined(&self.peaks)
    }
}

/// The root of neighbours of falling height.
fn joined(peaks: &[Hash]) -> Hash {
    peaks.iter().rev().copied().reduce(|right, left| Hash::of_node(&left, &right)).unwrap_or_else(Hash::of_nothing)
}

/// The root of the leaves `from..to`, where `from` is a multiple of the power of two that they fit in. `read` gives the
/// hash of a complete subtree by its level and index.
pub(super) fn span<E>(from: u64, to: u64, read: &mut impl FnMut(u8, u64) -> Result<Hash, E>) -> Result<Hash, E> {
    let (mut at, mut peaks) = (from, Vec::new());
    while let Some(level) = to.checked_sub(at).and_then(u64::checked_ilog2) {
        peaks.push(read(u8::try_from(level).unwrap_or(u8::MAX), at >> level)?);
        at += 1 << level;
    }
    Ok(joined(&peaks))
}

/// The root that the tree had when it was of `size`. `read` gives the hash of a complete subtree by its level and index.
///
/// # Errors
/// Those of `read`.
pub fn root_at<E>(size: u64, mut read: impl FnMut(u8, u64) -> Result<Hash, E>) -> Result<Hash, E> {
    span(0, size, &mut read)
}
