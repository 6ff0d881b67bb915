//! The literal values of a policy's header, read from the syntax tree with their places. Nothing is
//! evaluated: what is no literal is [`Literal::Other`].

use rhai::{Expr, FnCallExpr};

use crate::diagnostic::Place;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spanned {
    pub(crate) at: Place,
    pub(crate) value: Literal,
}

/// A value as a header can spell it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Number(i64),
    Flag(bool),
    /// Both ends included; empty when `last < first`.
    Range {
        first: i64,
        last: i64,
    },
    List(Vec<Spanned>),
    Map(Vec<Entry>),
    /// Anything else: an expression, a call, a float.
    Other,
}

/// A key of a map and its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: Place,
    pub(crate) value: Spanned,
}

impl Literal {
    /// What it is, for a message.
    pub(crate) const fn describe(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Flag(_) => "a flag",
            Self::Range { .. } => "a range",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Other => "no literal value",
        }
    }
}

/// Reads an expression as a literal.
pub(crate) fn read(expr: &Expr) -> Spanned {
    let at = expr.start_position().into();
    let value = match expr {
        Expr::StringConstant(text, _) => Literal::Text(text.to_string()),
        Expr::IntegerConstant(number, _) => Literal::Number(*number),
        Expr::BoolConstant(flag, _) => Literal::Flag(*flag),
        Expr::Array(items, _) => Literal::List(items.iter().map(read).collect()),
        Expr::Map(parts, _) => {
            let entry = |(key, value): &(rhai::Ident, Expr)| Entry {
                key: key.name.to_string(),
                at: key.pos.into(),
                value: read(value),
            };
            Literal::Map(parts.0.iter().map(entry).collect())
        }
        Expr::FnCall(call, _) => operation(call),
        _ => Literal::Other,
    };
    Spanned { at, value }
}

/// Ranges and negative numbers, which Rhai parses as calls of operators.
fn operation(call: &FnCallExpr) -> Literal {
    let numbers: Option<Vec<i64>> = call.args.iter().map(number).collect();
    match (call.name.as_str(), numbers.as_deref()) {
        ("-", Some(&[number])) => number.checked_neg().map_or(Literal::Other, Literal::Number),
        // An end of `i64::MIN` leaves the range empty, as it should be.
        ("..", Some(&[first, end])) => match end.checked_sub(1) {
            Some(last) => Literal::Range { first, last },
            None => Literal::Range { first: 1, last: 0 },
        },
        ("..=", Some(&[first, last])) => Literal::Range { first, last },
        _ => Literal::Other,
    }
}

fn number(expr: &Expr) -> Option<i64> {
    match read(expr).value {
        Literal::Number(number) => Some(number),
        _ => None,
    }
}
