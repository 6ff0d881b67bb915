//! The object store: bytes that are uploaded in pieces, and read in pieces.
//!
//! ```text
//! <organization>.<upload>.open      what was announced, and how far it is; the commit point of an append
//! <organization>.<upload>.done      the same of one that is whole
//! <organization>.<upload>.<number>  a piece: PIECE bytes, the last one what is left
//! ```
//!
//! INVARIANT (an append is durable or has not happened): pieces are written before the row that counts them. What lies
//! behind the offset of an upload is written again.
//!
//! INVARIANT (nothing goes because of what a replica has not heard of): what decides whether anything is written or removed
//! is read where the bucket's leader has it. Only what goes upward is read anywhere, and held against its SHA-256.

use std::io;

use async_nats::jetstream;
use async_nats::jetstream::kv::{Config, Store, UpdateErrorKind};
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use futures_util::stream::{self, Stream};
use jiff::Timestamp;
use linesman_schemas::upload::UploadRequest;
use linesman_schemas::{IncidentId, OrgName};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

use super::context;

const BUCKET: &str = "linesman-objects";
/// The header of a message in whose place there is nothing any more.
const OPERATION: &str = "KV-Operation";
/// What it says of one that was purged.
const PURGED: &str = "PURGE";
/// The most bytes of a piece: a message with one fits into a server that takes 1 MiB.
pub const PIECE: u64 = 512 * 1024;

/// Why the object store does not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server does not answer, or says no.
    #[error("the object store does not take or give `{key}`: {detail}")]
    Server {
        /// What was asked for.
        key: String,
        /// Its words.
        detail: String,
    },
    /// What lies there is none of ours.
    #[error("what the object store has under `{key}` cannot be read")]
    Json {
        /// Where.
        key: String,
        /// Why.
        source: serde_json::Error,
    },
}

/// An upload as it lies in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// What was announced.
    pub request: UploadRequest,
    /// The incident of the case it belongs to.
    pub incident: Option<IncidentId>,
    /// How many bytes of it are there.
    pub offset: u64,
}

/// An upload that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it is.
    pub manifest: Manifest,
    /// Whether it is whole.
    pub is_done: bool,
    /// When it changed last, by the server's clock.
    pub changed: Timestamp,
    /// By what it is known whether it has changed since.
    pub revision: u64,
}

/// The bytes of uploads, on a server.
#[derive(Debug)]
pub struct Objects {
    context: jetstream::Context,
    replicas: usize,
    store: OnceCell<Store>,
}

fn open_key(org: &OrgName, upload: &str) -> String {
    format!("{org}.{upload}.open")
}

fn done_key(org: &OrgName, upload: &str) -> String {
    format!("{org}.{upload}.done")
}

fn piece_key(org: &OrgName, upload: &str, number: u64) -> String {
    format!("{org}.{upload}.{number}")
}

fn fault(key: &str, error: impl ToString) -> Error {
    Error::Server { key: key.to_owned(), detail: error.to_string() }
}

impl Objects {
    /// Those of a server, kept on so many of its nodes.
    pub fn new(client: async_nats::Client, replicas: u32) -> Self {
        let replicas = usize::try_from(replicas).unwrap_or(1);
        Self { context: context(&client), replicas, store: OnceCell::new() }
    }

    /// Whether anything was ever put here. A server that does not answer has nothing.
    pub async fn are_there(&self) -> bool {
        self.store.get().is_some() || self.context.get_key_value(BUCKET).await.is_ok()
    }

    async fn store(&self) -> Result<&Store, Error> {
        let made = self.store.get_or_try_init(|| async {
            if let Ok(store) = self.context.get_key_value(BUCKET).await {
                return Ok(store);
            }
            let config =
                Config { bucket: BUCKET.to_owned(), history: 1, num_replicas: self.replicas, ..Config::default() };
            self.context.create_key_value(config).await
        });
        made.await.map_err(|error| fault(BUCKET, error))
    }

    /// What lies under a key, or says that nothing does any more, as the leader has it.
    async fn newest(&self, key: &str) -> Result<Option<StreamMessage>, Error> {
        let subject = format!("$KV.{BUCKET}.{key}");
        match self.store().await?.stream.get_last_raw_message_by_subject(&subject).await {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(fault(key, error)),
        }
    }

    async fn entry(&self, key: &str) -> Result<Option<StreamMessage>, Error> {
        Ok(self.newest(key).await?.filter(|message| message.headers.get(OPERATION).is_none()))
    }

    /// An upload, whole or not.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn find(&self, org: &OrgName, upload: &str) -> Result<Option<Found>, Error> {
        for (key, is_done) in [(done_key(org, upload), true), (open_key(org, upload), false)] {
            let Some(entry) = self.entry(&key).await? else { continue };
            let manifest =
                serde_json::from_slice(&entry.payload).map_err(|source| Error::Json { key: key.clone(), source })?;
            let changed = Timestamp::from_second(entry.time.unix_timestamp()).unwrap_or(Timestamp::MIN);
            return Ok(Some(Found { manifest, is_done, changed, revision: entry.sequence }));
        }
        Ok(None)
    }

    /// Begins an upload.
    ///
    /// # Errors
    /// The server does not answer, or there is one under this name.
    pub async fn begin(&self, org: &OrgName, upload: &str, manifest: &Manifest) -> Result<(), Error> {
        let key = open_key(org, upload);
        let value = written(&key, manifest)?;
        self.store().await?.create(&key, value).await.map(drop).map_err(|error| fault(&key, error))
    }

    /// Adds bytes to an upload that is as it was found, at its offset.
    ///
    /// # Errors
    /// The server does not answer, or the upload has changed: nothing is added then.
    pub async fn append(&self, org: &OrgName, upload: &str, found: &Found, bytes: Bytes) -> Result<Found, Error> {
        let store = self.store().await?;
        let (mut at, mut rest) = (found.manifest.offset, bytes);
        while !rest.is_empty() {
            let (number, filled) = (at / PIECE, at % PIECE);
            let room = usize::try_from(PIECE - filled).unwrap_or(usize::MAX);
            let part = rest.split_to(rest.len().min(room));
            let key = piece_key(org, upload, number);
            at += part.len() as u64;
            let piece = match filled {
                0 => part,
                _ => {
                    let before = self.entry(&key).await?.map(|entry| entry.payload).unwrap_or_default();
                    let kept = usize::try_from(filled).unwrap_or(usize::MAX).min(before.len());
                    [before.get(..kept).unwrap_or_default(), &part].concat().into()
                }
            };
            store.put(&key, piece).await.map_err(|error| fault(&key, error))?;
        }
        let key = open_key(org, upload);
        let manifest = Manifest { offset: at, ..found.manifest.clone() };
        let revision = store.update(&key, written(&key, &manifest)?, found.revision).await;
        let revision = revision.map_err(|error| fault(&key, error))?;
        Ok(Found { manifest, revision, ..found.clone() })
    }

    /// An upload has all its bytes: it is held against what was announced, and is whole then, as it is returned; none where
    /// it has others.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn finish(&self, org: &OrgName, upload: &str, added: Found) -> Result<Option<Found>, Error> {
        let manifest = &added.manifest;
        let (mut hasher, mut length) = (Sha256::new(), 0);
        for number in 0..manifest.request.size.div_ceil(PIECE) {
            let piece = self.entry(&piece_key(org, upload, number)).await?;
            let piece = piece.map(|entry| entry.payload).unwrap_or_default();
            hasher.update(&piece);
            length += piece.len() as u64;
        }
        if length != manifest.request.size || hex::encode(hasher.finalize()) != manifest.request.sha256 {
            return Ok(None);
        }
        let (key, open) = (done_key(org, upload), open_key(org, upload));
        let store = self.store().await?;
        let revision = store.put(&key, written(&key, manifest)?).await.map_err(|error| fault(&key, error))?;
        self.purge(&open).await?;
        Ok(Some(Found { is_done: true, revision, ..added }))
    }

    /// An upload that is whole counts as changed now, if it is still as it was found; whether it is.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn touch(&self, org: &OrgName, upload: &str, found: &Found) -> Result<bool, Error> {
        let key = done_key(org, upload);
        match self.store().await?.update(&key, written(&key, &found.manifest)?, found.revision).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(false),
            Err(error) => Err(fault(&key, error)),
        }
    }

    /// A piece, from whichever replica answers.
    async fn piece(&self, org: &OrgName, upload: &str, number: u64) -> Result<Bytes, Error> {
        let key = piece_key(org, upload, number);
        let piece = self.store().await?.get(&key).await.map_err(|error| fault(&key, error))?;
        Ok(piece.unwrap_or_default())
    }

    /// An upload goes, with all its bytes.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn remove(&self, org: &OrgName, upload: &str) -> Result<(), Error> {
        self.purge(&format!("{org}.{upload}.*")).await
    }

    /// An upload goes if it is still as it was found; whether it went.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn remove_unchanged(&self, org: &OrgName, upload: &str, found: &Found) -> Result<bool, Error> {
        let key = if found.is_done { done_key(org, upload) } else { open_key(org, upload) };
        let store = self.store().await?;
        if store.purge_expect_revision(&key, Some(found.revision)).await.is_err() {
            return Ok(false);
        }
        let is_marker = |message: &StreamMessage| {
            message.headers.get(OPERATION).is_some_and(|operation| operation.as_str() == PURGED)
        };
        // Whoever begins it anew by now writes behind the marker.
        let Some(marker) = self.newest(&key).await?.filter(is_marker) else { return Ok(true) };
        let purge = store.stream.purge().sequence(marker.sequence + 1);
        let purge = purge.filter(format!("$KV.{BUCKET}.{org}.{upload}.*")).await;
        purge.map(|_| true).map_err(|error| fault(&key, error))
    }

    /// Bytes of an upload that is not known any more go: whoever removed it ended in the middle. Whether they went.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn remove_unknown(&self, org: &OrgName, upload: &str) -> Result<bool, Error> {
        let pieces = format!("{org}.{upload}.*");
        let store = self.store().await?;
        // What is begun under the name from here on lies behind it, and stays.
        let info = store.stream.get_info().await.map_err(|error| fault(&pieces, error))?;
        if self.find(org, upload).await?.is_some() {
            return Ok(false);
        }
        let purge = store.stream.purge().sequence(info.state.last_sequence + 1);
        let purge = purge.filter(format!("$KV.{BUCKET}.{pieces}")).await;
        purge.map(|_| true).map_err(|error| fault(&pieces, error))
    }

    /// Uploads of all organizations, whole or not, so many at the most.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn all(&self, most: usize) -> Result<Vec<(OrgName, String)>, Error> {
        self.named(&["open", "done"], most).await
    }

    /// Uploads of which there are bytes, known or not, so many at the most.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn with_bytes(&self, most: usize) -> Result<Vec<(OrgName, String)>, Error> {
        self.named(&["0"], most).await
    }

    /// Those with a key that ends so.
    async fn named(&self, kinds: &[&str], most: usize) -> Result<Vec<(OrgName, String)>, Error> {
        let mut all = Vec::new();
        for kind in kinds {
            let keys = format!("*.*.{kind}");
            let subjects = self.store().await?.stream.info_with_subjects(format!("$KV.{BUCKET}.{keys}")).await;
            let mut subjects = subjects.map_err(|error| fault(&keys, error))?;
            while let Some((subject, _)) = subjects.try_next().await.map_err(|error| fault(&keys, error))? {
                let mut names = subject.rsplit('.').skip(1);
                let (Some(upload), Some(org)) = (names.next(), names.next()) else { continue };
                all.extend(org.parse().ok().map(|org| (org, upload.to_owned())));
                if all.len() >= most {
                    return Ok(all);
                }
            }
        }
        Ok(all)
    }

    async fn purge(&self, keys: &str) -> Result<(), Error> {
        let subject = format!("$KV.{BUCKET}.{keys}");
        let purge = self.store().await?.stream.purge().filter(subject).await;
        purge.map(drop).map_err(|error| fault(keys, error))
    }

    /// The uploads of an organization that are not whole.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn open(&self, org: &OrgName) -> Result<Vec<String>, Error> {
        let keys = format!("{org}.*.open");
        let subjects = self.store().await?.stream.info_with_subjects(format!("$KV.{BUCKET}.{keys}")).await;
        let mut subjects = subjects.map_err(|error| fault(&keys, error))?;
        let mut open = Vec::new();
        while let Some((subject, _)) = subjects.try_next().await.map_err(|error| fault(&keys, error))? {
            open.extend(subject.rsplit('.').nth(1).map(str::to_owned));
        }
        Ok(open)
    }

    /// How many bytes of an organization lie here at most, those that no row names included: a piece counts whole.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn held(&self, org: &OrgName) -> Result<u64, Error> {
        let keys = format!("{org}.*.*");
        let subjects = self.store().await?.stream.info_with_subjects(format!("$KV.{BUCKET}.{keys}")).await;
        let mut subjects = subjects.map_err(|error| fault(&keys, error))?;
        let mut pieces = 0;
        while let Some((subject, _)) = subjects.try_next().await.map_err(|error| fault(&keys, error))? {
            pieces += u64::from(!subject.ends_with(".open") && !subject.ends_with(".done"));
        }
        Ok(pieces * PIECE)
    }

    /// The bytes of an upload that is whole, in pieces, held against their SHA-256: before the last piece comes, all are
    /// known to be right, or there is an error in its place.
    pub fn read(
        &self,
        org: &OrgName,
        upload: &str,
        (sha256, size): (&str, u64),
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
        let objects = Self { context: self.context.clone(), replicas: self.replicas, store: self.store.clone() };
        let (org, upload, sha256) = (org.clone(), upload.to_owned(), sha256.to_owned());
        let count = size.div_ceil(PIECE);
        let first = (0_u64, Sha256::new(), objects);
        stream::try_unfold(first, move |(number, mut hasher, objects)| {
            let (org, upload, sha256) = (org.clone(), upload.clone(), sha256.clone());
            async move {
                if number >= count {
                    return Ok(None);
                }
                let piece = objects.piece(&org, &upload, number).await.map_err(io::Error::other)?;
                let expected = PIECE.min(size - number * PIECE);
                hasher.update(&piece);
                let is_whole = number + 1 < count || hex::encode(hasher.clone().finalize()) == sha256;
                match piece.len() as u64 == expected && is_whole {
                    true => Ok(Some((piece, (number + 1, hasher, objects)))),
                    false => Err(io::Error::other(format!("the object `{sha256}` is not what it was"))),
                }
            }
        })
    }
}

fn written(key: &str, manifest: &Manifest) -> Result<Bytes, Error> {
    let text = serde_json::to_vec(manifest).map_err(|source| Error::Json { key: key.to_owned(), source })?;
    Ok(text.into())
}
