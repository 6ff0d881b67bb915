//! Values and their places as JSON, secrets masked.

use serde_json::{Map, Value as Json, json};

use super::check::Checked;
use super::keys::{KEYS, Key, Kind};
use super::layers::Layers;
use super::organizations::Declared;
use super::place::{Layer, Place};
use super::value::Value;
use super::{mask, print};

/// The effective configuration. What is not set is null; without an upstream its keys are left out.
pub(super) fn effective(layers: &Layers, checked: &Checked) -> Json {
    let is_shown = |key: &&Key| checked.has_upstream || key.parts().0 != Some("upstream");
    let setting = |key: &Key| match layers.get(key.name) {
        Some(said) => said_of(key, said),
        None => json!({"value": null}),
    };
    let settings: Map<String, Json> =
        KEYS.iter().filter(is_shown).map(|key| (key.name.to_owned(), setting(key))).collect();
    json!({"settings": settings, "organizations": organizations(layers.organizations())})
}

pub(super) fn organizations(declared: &[Declared]) -> Json {
    declared.iter().map(organization).collect()
}

/// A value and its place.
pub(super) fn said_of(key: &Key, (value, place): &(Value, Place)) -> Json {
    json!({"value": of_value(key, value), "from": of_place(place)})
}

fn of_value(key: &Key, value: &Value) -> Json {
    match value {
        Value::Text(text) if matches!(key.kind, Kind::NatsUrl) => json!(mask::url(text)),
        Value::Text(text) => json!(text),
        Value::Path(path) => json!(path.display().to_string()),
        Value::Number(number) => json!(number),
        Value::Flag(flag) => json!(flag),
        Value::Address(address) => json!(address.to_string()),
    }
}

/// `layer`, and what of it: `file`, `line` and `column`, or the `name` of a variable or a flag.
pub(super) fn of_place(place: &Place) -> Json {
    let layer = match place.layer() {
        None => return json!({"layer": "default"}),
        Some(Layer::File) => "file",
        Some(Layer::Environment) => "environment",
        Some(Layer::Flags) => "flag",
    };
    match place {
        Place::Spot(spot) => {
            let named = if spot.layer == Layer::File { "file" } else { "name" };
            json!({"layer": layer, named: spot.path.display().to_string(), "line": spot.line, "column": spot.column})
        }
        other => json!({"layer": layer, "name": other.to_string()}),
    }
}

fn organization(declared: &Declared) -> Json {
    let settings = &declared.organization.settings;
    json!({
        "name": declared.organization.name,
        "display_name": settings.display_name,
        "proxy": settings.is_proxy,
        "filter_level": print::level_name(settings.filter_level),
        "device_groups": settings.device_groups,
        "from": of_place(&declared.place),
    })
}
