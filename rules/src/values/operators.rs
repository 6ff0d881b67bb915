//! The operators between two values.

use std::cmp::Ordering;

use super::compare::{self, Number};
use super::mistake::Mistake;
use super::value::{Range, Value};

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    To,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// The level of the operators that bind most loosely.
pub(crate) const LOOSEST: u8 = 0;

impl Operator {
    /// All operators.
    const ALL: [Self; 15] = [
        Self::Or,
        Self::And,
        Self::Equal,
        Self::NotEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::In,
        Self::To,
        Self::Add,
        Self::Subtract,
        Self::Multiply,
        Self::Divide,
        Self::Remainder,
    ];

    /// The operator of a sign or word.
    pub(crate) fn of(sign: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.sign() == sign)
    }

    /// How it is written.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::To => "..",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    /// How tightly it binds: more is tighter.
    pub(crate) const fn level(self) -> u8 {
        match self {
            Self::Or => LOOSEST,
            Self::And => 1,
            Self::Equal | Self::NotEqual => 2,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual | Self::In => 3,
            Self::To => 4,
            Self::Add | Self::Subtract => 5,
            Self::Multiply | Self::Divide | Self::Remainder => 6,
        }
    }

    /// What it gives for two values.
    pub(crate) fn apply(self, left: &Value, right: &Value) -> Result<Value, Mistake> {
        match self {
            Self::Or => Ok(Value::Boolean(self.boolean(left)? || self.boolean(right)?)),
            Self::And => Ok(Value::Boolean(self.boolean(left)? && self.boolean(right)?)),
            Self::Equal | Self::NotEqual => self.equality(left, right).map(Value::Boolean),
            Self::Less => self.order(left, right, Ordering::is_lt),
            Self::LessOrEqual => self.order(left, right, Ordering::is_le),
            Self::Greater => self.order(left, right, Ordering::is_gt),
            Self::GreaterOrEqual => self.order(left, right, Ordering::is_ge),
            Self::In => membership(left, right),
            Self::To => range(left, right),
            Self::Add | Self::Subtract | Self::Multiply | Self::Divide | Self::Remainder => {
                self.arithmetic(left, right)
            }
        }
    }

    /// The boolean that an operand must be.
    pub(crate) fn boolean(self, operand: &Value) -> Result<bool, Mistake> {
        boolean(self.sign(), operand)
    }

    fn equality(self, left: &Value, right: &Value) -> Result<bool, Mistake> {
        if !compare::is_one_kind(left, right) {
            return Err(self.different(left, right));
        }
        Ok(compare::is_same(left, right) == (self == Self::Equal))
    }

    fn order(self, left: &Value, right: &Value, is: fn(Ordering) -> bool) -> Result<Value, Mistake> {
        if let Some(order) = compare::order(left, right) {
            return Ok(Value::Boolean(is(order)));
        }
        let has_order = |value: &Value| compare::order(value, value).is_some();
        match [left, right].into_iter().find(|value| !has_order(value)) {
            Some(value) => Err(takes(self.sign(), "numbers, texts or addresses", value)),
            None => Err(self.different(left, right)),
        }
    }

    fn different(self, left: &Value, right: &Value) -> Mistake {
        Mistake::new(format!(
            "`{}` compares values of one kind, and `{}` is {}, `{}` is {}",
            self.sign(),
            left.shown(),
            left.describe(),
            right.shown(),
            right.describe()
        ))
    }

    fn arithmetic(self, left: &Value, right: &Value) -> Result<Value, Mistake> {
        let operand = |value| Number::of(value).ok_or_else(|| takes(self.sign(), "numbers", value));
        let (first, second) = (operand(left)?, operand(right)?);
        let is_division = matches!(self, Self::Divide | Self::Remainder);
        if is_division && second.cmp(Number::Integer(0)).is_eq() {
            let message = format!("`{} {} {}` divides by zero", left.shown(), self.sign(), right.shown());
            return Err(Mistake::new(message));
        }
        let shown = || format!("{} {} {}", left.shown(), self.sign(), right.shown());
        if let (Number::Integer(first), Number::Integer(second)) = (first, second) {
            return self.integers(first, second).map(Value::Integer).ok_or_else(|| overflow(&shown()));
        }
        // An integer beyond i64 is written for a bandwidth, and not calculated with.
        let (Some(first), Some(second)) = (to_float(first), to_float(second)) else { return Err(overflow(&shown())) };
        let float = self.floats(first, second);
        if float.is_finite() { Ok(Value::Float(float)) } else { Err(float_overflow(&shown())) }
    }

    /// None where an operand or the result is beyond i64.
    fn integers(self, left: i128, right: i128) -> Option<i128> {
        let (left, right) = (in_i64(left)?, in_i64(right)?);
        // Neither of these overflows i128 with operands of i64.
        in_i64(match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left.checked_div(right)?,
            _ => left.checked_rem(right)?,
        })
    }

    fn floats(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            _ => left % right,
        }
    }
}

/// The boolean that an operand must be.
pub(crate) fn boolean(sign: &str, operand: &Value) -> Result<bool, Mistake> {
    match operand {
        Value::Boolean(flag) => Ok(*flag),
        other => Err(takes(sign, "booleans", other)),
    }
}

/// A value of a kind that an operator does not take.
pub(crate) fn takes(sign: &str, wanted: &str, found: &Value) -> Mistake {
    Mistake::new(format!("`{sign}` takes {wanted}, and `{}` is {}", found.shown(), found.describe()))
}

/// A result, or an operand, that numbers cannot hold.
pub(crate) fn overflow(what: &str) -> Mistake {
    let help = format!("integers are calculated from {} to {}", i64::MIN, i64::MAX);
    Mistake::new(format!("`{what}` overflows")).with_help(help)
}

/// A result that is no longer finite.
fn float_overflow(what: &str) -> Mistake {
    let help = format!("floats are calculated from {} to {}", Value::Float(f64::MIN), Value::Float(f64::MAX));
    Mistake::new(format!("`{what}` overflows")).with_help(help)
}

/// An integer that can be calculated with.
pub(crate) fn in_i64(number: i128) -> Option<i128> {
    i64::try_from(number).ok().map(i128::from)
}

fn to_float(number: Number) -> Option<f64> {
    match number {
        Number::Integer(number) => in_i64(number).map(|number| number as f64),
        Number::Float(number) => Some(number),
    }
}

/// The negative of a number.
pub(crate) fn negative(operand: &Value) -> Result<Value, Mistake> {
    match operand {
        Value::Integer(number) => {
            let negative = in_i64(*number).and_then(|number| in_i64(-number));
            negative.map(Value::Integer).ok_or_else(|| overflow(&format!("-({number})")))
        }
        Value::Float(number) => Ok(Value::Float(-number)),
        other => Err(takes("-", "numbers", other)),
    }
}

/// All but a value: a boolean is turned round, of a list each element, and twice is none.
pub(crate) fn negation(operand: Value) -> Result<Value, Mistake> {
    match operand {
        Value::Boolean(flag) => Ok(Value::Boolean(!flag)),
        Value::Not(value) => Ok(value.as_ref().clone()),
        Value::List(elements) => elements.iter().cloned().map(negation).collect::<Result<_, _>>().map(Value::List),
        Value::Map(_) => Err(takes("not", "values and lists of them", &operand)),
        value => Ok(Value::Not(value.into())),
    }
}

fn membership(value: &Value, container: &Value) -> Result<Value, Mistake> {
    match container {
        Value::Range(_) | Value::List(_) | Value::Network(_) => Ok(Value::Boolean(compare::is_in(value, container))),
        other => Err(takes("in", "a range, a list or a network at its right", other)),
    }
}

fn range(first: &Value, last: &Value) -> Result<Value, Mistake> {
    let range = match (first, last) {
        (Value::Integer(first), Value::Integer(last)) => Range::Integers(*first, *last),
        (Value::Address(first), Value::Address(last)) if first.is_ipv4() == last.is_ipv4() => {
            Range::Addresses(*first, *last)
        }
        (Value::Integer(_) | Value::Float(_), Value::Integer(_) | Value::Float(_)) => {
            let float = |value: &Value| match value {
                Value::Integer(number) => *number as f64,
                Value::Float(number) => *number,
                _ => 0.0,
            };
            Range::Floats(float(first), float(last))
        }
        _ => {
            let can_end = |value: &&Value| matches!(value, Value::Integer(_) | Value::Float(_) | Value::Address(_));
            return Err(match [first, last].into_iter().find(|value| !can_end(value)) {
                Some(value) => takes("..", "numbers or addresses", value),
                None => Mistake::new(format!(
                    "`..` takes two numbers or two addresses of one family, and `{first}` is {}, `{last}` is {}",
                    first.describe(),
                    last.describe()
                )),
            });
        }
    };
    if compare::order(first, last).is_some_and(Ordering::is_gt) {
        let mistake = Mistake::new(format!("the range `{first}..{last}` is reversed"));
        return Err(mistake.with_help(format!("write `{last}..{first}`")));
    }
    Ok(Value::Range(range))
}
