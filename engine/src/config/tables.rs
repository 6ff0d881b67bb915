//! Lists of tables, and the values in them: of the file, or of TOML that a variable or a flag holds.
//!
//! Reads all that can be read; the rest becomes mistakes.

use std::collections::BTreeMap;
use std::ops::Range;

use linesman_connectors::settings::{Entry, Key, Kind, Section, Shape, Tables, Texts, Value};
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::file::Walk;
use super::origin::{Layer, Origin};
use super::value::{self, Written, quoted};
use super::{suggest, wording};

/// One table of a list, as far as it is right, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) entry: Entry,
    pub(super) origin: Origin,
    /// Where the paths of files stand that are looked at later.
    pub(super) files: BTreeMap<&'static str, Origin>,
}

impl Listed {
    /// The name by which it is told apart.
    pub(super) fn name(&self, section: &Section) -> String {
        section.keys.first().and_then(|key| self.entry.text(key.name)).unwrap_or_default()
    }
}

/// What a table of a list may hold, and what it is called.
#[derive(Clone, Copy)]
struct Form {
    /// One of them, with its article.
    one: &'static str,
    keys: &'static [Key],
    is_nested: bool,
}

impl Form {
    /// What it is called, without the article.
    fn noun(self) -> &'static str {
        self.one.split_once(' ').map_or(self.one, |(_, noun)| noun)
    }

    /// A key of it, for people.
    fn label(self, key: &Key) -> String {
        if self.is_nested { format!("`{}` of {}", key.name, self.one) } else { format!("`{}`", key.name) }
    }
}

/// The tables of a section that is a list.
pub(super) fn read(walk: &mut Walk<'_>, section: &'static Section, value: &Spanned<DeValue<'_>>) -> Vec<Listed> {
    let one = if let Shape::List(one) = section.shape { one } else { section.name };
    let form = Form { one, keys: section.keys, is_nested: false };
    let DeValue::Array(list) = value.get_ref() else {
        let help = match walk.source.layer {
            Layer::File => format!("write `[[{}]]` before the keys of each", section.name),
            Layer::Environment | Layer::Flags => format!("for example `{}`", wording::example_of_list(section.keys)),
        };
        walk.add(value.span(), format!("`{}` must be a list of tables", section.name), Some(help));
        return Vec::new();
    };
    entries(walk, form, list)
}

fn entries(walk: &mut Walk<'_>, form: Form, list: &DeArray<'_>) -> Vec<Listed> {
    let mut seen = BTreeMap::new();
    let mut listed = Vec::new();
    for entry in list {
        match entry.get_ref() {
            DeValue::Table(table) => listed.extend(one(walk, form, table, entry.span(), &mut seen)),
            _ if form.is_nested => {
                walk.add(entry.span(), format!("{} must be {}", form.one, wording::form(form.keys)), None);
            }
            _ => walk.add(entry.span(), format!("{} must be a table", form.one), None),
        }
    }
    listed
}

/// One table; none when it has no name. `seen` are the names before it and where they stand.
fn one(
    walk: &mut Walk<'_>,
    form: Form,
    table: &DeTable<'_>,
    span: Range<usize>,
    seen: &mut BTreeMap<String, Origin>,
) -> Option<Listed> {
    let mut values = BTreeMap::new();
    let mut files = BTreeMap::new();
    // Named with a good value, a bad one, or in a wrong spelling: each is one mistake at most.
    let mut named: Vec<&str> = Vec::new();
    for (name, value) in table {
        let Some(key) = form.keys.iter().find(|key| key.name == name.get_ref().as_ref()) else {
            let nearest = suggest::nearest(name.get_ref(), form.keys.iter().map(|key| key.name));
            let help = nearest.map(suggest::did_you_mean);
            walk.add(name.span(), format!("there is no key {} of {}", quoted(name.get_ref()), form.one), help);
            named.extend(nearest);
            continue;
        };
        named.push(key.name);
        let Some(read) = of_key(walk, &form.label(key), key.kind, value) else { continue };
        if let (Value::Text(text), Some(first)) = (&read, form.keys.first())
            && first.name == key.name
        {
            check_unique(walk, form, text, value.span(), seen);
        }
        if matches!(key.kind, Kind::PasswordFile | Kind::Certificates) {
            files.insert(key.name, walk.source.origin(value.span()));
        }
        values.insert(key.name, read);
    }
    for key in form.keys.iter().filter(|key| key.is_required && !named.contains(&key.name)) {
        let example = |text| format!("for example `{} = {}`", key.name, wording::spelled(key.kind, text));
        walk.add(span.clone(), format!("the {} has no `{}`", form.noun(), key.name), key.example.map(example));
    }
    complete(form.keys, &mut values);
    let is_named = form.keys.first().is_some_and(|key| values.contains_key(key.name));
    let origin = if form.is_nested { Origin::Default } else { walk.source.origin(span) };
    is_named.then(|| Listed { entry: values.into_iter().collect(), origin, files })
}

/// Gives what is not said the value it has then.
fn complete(keys: &[Key], values: &mut BTreeMap<&'static str, Value>) {
    for key in keys.iter().filter(|key| !key.is_required) {
        if values.contains_key(key.name) {
            continue;
        }
        let value = match (key.default, key.same_as, key.kind) {
            (Some(text), _, kind) => value::of_default(kind, text),
            (None, Some(other), _) => values.get(other).cloned(),
            (None, None, Kind::Texts(_)) => Some(Value::Texts(Vec::new())),
            (None, None, Kind::Tables(_)) => Some(Value::Tables(Vec::new())),
            (None, None, _) => None,
        };
        if let Some(value) = value {
            values.insert(key.name, value);
        }
    }
}

/// Notes a name that an earlier table of the list has.
fn check_unique(walk: &mut Walk<'_>, form: Form, name: &str, span: Range<usize>, seen: &mut BTreeMap<String, Origin>) {
    match seen.get(name).map(|first| format!("the first is at {first}")) {
        Some(help) => walk.add(span, format!("{} {} is there twice", form.noun(), quoted(name)), Some(help)),
        None => {
            seen.insert(name.to_owned(), walk.source.origin(span));
        }
    }
}

/// The value of a key that is called `name`; none, with its mistakes noted, when it is wrong as a whole.
pub(super) fn of_key(walk: &mut Walk<'_>, name: &str, kind: Kind, value: &Spanned<DeValue<'_>>) -> Option<Value> {
    match (kind, value.get_ref()) {
        (Kind::Texts(form), DeValue::Array(list)) if !list.is_empty() => texts(walk, name, form, list, value.span()),
        (Kind::Texts(form), _) => {
            let message = format!("{name} must be {}", wording::expected(kind));
            walk.add(value.span(), message, form.help.map(str::to_owned));
            None
        }
        (Kind::Tables(form), DeValue::Array(list)) => tables(walk, name, form, list, value.span()),
        (Kind::Tables(_), _) => {
            walk.add(value.span(), format!("{name} must be {}", wording::expected(kind)), None);
            None
        }
        (kind, written) => match value::read(name, kind, &Written::of_file(written), walk.folder()) {
            Ok(value) => Some(value),
            Err(refusal) => {
                walk.add(value.span(), refusal.message, refusal.help);
                None
            }
        },
    }
}

fn texts(walk: &mut Walk<'_>, name: &str, form: &Texts, list: &DeArray<'_>, span: Range<usize>) -> Option<Value> {
    check_length(walk, name, list.len(), form.most, span)?;
    let mut texts = Vec::new();
    for text in list {
        match text.get_ref() {
            DeValue::String(text) if value::is_label(text, form.longest) => texts.push(text.to_string()),
            _ => {
                let expected = wording::expected(Kind::Text { most: form.longest });
                walk.add(text.span(), format!("{} must be {expected}", form.one), None);
            }
        }
    }
    Some(Value::Texts(texts))
}

fn tables(walk: &mut Walk<'_>, name: &str, form: &Tables, list: &DeArray<'_>, span: Range<usize>) -> Option<Value> {
    check_length(walk, name, list.len(), form.most, span)?;
    let form = Form { one: form.one, keys: form.keys, is_nested: true };
    Some(Value::Tables(entries(walk, form, list).into_iter().map(|listed| listed.entry).collect()))
}

/// Notes a list that is too long; none then.
fn check_length(walk: &mut Walk<'_>, name: &str, length: usize, most: usize, span: Range<usize>) -> Option<()> {
    if length > most {
        walk.add(span, format!("{name} has {length} entries; at most {most} are allowed"), None);
        return None;
    }
    Some(())
}
