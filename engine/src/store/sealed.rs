//! How a row lies on disk, and what a lane's rows come to.
//!
//! Behind each value stand the first 16 bytes of SHA-256 over lane, key and value: its *check*. So what is damaged is found
//! when it is read, also where it was taken for another key's or another lane's. The sum of all checks of a lane does not depend
//! on their order, is written with the rows it is of, and finds rows that are lost or those of an earlier time.

use sha2::{Digest, Sha256};

/// How long a check is, in bytes.
const CHECK: usize = 16;
/// What is the store's own of a lane begins with this byte; no table of the domain does.
pub(super) const OWN: u8 = 0xff;
/// The key of a lane's [`Standing`].
pub(super) const STANDING: &[u8] = &[OWN];

fn check(lane: &str, key: &[u8], value: &[u8]) -> [u8; CHECK] {
    let mut hasher = Sha256::new();
    for bytes in [lane.as_bytes(), key] {
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    }
    hasher.update(value);
    let digest: [u8; 32] = hasher.finalize().into();
    digest.first_chunk().copied().unwrap_or_default()
}

/// A value as it is stored.
pub(super) fn seal(lane: &str, key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(value.len() + CHECK);
    stored.extend_from_slice(value);
    stored.extend_from_slice(&check(lane, key, value));
    stored
}

/// The value of what is stored; none where it is damaged.
pub(super) fn unseal<'a>(lane: &str, key: &[u8], stored: &'a [u8]) -> Option<&'a [u8]> {
    let (value, found) = stored.split_last_chunk::<CHECK>()?;
    (*found == check(lane, key, value)).then_some(value)
}

/// The value of what is stored, whether or not it is whole.
pub(super) fn value_of(stored: &[u8]) -> &[u8] {
    stored.split_last_chunk::<CHECK>().map_or(&[], |(value, _)| value)
}

/// The sum of the checks of rows, in whatever order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sum(u128);

impl Sum {
    /// Adds a row, as it is stored.
    pub(super) fn add(&mut self, stored: &[u8]) {
        self.0 = self.0.wrapping_add(Self::of(stored));
    }

    /// Takes a row off, as it is stored.
    pub(super) fn take_off(&mut self, stored: &[u8]) {
        self.0 = self.0.wrapping_sub(Self::of(stored));
    }

    fn of(stored: &[u8]) -> u128 {
        stored.last_chunk().copied().map_or(0, u128::from_be_bytes)
    }
}

/// How a lane's rows stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Each has its check, and this is their sum.
    Whole(Sum),
    /// Of a store of before checks: those up to a key have theirs, and this is their sum.
    SealedUpTo(Sum, Vec<u8>),
    /// They are being removed.
    Emptied,
}

impl Standing {
    /// Its bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Whole(sum) => [&[0][..], &sum.0.to_be_bytes()].concat(),
            Self::SealedUpTo(sum, key) => [&[1][..], &sum.0.to_be_bytes(), key].concat(),
            Self::Emptied => vec![2],
        }
    }

    /// What the bytes say; none where they are no standing.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (tag, rest) = bytes.split_first()?;
        match (tag, rest.split_first_chunk()) {
            (0, Some((sum, []))) => Some(Self::Whole(Sum(u128::from_be_bytes(*sum)))),
            (1, Some((sum, key))) => Some(Self::SealedUpTo(Sum(u128::from_be_bytes(*sum)), key.to_vec())),
            (2, None) if rest.is_empty() => Some(Self::Emptied),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_of_its_lane_its_key_and_its_value() {
        let stored = seal("lane-1", b"ab", b"value");
        assert_eq!(unseal("lane-1", b"ab", &stored), Some(&b"value"[..]));
        assert_eq!(unseal("lane-2", b"ab", &stored), None);
        assert_eq!(unseal("lane-1", b"a", &stored), None);
        assert_eq!(unseal("lane-1", b"ab", &stored[1..]), None);
        assert_eq!(unseal("lane-1", b"ab", b"short"), None);
        for bit in 0..stored.len() * 8 {
            let mut flipped = stored.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unseal("lane-1", b"ab", &flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn a_sum_knows_no_order() {
        let rows: Vec<_> = (0..9_u8).map(|row| seal("lane-1", &[row], b"x")).collect();
        let (mut forth, mut back) = (Sum::default(), Sum::default());
        rows.iter().for_each(|row| forth.add(row));
        rows.iter().rev().for_each(|row| back.add(row));
        assert_eq!(forth, back);
        rows.iter().for_each(|row| forth.take_off(row));
        assert_eq!(forth, Sum::default());
        for standing in [Standing::Whole(back), Standing::SealedUpTo(back, b"key".to_vec()), Standing::Emptied] {
            assert_eq!(Standing::read(&standing.to_bytes()), Some(standing));
        }
        assert_eq!(Standing::read(b""), None);
        assert_eq!(Standing::read(&[2, 0]), None);
    }
}
