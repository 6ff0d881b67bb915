//! What is equal, what comes first, and what lies within what.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::network::{self, Network};
use super::protocol;
use super::value::{Range, Value};

/// A number, compared exactly: an integer and a float are not rounded to each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    /// The number that a value is.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(number) => Some(Self::Integer(*number)),
            Value::Float(number) => Some(Self::Float(*number)),
            _ => None,
        }
    }

    /// The last integer that is at most this one.
    pub(crate) fn last_integer(self) -> i128 {
        match self {
            Self::Integer(number) => number,
            // The cast keeps to the ends of i128, which are beyond all integers there are.
            Self::Float(number) => number.floor() as i128,
        }
    }

    pub(crate) fn cmp(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => left.cmp(&right),
            // Floats of values are finite.
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
            (Self::Integer(left), Self::Float(right)) => compare_exactly(left, right),
            (Self::Float(left), Self::Integer(right)) => compare_exactly(right, left).reverse(),
        }
    }
}

fn compare_exactly(integer: i128, float: f64) -> Ordering {
    let whole = float.floor();
    // Beyond the ends of i128 the cast gives the ends, which no integer of a value reaches.
    integer.cmp(&(whole as i128)).then(if float > whole { Ordering::Less } else { Ordering::Equal })
}

/// A text that is the same of values that are the same, and of no others.
pub(crate) fn key(value: &Value) -> String {
    /// One value in place of all that are the same.
    fn one(value: &Value) -> Value {
        match value {
            Value::Text(name) => {
                protocol::number(name).map_or_else(|| value.clone(), |number| Value::Integer(number.into()))
            }
            // The cast is exact: it came of an integer, and is compared with where it came from.
            Value::Float(number) if number.fract() == 0.0 && (*number as i128) as f64 == *number => {
                Value::Integer(*number as i128)
            }
            Value::Range(Range::Floats(first, last)) => match (one(&Value::Float(*first)), one(&Value::Float(*last))) {
                (Value::Integer(first), Value::Integer(last)) => Value::Range(Range::Integers(first, last)),
                _ => value.clone(),
            },
            Value::List(elements) => Value::list(elements.iter().map(one)),
            Value::Map(entries) => {
                Value::Map(std::sync::Arc::new(entries.iter().map(|(key, value)| (key.clone(), one(value))).collect()))
            }
            Value::Not(inner) => Value::Not(one(inner).into()),
            other => other.clone(),
        }
    }
    one(value).written()
}

/// Whether two values are the same; values of different kinds are not.
pub(crate) fn is_same(left: &Value, right: &Value) -> bool {
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return left.cmp(right) == Ordering::Equal;
    }
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => left == right || is_same_protocol(left, right),
        // Protocols compare by number, however they are written.
        (Value::Text(name), Value::Integer(number)) | (Value::Integer(number), Value::Text(name)) => {
            protocol::number(name).is_some_and(|known| i128::from(known) == *number)
        }
        (Value::Range(left), Value::Range(right)) => {
            ends(*left).into_iter().zip(ends(*right)).all(|(left, right)| is_same(&left, &right))
        }
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right.iter()).all(|(left, right)| is_same(left, right))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.len() == right.len()
                && left.iter().zip(right.iter()).all(|(left, right)| left.0 == right.0 && is_same(left.1, right.1))
        }
        (Value::Not(left), Value::Not(right)) => is_same(left, right),
        (left, right) => left == right,
    }
}

fn is_same_protocol(left: &str, right: &str) -> bool {
    protocol::number(left).is_some_and(|number| protocol::number(right) == Some(number))
}

/// Whether two values are of one kind, so that they can be compared.
pub(crate) fn is_one_kind(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Integer(_) | Value::Float(_), Value::Integer(_) | Value::Float(_)) => true,
        (Value::Address(left), Value::Address(right)) => left.is_ipv4() == right.is_ipv4(),
        (Value::Text(name), Value::Integer(_)) | (Value::Integer(_), Value::Text(name)) => {
            protocol::number(name).is_some()
        }
        (left, right) => std::mem::discriminant(left) == std::mem::discriminant(right),
    }
}

/// Which of two values of one kind comes first; none where the kind has no order.
pub(crate) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return Some(left.cmp(right));
    }
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Address(left), Value::Address(right)) if left.is_ipv4() == right.is_ipv4() => Some(left.cmp(right)),
        _ => None,
    }
}

/// Whether a value lies within a range, a list or a network; what is of another kind does not.
pub(crate) fn is_in(value: &Value, container: &Value) -> bool {
    match container {
        Value::Range(range) => is_in_range(value, *range),
        Value::Network(network) => is_in_network(value, *network),
        Value::List(elements) => elements.iter().any(|element| admits(element, value)),
        _ => false,
    }
}

/// Whether an element of a list is the value or contains it.
pub(crate) fn admits(element: &Value, value: &Value) -> bool {
    let contains = matches!(element, Value::Range(_) | Value::Network(_)) && is_in(value, element);
    contains || is_same(element, value)
}

fn is_in_range(value: &Value, range: Range) -> bool {
    let [first, last] = ends(range);
    let is_between = |value: &Value| {
        let is_after = order(&first, value).is_some_and(Ordering::is_le);
        is_after && order(value, &last).is_some_and(Ordering::is_le)
    };
    match value {
        Value::Range(inner) => ends(*inner).iter().all(is_between),
        Value::Network(network) => {
            is_between(&Value::Address(network.address())) && is_between(&Value::Address(network.last()))
        }
        Value::Text(name) => protocol::number(name).is_some_and(|number| is_between(&Value::Integer(number.into()))),
        value => is_between(value),
    }
}

fn is_in_network(value: &Value, network: Network) -> bool {
    addresses(value).is_some_and(|(first, last)| {
        first.is_ipv4() == network.address().is_ipv4()
            && network::number(network.address()) <= network::number(first)
            && network::number(last) <= network::number(network.last())
    })
}

/// The first and the last address of an address, a network or a range of addresses.
pub(crate) fn addresses(value: &Value) -> Option<(IpAddr, IpAddr)> {
    match value {
        Value::Address(address) => Some((*address, *address)),
        Value::Network(network) => Some((network.address(), network.last())),
        Value::Range(Range::Addresses(first, last)) => Some((*first, *last)),
        _ => None,
    }
}

/// Both ends of a range.
pub(crate) fn ends(range: Range) -> [Value; 2] {
    match range {
        Range::Integers(first, last) => [Value::Integer(first), Value::Integer(last)],
        Range::Floats(first, last) => [Value::Float(first), Value::Float(last)],
        Range::Addresses(first, last) => [Value::Address(first), Value::Address(last)],
    }
}
