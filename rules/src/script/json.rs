//! From the values of a script to JSON, and back.

use rhai::{Array, Dynamic, ImmutableString, Map};
use serde_json::{Number, Value};

/// Deeper nesting is refused: readers of JSON have limits too.
const DEEPEST: usize = 16;

/// A map as a JSON object, and the bytes of its texts and keys plus 8 for every value.
///
/// # Errors
/// A message naming what JSON cannot hold.
pub(super) fn object(map: &Map, bytes: &mut usize) -> Result<serde_json::Map<String, Value>, String> {
    entries(map, DEEPEST, bytes)
}

fn entries(map: &Map, depth: usize, bytes: &mut usize) -> Result<serde_json::Map<String, Value>, String> {
    let mut object = serde_json::Map::new();
    for (key, value) in map {
        *bytes += key.len();
        object.insert(key.to_string(), json(value, depth, bytes)?);
    }
    Ok(object)
}

fn json(value: &Dynamic, depth: usize, bytes: &mut usize) -> Result<Value, String> {
    *bytes += 8;
    let deeper = || depth.checked_sub(1).ok_or_else(|| format!("values may stand {DEEPEST} deep within each other"));
    if let Ok(text) = value.as_immutable_string_ref() {
        *bytes += text.len();
        return Ok(Value::String(text.to_string()));
    }
    if let Ok(items) = value.as_array_ref() {
        let depth = deeper()?;
        return items.iter().map(|item| json(item, depth, bytes)).collect();
    }
    if let Ok(map) = value.as_map_ref() {
        return entries(&map, deeper()?, bytes).map(Value::Object);
    }
    if let Ok(number) = value.as_int() {
        return Ok(Value::Number(number.into()));
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(Value::Bool(flag));
    }
    if let Ok(c) = value.as_char() {
        return Ok(Value::String(c.to_string()));
    }
    if let Ok(number) = value.as_float() {
        return Number::from_f64(number).map(Value::Number).ok_or_else(|| format!("`{number}` is no number in JSON"));
    }
    if value.is_unit() {
        return Ok(Value::Null);
    }
    let hint = if value.is_fnptr() { "only what it returns" } else { "name the properties wanted" };
    Err(format!("{} cannot be sent, {hint}", describe(value)))
}

/// A JSON object as a script reads it. A whole number beyond what scripts count to is a float.
pub(super) fn map(object: &serde_json::Map<String, Value>) -> Dynamic {
    object.iter().map(|(key, value)| (key.as_str().into(), dynamic(value))).collect::<Map>().into()
}

fn dynamic(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => number.into(),
            (None, Some(number)) => number.into(),
            (None, None) => Dynamic::UNIT,
        },
        Value::String(text) => ImmutableString::from(text.as_str()).into(),
        Value::Array(items) => items.iter().map(dynamic).collect::<Array>().into(),
        Value::Object(object) => map(object),
    }
}

/// What a value is, for a message.
pub(super) fn describe(value: &Dynamic) -> &'static str {
    match value {
        _ if value.is_string() => "a text",
        _ if value.is_int() || value.is_float() => "a number",
        _ if value.is_bool() => "a flag",
        _ if value.is_char() => "a character",
        _ if value.is_array() => "a list",
        _ if value.is_map() => "a map",
        _ if value.is_unit() => "nothing",
        _ if value.is_fnptr() => "a function",
        _ => "an object",
    }
}
