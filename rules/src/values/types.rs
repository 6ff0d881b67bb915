//! Whether a value fits the types of a parameter, and the form it takes there.

use std::fmt;
use std::sync::Arc;

use super::edition::Edition;
use super::interface;
use super::kind::Type;
use super::mistake::Mistake;
use super::network::{self, Network};
use super::operators::in_i64;
use super::parser::too_many_elements;
use super::protocol;
use super::value::{Range, Value};
use crate::diagnostic::nearest;

/// The types of a parameter, of which a value must fit one. None said is any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Types(Vec<Type>);

impl Types {
    /// These types.
    pub fn new(types: impl IntoIterator<Item = Type>) -> Self {
        Self(types.into_iter().collect())
    }

    /// The types in the order they were said.
    pub fn iter(&self) -> impl Iterator<Item = Type> + '_ {
        self.0.iter().copied()
    }

    /// Whether no type is said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a parameter of these types may be substituted by the name of one of other types.
    pub fn accepts(&self, other: &Self) -> bool {
        if self.is_empty() || other.is_empty() {
            return true;
        }
        self.iter().any(|own| other.iter().any(|kind| own.accepts(kind)))
    }

    /// The value as a parameter of these types has it: floats without a fraction are integers where a
    /// type asks for integers, and lists within lists are spliced.
    ///
    /// # Errors
    /// It fits none of the types. The mistake has no place, for that of the whole is meant.
    pub fn admit(&self, value: Value) -> Result<Value, Mistake> {
        self.admit_by(Edition::default(), value)
    }

    /// The same as an edition has it.
    ///
    /// # Errors
    /// Likewise.
    pub(super) fn admit_by(&self, edition: Edition, value: Value) -> Result<Value, Mistake> {
        let value = if edition.is_second() { unsigned_zeros(value) } else { value };
        match self.0.as_slice() {
            [] => Type::Any.admit(edition, value),
            [only] => only.admit(edition, value),
            several => {
                let mut help = None;
                for kind in several {
                    match kind.admit(edition, value.clone()) {
                        Ok(value) => return Ok(value),
                        Err(mistake) => help = help.or(mistake.help),
                    }
                }
                let words: Vec<String> = several.iter().map(|kind| format!("`{kind}`")).collect();
                let message = format!("`{}` fits none of {}", value.shown(), words.join(", "));
                Err(Mistake { help, ..Mistake::new(message) })
            }
        }
    }
}

impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str(Type::Any.as_str());
        }
        for (place, kind) in self.iter().enumerate() {
            write!(f, "{}{kind}", if place == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl Type {
    /// The value as a parameter of this type has it; see [`Types::admit`].
    fn admit(self, edition: Edition, value: Value) -> Result<Value, Mistake> {
        if self == Self::Any {
            value.weight()?;
            return match &value {
                Value::List(elements) if elements.len() > Value::MOST_ELEMENTS => Err(too_many_elements()),
                _ => Ok(value),
            };
        }
        let Value::List(elements) = value else { return self.admit_negated(edition, value) };
        if !self.takes_list() {
            return Err(Mistake::new(format!("`{self}` takes no list")).with_help("give one value"));
        }
        let mut admitted = Vec::with_capacity(elements.len());
        self.splice(edition, &elements, &mut admitted, 0)?;
        Ok(Value::List(admitted.into()))
    }

    fn splice(
        self,
        edition: Edition,
        elements: &[Value],
        admitted: &mut Vec<Value>,
        depth: usize,
    ) -> Result<(), Mistake> {
        if depth > Value::MOST_DEPTH {
            return Err(Mistake::new(format!("the value is nested deeper than {} levels", Value::MOST_DEPTH)));
        }
        for element in elements {
            if let Value::List(inner) = element {
                self.splice(edition, inner, admitted, depth + 1)?;
                continue;
            }
            if admitted.len() == Value::MOST_ELEMENTS {
                return Err(too_many_elements());
            }
            admitted.push(self.admit_negated(edition, element.clone())?);
        }
        Ok(())
    }

    fn admit_negated(self, edition: Edition, value: Value) -> Result<Value, Mistake> {
        let Value::Not(inner) = value else { return self.admit_matched(edition, value) };
        if !self.takes_not() {
            let mistake = Mistake::new(format!("`{self}` takes no `not`, as in `not {}`", inner.shown()));
            return Err(mistake.with_help("only what is matched can be negated"));
        }
        self.admit_matched(edition, Arc::unwrap_or_clone(inner)).map(|value| Value::Not(value.into()))
    }

    fn admit_matched(self, edition: Edition, value: Value) -> Result<Value, Mistake> {
        let Value::Range(range) = value else { return self.admit_single(edition, value) };
        if !self.takes_range() {
            let help = if self.takes_list() { "give single values" } else { "give one value" };
            return Err(Mistake::new(format!("`{self}` takes no range, as `{range}` is")).with_help(help));
        }
        let single = |value| self.admit_single(edition, value);
        let range = match range {
            Range::Integers(first, last) => {
                single(Value::Integer(first))?;
                single(Value::Integer(last))?;
                range
            }
            Range::Floats(first, last) => match (single(Value::Float(first))?, single(Value::Float(last))?) {
                (Value::Integer(first), Value::Integer(last)) => Range::Integers(first, last),
                _ => range,
            },
            Range::Addresses(first, last) => {
                single(Value::Address(first))?;
                single(Value::Address(last))?;
                range
            }
        };
        Ok(Value::Range(range))
    }

    fn admit_single(self, edition: Edition, value: Value) -> Result<Value, Mistake> {
        match (self, &value) {
            (Self::Any, _) => Ok(value),
            (Self::Protocol, Value::Text(name)) => self.check_protocol(name).map(|()| value),
            (Self::Number, Value::Integer(number)) => match in_i64(*number) {
                Some(_) => Ok(value),
                None => Err(self.out_of_bounds(&value, i64::MIN.into(), i64::MAX.into())),
            },
            (Self::Number, Value::Float(_))
            | (Self::Network, Value::Network(_))
            | (Self::Address, Value::Address(_))
            | (Self::Boolean, Value::Boolean(_)) => Ok(value),
            (Self::AddressMask, Value::Address(address)) => {
                if network::is_mask(*address) {
                    return Ok(value);
                }
                let mistake = Mistake::new(format!("`{address}` is not the mask of a prefix"));
                Err(mistake.with_help("a mask has ones before zeros, as `255.255.255.0` or `mask(192.0.2.0/24)`"))
            }
            (Self::Interface, Value::Text(text)) => self.check_interface(edition, text).map(|()| value),
            (Self::String, Value::Text(text)) => self.check_string(text).map(|()| value),
            _ => match self.bounds() {
                Some((least, most)) => self.admit_integer(&value, least, most),
                None => Err(self.wrong_kind(&value)),
            },
        }
    }

    fn admit_integer(self, value: &Value, least: i128, most: i128) -> Result<Value, Mistake> {
        let number = match value {
            Value::Integer(number) => *number,
            Value::Float(number) if number.fract() != 0.0 => {
                let mistake = Mistake::new(format!("`{self}` takes integers, and `{value}` has a fraction"));
                return Err(mistake.with_help(format!("`round({value})` is an integer")));
            }
            // Beyond the ends of i128 the cast gives the ends, which are out of all bounds.
            Value::Float(number) => *number as i128,
            other => return Err(self.wrong_kind(other)),
        };
        if (least..=most).contains(&number) {
            return Ok(Value::Integer(number));
        }
        Err(self.out_of_bounds(value, least, most))
    }

    fn out_of_bounds(self, value: &Value, least: i128, most: i128) -> Mistake {
        let message = format!("`{value}` is out of the bounds of `{self}`");
        Mistake::new(message).with_help(format!("`{self}` takes {least} to {most}"))
    }

    /// A value of another kind than the type takes.
    fn wrong_kind(self, value: &Value) -> Mistake {
        let wanted = match self {
            Self::Network => "networks",
            Self::Address => "addresses",
            Self::AddressMask => "masks",
            Self::Interface => "names of interfaces",
            Self::Protocol => "numbers or names of protocols",
            Self::Number => "numbers",
            Self::String => "texts",
            Self::Boolean => "`true` or `false`",
            _ => "integers",
        };
        let message = format!("`{self}` takes {wanted}, and `{}` is {}", value.shown(), value.describe());
        let help = match (self, value) {
            (Self::Network, Value::Address(address)) => {
                Some(format!("write `{address}/{}`", if address.is_ipv4() { 32 } else { 128 }))
            }
            (Self::Address, Value::Network(network)) => Some(self.address_of(*network)),
            (Self::AddressMask, Value::Network(network)) => Some(format!("write `mask({network})`")),
            (Self::Interface | Self::String | Self::Protocol, _) => {
                Some("names and texts stand in double quotes".to_owned())
            }
            (_, Value::Text(_)) => Some(format!("write a value of `{self}` without quotes")),
            _ => None,
        };
        Mistake { help, ..Mistake::new(message) }
    }

    fn address_of(self, network: Network) -> String {
        if network.address() == network.last() {
            return format!("write `{}`", network.address());
        }
        format!("write `host({network}, 1)` for one address, or `{}..{}` for all", network.address(), network.last())
    }

    fn check_protocol(self, name: &str) -> Result<(), Mistake> {
        if protocol::number(name).is_some() {
            return Ok(());
        }
        let help = match nearest(&name.to_lowercase(), protocol::names()) {
            Some(near) => format!("did you mean `\"{near}\"`?"),
            None => "give its number, 0 to 255".to_owned(),
        };
        Err(Mistake::new(format!("`{}` is no protocol that is known", Value::text(name).shown())).with_help(help))
    }

    fn check_string(self, text: &str) -> Result<(), Mistake> {
        const MOST: usize = 1_024;
        if text.chars().nth(MOST).is_some() {
            return Err(Mistake::new(format!("a `{self}` has at most {MOST} characters")).with_help("shorten it"));
        }
        match text.chars().find(|c| c.is_control()) {
            Some(control) => {
                let message = format!("a `{self}` has no control characters, as `{}` is", control.escape_debug());
                Err(Mistake::new(message).with_help("leave it out"))
            }
            None => Ok(()),
        }
    }

    /// An interface's name is made of characters that have no meaning in a configuration.
    fn check_interface(self, edition: Edition, text: &str) -> Result<(), Mistake> {
        const MOST: usize = 64;
        let example = "write for example `\"ge-0/0/1.100\"`, `\"ge-0/0/*\"` or `\"xe-0/[0-3]/0\"`";
        if text.chars().nth(MOST).is_some() {
            return Err(Mistake::new(format!("an `{self}` has at most {MOST} characters")).with_help("shorten it"));
        }
        let is_name = match edition.is_second() {
            true => interface::is_pattern(text),
            false => interface::is_old_pattern(text),
        };
        if is_name {
            return Ok(());
        }
        let message = format!("`{}` is no name of an interface", Value::text(text).shown());
        Err(Mistake::new(message).with_help(example))
    }
}

/// A value with zeros that have no sign: they are printed as they compare.
fn unsigned_zeros(value: Value) -> Value {
    let has_zeros = |value: &Value| matches!(value, Value::List(_) | Value::Map(_) | Value::Not(_));
    match value {
        Value::Float(number) => Value::Float(number + 0.0),
        Value::Range(Range::Floats(first, last)) => Value::Range(Range::Floats(first + 0.0, last + 0.0)),
        // Only what is within others in a value of floats is made anew.
        Value::List(elements) if elements.iter().any(|element| has_zeros(element) || is_of_floats(element)) => {
            Value::list(elements.iter().cloned().map(unsigned_zeros))
        }
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.clone(), unsigned_zeros(value.clone())));
            Value::Map(Arc::new(entries.collect()))
        }
        Value::Not(inner) => Value::Not(unsigned_zeros(Arc::unwrap_or_clone(inner)).into()),
        other => other,
    }
}

const fn is_of_floats(value: &Value) -> bool {
    matches!(value, Value::Float(_) | Value::Range(Range::Floats(..)))
}
