//! The values that templates see, and how each is spelled in a configuration.
//!
//! Addresses and networks are texts to a template, which it can compare with a literal; numbers and
//! booleans are themselves; ranges and negations are objects, that print only where a spelling is certain.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, Value};

use crate::configuration::Filling;

/// A value that is given to a template.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplateValue {
    /// An integer, from `i64::MIN` to `u64::MAX`.
    Integer(i128),
    /// A finite number.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// Any text: a name, an interface, a protocol.
    Text(String),
    /// An address.
    Address(IpAddr),
    /// A network: its address, host bits zero, and the length of its prefix.
    Network(IpAddr, u8),
    /// From one value to another, both included.
    Range(Box<TemplateValue>, Box<TemplateValue>),
    /// Values in their order.
    List(Vec<TemplateValue>),
    /// Values by name.
    Map(BTreeMap<String, TemplateValue>),
    /// Everything but this value, in a match condition.
    Not(Box<TemplateValue>),
}

impl From<&TemplateValue> for Value {
    fn from(value: &TemplateValue) -> Self {
        match value {
            TemplateValue::Integer(number) => match i64::try_from(*number) {
                Ok(number) => Self::from(number),
                Err(_) => Self::from(*number),
            },
            TemplateValue::Float(number) => Self::from(*number),
            TemplateValue::Boolean(is_true) => Self::from(*is_true),
            TemplateValue::Text(text) => Self::from(text.as_str()),
            TemplateValue::Address(address) => Self::from(address.to_string()),
            TemplateValue::Network(address, length) => Self::from(format!("{address}/{length}")),
            TemplateValue::Range(first, last) => {
                Self::from_object(Held::Range(Self::from(&**first), Self::from(&**last)))
            }
            TemplateValue::List(values) => values.iter().map(Self::from).collect(),
            TemplateValue::Map(values) => Values::from(values).0,
            TemplateValue::Not(value) => Self::from_object(Held::Not(Self::from(&**value))),
        }
    }
}

/// Values that a template finds by their names.
#[derive(Debug, Clone)]
pub struct Values(pub(super) Value);

impl Values {
    /// Values in the order of their names, each name once.
    pub fn in_order(values: impl Iterator<Item = (Arc<str>, TemplateValue)>) -> Self {
        Self(Value::from_object(Named(values.map(|(name, value)| (name, Value::from(&value))).collect())))
    }
}

impl From<&BTreeMap<String, TemplateValue>> for Values {
    fn from(values: &BTreeMap<String, TemplateValue>) -> Self {
        let named = values.iter().map(|(name, value)| (name.as_str().into(), Value::from(value)));
        Self(Value::from_object(Named(named.collect())))
    }
}

/// Values in the order of their names.
#[derive(Debug)]
struct Named(Vec<(Arc<str>, Value)>);

impl Object for Named {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let at = self.0.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        self.0.get(at).map(|(_, value)| value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.iter().map(|(name, _)| Value::from(&**name)).collect())
    }
}

/// What is more than one word, or not the same one everywhere.
#[derive(Debug)]
pub(super) enum Held {
    Range(Value, Value),
    Not(Value),
    /// Words side by side, such as `192.0.2.0/24 except`.
    Words(Vec<Value>),
}

impl Object for Held {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (&**self, key.as_str()?) {
            (Self::Range(first, _), "first") => Some(first.clone()),
            (Self::Range(_, last), "last") => Some(last.clone()),
            _ => None,
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &**self {
            Self::Range(first, last) => write!(f, "{first}-{last}"),
            Self::Not(value) => write!(f, "not {value}"),
            Self::Words(words) => {
                for (i, word) in words.iter().enumerate() {
                    let space = if i == 0 { "" } else { " " };
                    write!(f, "{space}{word}")?;
                }
                Ok(())
            }
        }
    }
}

/// The value beneath a `not`, and nothing for any other.
pub(super) fn negated(value: &Value) -> Option<Value> {
    match value.downcast_object_ref::<Held>()? {
        Held::Not(value) => Some(value.clone()),
        Held::Range(..) | Held::Words(_) => None,
    }
}

/// What a value prints.
pub(super) fn spell(value: &Value) -> Result<Filling, Error> {
    if let Some(Held::Words(words)) = value.downcast_object_ref::<Held>() {
        return Ok(Filling::Words(words.iter().map(word).collect::<Result<_, _>>()?));
    }
    if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Ok(Filling::List(value.try_iter()?.map(|element| word(&element)).collect::<Result<_, _>>()?));
    }
    Ok(Filling::Words(vec![word(value)?]))
}

/// The one word that a value is.
fn word(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Number => Ok(value.to_string()),
        ValueKind::String => Ok(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Bool => Err(refused("a boolean is no word of a configuration: write `{% if %}`")),
        ValueKind::Map => Err(refused("a map is no word of a configuration: print one of its values")),
        ValueKind::Seq | ValueKind::Iterable => {
            Err(refused("a list within a list cannot be printed: write `{% for %}`"))
        }
        ValueKind::Undefined | ValueKind::None => Err(refused("there is no value to print")),
        _ => match value.downcast_object_ref::<Held>() {
            Some(Held::Range(first, last)) => Ok(format!("{first}-{last}")),
            Some(Held::Not(_)) => Err(refused(
                "a `not` has no spelling of its own: print `|except`, or ask `is negated` and print `|bare`",
            )),
            Some(Held::Words(_)) => Err(refused("words side by side cannot stand in a list")),
            None => Err(refused("this is no value: call the macro, or print one of its parts")),
        },
    }
}

/// An error of a value that is used where it cannot be.
pub(super) fn refused(text: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, text)
}
