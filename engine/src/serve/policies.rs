//! The rule book: what the policy files say is compared with what the log has, and differences enter it. At the start
//! and while running this is the same.
//!
//! A file that cannot be loaded does not hold the others up: its last good text stays, and the rule
//! book says that it was refused, so that lanes tell of it once, restarts or not. How a log takes it is decided by its
//! engine level: whole (`whole`), or in sections (`sections`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use linesman_domain::position;
use linesman_domain::rule_book::{self, BookRow};
use linesman_domain::sections::SectionsRow;
use linesman_schemas::PolicyName;
use linesman_schemas::control::SettingsSection;
use linesman_schemas::control::{PoliciesSection, PolicySource, RefusedPolicy, RuleBook, Section, Settings};
use linesman_schemas::service::ServicesSection;
use tokio::sync::watch;

use super::Error;
use super::copies::Copies;
use super::sections::Asked;
use super::services::Refused;
use super::setup::Setup;
use crate::config::Sources;
use crate::edge::PolicyStatus;
use crate::log::books::{self, Books};
use crate::rules_dir::organizations::{Unknown, unknown};
use crate::rules_dir::{Files, PolicyFile, Room, room};

/// How many refused files a rule book names, the first by name: each is an event, and a batch of
/// events is bounded. The others are in the log and counted like these.
const REFUSED_MOST: usize = 200;
/// What is told where all of the files is gone.
const NOTHING_THERE: &str = "there is no policy and no service in it, and the log has some: is a volume not mounted? \
                                        With `--allow-empty` they are taken away";
/// From which engine level on the log takes rule books in sections.
const IN_SECTIONS: u32 = 2;

/// Brings rule books into the log.
pub(super) struct Policies {
    pub(super) setup: Arc<Setup>,
    pub(super) books: Arc<Books>,
    pub(super) settings: Settings,
    /// Where these come from.
    pub(super) sources: Sources,
    /// Whether files that say nothing take away what the log has.
    allow_empty: bool,
    pub(super) copies: Copies,
    pub(super) status: watch::Sender<PolicyStatus>,
    /// The version and hash of the whole rule book sent last: it may be in the log even if nobody said so.
    pub(super) sent: Option<(u64, String)>,
    /// The loads whose outcome was not looked at.
    pub(super) asked: Vec<Asked>,
    /// Path and hash of the refused files that were logged.
    logged: BTreeSet<(String, String)>,
    /// What was logged of policies for organizations that are not known.
    told_unknown: BTreeSet<(PathBuf, String, String)>,
    /// The same of services.
    pub(super) logged_services: Refused,
    /// The services of which it was told that they hide something.
    pub(super) hiding_services: Refused,
    /// Which differences were logged: what the log has loaded, and what the files say.
    pub(super) told: Vec<(Section, String, String)>,
}

/// What became of the files.
pub(super) struct Brought {
    /// What they were compared with, or made into.
    pub(super) made: Made,
    /// By lane: where in IN that stands which was sent; empty where nothing was.
    pub(super) sequences: Vec<u64>,
}

/// What the files were compared with, or made into.
pub(super) enum Made {
    /// The hash of the rule book that is to apply.
    Whole(String),
    /// What the log had composed, and whether it took services.
    Sections(SectionsRow, bool),
}

impl Policies {
    /// Brings the rule books of `settings` through `setup`; tells `status` of them.
    pub(super) fn new(
        setup: Arc<Setup>,
        books: Arc<Books>,
        (settings, sources, allow_empty): (Settings, Sources, bool),
        copies: Copies,
        status: watch::Sender<PolicyStatus>,
    ) -> Self {
        let (sent, asked, told) = (None, Vec::new(), Vec::new());
        let (logged, logged_services, hiding_services) = (BTreeSet::new(), Refused::new(), Refused::new());
        let told_unknown = BTreeSet::new();
        Self {
            setup,
            books,
            settings,
            sources,
            allow_empty,
            copies,
            status,
            sent,
            asked,
            logged,
            told_unknown,
            logged_services,
            hiding_services,
            told,
        }
    }

    /// The rule book of each lane, as applied.
    pub(super) fn rows(&self) -> Result<Vec<Option<BookRow>>, Error> {
        (0..self.setup.lanes).map(|lane| Ok(rule_book::read(&self.setup.store.lane(lane)?)?)).collect()
    }

    /// Whether the log takes rule books in sections, as applied.
    pub(super) fn is_in_sections(&self) -> Result<bool, Error> {
        let level = position::read(&self.setup.store.lane(0)?)?.map_or(0, |position| position.level);
        self.books.has_come_to(level);
        Ok(level >= IN_SECTIONS)
    }

    /// Sees to it that the bucket has what lanes wait for, should it have lost it: what was sent last, and what the
    /// files say.
    pub(super) async fn restore(&self, files: &Files) -> Result<(), Error> {
        let is_in_sections = self.is_in_sections()?;
        let mut contents = self.copies.all();
        if !files.services.is_empty() && self.takes_services()? {
            let services = self.judge_services(&files.services, None).await?;
            if services.files.faults().next().is_none() {
                contents.push(books::pack(&services.section())?.1);
            }
        }
        let files = &files.policies;
        if files.iter().all(|file| file.faults.is_empty()) {
            let (policies, settings) = (self.compose(files, None), self.settings.clone());
            contents.push(books::pack(&policies)?.1);
            contents.push(books::pack(&SettingsSection { settings })?.1);
            if !is_in_sections {
                contents.push(books::pack(&self.whole(policies))?.1);
            }
        }
        for content in contents {
            self.books.put(&books::hash(&content), &content).await?;
        }
        Ok(())
    }

    /// Sends what the files say, as far as the log does not have it and it is for this node to say.
    pub(super) async fn bring(&mut self, files: &Files) -> Result<Brought, Error> {
        self.log(&files.policies);
        let keeps = self.would_take_all(files).await?;
        match self.is_in_sections()? {
            true => self.bring_sections(files, keeps).await,
            false => self.bring_whole(&files.policies, keeps).await,
        }
    }

    /// Whether the files say nothing, and the log has policies or services that came of files.
    pub(super) async fn would_take_all(&self, files: &Files) -> Result<bool, Error> {
        if self.allow_empty || !files.policies.is_empty() || !files.services.is_empty() {
            return Ok(false);
        }
        if !self.is_in_sections()? {
            let rows = self.rows()?;
            let Some(newest) = rows.iter().flatten().max_by_key(|row| row.version) else { return Ok(false) };
            return Ok(!self.books.fetch::<PoliciesSection>(&newest.hash).await?.policies.is_empty());
        }
        let row = self.composed()?;
        let loaded = |section| row.section(section).map(|known| known.loaded.clone().unwrap_or(known.hash.clone()));
        if let Some(hash) = loaded(Section::Policies)
            && !self.books.fetch::<PoliciesSection>(&hash).await?.policies.is_empty()
        {
            return Ok(true);
        }
        Ok(match loaded(Section::Services) {
            Some(hash) => !self.books.fetch::<ServicesSection>(&hash).await?.services.is_empty(),
            None => false,
        })
    }

    /// A whole rule book, with the settings of the configuration.
    pub(super) fn whole(&self, policies: PoliciesSection) -> RuleBook {
        let PoliciesSection { policies, refused } = policies;
        RuleBook { settings: self.settings.clone(), policies, refused }
    }

    /// The policies of the files; for a broken one its last good text, if there is one.
    pub(super) fn compose(&self, files: &[PolicyFile], last: Option<&PoliciesSection>) -> PoliciesSection {
        let mut book = PoliciesSection::default();
        let (known, last) = (last, last.map(by_name).unwrap_or_default());
        let kept = |file: &PolicyFile| file.source.as_ref().and_then(|source| last.get(&source.name).copied());
        let kept_in = |folder: &str| {
            let lies_in =
                |source: &&PolicySource| source.name.as_str().split_once('/').is_some_and(|(found, _)| found == folder);
            known.into_iter().flat_map(|known| &known.policies).filter(lies_in).collect::<Vec<_>>()
        };
        let stays = |file: &PolicyFile| {
            let within = if file.is_folder { kept_in(&file.within) } else { Vec::new() };
            kept(file).into_iter().chain(within).map(|source| room::bytes(&source.source)).sum()
        };
        let without_room = Room::default().refuse(files, stays);
        for (at, file) in files.iter().enumerate() {
            let Some(fault) = file.faults.first().or_else(|| without_room.get(&at)) else {
                book.policies.extend(file.source.clone());
                continue;
            };
            let kept = kept(file);
            book.policies.extend(kept.cloned());
            if file.is_folder {
                book.policies.extend(kept_in(&file.within).into_iter().cloned());
            }
            book.refused.push(RefusedPolicy {
                path: file.within.clone(),
                owner: file.owner.clone(),
                hash: file.hash.clone(),
                line: fault.line,
                column: fault.column,
                message: fault.message.clone(),
                help: fault.help.clone(),
                stays: kept.map(|kept| kept.name.clone()),
            });
        }
        book.refused.truncate(REFUSED_MOST);
        book
    }

    /// Logs and counts each refused text once.
    pub(super) fn log(&mut self, files: &[PolicyFile]) {
        let mut refused = BTreeSet::new();
        for file in files.iter().filter(|file| !file.faults.is_empty()) {
            let text = (file.within.clone(), file.hash.clone());
            if !self.logged.contains(&text) {
                metrics::counter!("linesman_policies_refused_total").increment(1);
                for fault in &file.faults {
                    let path = file.path.display();
                    let place = format!("{path}:{}:{}", fault.line, fault.column);
                    let help = fault.help.as_deref();
                    tracing::error!(place, fault = fault.message, help, "a policy is refused");
                }
            }
            refused.insert(text);
        }
        for (path, _) in self.logged.iter().filter(|(path, _)| !refused.iter().any(|(broken, _)| broken == path)) {
            tracing::info!(path, "a policy is refused no longer");
        }
        self.logged = refused;
    }

    /// Warns of policies for organizations that no lane knows, as applied: once of each text.
    pub(super) fn warn_of_unknown(&mut self, files: &[PolicyFile]) -> Result<(), Error> {
        let known = self.setup.organizations()?.into_keys().collect();
        let mut found = BTreeSet::new();
        for Unknown { path, file, fault } in unknown(files, &known) {
            // Of a folder it is the name that counts, whatever lies in it.
            let hash = if file.owner.is_some() { String::new() } else { file.hash.clone() };
            let text = (path, hash, fault.message.clone());
            if !self.told_unknown.contains(&text) {
                let place = format!("{}:{}:{}", text.0.display(), fault.line, fault.column);
                tracing::warn!(place, fault = fault.message, help = fault.help.as_deref(), "a policy is for nobody");
            }
            found.insert(text);
        }
        self.told_unknown = found;
        Ok(())
    }

    pub(super) fn show(&self, refused: &[RefusedPolicy], count: usize) {
        metrics::gauge!("linesman_refused_policies").set(count as f64);
        self.status.send_modify(|status| {
            status.directory = None;
            status.count = count;
            status.refused = refused.into();
        });
    }

    /// Shows that the rule directory itself cannot be read.
    pub(super) fn refuse_directory(&self, error: &str) {
        metrics::counter!("linesman_policies_refused_total").increment(1);
        tracing::error!(error, "the rule directory is refused; the policies stay as they are");
        self.status.send_modify(|status| status.directory = Some(error.to_owned()));
    }

    /// Shows that nothing lies in the rule directory, and what the log has stays.
    pub(super) fn refuse_nothing(&self) {
        self.refuse_directory(NOTHING_THERE);
    }

    /// Shows the version that all lanes judge by; the rule book of each lane.
    pub(super) fn observe(&self) -> Result<Vec<Option<BookRow>>, Error> {
        let rows = self.rows()?;
        let version = rows.iter().map(|row| row.as_ref().map_or(0, |row| row.version)).min().unwrap_or_default();
        metrics::gauge!("linesman_rule_book_version").set(version as f64);
        let shown = self.status.borrow().version;
        if shown != version {
            tracing::info!(version, "the rule book is in effect");
            self.status.send_modify(|status| status.version = version);
        }
        Ok(rows)
    }
}

fn by_name(book: &PoliciesSection) -> BTreeMap<&PolicyName, &PolicySource> {
    book.policies.iter().map(|source| (&source.name, source)).collect()
}

/// How one rule book differs from another, for the log.
pub(super) struct Changes {
    added: String,
    changed: String,
    removed: String,
}

impl Changes {
    pub(super) fn between(last: Option<&PoliciesSection>, book: &PoliciesSection) -> Self {
        let (last, book) = (last.map(by_name).unwrap_or_default(), by_name(book));
        let is_changed = |(name, source): &(&&PolicyName, &&PolicySource)| {
            last.get(**name).is_some_and(|known| known.source != source.source)
        };
        Self {
            added: names(book.keys().filter(|name| !last.contains_key(**name))),
            changed: names(book.iter().filter(is_changed).map(|(name, _)| name)),
            removed: names(last.keys().filter(|name| !book.contains_key(**name))),
        }
    }

    /// Tells of a rule book that enters the log.
    pub(super) fn log(&self, version: u64, hash: &str, policies: usize) {
        let Self { added, changed, removed } = self;
        tracing::info!(version, hash, policies, added, changed, removed, "a rule book enters the log");
    }
}

/// The first names, and how many there are beyond them.
fn names<'a>(all: impl Iterator<Item = &'a &'a PolicyName>) -> String {
    const MOST: usize = 20;
    let all: Vec<_> = all.map(|name| name.to_string()).collect();
    let mut text = all.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(" ");
    if all.len() > MOST {
        text.push_str(&format!(" and {} more", all.len() - MOST));
    }
    text
}
