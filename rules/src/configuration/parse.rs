//! From text to statements. The stack of open containers is data, not recursion, and bounded.

use super::block::Block;
use super::fault::{Fault, Place};
use super::quote::{TAGS, is_tag};
use super::tokens::{Kind, Quotes, Token, Tokens};
use super::{Configuration, LARGEST_TEXT, MOST_DEPTH, MOST_STATEMENTS, Statement, Word};
use crate::diagnostic::{excerpt, quoted};

/// Words that begin a command, where what follows is no statement.
const COMMANDS: [&str; 10] =
    ["activate", "annotate", "copy", "deactivate", "delete", "edit", "insert", "rename", "set", "show"];

impl Configuration {
    /// Reads a configuration in the hierarchical form.
    ///
    /// Containers that are opened twice are one, leaves that are written twice are one, comments are
    /// dropped. Only plain statements are read: what a tag such as `replace:` does depends on what is on
    /// the device, and a service only creates.
    ///
    /// # Errors
    ///
    /// The first fault of the text: it is no configuration, or beyond the bounds of this module.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > LARGEST_TEXT {
            let message = format!("the configuration has more than {LARGEST_TEXT} bytes");
            return Err(Fault::new(Place::WHOLE, message, "render less, in several services"));
        }
        let mut parser = Parser { tokens: Tokens::of(text), above: Vec::new(), block: Block::default(), count: 0 };
        while let Some(token) = parser.tokens.next()? {
            parser.statement(token)?;
        }
        match parser.above.last() {
            None => Ok(Self { statements: parser.block.into_statements() }),
            Some(open) => {
                let message = format!("the container `{}` is not closed", line_of(&open.words));
                Err(Fault::new(open.place, message, "close it with `}`"))
            }
        }
    }
}

struct Parser<'a> {
    tokens: Tokens<'a>,
    /// The containers around the present one, outermost first.
    above: Vec<Open>,
    block: Block,
    count: usize,
}

/// A container whose end is not read yet.
struct Open {
    words: Vec<Word>,
    /// The statements around it.
    around: Block,
    place: Place,
}

impl Parser<'_> {
    /// Reads what begins with a token: a statement up to its `;` or `{`, or a `}`.
    fn statement(&mut self, first: Token) -> Result<(), Fault> {
        let place = first.place;
        let word = match first.kind {
            Kind::Word(word, Quotes::None) if is_tag(&word) => return Err(tagged(place, &word)),
            Kind::Word(word, _) => word,
            Kind::Close => return self.close(place),
            Kind::Open => return Err(nameless(place, "{")),
            Kind::ListOpen => return Err(nameless(place, "[")),
            Kind::ListClose => {
                return Err(Fault::new(place, "`]` closes no list", "remove it, or open the list with `[`"));
            }
            Kind::End => return Err(Fault::new(place, "`;` ends no statement", "remove it")),
        };
        self.count += 1;
        if self.count > MOST_STATEMENTS {
            let message = format!("the configuration has more than {MOST_STATEMENTS} statements");
            return Err(Fault::new(place, message, "render less, in several services"));
        }
        self.rest(vec![Word::read(word)], place)
    }

    /// Reads the words behind the first one, and what ends them.
    fn rest(&mut self, mut words: Vec<Word>, place: Place) -> Result<(), Fault> {
        loop {
            let Some(token) = self.tokens.next()? else { return Err(unended(place, &words)) };
            match token.kind {
                // A statement's words stand on one line: a word on the next one is a `;` that was forgotten.
                Kind::Word(..) if token.place.line != place.line => return Err(unended(place, &words)),
                Kind::Word(word, _) => words.push(Word::read(word)),
                Kind::End => {
                    self.block.add_leaf(words, None);
                    return Ok(());
                }
                Kind::Open => return self.open(words, place),
                Kind::ListOpen => {
                    let list = self.list(token.place)?;
                    self.block.add_leaf(words, Some(list));
                    return Ok(());
                }
                Kind::Close => return Err(unended(place, &words)),
                Kind::ListClose => {
                    let help = "remove it, or open the list with `[`";
                    return Err(Fault::new(token.place, "`]` closes no list", help));
                }
            }
        }
    }

    /// Reads a list up to the `;` behind it.
    fn list(&mut self, place: Place) -> Result<Vec<Word>, Fault> {
        let mut list = Vec::new();
        while let Some(token) = self.tokens.next()? {
            match token.kind {
                Kind::Word(word, _) => list.push(Word::read(word)),
                Kind::ListClose if list.is_empty() => {
                    return Err(Fault::new(place, "the list is empty", "leave the statement out"));
                }
                Kind::ListClose => match self.tokens.next()? {
                    Some(Token { kind: Kind::End, .. }) => return Ok(list),
                    _ => return Err(Fault::new(token.place, "no `;` behind the list", "end the statement with `;`")),
                },
                Kind::Open | Kind::Close | Kind::ListOpen | Kind::End => break,
            }
        }
        Err(Fault::new(place, "the list is not closed", "close it with `]`; a list holds words only"))
    }

    fn open(&mut self, words: Vec<Word>, place: Place) -> Result<(), Fault> {
        if self.above.len() == MOST_DEPTH {
            let message = format!("containers lie more than {MOST_DEPTH} deep");
            return Err(Fault::new(place, message, "no device knows such a hierarchy: is a `}` missing?"));
        }
        let inside = self.block.open(&words);
        let around = std::mem::replace(&mut self.block, inside);
        self.above.push(Open { words, around, place });
        Ok(())
    }

    fn close(&mut self, place: Place) -> Result<(), Fault> {
        let Some(open) = self.above.pop() else {
            return Err(Fault::new(place, "`}` closes no container", "remove it, or open the container with `{`"));
        };
        let inside = std::mem::replace(&mut self.block, open.around);
        self.block.close(open.words, inside);
        Ok(())
    }
}

fn unended(place: Place, words: &[Word]) -> Fault {
    if let Some(word) = words.first().map(Word::as_str).filter(|word| COMMANDS.contains(word)) {
        return command(place, word);
    }
    let message = format!("the statement `{}` is not ended", line_of(words));
    Fault::new(place, message, "end it with `;`, or open a container with `{`")
}

fn nameless(place: Place, sign: &str) -> Fault {
    Fault::new(place, format!("`{sign}` has no name in front of it"), format!("write `name {sign}`"))
}

fn tagged(place: Place, tag: &str) -> Fault {
    let help = format!(
        "write the statement without it: {} say what is done with what exists, a service only creates",
        quoted(TAGS.into_iter())
    );
    Fault::new(place, format!("the tag `{tag}` cannot stand here"), help)
}

fn command(place: Place, word: &str) -> Fault {
    let (message, help) = command_told(word);
    Fault::new(place, message, help)
}

/// What is said of a command that stands where a statement does, and what to do about it.
pub(crate) fn command_told(word: &str) -> (String, &'static str) {
    let message = format!("`{word} ...` is a command and no statement");
    (message, "write the hierarchical form: `firewall { filter x { ... } }`")
}

impl Configuration {
    /// The first statement at the top that is a command with a `;` behind it, as `set interfaces ge-0/0/0 disable;`.
    pub(crate) fn command(&self) -> Option<&'static str> {
        self.statements.iter().find_map(|statement| match statement {
            Statement::Leaf { words, .. } if words.len() > 1 => {
                let first = words.first().map(Word::as_str)?;
                COMMANDS.into_iter().find(|command| *command == first)
            }
            _ => None,
        })
    }
}

/// The beginning of a statement as it is shown in messages.
fn line_of(words: &[Word]) -> String {
    let words: Vec<String> = words.iter().take(8).map(Word::to_string).collect();
    excerpt(&words.join(" "))
}
