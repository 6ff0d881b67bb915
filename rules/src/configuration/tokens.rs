//! The text of a configuration as tokens with their places. Comments end here.
//!
//! White space is space, tab and line break. A comment begins only where a token may begin: the `/*` in
//! `<ge-0/0/*>` is part of the word.

use std::iter::Peekable;
use std::str::Chars;

use super::fault::{Fault, Place};
use super::quote::{LONGEST_WORD, is_unprintable};

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word, without its quotes and escapes, and whether it was quoted.
    Word(String, Quotes),
    /// `{`
    Open,
    /// `}`
    Close,
    /// `[`
    ListOpen,
    /// `]`
    ListClose,
    /// `;`
    End,
}

/// How a word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    None,
    Double,
}

/// Reads one token after the other.
pub(super) struct Tokens<'a> {
    rest: Peekable<Chars<'a>>,
    line: u32,
    column: u32,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { rest: text.chars().peekable(), line: 1, column: 1 }
    }

    /// The place of what comes next, one character wide.
    pub(super) fn here(&self) -> Place {
        Place { line: self.line, column: self.column, end_column: self.column.saturating_add(1) }
    }

    fn advance(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if c == '\n' {
            self.line = self.line.saturating_add(1);
            self.column = 1;
        } else {
            self.column = self.column.saturating_add(1);
        }
        Some(c)
    }

    /// The next token, nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Token>, Fault> {
        loop {
            let place = self.here();
            let Some(&c) = self.rest.peek() else { return Ok(None) };
            let kind = match c {
                ' ' | '\t' | '\r' | '\n' => {
                    self.advance();
                    continue;
                }
                '#' => {
                    self.skip_line();
                    continue;
                }
                '/' if self.is_comment() => {
                    self.skip_comment(place)?;
                    continue;
                }
                '{' => Kind::Open,
                '}' => Kind::Close,
                '[' => Kind::ListOpen,
                ']' => Kind::ListClose,
                ';' => Kind::End,
                '"' => return self.quoted(place).map(Some),
                _ => return self.bare(place).map(Some),
            };
            self.advance();
            return Ok(Some(Token { kind, place }));
        }
    }

    fn is_comment(&self) -> bool {
        let mut ahead = self.rest.clone();
        ahead.next();
        ahead.next() == Some('*')
    }

    fn skip_line(&mut self) {
        while self.rest.peek().is_some_and(|c| *c != '\n') {
            self.advance();
        }
    }

    fn skip_comment(&mut self, place: Place) -> Result<(), Fault> {
        self.advance();
        self.advance();
        let mut last = ' ';
        while let Some(c) = self.advance() {
            if last == '*' && c == '/' {
                return Ok(());
            }
            last = c;
        }
        Err(Fault::new(place, "the comment `/*` is not closed", "close it with `*/`"))
    }

    fn bare(&mut self, place: Place) -> Result<Token, Fault> {
        let mut word = Building::at(place);
        while let Some(&c) = self.rest.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | '{' | '}' | '[' | ']' | ';' => break,
                '"' | '#' => {
                    let message = format!("`{c}` stands inside the word `{}`", word.text);
                    return Err(Fault::new(self.here(), message, "put the whole word in double quotes"));
                }
                c if is_unprintable(c) || c.is_whitespace() => return Err(unprintable(self.here(), c)),
                c => word.push(c)?,
            }
            self.advance();
        }
        Ok(self.word(word, Quotes::None))
    }

    fn quoted(&mut self, place: Place) -> Result<Token, Fault> {
        let mut word = Building::at(place);
        self.advance();
        loop {
            let here = self.here();
            match self.advance() {
                Some('"') => break,
                Some('\\') => word.push(self.escape(here)?)?,
                None | Some('\n' | '\r') => {
                    let help = "close it with `\"`; a line break inside is written `\\n`";
                    return Err(Fault::new(place, "the quoted text is not closed on its line", help));
                }
                Some(c) if is_unprintable(c) || c == '\t' => {
                    return Err(unprintable(here, c));
                }
                Some(c) => word.push(c)?,
            }
        }
        if self.rest.peek().is_some_and(|c| !c.is_whitespace() && !"{}[];".contains(*c)) {
            let help = "put a space or `;` behind the quoted text";
            return Err(Fault::new(self.here(), "a word follows directly behind quoted text", help));
        }
        Ok(self.word(word, Quotes::Double))
    }

    fn escape(&mut self, backslash: Place) -> Result<char, Fault> {
        match self.advance() {
            Some(c @ ('"' | '\\')) => Ok(c),
            Some('n') => Ok('\n'),
            Some('t') => Ok('\t'),
            Some(c) if !c.is_control() => {
                let message = format!("`\\{c}` is no escape");
                Err(Fault::new(
                    backslash,
                    message,
                    "escapes are `\\\"`, `\\\\`, `\\n` and `\\t`; a backslash is `\\\\`",
                ))
            }
            _ => Err(Fault::new(backslash, "the text ends behind a backslash", "a backslash is written `\\\\`")),
        }
    }

    fn word(&self, word: Building, quotes: Quotes) -> Token {
        let place = Place { end_column: self.column, ..word.place };
        Token { kind: Kind::Word(word.text, quotes), place }
    }
}

fn unprintable(place: Place, c: char) -> Fault {
    let message = format!("the character U+{:04X} cannot stand in a configuration", u32::from(c));
    Fault::new(place, message, "remove it: control characters and odd white space do not travel")
}

/// A word while it is read, never longer than a word may be.
struct Building {
    text: String,
    length: usize,
    place: Place,
}

impl Building {
    fn at(place: Place) -> Self {
        Self { text: String::new(), length: 0, place }
    }

    fn push(&mut self, c: char) -> Result<(), Fault> {
        if self.length == LONGEST_WORD {
            let message = format!("the word has more than {LONGEST_WORD} characters");
            return Err(Fault::new(self.place, message, "no device takes such a word: is a quote missing?"));
        }
        self.length += 1;
        self.text.push(c);
        Ok(())
    }
}
