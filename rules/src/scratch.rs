//! Buffers that a lane keeps from message to message, so that looking up policies allocates nothing.

use crate::filter::WordSet;

/// The buffers of [`crate::Book::matching`]: one per lane, for any number of books.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Ids of policies worth judging, in order of discovery and then of id.
    pub(crate) candidates: Vec<u32>,
    /// One word, folded.
    pub(crate) word: String,
    pub(crate) policies: Marks,
    pub(crate) words: Marks,
    /// Ids of the vocabulary's words that occur, each once.
    pub(crate) occurring: Vec<u32>,
}

impl Scratch {
    /// Forgets the last message and makes room for a book of this size.
    pub(crate) fn begin(&mut self, policies: usize, words: usize) {
        self.candidates.clear();
        self.occurring.clear();
        self.policies.begin(policies);
        self.words.begin(words);
    }

    /// Takes these policies as candidates, each once.
    pub(crate) fn propose(&mut self, ids: &[u32]) {
        for id in ids {
            if self.policies.set(*id) {
                self.candidates.push(*id);
            }
        }
    }
}

/// A set of small numbers that is emptied by counting up instead of clearing.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    round: u32,
    /// The round in which each number was last put in; 0 for never.
    rounds: Vec<u32>,
}

impl Marks {
    fn begin(&mut self, size: usize) {
        if self.rounds.len() < size {
            self.rounds.resize(size, 0);
        }
        self.round = self.round.checked_add(1).unwrap_or_else(|| {
            self.rounds.fill(0);
            1
        });
    }

    /// Puts a number in; whether it is new. One beyond the size is never in.
    pub(crate) fn set(&mut self, number: u32) -> bool {
        match self.rounds.get_mut(number as usize) {
            Some(round) if *round != self.round => {
                *round = self.round;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn has(&self, number: u32) -> bool {
        self.rounds.get(number as usize) == Some(&self.round)
    }
}

/// The words of the message at hand, as far as the book's vocabulary knows them.
pub(crate) struct Occurring<'a> {
    pub(crate) vocabulary: &'a crate::book::Vocabulary,
    pub(crate) words: &'a Marks,
}

impl WordSet for Occurring<'_> {
    fn has(&self, word: &str) -> bool {
        self.vocabulary.get(word).is_some_and(|id| self.words.has(*id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_forgotten_with_each_round_even_when_the_counter_wraps() {
        let mut marks = Marks::default();
        for round in [0, u32::MAX - 1] {
            marks.round = round;
            for _ in 0..3 {
                marks.begin(2);
                assert!(!marks.has(1));
                assert!(marks.set(1) && !marks.set(1) && marks.has(1));
                assert!(!marks.set(2), "beyond the size");
            }
        }
    }
}
