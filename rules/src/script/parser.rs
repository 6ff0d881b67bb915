//! The language as far as it is parsed, the same for loading a policy and for running it.

use rhai::{AST, Engine, LexError, OptimizationLevel, ParseError, ParseErrorType};

use super::Limits;
use super::foreign::{self, Said};
use crate::diagnostic::{Code, Faults, LineColumn, excerpt};

/// The function a policy is.
pub(crate) const ENTRY: &str = "react";

/// Words that are taken out of the language: `eval` runs text as script, `curry` makes values that
/// double in size at every step, what `this` holds is not counted when it is read, and powers of
/// numbers with fractions differ from machine to machine.
const REMOVED: [&str; 5] = ["eval", "curry", "this", "**", "**="];

/// Parses policies without being able to run anything.
pub(crate) struct Parser {
    engine: Engine,
    limits: Limits,
}

/// A parsed script.
pub(crate) struct Script(AST);

impl Parser {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { engine: engine(limits), limits: limits.clone() }
    }

    /// Parses a source; what is wrong goes to `faults`.
    pub(crate) fn parse(&self, source: &str, faults: &mut Faults) -> Option<Script> {
        let most = self.limits.source_bytes;
        if source.len() > most {
            let message = format!("the script has {} bytes and may have {most}", source.len());
            faults.add(Code::Limit, LineColumn::WHOLE, message);
            return None;
        }
        match self.engine.compile(without_mark(source)) {
            Ok(ast) => Some(Script(ast)),
            Err(error) => {
                self.report(&error, without_mark(source), faults);
                None
            }
        }
    }

    /// The header of a source that does not parse: all but its call of `policy` is left out.
    pub(crate) fn parse_header(&self, source: &str) -> Option<Script> {
        header_alone(without_mark(source)).and_then(|header| self.engine.compile(header).ok()).map(Script)
    }

    /// Tells in our words why a source does not parse.
    fn report(&self, error: &ParseError, source: &str, faults: &mut Faults) {
        let at = LineColumn::from(error.position());
        let limits = &self.limits;
        let is_limit = matches!(
            error.err_type(),
            ParseErrorType::ExprTooDeep | ParseErrorType::TooManyFunctions | ParseErrorType::LiteralTooLarge(..)
        );
        if !is_limit && let Some(Said { code, at, message, help }) = foreign::find(error.err_type(), source, at) {
            faults.add_with_help(code, at, message, help);
            return;
        }
        match error.err_type() {
            ParseErrorType::BadInput(LexError::ImproperSymbol(word, _)) | ParseErrorType::UnknownOperator(word)
                if REMOVED.contains(&word.as_str()) =>
            {
                let message = format!("`{word}` is no part of the language of policies");
                faults.add(Code::ReservedWord, at, message);
            }
            ParseErrorType::Reserved(word) => {
                let help = "the language keeps this word for itself: choose another name, or as a key of a map put it in quotes";
                faults.add_with_help(Code::ReservedWord, at, format!("`{}` is a reserved word", excerpt(word)), help);
            }
            ParseErrorType::ExprTooDeep => {
                let message = format!("expressions and blocks stand more than {} deep", limits.expression_depth);
                faults.add_with_help(Code::Limit, at, message, "take parts of it out into variables or functions");
            }
            ParseErrorType::TooManyFunctions => {
                faults.add(Code::Limit, at, format!("a script may have {} functions", limits.functions));
            }
            ParseErrorType::LiteralTooLarge(what, _) => {
                let message = if what.contains("string") {
                    format!("a text may have {} bytes", limits.string_bytes)
                } else if what.contains("rray") {
                    format!("a list may have {} items", limits.array_items)
                } else {
                    format!("a map may have {} entries", limits.map_entries)
                };
                faults.add(Code::Limit, at, message);
            }
            ParseErrorType::AssignmentToConstant(name) => {
                let message = format!("`{}` is a constant", excerpt(name));
                faults.add_with_help(Code::ReadOnly, at, message, "declare it with `let` to change it");
            }
            other => faults.add(Code::Syntax, at, restyle(&other.to_string())),
        }
    }
}

/// A source without the byte order mark that some editors put before it.
pub(super) fn without_mark(source: &str) -> &str {
    source.strip_prefix('\u{feff}').unwrap_or(source)
}

/// The source with everything but the call of `policy` turned into blanks, so that places stay.
fn header_alone(source: &str) -> Option<String> {
    let is_header =
        |line: &str| line.trim_start().strip_prefix("policy").is_some_and(|rest| rest.trim_start().starts_with('('));
    let mut offset = 0;
    for line in source.split_inclusive('\n') {
        if is_header(line) {
            let (before, from) = source.split_at_checked(offset)?;
            let header = from.get(..closing(from)?)?;
            let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
            return Some(before.chars().map(blank).chain(header.chars()).collect());
        }
        offset += line.len();
    }
    None
}

/// Where the first bracket of a text is closed again: the offset behind it.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + c.len_utf8());
                }
            }
            '"' | '`' => {
                let mut is_escaped = false;
                for (_, inner) in rest.by_ref() {
                    if inner == c && !is_escaped {
                        break;
                    }
                    is_escaped = !is_escaped && inner == '\\';
                }
            }
            '/' if rest.peek().is_some_and(|(_, next)| *next == '/') => {
                for (_, inner) in rest.by_ref() {
                    if inner == '\n' {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    None
}

impl Script {
    pub(crate) const fn ast(&self) -> &AST {
        &self.0
    }

    /// Reports a missing `react`, one with other than two parameters, and methods of types, which would
    /// be of no use without `this`.
    pub(crate) fn check_functions(&self, faults: &mut Faults) {
        let mut functions: Vec<_> = self.0.iter_fn_def().collect();
        functions.sort_by_key(|function| LineColumn::from(function.body.start_position()));
        for method in functions.iter().filter(|function| function.this_type.is_some()) {
            let message = format!("`{}` is a method of a type", method.name);
            faults.add_with_help(
                Code::React,
                method.body.start_position().into(),
                message,
                "make it a function with a parameter",
            );
        }
        let reacts: Vec<_> = functions.into_iter().filter(|function| function.name == ENTRY).collect();
        if reacts.iter().any(|function| function.params.len() == 2) {
            return;
        }
        match reacts.first() {
            None => faults.add_with_help(
                Code::React,
                LineColumn::WHOLE,
                "`react` is missing",
                "write `fn react(incident, org) { ... }`; the first parameter is what the trigger is about",
            ),
            Some(function) => faults.add_with_help(
                Code::React,
                function.body.start_position().into(),
                format!("`react` takes two parameters, not {}", function.params.len()),
                "the first is what the trigger is about, the second the organization",
            ),
        }
    }
}

/// An engine with all limits, the smaller language and no function at all.
pub(super) fn engine(limits: &Limits) -> Engine {
    let mut engine = Engine::new_raw();
    engine
        // Folding constants would do, unmetered and at every load, what the budget meters in a run.
        .set_optimization_level(OptimizationLevel::None)
        .set_max_call_levels(limits.call_levels)
        .set_max_expr_depths(limits.expression_depth, limits.expression_depth)
        .set_max_variables(limits.variables)
        .set_max_functions(limits.functions)
        .set_max_string_size(limits.string_bytes)
        .set_max_array_size(limits.array_items)
        .set_max_map_size(limits.map_entries);
    for word in REMOVED {
        engine.disable_symbol(word);
    }
    engine
}

/// Rhai's words in our spelling: the first letter small, quoted words in backticks, no full stop.
pub(super) fn restyle(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut restyled = String::with_capacity(text.len());
    let mut is_open = false;
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let opens = !is_open && !before.is_alphanumeric() && rest.peek().is_some();
        let closes = is_open && !rest.peek().is_some_and(|next| next.is_alphanumeric());
        if c == '\'' && (opens || closes) {
            is_open = !is_open;
            restyled.push('`');
        } else if restyled.is_empty() {
            restyled.extend(c.to_lowercase());
        } else {
            restyled.push(c);
        }
        before = c;
    }
    restyled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_messages_are_restyled() {
        for (from, to) in [
            ("Expecting ';' to terminate this statement", "expecting `;` to terminate this statement"),
            ("'x' doesn't exist.", "`x` doesn't exist"),
            ("Script is incomplete", "script is incomplete"),
        ] {
            assert_eq!(restyle(from), to);
        }
    }

    #[test]
    fn the_removed_words_do_not_parse() {
        let parser = Parser::new(&Limits::default());
        for word in ["eval(\"1\")", "x.curry(1)", "curry(x, 1)", "this.y", "import \"a\" as b"] {
            let source = format!("fn react(x, org) {{ {word}; }}");
            assert!(parser.parse(&source, &mut Faults::default()).is_none(), "{word}");
        }
    }
}
