//! The values of one table, by key. They are of the kinds that the table's keys ask for.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::Secret;

/// A value that its kind allows.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of all kinds that are written as text.
    Text(String),
    /// A path, absolute.
    Path(PathBuf),
    /// What a file of secrets holds.
    Secret(Secret),
    /// A count, or seconds.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// Where to listen.
    Address(SocketAddr),
    /// A list of texts.
    Texts(Vec<String>),
    /// A list of tables.
    Tables(Vec<Entry>),
}

/// The values of one table: of a section, or of one entry of a list. A getter of a key that is not set, or of another
/// kind, has none; a list that is not set is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entry(BTreeMap<&'static str, Value>);

impl Entry {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// A text, a word, an address of the net.
    pub fn text(&self, key: &str) -> Option<String> {
        match self.get(key) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    /// A path.
    pub fn path(&self, key: &str) -> Option<PathBuf> {
        match self.get(key) {
            Some(Value::Path(path)) => Some(path.clone()),
            _ => None,
        }
    }

    /// A password.
    pub fn secret(&self, key: &str) -> Option<Secret> {
        match self.get(key) {
            Some(Value::Secret(secret)) => Some(secret.clone()),
            _ => None,
        }
    }

    /// A number in the type that takes it; its key's range is within that type.
    pub fn number<T: TryFrom<u64>>(&self, key: &str) -> Option<T> {
        match self.get(key) {
            Some(Value::Number(number)) => T::try_from(*number).ok(),
            _ => None,
        }
    }

    /// Yes or no.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key) {
            Some(Value::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    /// Where to listen.
    pub fn address(&self, key: &str) -> Option<SocketAddr> {
        match self.get(key) {
            Some(Value::Address(address)) => Some(*address),
            _ => None,
        }
    }

    /// A list of texts.
    pub fn texts(&self, key: &str) -> &[String] {
        match self.get(key) {
            Some(Value::Texts(texts)) => texts,
            _ => &[],
        }
    }

    /// A list of tables.
    pub fn tables(&self, key: &str) -> &[Self] {
        match self.get(key) {
            Some(Value::Tables(tables)) => tables,
            _ => &[],
        }
    }
}

impl FromIterator<(&'static str, Value)> for Entry {
    fn from_iter<I: IntoIterator<Item = (&'static str, Value)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// The tables of all sections that count, by section.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entries(BTreeMap<&'static str, Vec<Entry>>);

impl Entries {
    /// Adds a table of a section, behind those it has.
    pub fn add(&mut self, section: &'static str, entry: Entry) {
        self.0.entry(section).or_default().push(entry);
    }

    /// The table of a section that is no list; none where the section does not count.
    pub fn one(&self, section: &str) -> Option<&Entry> {
        self.all(section).first()
    }

    /// The tables of a list, in their order.
    pub fn all(&self, section: &str) -> &[Entry] {
        self.0.get(section).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_getter_of_another_kind_has_nothing() {
        let entry = Entry::from_iter([("a", Value::Number(300)), ("b", Value::Texts(vec!["x".to_owned()]))]);
        assert_eq!((entry.number("a"), entry.number::<u8>("a"), entry.text("a")), (Some(300_u32), None, None));
        assert_eq!((entry.texts("b").len(), entry.tables("b").len(), entry.flag("c")), (1, 0, None));
    }

    #[test]
    fn a_secret_does_not_show() {
        let entry = Entry::from_iter([("password_file", Value::Secret(Secret::new("hunter2")))]);
        assert!(!format!("{entry:?}").contains("hunter2"));
        assert_eq!(entry.secret("password_file").unwrap().expose(), "hunter2");
    }

    #[test]
    fn tables_keep_their_order() {
        let mut entries = Entries::default();
        entries.add("hooks", Entry::from_iter([("name", Value::Text("b".to_owned()))]));
        entries.add("hooks", Entry::from_iter([("name", Value::Text("a".to_owned()))]));
        let names: Vec<_> = entries.all("hooks").iter().filter_map(|entry| entry.text("name")).collect();
        assert_eq!(names, ["b", "a"]);
        assert!(entries.one("none").is_none());
    }
}
