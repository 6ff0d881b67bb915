//! The literal values of a policy's header, read from the syntax tree with their places. Nothing is
//! evaluated: what is no literal is [`Literal::Other`].

use rhai::{Expr, FnCallExpr, Position};

use crate::diagnostic::LineColumn;

/// What is no literal, and so may be anything.
pub(crate) const EXPRESSION: &str = "an expression";

/// What is `()`.
pub(crate) const NOTHING: &str = "nothing";

/// What is a number that is not whole.
pub(crate) const FRACTION: &str = "a number with a fraction";

/// What stands in single quotes.
pub(crate) const CHARACTER: &str = "a character";

/// What is a number beyond those there are.
pub(crate) const TOO_LARGE: &str = "too large a number";

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spanned {
    pub(crate) at: LineColumn,
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
    /// Anything else, and what it is.
    Other(&'static str),
}

/// A key of a map and its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: LineColumn,
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
            Self::Other(what) => what,
        }
    }
}

/// Reads an expression as a literal.
pub(crate) fn read(expr: &Expr) -> Spanned {
    let at = start(expr).into();
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
        Expr::FloatConstant(..) => Literal::Other(FRACTION),
        Expr::CharConstant(..) => Literal::Other(CHARACTER),
        Expr::Unit(_) => Literal::Other(NOTHING),
        _ => Literal::Other(EXPRESSION),
    };
    Spanned { at, value }
}

/// Where an expression begins; Rhai's own answer for an operation is the operator.
fn start(expr: &Expr) -> Position {
    match expr {
        Expr::FnCall(call, _) if call.op_token.is_some() => match call.args.as_slice() {
            [left, _] => start(left),
            _ => expr.start_position(),
        },
        _ => expr.start_position(),
    }
}

/// Ranges and negative numbers, which Rhai parses as calls of operators.
fn operation(call: &FnCallExpr) -> Literal {
    let numbers: Option<Vec<i64>> = call.args.iter().map(number).collect();
    match (call.name.as_str(), numbers.as_deref()) {
        ("-", Some(&[number])) => number.checked_neg().map_or(Literal::Other(TOO_LARGE), Literal::Number),
        // An end of `i64::MIN` leaves the range empty, as it should be.
        ("..", Some(&[first, end])) => match end.checked_sub(1) {
            Some(last) => Literal::Range { first, last },
            None => Literal::Range { first: 1, last: 0 },
        },
        ("..=", Some(&[first, last])) => Literal::Range { first, last },
        _ => Literal::Other(EXPRESSION),
    }
}

fn number(expr: &Expr) -> Option<i64> {
    match read(expr).value {
        Literal::Number(number) => Some(number),
        _ => None,
    }
}
