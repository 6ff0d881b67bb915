//! JSON Schemas (draft 2020-12) from the types of what travels.

use linesman_schemas::event::Event;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

/// The schema of what the engine writes: nothing else ever stands in it.
pub(crate) fn written<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with_transform(Plain).with_transform(Closed);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// The schema of what others write: what it does not name is ignored.
pub(crate) fn read<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_deserialize().with_transform(Plain);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// The schema of a message of OUT: an event with data of `D` that is one of `kinds`, or a batch of such events.
pub(crate) fn events<D: JsonSchema + 'static>(kinds: &[String]) -> Value {
    let mut event = written::<Event<'static, D>>();
    let mut definitions = take_object(&mut event, "$defs");
    event["properties"]["type"] = match kinds {
        [kind] => json!({"const": kind, "description": "What kind of event."}),
        kinds => json!({"enum": kinds, "description": "What kind of event."}),
    };
    event["properties"]["source"]["pattern"] =
        json!("^/(organizations/[A-Za-z0-9][A-Za-z0-9_-]{0,63}|unknown|provider)$");
    take(&mut event, "$schema");
    event["title"] = json!("One event");
    event["description"] = json!("A CloudEvents 1.0 event in JSON.");
    definitions.insert("Event".to_owned(), event);
    let batch = json!({
        "title": "Several events",
        "description": "Events of one subject that were committed together, in their order.",
        "type": "array", "minItems": 2, "items": {"$ref": "#/$defs/Event"},
    });
    definitions.insert("Batch".to_owned(), batch);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "oneOf": [{"$ref": "#/$defs/Event"}, {"$ref": "#/$defs/Batch"}],
        "$defs": definitions,
    })
}

/// Leaves the alternatives with these tags; of one alone not even that it is one.
pub(crate) fn narrow_to(mut schema: Value, tags: &[&str]) -> Value {
    if let [tag] = tags {
        return narrow(schema, "", tag);
    }
    let alternatives = schema["oneOf"].as_array().cloned().unwrap_or_default();
    let is_kept = |one: &Value| tags.iter().any(|tag| one["required"] == json!([tag]));
    let kept: Vec<Value> = alternatives.into_iter().filter(is_kept).collect();
    assert_eq!(kept.len(), tags.len(), "there are not all of {tags:?}");
    schema["oneOf"] = Value::Array(kept);
    schema
}

/// Leaves one alternative of a definition: `tag` is its name, as serde spells it.
pub(crate) fn narrow(mut schema: Value, definition: &str, tag: &str) -> Value {
    let place = if definition.is_empty() { &mut schema } else { &mut schema["$defs"][definition] };
    let alternatives = place["oneOf"].as_array().cloned().unwrap_or_default();
    let is_tag = |alternative: &&Value| {
        alternative["required"] == json!([tag]) || alternative["const"] == tag || alternative["enum"] == json!([tag])
    };
    let found = alternatives.iter().find(is_tag).cloned();
    let Value::Object(found) = found.unwrap_or_else(|| panic!("`{definition}` has no alternative `{tag}`")) else {
        panic!("the alternative `{tag}` is no object");
    };
    take(place, "oneOf");
    for (key, value) in found {
        place[key] = value;
    }
    drop_unused(&mut schema);
    schema
}

/// Leaves out the definitions that nothing refers to any more.
fn drop_unused(schema: &mut Value) {
    loop {
        let text = schema.to_string();
        let Some(definitions) = schema.get_mut("$defs").and_then(Value::as_object_mut) else { return };
        let before = definitions.len();
        definitions.retain(|name, _| text.contains(&format!("\"#/$defs/{name}\"")));
        let after = definitions.len();
        if after == 0 {
            take(schema, "$defs");
        }
        if after == before {
            return;
        }
    }
}

pub(crate) fn take(schema: &mut Value, key: &str) -> Value {
    schema.as_object_mut().and_then(|object| object.remove(key)).unwrap_or_default()
}

fn take_object(schema: &mut Value, key: &str) -> Map<String, Value> {
    match take(schema, key) {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// Objects have no other fields than those that are named, and what may be absent is never null.
#[derive(Clone)]
struct Closed;

impl Transform for Closed {
    fn transform(&mut self, schema: &mut Schema) {
        if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
            schema.insert("additionalProperties".to_owned(), false.into());
            let required = schema.get("required").cloned().unwrap_or_default();
            let is_optional = |name: &String| !required.as_array().is_some_and(|names| names.iter().any(|n| n == name));
            let fields = schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten();
            for (_, field) in fields.filter(|(name, _)| is_optional(name)) {
                if let Some([kind, null]) = field.get("type").and_then(Value::as_array).map(Vec::as_slice)
                    && null == "null"
                {
                    field["type"] = kind.clone();
                }
                if let Some([other, null]) = field.get("anyOf").and_then(Value::as_array).map(Vec::as_slice)
                    && null["type"] == "null"
                {
                    let reference = other["$ref"].clone();
                    take(field, "anyOf");
                    field["$ref"] = reference;
                }
            }
        }
        transform_subschemas(self, schema);
    }
}

/// Descriptions are for readers of the schema: without the sources and links of the code's own comments, and without
/// formats that the drafts do not know.
#[derive(Clone)]
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::String(text)) = schema.get_mut("description") {
            let kept = text.split("Source: DOMAIN").next().unwrap_or_default().trim_end();
            *text = kept.replace("[`", "`").replace("`]", "`");
        }
        let is_numeric = schema.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint"));
        if is_numeric {
            schema.remove("format");
        }
        transform_subschemas(self, schema);
    }
}
