//! Leaves: what a configuration sets, one by one.

use std::fmt;

use super::known::{container_words, is_verdict, takes_several};
use super::print::print_words;
use super::{Configuration, Statement, Word};

/// One thing that a configuration sets, as the words of a `set` command. [`fmt::Display`] gives them all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leaf {
    words: Vec<Word>,
    /// How many of the words say which leaf it is; the others are its value.
    // INVARIANT (within): at most the number of words.
    identity: usize,
}

impl Leaf {
    /// Which leaf it is: the words of the containers around it, and its name.
    pub fn identity(&self) -> &[Word] {
        self.words.get(..self.identity).unwrap_or_default()
    }

    /// The words of [`Leaf::identity`] as text.
    pub fn name(&self) -> impl fmt::Display {
        fmt::from_fn(|f| print_words(f, self.identity()))
    }

    /// What it is set to; nothing where it is only there or not.
    pub fn value(&self) -> &[Word] {
        self.words.get(self.identity..).unwrap_or_default()
    }

    /// A leaf in the containers `around`, with all its own words.
    fn of(around: &[Word], own: &[Word]) -> Self {
        let path = Path::new(around, own);
        let named = usize::from(!path.is_verdict());
        let identity = (path.words.len() - path.own + named).min(path.words.len());
        Self { words: path.words, identity }
    }

    /// The leaf of one element of a list.
    fn of_element(around: &[Word], own: &[Word], element: &Word) -> Self {
        let words: Vec<Word> = around.iter().chain(own).chain([element]).cloned().collect();
        Self { identity: words.len(), words }
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print_words(f, &self.words)
    }
}

/// The words of a leaf with those around it, once containers on the same line count as around it.
struct Path {
    words: Vec<Word>,
    /// How many of the words, at the end, are the leaf's own.
    own: usize,
}

impl Path {
    fn new(around: &[Word], own: &[Word]) -> Self {
        let words: Vec<Word> = around.iter().chain(own).cloned().collect();
        let mut path = Self { words, own: own.len() };
        loop {
            let containers = path.first().map_or(0, container_words);
            if containers == 0 || containers >= path.own {
                break;
            }
            path.own -= containers;
        }
        // `route 192.0.2.0/24;` alone is a route that is there, like the value of one that takes several.
        let is_several = path.first().is_some_and(|name| takes_several(name) || container_words(name) > 0);
        if path.own > 1 && is_several {
            path.own -= 1;
        }
        path
    }

    fn around(&self) -> &[Word] {
        self.words.get(..self.words.len() - self.own).unwrap_or_default()
    }

    fn first(&self) -> Option<&str> {
        self.words.get(self.words.len() - self.own).map(Word::as_str)
    }

    fn is_verdict(&self) -> bool {
        self.first().is_some_and(|first| is_verdict(self.around().iter().map(Word::as_str), first))
    }
}

impl Configuration {
    /// All leaves, in the order they are written. A container that is empty has none.
    pub fn leaves(&self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        collect(&self.statements, &mut Vec::new(), &mut leaves);
        leaves
    }
}

/// Recursion is as deep as the statements are, which the parser bounds.
fn collect(statements: &[Statement], around: &mut Vec<Word>, leaves: &mut Vec<Leaf>) {
    for statement in statements {
        match statement {
            Statement::Leaf { words, list: None } => leaves.push(Leaf::of(around, words)),
            Statement::Leaf { words, list: Some(list) } if Path::new(around, words).is_verdict() => {
                let own: Vec<Word> = words.iter().chain(list).cloned().collect();
                leaves.push(Leaf::of(around, &own));
            }
            Statement::Leaf { words, list: Some(list) } => {
                leaves.extend(list.iter().map(|element| Leaf::of_element(around, words, element)));
            }
            Statement::Container { words, statements } => {
                let depth = around.len();
                around.extend(words.iter().cloned());
                collect(statements, around, leaves);
                around.truncate(depth);
            }
        }
    }
}
