//! The language as far as it is parsed, the same for loading a policy and for running it.

use rhai::{AST, Engine, OptimizationLevel, ParseError};

use super::Limits;
use crate::diagnostic::{Diagnostic, Faults, Place};

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

    /// Parses a source.
    pub(crate) fn parse(&self, source: &str) -> Result<Script, Diagnostic> {
        let most = self.limits.source_bytes;
        if source.len() > most {
            let message = format!("the script has {} bytes and may have {most}", source.len());
            return Err(Diagnostic { line: 1, column: 1, message, help: None });
        }
        self.engine.compile(source).map(Script).map_err(|error| fault(&error))
    }
}

impl Script {
    pub(crate) const fn ast(&self) -> &AST {
        &self.0
    }

    /// Reports a missing `react`, one with other than two parameters, and methods of types, which would
    /// be of no use without `this`.
    pub(crate) fn check_functions(&self, faults: &mut Faults) {
        let mut functions: Vec<_> = self.0.iter_fn_def().collect();
        functions.sort_by_key(|function| Place::from(function.body.start_position()));
        for method in functions.iter().filter(|function| function.this_type.is_some()) {
            let message = format!("`{}` is a method of a type", method.name);
            faults.add_with_help(method.body.start_position().into(), message, "make it a function with a parameter");
        }
        let reacts: Vec<_> = functions.into_iter().filter(|function| function.name == ENTRY).collect();
        if reacts.iter().any(|function| function.params.len() == 2) {
            return;
        }
        match reacts.first() {
            None => faults.add_with_help(
                Place::START,
                "`react` is missing",
                "write `fn react(incident, org) { ... }`; the first parameter is what the trigger is about",
            ),
            Some(function) => faults.add_with_help(
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

fn fault(error: &ParseError) -> Diagnostic {
    let at = Place::from(error.position());
    Diagnostic { line: at.line, column: at.column, message: restyle(&error.err_type().to_string()), help: None }
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
            assert!(parser.parse(&format!("fn react(x, org) {{ {word}; }}")).is_err(), "{word}");
        }
    }
}
