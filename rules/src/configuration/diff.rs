//! What changes between two configurations, by hierarchy, as operators know it from `show | compare`.
//!
//! ```text
//! [edit firewall policer linesman]
//! -  bandwidth-limit 10m;
//! +  bandwidth-limit 20m;
//! ```
//!
//! `!` marks a statement that stands elsewhere among its neighbours than before: the order of terms
//! decides what a filter does. The reverse is the diff of the two the other way round.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use super::print::{print_one, print_words};
use super::{Configuration, Statement, Word};

/// The difference as text; empty exactly when the two are equal.
pub fn diff(old: &Configuration, new: &Configuration) -> String {
    let mut text = String::new();
    // A `String` takes whatever is written to it.
    let _ = compare(&mut text, &old.statements, &new.statements, &mut Vec::new());
    text
}

/// Compares one block and what lies in it. Recursion is as deep as the statements are, which the parser
/// bounds.
fn compare<'a>(
    text: &mut String,
    old: &'a [Statement],
    new: &'a [Statement],
    around: &mut Vec<&'a [Word]>,
) -> fmt::Result {
    let (was, is) = (places(old), places(new));
    let mut lines = Lines { text: String::new(), pending: pending(new, &was) };
    for statement in old.iter().filter(|statement| !is.contains_key(&Key::of(statement))) {
        lines.removed(statement, new)?;
    }
    for (place, statement) in new.iter().enumerate().filter(|(_, statement)| !was.contains_key(&Key::of(statement))) {
        lines.added(place, statement)?;
    }
    for statement in moved(new, &was) {
        lines.moved(statement)?;
    }
    if !lines.text.is_empty() {
        heading(text, around)?;
        text.push_str(&lines.text);
    }
    for statement in new {
        let Statement::Container { words, statements } = statement else { continue };
        let before = was.get(&Key::of(statement)).and_then(|place| old.get(*place));
        if let Some(Statement::Container { statements: before, .. }) = before {
            around.push(words);
            compare(text, before, statements, around)?;
            around.pop();
        }
    }
    Ok(())
}

/// What makes two statements of one block the same: of a leaf everything, of a container its words.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Leaf(&'a [Word], Option<&'a [Word]>),
    Container(&'a [Word]),
}

impl<'a> Key<'a> {
    fn of(statement: &'a Statement) -> Self {
        match statement {
            Statement::Leaf { words, list } => Self::Leaf(words, list.as_deref()),
            Statement::Container { words, .. } => Self::Container(words),
        }
    }
}

fn places(statements: &[Statement]) -> BTreeMap<Key<'_>, usize> {
    statements.iter().enumerate().map(|(place, statement)| (Key::of(statement), place)).collect()
}

/// The leaves that are new and have a value, by their name.
fn pending<'a>(new: &'a [Statement], was: &BTreeMap<Key<'_>, usize>) -> BTreeMap<&'a Word, VecDeque<usize>> {
    let mut pending: BTreeMap<&Word, VecDeque<usize>> = BTreeMap::new();
    for (place, statement) in new.iter().enumerate() {
        if let Some(name) = name(statement).filter(|_| !was.contains_key(&Key::of(statement))) {
            pending.entry(name).or_default().push_back(place);
        }
    }
    pending
}

/// The first word of a leaf that has a value.
fn name(statement: &Statement) -> Option<&Word> {
    match statement {
        Statement::Leaf { words, list } if words.len() > 1 || list.is_some() => words.first(),
        _ => None,
    }
}

/// The statements that stand elsewhere among those that stay: as few as possible.
fn moved<'a>(new: &'a [Statement], was: &BTreeMap<Key<'_>, usize>) -> Vec<&'a Statement> {
    let kept = new.iter().filter_map(|statement| Some((*was.get(&Key::of(statement))?, statement)));
    let (places, kept): (Vec<usize>, Vec<&Statement>) = kept.unzip();
    let mut in_order = increasing(&places).into_iter().peekable();
    let stays = |place: &usize| in_order.next_if_eq(place).is_some();
    let stays: Vec<bool> = places.iter().map(stays).collect();
    kept.into_iter().zip(stays).filter(|(_, stays)| !stays).map(|(statement, _)| statement).collect()
}

/// The longest subsequence of distinct numbers that increases.
fn increasing(numbers: &[usize]) -> Vec<usize> {
    // For each length the least number that ends such a subsequence, and for each number the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: BTreeMap<usize, usize> = BTreeMap::new();
    for number in numbers {
        let length = ends.partition_point(|end| end < number);
        if let Some(last) = length.checked_sub(1).and_then(|i| ends.get(i)) {
            before.insert(*number, *last);
        }
        match ends.get_mut(length) {
            Some(end) => *end = *number,
            None => ends.push(*number),
        }
    }
    let mut found: Vec<usize> =
        std::iter::successors(ends.last().copied(), |number| before.get(number).copied()).collect();
    found.reverse();
    found
}

/// The lines of one block, and the new leaves that are not among them yet.
struct Lines<'a> {
    text: String,
    pending: BTreeMap<&'a Word, VecDeque<usize>>,
}

impl Lines<'_> {
    /// A statement that goes, and directly below it the one of its name that comes instead.
    fn removed(&mut self, statement: &Statement, new: &[Statement]) -> fmt::Result {
        print_one(&mut self.text, statement, "-  ", 0)?;
        let successor = name(statement).and_then(|name| self.pending.get_mut(name)?.pop_front());
        match successor.and_then(|place| new.get(place)) {
            Some(successor) => print_one(&mut self.text, successor, "+  ", 0),
            None => Ok(()),
        }
    }

    /// A statement that comes, unless it stands below the one it replaces.
    fn added(&mut self, place: usize, statement: &Statement) -> fmt::Result {
        // Of a name, those that replace one are the first: the others begin at the front of what is pending.
        let pending = name(statement).and_then(|name| self.pending.get(name));
        match pending.map(VecDeque::front) {
            None => print_one(&mut self.text, statement, "+  ", 0),
            Some(Some(first)) if *first <= place => print_one(&mut self.text, statement, "+  ", 0),
            Some(_) => Ok(()),
        }
    }

    fn moved(&mut self, statement: &Statement) -> fmt::Result {
        self.text.push_str("!  ");
        match statement {
            Statement::Leaf { .. } => print_one(&mut self.text, statement, "", 0),
            Statement::Container { words, .. } => {
                print_words(&mut self.text, words)?;
                self.text.push_str(" { ... }\n");
                Ok(())
            }
        }
    }
}

fn heading(text: &mut String, around: &[&[Word]]) -> fmt::Result {
    text.push_str("[edit");
    for words in around {
        text.push(' ');
        print_words(text, words)?;
    }
    text.push_str("]\n");
    Ok(())
}
