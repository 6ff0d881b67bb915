//! The configuration file: read within a bound, parsed, and walked along the table of keys.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::keys::{self, KEYS, Key, ORGANIZATIONS};
use super::layers::Layers;
use super::mistake::{Mistake, Mistakes};
use super::organizations;
use super::place::{Layer, Place, Source};
use super::suggest;
use super::value::{Written, list, quoted};

/// The largest file read, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;
/// The longest line of it, in bytes. Finding a place costs time in proportion to its line.
const MOST_LINE_BYTES: usize = 16 * 1024;

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
    /// Whether all of it was understood: else what is missing may stand where it was not.
    pub(super) is_whole: bool,
    /// Where each section begins.
    pub(super) sections: BTreeMap<&'static str, Place>,
}

/// Reads the file, puts its values into `layers` and its mistakes into `mistakes`.
pub(super) fn read(path: &Path, layers: &mut Layers, mistakes: &mut Mistakes) -> Content {
    let source = match source(path) {
        Ok(source) => source,
        Err(mistake) => {
            mistakes.add(mistake.place, mistake.message, mistake.help);
            return Content::default();
        }
    };
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    let mut walk = Walk { source: &source, layers, mistakes: Mistakes::default(), content: Content::default() };
    walk.root(table.get_ref());
    let Walk { mistakes: mut found, mut content, .. } = walk;
    content.is_whole = errors.is_empty();
    let broken_lines = syntax(&source, &errors, mistakes);
    found.retain(|mistake| match &mistake.place {
        Place::Spot(spot) => !broken_lines.contains(&spot.line),
        Place::File(_) | Place::Variable(_) | Place::Flag(_) | Place::Default => true,
    });
    mistakes.append(found);
    content
}

/// Notes the first error of every line: one slip makes the parser stumble several times over its line.
/// The lines are returned, for what was understood of them may be wrong.
fn syntax(source: &Source, errors: &[toml::de::Error], mistakes: &mut Mistakes) -> BTreeSet<usize> {
    let end = source.text.len();
    let mut lines = BTreeSet::new();
    for error in errors {
        let span = error.span().unwrap_or(end..end);
        if lines.insert(source.line(span.start)) {
            // The place of one that is only counted is not worth finding.
            let place = if mistakes.is_full() { Place::Default } else { source.place(span) };
            mistakes.add(place, error.message(), None);
        }
    }
    lines
}

fn source(path: &Path) -> Result<Source, Box<Mistake>> {
    let mistake = |place, message: String, help: Option<&str>| {
        Box::new(Mistake { place, message, help: help.map(str::to_owned) })
    };
    let bytes = read_bounded(path, MOST_BYTES).map_err(|error| {
        mistake(Place::File(path.to_owned()), format!("the file cannot be read: {}", error.reason()), None)
    })?;
    let (text, wrong) = match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            // Up to the first wrong byte both texts are the same.
            let at = error.utf8_error().valid_up_to();
            (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(at))
        }
    };
    let source = Source::new(Layer::File, path, text);
    check_lines(&source)?;
    match wrong {
        Some(at) => Err(mistake(source.place(at..at), "the file is not UTF-8 text".to_owned(), None)),
        None => Ok(source),
    }
}

/// A line that is too long, as a mistake.
fn check_lines(source: &Source) -> Result<(), Box<Mistake>> {
    let Some(start) = source.line_longer_than(MOST_LINE_BYTES) else { return Ok(()) };
    Err(Box::new(Mistake {
        place: source.place(start..start),
        message: format!("the line is longer than {MOST_LINE_BYTES} bytes"),
        help: Some("break it behind a comma of a list".to_owned()),
    }))
}

/// Reads the list of organizations that a variable or a flag holds.
pub(super) fn read_organizations(source: &Source, layers: &mut Layers, mistakes: &mut Mistakes) {
    if let Err(mistake) = check_lines(source) {
        return mistakes.add(mistake.place, mistake.message, mistake.help);
    }
    let (value, errors) = DeValue::parse_recoverable(&source.text);
    if !errors.is_empty() {
        syntax(source, &errors, mistakes);
        return;
    }
    let mut walk = Walk { source, layers, mistakes: Mistakes::default(), content: Content::default() };
    let declared = organizations::read(&mut walk, &value);
    walk.layers.organize(declared, source.place(value.span()));
    mistakes.append(walk.mistakes);
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
                self.layers.organize(declared, self.source.place(place));
            } else if let Some(section) = keys::sections().find(|section| *section == name) {
                match value.get_ref() {
                    DeValue::Table(table) => {
                        self.content.sections.insert(section, self.source.place(place));
                        self.section(section, table);
                    }
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
            None => self.unknown(section, name, span, value.get_ref()),
        }
    }

    fn value(&mut self, key: &'static Key, value: &toml::Spanned<DeValue<'_>>) {
        let folder = self.source.path.parent().unwrap_or(Path::new(""));
        let place = self.source.place(value.span());
        self.layers.set(key, &Written::of_file(value.get_ref()), folder, place, &mut self.mistakes);
    }

    fn unknown(&mut self, section: Option<&'static str>, name: &str, span: Range<usize>, value: &DeValue<'_>) {
        if self.mistakes.is_full() {
            return self.add(span, "", None);
        }
        let full = section.map_or_else(|| name.to_owned(), |section| format!("{section}.{name}"));
        let homes: Vec<&str> = KEYS.iter().filter(|key| key.parts().1 == name).map(|key| key.name).collect();
        let help = if homes.is_empty() {
            let lists = keys::sections().chain(std::iter::once(ORGANIZATIONS));
            suggest::help(&full, KEYS.iter().map(|key| key.name).chain(lists))
        } else {
            Some(format!("did you mean {}?", list(&homes, "or")))
        };
        let what = if value.is_table() { "section" } else { "key" };
        self.add(span, format!("there is no {what} {}", quoted(&full)), help);
    }

    /// Notes a mistake at a place of the file.
    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        // The place of one that is only counted is not worth finding.
        let place = if self.mistakes.is_full() { Place::Default } else { self.source.place(span) };
        self.mistakes.add(place, message, help);
    }
}
