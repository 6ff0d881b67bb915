//! A table of bounded size: when it is full, what has lain untouched for longest goes.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// Values by key, the most recently touched ones.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    most: usize,
    next: u64,
    values: HashMap<K, (u64, V)>,
    /// The keys in the order in which they were touched.
    turns: BTreeMap<u64, K>,
}

impl<K: Clone + Eq + Hash, V> Recent<K, V> {
    /// An empty one for at most so many, at least one.
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), next: 0, values: HashMap::new(), turns: BTreeMap::new() }
    }

    /// What lies there.
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.values.get(key).map(|(_, value)| value)
    }

    /// What lies there, untouched by this.
    pub(super) fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.values.get_mut(key).map(|(_, value)| value)
    }

    /// All of them, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.values.iter().map(|(key, (_, value))| (key, value))
    }

    /// All of them, what lay untouched for longest first.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = (&K, &V)> {
        self.turns.values().filter_map(|key| self.values.get(key).map(|(_, value)| (key, value)))
    }

    /// Puts it there, touched just now.
    pub(super) fn put(&mut self, key: K, value: V) {
        self.remove(&key);
        while self.values.len() >= self.most {
            let Some((_, oldest)) = self.turns.pop_first() else { break };
            self.values.remove(&oldest);
        }
        self.turns.insert(self.next, key.clone());
        self.values.insert(key, (self.next, value));
        self.next += 1;
    }

    /// Takes it out.
    pub(super) fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (turn, value) = self.values.remove(key)?;
        self.turns.remove(&turn);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lay_longest_goes() {
        let mut recent = Recent::new(2);
        recent.put("a", 1);
        recent.put("b", 2);
        recent.put("a", 3);
        recent.put("c", 4);
        assert_eq!([recent.get("a"), recent.get("b"), recent.get("c")], [Some(&3), None, Some(&4)]);
        assert_eq!(recent.remove("a"), Some(3));
        recent.put("d", 5);
        assert_eq!([recent.get("c"), recent.get("d")], [Some(&4), Some(&5)]);
        recent.put("c", 6);
        assert_eq!(recent.in_turn().collect::<Vec<_>>(), [(&"d", &5), (&"c", &6)]);
        assert_eq!((recent.values.len(), recent.turns.len()), (2, 2));
        let mut roomy = Recent::new(8);
        for value in 0..3 {
            roomy.put("a", value);
        }
        assert_eq!((roomy.values.len(), roomy.turns.len()), (1, 1), "one key has one turn");
    }
}
