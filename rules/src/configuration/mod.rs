//! The configuration of a device as text: the hierarchical form of Junos, which services render.
//!
//! ```text
//! text --parse--> Configuration --print--> canonical text
//!                      |
//!                      |-- leaves, conflicts    what is set, and what two set differently
//!                      |-- standing             which values stand in which leaf
//!                      |-- special              words that a device takes for more than their letters
//!                      |-- matching             which blocks match all there is
//!                      |-- diff                 what an operator is shown before a change
//!                      |-- lines                what a device has, held against what it was told
//!                      `-- Group                what is sent to a device, and what removes exactly that
//! ```
//!
//! There is no schema of any device here. Whether a statement exists on a device, and what may stand
//! behind it, the device says; this module knows the form, and of the words only what it needs to tell
//! one leaf from another (`by_place.rs`; `by_name.rs` as earlier levels of the engine did):
//!
//! - A leaf is what a `set` command would set: the words of the containers around it, and its own. The
//!   words of a container count as written, so that `term a { }` and `term b { }` are two.
//! - A leaf's first word is its name, and the rest its value: `bandwidth-limit 10m;` and
//!   `bandwidth-limit 20m;` in one container set the same leaf differently.
//! - A leaf of one word is there or not: `192.0.2.0/24;` and `198.51.100.0/24;` add up.
//! - A list `port [ 80 443 ];` is one leaf for each element, and adds up with whatever else is listed there.
//! - Statements that are known to take several values where they stand add up as well: `port` in the `from` of a
//!   firewall filter's term and not below `ssh`, `dscp` there and not in its `then`. Those known to be written on one
//!   line with what they contain (`then accept;`, `route 192.0.2.0/24 discard;`) count as if they were written with
//!   braces.
//! - Of verdicts there is one: `accept`, `discard`, `reject` and `next` within the `then` of a filter, and what
//!   becomes of a `route`, set the same leaf.
//! - Any other statement is taken for one that has one value. This errs on the side of a conflict that is
//!   none, which is refused aloud, and never silently lets the last one win.

mod block;
mod by_name;
mod by_place;
mod cipher;
mod conflict;
mod diff;
mod fault;
mod fill;
mod group;
mod leaf;
mod lines;
mod matching;
mod order;
mod parse;
mod print;
mod quote;
mod special;
mod standing;
mod tokens;

pub use conflict::{Conflict, conflicts};
pub use diff::diff;
pub use fault::Fault;
pub(crate) use fill::{Filling, Misplaced, holds_mark, mark, marks};
pub(crate) use group::GROUPS;
pub use group::{Change, Group, Ungroupable};
pub use leaf::{Leaf, Standing};
pub use lines::{Drift, Line, Lines, Moved};
pub(crate) use parse::command_told;
pub use quote::{LONGEST_WORD, Position, Unquotable, Word, quote};
pub use special::Special;

/// The largest text of a configuration, in bytes.
pub const LARGEST_TEXT: usize = 1 << 20;

/// The most statements of one configuration, containers included.
pub const MOST_STATEMENTS: usize = 100_000;

/// How deep containers lie within each other at the most.
pub const MOST_DEPTH: usize = 64;

/// A configuration: statements in the order they were written, no container and no leaf twice.
///
/// Two are equal when they print alike. [`fmt::Display`](std::fmt::Display) is the canonical text, and
/// reads back as the same configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    // INVARIANT (merged): no two containers of one block have the same words, and no two leaves are equal.
    statements: Vec<Statement>,
}

/// One statement. There is at least one word.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Statement {
    /// `word word;`, or with a list `word word [ word word ];`
    Leaf { words: Vec<Word>, list: Option<Vec<Word>> },
    /// `word word { ... }`
    Container { words: Vec<Word>, statements: Vec<Statement> },
}

impl Configuration {
    /// Whether there is no statement.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// Adds what another configuration holds, behind what is there. What both set differently stands
    /// twice then: [`Configuration::contradictions`] finds it.
    pub fn merge(&mut self, other: Self) {
        if self.statements.is_empty() {
            *self = other;
            return;
        }
        let mut block = block::Block::default();
        block.extend(std::mem::take(&mut self.statements));
        block.extend(other.statements);
        self.statements = block.into_statements();
    }
}

#[cfg(test)]
mod tests;
