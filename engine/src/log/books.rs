//! What lanes are told of by hash, in the object store: rule books, the content of each section and whole ones of before
//! sections; and intelligence messages of the provider's. How they lie there is `bucket`'s.
//!
//! INVARIANT (no lane waits for another's way to the server): nothing is asked of it under a lock; and what is read from it
//! either goes on or is an error, after which it is read anew.

mod bucket;
mod pieces;

use std::collections::HashMap;
use std::sync::{self, Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use linesman_domain::directory::Directory;
use linesman_domain::input::{Absent, RuleBook};
use linesman_domain::services::Catalog;
use linesman_rules::{Book, Policy};
use linesman_schemas::PolicyName;
use linesman_schemas::control::{
    InstallationSection, PoliciesSection, RefusedPolicy, RuleBookRef, Section, Settings, SettingsSection,
};
use linesman_schemas::directory::DirectorySection;
use linesman_schemas::service::ServicesSection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::{Error, REQUEST_TIMEOUT};
use crate::logging::full;
use bucket::Bucket;

/// The largest that is stored, in bytes: well below what can be read, since a lane that is told of it must read it.
const STORED_MOST: usize = 192 * 1024 * 1024;

/// How long the server may answer and not have what a lane is told of, before the lane stands still at that.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is asked for again at least.
const AGAIN_EVERY: Duration = Duration::from_secs(10);

/// What is waited for.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    /// A rule book, with all its sections.
    Book(&'a RuleBookRef),
    /// A content, by its hash.
    Content(&'a str),
}

/// How long it was waited.
struct Patience {
    /// Until it is asked for again.
    wait: Duration,
    /// Since when the server answers, and has it not.
    since: Option<Instant>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { wait: Duration::from_millis(100), since: None }
    }
}

/// [`PATIENCE`], but for tests.
fn most() -> Duration {
    fail::fail_point!("books::patience", |ms| Duration::from_millis(
        ms.and_then(|ms| ms.parse().ok()).unwrap_or_default()
    ));
    PATIENCE
}

/// A rule book, ready to judge by.
#[derive(Clone)]
pub struct Ready {
    /// Its policies.
    pub policies: Policies,
    /// The numbers decisions depend on.
    pub settings: Settings,
    /// The provider's people and groups.
    pub directory: Arc<Directory>,
    /// The services.
    pub services: Arc<Catalog>,
    /// How the installation is connected.
    pub installation: InstallationSection,
}

/// Policies, ready to judge by.
#[derive(Clone)]
pub struct Policies {
    /// The policies and the index over them, shared by all lanes that use it.
    pub book: Arc<Book>,
    /// The files that could not be loaded.
    pub refused: Arc<[RefusedPolicy]>,
    /// Where each came from.
    pub origins: Arc<HashMap<PolicyName, String>>,
}

/// What is kept of policies that lanes may be using.
struct Known {
    book: Weak<Book>,
    refused: Arc<[RefusedPolicy]>,
    origins: Arc<HashMap<PolicyName, String>>,
}

/// Fetches rule books and keeps those in use.
pub struct Books {
    bucket: Bucket,
    ready: Mutex<HashMap<String, Known>>,
    /// By the hash of their section: lanes share the services they use.
    services: Mutex<HashMap<String, Weak<Catalog>>>,
    /// What the server does not have, by hash; and which rule book it is, if it is one.
    given_up: sync::Mutex<HashMap<String, Option<RuleBookRef>>>,
}

/// A content and the hash it goes by.
///
/// # Errors
/// It has no form in JSON.
pub fn pack(content: &impl Serialize) -> Result<(String, Vec<u8>), serde_json::Error> {
    let content = serde_json::to_vec(content)?;
    Ok((hash(&content), content))
}

/// The hash that a content goes by.
pub fn hash(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

impl Books {
    /// Rule books of a server, kept on so many of its nodes.
    pub fn new(client: async_nats::Client, replicas: u32) -> Self {
        let replicas = usize::try_from(replicas).unwrap_or(1);
        Self {
            bucket: Bucket::new(client, replicas),
            ready: Mutex::default(),
            services: Mutex::default(),
            given_up: sync::Mutex::default(),
        }
    }

    /// The log has come to a level: from one on large contents are stored in pieces. Whole ones stay as they are.
    pub fn has_come_to(&self, level: u32) {
        self.bucket.has_come_to(level);
    }

    /// Stores a content under its hash, unless it is there.
    ///
    /// # Errors
    /// It is larger than a lane should have to read, or the server does not take it.
    pub async fn put(&self, hash: &str, content: &[u8]) -> Result<(), Error> {
        let fault = |detail: String| Error::RuleBook { hash: hash.to_owned(), detail };
        if content.len() > STORED_MOST {
            return Err(fault(format!("it has {} bytes, and may have {STORED_MOST}", content.len())));
        }
        self.bucket.put(hash, content).await
    }

    /// Fetches a rule book and makes it ready, once for all lanes: whoever comes second waits while it is made, and takes
    /// what was made.
    ///
    /// # Errors
    /// It is not there, or not what its hashes say.
    pub async fn get(&self, wanted: &RuleBookRef) -> Result<Ready, Error> {
        let missing = |section: Section| Error::RuleBook {
            hash: wanted.hash.clone(),
            detail: format!("it has no section `{section}`"),
        };
        let content = |section| wanted.content(section).ok_or_else(|| missing(section));
        let (policies, settings) = (content(Section::Policies)?, content(Section::Settings)?);
        let settings = self.fetch::<SettingsSection>(settings).await?.settings;
        let directory = match wanted.content(Section::Directory) {
            Some(hash) => self.fetch::<DirectorySection>(hash).await?,
            None => DirectorySection::default(),
        };
        let directory = Arc::new(Directory::of(directory));
        let services = match wanted.content(Section::Services) {
            Some(hash) => self.services(hash).await?,
            None => Arc::default(),
        };
        let installation = match wanted.content(Section::Installation) {
            Some(hash) => self.fetch::<InstallationSection>(hash).await?,
            None => InstallationSection::default(),
        };
        let policies = self.policies(policies).await?;
        Ok(Ready { policies, settings, directory, services, installation })
    }

    /// The policies of a section, made ready once for all lanes.
    async fn policies(&self, hash: &str) -> Result<Policies, Error> {
        if let Some(policies) = self.ready.lock().await.get(hash).and_then(Known::policies) {
            return Ok(policies);
        }
        let section = self.fetch::<PoliciesSection>(hash).await?;
        let mut known = self.ready.lock().await;
        if let Some(policies) = known.get(hash).and_then(Known::policies) {
            return Ok(policies);
        }
        let before: Vec<_> = known.values().filter_map(|known| known.book.upgrade()).collect();
        let policies = Policies::beside(section, &before);
        known.retain(|_, known| known.book.strong_count() > 0);
        let Policies { book, refused, origins } = policies.clone();
        known.insert(hash.to_owned(), Known { book: Arc::downgrade(&book), refused, origins });
        Ok(policies)
    }

    /// The services of a section, made ready once for all lanes.
    async fn services(&self, hash: &str) -> Result<Arc<Catalog>, Error> {
        if let Some(services) = self.services.lock().await.get(hash).and_then(Weak::upgrade) {
            return Ok(services);
        }
        let section = self.fetch::<ServicesSection>(hash).await?;
        let mut known = self.services.lock().await;
        if let Some(services) = known.get(hash).and_then(Weak::upgrade) {
            return Ok(services);
        }
        let services = Arc::new(Catalog::of(section));
        known.retain(|_, services| services.strong_count() > 0);
        known.insert(hash.to_owned(), Arc::downgrade(&services));
        Ok(services)
    }

    /// [`Self::get`], again and again until it is there: what a lane is told to judge by it cannot do
    /// without.
    ///
    /// # Errors
    /// The server answers, and has not had it for a minute.
    pub async fn get_patiently(&self, wanted: RuleBookRef) -> Result<RuleBook, Absent> {
        let mut patience = Patience::default();
        loop {
            match self.get(&wanted).await {
                Ok(ready) => return Ok(ready.under(wanted)),
                Err(error) => self.wait(Wanted::Book(&wanted), &error, &mut patience).await?,
            }
        }
    }

    /// [`Self::content`], again and again until it is there.
    ///
    /// # Errors
    /// Those of [`Self::get_patiently`].
    pub async fn content_patiently(&self, hash: &str) -> Result<Vec<u8>, Absent> {
        let mut patience = Patience::default();
        loop {
            match self.content(hash).await {
                Ok(content) => return Ok(content),
                Err(error) => self.wait(Wanted::Content(hash), &error, &mut patience).await?,
            }
        }
    }

    /// Waits before something is asked for once more; what was given up before is given up at once.
    async fn wait(&self, wanted: Wanted<'_>, error: &Error, patience: &mut Patience) -> Result<(), Absent> {
        let (hash, book) = match wanted {
            Wanted::Book(book) => (&*book.hash, Some(book)),
            Wanted::Content(hash) => (hash, None),
        };
        let what = if book.is_some() { "its rule book" } else { "an intelligence message" };
        tracing::warn!(hash, error = full(error), "the lane waits for {what}");
        // While the server does not answer nobody knows what it has.
        let is_there = self.bucket.answers().await;
        patience.since = patience.since.filter(|_| is_there).or_else(|| is_there.then(Instant::now));
        let is_over = patience.since.is_some_and(|since| since.elapsed() >= most());
        if is_over || is_there && self.given_up().contains_key(hash) {
            self.given_up().insert(hash.to_owned(), book.cloned());
            return Err(Absent { hash: hash.to_owned(), why: full(error) });
        }
        tokio::time::sleep(patience.wait).await;
        patience.wait = (patience.wait * 2).min(AGAIN_EVERY);
        Ok(())
    }

    fn given_up(&self) -> sync::MutexGuard<'_, HashMap<String, Option<RuleBookRef>>> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until what was given up is there again.
    pub async fn until_back(&self, hash: &str) {
        loop {
            let wanted = self.given_up().get(hash).cloned();
            let is_there = match wanted {
                Some(Some(book)) => self.get(&book).await.is_ok(),
                Some(None) => self.content(hash).await.is_ok(),
                None => true,
            };
            if is_there {
                self.given_up().remove(hash);
                return;
            }
            tokio::time::sleep(AGAIN_EVERY).await;
        }
    }

    /// Fetches a content, of a section or of a whole rule book.
    ///
    /// # Errors
    /// It is not there, not what its hash says, or not of that kind.
    pub async fn fetch<T: DeserializeOwned>(&self, hash: &str) -> Result<T, Error> {
        parse(hash, &self.content(hash).await?)
    }

    /// Fetches a content as it is stored.
    ///
    /// # Errors
    /// It is not there, or not what its hash says, or nothing more of it comes.
    pub async fn content(&self, hash: &str) -> Result<Vec<u8>, Error> {
        self.bucket.content(hash).await
    }
}

/// Reads the content that has this hash.
///
/// # Errors
/// It has another, or is not of that kind.
pub fn unpack<T: DeserializeOwned>(hash: &str, content: &[u8]) -> Result<T, Error> {
    check(hash, content)?;
    parse(hash, content)
}

fn check(hash: &str, content: &[u8]) -> Result<(), Error> {
    match self::hash(content) == hash {
        true => Ok(()),
        false => Err(Error::RuleBook { hash: hash.to_owned(), detail: "the content has another hash".to_owned() }),
    }
}

fn parse<T: DeserializeOwned>(hash: &str, content: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(content)
        .map_err(|error| Error::RuleBook { hash: hash.to_owned(), detail: error.to_string() })
}

impl Known {
    /// They, if somebody uses them still.
    fn policies(&self) -> Option<Policies> {
        let (refused, origins) = (Arc::clone(&self.refused), Arc::clone(&self.origins));
        Some(Policies { book: self.book.upgrade()?, refused, origins })
    }
}

impl Policies {
    /// Makes policies ready to judge by.
    pub fn of(section: PoliciesSection) -> Self {
        Self::beside(section, &[])
    }

    /// The same; those that are as they are in other books are taken from there, and not read again.
    pub fn beside(section: PoliciesSection, books: &[Arc<Book>]) -> Self {
        let known: HashMap<&PolicyName, &Arc<Policy>> =
            books.iter().flat_map(|book| book.policies()).map(|policy| (policy.name(), policy)).collect();
        let mut policies = Vec::with_capacity(section.policies.len());
        let mut origins = HashMap::with_capacity(section.policies.len());
        for source in &section.policies {
            let known = known.get(&source.name).filter(|known| known.is_of(source));
            match known.map_or_else(|| Policy::load_accepted(source).map(Arc::new), |known| Ok(Arc::clone(known))) {
                Ok(policy) => policies.push(policy),
                // INVARIANT (replay uses the version of its moment): what was accepted once loads
                // again; a policy that does not is left out alike by every lane.
                Err(faults) => {
                    let first = faults.first().map(ToString::to_string).unwrap_or_default();
                    tracing::error!(policy = %source.name, fault = first, "a policy of the rule book does not load");
                }
            }
            origins.insert(source.name.clone(), source.origin());
        }
        Self { book: Arc::new(Book::build(policies)), refused: section.refused.into(), origins: Arc::new(origins) }
    }
}

impl Ready {
    /// The same, as lanes are given it that are told of it so.
    pub fn under(self, named: RuleBookRef) -> RuleBook {
        let RuleBookRef { version, hash, sections } = named;
        let Self { policies: Policies { book, refused, .. }, settings, directory, services, installation } = self;
        RuleBook { version, hash, sections, book, settings, refused, directory, services, installation }
    }
}

#[cfg(test)]
mod tests {
    use linesman_schemas::control::PolicySource;

    use super::*;

    #[test]
    fn policies_that_are_as_they_were_are_not_read_again() {
        let source = |name: &str, owner: Option<&str>, text: &str| PolicySource {
            name: name.parse().unwrap(),
            owner: owner.map(|owner| owner.parse().unwrap()),
            source: format!("policy(#{{ on: \"incident.detected\" }});\nfn react(incident, org) {{ {text} }}\n"),
            origin: None,
        };
        let section = |policies: &[PolicySource]| PoliciesSection { policies: policies.to_vec(), refused: Vec::new() };
        let before = [source("acme/own", Some("acme"), ""), source("changed", None, ""), source("stays", None, "")];
        let before = Policies::of(section(&before));
        let after = [
            // As another would have it that is nobody's.
            source("acme/own", Some("bolt"), ""),
            source("changed", None, "log(\"other\", #{});"),
            source("new", None, ""),
            source("stays", None, ""),
        ];
        let anew = Policies::of(section(&after));
        let beside = Policies::beside(section(&after), &[Arc::clone(&before.book)]);
        assert_eq!(format!("{:?}", beside.book.policies()), format!("{:?}", anew.book.policies()));
        let is_shared = |policy: &Arc<Policy>| before.book.policies().iter().any(|known| Arc::ptr_eq(known, policy));
        let shared = beside.book.policies().iter().filter(|policy| is_shared(policy));
        assert_eq!(shared.map(|policy| policy.name().to_string()).collect::<Vec<_>>(), ["stays"]);
    }

    #[tokio::test]
    async fn what_no_lane_could_read_is_not_stored() {
        // Nothing answers there: what is too large is refused before anybody is asked.
        let client = async_nats::ConnectOptions::new().retry_on_initial_connect().connect("127.0.0.1:9").await.unwrap();
        let refused = Books::new(client, 1).put("a", &vec![b' '; STORED_MOST + 1]).await.unwrap_err();
        let Error::RuleBook { detail, .. } = refused else { panic!("{refused}") };
        assert_eq!(detail, "it has 201326593 bytes, and may have 201326592");
    }
}
