//! Evaluated values, their canonical text and their bounds.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::mistake::Mistake;
use super::network::Network;
use crate::diagnostic::excerpt;

/// A value. Its [`fmt::Display`] is the canonical text: what is equal prints alike, and what is printed
/// reads as the same value again, but that a text at the top stands without quotes.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An integer from `i64::MIN` to `u64::MAX`.
    Integer(i128),
    /// A finite number with a fraction.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// A text.
    Text(Arc<str>),
    /// An address of IPv4 or IPv6.
    Address(IpAddr),
    /// A network of IPv4 or IPv6.
    Network(Network),
    /// All from one to another.
    Range(Range),
    /// Values in their written order.
    List(Arc<[Value]>),
    /// Values by their keys.
    Map(Arc<BTreeMap<Arc<str>, Value>>),
    /// All but a value, to be matched.
    Not(Arc<Value>),
}

/// All from a first to a last, both included, the first not behind the last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// Integers.
    Integers(i128, i128),
    /// Numbers with a fraction.
    Floats(f64, f64),
    /// Addresses of one family.
    Addresses(IpAddr, IpAddr),
}

impl Value {
    /// The most elements of a list, and entries of a map.
    pub const MOST_ELEMENTS: usize = 1_024;
    /// The most values within a value; every 64 bytes of a text count as one.
    pub const MOST_WEIGHT: usize = 16_384;
    /// The deepest nesting of lists and maps.
    pub const MOST_DEPTH: usize = 64;

    /// A text.
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// A list.
    pub fn list(elements: impl IntoIterator<Item = Self>) -> Self {
        Self::List(elements.into_iter().collect())
    }

    /// The canonical form for programs: a list as the list of its elements' texts, anything else as text.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::List(elements) => elements.iter().map(ToString::to_string).collect(),
            other => other.to_string().into(),
        }
    }

    /// What it is, for a message.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Boolean(_) => "a boolean",
            Self::Text(_) => "a text",
            Self::Address(IpAddr::V4(_)) => "an IPv4 address",
            Self::Address(IpAddr::V6(_)) => "an IPv6 address",
            Self::Network(_) => "a network",
            Self::Range(_) => "a range",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Not(_) => "a negation",
        }
    }

    /// The value as an expression writes it: also at the top a text stands in quotes.
    pub(crate) fn written(&self) -> String {
        Written(self).to_string()
    }

    /// The value for a message, as it would be written and cut where it is long.
    pub(crate) fn shown(&self) -> String {
        excerpt(&self.written())
    }

    /// How many values it holds, itself counted; every 64 bytes of a text are one.
    ///
    /// # Errors
    /// It holds more, or is nested deeper, than values may.
    pub(crate) fn weight(&self) -> Result<usize, Mistake> {
        self.weight_below(0)
    }

    fn weight_below(&self, levels: usize) -> Result<usize, Mistake> {
        if levels > Self::MOST_DEPTH {
            return Err(Mistake::new(format!("the value is nested deeper than {} levels", Self::MOST_DEPTH)));
        }
        let mut weight = 1;
        let mut hold = |value: &Self| {
            weight += value.weight_below(levels + 1)?;
            check_weight(weight)
        };
        match self {
            Self::List(elements) => elements.iter().try_for_each(hold)?,
            Self::Map(entries) => entries.values().try_for_each(hold)?,
            Self::Not(value) => hold(value)?,
            Self::Text(text) => weight += text.len() / 64,
            _ => {}
        }
        check_weight(weight)?;
        Ok(weight)
    }
}

/// Refuses what holds too much.
fn check_weight(weight: usize) -> Result<(), Mistake> {
    if weight > Value::MOST_WEIGHT {
        let message = format!("the value holds more than {} values", Value::MOST_WEIGHT);
        return Err(Mistake::new(message).with_help("give less, or split it over several parameters"));
    }
    Ok(())
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            other => Written(other).fmt(f),
        }
    }
}

/// A value as it is written within another: texts in quotes.
struct Written<'a>(&'a Value);

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Integer(number) => write!(f, "{number}"),
            Value::Float(number) => Decimal(*number).fmt(f),
            Value::Boolean(flag) => write!(f, "{flag}"),
            Value::Text(text) => quote(text, f),
            Value::Address(address) => write!(f, "{address}"),
            Value::Network(network) => write!(f, "{network}"),
            Value::Range(range) => range.fmt(f),
            Value::List(elements) => {
                f.write_str("[")?;
                for (place, element) in elements.iter().enumerate() {
                    f.write_str(if place == 0 { "" } else { ", " })?;
                    Written(element).fmt(f)?;
                }
                f.write_str("]")
            }
            Value::Map(entries) => {
                f.write_str("{")?;
                for (place, (key, value)) in entries.iter().enumerate() {
                    f.write_str(if place == 0 { "" } else { ", " })?;
                    match super::Name::new(key) {
                        Ok(_) => f.write_str(key)?,
                        Err(_) => quote(key, f)?,
                    }
                    write!(f, ": {}", Written(value))?;
                }
                f.write_str("}")
            }
            Value::Not(value) => write!(f, "not {}", Written(value)),
        }
    }
}

/// A text in quotes, as the lexer reads it.
fn quote(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use fmt::Write;
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// A float in the fewest digits that read as the same one, always with a point.
struct Decimal(f64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:?}", self.0);
        match text.split_once('e') {
            Some((digits, exponent)) if !digits.contains('.') => write!(f, "{digits}.0e{exponent}"),
            _ => f.write_str(&text),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integers(first, last) => write!(f, "{first}..{last}"),
            Self::Floats(first, last) => write!(f, "{}..{}", Decimal(*first), Decimal(*last)),
            Self::Addresses(first, last) => write!(f, "{first}..{last}"),
        }
    }
}
