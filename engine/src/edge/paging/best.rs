//! The best of a walk: whatever the order asked for, only a page of it is kept.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where an item stands in a list: what is sorted by, then whose it is, then its own key. No two items
/// of a list have the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::edge) struct Rank {
    pub(in crate::edge) value: Value,
    pub(in crate::edge) organization: String,
    pub(in crate::edge) key: Vec<u8>,
}

/// What is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::edge) enum Value {
    /// Nothing else than organization and key.
    Key,
    /// A text.
    Text(String),
    /// A moment.
    Time(#[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")] Timestamp),
}

/// What to do with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// It was on an earlier page.
    Seen,
    /// It belongs on this page so far.
    Yes,
    /// It belongs on a later page, and so does everything behind it.
    Beyond,
}

/// The items of a page, and of none of the later ones.
pub(super) struct Best<I> {
    limit: usize,
    text_most: usize,
    is_descending: bool,
    after: Option<Rank>,
    kept: BTreeMap<Rank, (I, usize)>,
    text: usize,
    /// The first of the next page, as far as is known.
    beyond: Option<Rank>,
}

impl<I> Best<I> {
    /// At most `limit` items behind `after`, and no more than the one with which they have `text_most`
    /// bytes.
    pub(super) fn new(limit: usize, text_most: usize, is_descending: bool, after: Option<Rank>) -> Self {
        Self { limit, text_most, is_descending, after, kept: BTreeMap::new(), text: 0, beyond: None }
    }

    /// Whether `first` comes before `second` in this list.
    fn precedes(&self, first: &Rank, second: &Rank) -> bool {
        if self.is_descending { first > second } else { first < second }
    }

    /// Whether an item of this rank is wanted.
    pub(super) fn wants(&self, rank: &Rank) -> Wanted {
        if self.after.as_ref().is_some_and(|after| !self.precedes(after, rank)) {
            Wanted::Seen
        } else if self.beyond.as_ref().is_some_and(|beyond| !self.precedes(rank, beyond)) {
            Wanted::Beyond
        } else {
            Wanted::Yes
        }
    }

    /// Takes an item that is wanted, of so many bytes; the last one goes when there are too many.
    pub(super) fn put(&mut self, rank: Rank, item: I, bytes: usize) {
        self.text += bytes;
        self.kept.insert(rank, (item, bytes));
        while self.kept.len() > self.limit || (self.kept.len() > 1 && self.text - self.last_bytes() >= self.text_most) {
            let last = if self.is_descending { self.kept.pop_first() } else { self.kept.pop_last() };
            let Some((rank, (_, bytes))) = last else { return };
            self.text -= bytes;
            self.beyond = Some(rank);
        }
    }

    fn last_bytes(&self) -> usize {
        let last = if self.is_descending { self.kept.first_key_value() } else { self.kept.last_key_value() };
        last.map_or(0, |(_, (_, bytes))| *bytes)
    }

    /// The items in order, and the rank of the last when there are more behind it.
    pub(super) fn page(self) -> (Vec<I>, Option<Rank>) {
        let last = if self.is_descending { self.kept.first_key_value() } else { self.kept.last_key_value() };
        let last = last.map(|(rank, _)| rank.clone()).filter(|_| self.beyond.is_some());
        let mut items: Vec<I> = self.kept.into_values().map(|(item, _)| item).collect();
        if self.is_descending {
            items.reverse();
        }
        (items, last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(number: u8) -> Rank {
        Rank { value: Value::Key, organization: "acme".to_owned(), key: vec![number] }
    }

    fn page(limit: usize, text_most: usize, is_descending: bool, after: Option<u8>) -> (Vec<u8>, Option<u8>) {
        let mut best = Best::new(limit, text_most, is_descending, after.map(rank));
        for number in [3, 9, 1, 7, 5] {
            if best.wants(&rank(number)) == Wanted::Yes {
                best.put(rank(number), number, 10);
            }
        }
        let (items, last) = best.page();
        (items, last.map(|rank| rank.key[0]))
    }

    #[test]
    fn the_best_behind_the_cursor_are_kept() {
        assert_eq!(page(2, 1000, false, None), (vec![1, 3], Some(3)));
        assert_eq!(page(2, 1000, false, Some(3)), (vec![5, 7], Some(7)));
        assert_eq!(page(2, 1000, false, Some(7)), (vec![9], None));
        assert_eq!(page(5, 1000, false, None), (vec![1, 3, 5, 7, 9], None));
        assert_eq!(page(2, 1000, true, None), (vec![9, 7], Some(7)));
        assert_eq!(page(2, 1000, true, Some(4)), (vec![3, 1], None));
        assert_eq!(page(9, 1000, true, Some(1)), (vec![], None));
    }

    #[test]
    fn a_page_ends_with_the_item_that_fills_it() {
        assert_eq!(page(9, 20, false, None), (vec![1, 3], Some(3)));
        assert_eq!(page(9, 21, false, None), (vec![1, 3, 5], Some(5)));
        assert_eq!(page(9, 1, true, None), (vec![9], Some(9)));
    }
}
