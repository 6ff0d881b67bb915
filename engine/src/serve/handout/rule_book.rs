//! The rule book that lane 0 has composed, handed to all lanes, lane 0 too.
//!
//! It follows from what is applied alone: a lane is told what it does not have, once its content is there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use linesman_domain::rule_book::{self, BookRow};
use linesman_domain::sections::{self, SectionsRow};
use linesman_domain::{Error as DomainError, directory, position};
use linesman_schemas::Principal;
use linesman_schemas::command::{RuleBook, SectionLoad, Verb};
use linesman_schemas::control::{Control, RuleBookRef, Section};
use tokio::time::Instant;

use super::super::Error;
use super::super::setup::Setup;
use crate::log::books::{self, Books, Ready};
use crate::logging::full;
use crate::store;

/// How often lanes are compared that have what was composed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The longest wait after one that failed.
const RETRY_MOST: Duration = Duration::from_secs(10);
/// From which engine level on a lane is handed rule books that the log has composed.
const IN_SECTIONS: u32 = 2;

/// Hands out rule books.
pub(super) struct RuleBooks {
    setup: Arc<Setup>,
    books: Arc<Books>,
    /// The version that was handed out last.
    handed: u64,
    /// What that comes to: it is made ready once, and lanes that are told of it take it from there.
    ready: Option<Ready>,
    /// When lanes are compared though nothing was composed, and how long that waits.
    due: Instant,
    wait: Duration,
    /// By lane: where that stands in IN which was sent last. Until the lane is there, nothing is sent again.
    sent: BTreeMap<u32, u64>,
}

/// How a lane stands.
struct Stand {
    level: u32,
    position: u64,
    book: Option<BookRow>,
}

impl RuleBooks {
    pub(super) fn new(setup: Arc<Setup>, books: Arc<Books>) -> Self {
        let (due, wait, sent) = (Instant::now(), LOOK_EVERY, BTreeMap::new());
        Self { setup, books, handed: 0, ready: None, due, wait, sent }
    }

    /// Hands out what was composed since, or else looks now and then whether all lanes have it. What cannot be done is
    /// logged and done later.
    pub(super) async fn hand_out_if_due(&mut self) {
        let is_new = self.composed().is_ok_and(|composed| composed.version != self.handed);
        let has_failed = self.wait > LOOK_EVERY;
        if self.due > Instant::now() && (has_failed || !is_new) {
            return;
        }
        match self.hand_out().await {
            Ok(_) => self.wait = LOOK_EVERY,
            Err(error) => {
                self.wait = (self.wait * 2).min(RETRY_MOST);
                tracing::warn!(error = full(&error), wait = ?self.wait, "the rule book is not handed out yet");
            }
        }
        self.due = Instant::now() + self.wait;
    }

    /// Hands out what lanes do not have; whether there was something to.
    pub(super) async fn hand_out(&mut self) -> Result<bool, Error> {
        let composed = self.composed()?;
        let Some(named) = composed.reference() else { return Ok(false) };
        let stands = self.stands()?;
        let Some(first) = stands.first().filter(|first| first.level >= IN_SECTIONS) else { return Ok(false) };
        self.books.has_come_to(first.level);
        let foreign = stands.iter().filter_map(|stand| stand.book.as_ref()).filter(|book| is_foreign(book, &named));
        if let Some(newest) = foreign.map(|book| book.version).max() {
            return self.overtake(&composed, newest, &stands).await;
        }
        let mut is_fetched = false;
        let mut has_sent = false;
        for (lane, stand) in (0..).zip(&stands) {
            let version = stand.book.as_ref().map_or(0, |book| book.version);
            if stand.level < IN_SECTIONS || version >= named.version || self.is_on_its_way(lane, stand) {
                continue;
            }
            if !is_fetched {
                if !self.put_directory(&named).await? {
                    return Ok(has_sent);
                }
                // A lane that is told of one that is not there waits for it, for ever.
                self.ready.replace(self.books.get(&named).await?);
                is_fetched = true;
            }
            let control = Control::RuleBook(named.clone());
            let sequence = self.setup.publish(format!("p.{lane}.ctl"), &control).await?;
            self.sent.insert(lane, sequence);
            has_sent = true;
        }
        self.handed = named.version;
        Ok(has_sent)
    }

    /// Puts the directory where lanes fetch it; whether lane 0's rows still are what was composed of them. If not, there
    /// is another version already.
    async fn put_directory(&self, named: &RuleBookRef) -> Result<bool, Error> {
        let Some(wanted) = named.content(Section::Directory) else { return Ok(true) };
        let (hash, content) = books::pack(&directory::read(&self.setup.store.lane(0)?)?)?;
        if hash != wanted {
            return Ok(false);
        }
        self.books.put(&hash, &content).await?;
        Ok(true)
    }

    fn composed(&self) -> Result<SectionsRow, Error> {
        Ok(sections::read(&self.setup.store.lane(0)?)?)
    }

    /// A lane has a rule book that the log has not composed: an engine of before sections has sent it. Another version
    /// of the one that was composed takes its place.
    async fn overtake(&mut self, composed: &SectionsRow, newest: u64, stands: &[Stand]) -> Result<bool, Error> {
        let section = Section::Policies;
        let (Some(known), Some(first)) = (composed.section(section), stands.first()) else { return Ok(false) };
        if self.is_on_its_way(0, first) {
            return Ok(false);
        }
        tracing::warn!(version = newest, "a lane has a rule book that is not the log's; it gets that again");
        let hash = known.hash.clone();
        let load = SectionLoad { section, expected: Some(hash.clone()), hash, loaded: None, above: Some(newest) };
        let verb = Verb::RuleBook(RuleBook::LoadSection(load));
        let (_, sequence) = self.setup.ask_provider(Principal::Machine, verb).await?;
        self.sent.insert(0, sequence);
        Ok(true)
    }

    fn is_on_its_way(&self, lane: u32, stand: &Stand) -> bool {
        self.sent.get(&lane).is_some_and(|sequence| stand.position < *sequence)
    }

    fn stands(&self) -> Result<Vec<Stand>, Error> {
        (0..self.setup.lanes).map(|lane| Ok(stand(&self.setup.store.lane(lane)?)?)).collect()
    }
}

fn stand(lane: &store::Lane) -> Result<Stand, DomainError> {
    let position = position::read(lane)?;
    let (level, position) = position.map_or((0, 0), |position| (position.level, position.sequence));
    Ok(Stand { level, position, book: rule_book::read(lane)? })
}

/// Whether a lane's rule book is none that the log has composed up to `named`.
fn is_foreign(book: &BookRow, named: &RuleBookRef) -> bool {
    book.version > named.version || (book.version == named.version && book.hash != named.hash)
}
