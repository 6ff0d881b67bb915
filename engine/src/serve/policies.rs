//! The rule book: what the policy files say is compared with the one that applies, and another one
//! enters the log. At the start and while running this is the same.
//!
//! A file that cannot be loaded does not hold the others up: its last good text stays, and the rule
//! book says that it was refused, so that lanes tell of it once, restarts or not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use linesman_schemas::PolicyName;
use linesman_schemas::control::{Control, PolicySource, RefusedPolicy, RuleBook, RuleBookRef, Settings};
use tokio::sync::watch;

use super::Error;
use super::setup::Setup;
use crate::data_dir::private;
use crate::edge::PolicyStatus;
use crate::log::books::{self, Books};
use crate::rules_dir::PolicyFile;
use linesman_domain::rule_book::{self, BookRow};

/// How many refused files a rule book names, the first by name: each is an event, and a batch of
/// events is bounded. The others are in the log and counted like these.
const REFUSED_MOST: usize = 200;

/// Brings rule books into the log.
pub(super) struct Policies {
    setup: Arc<Setup>,
    books: Arc<Books>,
    settings: Settings,
    /// Where a copy of the rule book that was sent last lies.
    copy: PathBuf,
    status: watch::Sender<PolicyStatus>,
    /// The version and hash last sent: it may be in the log even if nobody said so.
    sent: Option<(u64, String)>,
    /// Path and hash of the refused files that were logged.
    logged: BTreeSet<(String, String)>,
}

/// What became of the files.
pub(super) struct Brought {
    /// The hash of the rule book that is to apply.
    pub(super) hash: String,
    /// By lane: where in IN it stands; empty when all lanes had it.
    pub(super) sequences: Vec<u64>,
}

impl Policies {
    /// Brings the rule books of `settings` through `setup`; tells `status` of them.
    pub(super) fn new(
        setup: Arc<Setup>,
        books: Arc<Books>,
        settings: Settings,
        copy: PathBuf,
        status: watch::Sender<PolicyStatus>,
    ) -> Self {
        Self { setup, books, settings, copy, status, sent: None, logged: BTreeSet::new() }
    }

    /// The rule book of each lane, as applied.
    pub(super) fn rows(&self) -> Result<Vec<Option<BookRow>>, Error> {
        (0..self.setup.lanes).map(|lane| Ok(rule_book::read(&self.setup.store.lane(lane)?)?)).collect()
    }

    /// Sees to it that the bucket has what lanes wait for, should it have lost it: the rule book that was sent
    /// last, or that of the files.
    pub(super) async fn restore(&self, files: &[PolicyFile]) -> Result<(), Error> {
        if let Ok(content) = std::fs::read(&self.copy) {
            self.books.put(&books::hash(&content), &content).await?;
        }
        if files.iter().any(|file| !file.faults.is_empty()) {
            return Ok(());
        }
        let (hash, content) = books::pack(&self.compose(files, None))?;
        Ok(self.books.put(&hash, &content).await?)
    }

    /// Sends the rule book of the files unless it is what all lanes have. `rows` are the lanes' rule
    /// books, none on a new log.
    pub(super) async fn bring(&mut self, files: &[PolicyFile], rows: &[Option<BookRow>]) -> Result<Brought, Error> {
        self.log(files);
        let newest = rows.iter().flatten().max_by_key(|row| row.version);
        let last = match newest {
            None => None,
            Some(row) => match self.books.fetch(&row.hash).await {
                Ok(book) => Some(book),
                // Only a broken file needs it.
                Err(_) if files.iter().all(|file| file.faults.is_empty()) => None,
                Err(error) => return Err(error.into()),
            },
        };
        let book = self.compose(files, last.as_ref());
        self.show(&book.refused, files.iter().filter(|file| !file.faults.is_empty()).count());
        let (hash, content) = books::pack(&book)?;
        if !rows.is_empty() && rows.iter().all(|row| row.as_ref().is_some_and(|row| row.hash == hash)) {
            return Ok(Brought { hash, sequences: Vec::new() });
        }
        self.books.put(&hash, &content).await?;
        if let Err(error) = private::write(&self.copy, &content) {
            tracing::warn!(path = %self.copy.display(), %error, "no copy of the rule book is kept");
        }
        let version = self.version(newest, &hash);
        let changes = Changes::between(last.as_ref(), &book);
        tracing::info!(
            version,
            hash,
            policies = book.policies.len(),
            added = changes.added,
            changed = changes.changed,
            removed = changes.removed,
            "a rule book enters the log"
        );
        let control = Control::RuleBook(RuleBookRef { version, hash: hash.clone() });
        let mut sequences = Vec::new();
        for lane in 0..self.setup.lanes {
            sequences.push(self.setup.publish(format!("p.{lane}.ctl"), &control).await?);
        }
        Ok(Brought { hash, sequences })
    }

    /// The version to send a rule book under. INVARIANT (one version, one rule book): one that may
    /// have reached a lane is never given to another rule book.
    fn version(&mut self, newest: Option<&BookRow>, hash: &str) -> u64 {
        let newest = newest.map_or(0, |row| row.version);
        let version = match &self.sent {
            Some((sent, of)) if of == hash && *sent > newest => *sent,
            Some((sent, _)) => newest.max(*sent) + 1,
            None => newest + 1,
        };
        self.sent = Some((version, hash.to_owned()));
        version
    }

    /// The rule book of the files; for a broken one its last good text, if there is one.
    fn compose(&self, files: &[PolicyFile], last: Option<&RuleBook>) -> RuleBook {
        let mut book = RuleBook { settings: self.settings.clone(), policies: Vec::new(), refused: Vec::new() };
        let last = last.map(by_name).unwrap_or_default();
        for file in files {
            let Some(fault) = file.faults.first() else {
                book.policies.extend(file.source.clone());
                continue;
            };
            let kept = file.source.as_ref().and_then(|source| last.get(&source.name));
            book.policies.extend(kept.map(|kept| (*kept).clone()));
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
    fn log(&mut self, files: &[PolicyFile]) {
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

    fn show(&self, refused: &[RefusedPolicy], count: usize) {
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

    /// Shows the version that all lanes judge by; the rule book of each lane.
    pub(super) fn observe(&self) -> Result<Vec<Option<BookRow>>, Error> {
        let rows = self.rows()?;
        let version = rows.iter().map(|row| row.as_ref().map_or(0, |row| row.version)).min().unwrap_or_default();
        metrics::gauge!("linesman_rule_book_version").set(version as f64);
        self.status.send_modify(|status| status.version = version);
        Ok(rows)
    }
}

fn by_name(book: &RuleBook) -> BTreeMap<&PolicyName, &PolicySource> {
    book.policies.iter().map(|source| (&source.name, source)).collect()
}

/// How one rule book differs from another, for the log.
struct Changes {
    added: String,
    changed: String,
    removed: String,
}

impl Changes {
    fn between(last: Option<&RuleBook>, book: &RuleBook) -> Self {
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
