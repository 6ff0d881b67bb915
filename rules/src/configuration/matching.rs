//! Blocks that say what something is for: `from` in a term of a filter or a policy, `match` in a rule. One in which nothing
//! stands is for all there is.

use super::print::print_words;
use super::{Configuration, Statement, Word};

/// What such blocks are called.
const BLOCKS: [&str; 2] = ["from", "match"];

impl Configuration {
    /// The blocks in which no condition stands, by the words that lead there, in the order they are written.
    pub(crate) fn matching_all(&self) -> Vec<String> {
        let mut found = Vec::new();
        walk(&self.statements, &mut Vec::new(), &mut found);
        found
    }
}

/// Recursion is as deep as the statements are, which the parser bounds.
fn walk(statements: &[Statement], around: &mut Vec<Word>, found: &mut Vec<String>) {
    let depth = around.len();
    for statement in statements {
        let Statement::Container { words, statements } = statement else { continue };
        around.extend(words.iter().cloned());
        match words.as_slice() {
            [word] if BLOCKS.contains(&word.as_str()) && !has_leaf(statements) => {
                let mut path = String::new();
                // Writing to a string does not fail.
                let _ = print_words(&mut path, around);
                found.push(path);
            }
            _ => walk(statements, around, found),
        }
        around.truncate(depth);
    }
}

fn has_leaf(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| match statement {
        Statement::Leaf { .. } => true,
        Statement::Container { statements, .. } => has_leaf(statements),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_without_a_condition_matches_all() {
        let text = "policy-options { policy-statement p { term a { from { protocol bgp; } } term b { from { } } } }\n\
                    security { policies { policy q { match { source-address { } } } } }\n\
                    firewall { filter f { term t { then { from x; } } } } protocols { from-here { } }";
        assert_eq!(
            Configuration::parse(text).unwrap().matching_all(),
            ["policy-options policy-statement p term b from", "security policies policy q match"]
        );
    }
}
