//! The effective configuration as TOML, each value with its place.

use std::fmt::Write;

use linesman_schemas::FilterLevel;
use linesman_schemas::command::DeviceGroup;

use super::check::Checked;
use super::file::Content;
use super::keys::{KEYS, Key, Kind, ORGANIZATIONS, sections};
use super::layers::Layers;
use super::mask;
use super::organizations::Declared;
use super::value::Value;

/// Text that, read as a configuration file, is the same configuration; masked passwords excepted.
pub(super) fn text(layers: &Layers, content: &Content, checked: &Checked) -> String {
    let mut text = String::new();
    keys(&mut text, layers, None);
    for section in sections() {
        if section == "upstream" && !checked.has_upstream {
            text.push_str("\n# [upstream] is not set: cases wait\n");
            continue;
        }
        text.push_str(&format!("\n[{section}]\n"));
        keys(&mut text, layers, Some(section));
    }
    for declared in &content.organizations {
        organization(&mut text, declared);
    }
    text
}

fn keys(text: &mut String, layers: &Layers, section: Option<&str>) {
    for key in KEYS.iter().filter(|key| key.parts().0 == section) {
        let name = key.parts().1;
        match layers.get(key.name) {
            Some((value, place)) => line(text, name, &shown(key, value), place),
            None => line(text, &format!("# {name}"), "", "not set"),
        }
    }
}

fn line(text: &mut String, name: &str, value: &str, place: impl std::fmt::Display) {
    let assignment = if value.is_empty() { name.to_owned() } else { format!("{name} = {value}") };
    // Writing into a text does not fail.
    let _ = writeln!(text, "{assignment} # {place}");
}

fn shown(key: &Key, value: &Value) -> String {
    match value {
        Value::Text(text) if matches!(key.kind, Kind::NatsUrl) => quoted(&mask::url(text)),
        Value::Text(text) => quoted(text),
        Value::Path(path) => quoted(&path.display().to_string()),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Address(address) => quoted(&address.to_string()),
    }
}

fn organization(text: &mut String, declared: &Declared) {
    let Declared { organization, place } = declared;
    let settings = &organization.settings;
    let level = FilterLevel::ALL.into_iter().find(|(level, _)| *level == settings.filter_level);
    text.push_str(&format!("\n[[{ORGANIZATIONS}]] # {place}\n"));
    text.push_str(&format!("name = {}\n", quoted(organization.name.as_str())));
    text.push_str(&format!("display_name = {}\n", quoted(&settings.display_name)));
    text.push_str(&format!("proxy = {}\n", settings.is_proxy));
    text.push_str(&format!("filter_level = {}\n", quoted(level.map_or("", |(_, name)| name))));
    let groups: Vec<String> = settings.device_groups.iter().map(group).collect();
    text.push_str(&format!("device_groups = [{}]\n", groups.join(", ")));
}

fn group(group: &DeviceGroup) -> String {
    let devices: Vec<String> = group.devices.iter().map(|device| quoted(device)).collect();
    format!("{{ name = {}, devices = [{}] }}", quoted(&group.name), devices.join(", "))
}

/// A text as TOML spells it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
