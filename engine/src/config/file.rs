//! The configuration file: read within a bound, parsed, and walked along the tables of sections.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use linesman_connectors::settings::Section;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::layers::Layers;
use super::mistake::{Mistake, Mistakes};
use super::origin::{Layer, Origin, Source};
use super::sections::Setting;
use super::value::quoted;
use super::wording::list;
use super::{suggest, tables};

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
    pub(super) sections: BTreeMap<&'static str, Origin>,
}

/// Reads the file, puts its values into `layers` and its mistakes into `mistakes`.
pub(super) fn read(path: &Path, layers: &mut Layers, mistakes: &mut Mistakes) -> Content {
    let source = match source(path) {
        Ok(source) => source,
        Err(mistake) => {
            mistakes.add(mistake.origin, mistake.message, mistake.help);
            return Content::default();
        }
    };
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    let mut walk = Walk { source: &source, layers, mistakes: Mistakes::default(), content: Content::default() };
    walk.root(table.get_ref());
    let Walk { mistakes: mut found, mut content, .. } = walk;
    content.is_whole = errors.is_empty();
    let broken_lines = syntax(&source, &errors, mistakes);
    found.retain(|mistake| match &mistake.origin {
        Origin::Spot(spot) => !broken_lines.contains(&spot.line),
        Origin::File(_) | Origin::Variable(_) | Origin::Flag(_) | Origin::Default => true,
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
            let origin = if mistakes.is_full() { Origin::Default } else { source.origin(span) };
            mistakes.add(origin, error.message(), None);
        }
    }
    lines
}

/// The file's text.
pub(super) fn source(path: &Path) -> Result<Source, Box<Mistake>> {
    let mistake = |origin, message: String, help: Option<&str>| {
        Box::new(Mistake { origin, message, help: help.map(str::to_owned) })
    };
    let bytes = read_bounded(path, MOST_BYTES).map_err(|error| {
        mistake(Origin::File(path.to_owned()), format!("the file cannot be read: {}", error.reason()), None)
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
        Some(at) => Err(mistake(source.origin(at..at), "the file is not UTF-8 text".to_owned(), None)),
        None => Ok(source),
    }
}

/// A line that is too long, as a mistake.
fn check_lines(source: &Source) -> Result<(), Box<Mistake>> {
    let Some(start) = source.line_longer_than(MOST_LINE_BYTES) else { return Ok(()) };
    Err(Box::new(Mistake {
        origin: source.origin(start..start),
        message: format!("the line is longer than {MOST_LINE_BYTES} bytes"),
        help: Some("break it behind a comma of a list".to_owned()),
    }))
}

/// What a text of a variable or a flag is for.
#[derive(Clone, Copy)]
pub(super) enum Asked {
    /// A key of a section that is no list.
    Setting(Setting),
    /// A list as a whole.
    List(&'static Section),
}

/// Reads the TOML that a variable or a flag holds.
pub(super) fn read_value(source: &Source, asked: Asked, layers: &mut Layers, mistakes: &mut Mistakes) {
    if let Asked::Setting(setting) = asked {
        layers.name(setting);
    }
    if let Err(mistake) = check_lines(source) {
        return mistakes.add(mistake.origin, mistake.message, mistake.help);
    }
    let (value, errors) = DeValue::parse_recoverable(&source.text);
    if !errors.is_empty() {
        syntax(source, &errors, mistakes);
        return;
    }
    let mut walk = Walk { source, layers, mistakes: Mistakes::default(), content: Content::default() };
    match asked {
        Asked::Setting(setting) => walk.value(setting, &value),
        Asked::List(section) => walk.list(section, &value, value.span()),
    }
    mistakes.append(walk.mistakes);
}

/// The way through the document.
pub(super) struct Walk<'a> {
    pub(super) source: &'a Source,
    layers: &'a mut Layers,
    mistakes: Mistakes,
    content: Content,
}

impl Walk<'_> {
    fn root(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            let span = name.span();
            let name = name.get_ref().as_ref();
            match (self.layers.sections.named(name), value.get_ref()) {
                (Some(section), _) if section.is_list() => self.list(section, value, span),
                (Some(section), DeValue::Table(table)) => {
                    self.content.sections.insert(section.name, self.source.origin(span));
                    for (name, value) in table {
                        self.key(section.name, name.get_ref(), name.span(), value);
                    }
                }
                (Some(section), _) => self.add(
                    value.span(),
                    format!("`{}` must be a table", section.name),
                    Some(format!("write `[{}]` and its keys below", section.name)),
                ),
                (None, _) => self.key("", name, span, value),
            }
        }
    }

    fn list(&mut self, section: &'static Section, value: &Spanned<DeValue<'_>>, span: Range<usize>) {
        let listed = tables::read(self, section, value);
        self.layers.list(section, listed, self.source.origin(span));
    }

    fn key(&mut self, section: &'static str, name: &str, span: Range<usize>, value: &Spanned<DeValue<'_>>) {
        let is_meant = |setting: &Setting| setting.section.name == section && setting.key.name == name;
        match self.layers.sections.settings().find(is_meant) {
            Some(setting) => self.value(setting, value),
            None => self.unknown(section, name, span, value.get_ref()),
        }
    }

    fn value(&mut self, setting: Setting, value: &Spanned<DeValue<'_>>) {
        self.layers.name(setting);
        let name = format!("`{}`", setting.name());
        if let Some(read) = tables::of_key(self, &name, setting.key.kind, value) {
            let origin = self.source.origin(value.span());
            self.layers.say(setting, read, origin);
        }
    }

    fn unknown(&mut self, section: &str, name: &str, span: Range<usize>, value: &DeValue<'_>) {
        if self.mistakes.is_full() {
            return self.add(span, "", None);
        }
        let full = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
        let sections = &self.layers.sections;
        let homes: Vec<String> =
            sections.settings().filter(|setting| setting.key.name == name).map(Setting::name).collect();
        let help = if homes.is_empty() {
            let known: Vec<String> = sections.settings().map(Setting::name).collect();
            let named = sections.all().map(|section| section.name).filter(|name| !name.is_empty());
            suggest::help(&full, known.iter().map(String::as_str).chain(named))
        } else {
            let homes: Vec<&str> = homes.iter().map(String::as_str).collect();
            Some(format!("did you mean {}?", list(&homes, "or")))
        };
        let what = if value.is_table() { "section" } else { "key" };
        self.add(span, format!("there is no {what} {}", quoted(&full)), help);
    }

    /// Where relative paths start: at the file's folder, in a variable or a flag at the working directory.
    pub(super) fn folder(&self) -> &Path {
        match self.source.layer {
            Layer::File => self.source.path.parent().unwrap_or(Path::new("")),
            Layer::Environment | Layer::Flags => Path::new(""),
        }
    }

    /// Notes a mistake at a place of the file.
    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        // The place of one that is only counted is not worth finding.
        let origin = if self.mistakes.is_full() { Origin::Default } else { self.source.origin(span) };
        self.mistakes.add(origin, message, help);
    }
}
