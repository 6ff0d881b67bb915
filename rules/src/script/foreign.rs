//! Words and signs of other languages, where a source does not parse: what they are called here.

use rhai::{LexError, ParseErrorType};

use crate::diagnostic::{Code, LineColumn, excerpt};

/// What is not known here, and what is written in its place.
const WORDS: [(&str, &str); 20] = [
    ("and", "write `&&`"),
    ("or", "write `||`"),
    ("not", "write `!`"),
    ("is", "write `==`"),
    ("elif", "write `else if`"),
    ("elsif", "write `else if`"),
    ("elseif", "write `else if`"),
    ("unless", "write `if` and `!`"),
    ("then", "what is done stands in `{ ... }`"),
    ("null", "what is absent is `()`"),
    ("nil", "what is absent is `()`"),
    ("None", "what is absent is `()`"),
    ("undefined", "what is absent is `()`"),
    ("True", "write `true`"),
    ("False", "write `false`"),
    ("var", "write `let`"),
    ("def", "write `fn`"),
    ("func", "write `fn`"),
    ("function", "write `fn`"),
    ("foreach", "write `for`"),
];

/// What is said in place of the interpreter's own words.
pub(super) struct Said {
    pub(super) code: Code,
    pub(super) at: LineColumn,
    pub(super) message: String,
    pub(super) help: String,
}

/// What to write in place of a word of another language.
pub(super) fn in_place_of(word: &str) -> Option<&'static str> {
    WORDS.iter().find(|(foreign, _)| *foreign == word).map(|(_, help)| *help)
}

/// What an error at a place of a source comes from, where that is another language.
pub(super) fn find(error: &ParseErrorType, source: &str, at: LineColumn) -> Option<Said> {
    if let ParseErrorType::BadInput(LexError::MalformedChar(text)) = error {
        let text = excerpt(text);
        let message = format!("`'{text}'` is no text: single quotes hold one character");
        return Some(Said { code: Code::Syntax, at, message, help: format!("write `\"{text}\"`") });
    }
    if let ParseErrorType::Reserved(word) = error {
        let help = in_place_of(word)?.to_owned();
        return Some(Said { code: Code::ReservedWord, at, message: unknown(word), help });
    }
    let look = Look::at(source, at);
    let foreign = |word: &Word| Some((word.at, word.text.clone(), in_place_of(&word.text)?));
    if let Some((at, word, help)) = look.words.iter().rev().find_map(foreign) {
        return Some(Said { code: Code::Syntax, at, message: unknown(&word), help: help.to_owned() });
    }
    look.block.map(|at| {
        let message = "`{` begins a block here, and no map".to_owned();
        Said { code: Code::Syntax, at, message, help: "a map begins with `#{`: write `#{ ... }`".to_owned() }
    })
}

fn unknown(word: &str) -> String {
    format!("`{}` is no word of the language", excerpt(word))
}

#[derive(Debug)]
struct Word {
    at: LineColumn,
    text: String,
}

/// What stands before a place.
#[derive(Debug, Default)]
struct Look {
    /// The word there, and the one before it on the same line.
    words: Vec<Word>,
    /// The innermost open `{` that looks like the beginning of a map without its `#`.
    block: Option<LineColumn>,
}

impl Look {
    fn at(source: &str, place: LineColumn) -> Self {
        let (mut at, mut words) = (LineColumn { line: 1, column: 1 }, Vec::<Word>::new());
        let mut open: Vec<Option<LineColumn>> = Vec::new();
        let mut before = ' ';
        let mut rest = source.chars().peekable();
        let next = |at: &mut LineColumn, rest: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let c = rest.next()?;
            *at = match c {
                '\n' => LineColumn { line: at.line + 1, column: 1 },
                _ => LineColumn { line: at.line, column: at.column + 1 },
            };
            Some(c)
        };
        loop {
            let start = at;
            // The word at the place is looked at, and nothing behind it.
            if start > place {
                break;
            }
            let Some(c) = next(&mut at, &mut rest) else { break };
            match c {
                '"' | '`' => {
                    let mut is_escaped = false;
                    while let Some(inner) = next(&mut at, &mut rest) {
                        if inner == c && !is_escaped {
                            break;
                        }
                        is_escaped = !is_escaped && inner == '\\';
                    }
                }
                '/' if rest.peek() == Some(&'/') => {
                    while rest.peek().is_some_and(|c| *c != '\n') {
                        next(&mut at, &mut rest);
                    }
                    continue;
                }
                '{' => open.push(matches!(before, '(' | ',' | ':' | '=' | '[').then_some(start)),
                '}' => {
                    open.pop();
                }
                c if c.is_alphabetic() || c == '_' => {
                    let mut text = String::from(c);
                    while let Some(c) = rest.peek().copied().filter(|c| c.is_alphanumeric() || *c == '_') {
                        text.push(c);
                        next(&mut at, &mut rest);
                    }
                    words.push(Word { at: start, text });
                }
                _ => {}
            }
            if !c.is_whitespace() {
                before = c;
            }
        }
        let words = words.split_off(words.len().saturating_sub(2));
        let words = words.into_iter().filter(|word| word.at.line == place.line).collect();
        Self { words, block: open.pop().flatten() }
    }
}
