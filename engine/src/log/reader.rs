//! How a lane reads IN, and who sets aside what no lane reads: in order, without acknowledgements, from a position on.
//!
//! The position in the state is the only truth. A gap, a missed heartbeat or a lost consumer means a
//! new consumer from there; a durable one would hand out new messages before old ones after a restart.

use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::pull::{Config, Stream};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, ReplayPolicy};
use async_nats::jetstream::stream::{ConsumerError, ConsumerErrorKind};
use async_nats::{Client, jetstream};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use jiff::Timestamp;
use tokio::task::unconstrained;

use super::Error;
use super::context;
use super::mark::{self, Committer};
use super::streams::{self, IN};
use super::trouble::{Doing, NO_ROOM, Troubles};
use crate::logging::full;

/// How many messages are asked for at once; the next request goes out when half have come.
const ASKED: usize = 1_000;
/// How many bytes beyond one largest message.
const ASKED_BYTES: usize = 1 << 20;
const HEARTBEAT: Duration = Duration::from_secs(5);
const EXPIRES: Duration = Duration::from_secs(30);
/// How long the server keeps a consumer that nobody asks.
const INACTIVE: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_millis(250);

/// What the server has not transformed.
pub const UNTRANSFORMED: &str = "in.>";

/// A message of a lane.
#[derive(Debug, Clone)]
pub struct InMessage {
    /// Its sequence in IN.
    pub sequence: u64,
    /// When it entered IN.
    pub time: Timestamp,
    /// Its subject behind `p.<lane>.`: `<org>.<kind>` or `ctl`; where no lane reads it, all of its subject.
    pub subject: String,
    /// Its bytes.
    pub payload: Bytes,
}

/// How much a batch may hold.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Messages.
    pub messages: usize,
    /// Bytes; a single larger message still makes a batch.
    pub bytes: usize,
}

/// Reads one lane's messages, or those of none, in order.
pub struct Reader {
    client: Client,
    who: Committer,
    /// The last sequence handed out.
    position: u64,
    /// When that message entered IN; none before the first.
    time: Option<Timestamp>,
    /// The last sequence the consumer itself has counted.
    delivered: u64,
    /// How many messages IN had for the lane beyond the last one when the server sent it.
    pending: u64,
    stream: Option<Stream>,
    troubles: Troubles,
}

impl Reader {
    /// Reads what is a lane's, or nobody's, from behind `position` on.
    pub fn new(client: Client, who: impl Into<Committer>, position: u64) -> Self {
        Self {
            client,
            who: who.into(),
            position,
            time: None,
            delivered: 0,
            pending: 0,
            stream: None,
            troubles: Troubles::default(),
        }
    }

    /// Tells `troubles` what is in its way.
    #[must_use]
    pub fn telling(mut self, troubles: &Troubles) -> Self {
        self.troubles = troubles.clone();
        self
    }

    /// Waits for the first message, then takes whatever is ready, within the bounds; never waits to
    /// fill. Dropping the future loses nothing.
    ///
    /// # Errors
    /// IN does not have any more what was read from it.
    pub async fn receive(&mut self, bounds: Bounds) -> Result<Vec<InMessage>, Error> {
        let first = self.next().await?;
        let since = Instant::now();
        let mut bytes = first.payload.len();
        let mut batch = Vec::with_capacity(bounds.messages.min(ASKED));
        batch.push(first);
        while batch.len() < bounds.messages && bytes < bounds.bytes {
            // Unconstrained: the runtime would let a task take 128 messages and call the rest not ready,
            // and small batches are what committing cannot bear. What cannot go on is told once what
            // was read is carried.
            let Some(Ok(message)) = unconstrained(self.next()).now_or_never() else { break };
            bytes += message.payload.len();
            batch.push(message);
        }
        metrics::histogram!("linesman_verb_seconds", "verb" => "receive").record(since.elapsed().as_secs_f64());
        metrics::counter!("linesman_verb_items_total", "verb" => "receive").increment(batch.len() as u64);
        Ok(batch)
    }

    /// Whether IN had more for the lane when it sent what was received last.
    pub fn is_behind(&self) -> bool {
        self.pending > 0
    }

    /// The next message; waits through every fault of the way.
    async fn next(&mut self) -> Result<InMessage, Error> {
        loop {
            let Some(stream) = &mut self.stream else {
                self.open().await?;
                continue;
            };
            match stream.next().await {
                Some(Ok(message)) => match self.accept(&message) {
                    Some(message) => return Ok(message),
                    None => self.rebuild("a message is missing"),
                },
                Some(Err(error)) => self.rebuild(&error.to_string()),
                None => self.rebuild("the consumer ended"),
            }
        }
    }

    fn accept(&mut self, message: &jetstream::Message) -> Option<InMessage> {
        let info = message.info().ok()?;
        if info.consumer_sequence != self.delivered + 1 {
            return None;
        }
        self.delivered = info.consumer_sequence;
        self.pending = info.pending;
        self.position = info.stream_sequence;
        let time = Timestamp::from_nanosecond(info.published.unix_timestamp_nanos()).ok()?;
        self.time = Some(time);
        let subject = match self.who {
            Committer::Lane(_) => message.subject.splitn(3, '.').nth(2).unwrap_or_default().to_owned(),
            Committer::Unread => message.subject.to_string(),
        };
        Some(InMessage { sequence: info.stream_sequence, time, subject, payload: message.payload.clone() })
    }

    fn rebuild(&mut self, why: &str) {
        metrics::counter!("linesman_consumer_rebuilds_total").increment(1);
        tracing::warn!(who = %self.who, position = self.position, why, "the consumer is made anew");
        self.stream = None;
    }

    /// Makes a consumer; on failure waits a moment, for the caller to try again.
    async fn open(&mut self) -> Result<(), Error> {
        match self.consumer().await {
            Ok(stream) if self.is_continued().await? => {
                self.delivered = 0;
                self.stream = Some(stream);
                self.troubles.is_over(self.who, Doing::Reading);
            }
            Ok(_) => return Err(Error::LostTail { position: self.position }),
            Err(error) => {
                tracing::debug!(who = %self.who, %error, "no consumer yet");
                self.troubles.note(self.who, Doing::Reading, full(&*error), is_room(&error));
                tokio::time::sleep(RETRY).await;
            }
        }
        Ok(())
    }

    /// Whether IN still has the message read last. A server that came back without its tail gives
    /// the lost sequences to new messages, which a consumer from behind our position never shows.
    async fn is_continued(&self) -> Result<bool, Error> {
        let Some(time) = self.time else { return Ok(true) };
        let found = loop {
            match mark::input(&self.client, self.position).await {
                Ok(found) => break found,
                Err(error) => {
                    tracing::debug!(who = %self.who, %error, "the message read last cannot be read yet");
                    self.troubles.refused(self.who, Doing::Reading, &error);
                    tokio::time::sleep(RETRY).await;
                }
            }
        };
        match found {
            Some((at, _)) => Ok(at == time),
            // Trimmed, or lost.
            None => Ok(streams::identity(&self.client).await?.first > self.position),
        }
    }

    async fn consumer(&self) -> Result<Stream, async_nats::Error> {
        let stream = context(&self.client).get_stream_no_info(IN).await?;
        let config = Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.position + 1 },
            ack_policy: AckPolicy::None,
            replay_policy: ReplayPolicy::Instant,
            filter_subject: match self.who {
                Committer::Lane(lane) => format!("p.{lane}.>"),
                Committer::Unread => UNTRANSFORMED.to_owned(),
            },
            inactive_threshold: INACTIVE,
            memory_storage: true,
            num_replicas: 1,
            ..Config::default()
        };
        let consumer = stream.create_consumer(config).await?;
        let most = self.client.max_payload() + ASKED_BYTES;
        let messages = consumer
            .stream()
            .max_messages_per_batch(ASKED)
            .max_bytes_per_batch(most)
            .heartbeat(HEARTBEAT)
            .expires(EXPIRES)
            .messages()
            .await?;
        Ok(messages)
    }
}

/// Whether the server makes no consumer for want of room.
fn is_room(error: &async_nats::Error) -> bool {
    let kind = error.downcast_ref::<ConsumerError>().map(ConsumerError::kind);
    matches!(kind, Some(ConsumerErrorKind::JetStream(error)) if NO_ROOM.contains(&error.error_code().0))
}
