//! Statements as they come together: a container that is opened again goes on where it was, and a leaf
//! that is written again is there already.

use std::collections::BTreeMap;

use super::{Statement, Word};

/// What stands between two braces, with an index over it.
#[derive(Debug, Default)]
pub(super) struct Block {
    entries: Vec<Entry>,
    containers: BTreeMap<Vec<Word>, usize>,
    leaves: BTreeMap<(Vec<Word>, Option<Vec<Word>>), ()>,
}

#[derive(Debug)]
enum Entry {
    Leaf { words: Vec<Word>, list: Option<Vec<Word>> },
    Container { words: Vec<Word>, block: Block },
}

impl Block {
    /// Adds a leaf unless it is there.
    pub(super) fn add_leaf(&mut self, words: Vec<Word>, list: Option<Vec<Word>>) {
        if self.leaves.insert((words.clone(), list.clone()), ()).is_none() {
            self.entries.push(Entry::Leaf { words, list });
        }
    }

    /// Takes what is in the container so far, to be handed back by [`Block::close`].
    pub(super) fn open(&mut self, words: &[Word]) -> Block {
        let known = self.containers.get(words).and_then(|place| self.entries.get_mut(*place));
        match known {
            Some(Entry::Container { block, .. }) => std::mem::take(block),
            _ => Block::default(),
        }
    }

    /// Puts the container where it was opened, or behind all else.
    pub(super) fn close(&mut self, words: Vec<Word>, contents: Block) {
        let known = self.containers.get(&words).and_then(|place| self.entries.get_mut(*place));
        if let Some(Entry::Container { block, .. }) = known {
            *block = contents;
            return;
        }
        self.containers.insert(words.clone(), self.entries.len());
        self.entries.push(Entry::Container { words, block: contents });
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
