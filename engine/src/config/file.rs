//! The configuration file: read within a bound, parsed, and walked along the table of keys.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::keys::{self, KEYS, Key, ORGANIZATIONS};
use super::layers::Layers;
use super::mistake::Mistakes;
use super::organizations::{self, Declared};
use super::place::{Place, Source};
use super::suggest;
use super::value::{Written, quoted};

/// The largest file read, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;

/// What a file can fail by beside its content.
pub(super) enum Unreadable {
    System(io::Error),
    TooLarge(u64),
}

impl Unreadable {
    pub(super) fn reason(&self) -> String {
        match self {
            Self::System(error) if error.kind() == io::ErrorKind::NotFound => "there is no such file".to_owned(),
            Self::System(error) if error.kind() == io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            Self::System(error) if error.kind() == io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
            Self::System(error) => error.to_string(),
            Self::TooLarge(most) => format!("it is larger than {most} bytes"),
        }
    }
}

/// The bytes of a file of at most `most` bytes.
pub(super) fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(Unreadable::System)?;
    if bytes.len() as u64 > most { Err(Unreadable::TooLarge(most)) } else { Ok(bytes) }
}

/// What the file says beside its keys.
#[derive(Default)]
pub(super) struct Content {
    pub(super) organizations: Vec<Declared>,
    /// Whether all of it was understood: else what is missing may stand where it was not.
    pub(super) is_whole: bool,
    /// Where each section begins.
    pub(super) sections: BTreeMap<&'static str, Place>,
}

/// Reads the file, puts its values into `layers` and its mistakes into `mistakes`.
pub(super) fn read(path: &Path, layers: &mut Layers, mistakes: &mut Mistakes) -> Content {
    let source = match source(path) {
        Ok(source) => source,
        Err((place, message)) => {
            mistakes.add(place, message, None);
            return Content::default();
        }
    };
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    let mut walk = Walk { source: &source, layers, mistakes: Mistakes::default(), content: Content::default() };
    walk.root(table.get_ref());
    let Walk { mistakes: mut found, mut content, .. } = walk;
    content.is_whole = errors.is_empty();
    let end = source.text.len();
    let mut broken_lines = Vec::new();
    for error in errors {
        let place = source.place(error.span().unwrap_or(end..end));
        // One slip makes the parser stumble several times over its line.
        let line = line(&place);
        if !broken_lines.contains(&line) {
            broken_lines.push(line);
            mistakes.add(place, error.message(), None);
        }
        if mistakes.is_full() {
            break;
        }
    }
    found.retain(|mistake| !broken_lines.contains(&line(&mistake.place)));
    mistakes.append(found);
    content
}

fn line(place: &Place) -> usize {
    match place {
        Place::Spot(spot) => spot.line,
        Place::File(_) | Place::Variable(_) | Place::Flag(_) | Place::Default => 0,
    }
}

fn source(path: &Path) -> Result<Source, (Place, String)> {
    let bytes = read_bounded(path, MOST_BYTES)
        .map_err(|error| (Place::File(path.to_owned()), format!("the file cannot be read: {}", error.reason())))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(path, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            // Up to the first bad byte both texts are the same.
            Err((Source::new(path, text).place(at..at + 1), "the file is not UTF-8 text".to_owned()))
        }
    }
}

/// The way through the document.
pub(super) struct Walk<'a> {
    pub(super) source: &'a Source,
    layers: &'a mut Layers,
    pub(super) mistakes: Mistakes,
    content: Content,
}

impl Walk<'_> {
    fn root(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            let place = name.span();
            let name = name.get_ref().as_ref();
            if name == ORGANIZATIONS {
                let declared = organizations::read(self, value);
                self.content.organizations = declared;
            } else if let Some(section) = keys::sections().find(|section| *section == name) {
                self.content.sections.insert(section, self.source.place(place.clone()));
                match value.get_ref() {
                    DeValue::Table(table) => self.section(section, table),
                    _ => self.add(
                        value.span(),
                        format!("`{section}` must be a table"),
                        Some(format!("write `[{section}]` and its keys below")),
                    ),
                }
            } else {
                self.key(None, name, place, value);
            }
        }
    }

    fn section(&mut self, section: &'static str, table: &DeTable<'_>) {
        for (name, value) in table {
            self.key(Some(section), name.get_ref(), name.span(), value);
        }
    }

    fn key(
        &mut self,
        section: Option<&'static str>,
        name: &str,
        span: Range<usize>,
        value: &toml::Spanned<DeValue<'_>>,
    ) {
        match KEYS.iter().find(|key| key.parts() == (section, name)) {
            Some(key) => self.value(key, value),
            None => self.unknown(section, name, span),
        }
    }

    fn value(&mut self, key: &'static Key, value: &toml::Spanned<DeValue<'_>>) {
        let folder = self.source.path.parent().unwrap_or(Path::new(""));
        let place = self.source.place(value.span());
        self.layers.set(key, &Written::of_file(value.get_ref()), folder, place, &mut self.mistakes);
    }

    fn unknown(&mut self, section: Option<&'static str>, name: &str, span: Range<usize>) {
        if self.mistakes.is_full() {
            return self.mistakes.add(Place::Default, "", None);
        }
        let full = match section {
            Some(section) => format!("{section}.{name}"),
            None => name.to_owned(),
        };
        let known = KEYS.iter().map(|key| key.name);
        let elsewhere = KEYS.iter().find(|key| key.parts().1 == name && key.parts().0 != section);
        let help = match elsewhere {
            Some(key) => Some(format!("did you mean `{}`?", key.name)),
            None if section.is_none() => {
                suggest::help(&full, known.chain(keys::sections()).chain(std::iter::once(ORGANIZATIONS)))
            }
            None => suggest::help(&full, known),
        };
        self.add(span, format!("there is no key {}", quoted(&full)), help);
    }

    /// Notes a mistake at a place of the file.
    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        self.mistakes.add(self.source.place(span), message, help);
    }
}
