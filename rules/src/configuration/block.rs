//! Statements as they come together: a container that is opened again goes on where it was, and a leaf
//! that is written again is there already.

use std::collections::HashMap;

use super::{Statement, Word};

/// How many entries a block has before it gets an index.
const UNINDEXED_MOST: usize = 12;

/// What stands between two braces, with an index over it where there is much.
#[derive(Debug, Default)]
pub(super) struct Block {
    entries: Vec<Entry>,
    /// Where each entry stands; empty while there are few.
    index: HashMap<Key, usize>,
}

#[derive(Debug)]
enum Entry {
    Leaf { words: Vec<Word>, list: Option<Vec<Word>> },
    Container { words: Vec<Word>, block: Block },
}

/// By what an entry is known among its neighbours.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Key {
    Leaf(Vec<Word>, Option<Vec<Word>>),
    Container(Vec<Word>),
}

impl Entry {
    fn key(&self) -> Key {
        match self {
            Self::Leaf { words, list } => Key::Leaf(words.clone(), list.clone()),
            Self::Container { words, .. } => Key::Container(words.clone()),
        }
    }

    fn is_leaf(&self, of: &[Word], with: Option<&[Word]>) -> bool {
        matches!(self, Self::Leaf { words, list } if words == of && list.as_deref() == with)
    }

    fn is_container(&self, of: &[Word]) -> bool {
        matches!(self, Self::Container { words, .. } if words == of)
    }
}

impl Block {
    /// Adds a leaf unless it is there.
    pub(super) fn add_leaf(&mut self, words: Vec<Word>, list: Option<Vec<Word>>) {
        let is_there = match self.index.is_empty() {
            true => self.entries.iter().any(|entry| entry.is_leaf(&words, list.as_deref())),
            false => self.index.contains_key(&Key::Leaf(words.clone(), list.clone())),
        };
        if !is_there {
            self.add(Entry::Leaf { words, list });
        }
    }

    fn add(&mut self, entry: Entry) {
        if !self.index.is_empty() {
            self.index.insert(entry.key(), self.entries.len());
        }
        self.entries.push(entry);
        if self.index.is_empty() && self.entries.len() > UNINDEXED_MOST {
            self.index = self.entries.iter().enumerate().map(|(place, entry)| (entry.key(), place)).collect();
        }
    }

    fn container(&mut self, words: &[Word]) -> Option<&mut Block> {
        let place = match self.index.is_empty() {
            true => self.entries.iter().position(|entry| entry.is_container(words)),
            false => self.index.get(&Key::Container(words.to_vec())).copied(),
        };
        match self.entries.get_mut(place?) {
            Some(Entry::Container { block, .. }) => Some(block),
            _ => None,
        }
    }

    /// Takes what is in the container so far, to be handed back by [`Block::close`].
    pub(super) fn open(&mut self, words: &[Word]) -> Block {
        self.container(words).map(std::mem::take).unwrap_or_default()
    }

    /// Puts the container where it was opened, or behind all else.
    pub(super) fn close(&mut self, words: Vec<Word>, contents: Block) {
        match self.container(&words) {
            Some(block) => *block = contents,
            None => self.add(Entry::Container { words, block: contents }),
        }
    }

    /// Adds all of `statements`. Recursion is as deep as they are, which the parser bounds.
    pub(super) fn extend(&mut self, statements: Vec<Statement>) {
        for statement in statements {
            match statement {
                Statement::Leaf { words, list } => self.add_leaf(words, list),
                Statement::Container { words, statements } => {
                    let mut block = self.open(&words);
                    block.extend(statements);
                    self.close(words, block);
                }
            }
        }
    }

    /// The statements, in the order they came.
    pub(super) fn into_statements(self) -> Vec<Statement> {
        let statement = |entry| match entry {
            Entry::Leaf { words, list } => Statement::Leaf { words, list },
            Entry::Container { words, block } => Statement::Container { words, statements: block.into_statements() },
        };
        self.entries.into_iter().map(statement).collect()
    }
}
