//! The list of organizations: tables of the file, or a list that a variable or a flag holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use linesman_schemas::OrgName;
use linesman_schemas::command::{DeviceGroup, OrganizationSettings};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Organization;
use super::file::Walk;
use super::keys::{self, Key, Kind, ORGANIZATION_KEYS, ORGANIZATIONS};
use super::place::{Layer, Place};
use super::suggest;
use super::value::{self, Value, Written, quoted};

/// The longest name of a group and of a pattern, in characters.
const MOST_NAME: usize = 256;

/// An organization of the file and where it stands.
pub(super) struct Declared {
    pub(super) organization: Organization,
    pub(super) place: Place,
}

/// Reads all that can be read; the rest becomes mistakes.
pub(super) fn read(walk: &mut Walk<'_>, value: &Spanned<DeValue<'_>>) -> Vec<Declared> {
    let DeValue::Array(list) = value.get_ref() else {
        let help = match walk.source.layer {
            Layer::File => format!("write `[[{ORGANIZATIONS}]]` before the keys of each"),
            Layer::Environment | Layer::Flags => "for example `[{ name = \"acme\", proxy = true }]`".to_owned(),
        };
        walk.add(value.span(), format!("`{ORGANIZATIONS}` must be a list of tables"), Some(help));
        return Vec::new();
    };
    let mut seen = BTreeMap::new();
    let mut declared = Vec::new();
    for entry in list {
        let DeValue::Table(table) = entry.get_ref() else {
            walk.add(entry.span(), "an organization must be a table", None);
            continue;
        };
        declared.extend(one(walk, table, entry, &mut seen));
    }
    declared
}

/// What is said of one organization, as far as it is right.
#[derive(Default)]
struct Draft {
    name: Option<OrgName>,
    display_name: Option<String>,
    is_proxy: bool,
    filter_level: linesman_schemas::FilterLevel,
    device_groups: Vec<DeviceGroup>,
}

fn one(
    walk: &mut Walk<'_>,
    table: &DeTable<'_>,
    entry: &Spanned<DeValue<'_>>,
    seen: &mut BTreeMap<OrgName, Place>,
) -> Option<Declared> {
    let mut draft = Draft::default();
    let mut is_named = false;
    for (name, value) in table {
        let Some(key) = ORGANIZATION_KEYS.iter().find(|key| key.parts().1 == name.get_ref().as_ref()) else {
            let known = ORGANIZATION_KEYS.iter().map(|key| key.parts().1);
            let help = suggest::help(name.get_ref(), known);
            walk.add(name.span(), format!("there is no key {} of an organization", quoted(name.get_ref())), help);
            continue;
        };
        is_named |= key.parts().1 == "name";
        if matches!(key.kind, Kind::DeviceGroups) {
            draft.device_groups = groups(walk, value);
        } else {
            set(walk, &mut draft, key, value, seen);
        }
    }
    if !is_named {
        walk.add(entry.span(), "the organization has no `name`", Some("for example `name = \"acme\"`".to_owned()));
    }
    let place = walk.source.place(entry.span());
    let name = draft.name?;
    let mut settings = OrganizationSettings {
        display_name: draft.display_name.unwrap_or_else(|| name.to_string()),
        is_proxy: draft.is_proxy,
        filter_level: draft.filter_level,
        device_groups: draft.device_groups,
        loaded: None,
    };
    settings.loaded = Some(hash(&settings)?);
    Some(Declared { organization: Organization { name, settings }, place })
}

fn set(
    walk: &mut Walk<'_>,
    draft: &mut Draft,
    key: &'static Key,
    value: &Spanned<DeValue<'_>>,
    seen: &mut BTreeMap<OrgName, Place>,
) {
    let name = key.parts().1;
    match value::read(name, key.kind, &Written::of_file(value.get_ref()), Path::new("")) {
        Ok(Value::Flag(flag)) => draft.is_proxy = flag,
        Ok(Value::Text(text)) => match name {
            "name" => {
                draft.name = text.parse().ok();
                if let Some(org) = &draft.name {
                    check_unique(walk, org, value, seen);
                }
            }
            "filter_level" => draft.filter_level = keys::filter_level(&text).unwrap_or_default(),
            _ => draft.display_name = Some(text),
        },
        Ok(Value::Path(_) | Value::Number(_) | Value::Address(_)) => {}
        Err(refusal) => walk.add(value.span(), refusal.message, refusal.help),
    }
}

/// Notes a name that an earlier organization has.
fn check_unique(walk: &mut Walk<'_>, org: &OrgName, value: &Spanned<DeValue<'_>>, seen: &mut BTreeMap<OrgName, Place>) {
    match seen.get(org).map(|first| format!("the first is at {first}")) {
        Some(help) => walk.add(value.span(), format!("organization `{org}` is there twice"), Some(help)),
        None => {
            seen.insert(org.clone(), walk.source.place(value.span()));
        }
    }
}

fn groups(walk: &mut Walk<'_>, value: &Spanned<DeValue<'_>>) -> Vec<DeviceGroup> {
    let DeValue::Array(list) = value.get_ref() else {
        let message = format!("`device_groups` must be {}", value::expected(Kind::DeviceGroups));
        walk.add(value.span(), message, None);
        return Vec::new();
    };
    let mut groups: Vec<DeviceGroup> = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in list {
        let Some(group) = group(walk, entry) else { continue };
        if !seen.insert(group.name.clone()) {
            walk.add(entry.span(), format!("device group {} is there twice", quoted(&group.name)), None);
        }
        groups.push(group);
    }
    groups
}

/// One group; none, with its mistakes noted, when it is wrong.
fn group(walk: &mut Walk<'_>, entry: &Spanned<DeValue<'_>>) -> Option<DeviceGroup> {
    let DeValue::Table(table) = entry.get_ref() else {
        walk.add(entry.span(), "a device group must be `{ name = \"...\", devices = [\"...\"] }`", None);
        return None;
    };
    let (mut name, mut devices) = (None, None);
    let mut is_wrong = false;
    for (key, value) in table {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("name", DeValue::String(text)) if value::is_label(text, MOST_NAME) => name = Some(text.to_string()),
            ("devices", DeValue::Array(list)) if !list.is_empty() => devices = Some(patterns(walk, list)),
            ("name", _) => {
                is_wrong = true;
                let expected = value::expected(Kind::Text { most: MOST_NAME });
                walk.add(value.span(), format!("`name` of a device group must be {expected}"), None);
            }
            ("devices", _) => {
                is_wrong = true;
                let help = Some("`*` stands for any text".to_owned());
                walk.add(value.span(), "`devices` must be a list of host names, at least one", help);
            }
            (other, _) => {
                is_wrong = true;
                let help = suggest::help(other, ["name", "devices"]);
                walk.add(key.span(), format!("there is no key {} of a device group", quoted(other)), help);
            }
        }
    }
    match (name, devices) {
        (Some(name), Some(devices)) => Some(DeviceGroup { name, devices }),
        _ if is_wrong => None,
        (name, _) => {
            let missing = if name.is_none() { "name" } else { "devices" };
            walk.add(entry.span(), format!("the device group has no `{missing}`"), None);
            None
        }
    }
}

fn patterns(walk: &mut Walk<'_>, list: &toml::de::DeArray<'_>) -> Vec<String> {
    let mut patterns = Vec::new();
    for pattern in list {
        match pattern.get_ref() {
            DeValue::String(text) if value::is_label(text, MOST_NAME) => patterns.push(text.to_string()),
            _ => {
                let expected = value::expected(Kind::Text { most: MOST_NAME });
                walk.add(pattern.span(), format!("a host name must be {expected}"), None);
            }
        }
    }
    patterns
}

/// SHA-256, in hexadecimal, of the settings as JSON without `loaded`.
fn hash(settings: &OrganizationSettings) -> Option<String> {
    let mut json = serde_json::to_value(settings).ok()?;
    json.as_object_mut()?.remove("loaded");
    Some(hex::encode(Sha256::digest(canonical(&json).to_string())))
}

/// The same with the keys of every object sorted, however the JSON library keeps them.
fn canonical(json: &Json) -> Json {
    match json {
        Json::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            Json::Object(entries.into_iter().map(|(name, value)| (name.clone(), canonical(value))).collect())
        }
        Json::Array(list) => Json::Array(list.iter().map(canonical).collect()),
        other => other.clone(),
    }
}
