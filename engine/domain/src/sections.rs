//! The rule book as the log composes it, section by section: on lane 0, which decides what is loaded.
//!
//! Lanes judge by what they are handed ([`super::rule_book`]), lane 0 too: it composes a version here, and whoever
//! hands out brings it to all lanes once its content is there.

use std::borrow::Cow;

use linesman_schemas::control::{RuleBookRef, Section, SectionRef};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::desk::Desk;
use super::rule_book::{self, BookRow, Books};
use super::state::Base;
use super::table::{self, Key, Row, Table};
use super::{Error, coded};

/// The rule book that lanes are to judge by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionsRow {
    /// Counts up; 0 as long as a section is missing, and there is nothing to judge by.
    pub version: u64,
    /// The sections, by word.
    pub sections: Vec<SectionRow>,
}

/// A section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionRow {
    /// Which.
    #[serde(with = "coded")]
    pub section: Section,
    /// SHA-256 of its content, its name in the object store.
    pub hash: String,
    /// The same of what was last loaded from files; none where nothing ever was.
    pub loaded: Option<String>,
}

impl Row for SectionsRow {
    fn form<'a>(&self, _level: u32, _stored: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
        table::encode_bare(self).map(Cow::Owned)
    }
}

/// The table of the one composition.
pub const SECTIONS: Table<SectionsRow> = Table::new(b'l');

/// The composition's key.
pub fn key() -> Key<SectionsRow> {
    SECTIONS.key(&[], &[])
}

/// The rule book as lane 0's applied state has it composed; of before sections, as that lane judges by.
///
/// # Errors
/// The store cannot be read.
pub fn read(base: &(impl Base + ?Sized)) -> Result<SectionsRow, Error> {
    let known = Table::read(base, &key())?;
    Ok(match known {
        Some(row) => row,
        None => rule_book::read(base)?.as_ref().map(SectionsRow::of).unwrap_or_default(),
    })
}

impl SectionsRow {
    /// What a rule book is composed of that nothing was loaded into: each section of one of before sections is read
    /// from its one content.
    pub fn of(book: &BookRow) -> Self {
        let book = book.reference();
        if book.version == 0 {
            return Self::default();
        }
        let section =
            |section| book.content(section).map(|hash| SectionRow { section, hash: hash.to_owned(), loaded: None });
        Self { version: book.version, sections: Section::ALL.into_iter().filter_map(section).collect() }
    }

    /// A section, once it has been loaded.
    pub fn section(&self, section: Section) -> Option<&SectionRow> {
        self.sections.iter().find(|found| found.section == section)
    }

    /// Whether there is something in every section without which nothing is judged.
    pub fn is_whole(&self) -> bool {
        Section::NEEDED.iter().all(|section| self.section(*section).is_some())
    }

    /// Puts a section in the place of the one there is.
    pub(crate) fn put(&mut self, row: SectionRow) {
        self.sections.retain(|known| known.section != row.section);
        self.sections.push(row);
        self.sections.sort_by_key(|row| row.section.as_str());
    }

    /// It has another version, above its own and `known`, once there is something to judge by.
    ///
    /// INVARIANT (one version, one rule book): a version that some lane may have is given to no other.
    pub(crate) fn advance(&mut self, known: u64) {
        if self.is_whole() {
            self.version = self.version.max(known).saturating_add(1);
        }
    }

    /// How lanes are told of it; none as long as a section is missing.
    pub fn reference(&self) -> Option<RuleBookRef> {
        let sections = self.sections.iter();
        let sections = sections.map(|row| SectionRef { section: row.section, hash: row.hash.clone() }).collect();
        (self.version > 0).then(|| reference(self.version, sections))
    }
}

/// The section of the directory has another content from here on, which is composed of the rows of lane 0.
pub(crate) fn put_directory(desk: &mut Desk, books: &Books, hash: String) -> Result<(), Error> {
    let mut row = desk.read(&key())?.unwrap_or_else(|| SectionsRow::of(books.row()));
    if row.section(Section::Directory).is_some_and(|known| known.hash == hash) {
        return Ok(());
    }
    row.put(SectionRow { section: Section::Directory, hash, loaded: None });
    row.advance(books.row().version);
    desk.write(key(), &row)
}

/// How lanes are told of a rule book in sections, which come by word. Its hash is that of their words and hashes; one
/// whose sections all have the same content is one of before sections, and told of as such.
pub fn reference(version: u64, sections: Vec<SectionRef>) -> RuleBookRef {
    if let [first, others @ ..] = sections.as_slice()
        && !others.is_empty()
        && others.iter().all(|other| other.hash == first.hash)
    {
        return RuleBookRef { version, hash: first.hash.clone(), sections: Vec::new() };
    }
    let mut hasher = Sha256::new();
    for SectionRef { section, hash } in &sections {
        hasher.update(format!("{section} {hash}\n"));
    }
    let hash = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    RuleBookRef { version, hash, sections }
}
