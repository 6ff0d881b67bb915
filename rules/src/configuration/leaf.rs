//! Leaves: what a configuration sets, one by one.

use std::fmt;

use super::print::print_words;
use super::{Configuration, Statement, Word, by_name, by_place};
use crate::Strictness;

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
}

/// A leaf as it stands in its configuration.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'s, 'c> {
    words: &'s [&'c Word],
    // INVARIANT (within): at most the number of words.
    identity: usize,
}

impl<'s, 'c> Standing<'s, 'c> {
    /// The words of [`Leaf::identity`].
    pub fn identity(self) -> &'s [&'c Word] {
        self.words.get(..self.identity).unwrap_or_default()
    }

    /// The words of [`Leaf::value`].
    pub fn value(self) -> &'s [&'c Word] {
        self.words.get(self.identity..).unwrap_or_default()
    }

    /// A leaf of which the last `own` words are its own, the others those of the containers around it.
    fn of(words: &'s [&'c Word], own: usize, strictness: Strictness) -> Self {
        let path = Path::new(words, own, strictness);
        let named = usize::from(!path.is_verdict());
        Self { words, identity: (words.len() - path.own + named).min(words.len()) }
    }
}

impl From<Standing<'_, '_>> for Leaf {
    fn from(leaf: Standing<'_, '_>) -> Self {
        Self { words: leaf.words.iter().map(|word| (*word).clone()).collect(), identity: leaf.identity }
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print_words(f, &self.words)
    }
}

/// The words of a leaf with those around it, once containers on the same line count as around it.
struct Path<'s, 'c> {
    words: &'s [&'c Word],
    /// How many of the words, at the end, are the leaf's own.
    own: usize,
    strictness: Strictness,
}

impl<'s, 'c> Path<'s, 'c> {
    fn new(words: &'s [&'c Word], own: usize, strictness: Strictness) -> Self {
        let mut path = Self { words, own, strictness };
        loop {
            let containers = path.container_words();
            if containers == 0 || containers >= path.own {
                break;
            }
            path.own -= containers;
        }
        path.own -= path.keys().min(path.own.saturating_sub(1));
        path
    }

    fn around(&self) -> &'s [&'c Word] {
        self.words.get(..self.words.len() - self.own).unwrap_or_default()
    }

    fn own(&self) -> &'s [&'c Word] {
        self.words.get(self.words.len() - self.own..).unwrap_or_default()
    }

    fn first(&self) -> Option<&'c str> {
        self.own().first().map(|word| word.as_str())
    }

    fn container_words(&self) -> usize {
        self.first().map_or(0, |first| match self.strictness {
            Strictness::Early => by_name::container_words(first),
            Strictness::Full | Strictness::Utmost => by_place::container_words(self.around(), first),
        })
    }

    /// How many values say which leaf it is.
    fn keys(&self) -> usize {
        match self.strictness {
            // `route 192.0.2.0/24;` alone is a route that is there, like the value of one that takes several.
            Strictness::Early => self
                .first()
                .map_or(0, |name| usize::from(by_name::takes_several(name) || by_name::container_words(name) > 0)),
            Strictness::Full | Strictness::Utmost => by_place::keys(self.around(), self.own()),
        }
    }

    fn is_verdict(&self) -> bool {
        self.first().is_some_and(|first| match self.strictness {
            Strictness::Early => by_name::is_verdict(self.around().iter().map(|word| word.as_str()), first),
            Strictness::Full | Strictness::Utmost => by_place::is_verdict(self.around(), first),
        })
    }
}

impl Configuration {
    /// All leaves, in the order they are written. A container that is empty has none.
    pub fn leaves(&self, strictness: Strictness) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        self.each_leaf(strictness, |leaf| leaves.push(leaf.into()));
        leaves
    }

    /// Shows all leaves one by one, in the order they are written.
    pub fn each_leaf<'c>(&'c self, strictness: Strictness, mut see: impl FnMut(Standing<'_, 'c>)) {
        walk(&self.statements, &mut Vec::new(), strictness, &mut see);
    }
}

/// Recursion is as deep as the statements are, which the parser bounds.
fn walk<'c>(
    statements: &'c [Statement],
    around: &mut Vec<&'c Word>,
    strictness: Strictness,
    see: &mut impl FnMut(Standing<'_, 'c>),
) {
    let depth = around.len();
    for statement in statements {
        match statement {
            Statement::Leaf { words, list } => {
                around.extend(words);
                match list {
                    Some(list) if !Path::new(around, words.len(), strictness).is_verdict() => {
                        for element in list {
                            around.push(element);
                            see(Standing { words: around, identity: around.len() });
                            around.pop();
                        }
                    }
                    _ => {
                        let list = list.as_deref().unwrap_or_default();
                        around.extend(list);
                        see(Standing::of(around, words.len() + list.len(), strictness));
                    }
                }
            }
            Statement::Container { words, statements } => {
                around.extend(words);
                walk(statements, around, strictness, see);
            }
        }
        around.truncate(depth);
    }
}
