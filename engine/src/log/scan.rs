//! Reads a stream from its beginning to where it ends by now, as it lies on the server's disk: for whoever looks whether it is
//! whole.
//!
//! IMPORTANT: the server passes over a message whose check fails, and says nothing. Such a one is missing, as one that was
//! deleted is; unlike that it is not among those that the server says it has deleted.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, ReplayPolicy};
use bytes::Bytes;
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::context;
use super::streams::NO_MESSAGE;
use super::{Error, api, consumers};

/// How many messages are fetched at a time, and how many bytes beyond one largest message.
const FETCHED: usize = 250;
const FETCHED_BYTES: usize = 256 * 1024;
/// How long the server may take to give them.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the server may say that there is a message, and not give it.
const WITHHELD_MOST: u32 = 3;
/// How long it keeps a consumer that nobody asks: whoever reads may rest in between.
const INACTIVE: Duration = Duration::from_secs(900);

/// From where to where a stream goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The first sequence it has.
    pub first: u64,
    /// The last it has given.
    pub last: u64,
    /// How many between these it has deleted.
    pub deleted: u64,
    /// Whether messages of it may have gone by their age.
    pub has_aged: bool,
}

/// A message, as it lies in the stream.
#[derive(Debug, Clone)]
pub struct Lying {
    /// Its sequence.
    pub sequence: u64,
    /// When it came.
    pub time: Timestamp,
    /// Its subject, as it is stored.
    pub subject: String,
    /// Its bytes.
    pub payload: Bytes,
}

#[derive(Deserialize)]
struct Info {
    created: Timestamp,
    config: Aging,
    state: State,
}

#[derive(Deserialize)]
struct Aging {
    /// In nanoseconds; 0 for ever.
    #[serde(default)]
    max_age: i64,
}

#[derive(Deserialize)]
struct State {
    first_seq: u64,
    last_seq: u64,
    #[serde(default)]
    num_deleted: u64,
    #[serde(default)]
    deleted: Option<BTreeSet<u64>>,
}

/// From where to where a stream goes by now.
///
/// # Errors
/// The server does not answer.
pub async fn extent(client: &Client, stream: &str) -> Result<Extent, Error> {
    let Info { created, config, state } = api(client, &format!("STREAM.INFO.{stream}"), &json!({})).await?;
    let aged_from = created.checked_add(SignedDuration::from_nanos(config.max_age)).unwrap_or(Timestamp::MAX);
    Ok(Extent {
        first: state.first_seq,
        last: state.last_seq,
        deleted: state.num_deleted,
        has_aged: config.max_age > 0 && Timestamp::now() > aged_from,
    })
}

/// Which sequences a stream says it has deleted.
///
/// # Errors
/// The server does not answer.
pub async fn deleted(client: &Client, stream: &str) -> Result<BTreeSet<u64>, Error> {
    let Info { state, .. } = api(client, &format!("STREAM.INFO.{stream}"), &json!({"deleted_details": true})).await?;
    Ok(state.deleted.unwrap_or_default())
}

/// A stream, read in order.
pub struct Scan {
    client: Client,
    stream: &'static str,
    /// The last sequence that is read.
    last: u64,
    /// The next one.
    next: u64,
    consumer: Option<Consumer<Config>>,
    /// How many messages the consumer has given.
    given: u64,
}

impl Scan {
    /// Reads a stream from its first message to its last.
    pub fn new(client: Client, stream: &'static str, extent: Extent) -> Self {
        Self { client, stream, last: extent.last, next: extent.first.max(1), consumer: None, given: 0 }
    }

    /// The next messages that can be read, in order; none behind the last.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn next(&mut self) -> Result<Vec<Lying>, Error> {
        let mut withheld = 0;
        while self.next <= self.last {
            let found = self.fetch().await?;
            if let Some(last) = found.last() {
                self.next = last.sequence + 1;
                return Ok(found.into_iter().filter(|one| one.sequence <= self.last).collect());
            }
            // A consumer may end before the stream does.
            self.close().await;
            match self.following().await? {
                Some(sequence) if sequence == self.next && withheld >= WITHHELD_MOST => {
                    let why = format!("the server has message {sequence}, and does not give it");
                    return Err(Error::scan(self.stream, io::Error::other(why)));
                }
                Some(sequence) if sequence <= self.last => {
                    withheld += u32::from(sequence == self.next);
                    self.next = sequence;
                }
                _ => self.next = self.last + 1,
            }
        }
        self.close().await;
        Ok(Vec::new())
    }

    /// Gives the consumer up; one that cannot be removed goes by itself.
    async fn close(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            let name = &consumer.cached_info().name;
            let _ = api::<Value>(&self.client, &format!("CONSUMER.DELETE.{}.{name}", self.stream), &json!({})).await;
        }
    }

    async fn fetch(&mut self) -> Result<Vec<Lying>, Error> {
        let consumer = match self.consumer.take() {
            Some(consumer) => consumer,
            None => {
                self.given = 0;
                self.open().await?
            }
        };
        let most = self.client.max_payload() + FETCHED_BYTES;
        let fetched = consumer.fetch().max_messages(FETCHED).max_bytes(most).expires(PATIENCE).messages().await;
        let mut fetched = fetched.map_err(|error| Error::scan(self.stream, error))?;
        let mut found = Vec::new();
        while let Some(message) = fetched.next().await {
            let message = match message {
                Ok(message) => message,
                // What it has given is given; another consumer goes on behind it.
                Err(_) if !found.is_empty() => return Ok(found),
                Err(source) => return Err(Error::Scan { stream: self.stream, source }),
            };
            let info = message.info().map_err(|source| Error::Scan { stream: self.stream, source })?;
            if info.consumer_sequence != self.given + 1 {
                // One was lost on the way, not on the disk.
                return Ok(found);
            }
            self.given = info.consumer_sequence;
            let time = Timestamp::from_nanosecond(info.published.unix_timestamp_nanos());
            found.push(Lying {
                sequence: info.stream_sequence,
                time: time.map_err(|error| Error::scan(self.stream, error))?,
                subject: message.subject.to_string(),
                payload: message.payload.clone(),
            });
        }
        self.consumer = Some(consumer);
        Ok(found)
    }

    async fn open(&self) -> Result<Consumer<Config>, Error> {
        let stream = context(&self.client).get_stream_no_info(self.stream).await;
        let stream = stream.map_err(|error| Error::scan(self.stream, error))?;
        let config = Config {
            name: consumers::name(),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.next },
            ack_policy: AckPolicy::None,
            replay_policy: ReplayPolicy::Instant,
            inactive_threshold: INACTIVE,
            memory_storage: true,
            num_replicas: 1,
            ..Config::default()
        };
        stream.create_consumer(config).await.map_err(|error| Error::scan(self.stream, error))
    }

    /// The sequence of the first message that can be read from the next one on.
    async fn following(&self) -> Result<Option<u64>, Error> {
        let wanted = json!({"seq": self.next, "next_by_subj": ">"});
        match api::<Value>(&self.client, &format!("STREAM.MSG.GET.{}", self.stream), &wanted).await {
            Ok(got) => Ok(got.pointer("/message/seq").and_then(Value::as_u64)),
            Err(Error::Refused { code: NO_MESSAGE, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
