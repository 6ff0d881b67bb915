//! Values and their origins as JSON, secrets masked.

use linesman_connectors::settings::{Entry, Key, Kind, Section, Shape, Value};
use serde_json::{Map, Value as Json, json};

use super::check::Checked;
use super::layers::Layers;
use super::mask;
use super::origin::{Layer, Origin};
use super::sections::Setting;
use super::tables::Listed;

/// The effective configuration: all keys under `settings`, each list under its name. What is not set is null; the keys
/// of a section that is not there are left out.
pub(super) fn effective(layers: &Layers, checked: &Checked) -> Json {
    let (mut settings, mut json) = (Map::new(), Map::new());
    for section in layers.sections.all() {
        match section.shape {
            Shape::List(_) => {
                json.insert(section.name.to_owned(), of_list(section, layers.listed(section.name)));
            }
            Shape::Optional(_) if !checked.is_there(section) => {}
            Shape::Always | Shape::Optional(_) => {
                settings.extend(Setting::all(section).map(|setting| (setting.name(), of_setting(layers, setting))));
            }
        }
    }
    json.insert("settings".to_owned(), Json::Object(settings));
    Json::Object(json)
}

fn of_setting(layers: &Layers, setting: Setting) -> Json {
    match layers.get(&setting.name()) {
        Some(said) => said_of(setting.key, said),
        None => json!({"value": null}),
    }
}

/// The tables of a list, each with `from` beside its keys.
pub(super) fn of_list(section: &Section, listed: &[Listed]) -> Json {
    let one = |listed: &Listed| {
        let mut json = of_entry(section.keys, &listed.entry);
        json.insert("from".to_owned(), of_origin(&listed.origin));
        Json::Object(json)
    };
    listed.iter().map(one).collect()
}

fn of_entry(keys: &[Key], entry: &Entry) -> Map<String, Json> {
    let value = |key: &Key| entry.get(key.name).map_or(Json::Null, |value| of_value(key, value));
    keys.iter().map(|key| (key.name.to_owned(), value(key))).collect()
}

/// A value and its origin.
pub(super) fn said_of(key: &Key, (value, origin): &(Value, Origin)) -> Json {
    json!({"value": of_value(key, value), "from": of_origin(origin)})
}

fn of_value(key: &Key, value: &Value) -> Json {
    match value {
        Value::Text(text) if matches!(key.kind, Kind::NatsUrl) => json!(mask::url(text)),
        Value::Text(text) => json!(text),
        Value::Path(path) => json!(path.display().to_string()),
        Value::Secret(secret) => json!(secret.to_string()),
        Value::Number(number) => json!(number),
        Value::Flag(flag) => json!(flag),
        Value::Address(address) => json!(address.to_string()),
        Value::Texts(texts) => json!(texts),
        Value::Tables(tables) => match key.kind {
            Kind::Tables(form) => tables.iter().map(|entry| Json::Object(of_entry(form.keys, entry))).collect(),
            _ => json!([]),
        },
    }
}

/// `layer`, and what of it: `file`, `line` and `column`, or the `name` of a variable or a flag.
pub(super) fn of_origin(origin: &Origin) -> Json {
    let layer = match origin.layer() {
        None => return json!({"layer": "default"}),
        Some(Layer::File) => "file",
        Some(Layer::Environment) => "environment",
        Some(Layer::Flags) => "flag",
    };
    match origin {
        Origin::Spot(spot) => {
            let named = if spot.layer == Layer::File { "file" } else { "name" };
            json!({"layer": layer, named: spot.path.display().to_string(), "line": spot.line, "column": spot.column})
        }
        other => json!({"layer": layer, "name": other.to_string()}),
    }
}
