//! The effective configuration as TOML, each value with its place.

use std::fmt::Write;

use linesman_schemas::FilterLevel;
use linesman_schemas::command::DeviceGroup;

use super::check::Checked;
use super::keys::{KEYS, Key, Kind, ORGANIZATION_KEYS, ORGANIZATIONS, sections};
use super::layers::Layers;
use super::mask;
use super::organizations::Declared;
use super::value::Value;

/// Text that, read as a configuration file, is the same configuration; masked passwords excepted.
pub(super) fn text(layers: &Layers, checked: &Checked) -> String {
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
    for declared in layers.organizations() {
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

pub(super) fn shown(key: &Key, value: &Value) -> String {
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
    text.push_str(&format!("\n[[{ORGANIZATIONS}]] # {}\n", declared.place));
    for key in ORGANIZATION_KEYS {
        text.push_str(&format!("{} = {}\n", key.parts().1, of_organization(declared, key)));
    }
}

/// A key of an organization as TOML spells its value.
pub(super) fn of_organization(declared: &Declared, key: &Key) -> String {
    let Declared { organization, .. } = declared;
    let settings = &organization.settings;
    match key.kind {
        Kind::OrgName => quoted(organization.name.as_str()),
        Kind::Flag => settings.is_proxy.to_string(),
        Kind::FilterLevel => quoted(level_name(settings.filter_level)),
        Kind::DeviceGroups => {
            let groups: Vec<String> = settings.device_groups.iter().map(group).collect();
            format!("[{}]", groups.join(", "))
        }
        _ => quoted(&settings.display_name),
    }
}

pub(super) fn level_name(level: FilterLevel) -> &'static str {
    FilterLevel::ALL.into_iter().find(|(other, _)| *other == level).map_or("", |(_, name)| name)
}

fn group(group: &DeviceGroup) -> String {
    let devices: Vec<String> = group.devices.iter().map(|device| quoted(device)).collect();
    format!("{{ name = {}, devices = [{}] }}", quoted(&group.name), devices.join(", "))
}

/// A text as TOML spells it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
