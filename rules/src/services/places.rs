//! Where in a file of TOML something stands.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Where a key stands, or what it says: `path` are the tables and keys that lead to it. Of a path that goes nowhere it
/// is the last part that there is; the beginning where there is none.
pub(super) fn key(text: &str, path: &[&str]) -> Range<usize> {
    found(text, path).map_or(0..0, |(key, _)| key)
}

/// The same of the value of a key.
pub(super) fn value(text: &str, path: &[&str]) -> Range<usize> {
    found(text, path).map_or(0..0, |(_, value)| value)
}

fn found(text: &str, path: &[&str]) -> Option<(Range<usize>, Range<usize>)> {
    let root = DeTable::parse(text).ok()?;
    let mut table = Some(root.get_ref());
    let mut found = None;
    for name in path {
        let Some((key, value)) = table.and_then(|table| table.get_key_value(*name)) else { break };
        table = match value.get_ref() {
            DeValue::Table(inner) => Some(inner),
            _ => None,
        };
        found = Some((key.span(), value.span()));
    }
    found
}
