//! What of the values of its types a parameter takes, where its definition asks for less than they do: one value, one range,
//! integers.

use serde::Deserialize;

use super::mistake::Mistake;
use super::value::{Range, Value};

/// How much is given at once where that is no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Single {
    /// One value.
    Value,
    /// One value, or one range.
    Range,
}

/// What a definition asks of values besides their types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// That there is one; none: as many as the types take.
    pub single: Option<Single>,
    /// That numbers have no fraction.
    pub is_integer: bool,
}

impl Asked {
    /// The value that its types admitted, if it is what is asked for: where integers are, floats without a fraction are
    /// such.
    ///
    /// # Errors
    /// It is not. The mistake has no place, for that of the whole is meant.
    pub(super) fn admit(self, value: Value) -> Result<Value, Mistake> {
        let value = if self.is_integer { integers(value)? } else { value };
        let Some(single) = self.single else { return Ok(value) };
        let is_more = match &value {
            Value::List(_) | Value::Not(_) => true,
            Value::Range(_) => single == Single::Value,
            _ => false,
        };
        if !is_more {
            return Ok(value);
        }
        let (wanted, help) = match single {
            Single::Value => ("one value is", "give one value"),
            Single::Range => ("one value or one range is", "give one value, or one range"),
        };
        let message = format!("{wanted} taken, and `{}` is {}", value.shown(), value.describe());
        Err(Mistake::new(message).with_help(help))
    }
}

/// A value with all its numbers as integers. Values are as deep as their bounds let them be.
fn integers(value: Value) -> Result<Value, Mistake> {
    Ok(match value {
        Value::Float(number) => Value::Integer(integer(number)?),
        Value::Range(Range::Floats(first, last)) => Value::Range(Range::Integers(integer(first)?, integer(last)?)),
        Value::List(elements) => {
            Value::List(elements.iter().cloned().map(integers).collect::<Result<Vec<_>, _>>()?.into())
        }
        Value::Not(inner) => Value::Not(integers(Value::clone(&inner))?.into()),
        other => other,
    })
}

fn integer(number: f64) -> Result<i128, Mistake> {
    let value = Value::Float(number);
    if number.fract() != 0.0 {
        let message = format!("integers are taken, and `{value}` has a fraction");
        return Err(Mistake::new(message).with_help(format!("`round({value})` is an integer")));
    }
    // Beyond the ends of i128 the cast gives the ends, which are out of bounds here.
    let integer = number as i128;
    if i64::try_from(integer).is_err() {
        let message = format!("`{value}` is out of the bounds of integers");
        return Err(Mistake::new(message).with_help(format!("they go from {} to {}", i64::MIN, i64::MAX)));
    }
    Ok(integer)
}
