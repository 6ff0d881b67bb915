//! How a template prints: each value as a mark, of which the rendering remembers what it stands for.

use minijinja::value::ValueKind;
use minijinja::{Error, Output, State, Value};

use super::value::{refused, spell};
use crate::configuration::{Filling, holds_mark, mark};

/// What was printed so far in one rendering, by the numbers of the marks.
#[derive(Default)]
pub(super) struct Printed(pub(super) Vec<Filling>);

/// Prints one value.
pub(super) fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    // What a macro or a block captured is text of the template, with the marks of its values in it.
    if value.kind() == ValueKind::String && value.is_safe() {
        return Ok(out.write_str(value.as_str().unwrap_or_default())?);
    }
    // `{{ "x" if y }}` without an `else` prints nothing.
    if value.is_undefined() {
        return Ok(());
    }
    let filling = spell(value)?;
    let (Filling::Words(words) | Filling::List(words)) = &filling;
    // INVARIANT (marks are ours): no value and no text that a filter made of a captured one holds any.
    if words.iter().any(|word| holds_mark(word)) {
        return Err(refused("a value holds private characters, or is made of text that was printed already"));
    }
    let size: usize = words.iter().map(|word| word.len() + 64).sum();
    state.consume_fuel(u64::try_from(size / 64).unwrap_or(u64::MAX))?;
    let printed = state.get_or_insert_extension_with(Printed::default);
    printed.0.push(filling);
    Ok(out.write_str(&mark(printed.0.len() - 1))?)
}
