//! Proofs about a tree, and what they prove: that a record is in it, and that it has only grown.
//!
//! The way of RFC 9162, sections 2.1.3 and 2.1.4. Making one reads as many hashes as twice the tree's height.

use super::tree::{Hash, span};

/// Where a tree of so many leaves, 2 or more, is divided: the largest power of two below.
fn half(leaves: u64) -> u64 {
    leaves.saturating_sub(1).checked_ilog2().map_or(0, |level| 1 << level)
}

/// That the leaf at `index` is in the tree of `size`; none where that has no such leaf. `read` gives the hash of a
/// complete subtree by its level and index.
///
/// # Errors
/// Those of `read`.
pub fn inclusion<E>(
    index: u64,
    size: u64,
    mut read: impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if index >= size {
        return Ok(None);
    }
    let (mut from, mut to, mut path) = (0, size, Vec::new());
    while to - from > 1 {
        let middle = from + half(to - from);
        if index < middle {
            path.push(span(middle, to, &mut read)?);
            to = middle;
        } else {
            path.push(span(from, middle, &mut read)?);
            from = middle;
        }
    }
    path.reverse();
    Ok(Some(path))
}

/// That the tree of `size` begins with the whole tree of size `old`; none where it cannot: `old` is 0 or larger. `read`
/// gives the hash of a complete subtree by its level and index.
///
/// # Errors
/// Those of `read`.
pub fn consistency<E>(
    old: u64,
    size: u64,
    mut read: impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if old == 0 || old > size {
        return Ok(None);
    }
    let (mut from, mut to, mut path) = (0, size, Vec::new());
    while old < to {
        let middle = from + half(to - from);
        if old <= middle {
            path.push(span(middle, to, &mut read)?);
            to = middle;
        } else {
            path.push(span(from, middle, &mut read)?);
            from = middle;
        }
    }
    // Whoever checks knows the old root, and so a subtree that is the whole old tree.
    if from > 0 {
        path.push(span(from, to, &mut read)?);
    }
    path.reverse();
    Ok(Some(path))
}

/// Whether `path` proves that `leaf` is at `index` in the tree of `size` with this root.
pub fn includes(leaf: Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for beside in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = Hash::of_node(beside, &hash);
            rise(&mut at, &mut last);
        } else {
            hash = Hash::of_node(&hash, beside);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// Whether `path` proves that the tree of `size` with this root begins with the tree of size `old` with that one.
pub fn extends(old: u64, old_root: &Hash, size: u64, root: &Hash, path: &[Hash]) -> bool {
    if old == 0 || old > size {
        return false;
    }
    if old == size {
        return path.is_empty() && old_root == root;
    }
    let mut path = path.iter();
    let first = if old.is_power_of_two() { Some(old_root) } else { path.next() };
    let Some(first) = first else { return false };
    let (mut at, mut last) = (old - 1, size - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let (mut old_hash, mut hash) = (*first, *first);
    for beside in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old_hash = Hash::of_node(beside, &old_hash);
            hash = Hash::of_node(beside, &hash);
            rise(&mut at, &mut last);
        } else {
            hash = Hash::of_node(&hash, beside);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && old_hash == *old_root && hash == *root
}

/// Where a subtree at the right edge has nothing beside it, it stands higher as it is.
fn rise(at: &mut u64, last: &mut u64) {
    while *at & 1 == 0 && *at != 0 {
        (*at, *last) = (*at >> 1, *last >> 1);
    }
}
