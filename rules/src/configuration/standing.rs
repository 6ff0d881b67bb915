//! What of the values that are put into a configuration stands in which of its leaves.

use std::collections::{BTreeMap, BTreeSet};

use super::{Configuration, Filling, Leaf, Misplaced, Statement, Word, fill::marks};
use crate::Strictness;

impl Configuration {
    /// The leaves once `fillings` stand in place of the marks, and the numbers of the marks that stand in each: in its own
    /// words, or in those of the containers around it. Of what is written twice, those of both.
    ///
    /// It reads each leaf by itself, and is slower than [`Configuration::fill`].
    ///
    /// # Errors
    ///
    /// As [`Configuration::fill`], whatever a device would take the words for.
    pub(crate) fn standing(&self, fillings: &[Filling]) -> Result<BTreeMap<Leaf, BTreeSet<usize>>, Misplaced> {
        let mut standing = Standing { fillings, found: BTreeMap::new() };
        standing.collect(&self.statements, &mut Vec::new())?;
        Ok(standing.found)
    }
}

struct Standing<'a> {
    fillings: &'a [Filling],
    found: BTreeMap<Leaf, BTreeSet<usize>>,
}

impl Standing<'_> {
    /// Recursion is as deep as the statements are, which the parser bounds.
    fn collect(&mut self, statements: &[Statement], around: &mut Vec<Vec<Word>>) -> Result<(), Misplaced> {
        for statement in statements {
            match statement {
                Statement::Leaf { words, list: None } => self.leaf(around, words, None)?,
                Statement::Leaf { words, list: Some(list) } => {
                    for element in list {
                        self.leaf(around, words, Some(element))?;
                    }
                }
                Statement::Container { words, statements } => {
                    around.push(words.clone());
                    self.collect(statements, around)?;
                    around.pop();
                }
            }
        }
        Ok(())
    }

    /// One leaf, or one element of it: with a list in place of its mark it becomes several.
    fn leaf(&mut self, around: &[Vec<Word>], words: &[Word], element: Option<&Word>) -> Result<(), Misplaced> {
        let all = around.iter().flatten().chain(words).chain(element);
        let numbers: BTreeSet<usize> = all.flat_map(|word| marks(word.as_str())).collect();
        let leaf = Statement::Leaf { words: words.to_vec(), list: element.map(|element| vec![element.clone()]) };
        let contain =
            |inside, words: &Vec<Word>| Statement::Container { words: words.clone(), statements: vec![inside] };
        let alone = Configuration { statements: vec![around.iter().rev().fold(leaf, contain)] };
        for leaf in alone.fill(self.fillings, Strictness::Early)?.leaves(Strictness::Utmost) {
            self.found.entry(leaf).or_default().extend(&numbers);
        }
        Ok(())
    }
}
