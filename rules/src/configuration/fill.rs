//! Values put into a configuration that is read already.
//!
//! A template is rendered with a mark where a value is to stand, the marks are read as parts of words,
//! and only then the values take their places. What a value holds is never read as configuration, so it
//! cannot leave its word.
//!
//! A mark is `U+E000`, a number, `U+E001`: private characters, that neither a template nor a value has.

use super::block::Block;
use super::special::special;
use super::{Configuration, LARGEST_TEXT, Statement, Unquotable, Word};
use crate::Strictness;

/// The character that a mark begins with.
const BEGIN: char = '\u{E000}';
/// The character that a mark ends with.
const END: char = '\u{E001}';

/// The byte that both characters begin with.
const FIRST_BYTE: u8 = 0xEE;

/// Whether a text holds a character of which marks are made.
pub(crate) fn holds_mark(text: &str) -> bool {
    text.as_bytes().contains(&FIRST_BYTE) && text.contains([BEGIN, END])
}

/// The mark of a number.
pub(crate) fn mark(number: usize) -> String {
    format!("{BEGIN}{number}{END}")
}

/// The numbers of the marks in a text, in their order.
pub(crate) fn marks(text: &str) -> impl Iterator<Item = usize> {
    text.split(BEGIN).skip(1).filter_map(|rest| rest.split_once(END)?.0.parse().ok())
}

/// What stands for a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filling {
    /// Words side by side; mostly one.
    Words(Vec<String>),
    /// The elements of a list.
    List(Vec<String>),
}

impl Filling {
    /// Whether it is several words side by side.
    pub(crate) fn has_several(&self) -> bool {
        matches!(self, Self::Words(words) if words.len() != 1)
    }
}

/// Why a value cannot stand where its mark does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Misplaced {
    /// Of several values, where one word is wanted.
    Several(usize),
    /// A list, outside of `[ ]`.
    List(usize),
    /// A value that is no word.
    Value(usize, Unquotable),
    /// Text and values that are together no word.
    Word(Unquotable),
    /// More than a configuration holds, once the values stand in it.
    Large,
}

impl Configuration {
    /// Puts what `fillings` says for each number in place of the marks.
    ///
    /// # Errors
    ///
    /// A value stands where it cannot, or with [`Strictness::Utmost`] becomes a word that a device takes for more than its
    /// letters. A mark without a filling stays.
    pub(crate) fn fill(&self, fillings: &[Filling], strictness: Strictness) -> Result<Self, Misplaced> {
        let is_strict = strictness >= Strictness::Utmost;
        let mut fill = Fill { fillings, room: LARGEST_TEXT, is_strict };
        Ok(Self { statements: fill.block(&self.statements)? })
    }

    /// The numbers of all marks.
    pub(crate) fn marks(&self) -> Vec<usize> {
        let mut found = Vec::new();
        collect(&self.statements, &mut found);
        found
    }
}

/// Recursion is as deep as the statements are, which the parser bounds.
fn collect(statements: &[Statement], found: &mut Vec<usize>) {
    let mut add = |words: &[Word]| words.iter().for_each(|word| found.extend(marks(word.as_str())));
    for statement in statements {
        match statement {
            Statement::Leaf { words, list } => {
                add(words);
                add(list.as_deref().unwrap_or_default());
            }
            Statement::Container { words, .. } => add(words),
        }
    }
    for statement in statements {
        if let Statement::Container { statements, .. } = statement {
            collect(statements, found);
        }
    }
}

struct Fill<'a> {
    fillings: &'a [Filling],
    /// How many bytes the words may still have.
    room: usize,
    /// Whether it is looked at what a device takes a word for.
    is_strict: bool,
}

/// How often statements of a block are held against each other before the block is put together anew.
const COMPARED_MOST: usize = 256;

impl Statement {
    /// Whether a mark stands in its own words.
    fn has_mark(&self) -> bool {
        let holds = |words: &[Word]| words.iter().any(|word| holds_mark(word.as_str()));
        match self {
            Self::Leaf { words, list } => holds(words) || list.as_deref().is_some_and(holds),
            Self::Container { words, .. } => holds(words),
        }
    }

    /// Whether the two are one where they stand side by side.
    fn is_alike(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Leaf { .. }, Self::Leaf { .. }) => self == other,
            (Self::Container { words, .. }, Self::Container { words: others, .. }) => words == others,
            _ => false,
        }
    }
}

/// Where words stand.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Statement,
    List,
}

impl Fill<'_> {
    /// Recursion is as deep as the statements are, which the parser bounds.
    fn block(&mut self, statements: &[Statement]) -> Result<Vec<Statement>, Misplaced> {
        let mut filled = Vec::with_capacity(statements.len());
        let mut changed = Vec::new();
        for (place, statement) in statements.iter().enumerate() {
            if statement.has_mark() {
                changed.push(place);
            }
            filled.push(match statement {
                Statement::Leaf { words, list } => Statement::Leaf {
                    words: self.words(words, Within::Statement)?,
                    list: list.as_ref().map(|list| self.list(list)).transpose()?,
                },
                Statement::Container { words, statements } => Statement::Container {
                    words: self.words(words, Within::Statement)?,
                    statements: self.block(statements)?,
                },
            });
        }
        // Statements without marks are as different from each other as they were.
        let is_cheap = changed.len().saturating_mul(filled.len()) <= COMPARED_MOST;
        let is_alike = |place: &usize| {
            let statement = filled.get(*place);
            filled
                .iter()
                .enumerate()
                .any(|(other, with)| other != *place && statement.is_some_and(|it| it.is_alike(with)))
        };
        if is_cheap && !changed.iter().any(is_alike) {
            return Ok(filled);
        }
        let mut block = Block::default();
        block.extend(filled);
        Ok(block.into_statements())
    }

    /// The elements of a list; one that is empty reads back as none.
    fn list(&mut self, list: &[Word]) -> Result<Vec<Word>, Misplaced> {
        let filled = self.words(list, Within::List)?;
        match list.iter().find_map(|word| alone(word.as_str())) {
            Some(number) if filled.is_empty() && self.is_strict => Err(Misplaced::Value(number, Unquotable::Empty)),
            _ => Ok(filled),
        }
    }

    fn words(&mut self, words: &[Word], within: Within) -> Result<Vec<Word>, Misplaced> {
        let mut filled = Vec::with_capacity(words.len());
        for word in words {
            match (alone(word.as_str()), within) {
                _ if !holds_mark(word.as_str()) => filled.push(word.clone()),
                (Some(number), _) => self.several(number, word, within, &mut filled)?,
                (None, _) => filled.push(self.joined(word.as_str(), begins(&filled, within))?),
            }
        }
        let size: usize = filled.iter().map(|word| word.as_str().len() + 1).sum();
        self.room = self.room.checked_sub(size).ok_or(Misplaced::Large)?;
        Ok(filled)
    }

    /// Fills a word that is one mark and nothing else.
    fn several(&self, number: usize, word: &Word, within: Within, filled: &mut Vec<Word>) -> Result<(), Misplaced> {
        let values = match (self.fillings.get(number), within) {
            (Some(Filling::Words(values)), Within::Statement) => values,
            (Some(Filling::Words(values)), Within::List) if values.len() == 1 => values,
            (Some(Filling::Words(_)), Within::List) => return Err(Misplaced::Several(number)),
            (Some(Filling::List(values)), Within::List) => values,
            (Some(Filling::List(_)), Within::Statement) => return Err(Misplaced::List(number)),
            (None, _) => {
                filled.push(word.clone());
                return Ok(());
            }
        };
        for value in values {
            let word = Word::of_value(value).map_err(|error| Misplaced::Value(number, error))?;
            self.look_at(&word, begins(filled, within), std::iter::once((number, value.as_str())))?;
            filled.push(word);
        }
        Ok(())
    }

    /// Refuses a word with these values in it that a device would take for more than its letters.
    fn look_at<'v>(
        &self,
        word: &Word,
        begins: bool,
        values: impl Iterator<Item = (usize, &'v str)>,
    ) -> Result<(), Misplaced> {
        if !self.is_strict {
            return Ok(());
        }
        match special(word.as_str(), begins, values) {
            Some((number, special)) => Err(Misplaced::Value(number, Unquotable::Special(special))),
            None => Ok(()),
        }
    }

    /// Fills the marks of a word that is more than a mark.
    fn joined(&self, word: &str, begins: bool) -> Result<Word, Misplaced> {
        let mut pieces = word.split(BEGIN);
        let mut text = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let Some((number, rest)) = piece.split_once(END) else { continue };
            let Ok(number) = number.parse() else { continue };
            match self.fillings.get(number) {
                Some(Filling::Words(values)) => match values.as_slice() {
                    [value] => {
                        let word = Word::of_value(value).map_err(|error| Misplaced::Value(number, error))?;
                        text.push_str(word.as_str());
                    }
                    _ => return Err(Misplaced::Several(number)),
                },
                Some(Filling::List(_)) => return Err(Misplaced::List(number)),
                None => {}
            }
            text.push_str(rest);
        }
        let filled = Word::joined(text).map_err(Misplaced::Word)?;
        let values = marks(word).filter_map(|number| match self.fillings.get(number)? {
            Filling::Words(values) => Some((number, values.first()?.as_str())),
            Filling::List(_) => None,
        });
        self.look_at(&filled, begins, values)?;
        Ok(filled)
    }
}

/// Whether the next word is the first of a statement.
fn begins(filled: &[Word], within: Within) -> bool {
    within == Within::Statement && filled.is_empty()
}

/// The number of the mark that is the whole word.
fn alone(word: &str) -> Option<usize> {
    let number = word.strip_prefix(BEGIN)?.strip_suffix(END)?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Filling {
        Filling::Words(words.iter().map(|word| (*word).to_owned()).collect())
    }

    fn list(words: &[&str]) -> Filling {
        Filling::List(words.iter().map(|word| (*word).to_owned()).collect())
    }

    fn fill(text: &str, fillings: &[Filling]) -> Result<String, Misplaced> {
        let text = text.replace("<0>", &mark(0)).replace("<1>", &mark(1));
        Ok(Configuration::parse(&text).unwrap().fill(fillings, Strictness::Utmost)?.to_string())
    }

    #[test]
    fn a_value_takes_the_place_of_its_mark_and_no_other() {
        let hostile = "x; } delete: \"y\" */ { #";
        let quoted = "\"x; } delete: \\\"y\\\" */ { #\"";
        let values = [words(&[hostile]), list(&["80", "a b"])];
        assert_eq!(fill("a <0> [ <1> 443 ];", &values), Ok(format!("a {quoted} [ 80 \"a b\" 443 ];\n")));
        assert_eq!(fill("a-<0> { \"b <0>\"; }", &[words(&["c d"])]), Ok("\"a-c d\" {\n    \"b c d\";\n}\n".to_owned()));
        assert_eq!(fill("<0>;", &[words(&["192.0.2.0/24", "except"])]), Ok("192.0.2.0/24 except;\n".to_owned()));
    }

    #[test]
    fn statements_that_become_alike_are_one() {
        assert_eq!(fill("<0> { b; } a { c; b; }", &[words(&["a"])]), Ok("a {\n    b;\n    c;\n}\n".to_owned()));
    }

    #[test]
    fn a_value_that_cannot_stand_where_its_mark_does_is_refused() {
        let two = words(&["a", "except"]);
        assert_eq!(fill("x [ <0> ];", std::slice::from_ref(&two)), Err(Misplaced::Several(0)));
        assert_eq!(fill("x-<0>;", &[two]), Err(Misplaced::Several(0)));
        assert_eq!(fill("x <0>;", &[list(&["a"])]), Err(Misplaced::List(0)));
        assert_eq!(fill("x a<0>;", &[list(&["a"])]), Err(Misplaced::List(0)));
        let line_break = Misplaced::Value(1, Unquotable::Character('\n'));
        assert_eq!(fill("x <0> <1>;", &[words(&["a"]), words(&["a\nb"])]), Err(line_break));
        assert_eq!(fill("x <0><0>;", &[words(&[&"a".repeat(600)])]), Err(Misplaced::Word(Unquotable::Long)));
        let large = list(&["a".repeat(1_000).as_str(); 1_100]);
        assert_eq!(fill("x [ <0> ];", &[large]), Err(Misplaced::Large));
    }
}
