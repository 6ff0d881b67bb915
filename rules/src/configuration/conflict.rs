//! What is set twice, and differently.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::BuildHasher;

use super::print::print_words;
use super::{Configuration, Leaf, Word};
use crate::Strictness;

/// One leaf with two values. Who set them knows whoever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The leaf as the first sets it.
    pub first: Leaf,
    /// The same leaf as the second sets it.
    pub second: Leaf,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`")?;
        print_words(f, self.first.identity())?;
        f.write_str("` is set ")?;
        value(f, &self.first)?;
        f.write_str(" and ")?;
        value(f, &self.second)
    }
}

fn value(f: &mut fmt::Formatter<'_>, leaf: &Leaf) -> fmt::Result {
    match leaf.value() {
        [] => f.write_str("without a value"),
        words => {
            f.write_str("to `")?;
            print_words(f, words)?;
            f.write_str("`")
        }
    }
}

/// The leaves that both configurations set, to different values, in the order of the second.
pub fn conflicts(first: &Configuration, second: &Configuration, strictness: Strictness) -> Vec<Conflict> {
    let (first, second) = (first.leaves(strictness), second.leaves(strictness));
    let mut known: BTreeMap<&[Word], Vec<&Leaf>> = BTreeMap::new();
    for leaf in &first {
        known.entry(leaf.identity()).or_default().push(leaf);
    }
    let mut found = Vec::new();
    for leaf in &second {
        let others = known.get(leaf.identity()).into_iter().flatten();
        let other = others.copied().find(|other| other.value() != leaf.value());
        found.extend(other.map(|other| Conflict { first: other.clone(), second: leaf.clone() }));
    }
    found
}

impl Configuration {
    /// The leaves that this configuration itself sets twice, to different values.
    pub fn contradictions(&self, strictness: Strictness) -> Vec<Conflict> {
        if !self.has_leaf_twice(strictness) {
            return Vec::new();
        }
        let leaves = self.leaves(strictness);
        let mut known: BTreeMap<&[Word], &Leaf> = BTreeMap::new();
        let mut found = Vec::new();
        for leaf in &leaves {
            let first = *known.entry(leaf.identity()).or_insert(leaf);
            if first.value() != leaf.value() {
                found.push(Conflict { first: first.clone(), second: leaf.clone() });
            }
        }
        found
    }

    /// Whether two leaves may be the same one; mostly none are.
    fn has_leaf_twice(&self, strictness: Strictness) -> bool {
        let state = foldhash::fast::RandomState::default();
        let mut hashes = Vec::new();
        self.each_leaf(strictness, |leaf| hashes.push(state.hash_one(leaf.identity())));
        hashes.sort_unstable();
        hashes.windows(2).any(|two| two.first() == two.last())
    }
}
