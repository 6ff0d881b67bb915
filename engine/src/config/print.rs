//! The effective configuration as TOML, each value with its origin.

use std::fmt::Write;

use linesman_connectors::settings::{Entry, Key, Kind, Section, Shape, Value};

use super::check::Checked;
use super::layers::Layers;
use super::mask;
use super::origin::Origin;
use super::sections::Setting;
use super::tables::Listed;

/// Text that, read as a configuration file, is the same configuration; masked passwords excepted.
pub(super) fn text(layers: &Layers, checked: &Checked) -> String {
    let mut text = String::new();
    for section in layers.sections.all() {
        match section.shape {
            Shape::List(_) => layers.listed(section.name).iter().for_each(|listed| one(&mut text, section, listed)),
            Shape::Optional(without) if !checked.is_there(section) => {
                text.push_str(&format!("\n# [{}] is not set: {without}\n", section.name));
            }
            Shape::Always | Shape::Optional(_) => {
                if !section.name.is_empty() {
                    text.push_str(&format!("\n[{}]\n", section.name));
                }
                keys(&mut text, layers, section);
            }
        }
    }
    text
}

fn keys(text: &mut String, layers: &Layers, section: &'static Section) {
    for setting in Setting::all(section) {
        let name = setting.key.name;
        // Writing into a text does not fail.
        let _ = match layers.get(&setting.name()) {
            Some((_, Origin::Default)) if !layers.is_of_use(setting) => writeln!(text, "# {name} # of no use"),
            Some((value, origin)) => writeln!(text, "{name} = {} # {origin}", shown(setting.key, value)),
            None => writeln!(text, "# {name} # not set"),
        };
    }
}

fn one(text: &mut String, section: &Section, listed: &Listed) {
    text.push_str(&format!("\n[[{}]] # {}\n", section.name, listed.origin));
    for key in section.keys {
        match listed.entry.get(key.name) {
            Some(value) => text.push_str(&format!("{} = {}\n", key.name, shown(key, value))),
            None => text.push_str(&format!("# {} # not set\n", key.name)),
        }
    }
}

/// A value as TOML spells it, what is secret masked.
pub(super) fn shown(key: &Key, value: &Value) -> String {
    match value {
        Value::Text(text) if matches!(key.kind, Kind::NatsUrl) => quoted(&mask::url(text)),
        Value::Text(text) => quoted(text),
        Value::Path(path) => quoted(&path.display().to_string()),
        Value::Secret(secret) => quoted(&secret.to_string()),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Address(address) => quoted(&address.to_string()),
        Value::Texts(texts) => list(texts.iter().map(|text| quoted(text))),
        Value::Tables(tables) => match key.kind {
            Kind::Tables(form) => list(tables.iter().map(|entry| inline(form.keys, entry))),
            _ => list(std::iter::empty()),
        },
    }
}

/// A table on one line.
fn inline(keys: &[Key], entry: &Entry) -> String {
    let said = keys.iter().filter_map(|key| Some((key, entry.get(key.name)?)));
    let pairs: Vec<String> = said.map(|(key, value)| format!("{} = {}", key.name, shown(key, value))).collect();
    format!("{{ {} }}", pairs.join(", "))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// A text as TOML spells it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
