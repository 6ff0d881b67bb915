//! What the language of values promises.

mod boundaries;
mod constraints;
mod evaluation;
mod hostile;
mod mistakes;
mod precedence;
mod printing;

use super::*;

/// The value of an expression that names nothing.
fn evaluated(text: &str) -> Result<Value, Mistake> {
    evaluate(&Expression::parse(text)?, &mut |_| None, &mut Fuel::default())
}

/// The value of an expression that is right.
fn value(text: &str) -> Value {
    evaluated(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"))
}

fn shown(text: &str) -> String {
    value(text).to_string()
}

/// The message of an expression's mistake.
fn message(text: &str) -> String {
    match evaluated(text) {
        Ok(value) => panic!("`{text}` gives `{value}`"),
        Err(mistake) => mistake.message,
    }
}

/// The value of an expression as parameters of a type have it.
fn admitted(kind: &str, text: &str) -> Result<String, Mistake> {
    Types::new([Type::named(kind)?]).admit(evaluated(text)?).map(|value| value.to_string())
}

fn constraint(text: &str) -> Constraint {
    Constraint::of(value(text)).unwrap_or_else(|mistake| panic!("{text}: {mistake}"))
}
