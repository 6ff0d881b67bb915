//! Devices that the file names in two device groups of an organization. The log decides whether it takes that: groups that an
//! organization has already stay as they are. So it is no mistake of the configuration, but is told where somebody asks.

use std::ops::Range;
use std::path::Path;

use linesman_domain::device_groups;
use linesman_domain::organizations::GroupRow;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::Mistake;
use super::{file, organizations};

const HELP: &str = "name it in one of them; an organization that has these very groups already keeps them";

/// A device group with where its devices stand.
struct Group {
    row: GroupRow,
    spans: Vec<Range<usize>>,
}

/// Each with its place.
///
/// # Errors
/// The file cannot be read.
pub fn named_twice(path: &Path) -> Result<Vec<Mistake>, Box<Mistake>> {
    let source = file::source(path)?;
    let (table, _) = DeTable::parse_recoverable(&source.text);
    let mut found = Vec::new();
    for organization in tables(table.get_ref(), organizations::SECTION.name) {
        let groups: Vec<Group> = tables(organization, "device_groups").filter_map(group).collect();
        let rows: Vec<GroupRow> = groups.iter().map(|group| group.row.clone()).collect();
        found.extend(device_groups::named_twice(&rows).into_iter().filter_map(|twice| {
            let group = groups.iter().find(|group| group.row.name == twice.group)?;
            let at = group.row.devices.iter().position(|device| *device == twice.device)?;
            let origin = source.origin(group.spans.get(at)?.clone());
            Some(Mistake { origin, message: twice.to_string(), help: Some(HELP.to_owned()) })
        }));
    }
    found.dedup();
    Ok(found)
}

fn value<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<&'a DeValue<'i>> {
    table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value.get_ref())
}

/// What is a table of a list.
fn tables<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> impl Iterator<Item = &'a DeTable<'i>> {
    list(table, key).filter_map(|entry| if let DeValue::Table(table) = entry.get_ref() { Some(table) } else { None })
}

fn list<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> impl Iterator<Item = &'a Spanned<DeValue<'i>>> {
    let list = if let Some(DeValue::Array(list)) = value(table, key) { Some(list) } else { None };
    list.into_iter().flatten()
}

fn group(table: &DeTable<'_>) -> Option<Group> {
    let Some(DeValue::String(name)) = value(table, "name") else { return None };
    let named = |entry: &Spanned<DeValue<'_>>| match entry.get_ref() {
        DeValue::String(device) => Some((device.to_string(), entry.span())),
        _ => None,
    };
    let (devices, spans) = list(table, "devices").filter_map(named).unzip();
    Some(Group { row: GroupRow { name: name.to_string(), devices }, spans })
}
