//! A record: the bytes that are hashed, and how it is stored.

use std::borrow::Cow;

use linesman_schemas::audit::Record;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::tree::Hash;
use crate::Error;
use crate::table::Row;

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Its [`text`], until its time is over.
    pub body: Option<String>,
    /// The hash of that, which stays.
    pub leaf: Hash,
    /// What was done or why not, in words. No part of what is hashed; gone with the body.
    pub detail: String,
}

impl AuditRow {
    /// A record that is new, and its words.
    pub(super) fn new(text: String, detail: String) -> Self {
        Self { leaf: Hash::of_leaf(text.as_bytes()), body: Some(text), detail }
    }
}

impl Row for AuditRow {
    // The words are for people.
    fn form<'a>(&self, _level: u32, _stored: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
        let form = postcard::to_stdvec(&(&self.body, &self.leaf));
        form.map(Cow::Owned).map_err(Error::Encode)
    }
}

/// What is hashed of a record: its JSON without blanks, its fields in their order, those of old and new by name.
///
/// # Errors
/// It has no form in JSON.
pub fn text(record: Record) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Record { old: ordered(record.old), new: ordered(record.new), ..record })
}

/// The value with its fields by name, whatever order the JSON library is built to keep.
fn ordered(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(fields.into_iter().map(|(name, value)| (name, ordered(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(ordered).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}
