//! The one way a configuration is written: four spaces a level, statements in their order, words quoted
//! only where they must be.

use std::fmt::{self, Write};

use super::{Configuration, Statement, Word};

/// How many bytes a text has room for at first: what most services render.
const ROOM: usize = 2 * 1_024;

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(f, &self.statements, "", 0)
    }
}

impl Configuration {
    /// The canonical text.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(ROOM);
        // Writing to a string does not fail.
        let _ = print(&mut text, &self.statements, "", 0);
        text
    }
}

/// Writes statements, each line with `margin` and four spaces a level in front. Recursion is as deep as
/// the statements are, which the parser bounds.
pub(super) fn print(out: &mut impl Write, statements: &[Statement], margin: &str, depth: usize) -> fmt::Result {
    for statement in statements {
        print_one(out, statement, margin, depth)?;
    }
    Ok(())
}

/// Writes one statement with all that is in it.
pub(super) fn print_one(out: &mut impl Write, statement: &Statement, margin: &str, depth: usize) -> fmt::Result {
    indent(out, margin, depth)?;
    match statement {
        Statement::Leaf { words, list } => {
            print_words(out, words)?;
            if let Some(list) = list {
                out.write_str(" [ ")?;
                print_words(out, list)?;
                out.write_str(" ]")?;
            }
            out.write_str(";\n")
        }
        Statement::Container { words, statements } => {
            print_words(out, words)?;
            out.write_str(" {\n")?;
            print(out, statements, margin, depth + 1)?;
            indent(out, margin, depth)?;
            out.write_str("}\n")
        }
    }
}

fn indent(out: &mut impl Write, margin: &str, depth: usize) -> fmt::Result {
    out.write_str(margin)?;
    (0..depth).try_for_each(|_| out.write_str("    "))
}

/// Writes words with a space between them.
pub(super) fn print_words(out: &mut impl Write, words: &[Word]) -> fmt::Result {
    for (i, word) in words.iter().enumerate() {
        if i > 0 {
            out.write_char(' ')?;
        }
        word.print(out)?;
    }
    Ok(())
}
