//! The functions of expressions.

use std::cmp::Ordering;

use super::compare::{self, Number};
use super::mistake::Mistake;
use super::operators::{in_i64, overflow, takes};
use super::value::Value;
use crate::diagnostic::{excerpt, suggest};

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Min,
    Max,
    Round,
    Floor,
    Ceil,
    Len,
    Contains,
    Host,
    Prefix,
    Mask,
}

impl Function {
    /// All functions.
    pub(crate) const ALL: [Self; 10] = [
        Self::Min,
        Self::Max,
        Self::Round,
        Self::Floor,
        Self::Ceil,
        Self::Len,
        Self::Contains,
        Self::Host,
        Self::Prefix,
        Self::Mask,
    ];

    /// How it is called.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
            Self::Round => "round",
            Self::Floor => "floor",
            Self::Ceil => "ceil",
            Self::Len => "len",
            Self::Contains => "contains",
            Self::Host => "host",
            Self::Prefix => "prefix",
            Self::Mask => "mask",
        }
    }

    /// The function of a name.
    pub(crate) fn named(name: &str) -> Result<Self, Mistake> {
        Self::ALL.into_iter().find(|function| function.as_str() == name).ok_or_else(|| {
            let mistake = Mistake::new(format!("there is no function `{}`", excerpt(name)));
            mistake.with_help(suggest(name, Self::ALL.iter().map(|function| function.as_str())))
        })
    }

    /// Refuses another number of arguments than it takes.
    pub(crate) fn check_count(self, given: usize) -> Result<(), Mistake> {
        let (is_right, wanted) = match self {
            Self::Min | Self::Max => (given > 0, "numbers or one list of them"),
            Self::Contains | Self::Host => (given == 2, "2 arguments"),
            _ => (given == 1, "1 argument"),
        };
        if is_right {
            return Ok(());
        }
        Err(Mistake::new(format!("`{}` takes {wanted} and is given {given}", self.as_str())))
    }

    /// What it gives. How many arguments there are was checked before.
    pub(crate) fn apply(self, arguments: &[Value]) -> Result<Value, Mistake> {
        match (self, arguments) {
            (Self::Min, [Value::List(elements)]) => self.extreme(elements, Ordering::Less),
            (Self::Max, [Value::List(elements)]) => self.extreme(elements, Ordering::Greater),
            (Self::Min, numbers) => self.extreme(numbers, Ordering::Less),
            (Self::Max, numbers) => self.extreme(numbers, Ordering::Greater),
            (Self::Round, [number]) => self.integral(number, f64::round),
            (Self::Floor, [number]) => self.integral(number, f64::floor),
            (Self::Ceil, [number]) => self.integral(number, f64::ceil),
            (Self::Len, [value]) => self.length(value),
            (Self::Contains, [container, value]) => self.contains(container, value),
            (Self::Host, [network, number]) => self.host(network, number),
            (Self::Prefix, [Value::Network(network)]) => Ok(Value::Integer(network.length().into())),
            (Self::Mask, [Value::Network(network)]) => Ok(Value::Address(network.mask())),
            (Self::Prefix | Self::Mask, [other]) => Err(self.takes("a network", other)),
            _ => Err(Mistake::new(format!("`{}` is given {} arguments", self.as_str(), arguments.len()))),
        }
    }

    fn takes(self, wanted: &str, found: &Value) -> Mistake {
        takes(self.as_str(), wanted, found)
    }

    /// The number that lies furthest in one direction; a float if any is one.
    fn extreme(self, numbers: &[Value], direction: Ordering) -> Result<Value, Mistake> {
        let mut extreme: Option<Number> = None;
        let mut has_float = false;
        for value in numbers {
            let number = Number::of(value).ok_or_else(|| self.takes("numbers", value))?;
            has_float |= matches!(number, Number::Float(_));
            if extreme.is_none_or(|extreme| number.cmp(extreme) == direction) {
                extreme = Some(number);
            }
        }
        match extreme {
            Some(Number::Integer(number)) if has_float => Ok(Value::Float(number as f64)),
            Some(Number::Integer(number)) => Ok(Value::Integer(number)),
            Some(Number::Float(number)) => Ok(Value::Float(number)),
            None => Err(Mistake::new(format!("`{}` is given an empty list", self.as_str()))),
        }
    }

    fn integral(self, value: &Value, round: fn(f64) -> f64) -> Result<Value, Mistake> {
        match value {
            Value::Integer(number) => Ok(Value::Integer(*number)),
            Value::Float(number) => {
                // Beyond the ends of i128 the cast gives the ends, which are beyond i64.
                let integer = in_i64(round(*number) as i128);
                integer.map(Value::Integer).ok_or_else(|| overflow(&format!("{}({value})", self.as_str())))
            }
            other => Err(self.takes("a number", other)),
        }
    }

    fn length(self, value: &Value) -> Result<Value, Mistake> {
        let length = match value {
            Value::List(elements) => elements.len(),
            Value::Text(text) => text.chars().count(),
            Value::Map(entries) => entries.len(),
            other => return Err(self.takes("a list, a text or a map", other)),
        };
        Ok(Value::Integer(i128::try_from(length).unwrap_or(i128::MAX)))
    }

    fn contains(self, container: &Value, value: &Value) -> Result<Value, Mistake> {
        let is_within = match (container, value) {
            (Value::List(_) | Value::Range(_) | Value::Network(_), value) => compare::is_in(value, container),
            (Value::Text(text), Value::Text(part)) => text.contains(part.as_ref()),
            (Value::Map(entries), Value::Text(key)) => entries.contains_key(key),
            (Value::Text(_) | Value::Map(_), _) => false,
            (other, _) => return Err(self.takes("a list, a range, a network, a text or a map first", other)),
        };
        Ok(Value::Boolean(is_within))
    }

    fn host(self, network: &Value, number: &Value) -> Result<Value, Mistake> {
        let Value::Network(network) = network else { return Err(self.takes("a network first", network)) };
        let Value::Integer(number) = number else { return Err(self.takes("an integer second", number)) };
        let address = u128::try_from(*number).ok().and_then(|number| network.host(number));
        address.map(Value::Address).ok_or_else(|| {
            let last = compare::addresses(&Value::Network(*network)).map_or(network.address(), |(_, last)| last);
            let mistake = Mistake::new(format!("`{network}` has no address of number `{number}`"));
            mistake.with_help(format!("its addresses are `{}` to `{last}`, counted from 0", network.address()))
        })
    }
}
