//! Rule books in the object store, by hash.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::object_store::{Config, ObjectStore};
use linesman_rules::{Book, Policy};
use linesman_schemas::control::{RefusedPolicy, RuleBook, Settings};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;
use tokio::sync::Mutex;

use super::Error;

const BUCKET: &str = "linesman-rule-books";
/// The largest rule book in bytes.
const MOST: u64 = 256 * 1024 * 1024;

/// A rule book, ready to judge by.
#[derive(Clone)]
pub struct Ready {
    /// The policies and the index over them, shared by all lanes that use it.
    pub book: Arc<Book>,
    /// The numbers decisions depend on.
    pub settings: Settings,
    /// The files that could not be loaded.
    pub refused: Arc<[RefusedPolicy]>,
}

/// What is kept of a rule book that lanes may be using.
struct Known {
    book: Weak<Book>,
    settings: Settings,
    refused: Arc<[RefusedPolicy]>,
}

/// Fetches rule books and keeps those in use.
pub struct Books {
    context: jetstream::Context,
    replicas: usize,
    ready: Mutex<HashMap<String, Known>>,
}

/// A rule book's content and the hash it goes by.
///
/// # Errors
/// It has no form in JSON.
pub fn pack(book: &RuleBook) -> Result<(String, Vec<u8>), serde_json::Error> {
    let content = serde_json::to_vec(book)?;
    Ok((hash(&content), content))
}

/// The hash that a rule book's content goes by.
pub fn hash(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

impl Books {
    /// Rule books of a server, kept on so many of its nodes.
    pub fn new(client: async_nats::Client, replicas: u32) -> Self {
        let replicas = usize::try_from(replicas).unwrap_or(1);
        Self { context: jetstream::new(client), replicas, ready: Mutex::new(HashMap::new()) }
    }

    async fn store(&self, hash: &str) -> Result<ObjectStore, Error> {
        let fault = |detail: String| Error::RuleBook { hash: hash.to_owned(), detail };
        match self.context.get_object_store(BUCKET).await {
            Ok(store) => Ok(store),
            Err(_) => {
                let config = Config { bucket: BUCKET.to_owned(), num_replicas: self.replicas, ..Config::default() };
                self.context.create_object_store(config).await.map_err(|error| fault(error.to_string()))
            }
        }
    }

    /// Stores a rule book under its hash, unless it is there.
    ///
    /// # Errors
    /// The server does not take it.
    pub async fn put(&self, hash: &str, content: &[u8]) -> Result<(), Error> {
        let fault = |detail: String| Error::RuleBook { hash: hash.to_owned(), detail };
        let store = self.store(hash).await?;
        if self.fetch(hash).await.is_ok() {
            return Ok(());
        }
        let mut content = content;
        store.put(hash, &mut content).await.map_err(|error| fault(error.to_string()))?;
        Ok(())
    }

    /// Fetches a rule book and makes it ready, once for all lanes: whoever comes second waits.
    ///
    /// # Errors
    /// It is not there, or not what its hash says.
    pub async fn get(&self, hash: &str) -> Result<Ready, Error> {
        let mut known = self.ready.lock().await;
        if let Some(known) = known.get(hash)
            && let Some(book) = known.book.upgrade()
        {
            return Ok(Ready { book, settings: known.settings.clone(), refused: Arc::clone(&known.refused) });
        }
        let ready = self.load(hash).await?;
        known.retain(|_, known| known.book.strong_count() > 0);
        let kept = Known {
            book: Arc::downgrade(&ready.book),
            settings: ready.settings.clone(),
            refused: Arc::clone(&ready.refused),
        };
        known.insert(hash.to_owned(), kept);
        Ok(ready)
    }

    /// [`Self::get`], again and again until it is there: what a lane is told to judge by it cannot do
    /// without.
    pub async fn get_patiently(&self, hash: &str) -> Ready {
        let mut wait = Duration::from_millis(100);
        loop {
            match self.get(hash).await {
                Ok(ready) => return ready,
                Err(error) => {
                    tracing::warn!(hash, %error, "the lane waits for its rule book");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(10));
                }
            }
        }
    }

    /// Fetches a rule book's content.
    ///
    /// # Errors
    /// It is not there, or not what its hash says.
    pub async fn fetch(&self, hash: &str) -> Result<RuleBook, Error> {
        parse(hash, &self.content(hash).await?)
    }

    /// Fetches a rule book's content as it is stored.
    ///
    /// # Errors
    /// It is not there, or not what its hash says.
    pub async fn content(&self, hash: &str) -> Result<Vec<u8>, Error> {
        let fault = |detail: String| Error::RuleBook { hash: hash.to_owned(), detail };
        let store = self.store(hash).await?;
        let object = store.get(hash).await.map_err(|error| fault(error.to_string()))?;
        let mut content = Vec::new();
        object.take(MOST).read_to_end(&mut content).await.map_err(|error| fault(error.to_string()))?;
        check(hash, &content)?;
        Ok(content)
    }

    async fn load(&self, hash: &str) -> Result<Ready, Error> {
        Ok(Ready::of(self.fetch(hash).await?))
    }
}

/// Reads the content that has this hash.
///
/// # Errors
/// It has another, or is no rule book.
pub fn unpack(hash: &str, content: &[u8]) -> Result<RuleBook, Error> {
    check(hash, content)?;
    parse(hash, content)
}

fn check(hash: &str, content: &[u8]) -> Result<(), Error> {
    match self::hash(content) == hash {
        true => Ok(()),
        false => Err(Error::RuleBook { hash: hash.to_owned(), detail: "the content has another hash".to_owned() }),
    }
}

fn parse(hash: &str, content: &[u8]) -> Result<RuleBook, Error> {
    serde_json::from_slice(content)
        .map_err(|error| Error::RuleBook { hash: hash.to_owned(), detail: error.to_string() })
}

impl Ready {
    /// Makes a rule book ready to judge by.
    pub fn of(book: RuleBook) -> Self {
        let mut policies = Vec::with_capacity(book.policies.len());
        for source in &book.policies {
            match Policy::load_accepted(source) {
                Ok(policy) => policies.push(Arc::new(policy)),
                // INVARIANT (replay uses the version of its moment): what was accepted once loads
                // again; a policy that does not is left out alike by every lane.
                Err(faults) => {
                    let first = faults.first().map(ToString::to_string).unwrap_or_default();
                    tracing::error!(policy = %source.name, fault = first, "a policy of the rule book does not load");
                }
            }
        }
        Self { book: Arc::new(Book::build(policies)), settings: book.settings, refused: book.refused.into() }
    }
}
