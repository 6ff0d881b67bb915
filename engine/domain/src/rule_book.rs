//! The rule book that applies: another one is taken up where it stands in the log, and what it says of
//! policy files that could not be loaded is told.

use std::borrow::Cow;
use std::sync::Arc;

use linesman_schemas::control::{RefusedPolicy, RuleBookRef, Section, SectionRef};
use linesman_schemas::mode::Upstream;
use serde::{Deserialize, Serialize};

use super::Error;
use super::desk::Desk;
use super::differences::{self, Judged};
use super::input::RuleBook;
use super::managers::Managers;
use super::organizations::Organizations;
use super::outgoing::{POLICY_REFUSED, Topic};
use super::policies::Policies;
use super::services::Services;
use super::state::Base;
use super::table::{self, Key, Row, Table};
use super::{coded, reactions, removals, timers};

/// The rule book that applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookRow {
    /// Its version.
    pub version: u64,
    /// By what it is known, as in [`RuleBookRef`].
    pub hash: String,
    /// Its sections; none in one of before sections.
    pub sections: Vec<SectionHash>,
}

/// Which content a section has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionHash {
    /// The section.
    #[serde(with = "coded")]
    pub section: Section,
    /// SHA-256 of its content, its name in the object store.
    pub hash: String,
}

/// How it was before sections.
#[derive(Serialize, Deserialize)]
struct Whole {
    version: u64,
    hash: String,
}

impl Row for BookRow {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, bytes: &[u8]) -> Result<Self, postcard::Error> {
        match version {
            1 => {
                let Whole { version, hash } = postcard::from_bytes(bytes)?;
                Ok(Self { version, hash, sections: Vec::new() })
            }
            _ => Err(postcard::Error::DeserializeBadEncoding),
        }
    }

    fn form<'a>(&self, level: u32, _stored: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
        match level {
            1 => {
                let whole = Whole { version: self.version, hash: self.hash.clone() };
                postcard::to_stdvec(&whole).map(Cow::Owned).map_err(Error::Encode)
            }
            _ => table::encode_bare(self).map(Cow::Owned),
        }
    }
}

impl BookRow {
    /// How lanes are told of it.
    pub fn reference(&self) -> RuleBookRef {
        let sections = self.sections.iter();
        let sections =
            sections.map(|SectionHash { section, hash }| SectionRef { section: *section, hash: hash.clone() });
        RuleBookRef { version: self.version, hash: self.hash.clone(), sections: sections.collect() }
    }
}

/// The table of the one rule book.
pub const BOOKS: Table<BookRow> = Table::new(b'b');

/// The rule book's key.
pub fn key() -> Key<BookRow> {
    BOOKS.key(&[], &[])
}

/// The rule book that applies on a lane's applied state.
///
/// # Errors
/// The store cannot be read.
pub fn read(base: &(impl Base + ?Sized)) -> Result<Option<BookRow>, Error> {
    Table::read(base, &key())
}

/// The rule book of a lane; policies and settings it brought are where they are used.
pub(crate) struct Books {
    row: BookRow,
    /// What it says of files that could not be loaded.
    refused: Arc<[RefusedPolicy]>,
}

impl Books {
    /// The one that was taken up last, if any was.
    pub(crate) fn new(book: Option<&RuleBook>) -> Self {
        match book {
            Some(book) => Self { row: row(book), refused: Arc::clone(&book.refused) },
            None => {
                Self { row: BookRow { version: 0, hash: String::new(), sections: Vec::new() }, refused: Arc::default() }
            }
        }
    }

    /// The rule book that applies.
    pub(crate) fn row(&self) -> &BookRow {
        &self.row
    }

    /// Judges by another rule book from here on, unless the lane knows it, and tells of the files that
    /// were refused since the last one.
    pub(crate) fn take_up(
        &mut self,
        desk: &mut Desk,
        organizations: &Organizations,
        (policies, managers, services): (&mut Policies, &mut Managers, &mut Services),
        book: &RuleBook,
        sequence: u64,
    ) -> Result<(), Error> {
        if book.version <= self.row.version {
            desk.tally.input("ctl", "known");
            return Ok(());
        }
        desk.tally.input("ctl", "rule-book");
        let is_first = self.row.version == 0;
        let before = (!is_first).then(|| Judged::by(desk, policies, services));
        let was = std::mem::replace(&mut self.row, row(book));
        policies.replace(Arc::clone(&book.book));
        managers.take_up(desk.lane, &book.directory);
        removals::settle(desk, managers)?;
        removals::find(desk, organizations, &book.directory)?;
        services.take_up(desk, &book.services)?;
        desk.settings = book.settings.clone();
        desk.mode = book.installation.mode;
        let had_partner = desk.installed.has_partner;
        desk.installed.has_partner = book.installation.upstream == Upstream::Partner;
        if !is_first && desk.lane == 0 && desk.installed.has_partner != had_partner {
            reactions::move_poll(desk, had_partner)?;
        }
        desk.write(key(), &self.row)?;
        let now = Judged::by(desk, policies, services);
        differences::tell(desk, (&was, before.as_ref()), (&self.row, &now), sequence)?;
        if is_first {
            timers::arm_pruning(desk)?;
            if desk.lane == 0 {
                reactions::arm_poll(desk, None, desk.now)?;
            }
        }
        let before = std::mem::replace(&mut self.refused, Arc::clone(&book.refused));
        for refused in &*book.refused {
            if !before.iter().any(|known| known.is_same_text(refused)) {
                tell_refused(desk, organizations, refused, sequence)?;
            }
        }
        Ok(())
    }
}

fn row(book: &RuleBook) -> BookRow {
    let sections = book.sections.iter();
    let sections = sections.map(|SectionRef { section, hash }| SectionHash { section: *section, hash: hash.clone() });
    BookRow { version: book.version, hash: book.hash.clone(), sections: sections.collect() }
}

/// Tells of a refused policy file whom it concerns: its organization where that is known, or on
/// the first lane the provider.
fn tell_refused(
    desk: &mut Desk,
    organizations: &Organizations,
    refused: &RefusedPolicy,
    sequence: u64,
) -> Result<(), Error> {
    let covered = RefusedPolicy { line: 0, column: 0, message: String::new(), help: None, ..refused.clone() };
    let about = Some(refused.path.as_str());
    let Some(owner) = &refused.owner else {
        if desk.lane == 0 {
            desk.tally.trigger(POLICY_REFUSED);
            desk.say_of_provider(&Topic::PolicyRefused(None), sequence, about, refused, Some(covered))?;
        }
        return Ok(());
    };
    if let Some((org, _)) = organizations.find(owner.as_str()) {
        desk.tally.trigger(POLICY_REFUSED);
        desk.say_covered(&Topic::PolicyRefused(Some(org.clone())), &org, about, refused, Some(covered))?;
    }
    Ok(())
}
