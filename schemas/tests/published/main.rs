//! The published documents, `schemas/json` and `schemas/asyncapi.json`, are what the types say.
//!
//! `make schemas` writes them; without `LINESMAN_PUBLISH` a difference is a failure.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that finds something else has failed"
)]

mod asyncapi;
mod catalog;
mod devices;
mod elsewhere;
mod payload;
mod samples;
mod scripts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use catalog::{Form, Message, channels};
use jsonschema::Validator;
use serde_json::{Value, json};

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A message's schema as it is published.
fn schema(message: &Message) -> Option<Value> {
    let mut schema = message.schema.clone()?;
    schema["$id"] = json!(format!("urn:linesman:schema:{}", message.name));
    schema["title"] = json!(message.title);
    schema["description"] = json!(message.summary);
    schema["examples"] = json!(message.examples);
    Some(schema)
}

/// Messages by name; one that stands on several subjects once.
fn messages() -> BTreeMap<String, Message> {
    channels().into_iter().flat_map(|channel| channel.messages).map(|message| (message.name.clone(), message)).collect()
}

/// Every published document: path below `schemas`, and text.
fn documents() -> BTreeMap<PathBuf, String> {
    let text = |value: &Value| format!("{}\n", serde_json::to_string_pretty(value).unwrap());
    let mut documents: BTreeMap<_, _> = messages()
        .values()
        .filter_map(|message| Some((format!("json/{}.schema.json", message.name).into(), text(&schema(message)?))))
        .collect();
    documents.insert("asyncapi.json".into(), text(&asyncapi::document(&channels())));
    documents
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::options().should_validate_formats(true).build(schema).unwrap()
}

fn fault(validator: &Validator, value: &Value) -> Option<String> {
    validator.iter_errors(value).next().map(|error| format!("{}: {error}", error.instance_path()))
}

#[test]
fn the_published_documents_are_what_the_types_say() {
    let documents = documents();
    let json = folder().join("json");
    if std::env::var_os("LINESMAN_PUBLISH").is_some() {
        let _ = std::fs::remove_dir_all(&json);
        std::fs::create_dir_all(&json).unwrap();
        for (path, text) in &documents {
            std::fs::write(folder().join(path), text).unwrap();
        }
    }
    for (path, text) in &documents {
        let published = std::fs::read_to_string(folder().join(path)).unwrap_or_default();
        assert!(published == *text, "schemas/{} is not what the types say: run `make schemas`", path.display());
    }
    for entry in std::fs::read_dir(json).unwrap() {
        let path = Path::new("json").join(entry.unwrap().file_name());
        assert!(documents.contains_key(&path), "schemas/{} belongs to nothing: run `make schemas`", path.display());
    }
}

/// A schema stands in one file, whatever subjects its messages come on: its words are of all of them.
#[test]
fn what_stands_on_several_subjects_is_described_by_what_it_is_on_all() {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for message in channels().into_iter().flat_map(|channel| channel.messages) {
        let described = format!("{}: {}", message.title, message.summary);
        let before = known.entry(message.name).or_insert_with(|| described.clone());
        assert_eq!(*before, described);
    }
}

#[test]
fn every_schema_is_one_and_takes_its_examples() {
    for message in messages().values().filter(|message| message.form != Form::Bundle) {
        let schema = schema(message).unwrap();
        jsonschema::draft202012::meta::validate(&schema).unwrap_or_else(|error| panic!("{}: {error}", message.name));
        let validator = validator(&schema);
        assert!(!message.examples.is_empty(), "{} has no example", message.name);
        for example in &message.examples {
            assert_eq!(fault(&validator, example), None, "{}: {example}", message.name);
        }
    }
}

#[test]
fn every_example_is_read_by_who_reads_such_messages() {
    for message in messages().values() {
        for example in &message.examples {
            let bytes = match example {
                Value::String(text) if message.form == Form::Bundle => text.clone(),
                _ => example.to_string(),
            };
            assert_eq!((message.read)(bytes.as_bytes()), Ok(()), "{}: {example}", message.name);
        }
    }
}

/// An unknown field, a missing one and one of another type are noticed wherever the engine alone writes.
#[test]
fn what_the_engine_never_writes_is_refused() {
    for message in messages()
        .values()
        .filter(|message| matches!(message.form, Form::Own | Form::Events | Form::Override | Form::Mark))
    {
        let validator = validator(&schema(message).unwrap());
        let example = &message.examples[0];
        let Value::Object(fields) = example else { continue };
        let mut more = example.clone();
        more["surplus"] = json!(1);
        assert!(fault(&validator, &more).is_some(), "{} takes any field", message.name);
        for field in fields.keys().filter(|field| *field != "subject") {
            let mut less = example.clone();
            payload::take(&mut less, field);
            assert!(fault(&validator, &less).is_some(), "{} misses no `{field}`", message.name);
            let mut other = example.clone();
            other[field] = json!([1]);
            assert!(fault(&validator, &other).is_some(), "{} takes any `{field}`", message.name);
        }
    }
}

#[test]
fn a_batch_is_two_or_more_events() {
    for message in messages().values().filter(|message| message.form == Form::Events) {
        let validator = validator(&schema(message).unwrap());
        let event = &message.examples[0];
        assert_eq!(fault(&validator, &json!([event, event])), None, "{}", message.name);
        assert!(fault(&validator, &json!([event])).is_some(), "{}", message.name);
        assert!(fault(&validator, &json!([event, 1])).is_some(), "{}", message.name);
    }
}

/// Every `$ref` of a document that leads into itself, and every other.
fn references(value: &Value) -> (Vec<String>, Vec<String>) {
    let mut open = vec![value];
    let (mut own, mut others) = (Vec::new(), Vec::new());
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                    match reference.strip_prefix('#') {
                        Some(pointer) => own.push(pointer.to_owned()),
                        None => others.push(reference.to_owned()),
                    }
                }
                open.extend(object.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    (own, others)
}

/// Schemas name no host and refer to nothing outside themselves.
#[test]
fn every_schema_stands_alone() {
    for message in messages().values() {
        let Some(schema) = schema(message) else { continue };
        let (own, others) = references(&schema);
        assert!(others.is_empty(), "{}: {others:?}", message.name);
        for pointer in own {
            assert!(schema.pointer(&pointer).is_some(), "{}: {pointer} leads nowhere", message.name);
        }
    }
}

#[test]
fn whatever_the_document_refers_to_is_there() {
    let document = asyncapi::document(&channels());
    let (own, others) = references(&document);
    for pointer in own {
        assert!(document.pointer(&pointer).is_some(), "{pointer} leads nowhere");
    }
    let documents = documents();
    for file in others {
        let path = Path::new(file.trim_start_matches("./"));
        assert!(documents.contains_key(path), "{file} is not published");
    }
    for (name, channel) in document["channels"].as_object().unwrap() {
        assert!(!channel["messages"].as_object().unwrap().is_empty(), "{name} has no message");
        let address = channel["address"].as_str().unwrap();
        let parameters = channel["parameters"].as_object().map_or(0, serde_json::Map::len);
        assert_eq!(address.matches('{').count(), parameters, "{name}: {address}");
        let sought = json!(format!("#/channels/{name}"));
        let operations = document["operations"].as_object().unwrap();
        assert!(operations.values().any(|operation| operation["channel"]["$ref"] == sought), "nobody uses {name}");
    }
}

#[test]
#[ignore = "needs the official schema: `make asyncapi`"]
fn the_document_is_asyncapi() {
    let official = std::fs::read(std::env::var_os("LINESMAN_ASYNCAPI").expect("run `make asyncapi`")).unwrap();
    let official = serde_json::from_slice(&official).unwrap();
    let validator = jsonschema::draft7::new(&official).unwrap();
    assert_eq!(fault(&validator, &asyncapi::document(&channels())), None);
    assert!(validator.iter_errors(&json!({"asyncapi": "3.0.0"})).next().is_some());
}
